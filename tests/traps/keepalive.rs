//! Keep-alive.

use std::time::Duration;

use crate::harness::{Around, play, trap};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t40_enquire_while_we_are_busy() {
    let mut lock = None;
    let cue = async |run: &mut crate::harness::Run, what: &str| match what {
        "lock the store" => lock = Some(run.lock_store().await),
        _ => lock = None,
    };
    Box::pin(play("t40_enquire_while_we_are_busy", Around::default(), cue, async |_| {})).await;
}

trap!(t41_enquire_unanswered);
trap!(t42_enquire_resp_error);

/// On one thread, so that nobody reads while it is held up.
#[tokio::test]
async fn t43_answer_read_late() {
    let cue = async |_: &mut crate::harness::Run, _: &str| std::thread::sleep(Duration::from_secs(2));
    Box::pin(play("t43_answer_read_late", Around::default(), cue, async |_| {})).await;
}

trap!(t44_enquire_before_bound);
