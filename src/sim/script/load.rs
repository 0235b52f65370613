//! Scripts: TLS, load, our own octets.

use std::time::Duration;

use super::{
    Done, Judged, Peer, Script, Seen, Stage, Unmet, Want, hold,
    pdu::command::{BIND_RECEIVER, BIND_TRANSMITTER, DELIVER_SM, RESPONSE},
    script,
};
use crate::sim::wire::RECEIPTED_MESSAGE_ID;

pub(super) const SCRIPTS: &[Script] = &[
    script!(
        t168_tls_no_close_notify,
        "the connection ends without TLS's close_notify; that is the end of a session, no more"
    )
    .counts(&["eof_with_submits_open"]),
    script!(
        t171_backlog_burst,
        "five hundred questions at once; a few are decided at a time, and an enquire_link behind them is answered"
    )
    .settings("inbound_window = 16\nwindow = 50")
    .counts(&["backlog_burst"]),
    script!(
        t172_long_pause_then_all,
        "after ten minutes of silence the receipts of all replies come at once, and a question among them is answered"
    )
    .settings("receipts = true"),
    script!(t173_answer_id_wanted, "the SMSC wants the id of its deliver_sm back in the answer")
        .settings("echo_deliver_id = true"),
    script!(t174_answer_must_have_body, "the SMSC refuses answers of 16 octets; ours have 17, with an error too")
        .counts(&["sm_length_past_end"]),
    script!(t175_answers_out_of_order, "the SMSC wants its answers in the order of its questions")
        .settings("ordered_answers = true"),
    script!(
        t176_dlr_to_tx_only,
        "receipts come to a receiver alone; a pair of sessions sends over one and hears of it over the other"
    )
    .settings("bind = \"pair\"\nreceipts = true"),
    script!(
        t177_unknown_optional_in_bind,
        "the SMSC refuses a bind with optional parameters or with version 5.0; ours has neither unless it is told to"
    )
    .more_carriers(&["version = \"5.0\""])
    .counts(&["credentials_refused", "version_lower"]),
];

async fn t168_tls_no_close_notify(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.submit_for(&question).await?;
    peer.close();
    let mut peer = stage.bound().await?;
    peer.reply_to(&question).await?;
    peer.converse().await.map(drop)
}

async fn t171_backlog_burst(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut asked = Vec::new();
    for _ in 0..500 {
        asked.push(peer.ask().await?.sequence);
    }
    peer.is_alive(peer.patience()).await?;
    for sequence in asked {
        peer.expect(Want::answer(sequence, 0)).await?;
    }
    Ok(())
}

async fn t172_long_pause_then_all(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut replies = Vec::new();
    for _ in 0..20 {
        let question = peer.ask().await?;
        let mut left = 1;
        while left > 0 {
            let submit = peer.submit_for(&question).await?;
            let (index, total) = submit.segment();
            left = total - index;
            replies.push((peer.accept(&submit).await?, submit));
        }
    }
    stage.pass(Duration::from_mins(10)).await;
    let mut octets = Vec::new();
    let mut sequences = Vec::new();
    for (id, submit) in &replies {
        let receipt = peer.question().receipt_of(submit, id, "DELIVRD");
        sequences.push(receipt.sequence);
        octets.extend(receipt.octets());
    }
    peer.write(&octets).await?;
    peer.converse().await?;
    for sequence in sequences {
        peer.expect(Want::answer(sequence, 0)).await?;
    }
    Ok(())
}

/// The body of the answer to a question.
async fn answer_to(peer: &mut Peer, sequence: u32, status: u32, body: &[u8]) -> Done {
    let answer = peer.expect(Want::answer(sequence, status)).await?;
    hold(answer.body == body, format!("a body of {} octets", body.len()), format!("one of {}", answer.body.len()))
}

async fn t173_answer_id_wanted(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question().tlv(RECEIPTED_MESSAGE_ID, b"0A00F7\0");
    peer.send(&question).await?;
    answer_to(&mut peer, question.sequence, 0, b"0A00F7\0").await?;
    let question = peer.ask().await?;
    answer_to(&mut peer, question.sequence, 0, b"\0").await
}

async fn t174_answer_must_have_body(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    answer_to(&mut peer, question.sequence, 0, b"\0").await?;
    let broken = peer.question().sm_length(200);
    peer.send(&broken).await?;
    answer_to(&mut peer, broken.sequence, 0x01, b"\0").await
}

async fn t175_answers_out_of_order(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut octets = Vec::new();
    let mut sequences = Vec::new();
    for turn in 0..30 {
        // What is refused at once does not overtake what waits for the store.
        let question = peer.question();
        let question = if turn % 3 == 1 { question.tlv(0x0501, &[1]) } else { question };
        sequences.push(question.sequence);
        octets.extend(question.octets());
    }
    peer.write(&octets).await?;
    for sequence in sequences {
        let answer = |seen: &Seen| match seen.command_id == DELIVER_SM | RESPONSE {
            true if seen.sequence == sequence => Judged::Found(()),
            true => Judged::Wrong,
            false => Judged::Other,
        };
        peer.seek(format!("the answer to {sequence}, before those to later ones"), peer.patience(), answer).await?;
    }
    Ok(())
}

/// The two sessions of a pair, transmitter and receiver, whichever comes first.
async fn pair(stage: &mut Stage) -> Result<(Peer, Peer), Unmet> {
    let (mut one, mut other) = (stage.accept().await?, stage.accept().await?);
    let (first, second) = (one.accept_bind().await?, other.accept_bind().await?);
    match (first.command_id, second.command_id) {
        (BIND_TRANSMITTER, BIND_RECEIVER) => Ok((one, other)),
        (BIND_RECEIVER, BIND_TRANSMITTER) => Ok((other, one)),
        (first, second) => Err(Unmet::new("a transmitter and a receiver", format!("{first:#x} and {second:#x}"))),
    }
}

async fn t176_dlr_to_tx_only(stage: &mut Stage) -> Done {
    let (mut transmitter, mut receiver) = pair(stage).await?;
    let question = receiver.ask().await?;
    receiver.expect(Want::answer(question.sequence, 0)).await?;
    let submit = transmitter.submit_for(&question).await?;
    hold(submit.registered == 1, "a receipt is asked for", "none is")?;
    let id = transmitter.accept(&submit).await?;
    let receipt = receiver.question().receipt_of(&submit, &id, "DELIVRD");
    receiver.send(&receipt).await?;
    receiver.expect(Want::answer(receipt.sequence, 0)).await.map(drop)
}

async fn t177_unknown_optional_in_bind(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    let bind = peer.accept_bind().await?;
    hold(bind.version == 0x34 && bind.rest.is_empty(), "version 3.4, nothing behind it", "something else")?;
    peer.converse().await?;
    let mut strict = stage.accept_at(1, peer.patience()).await?;
    let bind = strict.refuse_bind(0x0D).await?;
    hold(bind.version == 0x50 && bind.rest.is_empty(), "version 5.0, nothing behind it", "something else")?;
    strict.close();
    let mut milder = stage.bound_at(1).await?;
    milder.converse().await.map(drop)
}
