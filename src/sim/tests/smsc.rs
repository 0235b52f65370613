//! Sessions: binds, messages both ways, keep-alive, ends, and what is no SMPP.

use std::time::Duration;

use rusmpp::{Pdu, tlvs::TlvValue, values::RegisteredDelivery};

use super::{
    esme::{Esme, submit},
    listening, soon,
};
use crate::sim::{Deliver, Receipts, SimError, SmscSettings, SubmitAnswer, wire};

const PHONE: &str = "84520000001";

fn question() -> Deliver {
    Deliver::new(PHONE, "997", 0, *b"TTCD 123456")
}

#[tokio::test]
async fn binds_are_accepted_or_refused_as_set_up() {
    let settings =
        SmscSettings { account: Some("gateway".into()), password: Some("secret".into()), ..SmscSettings::default() };
    let smsc = listening(settings).await;
    for (label, kind, name, password, status) in [
        ("transceiver", wire::BIND_TRANSCEIVER, "gateway", "secret", 0),
        ("receiver", wire::BIND_RECEIVER, "gateway", "secret", 0),
        ("transmitter", wire::BIND_TRANSMITTER, "gateway", "secret", 0),
        ("wrong password", wire::BIND_TRANSCEIVER, "gateway", "Secret", 0x0E),
        ("wrong account", wire::BIND_TRANSCEIVER, "another", "secret", 0x0F),
    ] {
        let mut esme = Esme::connect(smsc.address()).await;
        assert_eq!(esme.bind(kind, name, password).await, status, "{label}");
        if status == 0 {
            soon(smsc.bound()).await;
            assert_eq!(esme.bind(kind, name, password).await, 0x05, "{label} again");
        }
        drop(esme);
        soon(smsc.unbound()).await;
    }
    assert_eq!((smsc.counts().binds, smsc.counts().refused_binds), (3, 5));
}

#[tokio::test]
async fn only_a_bound_session_of_the_right_kind_carries_messages() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::connect(smsc.address()).await;
    let sequence = esme.request(submit(PHONE, 0, false, b"hi")).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0004, 0x04, sequence));
    assert!(matches!(smsc.deliver(question()).await, Err(SimError::NoSession)));
    esme.bind(wire::BIND_TRANSMITTER, "g", "").await;
    assert!(matches!(smsc.deliver(question()).await, Err(SimError::NoSession)));
    let mut receiver = Esme::connect(smsc.address()).await;
    receiver.bind(wire::BIND_RECEIVER, "g", "").await;
    let sequence = receiver.request(submit(PHONE, 0, false, b"hi")).await;
    assert_eq!(receiver.next().await.unwrap().head(), (0x8000_0004, 0x04, sequence));
    let answering = async {
        let read = receiver.next().await.unwrap();
        assert_eq!(read.source(), PHONE);
        receiver.answer(read.sequence, 0).await;
    };
    let (answer, ()) = soon(async { tokio::join!(smsc.deliver(question()), answering) }).await;
    assert_eq!(answer.unwrap().status, 0);
}

#[tokio::test]
async fn answers_find_their_message_in_any_order() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let answering = async {
        let mut read = Vec::new();
        for _ in 0..3 {
            read.push(esme.next().await.unwrap());
        }
        for (at, status) in [(2, 0x58), (0, 0), (1, 0x0B)] {
            esme.answer(read[at].sequence, status).await;
        }
    };
    let ask = || smsc.deliver(question());
    let (a, b, c, ()) = soon(async { tokio::join!(ask(), ask(), ask(), answering) }).await;
    assert_eq!([a, b, c].map(|answer| answer.unwrap().status), [0, 0x0B, 0x58]);
}

#[tokio::test]
async fn a_message_without_its_answer_is_said_to_be_lost_with_its_session() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let cutting = async {
        esme.next().await.unwrap();
        smsc.cut();
        assert!(esme.next().await.is_none());
    };
    let (answer, ()) = soon(async { tokio::join!(smsc.deliver(question()), cutting) }).await;
    assert!(matches!(answer, Err(SimError::SessionLost)));
    soon(smsc.unbound()).await;
    Esme::bound(smsc.address()).await;
}

#[tokio::test]
async fn submits_get_ascending_ids_and_come_out_in_order() {
    let smsc = listening(SmscSettings { kept_submits: 3, ..SmscSettings::default() }).await;
    let mut esme = Esme::bound(smsc.address()).await;
    for (id, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let sequence = esme.request(submit(PHONE, 0, false, text.as_bytes())).await;
        let read = esme.next().await.unwrap();
        assert_eq!(read.head(), (0x8000_0004, 0, sequence));
        let Some(Pdu::SubmitSmResp(response)) = read.pdu else { panic!("no submit_sm_resp") };
        assert_eq!(response.message_id().as_str(), (id + 1).to_string());
    }
    for (id, text) in [(2, b"b"), (3, b"c"), (4, b"d")] {
        let taken = soon(smsc.next_submit()).await;
        assert_eq!((taken.message_id, taken.octets.0.as_slice()), (Some(id), &text[..]));
        assert_eq!(
            (taken.source.octets.as_slice(), taken.destination.octets.as_slice()),
            (&b"997"[..], PHONE.as_bytes())
        );
    }
    assert_eq!((smsc.counts().submits, smsc.counts().dropped_submits), (4, 1));
}

