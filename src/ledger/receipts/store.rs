//! The SQL of receipts: names of replies, and what is awaited.

use std::collections::HashMap;

use super::{
    choose::{Name, Names},
    reply::Reply,
};
use crate::{
    clock::Micros,
    db::{Column, Db, DbError, Insert, Tx, in_tx, step},
    ledger::Token,
    message::{CarrierId, Stream},
};

/// A settlement that is handed over again brings its message ids again: they stand already.
static RECEIPT_ID: Insert =
    Insert::unless_there("receipt_id", &["carrier", "message_id", "exchange_key", "segment", "at", "raw_id"]);
/// A reply that was sent twice has more names than one settlement brings.
static AWAITED: Insert = Insert::or(
    "awaited_receipt",
    &["carrier", "exchange_key", "stream", "line", "at", "destination", "segments", "ids"],
    " on conflict (carrier, exchange_key) do update set ids = awaited_receipt.ids || '\n' || excluded.ids",
);
/// Names looked at in one go at most, the newest first: a carrier that gives all its messages one id must not fill the
/// memory.
const NAMES: i64 = 4_096;

/// A name that a settlement gives to a reply.
pub(super) struct NewName {
    pub(super) carrier: CarrierId,
    /// As it is looked up.
    pub(super) message_id: String,
    pub(super) exchange: i64,
    pub(super) segment: i64,
    pub(super) at: Micros,
    /// As the response had it; empty for the name by the citizen's number.
    pub(super) raw: String,
}

type NameRow = (String, i64, i64, i64, String, Option<i64>, Option<Vec<u8>>, String, Option<String>);

const NAMES_SQLITE: &str =
    "select r.raw_id, r.exchange_key, r.segment, a.at, a.stream, a.line, a.destination, a.segments,
            a.result
     from receipt_id r join awaited_receipt a on a.carrier = r.carrier and a.exchange_key = r.exchange_key
     where r.carrier = $1 and r.message_id in (select value from json_each($2)) and r.at >= $3
     order by r.exchange_key desc, r.segment limit $4";
const NAMES_POSTGRES: &str =
    "select r.raw_id, r.exchange_key, r.segment, a.at, a.stream, a.line, a.destination, a.segments,
            a.result
     from receipt_id r join awaited_receipt a on a.carrier = r.carrier and a.exchange_key = r.exchange_key
     where r.carrier = $1 and r.message_id = any($2) and r.at >= $3
     order by r.exchange_key desc, r.segment limit $4";
/// Of the instances that share a store two must not move one reply at a time.
const NAMES_LOCKED: &str =
    "select r.raw_id, r.exchange_key, r.segment, a.at, a.stream, a.line, a.destination, a.segments,
            a.result
     from receipt_id r join awaited_receipt a on a.carrier = r.carrier and a.exchange_key = r.exchange_key
     where r.carrier = $1 and r.message_id = any($2) and r.at >= $3
     order by r.exchange_key desc, r.segment limit $4 for update of a";

/// Names, and the replies they belong to.
type Found = (Names, HashMap<i64, Reply>);

pub(super) fn list<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// The tokens of those whom replies went to.
pub(super) async fn destinations(tx: &mut Tx<'_>, keys: &[i64]) -> Result<HashMap<i64, Token>, DbError> {
    type Row = (i64, Option<Vec<u8>>);
    let rows: Result<Vec<Row>, sqlx::Error> = match tx {
        Tx::Sqlite(_, conn) => {
            let text = "select key, sender_token from exchange where key in (select value from json_each($1))";
            sqlx::query_as(text).bind(list(keys)).fetch_all(&mut **conn).await
        }
        Tx::Postgres(_, conn) => {
            let text = "select key, sender_token from exchange where key = any($1)";
            sqlx::query_as(text).bind(keys).fetch_all(&mut **conn).await
        }
    };
    let rows = rows.map_err(|error| tx.fault(&error))?;
    Ok(rows.into_iter().filter_map(|(key, token)| Some((key, token?.try_into().ok()?))).collect())
}

