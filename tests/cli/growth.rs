//! A store that grows, as its operator meets it: what would go, what goes, whether the audit chain holds, room on the disk.

use std::{fs, path::Path, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tracuu::{
    clock::Clock,
    db::{Db, OpenDb},
    ledger::{Entry, ExchangeRow, Fate, Keys, Ledger},
    message::{CarrierId, ChargeClass, Lang, Outcome, Reason, Service, Stream},
};

use crate::support::{
    cli::{Finished, tracuu},
    databases::databases,
};

fn says(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) -> Finished {
    let finished = tracuu(folder, arguments);
    assert_eq!(finished.code, Some(code), "tracuu {arguments:?}: {finished:?}");
    for word in words {
        let told = finished.stdout.contains(word) || finished.stderr.contains(word);
        assert!(told, "tracuu {arguments:?} does not say \"{word}\": {finished:?}");
    }
    finished
}

/// Questions of three years ago, answered with silence.
async fn fill(folder: &Path, url: &str, count: usize) {
    let wait = Duration::from_secs(10);
    let db = Db::open(&OpenDb { name: "store", url: url.to_owned().into(), read_only: false, readers: 1, wait }).await;
    let keys = Arc::new(Keys::read(&folder.join("tracuu.keys")).unwrap());
    let then = Clock::System.now().plus_seconds(-3 * 365 * 86_400);
    let (ledger, writer) = Ledger::open(db.unwrap(), keys, "one", Clock::fixed(then)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { writer.run().await.unwrap() });
    let row = || ExchangeRow {
        key: ledger.next_key(),
        received_at: then,
        carrier: CarrierId::parse("sim").unwrap(),
        stream: Stream::Test,
        line: 0,
        short_code: "9999".into(),
        sender_token: None,
        subject_token: None,
        key_token: None,
        outcome: Outcome::Silenced,
        reason: Reason::NotAPhone,
        service: Service::None,
        lang: Lang::Vi,
        fields: 0,
        parts: 1,
        concat_ref: None,
        data_coding: 0,
        chars: 2,
        charge_class: ChargeClass::Charge,
        fingerprints: vec![1; 16],
        reply: None,
        sealed: None,
    };
    let entry = |_| Entry::Exchange { row: Box::new(row()), outbox: None, consumes: Vec::new(), ticket: None };
    let fates = ledger.store((0..count).map(entry).collect()).await;
    assert!(fates.iter().all(|fate| *fate == Fate::Stored), "{fates:?}");
    drop(ledger);
    tasks.join_all().await;
}

#[tokio::test]
async fn the_old_is_told_then_removed_and_the_audit_chain_is_checked_before_and_after() {
    for database in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        says(folder, &["init"], 0, &[]);
        let settings = folder.join("tracuu.toml");
        let text = fs::read_to_string(&settings).unwrap().replace("sqlite:tracuu.db", &database.url);
        fs::write(&settings, text).unwrap();
        if database.label == "SQLite" {
            says(folder, &["store", "prune"], 69, &["store"]);
            says(folder, &["store", "verify"], 69, &["store"]);
        }
        fill(folder, &database.url, 5).await;
        says(
            folder,
            &["store", "prune"],
            0,
            &[
                "removed: 0 questions",
                "stays: old questions of carrier sim, stream T, are in no published billing file",
            ],
        );
        says(folder, &["billing", "close", "--carrier", "sim"], 0, &["5 records"]);
        says(folder, &["store", "prune", "--dry-run"], 0, &["would be removed: 5 questions", "the store takes"]);
        says(folder, &["store", "verify"], 0, &["the audit chain holds: 5 rows of 1 starts, 0 rows"]);
        says(folder, &["store", "prune", "--at-once"], 0, &["removed: 5 questions"]);
        says(folder, &["store", "verify"], 0, &["the audit chain holds: 0 rows of 1 starts, 5 rows before them"]);
        says(folder, &["store", "vacuum"], 0, &["the store takes"]);
        says(folder, &["store", "prune"], 0, &["removed: 0 questions"]);
        fill(folder, &database.url, 2).await;
        let db = database.open().await;
        let change = "update exchange set chars = chars + 1";
        match &db {
            Db::Sqlite { writer, .. } => drop(sqlx::raw_sql(change).execute(writer).await.unwrap()),
            Db::Postgres { pool, .. } => drop(sqlx::raw_sql(change).execute(pool).await.unwrap()),
        }
        db.close().await;
        says(folder, &["store", "verify"], 1, &["number 1) does not follow: it was altered"]);
    }
}
