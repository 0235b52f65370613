//! The SQL of what several instances have taken of late.

use std::collections::BTreeMap;

use super::{Doubt, FirstCopy, Unheard};
use crate::{
    clock::Micros,
    db::{Column, Db, DbError, Insert, Tx, in_tx, reading},
    ledger::{
        seal::{TOKEN, Token},
        start::{Break, Recent, store},
    },
    message::{CarrierId, RowKey},
};

/// For so long what one instance has taken stands against the others, in seconds: a break 30 s later must be known by then.
pub(in crate::ledger) const STANDS_SECONDS: i64 = 60;

/// For so long what an SMSC was told to send again although it is stored stands, in seconds: longer than it keeps messages.
const UNHEARD_SECONDS: i64 = 7 * 86_400;

/// What this start has taken itself it knows by heart, and what is a minute old says nothing any more, unless its SMSC was
/// told to send it again.
static ASKED: Insert = Insert::or(
    "asked",
    &["print", "key", "at"],
    " on conflict (print) do update set key = excluded.key, at = excluded.at, unheard = 0
      where (asked.unheard = 0 and asked.at < excluded.at - 60000000) or (asked.key >> 40) = (excluded.key >> 40)",
);
const _: () = assert!(STANDS_SECONDS == 60);

/// What an SMSC was told to send again, or may not have heard the answer to in time.
static UNHEARD: Insert = Insert::or(
    "asked",
    &["print", "key", "at", "unheard"],
    " on conflict (print) do update set key = excluded.key, at = excluded.at, unheard = 1
      where asked.key = excluded.key or asked.at < excluded.at - 60000000",
);

/// What another start had taken before this one began to say what it takes.
static ASKED_BEFORE: Insert = Insert::unless_there("asked", &["print", "key", "at"]);

/// Rows let go in one transaction at most, and transactions in one go.
const PRUNED: i64 = 25_000;
const PRUNINGS: usize = 4;

fn columns(rows: &[(Token, RowKey)], at: impl Fn(usize) -> Micros) -> Vec<Column> {
    vec![
        Column::Bytes(rows.iter().map(|(print, _)| Some(print.to_vec())).collect()),
        Column::Int(rows.iter().map(|(_, key)| Some(key.0)).collect()),
        Column::Int((0..rows.len()).map(|row| Some(at(row).0)).collect()),
    ]
}

/// Notes messages, in the order of their fingerprints, each once. Gives those that stand as another start's, and what they
/// are there. One that is being noted by another start at this moment is waited for.
pub(super) async fn claim(
    tx: &mut Tx<'_>,
    wished: &[(Token, RowKey)],
    now: Micros,
) -> Result<Vec<(Token, RowKey)>, DbError> {
    let noted = ASKED.counted(tx, columns(wished, |_| now)).await?;
    if noted == wished.len() as u64 {
        return Ok(Vec::new());
    }
    let mut others = Vec::new();
    for (print, key) in wished {
        let found: Result<Option<(i64,)>, sqlx::Error> = in_tx!(&mut *tx, conn => {
            sqlx::query_as("select key from asked where print = $1").bind(print.as_slice()).fetch_optional(conn).await
        });
        match found.map_err(|error| tx.fault(&error))? {
            Some((of,)) if of != key.0 => others.push((*print, RowKey(of))),
            Some(_) | None => {}
        }
    }
    Ok(others)
}

/// A message is another row now.
pub(super) async fn reclaim(tx: &mut Tx<'_>, print: &Token, key: RowKey, now: Micros) -> Result<(), DbError> {
    let done = in_tx!(&mut *tx, conn => sqlx::query("update asked set key = $1, at = $2 where print = $3")
        .bind(key.0).bind(now.0).bind(print.as_slice()).execute(conn).await.map(|_| ()));
    done.map_err(|error| tx.fault(&error))
}

/// The SMSC was told to send these again although they are stored, or may not have heard their answer. Alone, an instance has
/// noted nothing of them before.
pub(in crate::ledger) async fn unheard(tx: &mut Tx<'_>, messages: &[Unheard], now: Micros) -> Result<(), DbError> {
    let mut latest: BTreeMap<Token, RowKey> = BTreeMap::new();
    for Unheard { print, key, of } in messages {
        let is_used_up = key != of && is_stored(tx, *of).await?;
        latest.insert(*print, if is_used_up { *of } else { *key });
    }
    // Each once, as a statement may not come to one row twice, and in the order in which they are claimed.
    let rows: Vec<(Token, RowKey)> = latest.into_iter().collect();
    let mut columns = columns(&rows, |_| now);
    columns.push(Column::Int(vec![Some(1); rows.len()]));
    UNHEARD.run(tx, columns).await
}

