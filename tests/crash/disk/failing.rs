//! A store that cannot be written for a while: temporary errors, the reason in `tracuu status`, and all is well by itself
//! when the trouble is over, without a restart.

use sqlx::{Connection as _, SqliteConnection};

use super::trial::{Trial, trial};

#[tokio::test]
async fn a_full_disk_is_outlasted() {
    injected("disk full", "write ENOSPC -1 tracuu.db*", "its disk is full").await;
}

#[tokio::test]
async fn a_disk_that_gives_errors_is_outlasted() {
    injected("errors of the disk", "write EIO -1 tracuu.db*", "its disk gives errors").await;
}

#[tokio::test]
async fn a_file_system_that_becomes_read_only_is_outlasted() {
    injected("read-only file system", "change EROFS -1 tracuu.db*", "its file or file system is read-only").await;
}

#[tokio::test]
async fn another_process_that_holds_the_lock_is_outlasted() {
    trial("lock held", async |trial: &mut Trial| {
        let serving = trial.serve();
        trial.goes_well().await;
        let url = format!("sqlite:{}", trial.site.folder.path().join("tracuu.db").display());
        let mut other = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("begin immediate").execute(&mut other).await.unwrap();
        trial.is_put_off().await;
        trial
            .status_says("store: DOWN, carriers get temporary errors: store cannot be used now: another process", 1)
            .await;
        sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
        trial.goes_well().await;
        trial.status_says("store: commit ", 0).await;
        other.close().await.unwrap();
        (serving, 0)
    })
    .await;
}

async fn injected(label: &str, fault: &str, words: &str) {
    trial(label, async |trial: &mut Trial| {
        let serving = trial.serve();
        trial.goes_well().await;
        trial.disk.fail(fault);
        trial.is_put_off().await;
        trial
            .status_says(&format!("store: DOWN, carriers get temporary errors: store cannot be used now: {words}"), 1)
            .await;
        trial.disk.heal();
        trial.goes_well().await;
        trial.status_says("store: commit ", 0).await;
        assert!(!trial.disk.met().is_empty(), "no call failed");
        (serving, 0)
    })
    .await;
}
