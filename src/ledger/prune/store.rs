//! The SQL of removing the old. Every statement goes by key from the front of an epoch: none reads what stays.

use sqlx::{AssertSqlSafe, FromRow};

use super::{Mark, Pair};
use crate::{
    db::{Db, DbError, Seat, Tx, in_tx, reading},
    message::RowKey,
};

/// A row of `pruned`.
#[derive(Clone, Debug, FromRow)]
pub(in crate::ledger) struct MarkRow {
    pub(in crate::ledger) epoch: i64,
    pub(in crate::ledger) exchange_n: i64,
    pub(in crate::ledger) exchanges: i64,
    pub(in crate::ledger) audit_hash: Vec<u8>,
    pub(in crate::ledger) settlement_n: i64,
    pub(in crate::ledger) settlements: i64,
    pub(in crate::ledger) seal: Vec<u8>,
}

/// How far each epoch was pruned before.
pub(in crate::ledger) async fn marks(db: &Db) -> Result<Vec<MarkRow>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select epoch, exchange_n, exchanges, audit_hash, settlement_n, settlements, seal from pruned order by epoch",
    ).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// All epochs, in order.
pub(super) async fn epochs(db: &Db) -> Result<Vec<i64>, DbError> {
    let rows =
        reading!(db, pool => sqlx::query_scalar("select epoch from writer order by epoch").fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The first reply of an epoch that waits, and whose it is.
pub(super) async fn first_waiting(db: &Db, epoch: i64) -> Result<Option<(i64, String)>, DbError> {
    let row = reading!(db, pool => sqlx::query_as(
        "select key, carrier from outbox where key > $1 and key < $2 order by key limit 1",
    ).bind(RowKey::new(epoch, 0).0).bind(RowKey::new(epoch + 1, 0).0).fetch_optional(pool).await);
    row.map_err(|error| db.fault(&error))
}

/// What is asked of an exchange before it goes.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OldExchange {
    pub(super) key: i64,
    pub(super) carrier: String,
    pub(super) stream: String,
    pub(super) committed_at: i64,
}

/// The next exchanges behind a key, up to the end of its epoch.
pub(super) async fn exchanges(db: &Db, after: RowKey, limit: i64) -> Result<Vec<OldExchange>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, carrier, stream, committed_at from exchange where key > $1 and key < $2 order by key limit $3",
    ).bind(after.0).bind(RowKey::new(after.epoch() + 1, 0).0).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// What is asked of a settlement before it goes.
#[derive(Clone, Debug, FromRow)]
pub(super) struct OldSettlement {
    pub(super) key: i64,
    pub(super) exchange_key: Option<i64>,
    pub(super) closes: i64,
    pub(super) carrier: String,
    pub(super) stream: String,
    pub(super) settled_at: i64,
}

/// The next settlements behind a key, up to the end of its epoch.
pub(super) async fn settlements(db: &Db, after: RowKey, limit: i64) -> Result<Vec<OldSettlement>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, exchange_key, closes, carrier, stream, settled_at from settlement
         where key > $1 and key < $2 order by key limit $3",
    ).bind(after.0).bind(RowKey::new(after.epoch() + 1, 0).0).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// Settlements behind a key, and up to one, that close a reply of this carrier and stream: their key and their exchange's.
pub(super) async fn closing(
    db: &Db,
    pair: &Pair,
    after: RowKey,
    to: RowKey,
    limit: i64,
) -> Result<Vec<(i64, Option<i64>)>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, exchange_key from settlement
         where key > $1 and key <= $2 and carrier = $3 and stream = $4 and closes = 1 order by key limit $5",
    ).bind(after.0).bind(to.0).bind(&pair.carrier).bind(&pair.stream).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// A table whose rows go by their age alone, and the column that tells it.
#[derive(Clone, Copy)]
pub(super) enum Aged {
    /// Messages that were sent again.
    Repeat,
    /// Messages put aside.
    Quarantine,
}

impl Aged {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Repeat => ("repeat_question", "received_at"),
            Self::Quarantine => ("quarantine", "at"),
        }
    }
}

