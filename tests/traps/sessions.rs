//! Bind, unbind, session.

use crate::harness::{Run, trap};

/// Stops and starts the service at the script's word.
async fn stop_and_start(run: &mut Run, what: &str) {
    match what {
        "begin to stop the service" => run.begin_stop(),
        "start the service again" => {
            run.stop_service().await;
            run.start_service().await;
        }
        other => panic!("no such cue: {other}"),
    }
}

trap!(t21_bind_resp_without_body);
trap!(t22_bind_never_answered);
trap!(t23_already_bound);
trap!(t24_session_limit, cue: async |run, _| run.alarmed("session_limit").await, check: async |run| {
    let board = run.carrier_board("sim");
    assert!(!board.alarmed("session_limit"), "it is over with the bind");
    assert!(!board.alarmed("credentials_refused"), "the account is good: it is bound");
});
trap!(t25_credentials_refused, cue: async |run, _| run.alarmed("credentials_refused").await, check: async |run| {
    assert!(!run.carrier_board("sim").alarmed("credentials_refused"), "it is over with the bind");
});
trap!(t26_password_over_8);
trap!(t27_deliver_before_bind_resp, async |run| {
    assert_eq!(run.balance().await.exchanges, 20, "what was left unanswered is not stored");
});
trap!(t28_burst_with_bind_resp, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.exchanges, counted.settled, counted.repeats), (5_000, 5_000, 0));
});
trap!(t29_version_lower);
trap!(t30_unbind_from_smsc, async |run| {
    assert_eq!(run.balance().await.possible_dups, 0, "the answer after the unbind was taken");
});
trap!(t31_our_unbind_unanswered, cue: stop_and_start, check: async |_| {});
trap!(t32_deliver_after_our_unbind, cue: stop_and_start, check: async |_| {});
trap!(t33_eof_with_submits_open, async |run| {
    let counted = run.balance().await;
    assert_eq!((counted.settled, counted.possible_dups), (10, 10), "{counted:?}");
});
trap!(t34_outbind);
trap!(t35_alert_notification);
trap!(t36_receiver_half_dead);
trap!(t37_tx_rx_pair_half_lost);
trap!(t38_dns_moved);
trap!(t39_connect_then_close);
