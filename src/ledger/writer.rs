//! The one writer: takes what waits, stores it in one transaction, tells each sender what became of it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::{error, info, warn};

use super::{
    asked::Unheard,
    row::{Entry, Fate},
    store::{self, Beside, CommitError},
};
use crate::{
    board::{CarrierBoard, Pulse, StoreBoard},
    clock::{Clock, Micros},
    config::Carrier,
    db::{DbError, Seat, step},
    message::{CarrierId, Lease, RowKey},
};

/// Groups taken into one transaction at most. A group has at most 256 entries, but for the last settlements of a stop.
const GROUPS: usize = 8;

/// An idle writer moves its mark this often, so that others see that it lives, and the time of a crash is known.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Session breaks kept while the database fails; beyond that the oldest are forgotten.
const BREAKS: usize = 1_024;

/// Messages that other instances are to be told of, kept while the database fails.
const UNHEARD: usize = 10_000;

/// A failed database is given this long before the next try, so that a fault is not met with a storm.
const PAUSE: Duration = Duration::from_millis(50);

/// How far this epoch has got.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// The epoch.
    pub(super) epoch: i64,
    /// n of the last exchange.
    pub(super) exchange_high: i64,
    /// n of the last settlement.
    pub(super) settlement_high: i64,
    /// How often this epoch was committed to.
    pub(super) commits: i64,
    /// Head of the audit chain.
    pub(super) audit_head: [u8; 32],
}

impl Mark {
    /// A process that has not moved its mark for this long counts no more among those that share a carrier's rate.
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
    Break(LostSession),
    /// Stored messages, by fingerprint, that their SMSC was told to send again.
    Unheard(Vec<Unheard>),
}

/// A session with a carrier that ended.
#[derive(Debug)]
pub(super) struct LostSession {
    /// Whose.
    pub(super) carrier: CarrierId,
    /// When.
    pub(super) at: Micros,
    /// The last key that was allotted before.
    pub(super) high: RowKey,
}

/// Why the writer has ended by itself: the process must end, too.
#[derive(Debug, thiserror::Error)]
pub enum WriterEnd {
    /// Another process took this epoch's place. What is not stored is left to it.
    #[error(
        "another process took this one's place in the ledger: it was taken for dead after a pause, or another runs under its instance name"
    )]
    Fenced,
    /// Nobody knows what is on the disk ([`DbError::Unsynced`]): nothing may be acknowledged or asked any more.
    #[error(transparent)]
    Unsynced(DbError),
}

/// The writing end of the ledger. One for each process.
pub struct Writer {
    pub(super) seat: Seat,
    pub(super) mark: Mark,
    pub(super) clock: Clock,
    pub(super) work: mpsc::Receiver<Work>,
    pub(super) breaks: VecDeque<LostSession>,
    pub(super) failing: bool,
    /// The store's log could not be merged into its file.
    pub(super) unmerged: bool,
    pub(super) beside: Beside,
    pub(super) pulse: Pulse,
    pub(super) board: Arc<StoreBoard>,
    pub(super) lease: Arc<Lease>,
}

impl Writer {
    /// Learns what was agreed with a carrier about receipts, and where it says what it meets. To be called before it runs.
    pub fn know(&mut self, carrier: &Carrier, board: Arc<CarrierBoard>) {
        self.beside.receipts.add(carrier.id.clone(), carrier.receipts, board);
    }

    /// Has it write over a connection that it makes where it runs: the event loop it is called in watches that one. To be
    /// called before it runs.
    pub fn connect_anew(&mut self) {
        self.seat = Seat::new(self.seat.db().with_pool_of_its_own());
    }

    /// Gives signs of life here from now on, and says there how the store is.
    pub fn watched(&mut self, pulse: Pulse, board: Arc<StoreBoard>) {
        self.pulse = pulse;
        self.board = board;
    }