/// Whether there is this exchange, by this transaction if need be.
async fn is_stored(tx: &mut Tx<'_>, exchange: RowKey) -> Result<bool, DbError> {
    let found: Result<Option<(i64,)>, sqlx::Error> = in_tx!(&mut *tx, conn => {
        sqlx::query_as("select key from exchange where key = $1").bind(exchange.0).fetch_optional(conn).await
    });
    found.map(|found| found.is_some()).map_err(|error| tx.fault(&error))
}

/// Parts with these fingerprints are the exchange that used them up. Several instances say so by what they note of the exchange.
pub(in crate::ledger) async fn used_up(tx: &mut Tx<'_>, prints: &[u8], exchange: RowKey) -> Result<(), DbError> {
    for print in prints.chunks_exact(TOKEN) {
        let done = in_tx!(&mut *tx, conn => sqlx::query("update asked set key = $1 where print = $2 and unheard = 1")
            .bind(exchange.0).bind(print).execute(conn).await.map(|_| ()));
        done.map_err(|error| tx.fault(&error))?;
    }
    Ok(())
}

/// What SMSCs were told to send again since a moment although it is stored, the latest first, at most `limit`.
pub(super) async fn told_again(db: &Db, since: Micros, limit: usize) -> Result<Vec<Recent>, DbError> {
    type Row = (Vec<u8>, i64, String, i64);
    let rows: Result<Vec<Row>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select a.print, a.key, coalesce(e.carrier, p.carrier), a.at from asked a
         left join exchange e on e.key = a.key left join part p on p.key = a.key
         where a.unheard = 1 and a.at >= $1 and coalesce(e.carrier, p.carrier) is not null order by a.at desc limit $2",
    ).bind(since.0).bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(pool).await);
    let rows = rows.map_err(|error| db.fault(&error))?;
    let read = |(print, key, carrier, at): Row| {
        let (print, carrier) = (Token::try_from(print).ok()?, CarrierId::parse(&carrier)?);
        Some(Recent { key: RowKey(key), carrier, committed_at: Micros(at), fingerprints: vec![print] })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Notes for the other starts that have not ended what they took of late, at a start: until they see this one they note
/// nothing themselves. At most `limit` of each.
pub(in crate::ledger) async fn note_others(db: &Db, epoch: i64, now: Micros, limit: usize) -> Result<(), DbError> {
    let since = now.plus_seconds(-STANDS_SECONDS);
    let others: Result<Vec<(i64,)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select epoch from writer where ended_at is null and epoch <> $1",
    ).bind(epoch).fetch_all(pool).await);
    for (other,) in others.map_err(|error| db.fault(&error))? {
        let (mut rows, mut times) = (Vec::new(), Vec::new());
        let last = RowKey(RowKey::new(other + 1, 0).0 - 1);
        for recent in store::recent(db, last, since, limit).await? {
            rows.extend(recent.fingerprints.iter().map(|print| (*print, recent.key)));
            times.resize(rows.len(), recent.committed_at);
        }
        let parts: Result<Vec<(i64, i64, Vec<u8>)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
            "select key, received_at, fingerprint from part where key > $1 and key <= $2 and received_at >= $3",
        ).bind(RowKey::new(other, 0).0).bind(last.0).bind(since.0).fetch_all(pool).await);
        for (key, received_at, print) in parts.map_err(|error| db.fault(&error))? {
            if let Ok(print) = Token::try_from(print) {
                rows.push((print, RowKey(key)));
                times.push(Micros(received_at));
            }
        }
        if !rows.is_empty() {
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_unstable_by_key(|at| rows[*at].0);
            let sorted: Vec<(Token, RowKey)> = order.iter().map(|at| rows[*at]).collect();
            let mut tx = db.begin().await?;
            ASKED_BEFORE.run(&mut tx, columns(&sorted, |row| times[order[row]])).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// What is known of the first copy of a message in doubt.
pub(super) async fn first_copy(db: &Db, doubt: &Doubt, margin: i64) -> Result<Option<FirstCopy>, DbError> {
    type Row = (String, i64, i64, i64, i64, i64);
    let of = doubt.of;
    let row: Result<Option<Row>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "with first_copy as (
             select key, carrier, received_at, committed_at from exchange where key = $1
             union all select key, carrier, received_at, received_at from part where key = $1)
         select f.carrier, f.received_at, f.committed_at,
                cast(case when w.ended_at is null then 0 when f.committed_at >= w.committed_at - $3 then 2 else 1 end as bigint),
                (select count(*) from session_break b
                 where b.epoch = w.epoch and b.carrier = f.carrier and b.high_key >= f.key and f.committed_at >= b.at - $3)
                 + (select count(*) from asked a where a.print = $4 and a.key = f.key and a.unheard = 1),
                w.commits
         from first_copy f join writer w on w.epoch = $2",
    )
    .bind(of.0)
    .bind(of.epoch())
    .bind(margin * 1_000_000)
    .bind(doubt.print.as_slice())
    .fetch_optional(pool)
    .await);
    let Some((carrier, received, committed, ended, lost, commits)) = row.map_err(|error| db.fault(&error))? else {
        return Ok(None);
    };
    Ok(Some(FirstCopy {
        carrier: CarrierId::parse(&carrier).ok_or_else(|| store::bad(db, "exchange", "carrier", of.0))?,
        received_at: Micros(received),
        committed_at: Micros(committed),
        unheard: ended == 2 || lost > 0,
        ended: ended > 0,
        commits,
    }))
}

