//! Scripts: which reply a receipt speaks of, and what the receipts of a reply come to.

use std::time::Duration;

use super::{
    Deliver, Done, Peer, Script, Stage, Submit, SubmitResp, Unmet, Want, hold,
    pdu::{command, tlv},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t134_receipt_before_submit_resp, "a receipt that overtakes the response to its submit_sm")
        .settings("receipts = true")
        .counts(&["receipt_before_submit_resp"]),
    script!(t135_receipt_unknown_id, "a receipt for a message that was never ours")
        .settings("receipts = true")
        .counts(&["receipt_unknown_id"]),
    script!(t136_receipt_twice, "the same receipt twice").settings("receipts = true").counts(&["receipt_twice"]),
    script!(t137_receipt_after_final, "delivered, after it was said to have expired")
        .settings("receipts = true")
        .counts(&["receipt_after_final"]),
    script!(t138_intermediate_then_final, "on its way, buffered, accepted, delivered, and on its way once more")
        .settings("receipts = true"),
    script!(t139_receipt_other_line, "a receipt that comes after a restart, by the other session of a pair")
        .settings("receipts = true\nbind = \"pair\""),
    script!(t140_receipt_as_data_sm, "a receipt in a data_sm").settings("receipts = true"),
    script!(t141_ids_unusable, "message ids that say nothing: no id in the response, another one in the receipt")
        .settings("receipts = true\nid_form = \"unusable\"")
        .counts(&["ids_unusable"]),
    script!(t142_id_base_differs, "ids in hexadecimal in the response and in decimal in the receipt, and the reverse")
        .settings("receipts = true")
        .counts(&["id_base_differs"]),
    script!(t143_id_padding, "ids with leading zeros on one side only")
        .settings("receipts = true")
        .counts(&["id_padding"]),
    script!(t144_id_case, "ids in capitals on one side only").settings("receipts = true").counts(&["id_case"]),
    script!(t145_id_over_63_bits, "ids beyond 63 bits, in another base").settings("receipts = true"),
    script!(t146_id_free_text, "ids that are no numbers").settings("receipts = true"),
    script!(t147_receipts_per_segment, "a receipt for each segment; at another carrier one for all")
        .settings("receipts = true\nmarks = true")
        .more_carriers(&["receipts = true\nmarks = true\nreceipt_segments = \"one\""]),
    script!(t150_receipt_typed_by_citizen, "a citizen types what a receipt says, where receipts may come unmarked")
        .settings("receipts = true\nreceipt_flag = \"may_be_missing\"")
        .counts(&["receipt_typed_by_citizen", "receipt_flag_missing"]),
    script!(t151_flagged_but_a_question, "a question that is marked as a receipt")
        .settings("receipts = true")
        .counts(&["flagged_but_a_question"])
        .alarms(&["flagged_but_a_question"]),
    script!(t165_accepted_is_not_delivered, "accepted, and no word after it")
        .settings("receipts = true")
        .counts(&["accepted_is_not_delivered"]),
    script!(t166_receipt_never_comes, "no receipt at all").settings("receipts = true").counts(&["receipt_never_comes"]),
];

/// A message whose reply is one segment.
fn brief(peer: &mut Peer) -> Deliver {
    let question = peer.question();
    let text = [b"xin chao ", question.text.as_slice()].concat();
    question.text(text)
}

/// Sends one, and gives its reply's segment, which is not answered yet.
async fn sent(peer: &mut Peer) -> Result<Submit, Unmet> {
    let question = brief(peer);
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.submit_for(&question).await
}

/// The same, accepted under this id.
async fn accepted(stage: &Stage, peer: &mut Peer, id: &str) -> Result<Submit, Unmet> {
    let submit = sent(peer).await?;
    peer.respond(&SubmitResp::accepted(submit.sequence, id)).await?;
    stage.cue("wait until every reply is settled").await;
    Ok(submit)
}

/// Sends a receipt, which is acknowledged.
async fn send(peer: &mut Peer, receipt: Deliver) -> Done {
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await.map(drop)
}

async fn receipt(peer: &mut Peer, submit: &Submit, id: &str, state: &str) -> Done {
    let receipt = peer.question().receipt_text(submit, id, state);
    send(peer, receipt).await
}

/// A reply of its own for each pair of ids: that of the response and that of the receipt.
async fn pairs(stage: &Stage, peer: &mut Peer, ids: &[(&str, &str)]) -> Done {
    for (response, in_receipt) in ids {
        let submit = accepted(stage, peer, response).await?;
        receipt(peer, &submit, in_receipt, "DELIVRD").await?;
    }
    Ok(())
}

async fn t134_receipt_before_submit_resp(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = sent(&mut peer).await?;
    receipt(&mut peer, &submit, "a1", "DELIVRD").await?;
    peer.respond(&SubmitResp::accepted(submit.sequence, "a1")).await
}

async fn t135_receipt_unknown_id(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    receipt(&mut peer, &submit, "zz9", "DELIVRD").await
}

async fn t136_receipt_twice(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    receipt(&mut peer, &submit, "a1", "DELIVRD").await?;
    stage.pass(Duration::from_hours(3)).await;
    receipt(&mut peer, &submit, "a1", "DELIVRD").await
}

async fn t137_receipt_after_final(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    receipt(&mut peer, &submit, "a1", "EXPIRED").await?;
    receipt(&mut peer, &submit, "a1", "DELIVRD").await
}

async fn t138_intermediate_then_final(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    for state in ["ENROUTE", "BUFFRED", "ACCEPTD", "DELIVRD", "ENROUTE"] {
        receipt(&mut peer, &submit, "a1", state).await?;
    }
    Ok(())
}

