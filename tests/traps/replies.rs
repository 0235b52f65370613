//! Our submit_sm.

use tracuu::ledger::{FLAG_POSSIBLE_DUP, read::store::MtRow};

use crate::harness::{Run, trap};

/// The records of the first carrier's replies, in the order of the questions.
async fn replies(run: &Run) -> Vec<MtRow> {
    let mut replies = run.records("sim").await.1;
    replies.sort_by_key(|record| record.exchange_key);
    replies
}

trap!(t122_submit_unanswered, async |run| {
    let replies = replies(run).await;
    let ends: Vec<_> = replies.iter().map(|record| (record.result.as_str(), record.flags)).collect();
    assert_eq!(ends, [("ACCEPTED", FLAG_POSSIBLE_DUP), ("ACCEPTED", 0)], "sent again, one record, flagged");
});

trap!(t123_source_refused, cue: async |run, _| run.alarmed("source_refused").await, check: async |run| {
    let replies = replies(run).await;
    assert_eq!(replies.len(), 4);
    assert!(replies.iter().all(|record| record.result == "EXPIRED" && record.seg_accepted == 0), "{replies:?}");
});

trap!(t124_plus_refused);

trap!(t125_validity_refused);

trap!(t126_times_ignored);

trap!(t127_receipt_refused, async |run| {
    assert!(replies(run).await.iter().all(|record| record.result == "ACCEPTED"));
});

trap!(t128_receipt_unasked);

trap!(t129_coding_refused, async |run| {
    let replies = replies(run).await;
    assert!(replies.iter().all(|record| record.result == "ACCEPTED" && record.seg_accepted == record.seg_planned));
});

trap!(t130_udh_refused, async |run| {
    assert_eq!((replies(run).await[0].result.as_str(), replies(run).await[0].status), ("EXPIRED", Some(0x43)));
});

trap!(t131_smsc_splits_itself, async |run| {
    let record = replies(run).await.remove(0);
    assert!(record.seg_planned > 1 && record.seg_accepted == record.seg_planned, "counted as it goes over the air");
});

trap!(t132_pending_reply_replaced);

trap!(t133_too_long, async |run| {
    let record = replies(run).await.remove(0);
    assert_eq!((record.result.as_str(), record.seg_accepted), ("ACCEPTED", record.seg_planned));
});
