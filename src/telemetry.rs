//! Log lines: sentences with fields, on standard error. No number, text or registry value can be in them, because the
//! types that hold those do not print (law 5).

use tracing_subscriber::EnvFilter;

/// Starts logging for this process: `filter` is a level or a list of targets with levels, `json` one object a line.
/// A second call changes nothing.
pub fn start(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let base = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A failure means that logging runs already, in a test or an embedding program.
    let _ = if json { base.json().try_init() } else { base.try_init() };
}
