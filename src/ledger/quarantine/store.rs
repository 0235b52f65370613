//! The SQL of messages put aside.

use sqlx::FromRow;

use crate::{
    db::{Column, Db, DbError, Insert, Tx, in_tx, reading},
    ledger::QuarantineRow,
};

static QUARANTINE: Insert =
    Insert::into("quarantine", &["key", "at", "carrier", "line", "trap", "status", "octets", "sealed"]);

/// Messages that are kept; the oldest go.
pub(in crate::ledger) const KEPT: i64 = 10_000;

/// Puts messages aside.
pub(in crate::ledger) async fn add(tx: &mut Tx<'_>, rows: &[&QuarantineRow]) -> Result<(), DbError> {
    let int = |of: fn(&QuarantineRow) -> i64| Column::Int(rows.iter().map(|row| Some(of(row))).collect());
    let text = |of: fn(&QuarantineRow) -> &str| Column::Text(rows.iter().map(|row| Some(of(row).to_owned())).collect());
    let columns = vec![
        int(|row| row.key.0),
        int(|row| row.at.0),
        text(|row| row.carrier.as_str()),
        int(|row| row.line.into()),
        text(|row| row.trap),
        int(|row| row.status.into()),
        int(|row| row.octets as i64),
        Column::Bytes(rows.iter().map(|row| Some(row.sealed.clone())).collect()),
    ];
    QUARANTINE.run(tx, columns).await
}

/// Lets the oldest go beyond [`KEPT`].
pub(in crate::ledger) async fn prune(tx: &mut Tx<'_>, kept: i64) -> Result<(), DbError> {
    let done = in_tx!(&mut *tx, conn => sqlx::query(
        "delete from quarantine where key <= (select key from quarantine order by key desc limit 1 offset $1)",
    ).bind(kept).execute(conn).await.map(|_| ()));
    done.map_err(|error| tx.fault(&error))
}

/// How many messages were put aside for one reason.
#[derive(Clone, Debug, FromRow, PartialEq, Eq, serde::Serialize)]
pub struct TrapCount {
    /// Whose lines.
    pub carrier: String,
    /// The name of the trap.
    pub trap: String,
    /// How many are kept.
    pub messages: i64,
    /// When the first of them came, UTC microseconds.
    pub first_at: i64,
    /// When the last came.
    pub last_at: i64,
}

/// A message that was put aside, without its content.
#[derive(Clone, Debug, FromRow, PartialEq, Eq, serde::Serialize)]
pub struct PutAside {
    /// Its key.
    pub key: i64,
    /// When it came, UTC microseconds.
    pub at: i64,
    /// Whose line.
    pub carrier: String,
    /// Which line: [`crate::message::LineId::from_row`].
    pub line: i64,
    /// The name of the trap.
    pub trap: String,
    /// The command_status it was answered with.
    pub status: i64,
    /// Octets of the whole PDU.
    pub octets: i64,
}

/// Counts what was put aside, by carrier and trap.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn trap_counts(db: &Db) -> Result<Vec<TrapCount>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select carrier, trap, count(*) as messages, min(at) as first_at, max(at) as last_at
         from quarantine group by carrier, trap order by carrier, trap",
    ).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The newest messages put aside, of one trap or of all, without their content, at most `limit`.
///
/// # Errors
/// [`DbError`] when they cannot be read.
pub async fn put_aside(db: &Db, trap: Option<&str>, limit: i64) -> Result<Vec<PutAside>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, at, carrier, line, trap, status, octets from quarantine
         where cast($1 as text) is null or trap = $1 order by key desc limit $2",
    ).bind(trap).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The sealed PDU of a message put aside; none when it is not there any more.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn sealed_frame(db: &Db, key: i64) -> Result<Option<Vec<u8>>, DbError> {
    let row: Result<Option<(Vec<u8>,)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select sealed from quarantine where key = $1",
    ).bind(key).fetch_optional(pool).await);
    row.map(|row| row.map(|(sealed,)| sealed)).map_err(|error| db.fault(&error))
}
