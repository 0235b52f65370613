//! Scripts: bind, unbind, session.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Done, Peer, Script, Stage, Unmet, Want, hold,
    pdu::{bare, command, pdu, tlv},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t21_bind_resp_without_body, "bind responses of 16 and 17 octets, with a good and with a bad status")
        .counts(&["bind_resp_without_body"]),
    script!(t22_bind_never_answered, "the bind is not answered, whatever else is")
        .settings("bind_timeout_ms = 500\nenquire_after_ms = 100")
        .counts(&["bind_never_answered"]),
    script!(t23_already_bound, "the connection is dropped and the next three binds are refused as already bound")
        .counts(&["already_bound"]),
    script!(t24_session_limit, "of two lines only one may bind for a while; it is not troubled by the other")
        .settings("lines = 2")
        .counts(&["session_limit"]),
    script!(t25_credentials_refused, "the account is refused, in every way; then it is put right")
        .counts(&["credentials_refused"]),
    script!(t26_password_over_8, "a password of twelve characters arrives whole")
        .settings("password = \"twelve-chars\""),
    script!(
        t27_deliver_before_bind_resp,
        "questions ahead of the bind response: kept when it is good, left when it is not"
    )
    .counts(&["deliver_before_bind_resp"]),
    script!(t28_burst_with_bind_resp, "five thousand questions right behind the bind response")
        .settings("window = 500"),
    script!(t29_version_lower, "a bind for 5.0 is answered with 3.3, 3.4 and 3.5")
        .settings("version = \"5.0\"\nbilling_tag = 0x1400")
        .counts(&["version_lower"]),
    script!(t30_unbind_from_smsc, "the SMSC unbinds with a reply under way and leaves the connection open")
        .counts(&["unbind_from_smsc"]),
    script!(t31_our_unbind_unanswered, "the service's unbind is not answered, or the connection just closes"),
    script!(t32_deliver_after_our_unbind, "a question between the service's unbind and our response"),
    script!(t33_eof_with_submits_open, "the connection ends, in order and not, with five replies unanswered")
        .counts(&["eof_with_submits_open"]),
    script!(t34_outbind, "an outbind on the service's own connection").counts(&["outbind"]),
    script!(t35_alert_notification, "an alert_notification, which has no answer").counts(&["alert_notification"]),
    script!(
        t36_receiver_half_dead,
        "everything is answered, and yet no question comes until a new bind; of another carrier, no receipt"
    )
    .settings("mute_after_s = 2\nrebind_when_mute = true\nenquire_after_ms = 300")
    .more_carriers(&["receipts = true\nunreceipted_after_s = 2\nrebind_when_mute = true\nenquire_after_ms = 300"])
    .counts(&["receiver_half_dead"])
    .alarms(&["receipts_missing"]),
    script!(
        t37_tx_rx_pair_half_lost,
        "only the receiver of a pair is lost: replies go on, the receiver comes back alone"
    )
    .settings("bind = \"pair\"")
    .counts(&["tx_rx_pair_half_lost"]),
    script!(t38_dns_moved, "the first address is gone, the second one answers")
        .settings("address = [\"{0}\", \"{1}\"]"),
    script!(t39_connect_then_close, "twenty connections are taken and closed at once").counts(&["connect_then_close"]),
];

async fn t21_bind_resp_without_body(stage: &mut Stage) -> Done {
    for body in [b"".as_slice(), b"\0"] {
        let mut peer = stage.accept().await?;
        let bind = peer.bind().await?;
        peer.answer_bind(&bind, 0x0D, body).await?;
        peer.expect_end(peer.patience()).await?;
    }
    for body in [b"".as_slice(), b"\0"] {
        let mut peer = stage.accept().await?;
        let bind = peer.bind().await?;
        peer.answer_bind(&bind, 0, body).await?;
        peer.converse().await?;
        peer.close();
    }
    Ok(())
}

async fn t22_bind_never_answered(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    peer.ignore_enquiries();
    peer.bind().await?;
    // An answer to an enquire_link that was never sent does not make it bound, nor does an enquire_link of ours.
    peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0, 2)).await?;
    peer.is_alive(peer.patience()).await?;
    peer.expect_end(peer.patience()).await?;
    hold(peer.enquiries() == 0, "no enquire_link before the bind response", "some")?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t23_already_bound(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    peer.reset();
    for _ in 0..3 {
        let mut peer = stage.accept().await?;
        peer.refuse_bind(0x05).await?;
        peer.expect_end(peer.patience()).await?;
    }
    stage.bound().await?.converse().await.map(drop)
}

async fn t24_session_limit(stage: &mut Stage) -> Done {
    let mut first = stage.bound().await?;
    for status in [0x0D, 0x05, 0x0D] {
        let mut second = stage.accept().await?;
        second.refuse_bind(status).await?;
        second.expect_end(second.patience()).await?;
        first.converse().await?;
    }
    stage.cue("look for the alarm").await;
    let mut second = stage.bound().await?;
    second.is_alive(second.patience()).await?;
    first.is_alive(first.patience()).await
}

