//! The one place that writes the ledger: a group of entries in one transaction.

use std::sync::Arc;

use super::{
    asked::{self, Doubts, Unfit, Unheard},
    quarantine,
    receipts::{self, Heard, Memory, News},
    row::{Entry, ExchangeRow, Fate, OutboxRow, PartRow, QuarantineRow, SettlementRow},
    seal::Keys,
    settling::store::Settled,
    writer::{LostSession, Mark},
};
use crate::{
    clock::Micros,
    db::{Column, DbError, Insert, Seat, Tx, delete_keys, in_tx, migrate::Migrations, push_word},
    message::{CarrierId, RowKey},
};

static EXCHANGE: Insert = Insert::into(
    "exchange",
    &[
        "key",
        "received_at",
        "committed_at",
        "carrier",
        "stream",
        "line",
        "short_code",
        "sender_token",
        "subject_token",
        "key_token",
        "outcome",
        "reason",
        "service",
        "lang",
        "fields",
        "parts",
        "concat_ref",
        "data_coding",
        "chars",
        "charge_class",
        "fingerprints",
        "template_version",
        "reply_segments",
        "reply_coding",
        "reply_chars",
        "sealed",
        "audit_hash",
    ],
);
static OUTBOX: Insert = Insert::into("outbox", &["key", "carrier", "created_at", "expires_at", "sealed"]);
static PART: Insert = Insert::into(
    "part",
    &[
        "key",
        "received_at",
        "carrier",
        "line",
        "set_token",
        "part_index",
        "part_total",
        "concat_ref",
        "data_coding",
        "fingerprint",
        "sealed",
    ],
);
/// A mark that is set again stands already.
static SENDING: Insert = Insert::unless_there("sending", &["key"]);
/// The schema of the store.
pub(super) fn migrations() -> Migrations {
    Migrations { sqlite: sqlx::migrate!("migrations/sqlite"), postgres: sqlx::migrate!("migrations/postgres") }
}

/// Why a group was not stored.
#[derive(Debug)]
pub(super) enum CommitError {
    /// The transaction could not be begun: nothing was done.
    NotBegun(DbError),
    /// The database failed before the commit: nothing was kept.
    Db(DbError),
    /// The commit was asked for and its answer is an error: it may have been kept.
    Unsure(DbError),
    /// This epoch was ended by another process: nothing may be written any more.
    Fenced,
    /// Nothing was kept: these entries must be left out.
    Unfit(Unfit),
    /// Nothing was kept: other instances run, and must be told what is taken.
    Shared,
}

