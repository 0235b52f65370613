//! The ledger: exchange, reply, billing and audit parts, settlements; their keys, the one writer, epochs. Sole owner of
//! that SQL.
//!
//! Law 1 is kept here: whatever an acknowledged PDU meant is committed, on disk, before [`Fate::Stored`] comes back.

mod asked;
mod chain;
mod heirs;
mod left;
mod prune;
mod quarantine;
pub mod read;
mod receipts;
mod row;
mod seal;
mod settling;
mod start;
mod store;
mod writer;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use rand::TryRngCore as _;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

pub use asked::{Doubt, FirstCopy, Unheard};
pub use chain::{ChainReport, verify_chain};
pub use heirs::{Look, Sign, Succession, Taken, Watch};
pub use left::Waiting;
pub use prune::{Ages, BATCH, Pair, PruneError, Pruner, Published, Removed};
pub(crate) use receipts::receipt_key;
pub use row::{
    Entry, ExchangeRow, FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, Fate, OutboxRow, PartRow, QuarantineRow, ReplyMeasure,
    SettlementResult, SettlementRow,
};
pub use seal::{EpochKeys, Keys, SealError, TOKEN, Table, Token, contract_token, hex};
pub use start::{Break, Ended, OpenPart, Recent, try_keys};
use store::Beside;
pub use writer::{Writer, WriterEnd};

use crate::{
    board::Pulse,
    clock::{Clock, Micros},
    config::ReceiptRules,
    db::{Db, DbError, Seat, migrate, step},
    message::{CarrierId, Lease, ReceiptTlvs, RowKey},
};

/// Groups that may wait for the writer. Whoever hands over more waits itself (law 6).
const WAITING_GROUPS: usize = 16;

/// Messages of another instance that a start notes for it at most.
const NOTED: usize = 500_000;

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The keys, or a value sealed with them.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The ledger of this process: allots keys, seals, hands over to the writer, reads what a start needs.
pub struct Ledger {
    db: Db,
    keys: Arc<Keys>,
    instance: String,
    lease: Arc<Lease>,
    epoch: i64,
    seal: EpochKeys,
    opened: Mutex<HashMap<i64, EpochKeys>>,
    next: AtomicI64,
    work: mpsc::Sender<writer::Work>,
    ended: Vec<Ended>,
    doubts: Arc<asked::Doubts>,
}

/// Octets from the operating system, for keys and salts.
///
/// # Errors
/// [`SealError::KeyFile`] when the system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut octets = [0; N];
    let drawn = rand::rngs::OsRng.try_fill_bytes(&mut octets);
    drawn.map_err(|error| SealError::KeyFile {
        path: "the system's random source".to_owned(),
        why: error.to_string(),
    })?;
    Ok(octets)
}

impl Ledger {
    /// Makes the store durable as it is, brings the schema up to date, tries the keys, takes the next epoch, and gives the handle and the writer that must be run.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was changed but the schema.
    pub async fn open(
        db: Db,
        keys: Arc<Keys>,
        instance: &str,
        clock: Clock,
    ) -> Result<(Arc<Self>, Writer), LedgerError> {
        step::whole(Box::pin(db.make_durable())).await?;
        step::whole(Box::pin(migrate::run(&db, &store::migrations()))).await?;
        try_keys(&db, &keys).await?;
        let salt: [u8; 16] = random()?;
        let seal = keys.epoch(keys.current(), &salt)?;
        let lease = Arc::new(Lease::since(Instant::now().into_std()));
        let taking = start::store::take_epoch(&db, instance, &salt, keys.current(), clock.now());
        let (mark, ended) = step::whole(Box::pin(taking)).await?;
        let noting = asked::store::note_others(&db, mark.epoch, clock.now(), NOTED);
        step::whole(Box::pin(noting)).await?;
        let (sender, receiver) = mpsc::channel(WAITING_GROUPS);
        let doubts = Arc::new(asked::Doubts::default());
        let ledger = Self {
            db: db.clone(),
            keys: Arc::clone(&keys),
            instance: instance.to_owned(),
            lease: Arc::clone(&lease),
            epoch: mark.epoch,
            seal,
            opened: Mutex::default(),
            next: AtomicI64::new(1),
            work: sender,
            ended,
            doubts: Arc::clone(&doubts),
        };
        let breaks = VecDeque::new();
        let beside = Beside {
            keys,
            receipts: receipts::Memory::default(),
            quarantined: store::QUARANTINE_SLACK,
            others_ran: None,
            unheard: Vec::new(),
            doubts,
        };
        Ok((
            Arc::new(ledger),
            Writer {
                seat: Seat::new(db),
                mark,
                clock,
                work: receiver,
                breaks,
                failing: false,
                unmerged: false,
                beside,
                pulse: Pulse::default(),
                board: Arc::default(),
                lease,
            },
        ))
    }

