//! Who asks whom, and what an SMSC sends again.

use tracuu::{ledger::read::trap_counts, message::Outcome};

use crate::harness::{Around, Run, play, trap};

/// Does what these scripts wait for.
async fn help(run: &mut Run, what: &'static str) {
    if what == "wait until one question is stored" {
        run.until(what, |counted| counted.exchanges == 1).await;
    } else {
        run.until_noted("session_break").await;
    }
}

/// Exchanges, repeats.
async fn counted(run: &Run) -> (i64, i64) {
    let balance = run.balance().await;
    (balance.exchanges, balance.repeats)
}

trap!(t83_source_not_a_phone, async |run| {
    let balance = run.balance().await;
    assert_eq!((balance.exchanges, balance.silences), (5, 5));
});
trap!(t85_destination_forms, async |run| {
    let (questions, _) = run.records("sim").await;
    let suffixed = questions.iter().filter(|record| record.short_code == "999912").count();
    assert_eq!((questions.len(), suffixed), (12, 6));
});
trap!(t86_destination_not_ours, async |run| {
    assert_eq!(counted(run).await, (1, 0));
    let db = run.open_store().await;
    let kept = trap_counts(&db).await.unwrap();
    db.close().await;
    assert_eq!((kept[0].trap.as_str(), kept[0].messages), ("destination_not_ours", 1));
    let board = run.carrier_board("sim");
    run.clock.advance(24 * 3_600 * 1_000_000 - 1);
    assert!(board.alarmed("destination_not_ours"));
    run.clock.advance(1);
    assert!(!board.alarmed("destination_not_ours"), "none came for a day");
});
trap!(t89_echo_of_our_reply, async |run| {
    let (questions, _) = run.records("sim").await;
    let silenced = questions.iter().filter(|record| record.outcome == i64::from(Outcome::Silenced.code())).count();
    assert_eq!((questions.len(), silenced), (9, 4), "two echoes, and two of six by the machine");
});
trap!(t90_same_text_twice_by_person, async |run| assert_eq!(counted(run).await, (2, 0)));
trap!(t91_resent_after_break, cue: help, check: async |run| assert_eq!(counted(run).await, (1, 2)));
trap!(t94_resent_on_other_line, cue: help, check: async |run| assert_eq!(counted(run).await, (1, 1)));

/// Plays a script that has the store locked and freed.
async fn with_a_lock(name: &str, check: impl AsyncFnOnce(&Run)) {
    let mut lock = None;
    let cue = async |run: &mut Run, what: &'static str| {
        lock = if what == "lock the store" { Some(run.lock_store().await) } else { None };
    };
    Box::pin(play(name, Around::default(), cue, check)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t92_resent_without_break() {
    with_a_lock("t92_resent_without_break", async |run| assert_eq!(counted(run).await, (1, 2))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t93_refused_yet_stored() {
    with_a_lock("t93_refused_yet_stored", async |run| assert_eq!(counted(run).await.0, 1, "one question, one reply"))
        .await;
}
