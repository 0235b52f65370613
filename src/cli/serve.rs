//! `tracuu serve`: runs the service until it is told to stop.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ConfigFile, Failed};
use crate::{
    admin::Window,
    clock::{Chance, Clock},
    config::Config,
    service::Service,
    telemetry,
};

/// Starts, runs, stops in order on SIGTERM or SIGINT. A second signal ends the process at once.
pub(super) async fn run(file: &ConfigFile) -> Result<(), Failed> {
    let config = file.load()?;
    telemetry::start(&config.log.filter, config.log.json);
    let mut terminate = signal(SignalKind::terminate()).map_err(Failed::wrong)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failed::wrong)?;
    let service = Service::build(&config, Clock::System, Chance::from_system()).await?;
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
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
    tokio::select! {
        ended = running => Ok(ended?),
        _ = terminate.recv() => Err(Failed::Wrong("stopped at once by a second signal".to_owned())),
        _ = interrupt.recv() => Err(Failed::Wrong("stopped at once by a second signal".to_owned())),
    }
}

/// The socket for `tracuu status`. Without it the service runs all the same.
async fn open_window(config: &Config) -> Option<Window> {
    let path = config.service.status_socket.as_ref()?;
    match Window::open(path).await {
        Ok(window) => Some(window),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "Status socket cannot be opened; `tracuu status` will not work");
            None
        }
    }
}
