//! The SQL of a start and of an orderly end.

use sqlx::AssertSqlSafe;

use super::{Break, Ended, Recent};
use crate::{
    clock::Micros,
    db::{Db, DbError, Tx, in_tx, reading},
    ledger::{
        row::CHAIN_START,
        seal::{TOKEN, Token},
        writer::Mark,
    },
    message::{CarrierId, RowKey},
};

/// Ends the earlier epochs of this instance and takes the next one.
pub(in crate::ledger) async fn take_epoch(
    db: &Db,
    instance: &str,
    salt: &[u8],
    key_id: i64,
    now: Micros,
) -> Result<(Mark, Vec<Ended>), DbError> {
    let mut tx = db.begin().await?;
    if let Tx::Postgres(..) = &tx {
        // Two instances that start together must not take the same number, and a commit of a process that is being
        // replaced must be either in what is read below or fenced. SQLite has one writer at a time.
        let locked =
            in_tx!(&mut tx, conn => sqlx::query("lock table writer in exclusive mode").execute(conn).await.map(|_| ()));
        locked.map_err(|error| tx.fault(&error))?;
    }
    let crashed: Result<Vec<(i64,)>, sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query_as(
        "update writer set ended_at = committed_at where instance = $1 and ended_at is null returning epoch",
    ).bind(instance).fetch_all(conn).await);
    let crashed = crashed.map_err(|error| tx.fault(&error))?;
    let ended: Result<Vec<(i64, i64, i64)>, sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query_as(
        "select epoch, committed_at, exchange_high from writer where instance = $1 order by epoch",
    ).bind(instance).fetch_all(conn).await);
    let ended = ended.map_err(|error| tx.fault(&error))?;
    let taken: Result<(i64,), sqlx::Error> = in_tx!(&mut tx, conn => sqlx::query_as(
        "insert into writer (epoch, instance, started_at, salt, key_id, exchange_high, settlement_high, commits,
                             committed_at, lease_until, audit_head)
         select coalesce(max(epoch), 0) + 1, cast($1 as text), cast($2 as bigint), $3, cast($4 as bigint), 0, 0, 0,
                cast($2 as bigint), cast($5 as bigint), $6 from writer
         returning epoch",
    )
    .bind(instance)
    .bind(now.0)
    .bind(salt)
    .bind(key_id)
    .bind(now.plus_seconds(Mark::LEASE_SECONDS).0)
    .bind(CHAIN_START.as_slice())
    .fetch_one(conn)
    .await);
    let (epoch,) = taken.map_err(|error| tx.fault(&error))?;
    tx.commit().await?;
    let mark = Mark { epoch, exchange_high: 0, settlement_high: 0, commits: 0, audit_head: CHAIN_START };
    let ended = ended.into_iter().map(|(epoch, committed, exchange_high)| Ended {
        epoch,
        last_seen: Micros(committed),
        exchange_high,
        orderly: !crashed.contains(&(epoch,)),
    });
    Ok((mark, ended.collect()))
}

/// How far an epoch has got, as the database has it. A commit of it that is still under way is waited for.
pub(in crate::ledger) async fn mark(db: &Db, epoch: i64) -> Result<Mark, DbError> {
    const TEXT: &str = "select exchange_high, settlement_high, commits, audit_head from writer where epoch = $1";
    let row: (i64, i64, i64, Vec<u8>) = match db {
        // A commit whose answer has come is over. Reading is enough, and can be done when nothing can be written.
        Db::Sqlite { .. } => reading!(db, pool => sqlx::query_as(TEXT).bind(epoch).fetch_one(pool).await),
        Db::Postgres { .. } => {
            let mut tx = db.begin().await?;
            let text = AssertSqlSafe(format!("{TEXT} for update"));
            in_tx!(&mut tx, conn => sqlx::query_as(text).bind(epoch).fetch_one(conn).await)
        }
    }
    .map_err(|error| db.fault(&error))?;
    let (exchange_high, settlement_high, commits, head) = row;
    let audit_head = head.try_into().map_err(|_| bad(db, "writer", "audit_head", epoch))?;
    Ok(Mark { epoch, exchange_high, settlement_high, commits, audit_head })
}

/// Notes that an epoch ended in order.
pub(in crate::ledger) async fn end_epoch(db: &Db, epoch: i64, now: Micros) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    let done = in_tx!(&mut tx, conn => sqlx::query(
        "update writer set ended_at = $1, committed_at = $1 where epoch = $2 and ended_at is null",
    ).bind(now.0).bind(epoch).execute(conn).await.map(|_| ()));
    done.map_err(|error| tx.fault(&error))?;
    tx.commit().await
}

