//! Scripts: texts.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
