//! Scripts: odd command_status.

use std::time::Duration;

use super::{
    Deliver, Done, Peer, Script, Seen, Stage, Submit, SubmitResp, Unmet, Want,
    pdu::{command::SUBMIT_SM, tlv},
    script,
};

/// Longer than a reply is worth sending.
const LIFE: Duration = Duration::from_secs(601);

/// delivery_failure_reason and network_error_code (SMPP 5.0, 4.8.4.19 and 4.8.4.42).
const FAILURE_REASON: u16 = 0x0425;
const NETWORK_ERROR: u16 = 0x0423;

pub(super) const SCRIPTS: &[Script] = &[
    script!(t66_status_unknown, "statuses that no document names").counts(&["status_unknown"]).alarms(&["status_unknown"]),
    script!(t67_status_means_other, "statuses that mean something else at this carrier")
        .settings(
            "statuses = { \"0x45\" = \"give_up\", \"0x14\" = \"retry 1\", \"0x401\" = \"ours\", \"0x402\" = \"slow 1\" }",
        )
        .counts(&["status_means_other"]),
    script!(t68_error_with_body, "a refusal with a message_id in it"),
    script!(t69_error_without_body, "a refusal of a header alone"),
    script!(t70_error_with_tlvs_only, "a refusal with parameters where the message_id should be"),
    script!(t71_ok_without_id, "replies are taken without a message_id").counts(&["ok_without_id"]),
    script!(t72_id_always_the_same, "each reply gets the same message_id")
        .settings("receipts = true")
        .counts(&["id_always_the_same"])
        .alarms(&["ids_unusable"]),
    script!(t73_id_reused, "a message_id comes again on the next day").settings("receipts = true"),
    script!(t74_id_too_long_or_raw, "a message_id of 70 characters, and one without its NUL").settings("receipts = true"),
    script!(t75_status_in_transaction_mode, "the answer comes after the delivery was tried, and it failed")
        .counts(&["status_in_transaction_mode"]),
];

/// Asks, and takes all segments of the reply, unanswered.
async fn asked(peer: &mut Peer) -> Result<(Deliver, Vec<Submit>), Unmet> {
    let question = peer.ask().await?;
    let mut segments = vec![peer.submit_for(&question).await?];
    while segments.len() < usize::from(segments[0].segment().1) {
        segments.push(peer.submit_for(&question).await?);
    }
    Ok((question, segments))
}

/// Asks, and answers each segment of the reply with what is made of its number.
async fn answered(peer: &mut Peer, answer: impl Fn(u32) -> SubmitResp) -> Result<(Deliver, Vec<Submit>), Unmet> {
    let (question, segments) = asked(peer).await?;
    for segment in &segments {
        peer.respond(&answer(segment.sequence)).await?;
    }
    Ok((question, segments))
}

fn is_submit(seen: &Seen) -> bool {
    seen.command_id == SUBMIT_SM
}

/// No segment is sent again, and the session goes on.
async fn given_up(peer: &mut Peer) -> Done {
    peer.expect_none("submit_sm of what was given up", Duration::from_secs(1), is_submit).await?;
    peer.converse().await.map(drop)
}

async fn t66_status_unknown(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for status in [0x22, 0x5A, 0x94, 0x55F, 0x400] {
        answered(&mut peer, |sequence| SubmitResp::refused(sequence, status)).await?;
    }
    // They wait a minute each; the others do not.
    given_up(&mut peer).await?;
    stage.pass(LIFE).await;
    Ok(())
}

async fn t67_status_means_other(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    answered(&mut peer, |sequence| SubmitResp::refused(sequence, 0x45)).await?;
    for again in [0x14, 0x402] {
        let (question, _) = answered(&mut peer, |sequence| SubmitResp::refused(sequence, again)).await?;
        peer.reply_to(&question).await?;
    }
    answered(&mut peer, |sequence| SubmitResp::refused(sequence, 0x401)).await?;
    given_up(&mut peer).await?;
    stage.pass(LIFE).await;
    Ok(())
}

async fn t68_error_with_body(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    answered(&mut peer, |sequence| SubmitResp::accepted(sequence, "0A00").status(0x0B)).await?;
    given_up(&mut peer).await
}

async fn t69_error_without_body(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    answered(&mut peer, |sequence| SubmitResp::refused(sequence, 0x0B)).await?;
    given_up(&mut peer).await
}

async fn t70_error_with_tlvs_only(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let body = [tlv(FAILURE_REASON, &[1]), tlv(NETWORK_ERROR, &[3, 0, 27])].concat();
    answered(&mut peer, |sequence| SubmitResp::refused(sequence, 0xFE).body(body.clone())).await?;
    given_up(&mut peer).await
}

async fn t71_ok_without_id(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    answered(&mut peer, |sequence| SubmitResp::refused(sequence, 0)).await?;
    answered(&mut peer, |sequence| SubmitResp::accepted(sequence, "")).await?;
    given_up(&mut peer).await
}

async fn t72_id_always_the_same(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for _ in 0..5 {
        let id = "msg_id_not_implemented";
        let (_, segments) = answered(&mut peer, |sequence| SubmitResp::accepted(sequence, id)).await?;
        let receipt = peer.question().receipt_of(&segments[0], id, "DELIVRD");
        peer.send(&receipt).await?;
        peer.expect(Want::answer(receipt.sequence, 0)).await?;
    }
    Ok(())
}

async fn t73_id_reused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for state in ["DELIVRD", "UNDELIV"] {
        let (_, segments) = answered(&mut peer, |sequence| SubmitResp::accepted(sequence, "0000000007")).await?;
        stage.cue("the reply is settled").await;
        for segment in &segments {
            let receipt = peer.question().receipt_of(segment, "0000000007", state);
            peer.send(&receipt).await?;
            peer.expect(Want::answer(receipt.sequence, 0)).await?;
        }
        stage.pass(Duration::from_hours(24)).await;
    }
    Ok(())
}

async fn t74_id_too_long_or_raw(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let long = "7".repeat(70);
    answered(&mut peer, |sequence| SubmitResp::accepted(sequence, &long)).await?;
    answered(&mut peer, |sequence| SubmitResp::accepted(sequence, "").body(*b"raw-1")).await?;
    given_up(&mut peer).await
}

async fn t75_status_in_transaction_mode(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let failed = |sequence, reason| SubmitResp::refused(sequence, 0xFE).tlv(FAILURE_REASON, &[reason]);
    answered(&mut peer, |sequence| failed(sequence, 1)).await?;
    // 3 says that the network failed for the moment: that one is tried again, in a minute.
    answered(&mut peer, |sequence| failed(sequence, 3)).await?;
    given_up(&mut peer).await?;
    stage.pass(LIFE).await;
    Ok(())
}
