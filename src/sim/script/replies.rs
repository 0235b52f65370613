//! Scripts: our submit_sm.

use std::time::Duration;

use super::{
    Deliver, Done, Peer, Script, Seen, Stage, Submit, SubmitResp, Unmet, Want, hold, pdu::command::SUBMIT_SM, script,
};
use crate::sim::wire::{MESSAGE_PAYLOAD, SAR_INDEX, SAR_REFERENCE, SAR_TOTAL};

/// billing_identification (SMPP 5.0, 4.8.4.3).
const BILLING_IDENTIFICATION: u16 = 0x060B;

/// Longer than a reply is worth sending.
const LIFE: Duration = Duration::from_secs(601);

/// Longer than a refusal that is answered at once takes, and shorter than any wait.
const AT_ONCE: Duration = Duration::from_secs(1);

pub(super) const SCRIPTS: &[Script] = &[
    script!(t122_submit_unanswered, "a reply is taken and never answered")
        .settings("submit_timeout_ms = 300\nreceipts = true")
        .counts(&["submit_unanswered"]),
    script!(t123_source_refused, "the short code is refused as the source of replies")
        .counts(&["source_refused"])
        .alarms(&["source_refused"]),
    script!(t124_plus_refused, "numbers with a plus are refused"),
    script!(t125_validity_refused, "a validity_period is refused")
        .settings("validity = \"relative\"")
        .counts(&["validity_refused"])
        .alarms(&["no_validity"]),
    script!(t126_times_ignored, "times are overridden, so none are sent"),
    script!(t127_receipt_refused, "a reply that asks for a receipt is refused")
        .settings("receipts = true")
        .counts(&["receipt_refused"])
        .alarms(&["no_receipts"]),
    script!(t128_receipt_unasked, "receipts come that nobody asked for"),
    script!(t129_coding_refused, "texts with marks are refused").settings("marks = true").counts(&["coding_refused"]),
    script!(t130_udh_refused, "user data headers are refused; another carrier takes parameters, a third cuts itself")
        .settings("marks = true")
        .more_carriers(&["marks = true\nsplit = \"sar\"", "marks = true\nsplit = \"payload\""])
        .counts(&["udh_refused"]),
    script!(t131_smsc_splits_itself, "the SMSC cuts a long text itself, and gives it one id")
        .settings("marks = true\nsplit = \"payload\""),
    script!(t132_pending_reply_replaced, "a second reply to a phone would replace the first, if it said so")
        .settings("billing_tag = 0x060B"),
    script!(t133_too_long, "messages of more than 140 octets are too long").counts(&["too_long"]),
];

fn is_submit(seen: &Seen) -> bool {
    seen.command_id == SUBMIT_SM
}

/// All segments of the reply to a question, unanswered.
async fn whole(peer: &mut Peer, question: &Deliver) -> Result<Vec<Submit>, Unmet> {
    let mut segments = vec![peer.submit_for(question).await?];
    while segments.len() < usize::from(segments[0].segment().1) {
        segments.push(peer.submit_for(question).await?);
    }
    Ok(segments)
}

/// Refuses all of them.
async fn refuse(peer: &mut Peer, segments: &[Submit], status: u32) -> Done {
    for segment in segments {
        peer.respond(&SubmitResp::refused(segment.sequence, status)).await?;
    }
    Ok(())
}

/// Asks, and refuses the whole reply.
async fn refused(peer: &mut Peer, status: u32) -> Result<(Deliver, Vec<Submit>), Unmet> {
    let question = peer.ask().await?;
    let segments = whole(peer, &question).await?;
    refuse(peer, &segments, status).await?;
    Ok((question, segments))
}

async fn t122_submit_unanswered(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    let first = whole(&mut peer, &question).await?;
    let again = peer.reply_to(&question).await?;
    hold(again.len() == first.len(), "each segment once more", again.len())?;
    let receipt = peer.question().receipt_of(&first[0], "never-told", "DELIVRD");
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await?;
    peer.converse().await.map(drop)
}

async fn t123_source_refused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for status in [0x0A, 0x48, 0x49] {
        refused(&mut peer, status).await?;
    }
    let waits = peer.ask().await?;
    peer.expect(Want::answer(waits.sequence, 0)).await?;
    peer.expect_none("submit_sm while the short code is refused", AT_ONCE, is_submit).await?;
    stage.cue("the alarm stands").await;
    stage.pass(LIFE).await;
    Ok(())
}

async fn t124_plus_refused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question();
    let plus = [b"+".as_slice(), &question.source.address].concat();
    let question = question.from(0, 1, plus);
    peer.send(&question).await?;
    for segment in peer.reply_to(&question).await? {
        let to = &segment.destination;
        hold(!to.address.contains(&b'+'), "a number without a plus", "one with it")?;
        hold(to.ton == 1, "type of number 1, which says the same", to.ton)?;
    }
    Ok(())
}