/// Session breaks since a moment, oldest first.
pub(in crate::ledger) async fn breaks(db: &Db, since: Micros) -> Result<Vec<Break>, DbError> {
    let rows: Result<Vec<(String, i64, i64)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select carrier, at, high_key from session_break where at >= $1 order by at",
    ).bind(since.0).fetch_all(pool).await);
    let rows = rows.map_err(|error| db.fault(&error))?;
    let read = |(carrier, at, high): (String, i64, i64)| Break {
        carrier: CarrierId::parse(&carrier),
        at: Micros(at),
        high: RowKey(high),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Exchanges read in one go while those of the last hours are looked for.
const PAGE: usize = 2_000;

/// The exchanges of one epoch up to a key that were committed since a moment, newest first, at most `limit`. In pages: a
/// server would send all rows of the epoch before it heard that no more are wanted.
pub(in crate::ledger) async fn recent(
    db: &Db,
    high: RowKey,
    since: Micros,
    limit: usize,
) -> Result<Vec<Recent>, DbError> {
    type Row = (i64, String, i64, Vec<u8>);
    let lowest = RowKey::new(high.epoch(), 0);
    let (mut found, mut next) = (Vec::new(), high);
    loop {
        let rows: Result<Vec<Row>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
            "select key, carrier, committed_at, fingerprints from exchange
             where key <= $1 and key > $2 order by key desc limit $3",
        ).bind(next.0).bind(lowest.0).bind(PAGE as i64).fetch_all(pool).await);
        let rows = rows.map_err(|error| db.fault(&error))?;
        let (read, last) = (rows.len(), rows.last().map(|row| row.0));
        // Keys are in commit order, so the first one too old ends the search.
        let recent: Vec<_> = rows.into_iter().take_while(|(_, _, committed, _)| *committed >= since.0).collect();
        let more = recent.len() == PAGE;
        found.extend(recent);
        match last.filter(|_| more && read == PAGE && found.len() < limit) {
            Some(last) => next = RowKey(last - 1),
            None => break,
        }
    }
    found.truncate(limit);
    found
        .into_iter()
        .map(|(key, carrier, committed, prints)| {
            let carrier = CarrierId::parse(&carrier).ok_or_else(|| bad(db, "exchange", "carrier", key))?;
            let fingerprints = prints.chunks_exact(TOKEN).filter_map(|print| Token::try_from(print).ok()).collect();
            Ok(Recent { key: RowKey(key), carrier, committed_at: Micros(committed), fingerprints })
        })
        .collect()
}

/// A stored part before its content is opened.
pub(in crate::ledger) type PartColumns = (i64, i64, String, i64, Vec<u8>, i64, i64, i64, i64, Vec<u8>, Vec<u8>);

/// Their names, and where they stand.
macro_rules! part_columns {
    () => {
        "select p.key, p.received_at, p.carrier, p.line, p.set_token, p.part_index, p.part_total, p.concat_ref,
                p.data_coding, p.fingerprint, p.sealed
         from part p"
    };
}

/// Stored parts that belong to an instance, oldest first, at most `limit`.
pub(in crate::ledger) async fn parts(db: &Db, instance: &str, limit: i64) -> Result<Vec<PartColumns>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as::<_, PartColumns>(concat!(
        part_columns!(),
        " join writer w on w.epoch = (p.key >> 40)
         left join adopted a on a.epoch = w.epoch and a.carrier = p.carrier
         left join writer h on h.epoch = a.heir
         where coalesce(h.instance, w.instance) = $1
         order by p.key limit $2",
    )).bind(instance).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The same that one start left with one carrier, whoever it belongs to.
pub(in crate::ledger) async fn parts_of(
    db: &Db,
    epoch: i64,
    carrier: &CarrierId,
    limit: i64,
) -> Result<Vec<PartColumns>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as::<_, PartColumns>(concat!(
        part_columns!(),
        " where p.key > $1 and p.key < $2 and p.carrier = $3 order by p.key limit $4",
    ))
    .bind(RowKey::new(epoch, 0).0)
    .bind(RowKey::new(epoch + 1, 0).0)
    .bind(carrier.as_str())
    .bind(limit)
    .fetch_all(pool)
    .await);
    rows.map_err(|error| db.fault(&error))
}

/// Stored parts of these texts, whoever they belong to, oldest first, at most `limit`.
pub(in crate::ledger) async fn parts_of_texts(
    db: &Db,
    sets: &[Token],
    limit: i64,
) -> Result<Vec<PartColumns>, DbError> {
    let mut rows: Vec<PartColumns> = match db {
        // There are never many, and no list of octets can be handed over.
        Db::Sqlite { readers, .. } => {
            let text = concat!(part_columns!(), " order by p.key limit $1");
            sqlx::query_as(text).bind(limit).fetch_all(readers).await
        }
        Db::Postgres { pool, .. } => {
            let text = concat!(part_columns!(), " where p.set_token = any($1) order by p.key limit $2");
            let sets: Vec<&[u8]> = sets.iter().map(<[u8; TOKEN]>::as_slice).collect();
            sqlx::query_as(text).bind(sets).bind(limit).fetch_all(pool).await
        }
    }
    .map_err(|error| db.fault(&error))?;
    if matches!(db, Db::Sqlite { .. }) && (rows.len() as i64) < limit {
        let wanted: std::collections::HashSet<&[u8]> = sets.iter().map(<[u8; TOKEN]>::as_slice).collect();
        rows.retain(|row| wanted.contains(row.4.as_slice()));
    }
    Ok(rows)
}

