//! What is old, billed and done with leaves the store; everything else stays, and the audit chain holds all the time.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracuu::{
    billing::{published, repair},
    board::Board,
    clock::{Clock, Micros},
    config::{Config, RetentionSettings},
    db::Db,
    ledger::{ChainReport, PruneError, Pruner, Removed, read::store::balance, verify_chain},
    message::Stream,
    retention::{Manner, Nightly, ages, prune},
};

use super::ledger::{NOW, Shop, carrier};
use crate::support::databases::{databases, sqlite};

const DAY: i64 = 86_400;

/// All kinds are old now.
fn later() -> Micros {
    NOW.plus_seconds(800 * DAY)
}

fn settings() -> RetentionSettings {
    let (exchange_days, repeat_days, quarantine_days, break_days) = (Some(730), Some(90), Some(90), Some(30));
    RetentionSettings { exchange_days, repeat_days, quarantine_days, break_days, nightly: None }
}

impl Shop {
    async fn prune(&self) -> Removed {
        prune(&self.db, &self.keys, &settings(), later(), Manner::AtOnce, |_| ()).await.unwrap()
    }

    /// A run whose batches are of two rows.
    async fn pruner(&self) -> Pruner {
        let (ages, published) = (ages(&settings(), later()), published(&self.db).await.unwrap());
        Pruner::begin(&self.db, Arc::clone(&self.keys), ages, published, later(), (2, false)).await.unwrap()
    }

    async fn chain(&self) -> ChainReport {
        verify_chain(&self.db, &self.keys, |_| ()).await.unwrap()
    }

    /// The chain holds: rows that stand, and rows that were pruned.
    async fn chained(&self) -> (u64, u64) {
        let report = self.chain().await;
        assert_eq!(report.broken, Vec::<String>::new(), "{}", self.label);
        (report.rows, report.pruned)
    }

    async fn number(&self, select: &'static str) -> i64 {
        match &self.db {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(select).fetch_one(readers).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(select).fetch_one(pool).await.unwrap(),
        }
    }
}

fn went(removed: &Removed) -> (u64, u64) {
    (removed.exchanges, removed.settlements)
}

fn held(removed: &Removed, words: &str) -> bool {
    removed.held.iter().any(|why| why.contains(words))
}

#[tokio::test]
async fn only_what_is_old_published_and_settled_goes_and_the_chain_holds_at_every_step() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(7).await;
        running.settle_many(&keys[..5]).await;
        let none = shop.prune().await;
        assert!(went(&none) == (0, 0) && held(&none, "old questions of carrier vtl, stream P"), "{none:?}");

        shop.close().await;
        shop.meddle("update billing_file set sha256 = null").await;
        assert_eq!(went(&shop.prune().await), (0, 0), "{}: numbered, but not published", shop.label);
        // The next close publishes the one before.
        assert_eq!(shop.close().await.file_seq, 2);
        let young = prune(&shop.db, &shop.keys, &settings(), NOW.plus_seconds(DAY), Manner::AtOnce, |_| ()).await;
        assert_eq!(young.unwrap(), Removed::default(), "{}", shop.label);

        let dry = prune(&shop.db, &shop.keys, &settings(), later(), Manner::Dry, |_| ()).await.unwrap();
        assert_eq!(shop.chained().await, (7, 0), "{}: a dry run removed", shop.label);
        let first = shop.prune().await;
        assert_eq!((went(&first), &first), ((5, 5), &dry), "{}", shop.label);
        assert!(held(&first, "an old reply of carrier vtl still waits"), "{first:?}");
        assert_eq!(shop.chained().await, (2, 5), "{}", shop.label);

        running.settle_many(&keys[5..]).await;
        let none = shop.prune().await;
        assert!(went(&none) == (0, 0) && held(&none, "old replies of carrier vtl, stream P"), "{none:?}");
        let file = shop.close().await;
        assert_eq!((file.file_seq, file.mt, file.first_seq), (3, 2, 13), "{}", shop.label);
        let rest = shop.prune().await;
        assert_eq!((went(&rest), rest.held.len()), ((2, 2), 0), "{}", shop.label);
        assert_eq!(shop.chained().await, (0, 7), "{}", shop.label);

        let keys = running.ask_many(3).await;
        running.settle_many(&keys).await;
        let file = shop.close().await;
        assert_eq!((file.mo, file.mt, file.first_seq), (3, 3, 15), "{}: numbers go on", shop.label);
        assert_eq!(shop.chained().await, (3, 7), "{}", shop.label);
        let balance = balance(&shop.db).await.unwrap();
        assert_eq!((balance.exchanges, balance.settled, balance.lost, balance.doubled), (3, 3, 0, 0));
        running.stop().await;
    }
}