async fn t25_credentials_refused(stage: &mut Stage) -> Done {
    for (at, status) in [0x0E, 0x0F, 0x53, 0x0D].into_iter().enumerate() {
        let mut peer = stage.accept().await?;
        peer.refuse_bind(status).await?;
        peer.expect_end(peer.patience()).await?;
        if at == 0 {
            stage.cue("look for the alarm").await;
        }
    }
    stage.bound().await?.converse().await.map(drop)
}

async fn t26_password_over_8(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    let bind = peer.accept_bind().await?;
    hold(bind.password == b"twelve-chars", "the password as it is configured", "another one")?;
    peer.converse().await.map(drop)
}

async fn t27_deliver_before_bind_resp(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    let bind = peer.bind().await?;
    let early = peer.question();
    let refusal = pdu(bind.command_id | command::RESPONSE, 0x0D, bind.sequence, &[]);
    peer.write(&[early.octets(), refusal].concat()).await?;
    peer.expect_end(peer.patience()).await?;
    peer.expect_none("answer to a question that was not asked of a bound line", Duration::ZERO, |seen| {
        seen.command_id == command::DELIVER_SM | command::RESPONSE
    })
    .await?;

    let mut peer = stage.accept().await?;
    let bind = peer.bind().await?;
    let early: Vec<_> = (0..20).map(|_| peer.question()).collect();
    let mut octets: Vec<u8> = early.iter().flat_map(super::Deliver::octets).collect();
    octets.extend(pdu(bind.command_id | command::RESPONSE, 0, bind.sequence, b"SIM\0"));
    peer.write(&octets).await?;
    for question in &early {
        peer.expect(Want::answer(question.sequence, 0)).await?;
        peer.reply_to(question).await?;
    }
    Ok(())
}

async fn t28_burst_with_bind_resp(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    let bind = peer.bind().await?;
    let mut octets = pdu(bind.command_id | command::RESPONSE, 0, bind.sequence, b"SIM\0");
    let burst: Vec<_> = (0..5_000).map(|_| peer.question()).collect();
    octets.extend(burst.iter().flat_map(super::Deliver::octets));
    peer.write(&octets).await?;
    peer.all_answered_and_replied(&burst).await?;
    peer.is_alive(peer.patience()).await
}

async fn t29_version_lower(stage: &mut Stage) -> Done {
    for version in [0x33, 0x34, 0x35] {
        let mut peer = stage.accept().await?;
        let bind = peer.bind().await?;
        hold(bind.version == 0x50, "a bind for 5.0", format!("{:#04x}", bind.version))?;
        let body = [b"SIM\0".as_slice(), &tlv(0x0210, &[version])].concat();
        peer.answer_bind(&bind, 0, &body).await?;
        let submits = peer.converse().await?;
        let with_tlvs = submits.iter().any(|submit| !submit.tlvs.is_empty());
        hold(
            with_tlvs == (version >= 0x34),
            "optional parameters from 3.4 on",
            format!("{version:#04x}: {with_tlvs}"),
        )?;
        peer.close();
    }
    Ok(())
}