    /// Runs until every [`super::Ledger`] handle is gone, then ends the epoch in order.
    ///
    /// # Errors
    /// [`WriterEnd`]: the process must stop at once.
    pub async fn run(mut self) -> Result<(), WriterEnd> {
        let mut waiting = Vec::with_capacity(GROUPS);
        loop {
            self.pulse.beat();
            match tokio::time::timeout(HEARTBEAT, self.work.recv_many(&mut waiting, GROUPS)).await {
                Ok(0) => break,
                Ok(_) | Err(_) => self.step(&mut waiting).await?,
            }
        }
        self.pulse.rest();
        self.seat.leave();
        match step::whole(super::start::store::end_epoch(self.seat.db(), self.mark.epoch, self.clock.now())).await {
            Ok(()) => {}
            Err(error @ DbError::Unsynced { .. }) => return Err(WriterEnd::Unsynced(error)),
            Err(error) => warn!(%error, "Ledger could not note its orderly end; the next start treats it as a crash"),
        }
        match step::whole(self.seat.db().merge()).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                info!("Store's log is in use by another process and was not merged into its file");
                Ok(())
            }
            Err(error @ DbError::Unsynced { .. }) => Err(WriterEnd::Unsynced(error)),
            Err(error) => {
                warn!(%error, "Store's log could not be merged into its file; the next start does it");
                Ok(())
            }
        }
    }

    async fn step(&mut self, waiting: &mut Vec<Work>) -> Result<(), WriterEnd> {
        let (mut entries, mut senders) = (Vec::new(), Vec::new());
        for work in waiting.drain(..) {
            match work {
                Work::Group(group, sender) => {
                    senders.push((group.len(), sender));
                    entries.extend(group);
                }
                Work::Break(lost) => {
                    self.breaks.truncate(BREAKS - 1);
                    self.breaks.push_front(lost);
                }
                Work::Unheard(messages) => {
                    self.beside.unheard.extend(messages);
                    self.beside.unheard.truncate(UNHEARD);
                }
            }
        }
        let mut fates: Vec<Fate> = entries.iter().map(claim).collect();
        if self.commit(&entries, &mut fates).await? == Kept::Refused && senders.len() > 1 {
            // The rows of one group are at fault: the others are not made to fail with it for ever.
            let mut at = 0;
            for (count, _) in &senders {
                let group = at..at + count;
                self.commit(&entries[group.clone()], &mut fates[group]).await?;
                at += count;
            }
        }
        let mut fates = fates.into_iter();
        for (count, sender) in senders {
            // Whoever asked may have gone; what was stored stays stored.
            let _ = sender.send(fates.by_ref().take(count).collect());
        }
        self.tidy(entries.len()).await
    }

    /// Merges the store's log into its file when it is long; the acknowledgements do not wait for it.
    async fn tidy(&mut self, rows: usize) -> Result<(), WriterEnd> {
        match step::whole(self.seat.tidy(rows)).await {
            Ok(()) => {
                if std::mem::take(&mut self.unmerged) {
                    warn!("Store's log is merged into its file again");
                }
                Ok(())
            }
            Err(error @ DbError::Unsynced { .. }) => Err(WriterEnd::Unsynced(error)),
            Err(error) => {
                self.seat.leave();
                if !std::mem::replace(&mut self.unmerged, true) {
                    error!(%error, "Store's log cannot be merged into its file and grows until it can");
                }
                Ok(())
            }
        }
    }

    /// Stores the entries, and the session breaks that are not noted yet.
    async fn commit(&mut self, entries: &[Entry], fates: &mut [Fate]) -> Result<Kept, WriterEnd> {
        let (before, now, begun) = (self.mark.clone(), self.clock.now(), Instant::now());
        let breaks = self.breaks.make_contiguous();
        let mut anew = false;
        // Tried again when some are left out, or others are seen to run: never more often than there are entries, and once.
        let done = loop {
            let (mark, beside) = (&mut self.mark, &mut self.beside);
            let done = step::whole(store::commit(&mut self.seat, entries, fates, breaks, mark, now, beside)).await;
            match done {
                Err(CommitError::NotBegun(_)) if self.seat.is_kept() && !anew => {
                    // The connection died while nothing was asked of it: no reason to refuse anybody.
                    anew = true;
                    self.seat.leave();
                }
                Err(CommitError::Unfit(unfit)) => {
                    unfit.fates.iter().for_each(|(place, fate)| fates[*place] = *fate);
                    self.beside.doubts.add(unfit.doubts);
                }
                Err(CommitError::Shared) => {}
                Ok(_) | Err(_) => break done,
            }
            self.mark = before.clone();
        };
        if done.is_err() {
            self.seat.leave();
        }
        let error = match done {
            Ok(news) => {
                self.beside.receipts.tell(news);
                return Ok(self.kept(begun));
            }
            Err(CommitError::Fenced) => {
                self.lease.revoke();
                error!(
                    "Ledger is owned by another process now: this one was taken for dead, or another was started under its name; stopping"
                );
                return Err(WriterEnd::Fenced);
            }
            // Whether it was kept cannot be asked: the answer would come from memory, not from the disk.
            Err(
                CommitError::Db(error @ DbError::Unsynced { .. })
                | CommitError::NotBegun(error @ DbError::Unsynced { .. })
                | CommitError::Unsure(error @ DbError::Unsynced { .. }),
            ) => return Err(WriterEnd::Unsynced(error)),
            Err(CommitError::Db(error) | CommitError::NotBegun(error)) => {
                self.mark = before;
                error
            }
            // Both were seen to above.
            Err(CommitError::Unfit(_) | CommitError::Shared) => return Ok(Kept::Nothing),
            Err(CommitError::Unsure(error)) => {
                let tried = std::mem::replace(&mut self.mark, before);
                self.lease.failed();
                if self.was_kept(&tried).await {
                    return Ok(self.kept(begun));
                }
                error
            }
        };
        for fate in fates.iter_mut().filter(|fate| **fate != Fate::GivenUp) {
            *fate = Fate::Failed;
        }
        self.board.down(&error);
        if !std::mem::replace(&mut self.failing, true) {
            error!(%error, "Ledger cannot be written; carriers get temporary errors until it can");
        }
        let refused = matches!(error, DbError::Refused { .. } | DbError::Unfit { .. });
        if !refused {
            self.lease.failed();
        }
        tokio::time::sleep(PAUSE).await;
        Ok(if refused { Kept::Refused } else { Kept::Nothing })
    }

    fn kept(&mut self, begun: Instant) -> Kept {
        self.lease.renew(begun.into_std());
        self.breaks.clear();
        self.beside.unheard.clear();
        self.board.up();
        if std::mem::take(&mut self.failing) {
            warn!("Ledger is being written again");
        }
        Kept::All
    }

    /// Asks the database whether a commit was kept whose answer was an error. Nobody is told anything, and nothing else
    /// is written, until that is known: a row told as lost that is there would be answered twice, and a chain continued
    /// from the wrong head would be broken for ever. The lines answer "temporary error" by themselves meanwhile.
    async fn was_kept(&mut self, tried: &Mark) -> bool {
        loop {
            self.pulse.beat();
            match super::start::store::mark(self.seat.db(), tried.epoch).await {
                Ok(known) => {
                    let kept = known.commits == tried.commits;
                    self.mark = known;
                    return kept;
                }
                Err(_) if self.work.is_closed() => return false,
                Err(error) => {
                    self.board.down(&error);
                    if !std::mem::replace(&mut self.failing, true) {
                        error!(%error, "Ledger cannot be asked whether it kept a commit; nothing is stored until it can");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Whether anything of a group was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// All of it.
    All,
    /// Nothing, because the database cannot be used now.
    Nothing,
    /// Nothing, because of what stands in the rows.
    Refused,
}

/// A ticket is claimed before the transaction begins: a message whose line has already answered "temporary error" is
/// left out, because the SMSC will bring it again.
fn claim(entry: &Entry) -> Fate {
    match entry.ticket() {
        Some(ticket) if !ticket.claim() => Fate::GivenUp,
        Some(_) | None => Fate::Stored,
    }
}