#[tokio::test]
async fn the_service_does_it_at_night_and_says_what_came_of_it() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(3).await;
        running.settle_many(&keys).await;
        shop.close().await;
        let (config, _) = Config::read(include_str!("../../../tracuu.example.toml"), "tracuu.toml", None);
        let (config, clock) = (config.unwrap(), Clock::fixed(NOW));
        let board = Board::new("one", clock.clone(), Vec::new());
        let (db, keys) = (shop.db.clone(), Arc::clone(&shop.keys));
        let nightly = Nightly::new(&config, db, keys, clock.clone(), Arc::clone(&board));
        clock.advance(later().since(NOW));
        let stop = CancellationToken::new();
        let seen = async {
            while board.view().pruned.is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            stop.cancel();
        };
        let ended = async { tokio::join!(nightly.run(stop.clone()), seen).0 };
        tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap().unwrap();
        let told = board.view().pruned.unwrap();
        assert!(told.starts_with("3 questions, 3 settlements"), "{} {told}", shop.label);
        assert_eq!(shop.chained().await, (0, 3), "{}", shop.label);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_run_that_ends_in_the_middle_leaves_whole_batches_and_the_next_goes_on() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(7).await;
        running.settle_many(&keys).await;
        shop.close().await;
        let mut pruner = shop.pruner().await;
        for gone in 1..=2 {
            assert!(pruner.next().await.unwrap());
            assert_eq!(shop.chained().await, (7 - 2 * gone, 2 * gone), "{}", shop.label);
            let balance = balance(&shop.db).await.unwrap();
            assert_eq!((balance.lost, balance.doubled), (0, 0), "{}", shop.label);
        }
        drop(pruner);
        // The rows refuse to go: the mark must stay with them.
        let (refuse, relent) = match &shop.db {
            Db::Sqlite { .. } => (
                "create trigger refuse before delete on exchange begin select raise(abort, 'no'); end",
                "drop trigger refuse",
            ),
            Db::Postgres { .. } => (
                "create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
                 create trigger refuse before delete on exchange for each row execute function refuse()",
                "drop trigger refuse on exchange",
            ),
        };
        shop.meddle(refuse).await;
        assert!(shop.pruner().await.next().await.is_err(), "{}", shop.label);
        assert_eq!(shop.chained().await, (3, 4), "{}", shop.label);
        shop.meddle(relent).await;
        let rest = shop.prune().await;
        assert_eq!(went(&rest), (3, 7), "{}", shop.label);
        assert_eq!(shop.chained().await, (0, 7), "{}", shop.label);
        running.stop().await;
    }
}

#[tokio::test]
async fn without_a_service_beside_it_the_log_of_a_sqlite_file_stays_short() {
    let database = sqlite();
    let shop = Shop::open(&database).await;
    let running = shop.start().await;
    let keys = running.ask_many(800).await;
    running.settle_many(&keys).await;
    shop.close().await;
    running.stop().await;
    let log = format!("{}-wal", database.url.trim_start_matches("sqlite:"));
    let mut pruner = shop.pruner().await;
    while pruner.next().await.unwrap() {}
    assert_eq!(went(pruner.removed()), (800, 800));
    // A batch is two rows; all of them write some 1,900 pages, and 1,000 are merged at a time.
    let pages = std::fs::metadata(log).map_or(0, |found| found.len()) / 4_096;
    assert!(pages < 1_200, "the log has grown to {pages} pages");
}

#[tokio::test]
async fn of_two_that_remove_at_once_one_gives_way() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(6).await;
        running.settle_many(&keys).await;
        shop.close().await;
        let (mut one, mut other) = (shop.pruner().await, shop.pruner().await);
        assert!(one.next().await.unwrap());
        assert!(one.next().await.unwrap());
        // It saw the rows that have gone since.
        let refused = other.next().await;
        assert!(matches!(refused, Err(PruneError::Elsewhere)), "{} {refused:?}", shop.label);
        while one.next().await.unwrap() {}
        assert_eq!((went(one.removed()), shop.chained().await), ((6, 6), (0, 6)), "{}", shop.label);
        running.stop().await;
    }
}

