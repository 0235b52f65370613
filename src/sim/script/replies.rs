//! Scripts: our submit_sm.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