/// The two sessions of a pair: the one that sends, and the one that receives.
async fn pair(stage: &mut Stage) -> Result<(Peer, Peer), Unmet> {
    let mut sides = Vec::new();
    for _ in 0..2 {
        let mut peer = stage.accept().await?;
        let bind = peer.accept_bind().await?;
        sides.push((bind.command_id, peer));
    }
    sides.sort_by_key(|(command_id, _)| *command_id);
    let (transmitter, receiver) = (sides.pop(), sides.pop());
    match (transmitter, receiver) {
        (Some((command::BIND_TRANSMITTER, sends)), Some((command::BIND_RECEIVER, receives))) => Ok((sends, receives)),
        _ => Err(Unmet::new("a transmitter and a receiver", "something else")),
    }
}

async fn t139_receipt_other_line(stage: &mut Stage) -> Done {
    let (mut sends, mut receives) = pair(stage).await?;
    let question = brief(&mut receives);
    receives.send(&question).await?;
    receives.expect(Want::answer(question.sequence, 0)).await?;
    let submit = sends.submit_for(&question).await?;
    sends.respond(&SubmitResp::accepted(submit.sequence, "a1")).await?;
    stage.cue("wait until every reply is settled").await;
    sends.close();
    receives.close();
    stage.cue("restart the service").await;
    let (sends, mut receives) = pair(stage).await?;
    receipt(&mut receives, &submit, "a1", "DELIVRD").await?;
    drop(sends);
    Ok(())
}

async fn t140_receipt_as_data_sm(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    let receipt = peer.question().receipt_of(&submit, "a1", "DELIVRD").as_data_sm();
    peer.send(&receipt).await?;
    peer.expect(Want::response(command::DATA_SM, 0, receipt.sequence)).await.map(drop)
}

async fn t141_ids_unusable(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (first, second) = (accepted(stage, &mut peer, "").await?, accepted(stage, &mut peer, "x").await?);
    receipt(&mut peer, &second, "another", "DELIVRD").await?;
    let bare = peer.question().receipt_text(&first, "", "DELIVRD").text("stat:DELIVRD err:000");
    send(&mut peer, bare).await
}

async fn t142_id_base_differs(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    pairs(stage, &mut peer, &[("0FA1", "4001"), ("5001", "00001389"), ("80000001", "-2147483647")]).await
}

async fn t143_id_padding(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    pairs(stage, &mut peer, &[("00B8BE19", "B8BE19"), ("77", "0000000077"), ("0000000088", "88")]).await
}

async fn t144_id_case(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    pairs(stage, &mut peer, &[("1101c1-0a", "1101C1-0A"), ("BEEFCAFE", "beefcafe")]).await
}

async fn t145_id_over_63_bits(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let largest = "340282366920938463463374607431768211455";
    let ids = [("812FC7470000001B", "9308878062554710043"), (largest, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")];
    pairs(stage, &mut peer, &ids).await
}

async fn t146_id_free_text(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let uuid = "0a5f33b4-0af2-4c3e-9d5e-1b2c3d4e5f60";
    let ids = [(uuid, uuid), ("SAR-841-2-1", "SAR-841-2-1"), ("123456789012345678901", "123456789012345678901")];
    pairs(stage, &mut peer, &ids).await?;
    // With a blank in it: the text's id ends there, the parameter's does not.
    let submit = accepted(stage, &mut peer, "ab cd").await?;
    let receipt = peer.question().receipt_of(&submit, "ab cd", "DELIVRD");
    send(&mut peer, receipt).await
}

async fn t147_receipts_per_segment(stage: &mut Stage) -> Done {
    for (place, first_alone) in [(0, false), (1, true)] {
        let mut peer = stage.bound_at(place).await?;
        let question = peer.ask().await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
        let mut taken = Vec::new();
        loop {
            let submit = peer.submit_for(&question).await?;
            let id = peer.accept(&submit).await?;
            let (_, total) = submit.segment();
            taken.push((submit, id));
            if taken.len() >= usize::from(total) {
                break;
            }
        }
        hold(taken.len() > 1, "a reply of several segments", taken.len())?;
        stage.cue("wait until every reply is settled").await;
        for (submit, id) in taken.iter().take(if first_alone { 1 } else { taken.len() }) {
            receipt(&mut peer, submit, id, "DELIVRD").await?;
        }
    }
    Ok(())
}

async fn t150_receipt_typed_by_citizen(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "77").await?;
    // Another citizen types it.
    let typed = peer.question().text("id:77 stat:DELIVRD");
    send(&mut peer, typed.clone()).await?;
    peer.reply_to(&typed).await?;
    // The one whose reply it was types an id that is not his.
    let other = peer.question().receipt_text(&submit, "78", "DELIVRD").esm(0);
    send(&mut peer, other).await?;
    let answer = peer.submit().await?;
    peer.accept(&answer).await?;
    // And this is the receipt.
    let unmarked = peer.question().receipt_text(&submit, "77", "DELIVRD").esm(0);
    send(&mut peer, unmarked).await
}

async fn t151_flagged_but_a_question(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let flagged = peer.question().esm(0x04);
    send(&mut peer, flagged).await?;
    peer.converse().await.map(drop)
}

async fn t165_accepted_is_not_delivered(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let submit = accepted(stage, &mut peer, "a1").await?;
    receipt(&mut peer, &submit, "a1", "ACCEPTD").await?;
    let submit = accepted(stage, &mut peer, "a2").await?;
    let by_parameter = peer.question().receipt_text(&submit, "", "").text("");
    send(&mut peer, by_parameter.tlv(0x001E, b"a2\0").tail(&tlv(0x0427, &[6]))).await
}

async fn t166_receipt_never_comes(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    accepted(stage, &mut peer, "a1").await?;
    stage.pass(Duration::from_hours(73)).await;
    Ok(())
}
