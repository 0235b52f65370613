//! Receipts in the forms that SMSCs write them.

use proptest::prelude::*;

use super::{Body, pdu, tlv};
use crate::{
    config::Line,
    message::{RawAddress, ReceiptForm, ReceiptState, ReceiptTlvs},
    smpp::{
        deliver::Deliver,
        frame::next_frame,
        receipt::{Reading, read},
        trap::Trap,
    },
};

pub(super) fn deliver(body: &Body) -> Deliver {
    let frame = next_frame(&mut pdu(5, 0, 1, &body.octets()).as_slice().into()).unwrap().unwrap();
    Deliver::read(&frame, settings().codings).unwrap()
}

pub(super) fn settings() -> Line {
    super::settings("unused:1")
}

/// What a message says under these settings, and what is odd about it as a receipt.
pub(super) fn reading_by(body: &Body, settings: &Line) -> (Reading, Vec<Trap>) {
    let mut traps = Vec::new();
    let reading = read(&deliver(body), settings, &mut traps);
    (reading, traps)
}

/// The same under the usual settings; when it was done and in which form it came is looked at elsewhere.
fn reading(body: &Body) -> Reading {
    match reading_by(body, &settings()).0 {
        Reading::Receipt(receipt) => {
            let form = ReceiptForm::default();
            Reading::Receipt(ReceiptTlvs { done_at: None, intermediate: false, form, ..receipt })
        }
        other @ (Reading::Message | Reading::Nothing | Reading::List) => other,
    }
}

pub(super) fn text(text: &str) -> Body {
    Body { esm_class: 4, text: text.into(), ..Body::default() }
}

/// The receipt under these settings.
pub(super) fn said_by(body: &Body, settings: &Line) -> (ReceiptTlvs, Vec<Trap>) {
    let (reading, traps) = reading_by(body, settings);
    let Reading::Receipt(receipt) = reading else { panic!("{reading:?}") };
    (receipt, traps)
}

pub(super) fn said(body: &Body) -> (ReceiptTlvs, Vec<Trap>) {
    said_by(body, &settings())
}

fn receipt(message_id: &str, state: ReceiptState, error: &str) -> Reading {
    let source = RawAddress { ton: 1, npi: 1, octets: Body::default().source.to_vec() };
    Reading::Receipt(ReceiptTlvs {
        message_id: message_id.into(),
        state,
        error: error.into(),
        source,
        ..ReceiptTlvs::default()
    })
}

#[test]
fn every_text_form_is_read() {
    use ReceiptState::{Accepted, Delivered, Failed, InHand, Unknown};
    for (label, text, expected) in [
        (
            "R1",
            "id:0FA1 sub:001 dlvrd:001 submit date:2610031010 done date:2610031011 stat:DELIVRD err:000 text:TTCD",
            ("0FA1", Delivered, "000"),
        ),
        (
            "R2 other label",
            "id:7 sub:001 dlvrd:001 submit date:2610031010 done date:2610031011 stat:UNDELIV err:0a1 Text:x",
            ("7", Failed, "0a1"),
        ),
        (
            "R2 no label",
            "id:7 sub:001 dlvrd:001 submit date:2610031010 done date:2610031011 stat:EXPIRED err:003 hello there",
            ("7", Failed, "003"),
        ),
        (
            "R3",
            "id:9 sub:001 dlvrd:001 submit date:261003101000 done date:261003101001 stat:DELIVRD err:000 text:",
            ("9", Delivered, "000"),
        ),
        (
            "R4",
            "id:8b1a9953c4611296a827abf8c47804d7 submit date:20261003101000 done date:20261003101001 \
             stat:DELIVRD err:0",
            ("8b1a9953c4611296a827abf8c47804d7", Delivered, "0"),
        ),
        ("R5", "id:5 submit date:202610031010 done date:202610031011 stat:REJECTD err:030", ("5", Failed, "030")),
        ("R6", "id:6 submit date:2610031010 done date:2610031011 stat:ACCEPTD err:000", ("6", Accepted, "000")),
        (
            "R7",
            "id:77 sub:000 dlvrd:000 submit date:180903120815 done date:180903120816 DELIVRD err:000 Text:",
            ("77", Delivered, "000"),
        ),
        (
            "R8",
            "id:8 sub:001 dlvrd:001 submit date:2610031010 done date:0000000000 stat:FAILED err:002 Text:",
            ("8", Failed, "002"),
        ),
        (
            "R9",
            "sub:001 dlvrd:001 err:000 submit date:2610031010 done date:2610031011 id:9a stat:DELIVRD",
            ("9a", Delivered, "000"),
        ),
        ("R10", "stat:DELIVRD", ("", Delivered, "")),
        (
            "R13",
            "id:13 sub:1 dlvrd:01 submit date:2610031010 done date:2610031011 stat:DELIVRD err:0000 text:",
            ("13", Delivered, "0000"),
        ),
        ("case, blanks, commas, lines", "Id: 4a,\r\nSTAT: delivrd,  Err: -1", ("4a", Delivered, "-1")),
        ("a forged tail", "id:1 stat:DELIVRD err:000 text:id:7 stat:UNDELIV", ("1", Delivered, "000")),
        ("labels inside words", "id:1 substat:UNDELIV stat:ENROUTE", ("1", InHand, "")),
        ("a word nobody knows", "id:1 stat:DND_REJECTED err:DNC", ("1", Unknown, "DNC")),
        ("a number", "id:1 stat:2", ("1", Delivered, "")),
        ("empty fields", "id:1 sub: dlvrd: stat: err: text:", ("1", Unknown, "")),
        (
            "a UUID",
            "id:0e0c1a52-7b1e-4b8e-9f5e-3f1f0d5d9a11 stat:DELIVRD",
            ("0e0c1a52-7b1e-4b8e-9f5e-3f1f0d5d9a11", Delivered, ""),
        ),
    ] {
        let (id, state, error) = expected;
        let body = Body { esm_class: 4, text: text.into(), ..Body::default() };
        assert_eq!(reading(&body), receipt(id, state, error), "{label}");
    }
}