/// The next rows of such a table behind a key, up to the end of its epoch: key and moment.
pub(super) async fn aged(db: &Db, table: Aged, after: RowKey, limit: i64) -> Result<Vec<(i64, i64)>, DbError> {
    let (table, column) = table.names();
    let text = format!("select key, {column} from {table} where key > $1 and key < $2 order by key limit $3");
    let rows = reading!(db, pool => sqlx::query_as(AssertSqlSafe(text))
        .bind(after.0).bind(RowKey::new(after.epoch() + 1, 0).0).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// Removes them.
pub(super) async fn remove_aged(seat: &mut Seat, table: Aged, after: RowKey, last: RowKey) -> Result<u64, DbError> {
    let mut tx = seat.begin().await?;
    let gone = remove(&mut tx, table.names().0, after, last).await?;
    tx.commit().await?;
    Ok(gone)
}

/// The audit hash of an exchange.
pub(super) async fn audit_hash(db: &Db, key: i64) -> Result<Option<Vec<u8>>, DbError> {
    let hash = reading!(db, pool => sqlx::query_scalar(
        "select audit_hash from exchange where key = $1",
    ).bind(key).fetch_optional(pool).await);
    hash.map_err(|error| db.fault(&error))
}

/// Exchanges or settlements.
#[derive(Clone, Copy)]
pub(super) enum Marked {
    /// Questions.
    Exchange,
    /// What became of replies.
    Settlement,
}

/// Removes the rows behind a key up to another one, and moves the epoch's mark from where it was to where they end, in
/// one transaction. `false`, and nothing done, when the mark or the rows are not what they were: somebody else removes.
pub(super) async fn remove_marked(
    seat: &mut Seat,
    table: Marked,
    (before, mark): (&Mark, &Mark),
    (after, last, count): (RowKey, RowKey, u64),
    (now, seal): (i64, &[u8]),
) -> Result<bool, DbError> {
    let mut tx = seat.begin().await?;
    let moved: Result<u64, sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query(
        "insert into pruned (epoch, exchange_n, exchanges, audit_hash, settlement_n, settlements, at, seal)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (epoch) do update set exchange_n = excluded.exchange_n, exchanges = excluded.exchanges,
             audit_hash = excluded.audit_hash, settlement_n = excluded.settlement_n, settlements = excluded.settlements,
             at = excluded.at, seal = excluded.seal
         where pruned.exchange_n = $9 and pruned.settlement_n = $10",
    )
    .bind(after.epoch())
    .bind(mark.exchange_n)
    .bind(mark.exchanges)
    .bind(mark.audit_hash.as_slice())
    .bind(mark.settlement_n)
    .bind(mark.settlements)
    .bind(now)
    .bind(seal)
    .bind(before.exchange_n)
    .bind(before.settlement_n)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()));
    if moved.map_err(|error| tx.fault(&error))? != 1 {
        return Ok(false);
    }
    let name = match table {
        Marked::Exchange => "exchange",
        Marked::Settlement => "settlement",
    };
    if remove(&mut tx, name, after, last).await? != count {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}

async fn remove(tx: &mut Tx<'_>, table: &'static str, after: RowKey, last: RowKey) -> Result<u64, DbError> {
    let text = format!("delete from {table} where key > $1 and key <= $2");
    let gone: Result<u64, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query(AssertSqlSafe(text))
        .bind(after.0).bind(last.0).execute(conn).await.map(|done| done.rows_affected()));
    gone.map_err(|error| tx.fault(&error))
}

const OLD_BREAKS: &str = "from session_break where at < $1";

/// How many sessions ended before a moment.
pub(super) async fn count_breaks(db: &Db, before: i64) -> Result<i64, DbError> {
    let text = format!("select count(*) {OLD_BREAKS}");
    let count = reading!(db, pool => sqlx::query_scalar(AssertSqlSafe(text)).bind(before).fetch_one(pool).await);
    count.map_err(|error| db.fault(&error))
}

/// Forgets sessions that ended before a moment, at most `limit`.
pub(super) async fn remove_breaks(seat: &mut Seat, before: i64, limit: i64) -> Result<u64, DbError> {
    let mut tx = seat.begin().await?;
    let text = format!(
        "delete from session_break where (epoch, carrier, at) in (select epoch, carrier, at {OLD_BREAKS} limit $2)"
    );
    let gone: Result<u64, sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query(AssertSqlSafe(text))
        .bind(before).bind(limit).execute(conn).await.map(|done| done.rows_affected()));
    let gone = gone.map_err(|error| tx.fault(&error))?;
    tx.commit().await?;
    Ok(gone)
}

/// Adoptions of which nothing is left to be done: long ago, and no reply or part of that start waits any more.
const OLD_ADOPTIONS: &str = "from adopted where at < $1
    and not exists (select 1 from outbox o where o.key >= (adopted.epoch << 40) and o.key < ((adopted.epoch + 1) << 40))
    and not exists (select 1 from part p where p.key >= (adopted.epoch << 40) and p.key < ((adopted.epoch + 1) << 40))";

/// Starts that ended long ago and of which no row is left. Never the last: the next start counts on from it.
const OLD_STARTS: &str = "from writer where ended_at < $1 and epoch < (select max(w.epoch) from writer w)
    and not exists (select 1 from exchange t where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from settlement t where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from outbox t where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from part t where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from repeat_question t
                    where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from quarantine t where t.key >= (writer.epoch << 40) and t.key < ((writer.epoch + 1) << 40))
    and not exists (select 1 from session_break t where t.epoch = writer.epoch)
    and not exists (select 1 from adopted t where t.epoch = writer.epoch)
    and not exists (select 1 from adopted t where t.heir = writer.epoch)";

/// How many starts would go now.
pub(super) async fn count_starts(db: &Db, before: i64) -> Result<i64, DbError> {
    let text = format!("select count(*) {OLD_STARTS}");
    let count = reading!(db, pool => sqlx::query_scalar(AssertSqlSafe(text)).bind(before).fetch_one(pool).await);
    count.map_err(|error| db.fault(&error))
}

/// Forgets adoptions and starts: how many starts.
pub(super) async fn remove_starts(seat: &mut Seat, before: i64) -> Result<u64, DbError> {
    let mut tx = seat.begin().await?;
    let mut gone = 0;
    for rows in [OLD_ADOPTIONS, OLD_STARTS] {
        let text = AssertSqlSafe(format!("delete {rows}"));
        let done: Result<u64, sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query(text)
            .bind(before).execute(conn).await.map(|done| done.rows_affected()));
        gone = done.map_err(|error| tx.fault(&error))?;
    }
    tx.commit().await?;
    Ok(gone)
}
