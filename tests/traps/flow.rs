//! Window, throttling, congestion.

use sqlx::Connection as _;
use tracuu::{
    board::CarrierBoard,
    ledger::{FLAG_POSSIBLE_DUP, read::store::MtRow},
};

use crate::harness::{PATIENCE, Run, trap};

/// The records of the first carrier's replies.
async fn replies(run: &Run) -> Vec<MtRow> {
    run.records("sim").await.1
}

trap!(t55_throttled, async |run| {
    let replies = replies(run).await;
    assert!(replies.len() == 2 && replies.iter().all(|record| record.result == "ACCEPTED"), "{replies:?}");
});

trap!(t56_throttled_mid_text, async |run| {
    let replies = replies(run).await;
    assert!(replies.iter().all(|record| record.result == "ACCEPTED" && record.seg_accepted == record.seg_planned));
});

trap!(t57_queue_full_one_number, async |run| {
    let mut replies = replies(run).await;
    replies.sort_by_key(|record| record.exchange_key);
    let results: Vec<&str> = replies.iter().map(|record| record.result.as_str()).collect();
    assert_eq!(results, ["EXPIRED", "ACCEPTED", "ACCEPTED", "ACCEPTED"]);
    assert_eq!(replies[0].status, Some(0x14));
    assert_eq!(run.carrier_board("sim").counted("queue_full_all"), 0);
});

trap!(t58_queue_full_all, async |run| {
    let replies = replies(run).await;
    assert!(replies.len() == 4 && replies.iter().all(|record| record.result == "ACCEPTED"), "{replies:?}");
});

trap!(t59_throttled_for_ever, async |run| {
    let replies = replies(run).await;
    assert_eq!((replies.len(), replies[0].result.as_str(), replies[0].seg_accepted), (1, "EXPIRED", 0));
    assert_eq!(replies[0].status, Some(0x58));
});

trap!(t60_throttled_but_taken, async |run| {
    let replies = replies(run).await;
    assert_eq!((replies.len(), replies[0].result.as_str()), (1, "ACCEPTED"), "both copies are one reply");
    assert_eq!(replies[0].flags & FLAG_POSSIBLE_DUP, FLAG_POSSIBLE_DUP);
});

trap!(t64_account_limit_shared, cue: async |run, _| {
    let mut store = run.lock_store().await;
    let lives = "insert into writer (epoch, instance, started_at, salt, key_id, exchange_high, settlement_high, commits, \
                 committed_at, lease_until, audit_head) \
                 select max(epoch) + 1, 'other', 0, max(salt), max(key_id), 0, 0, 0, 0, 9223372036854775807, max(audit_head) \
                 from writer";
    sqlx::raw_sql(lives).execute(&mut store).await.unwrap();
    sqlx::raw_sql("commit").execute(&mut store).await.unwrap();
    store.close().await.unwrap();
    halved(run.carrier_board("sim")).await;
}, check: async |_| {});

trap!(t65_congestion_state);

/// Waits until the outbox has heard that it is not alone.
async fn halved(board: &CarrierBoard) {
    let known = async {
        while board.flow_now().rate != Some(5.0) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.expect("the rate is shared");
}

trap!(t61_slow_reader);

trap!(t62_window_overrun_drop);

trap!(t63_window_slot_leak, async |run| {
    let (balance, _) = run.books().await;
    assert_eq!(balance.exchanges, 6);
});