impl From<DbError> for CommitError {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// What the writer keeps in mind beside its mark.
pub(super) struct Beside {
    /// For the tokens of those whom receipts name.
    pub(super) keys: Arc<Keys>,
    /// What is known of the carriers' receipts.
    pub(super) receipts: Memory,
    /// Messages put aside since the oldest were let go; at a start nobody knows how many there are.
    pub(super) quarantined: usize,
    /// When other instances were last seen to run. What is taken is noted for them, and what they took looked at, for as long
    /// after as that stands: what one took that has just ended is heard of a moment later.
    pub(super) others_ran: Option<Micros>,
    /// Messages that their SMSC was told to send again although they are stored: others are told with the next commit.
    pub(super) unheard: Vec<Unheard>,
    /// Messages that others have taken of late.
    pub(super) doubts: Arc<Doubts>,
}

/// Messages put aside beyond what is kept, before the oldest are let go.
pub(super) const QUARANTINE_SLACK: usize = 100;

/// Stores entries in one transaction and moves the epoch's mark; on return all of it is on disk. `fates` has one place
/// an entry, `GivenUp`, `Orphan` or `Elsewhere` for those that must be skipped; the others become `Stored` or `Orphan`.
pub(super) async fn commit(
    seat: &mut Seat,
    entries: &[Entry],
    fates: &mut [Fate],
    breaks: &[LostSession],
    mark: &mut Mark,
    now: Micros,
    beside: &mut Beside,
) -> Result<Vec<(CarrierId, News)>, CommitError> {
    let mut tx = seat.begin().await.map_err(CommitError::NotBegun)?;
    let mut new = Gathered::default();
    for (entry, fate) in entries.iter().zip(fates.iter_mut()).filter(|(_, fate)| !fate.is_left_out()) {
        *fate = Fate::Stored;
        match entry {
            Entry::Exchange { row, outbox, consumes, .. } => {
                new.exchanges.push(row);
                new.outbox.extend(outbox);
                new.consumed.extend(consumes.iter().map(|key| key.0));
                new.used_up.extend((!consumes.is_empty()).then_some((
                    consumes.as_slice(),
                    row.fingerprints.as_slice(),
                    row.key,
                )));
            }
            Entry::Part { row, .. } => new.parts.push(row),
            Entry::Settlement(row) => new.settlements.push(row),
            Entry::Sending(key) => new.sending.push(key),
            Entry::Odd { row, .. } => new.odd.push(row),
            Entry::Receipt { carrier, stream, line, receipt, received_at, .. } => {
                let from = (carrier, *stream, *line);
                new.heard.push(Heard::new(&mut beside.receipts, &beside.keys, from, receipt, *received_at));
            }
            Entry::Repeat { .. } => {}
        }
    }
    let shared = beside.others_ran.is_some_and(|at| now.since(at) <= asked::store::STANDS_SECONDS * 1_000_000);
    if shared {
        let places = entries.iter().zip(fates.iter()).enumerate();
        let stored = places.filter(|(_, (_, fate))| **fate == Fate::Stored).map(|(place, (entry, _))| (place, entry));
        let unfit = asked::claim(&mut tx, &stored.collect::<Vec<_>>(), now).await?;
        if !unfit.is_empty() {
            return Err(CommitError::Unfit(unfit));
        }
    }
    insert_exchanges(&mut tx, &new.exchanges, mark, now).await?;
    insert_outbox(&mut tx, &new.outbox).await?;
    insert_parts(&mut tx, &new.parts).await?;
    let used = delete_keys(&mut tx, "part", &new.consumed).await?;
    if shared && used.len() < new.consumed.len() {
        return Err(CommitError::Unfit(without_parts(entries, fates, &used)));
    }
    if !shared {
        for (_, prints, exchange) in &new.used_up {
            asked::store::used_up(&mut tx, prints, *exchange).await?;
        }
    }
    SENDING.run(&mut tx, vec![ints(&new.sending, |key| Some(key.0))]).await?;
    let mut settled = Settled::default();
    settled.settle(&mut tx, &new.settlements, mark).await?;
    // Names first, so that a receipt in the same group finds its reply.
    let mut heard = receipts::keep(&mut tx, &new.settlements, &mut beside.receipts).await?;
    heard.append(&mut new.heard);
    let mut news = receipts::listen(&mut tx, heard, &mut settled, mark, &mut beside.receipts).await?;
    if beside.receipts.is_due(now) {
        news.extend(receipts::tend(&mut tx, &mut settled, mark, &mut beside.receipts, now).await?);
    }
    for (entry, fate) in entries.iter().zip(fates.iter_mut()).filter(|(_, fate)| **fate == Fate::Stored) {
        if let Entry::Repeat { key, of, carrier, received_at, .. } = entry {
            *fate = repeat(&mut tx, *key, *of, carrier, *received_at).await?;
        }
    }
    put_aside(&mut tx, &new.odd, &mut beside.quarantined).await?;
    settled.write(&mut tx).await?;
    let unheard: Vec<Unheard> = beside.unheard.iter().map(|message| new.is_now(message)).collect();
    asked::store::unheard(&mut tx, &unheard, now).await?;
    for lost in breaks {
        note_break(&mut tx, mark.epoch, lost).await?;
    }
    mark.commits += 1;
    if move_mark(&mut tx, mark, now).await? > 1 {
        beside.others_ran = Some(now);
        if !shared {
            return Err(CommitError::Shared);
        }
    }
    beside.doubts.is_shared(shared);
    tx.commit().await.map_err(CommitError::Unsure)?;
    Ok(news)
}

#[derive(Default)]
struct Gathered<'a> {
    exchanges: Vec<&'a ExchangeRow>,
    outbox: Vec<&'a OutboxRow>,
    parts: Vec<&'a PartRow>,
    consumed: Vec<i64>,
    /// The stored parts of a text, the fingerprints of all of them, and the exchange it is.
    used_up: Vec<(&'a [RowKey], &'a [u8], RowKey)>,
    sending: Vec<&'a RowKey>,
    settlements: Vec<&'a SettlementRow>,
    odd: Vec<&'a QuarantineRow>,
    heard: Vec<Heard>,
}

