//! `tracuu serve`: runs the service until it is told to stop.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{ConfigFile, Failed};
use crate::{
    admin::Window,
    clock::{Chance, Clock},
    config::Config,
    service::{STOP_BUDGET, Service},
    telemetry,
    watchdog::Watchdog,
};

/// What asks the process to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they are taken, and end nothing by themselves.
    fn take() -> Result<Self, Failed> {
        let taken = |kind| signal(kind).map_err(Failed::wrong);
        Ok(Self { terminate: taken(SignalKind::terminate())?, interrupt: taken(SignalKind::interrupt())? })
    }

    /// Waits for the next.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Starts, runs, stops in order on SIGTERM or SIGINT. A second signal ends the process at once, and so does the first
/// one while the service is being built: nothing is under way yet.
pub(super) async fn run(file: &ConfigFile) -> Result<(), Failed> {
    let config = file.load()?;
    telemetry::start(&config.log.filter, config.log.json);
    let mut signals = Signals::take()?;
    info!("Service is starting");
    let service = tokio::select! {
        built = Service::build(&config, Clock::System, Chance::from_system()) => built?,
        () = signals.next() => {
            info!("Service is stopping before it has started");
            return Err(Failed::AtOnce("stopped before it had started"));
        }
    };
    let stop = CancellationToken::new();
    let window = open_window(&config).await;
    let shown = {
        let board = Arc::clone(service.board());
        async move {
            match window {
                Some(window) => window.show(board).await,
                None => std::future::pending().await,
            }
        }
    };
    let watchdog = Watchdog::start(Arc::clone(service.board()), config.service.stall).map_err(Failed::wrong)?;
    let running = service.run(stop.clone());
    let running = async {
        tokio::select! {
            ended = running => ended,
            () = shown => Ok(()),
        }
    };
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        () = signals.next() => {}
    }
    info!(
        "Service was told to stop: it has {} s to do so in order, a second signal ends it at once",
        STOP_BUDGET.as_secs()
    );
    watchdog.stopping();
    stop.cancel();
    tokio::select! {
        ended = running => Ok(ended?),
        () = signals.next() => {
            warn!("Service is ending at once; what is not settled is found at the next start");
            Err(Failed::AtOnce("stopped at once by a second signal"))
        }
    }
}

/// The socket for `tracuu status`. Without it the service runs all the same.
async fn open_window(config: &Config) -> Option<Window> {
    let path = config.service.status_socket.as_ref()?;
    match Window::open(path).await {
        Ok(window) => Some(window),
        Err(error) => {
            warn!(path = %path.display(), %error, "Status socket cannot be opened; `tracuu status` will not work");
            None
        }
    }
}