#[tokio::test]
async fn submits_are_refused_or_ignored_when_told_so() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    smsc.answer_submits(SubmitAnswer::Refuse(0x58));
    let sequence = esme.request(submit(PHONE, 0, false, b"a")).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0004, 0x58, sequence));
    smsc.answer_submits(SubmitAnswer::Silence);
    esme.request(submit(PHONE, 0, false, b"b")).await;
    let sequence = esme.request(Pdu::EnquireLink).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0015, 0, sequence));
    for text in [b"a", b"b"] {
        let taken = soon(smsc.next_submit()).await;
        assert_eq!((taken.message_id, taken.octets.0.as_slice()), (None, &text[..]));
    }
}

#[tokio::test]
async fn a_receipt_follows_a_submit_that_asks_for_one() {
    let smsc = listening(SmscSettings { receipts: Receipts::Delivered, ..SmscSettings::default() }).await;
    let mut esme = Esme::bound(smsc.address()).await;
    esme.request(submit(PHONE, 0, false, b"no receipt")).await;
    let mut asking = submit(PHONE, 0, false, b"receipt");
    asking.registered_delivery = RegisteredDelivery::from(1);
    esme.request(asking).await;
    assert_eq!(esme.next().await.unwrap().id, 0x8000_0004);
    assert_eq!(esme.next().await.unwrap().id, 0x8000_0004);
    let read = esme.next().await.unwrap();
    assert_eq!(read.source(), PHONE);
    let Some(Pdu::DeliverSm(receipt)) = &read.pdu else { panic!("no deliver_sm") };
    assert_eq!((u8::from(receipt.esm_class), receipt.destination_addr.as_str()), (0x04, "997"));
    let text = String::from_utf8(receipt.short_message().as_ref().to_vec()).unwrap();
    assert!(
        text.starts_with("id:2 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD"),
        "{text}"
    );
    let id = receipt.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::ReceiptedMessageId(id)) => Some(id.as_str().to_owned()),
        _ => None,
    });
    assert_eq!(id.as_deref(), Some("2"));
    esme.answer(read.sequence, 0).await;
    let sequence = esme.request(Pdu::EnquireLink).await;
    assert_eq!(esme.next().await.unwrap().sequence, sequence);
    assert_eq!((smsc.counts().receipts, smsc.counts().receipts_taken), (1, 1));
}

#[tokio::test]
async fn both_sides_enquire_and_both_sides_unbind() {
    let smsc =
        listening(SmscSettings { enquire_after: Some(Duration::from_millis(30)), ..SmscSettings::default() }).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let enquiry = esme.next().await.unwrap();
    assert_eq!(enquiry.id, wire::ENQUIRE_LINK);
    esme.send(rusmpp::CommandStatus::EsmeRok, enquiry.sequence, Pdu::EnquireLinkResp).await;
    let sequence = esme.request(Pdu::Unbind).await;
    // Another enquiry may stand before the response; the connection closes behind it.
    let mut last = None;
    while let Some(read) = esme.next().await {
        last = Some(read.head());
    }
    assert_eq!(last, Some((0x8000_0006, 0, sequence)));
    assert_eq!(smsc.counts().enquiries_answered, 1);

    let mut esme = Esme::bound(smsc.address()).await;
    let answering = async {
        while let Some(read) = esme.next().await {
            if read.id == wire::UNBIND {
                esme.send(rusmpp::CommandStatus::EsmeRok, read.sequence, Pdu::UnbindResp).await;
            }
        }
    };
    soon(async { tokio::join!(smsc.unbind(), answering) }).await;
    soon(smsc.unbound()).await;
}

#[tokio::test]
async fn what_is_no_smpp_is_answered_and_the_line_stays_in_step() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let pdu = |id: u32, sequence: u32, body: &[u8]| {
        let head = [16 + body.len() as u32, id, 0, sequence].map(u32::to_be_bytes);
        [head.concat().as_slice(), body].concat()
    };
    esme.write(&pdu(0x77, 71, b"body")).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0000, 0x03, 71));
    esme.write(&pdu(wire::SUBMIT_SM, 72, b"no end of the string")).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0004, 0x02, 72));
    esme.write(&pdu(0x8000_00AA, 73, b"")).await;
    for octet in pdu(wire::ENQUIRE_LINK, 74, b"") {
        esme.write(&[octet]).await;
    }
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0015, 0, 74));
    let stray = soon(smsc.next_stray()).await;
    assert_eq!((stray.command_id, stray.sequence), (0x8000_00AA, 73));
    esme.write(&[0, 0, 0, 4, 0, 0, 0, 0]).await;
    assert_eq!(esme.next().await.unwrap().head(), (0x8000_0000, 0x02, 0));
    assert!(esme.next().await.is_none());
}

#[tokio::test]
async fn raw_octets_go_out_as_they_are_and_their_answer_is_a_stray() {
    let smsc = listening(SmscSettings::default()).await;
    assert!(matches!(smsc.write_raw(b"x"), Err(SimError::NoSession)));
    let mut esme = Esme::bound(smsc.address()).await;
    let raw = [0, 0, 0, 16, 0, 0, 0, 0x77, 0, 0, 0, 0, 0x40, 0, 0, 1];
    smsc.write_raw(&raw).unwrap();
    let read = esme.next().await.unwrap();
    assert_eq!(read.octets.as_ref(), raw);
    esme.send(rusmpp::CommandStatus::EsmeRinvcmdid, read.sequence, Pdu::GenericNack).await;
    let stray = soon(smsc.next_stray()).await;
    assert_eq!((stray.command_id, stray.status, stray.sequence), (0x8000_0000, 0x03, 0x4000_0001));
}

#[tokio::test]
async fn a_stopped_simulator_listens_no_more() {
    let smsc = listening(SmscSettings::default()).await;
    let address = smsc.address();
    let mut esme = Esme::bound(address).await;
    soon(smsc.stop()).await;
    assert!(esme.next().await.is_none());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
