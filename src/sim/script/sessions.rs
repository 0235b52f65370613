//! Scripts: bind, unbind, session.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