impl Gathered<'_> {
    /// The same message as the exchange that uses it up here, if one does.
    fn is_now(&self, message: &Unheard) -> Unheard {
        let user = self.used_up.iter().find(|(parts, ..)| parts.contains(&message.key));
        user.map_or(*message, |(.., exchange)| Unheard { key: *exchange, of: *exchange, ..*message })
    }
}

async fn put_aside(tx: &mut Tx<'_>, rows: &[&QuarantineRow], since: &mut usize) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    quarantine::store::add(tx, rows).await?;
    *since += rows.len();
    if *since >= QUARANTINE_SLACK {
        quarantine::store::prune(tx, quarantine::store::KEPT).await?;
        *since = 0;
    }
    Ok(())
}

/// Integers of one column.
fn ints<'a, T>(rows: &'a [&'a T], of: impl Fn(&'a T) -> Option<i64>) -> Column {
    Column::Int(rows.iter().map(|row| of(row)).collect())
}

fn texts<'a, T>(rows: &'a [&'a T], of: impl Fn(&'a T) -> &'a str) -> Column {
    let mut words = Vec::with_capacity(rows.len());
    for row in rows {
        push_word(&mut words, Some(of(row)));
    }
    Column::Word(words)
}

fn octets<'a, T>(rows: &'a [&'a T], of: impl Fn(&'a T) -> Option<&'a [u8]>) -> Column {
    Column::Bytes(rows.iter().map(|row| of(row).map(<[u8]>::to_vec)).collect())
}

async fn insert_exchanges(tx: &mut Tx<'_>, rows: &[&ExchangeRow], mark: &mut Mark, now: Micros) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut hashes = Vec::with_capacity(rows.len());
    for row in rows {
        mark.audit_head = row.chain(&mark.audit_head);
        mark.exchange_high = mark.exchange_high.max(row.key.n());
        hashes.push(Some(mark.audit_head.to_vec()));
    }
    let columns = vec![
        ints(rows, |row| Some(row.key.0)),
        ints(rows, |row| Some(row.received_at.0)),
        ints(rows, |_| Some(now.0)),
        texts(rows, |row| row.carrier.as_str()),
        texts(rows, |row| row.stream.letter()),
        ints(rows, |row| Some(row.line.into())),
        texts(rows, |row| &row.short_code),
        octets(rows, |row| row.sender_token.as_ref().map(<[u8; 16]>::as_slice)),
        octets(rows, |row| row.subject_token.as_ref().map(<[u8; 16]>::as_slice)),
        octets(rows, |row| row.key_token.as_ref().map(<[u8; 16]>::as_slice)),
        ints(rows, |row| Some(row.outcome.code().into())),
        ints(rows, |row| Some(row.reason.code().into())),
        ints(rows, |row| Some(row.service.code().into())),
        texts(rows, |row| row.lang.code()),
        ints(rows, |row| Some(row.fields.into())),
        ints(rows, |row| Some(row.parts.into())),
        ints(rows, |row| row.concat_ref.map(i64::from)),
        ints(rows, |row| Some(row.data_coding.into())),
        ints(rows, |row| Some(row.chars.into())),
        ints(rows, |row| Some(row.charge_class.code().into())),
        octets(rows, |row| Some(&row.fingerprints)),
        ints(rows, |row| row.reply.map(|reply| reply.template_version)),
        ints(rows, |row| Some(row.reply.map_or(0, |reply| reply.segments.into()))),
        ints(rows, |row| row.reply.map(|reply| reply.data_coding.into())),
        ints(rows, |row| row.reply.map(|reply| reply.chars.into())),
        octets(rows, |row| row.sealed.as_deref()),
        Column::Bytes(hashes),
    ];
    EXCHANGE.run(tx, columns).await
}

