//! The store's files: who may read them, what a stop leaves, and a damaged one at the start.

use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt as _, path::Path};

use sqlx::{Connection as _, SqliteConnection};
use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    sim::{Phone, Smsc, SmscSettings},
};

use crate::site::{CODE, Site, within};

/// Exit code for a damaged file.
const DAMAGED: i32 = 65;

/// A site whose service has answered one question.
async fn used() -> Site {
    let tracker = TaskTracker::new();
    let smsc = Smsc::listen((Ipv4Addr::LOCALHOST, 0).into(), SmscSettings::default(), &tracker, Clock::System);
    let smsc = smsc.await.unwrap();
    let site = Site::new(smsc.address(), 1, 300, None).await;
    let serving = site.serve();
    within("the service to bind", smsc.bound()).await;
    for name in ["tracuu.db", "tracuu.db-wal", "tracuu.db-shm"] {
        let mode = fs::metadata(site.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} may be read by others: {mode:o}");
    }
    let mut other = open(&site.folder.path().join("tracuu.db")).await;
    let phone = Phone::new(&smsc, "84520000001".to_owned());
    for part in phone.parts("HD", CODE) {
        assert_eq!(within("an answer", smsc.deliver(part)).await.unwrap().status, 0);
    }
    within("a reply", phone.reply()).await;
    // While others have it open, SQLite does nothing of that by itself.
    assert_eq!(exchanges(&mut other).await, 1);
    serving.stop().await;
    let log = fs::metadata(site.folder.path().join("tracuu.db-wal")).unwrap();
    assert_eq!(log.len(), 0, "the stop left something in the log");
    let copy = site.folder.path().join("copy.db");
    fs::copy(site.folder.path().join("tracuu.db"), &copy).unwrap();
    let mut copied = open(&copy).await;
    assert_eq!(exchanges(&mut copied).await, 1, "the file alone does not hold all");
    copied.close().await.unwrap();
    other.close().await.unwrap();
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    site
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap()
}

async fn exchanges(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("select count(*) from exchange").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_store_is_its_owners_alone_and_whole_in_its_file_after_a_stop_and_a_damaged_one_is_left_as_it_is() {
    let site = used().await;
    let file = site.folder.path().join("tracuu.db");
    let sound = fs::read(&file).unwrap();
    let root: i64 = {
        let mut connection = open(&file).await;
        let text = "select rootpage from sqlite_schema where name = 'quarantine'";
        let root = sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        root
    };
    // A table that no start reads: only whoever reads the file through finds it.
    let page = (root as usize - 1) * 4_096;
    for (at, words) in [(0, "is no SQLite database"), (page, "its file is damaged")] {
        let mut damaged = sound.clone();
        damaged[at..at + 100].fill(0xA5);
        fs::write(&file, &damaged).unwrap();
        let (code, said) = site.serve().ended().await;
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(code, Some(DAMAGED), "{last}");
        assert!(last.starts_with("tracuu: store") && last.contains(words) && last.contains("left as it is"), "{last}");
        assert_eq!(fs::read(&file).unwrap(), damaged, "the damaged file was changed");
    }
}