/// Stores the names, and the replies they name.
pub(super) async fn add(
    tx: &mut Tx<'_>,
    names: &[NewName],
    replies: &HashMap<i64, (CarrierId, Reply)>,
) -> Result<(), DbError> {
    let int = |of: fn(&NewName) -> i64| Column::Int(names.iter().map(|name| Some(of(name))).collect());
    let text = |of: fn(&NewName) -> &str| Column::Text(names.iter().map(|name| Some(of(name).to_owned())).collect());
    let columns = vec![
        text(|name| name.carrier.as_str()),
        text(|name| &name.message_id),
        int(|name| name.exchange),
        int(|name| name.segment),
        int(|name| name.at.0),
        text(|name| &name.raw),
    ];
    RECEIPT_ID.run(tx, columns).await?;
    let mut ids: HashMap<i64, Vec<&str>> = HashMap::new();
    for name in names {
        ids.entry(name.exchange).or_default().push(&name.message_id);
    }
    let mut rows: Vec<(i64, &CarrierId, &Reply)> =
        replies.iter().map(|(key, (carrier, reply))| (*key, carrier, reply)).collect();
    rows.sort_unstable_by_key(|(key, ..)| *key);
    let ids = rows.iter().map(|(key, ..)| Some(ids.get(key).map(|ids| ids.join("\n")).unwrap_or_default())).collect();
    let columns = vec![
        Column::Text(rows.iter().map(|(_, carrier, _)| Some(carrier.as_str().to_owned())).collect()),
        Column::Int(rows.iter().map(|(key, ..)| Some(*key)).collect()),
        Column::Text(rows.iter().map(|(.., reply)| Some(reply.stream.letter().to_owned())).collect()),
        Column::Int(rows.iter().map(|(.., reply)| reply.line).collect()),
        Column::Int(rows.iter().map(|(.., reply)| Some(reply.at.0)).collect()),
        Column::Bytes(rows.iter().map(|(.., reply)| reply.destination.map(|token| token.to_vec())).collect()),
        Column::Text(rows.iter().map(|(.., reply)| Some(letters(reply))).collect()),
        Column::Text(ids),
    ];
    AWAITED.run(tx, columns).await
}

fn letters(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.segments).into_owned()
}

/// Replies that one of these keys names, since a moment.
pub(super) async fn names(
    tx: &mut Tx<'_>,
    carrier: &CarrierId,
    keys: &[String],
    since: Micros,
) -> Result<Found, DbError> {
    let rows: Result<Vec<NameRow>, sqlx::Error> = match tx {
        Tx::Sqlite(_, conn) => {
            let query = sqlx::query_as(NAMES_SQLITE).bind(carrier.as_str()).bind(list(keys));
            query.bind(since.0).bind(NAMES).fetch_all(&mut **conn).await
        }
        Tx::Postgres(_, conn) => {
            let query = sqlx::query_as(NAMES_LOCKED).bind(carrier.as_str()).bind(keys);
            query.bind(since.0).bind(NAMES).fetch_all(&mut **conn).await
        }
    };
    rows.map(found).map_err(|error| tx.fault(&error))
}

/// The same outside a transaction.
pub(super) async fn names_to_read(
    db: &Db,
    carrier: &CarrierId,
    keys: &[String],
    since: Micros,
) -> Result<Found, DbError> {
    let rows: Result<Vec<NameRow>, sqlx::Error> = match db {
        Db::Sqlite { readers, .. } => {
            let query = sqlx::query_as(NAMES_SQLITE).bind(carrier.as_str()).bind(list(keys));
            step::call(step::Call::Read, query.bind(since.0).bind(NAMES).fetch_all(readers)).await
        }
        Db::Postgres { pool, .. } => {
            let query = sqlx::query_as(NAMES_POSTGRES).bind(carrier.as_str()).bind(keys);
            query.bind(since.0).bind(NAMES).fetch_all(pool).await
        }
    };
    rows.map(found).map_err(|error| db.fault(&error))
}

fn found(rows: Vec<NameRow>) -> Found {
    let (mut names, mut replies) = (Names::default(), HashMap::new());
    for (raw, exchange, segment, at, stream, line, destination, segments, result) in rows {
        names.add(Name { raw, exchange, segment: usize::try_from(segment).unwrap_or(usize::MAX) });
        replies.entry(exchange).or_insert_with(|| reply(at, &stream, line, destination, segments, result));
    }
    (names, replies)
}

fn reply(
    at: i64,
    stream: &str,
    line: Option<i64>,
    destination: Option<Vec<u8>>,
    segments: String,
    result: Option<String>,
) -> Reply {
    Reply {
        stream: Stream::from_letter(stream).unwrap_or(Stream::Test),
        line,
        at: Micros(at),
        destination: destination.and_then(|token| token.try_into().ok()),
        segments: segments.into_bytes(),
        result,
        changed: false,
    }
}

/// Writes the replies that have changed.
pub(super) async fn update(tx: &mut Tx<'_>, carrier: &CarrierId, replies: &HashMap<i64, Reply>) -> Result<(), DbError> {
    let mut changed: Vec<(i64, String, Option<&str>)> = replies
        .iter()
        .filter(|(_, reply)| reply.changed)
        .map(|(key, reply)| (*key, letters(reply), reply.result.as_deref()))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    changed.sort_unstable();
    let done = match tx {
        Tx::Sqlite(_, conn) => {
            let text = "update awaited_receipt set segments = u.segments, result = u.result
                        from (select json_extract(value, '$[0]') as k, json_extract(value, '$[1]') as segments,
                                     json_extract(value, '$[2]') as result from json_each($2)) as u
                        where carrier = $1 and exchange_key = u.k";
            sqlx::query(text).bind(carrier.as_str()).bind(list(&changed)).execute(&mut **conn).await.map(|_| ())
        }
        Tx::Postgres(_, conn) => {
            let text = "update awaited_receipt a set segments = u.segments, result = u.result
                        from unnest($2::bigint[], $3::text[], $4::text[]) as u(k, segments, result)
                        where a.carrier = $1 and a.exchange_key = u.k";
            let mut query = sqlx::query(text).bind(carrier.as_str());
            query = query.bind(changed.iter().map(|(key, ..)| *key).collect::<Vec<_>>());
            query = query.bind(changed.iter().map(|(_, segments, _)| segments.clone()).collect::<Vec<_>>());
            query = query.bind(changed.iter().map(|(.., result)| result.map(str::to_owned)).collect::<Vec<_>>());
            query.execute(&mut **conn).await.map(|_| ())
        }
    };
    done.map_err(|error| tx.fault(&error))
}

