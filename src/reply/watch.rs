//! Picks up changed templates while the service runs.

use std::{fmt, sync::Arc, time::Duration};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{
        EventKind, RecommendedWatcher, RecursiveMode,
        event::{AccessKind, AccessMode},
    },
};

use super::{
    fault::TemplateFaults,
    live::{ReloadOutcome, Templates},
};

/// How long the folder must be quiet before it is read: an editor writes a file in several steps.
pub const QUIET: Duration = Duration::from_millis(500);

/// The folder cannot be watched; changed templates are then taken at the next start only.
#[derive(Debug, thiserror::Error)]
#[error("the folder of templates cannot be watched, changes need a restart: {0}")]
pub struct CannotWatch(#[from] notify_debouncer_full::notify::Error);

/// Watches as long as it lives.
#[must_use = "dropping it ends the watching"]
pub struct Watch(
    #[expect(dead_code, reason = "held so that its threads live")] Debouncer<RecommendedWatcher, RecommendedCache>,
);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// Reloads the templates whenever their files have changed and then been quiet for `quiet`. Nothing queues up: events
/// of one stretch are one reload, made on the watcher's own thread.
///
/// # Errors
/// When the system cannot watch the folder. The service can run without.
pub fn watch(templates: &Arc<Templates>, quiet: Duration) -> Result<Watch, CannotWatch> {
    watch_and_tell(templates, quiet, |result| log(&result))
}

pub(super) fn watch_and_tell(
    templates: &Arc<Templates>,
    quiet: Duration,
    tell: impl Fn(Result<ReloadOutcome, TemplateFaults>) + Send + 'static,
) -> Result<Watch, CannotWatch> {
    let watched = Arc::clone(templates);
    let mut debouncer = new_debouncer(quiet, None, move |result: DebounceEventResult| match result {
        Ok(events) => {
            if events.iter().any(|event| is_change(event.kind)) {
                tell(watched.reload());
            }
        }
        Err(errors) => {
            for error in errors {
                tracing::warn!(error = %error, "Watching the templates met an error, the folder is read again");
            }
            tell(watched.reload());
        }
    })?;
    debouncer.watch(templates.dir(), RecursiveMode::Recursive)?;
    Ok(Watch(debouncer))
}

/// Reading is no change: our own reading would otherwise start the next.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

fn log(result: &Result<ReloadOutcome, TemplateFaults>) {
    match result {
        Ok(ReloadOutcome::Unchanged) => {}
        Ok(ReloadOutcome::Accepted { hex, .. }) => {
            tracing::info!(template.version = hex, "Changed templates accepted");
        }
        Err(TemplateFaults(faults)) => {
            for fault in faults {
                tracing::warn!("Template fault: {fault}");
            }
            tracing::warn!(faults = faults.len(), "Changed templates refused, the last good set stays");
        }
    }
}
