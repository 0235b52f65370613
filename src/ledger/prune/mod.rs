//! Removal of what is old and done with. Rows go from the front of an epoch, in small transactions, and with them goes a
//! mark to where the audit chain goes on. An exchange goes only when its records stand in published billing files and
//! its reply waits no more; a settlement only after its exchange.
//!
//! That a reply's record is published cannot be asked of its exchange: nothing on the path has an index for it. It
//! follows from two looks, in this order: which replies wait, and which exchanges are named by settlements that no
//! published file claims. What neither names was settled before the first look, and is published.

mod steps;
pub(in crate::ledger) mod store;

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use super::{Keys, LedgerError, read, row::CHAIN_START, seal::Token};
use crate::{
    clock::Micros,
    db::{Db, Seat},
    message::RowKey,
};
use read::store::RecordKind;
use store::{Aged, MarkRow};

/// Rows that go in one transaction: a few milliseconds, for which the ledger's writer waits at most.
pub const BATCH: i64 = 1_000;

/// What is older than these moments goes; none: it is kept for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ages {
    /// Exchanges, settlements, ended starts.
    pub exchanges: Option<Micros>,
    /// Messages that were sent again.
    pub repeats: Option<Micros>,
    /// Messages put aside.
    pub quarantined: Option<Micros>,
    /// Ended sessions.
    pub breaks: Option<Micros>,
}

/// Whose records are numbered together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The carrier.
    pub carrier: String,
    /// `P` or `T`.
    pub stream: String,
}

/// Up to which n the rows of each epoch stand in published billing files.
#[derive(Clone, Debug, Default)]
pub struct Published(HashMap<Pair, HashMap<(i64, &'static str), i64>>);

impl Published {
    /// Files of this pair hold the epoch's rows of a kind up to `hi`.
    pub fn add(&mut self, pair: Pair, epoch: i64, kind: RecordKind, hi: i64) {
        let known = self.0.entry(pair).or_default().entry((epoch, kind.as_str())).or_default();
        *known = hi.max(*known);
    }

    fn up_to(&self, pair: &Pair, epoch: i64, kind: RecordKind) -> i64 {
        self.0.get(pair).and_then(|known| known.get(&(epoch, kind.as_str()))).copied().unwrap_or(0)
    }
}

/// How far an epoch was pruned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Mark {
    pub(in crate::ledger) exchange_n: i64,
    pub(in crate::ledger) exchanges: i64,
    pub(in crate::ledger) audit_hash: [u8; 32],
    pub(in crate::ledger) settlement_n: i64,
    pub(in crate::ledger) settlements: i64,
}

impl Default for Mark {
    fn default() -> Self {
        Self { exchange_n: 0, exchanges: 0, audit_hash: CHAIN_START, settlement_n: 0, settlements: 0 }
    }
}

impl Mark {
    /// Reads a row; none when its seal is not ours.
    pub(in crate::ledger) fn read(row: &MarkRow, keys: &Keys) -> Option<Self> {
        let mark = Self {
            exchange_n: row.exchange_n,
            exchanges: row.exchanges,
            audit_hash: row.audit_hash.as_slice().try_into().ok()?,
            settlement_n: row.settlement_n,
            settlements: row.settlements,
        };
        (mark.seal(row.epoch, keys)[..] == row.seal[..]).then_some(mark)
    }

    fn seal(&self, epoch: i64, keys: &Keys) -> Token {
        let numbers = [epoch, self.exchange_n, self.exchanges, self.settlement_n, self.settlements];
        let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        keys.token(b"pruned", &[&numbers, &self.audit_hash])
    }
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Removed {
    /// Questions with their audit entries.
    pub exchanges: u64,
    /// What became of replies, and receipts.
    pub settlements: u64,
    /// Messages that were sent again.
    pub repeats: u64,
    /// Messages put aside.
    pub quarantined: u64,
    /// Ended sessions.
    pub breaks: u64,
    /// Ended starts.
    pub starts: u64,
    /// What is old enough and stays, and why.
    pub held: BTreeSet<String>,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} questions, {} settlements and receipts, {} repeats, {} messages put aside, {} ended sessions, {} ended starts",
            self.exchanges, self.settlements, self.repeats, self.quarantined, self.breaks, self.starts
        )
    }
}

/// Why nothing more is removed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The store.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Another process removes at the same time.
    #[error("another process removes the old from this store at this moment; let it")]
    Elsewhere,
    /// The mark of an epoch was not written by this service with these keys.
    #[error(
        "the mark to where start {epoch} was pruned was not made with these keys: was it changed by hand? Nothing was removed"
    )]
    Mark {
        /// The start.
        epoch: i64,
    },
}

impl From<crate::db::DbError> for PruneError {
    fn from(error: crate::db::DbError) -> Self {
        Self::Ledger(error.into())
    }
}

/// What is looked through, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Exchanges,
    Settlements,
    Repeats,
    Quarantine,
    Breaks,
    Starts,
    Done,
}