#[tokio::test]
async fn rows_taken_away_by_hand_do_not_pass_for_pruned_ones() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(6).await;
        running.settle_many(&keys).await;
        shop.close().await;
        assert!(shop.pruner().await.next().await.unwrap());
        let says = async |words: &str| {
            let broken = shop.chain().await.broken;
            assert!(broken.iter().any(|why| why.contains(words)), "{}: {words}: {broken:?}", shop.label);
        };
        shop.meddle("create table copy as select * from exchange").await;
        shop.meddle("delete from exchange where key = (select min(key) from exchange)").await;
        says("does not follow: it was altered, or a row before it is gone").await;
        // With a mark that fits, as far as it can be made without the keys.
        shop.meddle(
            "update pruned set exchange_n = exchange_n + 1, exchanges = exchanges + 1,
                 audit_hash = (select audit_hash from copy order by key limit 1)",
        )
        .await;
        says("was not made with these keys").await;
        let refused = prune(&shop.db, &shop.keys, &settings(), later(), Manner::AtOnce, |_| ()).await;
        assert!(matches!(refused, Err(PruneError::Mark { .. })), "{} {refused:?}", shop.label);
        shop.meddle("delete from pruned; delete from exchange; insert into exchange select * from copy").await;
        says("does not follow").await;
        shop.meddle("delete from exchange where key = (select max(key) from exchange)").await;
        shop.meddle("update exchange set chars = chars + 1 where key = (select max(key) from exchange)").await;
        says("does not follow").await;
        shop.meddle("delete from exchange").await;
        says("the last rows of start 1 are gone").await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_carrier_that_was_never_billed_keeps_its_rows_and_what_lies_behind_them() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let first = running.ask_many(2).await;
        let other = running.ask("vnp", Stream::Test, &[NOW]).await;
        let second = running.ask_many(2).await;
        running.settle_many(&[first, second].concat()).await;
        running.settle("vnp", Stream::Test, &other, NOW).await;
        shop.close().await;
        let removed = shop.prune().await;
        assert_eq!(went(&removed), (2, 2), "{}", shop.label);
        assert!(held(&removed, "old questions of carrier vnp, stream T"), "{removed:?}");
        let mut vnp = carrier("vnp");
        vnp.stream = Stream::Test;
        shop.try_close(&vnp, NOW).await.unwrap();
        assert_eq!(went(&shop.prune().await), (3, 3), "{}", shop.label);
        assert_eq!(shop.chained().await, (0, 5), "{}", shop.label);
        running.stop().await;
    }
}

#[tokio::test]
async fn everything_else_goes_by_its_own_age_and_ended_starts_when_nothing_is_left_of_them() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(1).await;
        running.stop().await;
        let running = shop.start().await;
        running.settle_many(&keys).await;
        let file = shop.close().await;
        running.stop().await;
        // Some of NOW, some of 799 days later.
        shop.meddle(
            "insert into repeat_question values (1, 1, 'vtl', 0), (2, 1, 'vtl', 1864530000000000);
             insert into session_break values (1, 'vtl', 0, 1), (1, 'vtl', 1864530000000000, 1)",
        )
        .await;
        let (quarantine, keyed) = match &shop.db {
            Db::Sqlite { .. } => ("x''", 1_i64 << 40),
            Db::Postgres { .. } => ("''", 1_i64 << 40),
        };
        let statement = format!(
            "insert into quarantine values ({}, 0, 'vtl', 0, 'a', 1, 1, {quarantine}), ({}, 1864530000000000, 'vtl', 0, 'a', 1, 1, {quarantine});
             update repeat_question set key = key + {keyed}; insert into adopted values (1, 'vtl', 2, 0)",
            keyed + 1,
            keyed + 2
        );
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        match &shop.db {
            Db::Sqlite { writer, .. } => drop(statement.execute(writer).await.unwrap()),
            Db::Postgres { pool, .. } => drop(statement.execute(pool).await.unwrap()),
        }
        let removed = shop.prune().await;
        assert_eq!(went(&removed), (1, 1), "{}", shop.label);
        let others = (removed.repeats, removed.quarantined, removed.breaks, removed.starts);
        assert_eq!(others, (1, 1, 1, 0), "{}: rows of the first start stay", shop.label);
        assert_eq!(shop.number("select count(*) from adopted").await, 0, "{}", shop.label);
        shop.meddle("update repeat_question set received_at = 0; update quarantine set at = 0").await;
        shop.meddle("update session_break set at = 0").await;
        let removed = shop.prune().await;
        assert_eq!((removed.starts, shop.number("select min(epoch) from writer").await), (1, 2), "{}", shop.label);
        assert_eq!(shop.chained().await, (0, 1), "{}", shop.label);
        let again = shop.start().await;
        assert_eq!(again.ledger.epoch(), 3, "{}", shop.label);
        // A published file whose rows have gone is left to the archive.
        std::fs::remove_file(&file.path).unwrap();
        let repaired = repair(&shop.db, &shop.keys, &carrier("vtl"), &shop.settings).await.unwrap();
        assert_eq!(repaired, [], "{}", shop.label);
        assert_eq!(shop.close().await.first_seq, 3, "{}", shop.label);
        again.stop().await;
    }
}
