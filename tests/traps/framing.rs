//! Framing and malformed PDUs.

use crate::harness::{Run, trap};

/// What scripts with receipts ask for.
async fn settle(run: &mut Run, _: &str) {
    run.settled().await;
}

/// Receipts were for replies of ours, and known to be.
async fn receipts_are_matched(run: &Run) {
    assert_eq!(run.carrier_board("sim").counted("receipt_unknown_id"), 0);
}

trap!(t01_length_below_16);
trap!(t02_length_above_limit);
trap!(t03_not_smpp_at_all);
trap!(t04_pdu_in_pieces);
trap!(t05_many_pdus_in_one_read);
trap!(t06_unknown_command_id);
trap!(t07_body_on_bodyless_pdu);
trap!(t08_status_in_request);
trap!(t09_sm_length_past_end, async |run| {
    assert_eq!(run.balance().await.exchanges, 1, "the broken question is none");
});
trap!(t10_text_nul_not_counted);
trap!(t11_mandatory_part_unreadable, async |run| {
    assert_eq!(run.balance().await.exchanges, 1, "the broken question is none");
});
trap!(t12_tlv_past_end);
trap!(t13_tlv_wrong_length, cue: settle, check: receipts_are_matched);
trap!(t14_tlv_string_terminator, cue: settle, check: receipts_are_matched);
trap!(t15_tlv_unknown);
trap!(t16_tlv_repeated);
trap!(t17_tlv_from_33_peer, cue: settle, check: receipts_are_matched);
trap!(t18_field_too_long);
trap!(t19_bad_time_in_deliver);
trap!(t20_poison_resent_for_days);