/// One run over the store, batch by batch.
pub struct Pruner {
    seat: Seat,
    keys: Arc<Keys>,
    ages: Ages,
    published: Published,
    now: Micros,
    batch: i64,
    dry: bool,
    epochs: Vec<i64>,
    marks: HashMap<i64, Mark>,
    /// The first reply of each epoch that waits.
    waiting: HashMap<i64, (i64, String)>,
    /// The first exchange of each epoch whose reply's record is in no published file.
    unpublished: HashMap<Pair, HashMap<i64, i64>>,
    stage: Stage,
    place: usize,
    cursor: Option<RowKey>,
    removed: Removed,
}

impl Pruner {
    /// Begins a run. `dry` removes nothing. What is published after `published` was read stays for the next run.
    ///
    /// # Errors
    /// [`PruneError`]; nothing was removed.
    pub async fn begin(
        db: &Db,
        keys: Arc<Keys>,
        ages: Ages,
        published: Published,
        now: Micros,
        (batch, dry): (i64, bool),
    ) -> Result<Self, PruneError> {
        let mut marks = HashMap::new();
        for row in store::marks(db).await? {
            let mark = Mark::read(&row, &keys).ok_or(PruneError::Mark { epoch: row.epoch })?;
            marks.insert(row.epoch, mark);
        }
        let epochs = store::epochs(db).await?;
        let mut waiting = HashMap::new();
        for epoch in &epochs {
            waiting.extend(store::first_waiting(db, *epoch).await?.map(|first| (*epoch, first)));
        }
        let seat = Seat::new(db.clone());
        let (unpublished, removed) = (HashMap::new(), Removed::default());
        let (stage, place, cursor) = (Stage::Exchanges, 0, None);
        Ok(Self {
            seat,
            keys,
            ages,
            published,
            now,
            batch,
            dry,
            epochs,
            marks,
            waiting,
            unpublished,
            stage,
            place,
            cursor,
            removed,
        })
    }

    /// What was removed so far.
    pub fn removed(&self) -> &Removed {
        &self.removed
    }

    /// Removes the next batch: one transaction. `false` when there is no more.
    ///
    /// # Errors
    /// [`PruneError`]; what this call would have removed stays, and a new run goes on from there.
    pub async fn next(&mut self) -> Result<bool, PruneError> {
        let done = self.step().await;
        if done.is_ok() {
            // Without a service beside it nobody else keeps a SQLite file's log short.
            self.seat.tidy(usize::MAX).await?;
        }
        // Kept for one transaction alone: others that seldom write have but this one connection.
        self.seat.leave();
        done
    }

    async fn step(&mut self) -> Result<bool, PruneError> {
        loop {
            let Ages { exchanges, repeats, quarantined, breaks } = self.ages;
            let (before, next) = match self.stage {
                Stage::Exchanges => (exchanges, Stage::Settlements),
                Stage::Settlements => (exchanges, Stage::Repeats),
                Stage::Repeats => (repeats, Stage::Quarantine),
                Stage::Quarantine => (quarantined, Stage::Breaks),
                Stage::Breaks => (breaks, Stage::Starts),
                Stage::Starts => (exchanges, Stage::Done),
                Stage::Done => return Ok(false),
            };
            if let Some(gone) = self.batch(before).await? {
                *self.count() += gone;
                return Ok(true);
            }
            let by_epoch = before.is_some() && !matches!(self.stage, Stage::Breaks | Stage::Starts);
            let more = by_epoch && self.place + 1 < self.epochs.len();
            (self.stage, self.place) = if more { (self.stage, self.place + 1) } else { (next, 0) };
            self.cursor = None;
        }
    }

    /// One batch of the stage, of the epoch that is its turn.
    async fn batch(&mut self, before: Option<Micros>) -> Result<Option<u64>, PruneError> {
        let Some((before, epoch)) = before.zip(self.epochs.get(self.place).copied()) else { return Ok(None) };
        match self.stage {
            Stage::Exchanges => self.exchanges(epoch, before).await,
            Stage::Settlements => self.settlements(epoch, before).await,
            Stage::Repeats => self.aged(Aged::Repeat, epoch, before).await,
            Stage::Quarantine => self.aged(Aged::Quarantine, epoch, before).await,
            Stage::Breaks => self.breaks(before).await,
            Stage::Starts => self.starts(before).await,
            Stage::Done => Ok(None),
        }
    }

    fn count(&mut self) -> &mut u64 {
        match self.stage {
            Stage::Exchanges => &mut self.removed.exchanges,
            Stage::Settlements => &mut self.removed.settlements,
            Stage::Repeats => &mut self.removed.repeats,
            Stage::Quarantine => &mut self.removed.quarantined,
            Stage::Breaks => &mut self.removed.breaks,
            Stage::Starts | Stage::Done => &mut self.removed.starts,
        }
    }
}
