//! Scripts: sequence numbers and responses.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Done, Peer, Script, Stage, Submit, SubmitResp, Unmet, Want, hold,
    pdu::{bare, command, nack},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t45_responses_out_of_order, "replies are answered in a shuffled order").settings("window = 30"),
    script!(t46_response_unknown, "an answer to a submit_sm that was never sent").counts(&["response_unknown"]),
    script!(t47_response_late, "answers, and a refusal, that come after the service has stopped to wait for them")
        .settings("submit_timeout_ms = 1000\nreceipts = true")
        .counts(&["response_late"]),
    script!(t48_response_twice, "the same reply is accepted and then refused").counts(&["response_twice"]),
    script!(t49_response_wrong_kind, "numbers that are open in both directions, and a response of the wrong kind")
        .settings("enquire_after_ms = 300\nenquire_timeout_ms = 5000")
        .counts(&["response_wrong_kind"]),
    script!(t50_sequence_zero_or_huge, "questions numbered 0, 0xFFFFFFFF, and always 1")
        .counts(&["sequence_zero_or_huge"]),
    script!(t52_nack_with_sequence, "a generic_nack for a reply: 'later', then 'never'")
        .counts(&["nack_with_sequence"]),
    script!(t53_nack_sequence_zero, "a generic_nack that names nobody while a reply is open")
        .counts(&["nack_sequence_zero"]),
    script!(t54_same_sequence_for_segments, "each segment of a long reply has its own number").settings("marks = true"),
];

/// A question that was acknowledged, and all segments of its reply, not answered yet.
async fn open_reply(peer: &mut Peer) -> Result<(super::Deliver, Vec<Submit>), Unmet> {
    let question = peer.ask().await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    let segments = all_segments(peer, &question).await?;
    Ok((question, segments))
}

/// All segments of a reply, not answered yet.
async fn all_segments(peer: &mut Peer, question: &super::Deliver) -> Result<Vec<Submit>, Unmet> {
    let first = peer.submit_for(question).await?;
    let mut segments = vec![first];
    while segments.len() < usize::from(segments[0].segment().1) {
        segments.push(peer.submit_for(question).await?);
    }
    Ok(segments)
}

/// Accepts each; gives the ids.
async fn accept_all(peer: &mut Peer, segments: &[Submit]) -> Result<Vec<String>, Unmet> {
    let mut ids = Vec::new();
    for segment in segments {
        ids.push(peer.accept(segment).await?);
    }
    Ok(ids)
}

async fn t45_responses_out_of_order(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for _ in 0..3 {
        let mut open = Vec::new();
        while open.len() < 17 {
            open.extend(open_reply(&mut peer).await?.1);
        }
        // 23 shares no divisor with a number this small.
        for at in 0..open.len() {
            peer.accept(&open[at * 23 % open.len()]).await?;
        }
    }
    peer.is_alive(peer.patience()).await
}

async fn t46_response_unknown(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.respond(&SubmitResp::accepted(99_999, "nobody")).await?;
    peer.converse().await.map(drop)
}

async fn t47_response_late(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, first) = open_reply(&mut peer).await?;
    // They are in doubt after a second, and sent again.
    let again = all_segments(&mut peer, &question).await?;
    let numbers: BTreeSet<u32> = first.iter().chain(&again).map(|segment| segment.sequence).collect();
    hold(numbers.len() == 2 * first.len(), "the same reply again, under new numbers", "another")?;
    let late = accept_all(&mut peer, &first).await?;
    accept_all(&mut peer, &again).await?;
    stage.cue("wait until the replies are settled").await;
    // Receipts for those that came late are for replies of ours.
    for (segment, id) in first.iter().zip(&late) {
        let receipt = peer.question().receipt_of(segment, id, "DELIVRD");
        peer.send(&receipt).await?;
        peer.expect(Want::answer(receipt.sequence, 0)).await?;
    }
    // A refusal that comes late is of the copy that it answers, and the other one is taken.
    let (question, first) = open_reply(&mut peer).await?;
    let again = all_segments(&mut peer, &question).await?;
    for segment in &first {
        peer.respond(&SubmitResp::refused(segment.sequence, 0x66)).await?;
    }
    accept_all(&mut peer, &again).await?;
    peer.converse().await.map(drop)
}

async fn t48_response_twice(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (_, segments) = open_reply(&mut peer).await?;
    accept_all(&mut peer, &segments).await?;
    peer.respond(&SubmitResp::refused(segments[0].sequence, 0x0B)).await?;
    peer.respond(&SubmitResp::accepted(segments[0].sequence, "again")).await?;
    peer.converse().await.map(drop)
}

async fn t49_response_wrong_kind(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    // The same number is open both ways, and each answer finds its own.
    let (_, segments) = open_reply(&mut peer).await?;
    let equal = peer.question().sequence(segments[0].sequence);
    peer.send(&equal).await?;
    peer.expect(Want::answer(equal.sequence, 0)).await?;
    accept_all(&mut peer, &segments).await?;
    peer.reply_to(&equal).await?;
    // An enquire_link is not answered by a submit_sm_resp, nor a submit_sm by an enquire_link_resp.
    peer.ignore_enquiries();
    let asked = peer.expect(Want::any(command::ENQUIRE_LINK)).await?;
    peer.respond(&SubmitResp::accepted(asked.sequence, "nothing")).await?;
    peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0, asked.sequence)).await?;
    let (_, segments) = open_reply(&mut peer).await?;
    peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0, segments[0].sequence)).await?;
    accept_all(&mut peer, &segments).await?;
    peer.is_alive(peer.patience()).await
}

async fn t50_sequence_zero_or_huge(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for sequence in [0, 0xFFFF_FFFF, 0x8000_0000, 1, 1, 1] {
        let question = peer.question().sequence(sequence);
        peer.send(&question).await?;
        peer.expect(Want::answer(sequence, 0)).await?;
        peer.reply_to(&question).await?;
    }
    Ok(())
}

async fn t52_nack_with_sequence(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, segments) = open_reply(&mut peer).await?;
    accept_all(&mut peer, &segments[1..]).await?;
    peer.send_pdu(&nack(0x58, segments[0].sequence)).await?;
    let again = peer.submit_for(&question).await?;
    hold(again.segment() == segments[0].segment(), "the same segment again", "another")?;
    peer.accept(&again).await?;
    let (_, segments) = open_reply(&mut peer).await?;
    for segment in &segments {
        peer.send_pdu(&nack(0x0B, segment.sequence)).await?;
    }
    peer.converse().await.map(drop)
}

async fn t53_nack_sequence_zero(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (_, segments) = open_reply(&mut peer).await?;
    peer.send_pdu(&nack(0x02, 0)).await?;
    peer.is_alive(peer.patience()).await?;
    peer.expect_none("reply sent again", Duration::from_millis(300), |seen| seen.command_id == command::SUBMIT_SM)
        .await?;
    accept_all(&mut peer, &segments).await.map(drop)
}

async fn t54_same_sequence_for_segments(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut numbers = BTreeSet::new();
    let mut segments = 0;
    for _ in 0..3 {
        let reply = peer.converse().await?;
        hold(reply.len() > 1, "a reply of several segments", "a short one")?;
        segments += reply.len();
        numbers.extend(reply.iter().map(|segment| segment.sequence));
    }
    hold(numbers.len() == segments, format!("{segments} numbers"), format!("{}", numbers.len()))
}