async fn t30_unbind_from_smsc(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    let open = peer.submit_for(&question).await?;
    let sequence = peer.sequence();
    peer.send_pdu(&bare(command::UNBIND, 0, sequence)).await?;
    peer.expect(Want::response(command::UNBIND, 0, sequence)).await?;
    let more = open.segment().1 - open.segment().0;
    peer.accept(&open).await?;
    for _ in 0..more {
        let next = peer.submit_for(&question).await?;
        peer.accept(&next).await?;
    }
    peer.expect_end(Duration::from_secs(5) + peer.patience()).await?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t31_our_unbind_unanswered(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    stage.cue("begin to stop the service").await;
    let begun = Instant::now();
    peer.expect(Want::any(command::UNBIND)).await?;
    peer.expect_end(Duration::from_secs(5) + peer.patience()).await?;
    hold(begun.elapsed() >= Duration::from_millis(4500), "the response is waited for, 5 s long", "an earlier end")?;
    stage.cue("start the service again").await;
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    stage.cue("begin to stop the service").await;
    peer.expect(Want::any(command::UNBIND)).await?;
    peer.close();
    stage.cue("start the service again").await;
    stage.bound().await?.converse().await.map(drop)
}

async fn t32_deliver_after_our_unbind(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    stage.cue("begin to stop the service").await;
    let unbind = peer.expect(Want::any(command::UNBIND)).await?;
    let late = peer.question();
    peer.send(&late).await?;
    let answer = peer.expect(Want::any(command::DELIVER_SM | command::RESPONSE)).await?;
    let temporary = answer.sequence == late.sequence && answer.status == 0x58;
    hold(temporary, "the temporary error, for what can no longer be stored", answer)?;
    peer.send_pdu(&bare(command::UNBIND | command::RESPONSE, 0, unbind.sequence)).await?;
    peer.expect_end(peer.patience()).await?;
    stage.cue("start the service again").await;
    // The SMSC sends it again, and now it counts.
    let mut peer = stage.bound().await?;
    let again = late.sequence(peer.sequence());
    peer.send(&again).await?;
    peer.expect(Want::answer(again.sequence, 0)).await?;
    peer.reply_to(&again).await.map(drop)
}

async fn t33_eof_with_submits_open(stage: &mut Stage) -> Done {
    for in_order in [true, false] {
        let mut peer = stage.bound().await?;
        let mut questions = Vec::new();
        for _ in 0..5 {
            let question = peer.ask().await?;
            peer.expect(Want::answer(question.sequence, 0)).await?;
            peer.submit_for(&question).await?;
            questions.push(question);
        }
        if in_order {
            peer.close();
        } else {
            peer.reset();
        }
        let mut peer = stage.bound().await?;
        for question in &questions {
            peer.reply_to(question).await?;
        }
        peer.close();
    }
    Ok(())
}

async fn t34_outbind(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let sequence = peer.sequence();
    peer.send_pdu(&pdu(command::OUTBIND, 0, sequence, b"SIM\0secret\0")).await?;
    is_not_answered(&mut peer, sequence).await
}

async fn t35_alert_notification(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let sequence = peer.sequence();
    let body = b"\x01\x0184520000001\0\x00\x009999\0";
    peer.send_pdu(&pdu(command::ALERT_NOTIFICATION, 0, sequence, body)).await?;
    is_not_answered(&mut peer, sequence).await
}

/// Something that has no answer, and leaves the session as it was.
async fn is_not_answered(peer: &mut Peer, sequence: u32) -> Done {
    peer.is_alive(peer.patience()).await?;
    peer.expect_none("answer", Duration::ZERO, |seen| {
        seen.command_id & command::RESPONSE != 0 && seen.sequence == sequence
    })
    .await?;
    peer.converse().await.map(drop)
}

async fn t36_receiver_half_dead(stage: &mut Stage) -> Done {
    // Nothing but answers to enquire_links, until the service takes the line for mute, and then for without receipts.
    for at in [0, 1] {
        let mut peer = stage.bound_at(at).await?;
        peer.converse().await?;
        let unbind = peer.expect_within(Want::any(command::UNBIND), Duration::from_secs(3) + peer.patience()).await?;
        peer.send_pdu(&bare(command::UNBIND | command::RESPONSE, 0, unbind.sequence)).await?;
        peer.expect_end(peer.patience()).await?;
        stage.bound_at(at).await?.converse().await?;
    }
    Ok(())
}

/// The two sessions of a pair, in the order transmitter, receiver.
async fn pair(stage: &mut Stage) -> Result<(Peer, Peer), Unmet> {
    let (mut one, mut other) = (stage.accept().await?, stage.accept().await?);
    let (first, second) = (one.accept_bind().await?.command_id, other.accept_bind().await?.command_id);
    match (first, second) {
        (command::BIND_TRANSMITTER, command::BIND_RECEIVER) => Ok((one, other)),
        (command::BIND_RECEIVER, command::BIND_TRANSMITTER) => Ok((other, one)),
        _ => Err(Unmet::new("bind_transmitter and bind_receiver", "something else")),
    }
}

async fn t37_tx_rx_pair_half_lost(stage: &mut Stage) -> Done {
    let (mut transmitter, mut receiver) = pair(stage).await?;
    let question = receiver.ask().await?;
    receiver.expect(Want::answer(question.sequence, 0)).await?;
    receiver.close();
    transmitter.reply_to(&question).await?;
    let mut receiver = stage.accept().await?;
    let bind = receiver.accept_bind().await?;
    hold(bind.command_id == command::BIND_RECEIVER, "the receiver alone binds again", "another bind")?;
    let question = receiver.ask().await?;
    receiver.expect(Want::answer(question.sequence, 0)).await?;
    transmitter.reply_to(&question).await?;
    transmitter.is_alive(transmitter.patience()).await
}

async fn t38_dns_moved(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    stage.shut(0);
    peer.reset();
    let mut peer = stage.bound_at(1).await?;
    peer.converse().await?;
    stage.shut(1);
    peer.close();
    stage.reopen(0)?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t39_connect_then_close(stage: &mut Stage) -> Done {
    let mut gaps = Vec::new();
    let mut last = Instant::now();
    for _ in 0..20 {
        let peer = stage.accept().await?;
        peer.close();
        gaps.push(last.elapsed());
        last = Instant::now();
    }
    // It is bound for a moment and dropped again: the wait does not begin anew.
    let peer = stage.bound().await?;
    sleep(Duration::from_millis(20)).await;
    peer.close();
    last = Instant::now();
    let mut peer = stage.bound().await?;
    gaps.push(last.elapsed());
    let long = gaps.iter().skip(10).all(|gap| *gap >= Duration::from_millis(150));
    hold(long, "waits that grow and stay long", format!("{gaps:?}"))?;
    peer.converse().await.map(drop)
}
