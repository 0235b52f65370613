//! The watchdog: a thread of its own, outside the event loop it watches. While every part of the path moves it says so
//! to the service manager (systemd, `sd_notify(3)`: `WATCHDOG=1`); when one stands still it says which, and no more to
//! the manager, which then ends the process and starts it anew.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use sd_notify::NotifyState;
use tracing::warn;

use crate::board::Board;

/// How often it looks, unless the service manager wants to hear more often.
const LOOK: Duration = Duration::from_millis(500);

/// Signs that the service manager hears in each of its periods: one that is lost is no reason to end the process.
const SIGNS: u32 = 3;

/// What may wait for the service manager to listen.
const WAITING: usize = 4;

/// The running watchdog; ends with its value.
pub struct Watchdog {
    stop: Arc<AtomicBool>,
    manager: Manager,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches the parts on a board; one that has not moved for `most` stands still. Tells the service manager, when
    /// there is one, that the service is ready.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(board: Arc<Board>, most: Duration) -> Result<Self, std::io::Error> {
        let manager = Manager::start()?;
        manager.tell(NotifyState::Ready);
        let wanted = sd_notify::watchdog_enabled();
        let look = wanted.map_or(LOOK, |period| LOOK.min(period / SIGNS));
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, told) = (Arc::clone(&stop), manager.clone());
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                let still = board.still(Instant::now(), most);
                board.stand_still(&still);
                if still.is_empty() && wanted.is_some() {
                    told.tell(NotifyState::Watchdog);
                }
                std::thread::park_timeout(look);
            }
        })?;
        Ok(Self { stop, manager, thread: Some(thread) })
    }

    /// Tells the service manager that a stop in order has begun. The parts are watched until they have ended.
    pub fn stopping(&self) {
        self.manager.tell(NotifyState::Stopping);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                warn!("Watchdog had failed");
            }
        }
    }
}

/// The way to the service manager: a thread that may wait for it, so that the watchdog never does. Nothing hangs on it
/// where no service manager listens.
#[derive(Clone)]
struct Manager(SyncSender<NotifyState<'static>>);

impl Manager {
    fn start() -> Result<Self, std::io::Error> {
        let (sender, states) = sync_channel(WAITING);
        std::thread::Builder::new().name("service-manager".to_owned()).spawn(move || {
            for state in states {
                pass(state);
            }
        })?;
        Ok(Self(sender))
    }

    /// Leaves it out when the manager has not taken what waits: it notices by itself that it hears nothing.
    fn tell(&self, state: NotifyState<'static>) {
        let _ = self.0.try_send(state);
    }
}

fn pass(state: NotifyState<'_>) {
    let sign = matches!(state, NotifyState::Watchdog);
    match sd_notify::notify(&[state]) {
        Err(error) if !sign => warn!(%error, "Service manager cannot be told how the service stands"),
        Err(_) | Ok(()) => {}
    }
}
