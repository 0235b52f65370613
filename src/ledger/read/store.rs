//! The SQL of reading the ledger for billing and accounting.

use sqlx::FromRow;

use crate::{
    clock::Micros,
    db::{Db, DbError, Tx, in_tx, reading},
    message::{CarrierId, RowKey, Stream},
};

/// How far an epoch has got: everything up to its high-water marks is committed, and nothing will be added below them.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct HighWater {
    /// The epoch.
    pub epoch: i64,
    /// n of its last exchange.
    pub exchange_high: i64,
    /// n of its last settlement.
    pub settlement_high: i64,
}

/// The high-water marks of all epochs, in order.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn high_water(db: &Db) -> Result<Vec<HighWater>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select epoch, exchange_high, settlement_high from writer order by epoch",
    ).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// How many processes write this ledger now: those whose epoch has not ended and whose lease has not run out.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn live_writers(db: &Db, now: Micros) -> Result<i64, DbError> {
    let count = reading!(db, pool => sqlx::query_scalar(
        "select count(*) from writer where ended_at is null and lease_until > $1",
    ).bind(now.0).fetch_one(pool).await);
    count.map_err(|error| db.fault(&error))
}

/// The same inside a transaction, for whoever claims what they cover.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn high_water_in(tx: &mut Tx<'_>) -> Result<Vec<HighWater>, DbError> {
    let rows = in_tx!(&mut *tx, conn => sqlx::query_as(
        "select epoch, exchange_high, settlement_high from writer order by epoch",
    ).fetch_all(conn).await);
    rows.map_err(|error| tx.fault(&error))
}

/// The two kinds of billing records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A question: an exchange.
    Mo,
    /// A reply: a closing settlement.
    Mt,
}

impl RecordKind {
    /// The word in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mo => "MO",
            Self::Mt => "MT",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Mo, Self::Mt].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Rows of one kind, carrier and stream with `lo < key <= hi`.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// Which rows.
    pub kind: RecordKind,
    /// Whose.
    pub carrier: &'a CarrierId,
    /// Chargeable or test.
    pub stream: Stream,
    /// Behind this key.
    pub lo: RowKey,
    /// Up to this one.
    pub hi: RowKey,
}

impl<'a> Span<'a> {
    /// All rows of a kind, carrier and stream.
    pub fn all(kind: RecordKind, carrier: &'a CarrierId, stream: Stream) -> Self {
        Self { kind, carrier, stream, lo: RowKey(0), hi: RowKey(i64::MAX) }
    }
}

/// How many rows a span has, and the key of the first whose event lies at or after `end`. The event of a question is its
/// arrival, that of a reply its first sending (or, never sent, when it was given up).
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn extent(tx: &mut Tx<'_>, span: Span<'_>, end: Micros) -> Result<(i64, Option<RowKey>), DbError> {
    let text = match span.kind {
        RecordKind::Mo => {
            "select count(*), min(case when received_at >= $5 then key end) from exchange
             where key > $1 and key <= $2 and carrier = $3 and stream = $4"
        }
        RecordKind::Mt => {
            "select count(*), min(case when coalesce(submitted_at, settled_at) >= $5 then key end) from settlement
             where key > $1 and key <= $2 and carrier = $3 and stream = $4 and closes = 1"
        }
    };
    let row: Result<(i64, Option<i64>), sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(text)
        .bind(span.lo.0).bind(span.hi.0).bind(span.carrier.as_str()).bind(span.stream.letter()).bind(end.0)
        .fetch_one(conn).await);
    row.map(|(count, beyond)| (count, beyond.map(RowKey))).map_err(|error| tx.fault(&error))
}

/// When the event of a span's first row was; none when the span has no rows.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn first_event(tx: &mut Tx<'_>, span: Span<'_>) -> Result<Option<Micros>, DbError> {
    let text = match span.kind {
        RecordKind::Mo => {
            "select received_at from exchange
             where key > $1 and key <= $2 and carrier = $3 and stream = $4 order by key limit 1"
        }
        RecordKind::Mt => {
            "select coalesce(submitted_at, settled_at) from settlement
             where key > $1 and key <= $2 and carrier = $3 and stream = $4 and closes = 1 order by key limit 1"
        }
    };
    let row: Result<Option<(i64,)>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(text)
        .bind(span.lo.0).bind(span.hi.0).bind(span.carrier.as_str()).bind(span.stream.letter())
        .fetch_optional(conn).await);
    row.map(|row| row.map(|(at,)| Micros(at))).map_err(|error| tx.fault(&error))
}