/// The carriers that have rows, configured or not. One step into the index each, however many rows there are.
pub(super) async fn carriers(tx: &mut Tx<'_>) -> Result<Vec<CarrierId>, DbError> {
    let text = "with recursive found(carrier) as (
                    select min(carrier) from awaited_receipt
                    union all
                    select (select min(a.carrier) from awaited_receipt a where a.carrier > found.carrier)
                    from found where found.carrier is not null)
                select carrier from found where carrier is not null";
    let rows: Result<Vec<(String,)>, sqlx::Error> =
        in_tx!(&mut *tx, conn => sqlx::query_as(text).fetch_all(conn).await);
    let rows = rows.map_err(|error| tx.fault(&error))?;
    Ok(rows.iter().filter_map(|(carrier,)| CarrierId::parse(carrier)).collect())
}

/// Replies without an end that were settled before a moment, the oldest first, with `UNKNOWN` as their result.
pub(super) async fn overdue(
    tx: &mut Tx<'_>,
    carrier: &CarrierId,
    before: Micros,
    limit: i64,
) -> Result<HashMap<i64, Reply>, DbError> {
    type Row = (i64, i64, String, Option<i64>, String);
    let text = "select exchange_key, at, stream, line, segments from awaited_receipt
                where carrier = $1 and result is null and at < $2 order by at limit $3";
    let locked = "select exchange_key, at, stream, line, segments from awaited_receipt
                  where carrier = $1 and result is null and at < $2 order by at limit $3 for update skip locked";
    let text = if matches!(tx, Tx::Sqlite(..)) { text } else { locked };
    let rows: Result<Vec<Row>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(text)
        .bind(carrier.as_str()).bind(before.0).bind(limit).fetch_all(conn).await);
    let rows = rows.map_err(|error| tx.fault(&error))?;
    let unknown = |(key, at, stream, line, segments): Row| {
        let reply = reply(at, &stream, line, None, segments, Some("UNKNOWN".to_owned()));
        (key, Reply { changed: true, ..reply })
    };
    Ok(rows.into_iter().map(unknown).collect())
}

/// Instances that share a store forget at the same moments: none waits for another's rows, in whatever order they are.
pub(super) fn skip_locked(tx: &Tx) -> &'static str {
    if matches!(tx, Tx::Sqlite(..)) { "" } else { " for update skip locked" }
}

/// Forgets replies that have their end and were settled before a moment, with their names; how many.
pub(super) async fn forget(tx: &mut Tx<'_>, carrier: &CarrierId, before: Micros, limit: i64) -> Result<usize, DbError> {
    let skip = skip_locked(tx);
    let text = format!(
        "delete from awaited_receipt where carrier = $1 and exchange_key in
            (select exchange_key from awaited_receipt
             where carrier = $1 and result is not null and at < $2 order by at limit $3{skip})
         returning exchange_key, ids"
    );
    let gone: Result<Vec<(i64, String)>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(
        sqlx::AssertSqlSafe(text),
    ).bind(carrier.as_str()).bind(before.0).bind(limit).fetch_all(conn).await);
    let gone = gone.map_err(|error| tx.fault(&error))?;
    let names: Vec<(&str, i64)> = gone.iter().flat_map(|(key, ids)| ids.split('\n').map(|id| (id, *key))).collect();
    if names.is_empty() {
        return Ok(0);
    }
    let done = match tx {
        Tx::Sqlite(_, conn) => {
            let text = "delete from receipt_id where carrier = $1 and (message_id, exchange_key) in
                        (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each($2))";
            sqlx::query(text).bind(carrier.as_str()).bind(list(&names)).execute(&mut **conn).await.map(|_| ())
        }
        Tx::Postgres(_, conn) => {
            let text = "delete from receipt_id r using unnest($2::text[], $3::bigint[]) as u(id, k)
                        where r.carrier = $1 and r.message_id = u.id and r.exchange_key = u.k";
            let ids: Vec<String> = names.iter().map(|(id, _)| (*id).to_owned()).collect();
            let keys: Vec<i64> = names.iter().map(|(_, key)| *key).collect();
            sqlx::query(text).bind(carrier.as_str()).bind(ids).bind(keys).execute(&mut **conn).await.map(|_| ())
        }
    };
    done.map_err(|error| tx.fault(&error))?;
    Ok(gone.len())
}
