//! Scripts: TLS, load, our own octets.

use super::Script;

pub(super) const SCRIPTS: &[Script] = &[];
