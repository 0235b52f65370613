//! Sequence numbers and responses. The wrap of our own numbers (`t51_our_wrap`) is tried where they are given out, in
//! `smpp`: no SMSC can bring it about.

use crate::harness::{Run, trap};

/// What scripts with receipts ask for.
async fn settle(run: &mut Run, _: &str) {
    run.settled().await;
}

trap!(t45_responses_out_of_order, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.settled, counted.possible_dups), (counted.exchanges, 0), "{counted:?}");
});
trap!(t46_response_unknown);
trap!(t47_response_late, cue: settle, check: async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.exchanges, counted.settled, counted.possible_dups), (3, 3, 2), "{counted:?}");
    let (_, replies) = run.records("sim").await;
    assert!(replies.iter().all(|reply| reply.seg_accepted == reply.seg_planned), "{replies:?}");
    assert_eq!(run.carrier_board("sim").counted("receipt_unknown_id"), 0, "both ids are known");
});
trap!(t48_response_twice);
trap!(t49_response_wrong_kind);
trap!(t50_sequence_zero_or_huge, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.exchanges, counted.repeats), (6, 0), "{counted:?}");
});
trap!(t52_nack_with_sequence, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.exchanges, counted.settled), (3, 3), "{counted:?}");
});
trap!(t53_nack_sequence_zero, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.exchanges, counted.settled, counted.possible_dups), (1, 1, 0), "{counted:?}");
});
trap!(t54_same_sequence_for_segments);
