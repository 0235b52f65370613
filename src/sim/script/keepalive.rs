//! Scripts: keep-alive.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