async fn insert_outbox(tx: &mut Tx<'_>, rows: &[&OutboxRow]) -> Result<(), DbError> {
    let columns = vec![
        ints(rows, |row| Some(row.key.0)),
        texts(rows, |row| row.carrier.as_str()),
        ints(rows, |row| Some(row.created_at.0)),
        ints(rows, |row| Some(row.expires_at.0)),
        octets(rows, |row| Some(&row.sealed)),
    ];
    OUTBOX.run(tx, columns).await
}

async fn insert_parts(tx: &mut Tx<'_>, rows: &[&PartRow]) -> Result<(), DbError> {
    let columns = vec![
        ints(rows, |row| Some(row.key.0)),
        ints(rows, |row| Some(row.received_at.0)),
        texts(rows, |row| row.carrier.as_str()),
        ints(rows, |row| Some(row.line.into())),
        octets(rows, |row| Some(&row.set_token)),
        ints(rows, |row| Some(row.index.into())),
        ints(rows, |row| Some(row.total.into())),
        ints(rows, |row| Some(row.reference.into())),
        ints(rows, |row| Some(row.data_coding.into())),
        octets(rows, |row| Some(&row.fingerprint)),
        octets(rows, |row| Some(&row.sealed)),
    ];
    PART.run(tx, columns).await
}

async fn repeat(tx: &mut Tx<'_>, key: RowKey, of: RowKey, carrier: &CarrierId, at: Micros) -> Result<Fate, DbError> {
    let done = in_tx!(&mut *tx, conn => sqlx::query(
        "insert into repeat_question (key, of_key, carrier, received_at)
         select cast($1 as bigint), cast($2 as bigint), cast($3 as text), cast($4 as bigint)
         where exists (select 1 from exchange where key = $2) or exists (select 1 from part where key = $2)",
    ).bind(key.0).bind(of.0).bind(carrier.as_str()).bind(at.0).execute(conn).await.map(|done| done.rows_affected()));
    let rows = done.map_err(|error| tx.fault(&error))?;
    Ok(if rows == 1 { Fate::Stored } else { Fate::Orphan })
}

/// Moves this epoch's mark. Gives how many starts have not ended: one that begins is waited for, and counts.
async fn move_mark(tx: &mut Tx<'_>, mark: &Mark, now: Micros) -> Result<i64, CommitError> {
    let moved: Result<Option<(i64,)>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(
        "update writer set exchange_high = $1, settlement_high = $2, committed_at = $3, lease_until = $4, audit_head = $5,
                commits = $6 where epoch = $7 and ended_at is null
         returning (select count(*) from writer where ended_at is null)",
    )
    .bind(mark.exchange_high)
    .bind(mark.settlement_high)
    .bind(now.0)
    .bind(now.plus_seconds(Mark::LEASE_SECONDS).0)
    .bind(mark.audit_head.as_slice())
    .bind(mark.commits)
    .bind(mark.epoch)
    .fetch_optional(conn)
    .await);
    moved.map_err(|error| tx.fault(&error))?.map(|(live,)| live).ok_or(CommitError::Fenced)
}

/// Exchanges whose parts another instance has used up.
fn without_parts(entries: &[Entry], fates: &[Fate], used: &[i64]) -> Unfit {
    let mut unfit = Unfit::default();
    for (place, (entry, _)) in entries.iter().zip(fates).enumerate().filter(|(_, (_, fate))| **fate == Fate::Stored) {
        if let Entry::Exchange { consumes, .. } = entry
            && consumes.iter().any(|key| !used.contains(&key.0))
        {
            unfit.fates.push((place, Fate::Orphan));
        }
    }
    unfit
}

async fn note_break(tx: &mut Tx<'_>, epoch: i64, lost: &LostSession) -> Result<(), DbError> {
    let done = in_tx!(&mut *tx, conn => sqlx::query(
        "insert into session_break (epoch, carrier, at, high_key) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(epoch)
    .bind(lost.carrier.as_str())
    .bind(lost.at.0)
    .bind(lost.high.0)
    .execute(conn)
    .await
    .map(|_| ()));
    done.map_err(|error| tx.fault(&error))
}
