//! Scripts: long messages to us.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
