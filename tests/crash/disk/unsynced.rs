//! The disk does not keep what was written: an fsync fails. The process ends at once with an exit code of its own, a start
//! ends the same way for as long as that goes on, and the first one that can makes sure of all that it builds on: a loss
//! of power after that loses nothing, although the system said "written" of what is not there.

use super::trial::{Trial, trial};
use crate::site::{CARRIER, Serving};

/// Exit code when nobody knows what is on the disk.
const UNSYNCED: i32 = 74;

/// Exit code when the store cannot be used.
const UNREACHABLE: i32 = 69;

/// What a timer runs.
const CLOSE: [&str; 4] = ["billing", "close", "--carrier", CARRIER];

#[tokio::test]
async fn a_log_that_the_disk_did_not_keep_is_neither_trusted_nor_built_on() {
    trial("log not synced", async |trial: &mut Trial| {
        let serving = trial.serve();
        trial.goes_well().await;
        trial.disk.fail("sync EIO -1 tracuu.db-wal");
        ended(serving).await;
        trial.breaks(1).await;
        ended(trial.serve()).await;
        assert!(!trial.disk.holds("tracuu.db-wal"), "all that was written is on the disk");
        // The log is made whole before anything of it is copied elsewhere.
        trial.disk.fail("write EIO -1 tracuu.db");
        let (code, said) = trial.serve().ended().await;
        assert_eq!(code, Some(UNREACHABLE), "{said}");
        assert!(trial.disk.holds("tracuu.db-wal"), "the log that the start builds on is not on the disk");
        trial.disk.heal();
        let serving = trial.serve();
        trial.goes_well().await;
        serving.kill().await;
        trial.breaks(2).await;
        trial.disk.lose_power();
        let serving = trial.serve();
        trial.goes_well().await;
        (serving, 2)
    })
    .await;
}

#[tokio::test]
async fn a_file_that_the_disk_did_not_keep_ends_the_process_too() {
    trial("file not synced", async |trial: &mut Trial| {
        let serving = trial.serve();
        trial.goes_well().await;
        trial.disk.fail("sync EIO 1 tracuu.db");
        ended(serving).await;
        assert_eq!(trial.disk.met(), "sync tracuu.db EIO\n");
        trial.disk.heal();
        trial.breaks(1).await;
        let serving = trial.serve();
        trial.goes_well().await;
        (serving, 1)
    })
    .await;
}

#[tokio::test]
async fn a_file_for_the_carrier_is_not_closed_over_what_the_disk_did_not_keep() {
    trial("billing after it", async |trial: &mut Trial| {
        let serving = trial.serve();
        trial.goes_well().await;
        trial.disk.fail("sync EIO -1 tracuu.db-wal");
        ended(serving).await;
        trial.breaks(1).await;
        let closing = trial.site.command_with(&CLOSE, trial.disk.environment()).await;
        assert_eq!(closing.code, Some(UNSYNCED), "{closing:?}");
        trial.disk.heal();
        let closing = trial.site.command_with(&CLOSE, trial.disk.environment()).await;
        assert_eq!(closing.code, Some(0), "{closing:?}");
        trial.disk.lose_power();
        let serving = trial.serve();
        trial.goes_well().await;
        (serving, 1)
    })
    .await;
}

async fn ended(serving: Serving) {
    let (code, said) = serving.ended().await;
    assert_eq!(code, Some(UNSYNCED), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let words = ["tracuu: ", "the disk did not keep what was written to it", "check the disk", "start again"];
    assert!(words.iter().all(|words| last.contains(words)), "{last}");
}
