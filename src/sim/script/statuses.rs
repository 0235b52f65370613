//! Scripts: odd command_status.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
