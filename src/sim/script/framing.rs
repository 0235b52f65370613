//! Scripts: framing and malformed PDUs.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Done, Peer, Script, Stage, SubmitResp, Want, hold,
    pdu::{bare, command, pdu, tlv, tlv_of},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t01_length_below_16, "a command_length that no PDU can have: the service says so once and closes")
        .counts(&["length_below_16"]),
    script!(t02_length_above_limit, "a command_length of gigabytes: the service says so once and closes")
        .counts(&["length_above_limit"]),
    script!(t03_not_smpp_at_all, "a text, a web page or a TLS record where a bind response should be")
        .counts(&["not_smpp_at_all"]),
    script!(t04_pdu_in_pieces, "a PDU octet by octet; then half a PDU and silence")
        .settings("write_timeout_ms = 3000")
        .counts(&["pdu_in_pieces"]),
    script!(t05_many_pdus_in_one_read, "fifty questions in one write"),
    script!(t06_unknown_command_id, "commands that nobody knows, some of them a vendor's")
        .counts(&["unknown_command_id"]),
    script!(t07_body_on_bodyless_pdu, "enquire_link and unbind with octets behind the header")
        .counts(&["body_on_bodyless_pdu"]),
    script!(t08_status_in_request, "a question with a command_status").counts(&["status_in_request"]),
    script!(
        t09_sm_length_past_end,
        "a question whose sm_length runs past its end is refused for good; the next PDU is unharmed"
    )
    .counts(&["sm_length_past_end"]),
    script!(t10_text_nul_not_counted, "one to three NULs behind the text that sm_length does not count")
        .counts(&["text_nul_not_counted"]),
    script!(t11_mandatory_part_unreadable, "a question that ends within its source address")
        .counts(&["mandatory_part_unreadable"]),
    script!(t12_tlv_past_end, "an optional parameter that runs past the end").counts(&["tlv_past_end"]),
    script!(t13_tlv_wrong_length, "receipts with message_state and network_error_code of a wrong length")
        .settings("receipts = true")
        .counts(&["tlv_wrong_length"]),
    script!(t14_tlv_string_terminator, "receipted_message_id without its NUL, with two, or padded with blanks")
        .settings("receipts = true")
        .counts(&["tlv_string_terminator"]),
    script!(t15_tlv_unknown, "optional parameters that nobody knows, on questions and on responses"),
    script!(t16_tlv_repeated, "message_payload twice: the first is the text").counts(&["tlv_repeated"]),
    script!(t17_tlv_from_33_peer, "optional parameters from an SMSC that does not say it knows them")
        .settings("billing_tag = 0x1400\nreceipts = true")
        .counts(&["tlv_from_33_peer"]),
    script!(t18_field_too_long, "a service_type of 6 characters, a number of 25 digits").counts(&["field_too_long"]),
    script!(t19_bad_time_in_deliver, "times that are neither empty nor 16 characters long")
        .counts(&["bad_time_in_deliver"]),
    script!(t20_poison_resent_for_days, "the same broken question after every bind")
        .counts(&["poison_resent_for_days"])
        .alarms(&["poison_resent_for_days"]),
];

/// The service refuses the stream and closes, comes back, and answers.
async fn ends_the_session(stage: &mut Stage, octets: &[u8]) -> Done {
    let mut peer = stage.bound().await?;
    peer.write(octets).await?;
    peer.expect(Want::nack(0, 0x02)).await?;
    peer.expect_end(peer.patience()).await?;
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    peer.close();
    Ok(())
}

async fn t01_length_below_16(stage: &mut Stage) -> Done {
    for length in [0_u32, 4, 15] {
        ends_the_session(stage, &[&length.to_be_bytes(), &[0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 1][..]].concat())
            .await?;
    }
    Ok(())
}

async fn t02_length_above_limit(stage: &mut Stage) -> Done {
    for length in [70_001_u32, 0x7FFF_FFFF, u32::MAX] {
        ends_the_session(stage, &[&length.to_be_bytes(), &[0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1][..]].concat()).await?;
    }
    Ok(())
}