/// What stands as this is to stand no more.
pub(super) async fn forget(db: &Db, doubt: &Doubt) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    let done = in_tx!(&mut tx, conn => sqlx::query("delete from asked where print = $1 and key = $2")
        .bind(doubt.print.as_slice()).bind(doubt.of.0).execute(conn).await.map(|_| ()));
    done.map_err(|error| tx.fault(&error))?;
    tx.commit().await
}

/// Lets go of rows that say nothing any more; of those that somebody is just writing, the next time.
pub(super) async fn prune(db: &Db, now: Micros) -> Result<(), DbError> {
    let (before, long_before) = (now.plus_seconds(-STANDS_SECONDS), now.plus_seconds(-UNHEARD_SECONDS));
    for _ in 0..PRUNINGS {
        let mut tx = db.begin().await?;
        let done = match &mut tx {
            Tx::Sqlite(_, conn) => {
                let text = "delete from asked where print in (
                                select print from (select print from asked where unheard = 0 and at < $1
                                                   union all select print from asked where unheard = 1 and at < $2)
                                limit $3)";
                sqlx::query(text)
                    .bind(before.0)
                    .bind(long_before.0)
                    .bind(PRUNED)
                    .execute(&mut **conn)
                    .await
                    .map(|done| done.rows_affected())
            }
            Tx::Postgres(_, conn) => {
                let text = "delete from asked where print = any(array(
                                select print from asked where (unheard = 0 and at < $1) or (unheard = 1 and at < $2) limit $3
                                for update skip locked))";
                sqlx::query(text)
                    .bind(before.0)
                    .bind(long_before.0)
                    .bind(PRUNED)
                    .execute(&mut **conn)
                    .await
                    .map(|done| done.rows_affected())
            }
        };
        let pruned = done.map_err(|error| tx.fault(&error))?;
        tx.commit().await?;
        if pruned < PRUNED as u64 {
            break;
        }
    }
    Ok(())
}

/// Session breaks and ends of other instances since a moment.
pub(in crate::ledger) async fn breaks_of_others(db: &Db, instance: &str, since: Micros) -> Result<Vec<Break>, DbError> {
    let rows: Result<Vec<(Option<String>, i64, i64)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select b.carrier, b.at, b.high_key from session_break b
         where b.at >= $1 and b.epoch in (select epoch from writer
                                          where instance <> $2 and (ended_at is null or ended_at >= $1))
         union all
         select null, committed_at, (epoch << 40) + exchange_high from writer where instance <> $2 and ended_at >= $1",
    ).bind(since.0).bind(instance).fetch_all(pool).await);
    let rows = rows.map_err(|error| db.fault(&error))?;
    let read = |(carrier, at, high): (Option<String>, i64, i64)| Break {
        carrier: carrier.as_deref().and_then(CarrierId::parse),
        at: Micros(at),
        high: RowKey(high),
    };
    Ok(rows.into_iter().map(read).collect())
}
