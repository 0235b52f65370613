//! Several instances on one store: this one looks after the others, and takes over what one leaves that is gone. The
//! replies go to the outboxes, the parts of texts that are not whole to the desk, and so does what may be sent again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::doubt::Unheard;
use crate::{
    board::Pulse,
    clock::Clock,
    config::Carrier,
    db::DbError,
    ledger::{Ledger, LedgerError, Look, OpenPart, Recent, Sign, Watch},
    message::CarrierId,
    outbox::Door,
};

/// How often the others are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How often what the dead have left is asked for anew when nobody has died since.
const ROUND: Duration = Duration::from_secs(10);

/// Parts that are handed to the desk in one go at most. The others are found at the next start.
const PARTS: i64 = 100_000;

/// What the desk hears of other instances.
pub enum FromOthers {
    /// Parts of texts that one left which is gone.
    Parts(Vec<OpenPart>),
    /// What may be sent again to this one, because another's answer may have been lost.
    Unheard(Vec<Recent>),
}

/// Looks after the other instances.
pub struct Heir {
    /// The rows.
    pub ledger: Arc<Ledger>,
    /// The time of day.
    pub clock: Clock,
    /// Where each carrier's replies go.
    pub doors: BTreeMap<CarrierId, Door>,
    /// The desk.
    pub desk: mpsc::Sender<FromOthers>,
    /// All carriers.
    pub carriers: HashMap<CarrierId, Arc<Carrier>>,
    /// Gives signs of life.
    pub pulse: Pulse,
    /// What was seen, and what was handed on.
    pub known: Known,
}

/// What was seen, and what was handed on.
#[derive(Default)]
pub struct Known {
    watch: Watch,
    /// The dead as of the last round.
    dead: HashSet<String>,
    /// When the last round was.
    round: Option<Instant>,
    /// Something may have been taken over that is not handed on.
    open: bool,
    handed_on: HashSet<(i64, CarrierId)>,
    pub(super) unheard: Unheard,
    failing: bool,
}

impl Known {
    /// A turn came to this. What failed is tried again, unless nobody knows what is on the disk.
    fn met(&mut self, done: Result<(), LedgerError>) -> Result<(), DbError> {
        match done {
            Ok(()) => self.failing = false,
            Err(LedgerError::Db(error @ DbError::Unsynced { .. })) => return Err(error),
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    warn!(%error, "Other instances cannot be looked at; none is taken for dead until they can");
                }
            }
        }
        Ok(())
    }
}

impl Heir {
    /// Looks until `stop`.
    ///
    /// # Errors
    /// [`DbError::Unsynced`] alone: the process must end.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), DbError> {
        let mut turns = tokio::time::interval(EVERY);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(turns.tick()).await.is_some() {
            self.pulse.beat();
            match stop.run_until_cancelled(self.turn()).await {
                Some(done) => self.known.met(done)?,
                None => break,
            }
        }
        self.pulse.rest();
        Ok(())
    }

    async fn turn(&mut self) -> Result<(), LedgerError> {
        let begun = Instant::now();
        let signs = self.ledger.signs().await.inspect_err(|_| self.known.watch.failed())?;
        let (ended, lease) = (Instant::now(), self.ledger.lease());
        let own = lease.age(ended.into_std());
        let look = Look { begun: begun.into_std(), ended: ended.into_std(), own, failures: lease.failures() };
        let dead = self.known.watch.look(look, signs);
        let names: HashSet<String> = dead.iter().map(|sign| sign.instance.clone()).collect();
        let one_more = !names.is_subset(&self.known.dead);
        let round = self.known.round.is_none_or(|at| begun >= at + ROUND);
        if !dead.is_empty() && (one_more || round || dead.iter().any(|sign| !sign.ended)) {
            self.take_over(&dead).await?;
            self.known.round = Some(begun);
        }
        self.known.dead = names;
        if self.known.open {
            self.hand_on().await?;
        }
        self.hear().await
    }

    async fn take_over(&mut self, dead: &[Sign]) -> Result<(), LedgerError> {
        // Even when it says that it failed, it may have been done.
        self.known.open = true;
        let carriers: Vec<CarrierId> = self.doors.keys().cloned().collect();
        let done = self.ledger.take_over(dead, &carriers, self.clock.now()).await?;
        for instance in done.fenced {
            warn!(instance, "Instance {instance} gives no sign of life: it is taken for dead and can write no more");
        }
        for taken in done.taken {
            let (of, carrier, epoch) = (taken.of, taken.carrier, taken.epoch);
            info!(instance = of, carrier.name = %carrier, epoch, "What instance {of} left is taken over");
        }
        Ok(())
    }

    /// Tells the desk and the outboxes what is theirs now, each once.
    async fn hand_on(&mut self) -> Result<(), LedgerError> {
        for (epoch, carrier) in self.ledger.taken().await? {
            let key = (epoch, carrier);
            if self.known.handed_on.contains(&key) {
                continue;
            }
            let parts = self.ledger.parts_of(epoch, &key.1, PARTS).await?;
            // A desk that has gone leaves them to the next start.
            let _ = self.desk.send(FromOthers::Parts(parts)).await;
            if let Some(door) = self.doors.get(&key.1) {
                door.take_over(epoch);
            }
            self.known.handed_on.insert(key);
        }
        self.known.open = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_did_not_keep_ends_the_process_and_an_outage_is_outlasted() {
        let why = || "why".to_owned();
        let mut known = Known::default();
        assert!(known.met(Err(DbError::Unavailable { database: "store", why: why() }.into())).is_ok());
        assert!(known.failing);
        assert!(known.met(Ok(())).is_ok());
        assert!(!known.failing);
        let unsynced = known.met(Err(DbError::Unsynced { database: "store", why: why() }.into()));
        assert!(matches!(unsynced, Err(DbError::Unsynced { .. })));
    }
}
