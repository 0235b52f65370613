//! The nightly run of the service.

use std::{sync::Arc, time::Duration};

use jiff::{civil::Time, tz::TimeZone};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Manner, prune};
use crate::{
    board::Board,
    clock::{Clock, Micros},
    config::{Config, RetentionSettings},
    db::{Db, DbError},
    ledger::{Keys, LedgerError, PruneError},
};

/// How often the clock is looked at.
const TURN: Duration = Duration::from_secs(20);

/// Removes the old once a night.
pub struct Nightly {
    db: Db,
    keys: Arc<Keys>,
    settings: RetentionSettings,
    zone: TimeZone,
    clock: Clock,
    board: Arc<Board>,
    next: Option<Micros>,
}

impl Nightly {
    /// As the configuration wants it.
    pub fn new(config: &Config, db: Db, keys: Arc<Keys>, clock: Clock, board: Arc<Board>) -> Self {
        let zone = TimeZone::get(&config.billing.zone).unwrap_or(TimeZone::UTC);
        let settings = config.retention.clone();
        let next = settings.nightly.and_then(|at| next(clock.now(), at, &zone));
        Self { db, keys, settings, zone, clock, board, next }
    }

    /// Runs until `stop`. A run that is stopped in the middle goes on the next night.
    ///
    /// # Errors
    /// [`DbError::Unsynced`] alone: the process must end.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), DbError> {
        let mut turns = tokio::time::interval(TURN);
        while stop.run_until_cancelled(turns.tick()).await.is_some() {
            let now = self.clock.now();
            if self.next.is_none_or(|at| now < at) {
                continue;
            }
            match stop.run_until_cancelled(self.once(now)).await {
                Some(Err(error)) => return Err(error),
                Some(Ok(())) => {
                    self.next = self.settings.nightly.and_then(|at| next(self.clock.now(), at, &self.zone));
                }
                None => break,
            }
        }
        Ok(())
    }

    async fn once(&self, now: Micros) -> Result<(), DbError> {
        match prune(&self.db, &self.keys, &self.settings, now, Manner::Gentle, |_| ()).await {
            Ok(removed) => {
                info!("Nightly removal of the old: {removed}");
                for why in &removed.held {
                    warn!("Nightly removal of the old left rows: {why}");
                }
                self.board.pruned(removed.to_string(), removed.held.into_iter().collect());
            }
            Err(PruneError::Ledger(LedgerError::Db(error @ DbError::Unsynced { .. }))) => return Err(error),
            Err(PruneError::Elsewhere) => info!("Nightly removal of the old is done by another instance"),
            Err(error) => {
                warn!(%error, "Nightly removal of the old failed; the next night tries again");
                self.board.pruned(format!("failed: {error}"), Vec::new());
            }
        }
        Ok(())
    }
}

/// The first time of day of the setting after a moment.
fn next(now: Micros, at: Time, zone: &TimeZone) -> Option<Micros> {
    let here = now.in_zone(zone)?;
    let today = here.with().time(at).build().ok()?;
    let next = if today > here { today } else { today.tomorrow().ok()? };
    Some(Micros(next.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_is_today_or_tomorrow_in_the_zone_of_the_bills() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let moment = |text: &str| Micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        let at = jiff::civil::time(2, 30, 0, 0);
        for (now, expected) in [
            ("2026-11-27T02:29:59+07:00", "2026-11-27T02:30:00+07:00"),
            ("2026-11-27T02:30:00+07:00", "2026-11-28T02:30:00+07:00"),
            ("2026-11-30T23:00:00+07:00", "2026-12-01T02:30:00+07:00"),
        ] {
            assert_eq!(next(moment(now), at, &zone), Some(moment(expected)), "{now}");
        }
    }
}
