//! `tracuu serve`: runs the service until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ConfigFile, Failed};
use crate::{
    clock::{Chance, Clock},
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
    let running = service.run(stop.clone());
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
