//! A part of the service on a thread of its own: one that waits all the time for the answers of another thread, or of a
//! server, is then woken by them at once, and not when a thread of the event loop gets round to it.

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

use crate::db::step;

/// Who watches what the part waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// The event loop that all share: enough for what another thread answers.
    Shared,
    /// An event loop of its own, on its thread. What it waits for must have been made there, too.
    Own,
}

/// Runs a part to its end; `None` when its thread could not be started, or died. Let go of, the part stops where it
/// waits next. In a simulation, whose time is that of one thread, it runs on that.
pub(super) async fn run<T: Send + 'static>(
    name: &str,
    watch: Watch,
    part: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    if step::is_staged() {
        return Some(part.await);
    }
    let (event_loop, stop) = (Handle::current(), CancellationToken::new());
    let (sender, ended) = oneshot::channel();
    let stopped = stop.clone();
    // Stopped first: nobody is left whose end the part could take for an order to end in order.
    let part = async move {
        tokio::select! {
            biased;
            () = stopped.cancelled() => None,
            end = part => Some(end),
        }
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let end = match watch {
                Watch::Shared => event_loop.block_on(part),
                Watch::Own => match Builder::new_current_thread().enable_all().build() {
                    Ok(own) => own.block_on(part),
                    Err(_) => None,
                },
            };
            if let Some(end) = end {
                // Nobody is left who would hear of it.
                let _ = sender.send(end);
            }
        })
        .ok()?;
    let _stops = stop.drop_guard();
    ended.await.ok()
}