/// What an MO record is made of.
#[derive(Clone, Debug, FromRow)]
pub struct MoRow {
    /// The exchange's key.
    pub key: i64,
    /// When its first part arrived, UTC microseconds.
    pub received_at: i64,
    /// Which line, from 0.
    pub line: i64,
    /// The code texted to.
    pub short_code: String,
    /// [`crate::message::Outcome::code`].
    pub outcome: i64,
    /// [`crate::message::Service::code`].
    pub service: i64,
    /// Physical messages.
    pub parts: i64,
    /// The parts' reference.
    pub concat_ref: Option<i64>,
    /// data_coding.
    pub data_coding: i64,
    /// Characters.
    pub chars: i64,
    /// [`crate::message::ChargeClass::code`].
    pub charge_class: i64,
    /// The sender's number, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// What an MT record is made of: the closing settlement and the exchange it belongs to.
#[derive(Clone, Debug, FromRow)]
pub struct MtRow {
    /// The settlement's key.
    pub key: i64,
    /// The exchange's key.
    pub exchange_key: i64,
    /// When the question arrived, UTC microseconds.
    pub received_at: i64,
    /// The line the reply left by, from 0.
    pub line: Option<i64>,
    /// The code texted to.
    pub short_code: String,
    /// [`crate::message::Service::code`].
    pub service: i64,
    /// data_coding of the reply.
    pub reply_coding: Option<i64>,
    /// Characters of the reply.
    pub reply_chars: Option<i64>,
    /// The sender's number, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When its first segment was first sent.
    pub submitted_at: Option<i64>,
    /// When it was settled.
    pub settled_at: i64,
    /// [`crate::ledger::SettlementResult::as_str`].
    pub result: String,
    /// Segments planned.
    pub seg_planned: i64,
    /// Segments taken.
    pub seg_accepted: i64,
    /// The last command_status that was no success.
    pub status: Option<i64>,
    /// Message ids as received, joined by `;`.
    pub message_ids: Option<String>,
    /// [`crate::ledger::FLAG_POSSIBLE_DUP`] and its like.
    pub flags: i64,
}

/// MO records of a span (its `kind` is not looked at), in order of key, at most `limit`.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn mo_rows(db: &Db, span: Span<'_>, limit: i64) -> Result<Vec<MoRow>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, received_at, line, short_code, outcome, service, parts, concat_ref, data_coding, chars,
                charge_class, sealed
         from exchange where key > $1 and key <= $2 and carrier = $3 and stream = $4 order by key limit $5",
    )
    .bind(span.lo.0).bind(span.hi.0).bind(span.carrier.as_str()).bind(span.stream.letter()).bind(limit)
    .fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// MT records of a span (its `kind` is not looked at), in order of the settlements' keys, at most `limit`.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn mt_rows(db: &Db, span: Span<'_>, limit: i64) -> Result<Vec<MtRow>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select s.key, s.exchange_key, e.received_at, s.line, e.short_code, e.service, e.reply_coding, e.reply_chars,
                e.sealed, s.submitted_at, s.settled_at, s.result, s.seg_planned, s.seg_accepted, s.status, s.message_ids,
                s.flags
         from settlement s join exchange e on e.key = s.exchange_key
         where s.key > $1 and s.key <= $2 and s.carrier = $3 and s.stream = $4 and s.closes = 1
         order by s.key limit $5",
    )
    .bind(span.lo.0).bind(span.hi.0).bind(span.carrier.as_str()).bind(span.stream.letter()).bind(limit)
    .fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The store's balance: counts that must agree (the invariants of the service).
#[derive(Clone, Debug, FromRow, PartialEq, Eq, serde::Serialize)]
pub struct Balance {
    /// Exchanges: one MO record each.
    pub exchanges: i64,
    /// Exchanges with a reply.
    pub with_reply: i64,
    /// Exchanges without one on purpose.
    pub silences: i64,
    /// Replies whose billing record is closed.
    pub settled: i64,
    /// Replies that are still to be sent or answered.
    pub waiting: i64,
    /// Closing settlements beyond one a reply; must be 0.
    pub doubled: i64,
    /// Replies with neither a closing settlement nor a waiting row; must be 0.
    pub lost: i64,
    /// Parts whose text is not whole.
    pub parts: i64,
    /// Messages sent again and recognised.
    pub repeats: i64,
    /// Settled replies that may have been sent twice.
    pub possible_dups: i64,
}

/// Counts the store. Reads whole tables: for demo, tests and inspection, not for the path.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn balance(db: &Db) -> Result<Balance, DbError> {
    let row = reading!(db, pool => sqlx::query_as(
        "select (select count(*) from exchange) as exchanges,
                (select count(*) from exchange where reply_segments > 0) as with_reply,
                (select count(*) from exchange where reply_segments = 0) as silences,
                (select count(distinct exchange_key) from settlement where closes = 1) as settled,
                (select count(*) from outbox) as waiting,
                (select count(*) - count(distinct exchange_key) from settlement where closes = 1) as doubled,
                (select count(*) from exchange e where reply_segments > 0
                    and not exists (select 1 from outbox o where o.key = e.key)
                    and e.key not in (select exchange_key from settlement where closes = 1)) as lost,
                (select count(*) from part) as parts,
                (select count(*) from repeat_question) as repeats,
                (select count(*) from settlement where closes = 1 and flags % 2 = 1) as possible_dups",
    ).fetch_one(pool).await);
    row.map_err(|error| db.fault(&error))
}
