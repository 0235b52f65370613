//! The SQL of receipts that came before their names. One that has two ids has a row for each.

use sqlx::FromRow;

use super::Early;
use crate::{
    clock::Micros,
    db::{Column, DbError, Insert, Tx, in_tx},
    ledger::receipts::store::{list, skip_locked},
    message::CarrierId,
};

static EARLY: Insert = Insert::unless_there(
    "early_receipt",
    &["carrier", "message_id", "settlement_key", "line", "at", "result", "error", "raw_id", "destination"],
);

/// Between the ids in `raw_id`; no id has it.
const BETWEEN: char = '\n';

#[derive(FromRow)]
struct Row {
    message_id: String,
    settlement_key: i64,
    line: i64,
    at: i64,
    result: String,
    error: String,
    raw_id: String,
    destination: Option<Vec<u8>>,
}

/// Keeps receipts until their ids are known.
pub(in crate::ledger::receipts) async fn keep(
    tx: &mut Tx<'_>,
    carrier: &CarrierId,
    receipts: &[Early],
) -> Result<(), DbError> {
    let rows = || receipts.iter().flat_map(|one| one.names.iter().map(move |name| (one, name)));
    let int = |of: fn(&Early) -> i64| Column::Int(rows().map(|(one, _)| Some(of(one))).collect());
    let text = |of: fn(&Early) -> String| Column::Text(rows().map(|(one, _)| Some(of(one))).collect());
    let columns = vec![
        Column::Text(rows().map(|_| Some(carrier.as_str().to_owned())).collect()),
        Column::Text(rows().map(|(_, name)| Some(name.clone())).collect()),
        int(|one| one.settlement_key),
        int(|one| one.line),
        int(|one| one.at),
        text(|one| one.result.clone()),
        text(|one| one.error.clone()),
        text(|one| one.ids.join(&BETWEEN.to_string())),
        Column::Bytes(rows().map(|(one, _)| one.destination.clone()).collect()),
    ];
    EARLY.run(tx, columns).await
}

/// Takes out receipts that were kept under these keys.
pub(super) async fn take(tx: &mut Tx<'_>, carrier: &CarrierId, keys: &[String]) -> Result<Vec<Early>, DbError> {
    let rows: Result<Vec<Row>, sqlx::Error> = match tx {
        Tx::Sqlite(_, conn) => {
            let text =
                "delete from early_receipt where carrier = $1 and message_id in (select value from json_each($2))
                        returning message_id, settlement_key, line, at, result, error, raw_id, destination";
            sqlx::query_as(text).bind(carrier.as_str()).bind(list(keys)).fetch_all(&mut **conn).await
        }
        Tx::Postgres(_, conn) => {
            let text = "delete from early_receipt where carrier = $1 and message_id = any($2)
                        returning message_id, settlement_key, line, at, result, error, raw_id, destination";
            sqlx::query_as(text).bind(carrier.as_str()).bind(keys).fetch_all(&mut **conn).await
        }
    };
    let mut rows = rows.map_err(|error| tx.fault(&error))?;
    rows.sort_unstable_by_key(|row| row.settlement_key);
    let mut taken: Vec<Early> = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(last) = taken.last_mut().filter(|last| last.settlement_key == row.settlement_key) {
            last.names.push(row.message_id);
            continue;
        }
        taken.push(Early {
            names: vec![row.message_id],
            settlement_key: row.settlement_key,
            line: row.line,
            at: row.at,
            result: row.result,
            error: row.error,
            ids: row.raw_id.split(BETWEEN).map(str::to_owned).collect(),
            destination: row.destination,
        });
    }
    Ok(taken)
}

/// Removes what receipts that were taken out are kept under besides.
pub(super) async fn remove(tx: &mut Tx<'_>, carrier: &CarrierId, names: &[(String, i64)]) -> Result<(), DbError> {
    if names.is_empty() {
        return Ok(());
    }
    let done = match tx {
        Tx::Sqlite(_, conn) => {
            let text = "delete from early_receipt where carrier = $1 and (message_id, settlement_key) in
                        (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each($2))";
            sqlx::query(text).bind(carrier.as_str()).bind(list(names)).execute(&mut **conn).await.map(|_| ())
        }
        Tx::Postgres(_, conn) => {
            let text = "delete from early_receipt e using unnest($2::text[], $3::bigint[]) as u(id, k)
                        where e.carrier = $1 and e.message_id = u.id and e.settlement_key = u.k";
            let (ids, keys): (Vec<String>, Vec<i64>) = names.iter().cloned().unzip();
            sqlx::query(text).bind(carrier.as_str()).bind(ids).bind(keys).execute(&mut **conn).await.map(|_| ())
        }
    };
    done.map_err(|error| tx.fault(&error))
}

/// Receipts kept for ids that may still come; beyond that the oldest go, so that a carrier that sends receipts for what
/// was never ours fills nothing.
const EARLY_KEPT: i64 = 100_000;

/// Forgets receipts whose ids did not come; how many.
pub(in crate::ledger::receipts) async fn forget(tx: &mut Tx<'_>, before: Micros, limit: i64) -> Result<usize, DbError> {
    let skip = skip_locked(tx);
    let text = format!(
        "delete from early_receipt where (carrier, message_id, settlement_key) in
            (select carrier, message_id, settlement_key from early_receipt
             where at < $1 or at < (select at from early_receipt order by at desc limit 1 offset $3)
             order by at limit $2{skip})"
    );
    let done = in_tx!(&mut *tx, conn => sqlx::query(
        sqlx::AssertSqlSafe(text),
    ).bind(before.0).bind(limit).bind(EARLY_KEPT).execute(conn).await.map(|done| done.rows_affected()));
    done.map(|rows| rows as usize).map_err(|error| tx.fault(&error))
}