/// A waiting reply before its content is opened: key, expires, sealed, whether it was marked as being sent.
pub(in crate::ledger) type OutboxColumns = (i64, i64, Vec<u8>, i64);

/// How these are read.
macro_rules! outbox_columns {
    () => {
        "select key, expires_at, sealed, (select count(*) from sending s where s.key = o.key) from outbox o"
    };
}

/// Replies of one carrier behind a key that belong to an instance, in order, at most `limit`; but for those that this
/// start of it took over.
pub(in crate::ledger) async fn waiting(
    db: &Db,
    carrier: &CarrierId,
    (epoch, instance): (i64, &str),
    after: RowKey,
    limit: i64,
) -> Result<Vec<OutboxColumns>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as::<_, OutboxColumns>(concat!(
        outbox_columns!(),
        " where key > $1 and carrier = $2
           and (key >> 40) in (select w.epoch from writer w
                               left join adopted a on a.epoch = w.epoch and a.carrier = $2
                               left join writer h on h.epoch = a.heir
                               where coalesce(h.instance, w.instance) = $3 and coalesce(a.heir, 0) <> $4)
         order by key limit $5",
    ))
    .bind(after.0)
    .bind(carrier.as_str())
    .bind(instance)
    .bind(epoch)
    .bind(limit)
    .fetch_all(pool)
    .await);
    rows.map_err(|error| db.fault(&error))
}

/// The same that one start left, whoever it belongs to.
pub(in crate::ledger) async fn waiting_of(
    db: &Db,
    epoch: i64,
    carrier: &CarrierId,
    after: RowKey,
    limit: i64,
) -> Result<Vec<OutboxColumns>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as::<_, OutboxColumns>(concat!(
        outbox_columns!(),
        " where key > $1 and key > $2 and key < $3 and carrier = $4 order by key limit $5",
    ))
    .bind(after.0)
    .bind(RowKey::new(epoch, 0).0)
    .bind(RowKey::new(epoch + 1, 0).0)
    .bind(carrier.as_str())
    .bind(limit)
    .fetch_all(pool)
    .await);
    rows.map_err(|error| db.fault(&error))
}

/// The sealing key and salt of each epoch.
pub(in crate::ledger) async fn salts(db: &Db) -> Result<Vec<(i64, i64, Vec<u8>)>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as("select epoch, key_id, salt from writer").fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The newest exchanges with a sealed value: key and value, at most `limit`. Looked for among the newest 10,000 alone: an
/// epoch's worth of texts from no phone, which have none, must not hold up a start.
pub(in crate::ledger) async fn newest_sealed(db: &Db, limit: i64) -> Result<Vec<(i64, Vec<u8>)>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, sealed from (select key, sealed from exchange where key > 0 order by key desc limit 10000) newest
         where sealed is not null order by key desc limit $1",
    ).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// A stored value that cannot be.
pub(in crate::ledger) fn bad(db: &Db, table: &'static str, column: &'static str, row: i64) -> DbError {
    DbError::Inconsistent { database: db.name(), table, column, row }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        clock::Clock,
        db::{OpenDb, writing},
        ledger::{Keys, Ledger, LedgerError, SealError, Table},
    };

    fn keys(folder: &std::path::Path, octet: u8) -> Arc<Keys> {
        let file = folder.join("keys");
        std::fs::write(&file, Keys::new_file(&[octet; 64]).as_str()).unwrap();
        Arc::new(Keys::read(&file).unwrap())
    }

    #[tokio::test]
    async fn a_start_with_the_keys_of_another_store_is_refused_and_takes_no_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display()).into();
        let wait = Duration::from_secs(5);
        let db = Db::open(&OpenDb { name: "store", url, read_only: false, readers: 1, wait }).await.unwrap();
        let open = |keys| Ledger::open(db.clone(), keys, "one", Clock::fixed(Micros(1)));
        let (ledger, _writer) = open(keys(folder.path(), 1)).await.unwrap();
        let add = |n: i64, sealed: Vec<u8>| {
            let row = RowKey::new(ledger.epoch(), n);
            let insert = "insert into exchange values
                ($1, 0, 0, 'vtl', 'T', 0, '9999', null, null, null, 1, 0, 0, 'vi', 0, 1, null, 0, 0, 1, x'', null, 0,
                 null, null, $2, x'')";
            let db = &db;
            async move {
                writing!(db, pool => sqlx::query(insert).bind(row.0).bind(sealed).execute(pool).await.map(|_| ()))
                    .unwrap();
            }
        };
        add(1, ledger.seal(Table::Exchange, RowKey::new(ledger.epoch(), 1), b"number")).await;
        add(2, b"damaged".to_vec()).await;
        let refused = open(keys(folder.path(), 2)).await;
        assert!(matches!(refused, Err(LedgerError::Seal(SealError::OtherStore))));
        let (again, _writer) = open(keys(folder.path(), 1)).await.unwrap();
        assert_eq!(again.epoch(), ledger.epoch() + 1, "one damaged row is no reason, and the refusal took no epoch");
    }
}
