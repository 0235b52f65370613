//! Scripts: sequence numbers and responses.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
