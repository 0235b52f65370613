//! Scripts: what is odd about questions.

use super::{
    Deliver, Done, Script, Stage, Want, hold,
    pdu::{command, tlv},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t76_payload_only, "a question in message_payload alone").counts(&["payload_only"]),
    script!(t77_payload_and_short, "message_payload beside short_message: the payload is the text")
        .counts(&["payload_and_short"]),
    script!(t78_payload_with_udh, "a long question whose parts stand in message_payload").counts(&["payload_with_udh"]),
    script!(t79_empty_text, "a question without a text is answered with help").counts(&["empty_text"]),
    script!(t80_short_of_255, "a short_message of 255 octets").counts(&["short_of_255"]),
    script!(t81_data_sm_message, "a question by data_sm is answered by data_sm_resp").counts(&["data_sm_message"]),
    script!(t82_source_forms_mix, "one phone's number in every form that SMSCs write it in"),
    script!(t84_source_not_ascii, "a sender's name in Latin-1 gets no reply").counts(&["source_not_ascii"]),
    script!(t87_ussd_on_the_line, "a USSD dialogue is refused").counts(&["ussd_on_the_line"]),
    script!(t88_port_addressed, "a text for a port is read; data for a port is misread").counts(&["port_addressed"]),
];

/// The same question with its text in message_payload.
fn in_payload(question: Deliver) -> Deliver {
    let text = question.text.clone();
    question.text("").tlv(0x0424, &text)
}

async fn t76_payload_only(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = in_payload(peer.question());
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t77_payload_and_short(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let usual: String = peer.converse().await?.iter().map(super::Submit::text).collect();
    let question = in_payload(peer.question()).text("SOMETHING ELSE");
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    let told: String = peer.reply_to(&question).await?.iter().map(super::Submit::text).collect();
    hold(told == usual, "the payload is the text", "the reply to another question")
}

async fn t78_payload_with_udh(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let usual: String = peer.converse().await?.iter().map(super::Submit::text).collect();
    let first = peer.question();
    let sequence = peer.sequence();
    let second = first.clone().sequence(sequence).text(" 1");
    for part in [in_payload(first.clone().part(9, 2, 1)), in_payload(second.part(9, 2, 2))] {
        peer.send(&part).await?;
        peer.expect(Want::answer(part.sequence, 0)).await?;
    }
    let told: String = peer.reply_to(&first).await?.iter().map(super::Submit::text).collect();
    hold(told == usual, "both parts are one question", "the reply to another question")
}

async fn t79_empty_text(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for question in [peer.question().text(""), peer.question().text("").tlv(0x0424, &[])] {
        peer.send(&question).await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
        peer.reply_to(&question).await?;
    }
    Ok(())
}

async fn t80_short_of_255(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut question = peer.question();
    question.text.resize(255, b' ');
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t81_data_sm_message(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question().as_data_sm();
    peer.send(&question).await?;
    let answer = peer.expect(Want::response(command::DATA_SM, 0, question.sequence)).await?;
    hold(answer.body == [0], "an empty message_id", format!("{} octets", answer.body.len()))?;
    peer.reply_to(&question).await.map(drop)
}

async fn t82_source_forms_mix(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for (ton, before) in [(1, "84"), (1, "+84"), (0, "0084"), (2, "0"), (0, "0"), (2, ""), (0, "84")] {
        let question = peer.question().from(ton, 1, format!("{before}520000777"));
        peer.send(&question).await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
        peer.reply_to(&question).await?;
    }
    Ok(())
}

async fn t84_source_not_ascii(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for name in [b"V\xE9x".as_slice(), b"\x80\xFF", b"84520\xB2000001"] {
        let question = peer.question().from(5, 0, name);
        peer.send(&question).await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
    }
    // A reply to one of them would have come before this one's.
    let replies = peer.converse().await?;
    peer.expect_none("reply to a name", std::time::Duration::ZERO, |seen| seen.command_id == command::SUBMIT_SM)
        .await?;
    hold(!replies.is_empty(), "the next question is answered", "nothing")
}

async fn t87_ussd_on_the_line(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut by_service = peer.question();
    by_service.service_type = b"USSD".to_vec();
    for dialogue in [by_service, peer.question().tlv(0x0501, &[1]), peer.question().tail(&tlv(0x0501, &[0x12]))] {
        peer.send(&dialogue).await?;
        peer.expect(Want::answer(dialogue.sequence, 0x66)).await?;
    }
    peer.converse().await.map(drop)
}

async fn t88_port_addressed(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let usual: String = peer.converse().await?.iter().map(super::Submit::text).collect();
    let mut by_header = peer.question().esm(0x40);
    by_header.text.splice(0..0, [6, 5, 4, 0x0B, 0x84, 0, 0]);
    let by_tlv = peer.question().tlv(0x020B, &2948_u16.to_be_bytes());
    let data = peer.question().tlv(0x020B, &2948_u16.to_be_bytes()).coding(4).text(b"\x06\x01\xAE".as_slice());
    for (question, is_text) in [(by_header, true), (by_tlv, true), (data, false)] {
        peer.send(&question).await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
        let told: String = peer.reply_to(&question).await?.iter().map(super::Submit::text).collect();
        hold((told == usual) == is_text, "a text is read and data is not", "another reply")?;
    }
    Ok(())
}