async fn t03_not_smpp_at_all(stage: &mut Stage) -> Done {
    let web_page = b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice();
    for octets in [b"\r\nlogin: ".as_slice(), web_page, &[0x16, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28]] {
        let mut peer = stage.accept().await?;
        peer.bind().await?;
        peer.write(octets).await?;
        peer.expect_end(peer.patience()).await?;
    }
    stage.bound().await?.converse().await.map(drop)
}

async fn t04_pdu_in_pieces(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question();
    peer.write_in(&question.octets(), 1).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(&question).await?;
    let half = peer.question().octets();
    let begun = Instant::now();
    peer.write(&half[..20]).await?;
    peer.expect_end(Duration::from_secs(3) + peer.patience()).await?;
    hold(begun.elapsed() >= Duration::from_millis(2900), "the rest is waited for, 3 s long", "an earlier end")?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t05_many_pdus_in_one_read(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let questions: Vec<_> = (0..50).map(|_| peer.question()).collect();
    let octets: Vec<u8> = questions.iter().flat_map(super::Deliver::octets).collect();
    peer.write(&octets).await?;
    for question in &questions {
        peer.expect(Want::answer(question.sequence, 0)).await?;
        peer.reply_to(question).await?;
    }
    peer.is_alive(peer.patience()).await
}

async fn t06_unknown_command_id(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for (id, body) in [(0x77, b"".as_slice()), (0x0001_0200, b"ab"), (0x0100_0001, b"abcdef")] {
        let sequence = peer.sequence();
        peer.send_pdu(&pdu(id, 0, sequence, body)).await?;
        peer.expect(Want::nack(sequence, 0x03)).await?;
    }
    // Whatever has bit 31 is an answer, and an answer is never answered.
    let sequence = peer.sequence();
    peer.send_pdu(&bare(0x8000_00AA, 0, sequence)).await?;
    peer.is_alive(peer.patience()).await?;
    peer.expect_none("answer to an unknown response", Duration::ZERO, |seen| seen.sequence == sequence).await?;
    peer.converse().await.map(drop)
}

async fn t07_body_on_bodyless_pdu(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for id in [command::ENQUIRE_LINK, command::UNBIND] {
        let sequence = peer.sequence();
        peer.send_pdu(&pdu(id, 0, sequence, &[0, 0])).await?;
        peer.expect(Want::response(id, 0, sequence)).await?;
    }
    peer.expect_end(peer.patience()).await?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t08_status_in_request(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut question = peer.question();
    question.status = 5;
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t09_sm_length_past_end(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let broken = peer.question().sm_length(200);
    peer.send(&broken).await?;
    peer.expect(Want::answer(broken.sequence, 0x01)).await?;
    peer.is_alive(peer.patience()).await?;
    peer.converse().await.map(drop)
}

/// A question that is odd and yet read as any other.
async fn is_read(peer: &mut Peer, question: &super::Deliver) -> Done {
    peer.send(question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(question).await.map(drop)
}

async fn t10_text_nul_not_counted(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for nuls in [b"\0".as_slice(), b"\0\0", b"\0\0\0"] {
        let question = peer.question().tail(nuls);
        is_read(&mut peer, &question).await?;
    }
    Ok(())
}

async fn t11_mandatory_part_unreadable(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut cut = peer.question();
    cut.cut_at = Some(8);
    peer.send(&cut).await?;
    peer.expect(Want::answer(cut.sequence, 0x02)).await?;
    peer.converse().await.map(drop)
}

async fn t12_tlv_past_end(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question().tail(&tlv_of(0x1401, 10, &[1, 2, 3]));
    is_read(&mut peer, &question).await
}

/// The first segment of a reply that was accepted, and its id.
async fn accepted(stage: &Stage, peer: &mut Peer) -> Result<(super::Submit, String), super::Unmet> {
    let question = peer.ask().await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    let mut first = None;
    loop {
        let submit = peer.submit_for(&question).await?;
        let id = peer.accept(&submit).await?;
        let (_, total) = submit.segment();
        let (_, _, count) = first.get_or_insert((submit, id, 0));
        *count += 1;
        if *count == total {
            break;
        }
    }
    stage.cue("wait until the replies are settled").await;
    first.map(|(submit, id, _)| (submit, id)).ok_or_else(|| super::Unmet::new("a reply", "none"))
}

async fn t13_tlv_wrong_length(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (submit, id) = accepted(stage, &mut peer).await?;
    for wrong in [tlv(0x0427, &[]), tlv(0x0427, &[2, 0]), tlv(0x0423, &[3, 0])] {
        let receipt = peer.question().receipt_text(&submit, &id, "DELIVRD").tail(&wrong);
        peer.send(&receipt).await?;
        peer.expect(Want::answer(receipt.sequence, 0)).await?;
    }
    peer.converse().await.map(drop)
}

async fn t14_tlv_string_terminator(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for ending in [b"".as_slice(), b"\0\0", b"  \0", b"  "] {
        let (submit, id) = accepted(stage, &mut peer).await?;
        let value = [id.as_bytes(), ending].concat();
        // Without a text, so that only the parameter names the message.
        let receipt = peer.question().receipt_text(&submit, &id, "DELIVRD").text(b"".as_slice());
        let receipt = receipt.tlv(0x001E, &value).tlv(0x0427, &[2]);
        peer.send(&receipt).await?;
        peer.expect(Want::answer(receipt.sequence, 0)).await?;
    }
    peer.is_alive(peer.patience()).await
}

async fn t15_tlv_unknown(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for tag in [0x3177, 0x2001, 0x1400, 0x0428] {
        let question = peer.question().tlv(tag, b"abc");
        peer.send(&question).await?;
        peer.expect(Want::answer(question.sequence, 0)).await?;
        loop {
            let submit = peer.submit_for(&question).await?;
            let response = SubmitResp::accepted(submit.sequence, &format!("a{}", submit.sequence));
            peer.respond(&response.tlv(tag, b"abcdef")).await?;
            if submit.segment().0 == submit.segment().1 {
                break;
            }
        }
    }
    peer.is_alive(peer.patience()).await
}

async fn t16_tlv_repeated(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let usual = peer.converse().await?;
    let question = peer.question();
    let text = question.text.clone();
    let twice = question.text(b"".as_slice()).tlv(0x0424, &text).tlv(0x0424, b"TTCD");
    peer.send(&twice).await?;
    peer.expect(Want::answer(twice.sequence, 0)).await?;
    let reply = peer.reply_to(&twice).await?;
    hold(reply.len() == usual.len() && reply[0].text() == usual[0].text(), "the reply to the first text", "another")
}

async fn t17_tlv_from_33_peer(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    let bind = peer.bind().await?;
    peer.answer_bind(&bind, 0, b"SIM\0").await?;
    let (submit, id) = accepted(stage, &mut peer).await?;
    hold(submit.tlvs.is_empty(), "a submit_sm without optional parameters", "some")?;
    let receipt = peer.question().receipt_of(&submit, &id, "DELIVRD");
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await?;
    peer.close();
    // One that names its version gets them.
    let submits = stage.bound().await?.converse().await?;
    hold(submits[0].tlv(0x1400).is_some(), "a submit_sm with the parameter that is configured", "none")
}

async fn t18_field_too_long(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut question = peer.question();
    question.service_type = b"CMT123".into();
    is_read(&mut peer, &question).await?;
    let question = peer.question().from(1, 1, b"8452000000184520000001845".as_slice());
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0x0A)).await?;
    peer.converse().await.map(drop)
}

async fn t19_bad_time_in_deliver(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for time in [b"0000010000".as_slice(), b"000001000000000"] {
        let mut question = peer.question();
        question.validity = time.into();
        is_read(&mut peer, &question).await?;
        let mut question = peer.question();
        question.schedule = time.into();
        is_read(&mut peer, &question).await?;
    }
    Ok(())
}

async fn t20_poison_resent_for_days(stage: &mut Stage) -> Done {
    let mut poison = None;
    for _ in 0..4 {
        let mut peer = stage.bound().await?;
        let sequence = peer.sequence();
        let poison = poison.get_or_insert_with(|| peer.question().sm_length(200)).clone().sequence(sequence);
        peer.send(&poison).await?;
        peer.expect(Want::answer(sequence, 0x01)).await?;
        peer.close();
    }
    stage.bound().await?.converse().await.map(drop)
}
