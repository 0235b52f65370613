//! The one writer: takes what waits, stores it in one transaction, tells each sender what became of it.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::{
    row::{Entry, Fate},
    store::{self, CommitError},
};
use crate::{
    clock::{Clock, Micros},
    db::Db,
    message::{CarrierId, RowKey},
};

/// Groups taken into one transaction at most. With at most 256 entries each this bounds a transaction.
const GROUPS: usize = 8;

/// An idle writer moves its mark this often, so that the lease and the time of a crash are known.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How far this epoch has got.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// The epoch.
    pub(super) epoch: i64,
    /// n of the last exchange.
    pub(super) exchange_high: i64,
    /// n of the last settlement.
    pub(super) settlement_high: i64,
    /// Head of the audit chain.
    pub(super) audit_head: [u8; 32],
}

impl Mark {
    /// A process that has not moved its mark for this long may be taken for dead.
    pub(super) const LEASE_SECONDS: i64 = 10;

    pub(super) fn next_settlement(&mut self) -> RowKey {
        self.settlement_high += 1;
        RowKey::new(self.epoch, self.settlement_high)
    }
}

/// What is handed to the writer.
#[derive(Debug)]
pub(super) enum Work {
    /// Entries to be stored together.
    Group(Vec<Entry>, oneshot::Sender<Vec<Fate>>),
    /// A session with a carrier ended.
    Break(CarrierId, Micros),
}

/// The writer has ended because another process took this epoch's place.
#[derive(Debug, thiserror::Error)]
#[error("another process took over this instance's ledger; only one may run under one instance name")]
pub struct Fenced;

/// The writing end of the ledger. One for each process.
pub struct Writer {
    pub(super) db: Db,
    pub(super) mark: Mark,
    pub(super) clock: Clock,
    pub(super) work: mpsc::Receiver<Work>,
    pub(super) failing: bool,
}

impl Writer {
    /// Runs until every [`super::Ledger`] handle is gone, then ends the epoch in order.
    ///
    /// # Errors
    /// [`Fenced`]: the process must stop at once; what it has not stored is left to the other.
    pub async fn run(mut self) -> Result<(), Fenced> {
        let mut waiting = Vec::with_capacity(GROUPS);
        loop {
            match tokio::time::timeout(HEARTBEAT, self.work.recv_many(&mut waiting, GROUPS)).await {
                Ok(0) => break,
                Ok(_) | Err(_) => self.step(&mut waiting).await?,
            }
        }
        if let Err(error) = super::start::store::end_epoch(&self.db, self.mark.epoch, self.clock.now()).await {
            warn!(%error, "Ledger could not note its orderly end; the next start treats it as a crash");
        }
        Ok(())
    }

    async fn step(&mut self, waiting: &mut Vec<Work>) -> Result<(), Fenced> {
        let (mut entries, mut senders) = (Vec::new(), Vec::new());
        for work in waiting.drain(..) {
            match work {
                Work::Group(group, sender) => {
                    senders.push((group.len(), sender));
                    entries.extend(group);
                }
                Work::Break(carrier, at) => {
                    if let Err(error) = store::note_break(&self.db, &self.mark, &carrier, at).await {
                        warn!(carrier.name = %carrier, %error, "Ledger could not note a lost session");
                    }
                }
            }
        }
        let fates = self.commit(&entries).await?;
        let mut fates = fates.into_iter();
        for (count, sender) in senders {
            // Whoever asked may have gone; what was stored stays stored.
            let _ = sender.send(fates.by_ref().take(count).collect());
        }
        Ok(())
    }

    /// Stores the entries. A ticket is claimed before the transaction begins: a message whose line has already
    /// answered "temporary error" is left out, because the SMSC will bring it again.
    async fn commit(&mut self, entries: &[Entry]) -> Result<Vec<Fate>, Fenced> {
        let claim = |entry: &Entry| match entry.ticket() {
            Some(ticket) if !ticket.claim() => Fate::GivenUp,
            Some(_) | None => Fate::Stored,
        };
        let mut fates: Vec<Fate> = entries.iter().map(claim).collect();
        let before = self.mark.clone();
        match store::commit(&self.db, entries, &mut fates, &mut self.mark, self.clock.now()).await {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    warn!("Ledger is being written again");
                }
            }
            Err(CommitError::Fenced) => {
                error!("Ledger is owned by another process now; stopping");
                return Err(Fenced);
            }
            Err(CommitError::Db(error)) => {
                if !std::mem::replace(&mut self.failing, true) {
                    error!(%error, "Ledger cannot be written; carriers get temporary errors until it can");
                }
                let tried = std::mem::replace(&mut self.mark, before);
                if self.was_committed(&tried).await {
                    return Ok(fates);
                }
                for fate in fates.iter_mut().filter(|fate| **fate != Fate::GivenUp) {
                    *fate = Fate::Failed;
                }
                // The database is given a moment before the next try, so that a fault is not met with a storm.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(fates)
    }

    /// Asks the database how far this epoch has got, when the answer to a commit was an error: it may have been kept.
    /// If it cannot be asked, the numbers that were tried are not used again.
    async fn was_committed(&mut self, tried: &Mark) -> bool {
        let known = super::start::store::mark(&self.db, self.mark.epoch).await;
        if let Ok(known) = known {
            self.mark = known;
        }
        let committed = self.mark.audit_head == tried.audit_head && self.mark.settlement_high == tried.settlement_high;
        self.mark.settlement_high = self.mark.settlement_high.max(tried.settlement_high);
        committed
    }
}
