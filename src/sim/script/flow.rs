//! Scripts: window, throttling, congestion.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
