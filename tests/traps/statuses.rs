//! Odd command_status.

use tracuu::ledger::read::store::MtRow;

use crate::harness::{Run, trap};

/// The records of the first carrier's replies, in the order of the questions.
async fn replies(run: &Run) -> Vec<MtRow> {
    let mut replies = run.records("sim").await.1;
    replies.sort_by_key(|record| record.exchange_key);
    replies
}

/// How they ended, each with the status that is kept for the operator.
async fn ends(run: &Run) -> Vec<(String, Option<i64>)> {
    replies(run).await.into_iter().map(|record| (record.result, record.status)).collect()
}

fn end(result: &str, status: impl Into<Option<i64>>) -> (String, Option<i64>) {
    (result.to_owned(), status.into())
}

trap!(t66_status_unknown, async |run| {
    let mut expected: Vec<_> = [0x22, 0x5A, 0x94, 0x55F, 0x400].map(|status| end("EXPIRED", status)).into();
    expected.push(end("ACCEPTED", None));
    assert_eq!(ends(run).await, expected);
});

trap!(t67_status_means_other, async |run| {
    let (taken, ended) = (end("ACCEPTED", None), end("REJECTED", 0x45));
    assert_eq!(ends(run).await, [ended, taken.clone(), taken.clone(), end("EXPIRED", 0x401), taken]);
});

trap!(t68_error_with_body, async |run| {
    assert_eq!(ends(run).await, [end("REJECTED", 0x0B), end("ACCEPTED", None)]);
    assert!(
        replies(run).await[0].message_ids.as_ref().is_none_or(|ids| !ids.contains("0A00")),
        "its id counts for nothing"
    );
});

trap!(t69_error_without_body, async |run| {
    assert_eq!(ends(run).await, [end("REJECTED", 0x0B), end("ACCEPTED", None)]);
});

trap!(t70_error_with_tlvs_only, async |run| {
    assert_eq!(ends(run).await, [end("REJECTED", 0xFE), end("ACCEPTED", None)]);
});

trap!(t71_ok_without_id, async |run| {
    assert_eq!(ends(run).await, vec![end("ACCEPTED", None); 3]);
});

trap!(t72_id_always_the_same, async |run| {
    assert_eq!(ends(run).await, vec![end("ACCEPTED", None); 5]);
});

trap!(t73_id_reused, cue: async |run, _| { run.settled().await; }, check: async |run| {
    let replies = replies(run).await;
    let states = "select exchange_key, result from settlement where closes = 0 order by key";
    let mut store = run.lock_store().await;
    let rows: Vec<(i64, String)> = sqlx::query_as(states).fetch_all(&mut store).await.unwrap();
    let of = |at: usize| rows.iter().rfind(|(key, _)| *key == replies[at].exchange_key).map(|(_, state)| state.as_str());
    assert_eq!((of(0), of(1)), (Some("DELIVERED"), Some("UNDELIVERED")), "each receipt belongs to the newest with its id");
});

trap!(t74_id_too_long_or_raw, async |run| {
    let replies = replies(run).await;
    let ids = |at: usize| replies[at].message_ids.clone().unwrap_or_default();
    assert!(ids(0).contains(&"7".repeat(70)) && ids(1).contains("raw-1"), "as they came");
});

trap!(t75_status_in_transaction_mode, async |run| {
    assert_eq!(ends(run).await, [end("REJECTED", 0xFE), end("EXPIRED", 0xFE), end("ACCEPTED", None)]);
});