#[test]
fn parameters_headers_and_codings_are_seen_through() {
    use ReceiptState::{Delivered, Failed, Unknown};
    let text = b"id:4001 stat:DELIVRD err:21b".to_vec();
    let ucs2: Vec<u8> = text.iter().flat_map(|&octet| [0, octet]).collect();
    let with_header = [b"\x05\x00\x03\x2a\x01\x01".to_vec(), text.clone()].concat();
    let tlvs = [tlv(0x001E, b"4001\0"), tlv(0x0427, &[2])].concat();
    let flagged = Body { esm_class: 4, text: Vec::new(), ..Body::default() };
    let body = |text: &[u8], data_coding, tail: &[u8]| Body {
        text: text.to_vec(),
        data_coding,
        tail: tail.to_vec(),
        ..Body { esm_class: flagged.esm_class, ..Body::default() }
    };
    for (label, body, expected) in [
        ("R12", body(b"", 0, &tlvs), receipt("4001", Delivered, "")),
        (
            "R12 with the network's error",
            body(b"", 0, &[tlvs.clone(), tlv(0x0423, &[3, 0, 27])].concat()),
            receipt("4001", Delivered, "3/27"),
        ),
        ("R11", body(&text, 8, b""), receipt("4001", Delivered, "21b")),
        ("true UCS-2", body(&ucs2, 8, b""), receipt("4001", Delivered, "21b")),
        ("in the payload", body(b"", 0, &tlv(0x0424, &text)), receipt("4001", Delivered, "21b")),
        (
            "behind a header",
            Body { esm_class: 0x44, text: with_header, ..Body::default() },
            receipt("4001", Delivered, "21b"),
        ),
        (
            "an id without NUL",
            body(b"", 0, &[tlv(0x001E, b"ABC"), tlv(0x0427, &[5])].concat()),
            receipt("ABC", Failed, ""),
        ),
        (
            "an id padded",
            body(b"", 0, &[tlv(0x001E, b" ABC \0\0"), tlv(0x0427, &[2])].concat()),
            receipt("ABC", Delivered, ""),
        ),
        ("a state of two octets", body(&text, 0, &tlv(0x0427, &[2, 2])), receipt("4001", Delivered, "21b")),
        ("the state by parameter counts", body(&text, 0, &tlv(0x0427, &[5])), receipt("4001", Failed, "21b")),
        ("an id alone", body(b"", 0, &tlv(0x001E, b"7\0")), receipt("7", Unknown, "")),
        (
            "not flagged, both parameters",
            Body { tail: tlvs.clone(), ..Body::default() },
            receipt("4001", Delivered, ""),
        ),
        ("not flagged, text alone", Body { text: text.clone(), ..Body::default() }, Reading::Message),
        ("not flagged, id alone", Body { tail: tlv(0x001E, b"7\0"), ..Body::default() }, Reading::Message),
        ("flagged, a question", Body { esm_class: 4, ..Body::default() }, Reading::Nothing),
        ("flagged, empty", flagged, Reading::Nothing),
    ] {
        assert_eq!(reading(&body), expected, "{label}");
    }
    for esm_class in [0x04, 0x44, 0x24, 0x20, 0x08, 0x10, 0x18] {
        let text = if esm_class == 0x44 { [b"\x00".to_vec(), text.clone()].concat() } else { text.clone() };
        let body = Body { esm_class, text, ..Body::default() };
        assert_eq!(reading(&body), receipt("4001", Delivered, "21b"), "esm_class {esm_class:#x}");
    }
}

#[test]
fn ids_and_errors_are_bounded() {
    let text = format!("id:{} stat:DELIVRD err:{}", "9".repeat(500), "e".repeat(40));
    let body = Body { esm_class: 4, text: Vec::new(), tail: tlv(0x0424, text.as_bytes()), ..Body::default() };
    assert_eq!(reading(&body), receipt(&"9".repeat(255), ReceiptState::Delivered, &"e".repeat(16)));
    let tail = [tlv(0x001E, &[b'7'; 400]), tlv(0x0427, &[2])].concat();
    let body = Body { esm_class: 4, text: Vec::new(), tail, ..Body::default() };
    assert_eq!(reading(&body), receipt(&"7".repeat(255), ReceiptState::Delivered, ""));
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_panic(
        text in prop::collection::vec(any::<u8>(), 0..254),
        labels in "((id|stat|err|text|submit date|done  date|sub)[: ]{1,2}[ -~]{0,6}){0,8}",
        esm_class: u8,
        data_coding: u8,
    ) {
        for text in [text, labels.into_bytes()] {
            let text = text[..text.len().min(254)].to_vec();
            _ = reading(&Body { esm_class, data_coding, text, ..Body::default() });
        }
    }
}