async fn t125_validity_refused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, segments) = refused(&mut peer, 0x62).await?;
    hold(segments[0].validity.len() == 16, "a validity_period", segments[0].validity.len())?;
    let again = peer.reply_to(&question).await?;
    let later = peer.converse().await?;
    let none = again.iter().chain(&later).all(|segment| segment.validity.is_empty());
    hold(none, "no validity_period any more", "one")
}

async fn t126_times_ignored(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let times = |segment: &Submit| segment.schedule.is_empty() && segment.validity.is_empty();
    hold(peer.converse().await?.iter().all(times), "no times in a submit_sm", "times")
}

async fn t127_receipt_refused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, segments) = refused(&mut peer, 0x07).await?;
    hold(segments[0].registered == 1, "a reply that asks for a receipt", segments[0].registered)?;
    let again = peer.reply_to(&question).await?;
    let later = peer.converse().await?;
    hold(again.iter().chain(&later).all(|segment| segment.registered == 0), "no such wish any more", "it")
}

async fn t128_receipt_unasked(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    let segment = peer.submit_for(&question).await?;
    hold(segment.registered == 0, "no wish for a receipt", segment.registered)?;
    let id = peer.accept(&segment).await?;
    for _ in 1..segment.segment().1 {
        let rest = peer.submit_for(&question).await?;
        peer.accept(&rest).await?;
    }
    for state in ["ACCEPTD", "DELIVRD"] {
        let receipt = peer.question().receipt_text(&segment, &id, state);
        peer.send(&receipt).await?;
        peer.expect(Want::answer(receipt.sequence, 0)).await?;
    }
    peer.converse().await.map(drop)
}

async fn t129_coding_refused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for status in [0x104, 0x433] {
        let (question, segments) = refused(&mut peer, status).await?;
        hold(segments[0].data_coding == 0x08, "a text in UCS-2", segments[0].data_coding)?;
        let folded = peer.reply_to(&question).await?;
        let plain = folded.iter().all(|segment| segment.data_coding == 0 && segment.text().is_ascii());
        hold(plain, "the same text without marks", "something else")?;
    }
    Ok(())
}

async fn t130_udh_refused(stage: &mut Stage) -> Done {
    let (mut headers, mut parameters, mut whole_texts) =
        (stage.bound_at(0).await?, stage.bound_at(1).await?, stage.bound_at(2).await?);
    let (_, segments) = refused(&mut headers, 0x43).await?;
    hold(segments.iter().all(|segment| segment.esm_class & 0x40 != 0), "segments with headers", "others")?;
    headers.expect_none("submit_sm of what is our configuration", AT_ONCE, is_submit).await?;
    let by_parameters = parameters.converse().await?;
    let marked = |segment: &Submit| {
        let length = |tag| segment.tlv(tag).map(<[u8]>::len);
        segment.esm_class == 0
            && (length(SAR_REFERENCE), length(SAR_TOTAL), length(SAR_INDEX)) == (Some(2), Some(1), Some(1))
    };
    hold(by_parameters.len() > 1 && by_parameters.iter().all(marked), "segments with SAR parameters", "others")?;
    let at_once = whole_texts.converse().await?;
    let payload = |segment: &Submit| segment.sm_length == 0 && segment.tlv(MESSAGE_PAYLOAD).is_some();
    hold(at_once.len() == 1 && payload(&at_once[0]), "the whole text as payload", "something else")?;
    stage.pass(LIFE).await;
    Ok(())
}

async fn t131_smsc_splits_itself(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let reply = peer.converse().await?;
    hold(reply.len() == 1 && reply[0].esm_class == 0, "one submit_sm without a header", reply.len())?;
    hold(reply[0].octets().len() > 140, "a text of several messages", reply[0].octets().len())
}

async fn t132_pending_reply_replaced(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let first = peer.ask().await?;
    let mut second = peer.question();
    second.source = first.source.clone();
    peer.send(&second).await?;
    let mut all = peer.reply_to(&first).await?;
    all.extend(peer.reply_to(&second).await?);
    let harmless = |segment: &Submit| segment.service_type.is_empty() && segment.replace == 0;
    hold(all.iter().all(harmless), "no service_type, and nothing replaced", "one of them")?;
    // Each names its own billing record: a format of the contract's, and a UUID of version 7.
    let record = |segment: &Submit| segment.tlv(BILLING_IDENTIFICATION).map(<[u8]>::to_vec).unwrap_or_default();
    let (one, other) = (record(&all[0]), record(&all[all.len() - 1]));
    let named = one.len() == 17 && one[0] == 0x80 && one[7] >> 4 == 7;
    hold(named && one != other, "the id of its billing record in each reply", "something else")?;
    let references: Vec<_> = [&all[0], &all[all.len() - 1]].map(Submit::reference).into();
    hold(references[0].is_none() || references[0] != references[1], "a reference for each text", "the same for both")
}

async fn t133_too_long(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, segments) = refused(&mut peer, 0x01).await?;
    hold(segments.iter().any(|segment| segment.octets().len() > 140), "segments of 160 characters", "shorter ones")?;
    let again = peer.reply_to(&question).await?;
    hold(again.iter().all(|segment| segment.octets().len() <= 140), "segments of at most 140 octets", "longer ones")
}
