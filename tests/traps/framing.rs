//! Framing and malformed PDUs.

use crate::harness::trap;

trap!(t09_sm_length_past_end, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!(balance.exchanges, 1, "the broken question is none");
});
