//! Years of exchanges, put into a store past the service: as many rows and octets as the service would have written, with
//! settlements, billing files and claims. Their seals and audit hashes are made up, but for the newest.

use std::{cell::Cell, sync::Arc};

use sqlx::Connection as _;
use tracuu::{
    clock::{Clock, Micros},
    db::Db,
    ledger::{Keys, Ledger, Table},
    message::RowKey,
};

/// The carrier of all rows.
const CARRIER: &str = "sim";

/// From the first exchange to the last, and from the last to now, in days.
const SPAN: u64 = 1_000;
const AGO: u64 = 30;
const DAY: i64 = 86_400_000_000;

/// Exchanges of one transaction, and of one billing file.
const CHUNK: u64 = 100_000;
const FILE: u64 = 50_000;

/// How many days must be kept for so many of the oldest to go.
pub(crate) fn days_that_leave(exchanges: u64, go: u64) -> u32 {
    let span = SPAN as f64 * (1.0 - go as f64 / exchanges as f64);
    AGO as u32 + span.round() as u32
}

/// Fills a store that is empty; `false` when it holds something already.
pub(crate) async fn fill(db: &Db, keys: Arc<Keys>, exchanges: u64) -> bool {
    let Db::Sqlite { readers, .. } = db else { panic!("it is SQLite") };
    let now = Clock::System.now();
    let (ledger, writer) = Ledger::open(db.clone(), keys, "years", Clock::System).await.unwrap();
    let epoch = ledger.epoch();
    let found: Option<i64> =
        sqlx::query_scalar("select key from exchange limit 1").fetch_optional(readers).await.unwrap();
    if found.is_none() {
        let file: String = sqlx::query_scalar("select file from pragma_database_list where name = 'main'")
            .fetch_one(readers)
            .await
            .unwrap();
        rows(&file, epoch, exchanges, now, |key| ledger.seal(Table::Exchange, key, &84_520_000_001_u64.to_be_bytes()))
            .await;
    }
    drop(ledger);
    writer.run().await.unwrap();
    found.is_none()
}

async fn rows(file: &str, epoch: i64, exchanges: u64, now: Micros, seal: impl Fn(RowKey) -> Vec<u8>) {
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await.unwrap();
    sqlx::raw_sql("pragma synchronous = off; pragma cache_size = -65536").execute(&mut db).await.unwrap();
    let first = now.0 - (SPAN + AGO) as i64 * DAY;
    let step = SPAN as i64 * DAY / exchanges as i64;
    let told = Cell::new(0);
    let mut done = 0;
    while done < exchanges {
        let (lo, hi) = (done + 1, (done + CHUNK).min(exchanges));
        let numbers = format!("with recursive s(n) as (select {lo} union all select n + 1 from s where n < {hi})");
        let (key, at) = (format!("({epoch} << 40 | n)"), format!("({first} + n * {step})"));
        let statements = format!(
            "begin;
             {numbers} insert into exchange
                 select {key}, {at}, {at} + 3000, '{CARRIER}', 'T', 0, '9999', randomblob(16), randomblob(16), randomblob(16),
                        1, 0, 1, 'vi', 31, 1, null, 0, 11, 1, randomblob(16), 1, 1, 0, 150, randomblob(24), randomblob(32)
                 from s;
             {numbers} insert into settlement
                 select {key}, {key}, 1, 1, '{CARRIER}', 'T', 0, {at} + 4000, {at} + 9000, 'ACCEPTED', 1, 1, null, null, null,
                        cast({key} as text), 0
                 from s;
             commit"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut db).await.unwrap();
        done = hi;
        if done - told.get() >= 5_000_000 {
            told.set(done);
            println!("{done} exchanges are in");
        }
    }
    let files = exchanges.div_ceil(FILE);
    let statements = format!(
        "begin;
         with recursive s(n) as (select 1 union all select n + 1 from s where n < {files})
         insert into billing_file
             select '{CARRIER}', 'T', n, 'tracuu-cdr/1', 'tracuu', 'SIM', 'Asia/Ho_Chi_Minh', 'ACCEPTED', null, '2023-01',
                    (n - 1) * {FILE} * 2 + 1, min({FILE}, {exchanges} - (n - 1) * {FILE}) * 2, {first}, {now}, 'time', 0,
                    hex(randomblob(32)), hex(randomblob(8)), 'file' || n, hex(randomblob(32)), hex(randomblob(8))
             from s;
         with recursive s(n) as (select 1 union all select n + 1 from s where n < {files})
         insert into billing_claim
             select '{CARRIER}', 'T', n, {epoch}, kind, (n - 1) * {FILE}, min(n * {FILE}, {exchanges})
             from s join (select 'MO' as kind union select 'MT');
         commit",
        now = now.0
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut db).await.unwrap();
    // What a start tries the keys on.
    for n in exchanges.saturating_sub(8)..=exchanges {
        let key = RowKey::new(epoch, n as i64);
        let update = sqlx::query("update exchange set sealed = $1 where key = $2").bind(seal(key)).bind(key.0);
        update.execute(&mut db).await.unwrap();
    }
    sqlx::query("update writer set exchange_high = $1, settlement_high = $1 where epoch = $2")
        .bind(exchanges as i64)
        .bind(epoch)
        .execute(&mut db)
        .await
        .unwrap();
    db.close().await.unwrap();
}
