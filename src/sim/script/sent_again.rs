//! Scripts: who asks whom, and what an SMSC sends again.

use std::time::Duration;

use super::{Deliver, Done, Peer, Script, Stage, Want, hold, script};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t83_source_not_a_phone, "names, codes and nothing as senders").counts(&["source_not_a_phone"]),
    script!(t85_destination_forms, "the short code in every form that carriers write, and with a suffix"),
    script!(t86_destination_not_ours, "a text to somebody else's code")
        .counts(&["destination_not_ours"])
        .alarms(&["destination_not_ours"]),
    script!(t89_echo_of_our_reply, "our own text comes back as a question; a machine answers every reply")
        .settings("equal_replies = 3")
        .counts(&["echo_of_our_reply", "equal_replies"]),
    script!(t90_same_text_twice_by_person, "a citizen asks the same twice"),
    script!(t91_resent_after_break, "a question again after a break, because its answer was not heard")
        .counts(&["resent_after_break"]),
    script!(t92_resent_without_break, "a question again on the same session, because its answer is late")
        .settings("smsc_response_s = 5")
        .counts(&["resent_without_break"]),
    script!(t93_refused_yet_stored, "a temporary error leaves, the question is stored all the same, and comes again")
        .settings("answer_deadline_ms = 200"),
    script!(t94_resent_on_other_line, "a question again on another line").settings("lines = 2"),
];

/// Sends a message that is acknowledged.
async fn send(peer: &mut Peer, message: &Deliver) -> Done {
    peer.send(message).await?;
    peer.expect(Want::answer(message.sequence, 0)).await.map(drop)
}

/// The same message under a new number.
fn copy(peer: &mut Peer, message: &Deliver) -> Deliver {
    message.clone().sequence(peer.sequence())
}

async fn t83_source_not_a_phone(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for (ton, source) in [(5, "Viettel"), (0, "1900"), (0, ""), (1, "000000000"), (0, "abc")] {
        let message = peer.question().from(ton, 0, source);
        send(&mut peer, &message).await?;
    }
    Ok(())
}

async fn t85_destination_forms(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for head in ["", "84", "+84", "0", "04", "084"] {
        for suffix in ["", "12"] {
            let question = peer.question();
            let code = [question.destination.address.as_slice(), suffix.as_bytes()].concat();
            let question = question.to(0, 0, [head.as_bytes(), &code].concat());
            send(&mut peer, &question).await?;
            let reply = peer.reply_to(&question).await?;
            let same = reply.iter().all(|segment| segment.source.address == code);
            hold(same, "a reply from the code with its suffix", "one from another")?;
        }
    }
    Ok(())
}

async fn t86_destination_not_ours(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let message = peer.question().to(0, 0, "1234");
    peer.send(&message).await?;
    peer.expect(Want::answer(message.sequence, 0x0B)).await?;
    peer.converse().await.map(drop)
}

async fn t89_echo_of_our_reply(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let reply = peer.converse().await?;
    let echo = peer.question().text(reply[0].octets());
    for source in [echo.destination.address.clone(), [b"84", echo.destination.address.as_slice()].concat()] {
        let echo = copy(&mut peer, &echo).from(0, 0, source);
        send(&mut peer, &echo).await?;
    }
    let machine = peer.question().text("I am on holiday");
    for _ in 0..3 {
        let message = copy(&mut peer, &machine);
        send(&mut peer, &message).await?;
        peer.reply_to(&message).await?;
    }
    for _ in 0..2 {
        let message = copy(&mut peer, &machine);
        send(&mut peer, &message).await?;
    }
    stage.pass(Duration::from_secs(600)).await;
    let message = copy(&mut peer, &machine);
    send(&mut peer, &message).await?;
    peer.reply_to(&message).await.map(drop)
}

async fn t90_same_text_twice_by_person(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question();
    send(&mut peer, &question).await?;
    peer.reply_to(&question).await?;
    stage.pass(Duration::from_secs(3)).await;
    let question = copy(&mut peer, &question);
    send(&mut peer, &question).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t91_resent_after_break(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question();
    peer.send(&question).await?;
    stage.cue("wait until one question is stored").await;
    peer.reset();
    let mut peer = stage.bound().await?;
    let again = copy(&mut peer, &question);
    send(&mut peer, &again).await?;
    // Twice more: it is a repeat for as long as it may be one.
    stage.pass(Duration::from_hours(1)).await;
    let again = copy(&mut peer, &question);
    send(&mut peer, &again).await
}

async fn t92_resent_without_break(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    stage.cue("lock the store").await;
    let question = peer.question();
    peer.send(&question).await?;
    let unanswered = copy(&mut peer, &question);
    peer.send(&unanswered).await?;
    peer.is_alive(peer.patience()).await?;
    stage.pass(Duration::from_secs(6)).await;
    stage.cue("free the store").await;
    for sequence in [question.sequence, unanswered.sequence] {
        peer.expect(Want::answer(sequence, 0)).await?;
    }
    // The answer came after the SMSC's own timer.
    let late = copy(&mut peer, &question);
    send(&mut peer, &late).await
}

async fn t93_refused_yet_stored(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    stage.cue("lock the store").await;
    let question = peer.question();
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0x58)).await?;
    stage.cue("free the store").await;
    for _ in 0..20 {
        let again = copy(&mut peer, &question);
        peer.send(&again).await?;
        let answer = peer.expect(Want { status: None, ..Want::answer(again.sequence, 0) }).await?;
        if answer.status == 0 {
            return Ok(());
        }
    }
    hold(false, "an acknowledgement after the store is free", "temporary errors alone")
}

async fn t94_resent_on_other_line(stage: &mut Stage) -> Done {
    let (mut one, mut two) = (stage.bound().await?, stage.bound().await?);
    let question = one.question();
    one.send(&question).await?;
    stage.cue("wait until one question is stored").await;
    one.reset();
    stage.cue("wait until a session is lost").await;
    let again = copy(&mut two, &question);
    send(&mut two, &again).await
}
