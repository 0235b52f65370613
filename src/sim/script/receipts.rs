//! Scripts: receipts.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