    /// The next key for an exchange, a part or a repeat. Entries must be handed over in the order of their keys.
    pub fn next_key(&self) -> RowKey {
        RowKey::new(self.epoch, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The number of this start.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// For how long this process may act for its instance.
    pub fn lease(&self) -> &Arc<Lease> {
        &self.lease
    }

    /// The keyed tokens.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Seals the value of a row of this epoch. Once for a row and table.
    pub fn seal(&self, table: Table, row: RowKey, value: &[u8]) -> Vec<u8> {
        self.seal.seal(table, row, value)
    }

    /// Which of these receipts, that came without their mark, are receipts: their id is ours, and their source is whom that
    /// reply went to. What a citizen typed is not. One look-up for all of them.
    ///
    /// # Errors
    /// [`LedgerError`]: nobody knows, so the messages must come again.
    pub async fn names_replies(
        &self,
        carrier: &CarrierId,
        rules: &ReceiptRules,
        receipts: &[(&ReceiptTlvs, Micros)],
    ) -> Result<Vec<bool>, LedgerError> {
        Ok(receipts::names_replies(&self.db, &self.keys, (carrier, rules), receipts).await?)
    }

    /// Hands entries over; their fates come when they are on disk, or are known not to be. Waits while the writer is
    /// behind. A dropped receiver loses nothing but the news.
    pub async fn hand_over(&self, entries: Vec<Entry>) -> oneshot::Receiver<Vec<Fate>> {
        let (sender, receiver) = oneshot::channel();
        // A closed channel drops the sender: the receiver then sees the end, which means "failed".
        let _ = self.work.send(writer::Work::Group(entries, sender)).await;
        receiver
    }

    /// Hands entries over and waits for their fates; all `Failed` when the writer is gone.
    pub async fn store(&self, entries: Vec<Entry>) -> Vec<Fate> {
        let count = entries.len();
        self.hand_over(entries).await.await.unwrap_or_else(|_| vec![Fate::Failed; count])
    }

    /// Notes that a session with a carrier ended, for recognising what its SMSC sends again after our next start. To be
    /// called once everything read from that session has its key: what is committed only after the break counts, too.
    pub async fn note_break(&self, carrier: CarrierId, at: Micros) {
        let high = RowKey::new(self.epoch, self.next.load(Ordering::Relaxed) - 1);
        let _ = self.work.send(writer::Work::Break(writer::LostSession { carrier, at, high })).await;
    }

    /// How many processes write this ledger now, this one included.
    ///
    /// # Errors
    /// [`LedgerError`]; the call may be repeated.
    pub async fn live_instances(&self, now: Micros) -> Result<u32, LedgerError> {
        let count = read::store::live_writers(&self.db, now).await?;
        Ok(u32::try_from(count).unwrap_or(1).max(1))
    }

    /// The earlier epochs of this instance.
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// Exchanges committed within `margin_seconds` before a session break that lies after `since`: their SMSC may not
    /// have got the answer and may send them again. At most `limit`.
    ///
    /// # Errors
    /// [`LedgerError`]; a start must not go on without them.
    pub async fn may_come_again(
        &self,
        since: Micros,
        margin_seconds: i64,
        limit: usize,
    ) -> Result<Vec<Recent>, LedgerError> {
        let breaks = self.breaks(since).await?;
        let mut found: HashMap<RowKey, Recent> = HashMap::new();
        for lost in breaks.iter().rev() {
            let room = limit.saturating_sub(found.len());
            let recent = start::store::recent(&self.db, lost.high, lost.at.plus_seconds(-margin_seconds), room).await?;
            let own = |one: &Recent| lost.carrier.as_ref().is_none_or(|carrier| *carrier == one.carrier);
            found.extend(recent.into_iter().filter(own).map(|one| (one.key, one)));
        }
        Ok(found.into_values().collect())
    }

    /// Session breaks since a moment, our own ends, and those of other instances.
    ///
    /// # Errors
    /// [`LedgerError`]; a start must not go on without them.
    pub async fn breaks(&self, since: Micros) -> Result<Vec<Break>, LedgerError> {
        let mut breaks = start::store::breaks(&self.db, since).await?;
        breaks.extend(self.ended.iter().filter(|ended| ended.last_seen >= since).map(|ended| Break {
            carrier: None,
            at: ended.last_seen,
            high: RowKey::new(ended.epoch, ended.exchange_high),
        }));
        let others = asked::store::breaks_of_others(&self.db, &self.instance, since).await?;
        breaks.extend(others.into_iter().filter(|lost| lost.carrier.is_none()));
        Ok(breaks)
    }

    /// Opens a sealed value of any epoch.
    ///
    /// # Errors
    /// [`SealError`] when the key is missing or the value damaged; [`DbError`] when the epoch cannot be read.
    pub async fn unseal(
        &self,
        table: Table,
        row: RowKey,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, LedgerError> {
        if row.epoch() == self.epoch {
            return Ok(self.seal.open(table, row, sealed)?);
        }
        let known = |opened: &Mutex<HashMap<i64, EpochKeys>>| {
            opened.lock().unwrap_or_else(PoisonError::into_inner).get(&row.epoch()).cloned()
        };
        if known(&self.opened).is_none() {
            let keys = read::epoch_keys(&self.db, &self.keys).await?;
            *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        let keys = known(&self.opened).ok_or(SealError::UnknownEpoch(row.epoch()))?;
        Ok(keys.open(table, row, sealed)?)
    }
}
