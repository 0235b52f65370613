//! The traps of receipts, a test each.

use super::{
    Body,
    receipts::{deliver, reading_by, said, said_by, settings, text},
    tlv,
};
use crate::{
    clock::Micros,
    config::{Line, ReceiptsBy},
    message::ReceiptState::{Accepted, Delivered, Failed, InHand, Unknown},
    smpp::{
        pdu,
        receipt::{Reading, unmarked},
        trap::Trap,
    },
};

const USUAL: &str =
    "id:4001 sub:001 dlvrd:001 submit date:2610031010 done date:2610031011 stat:DELIVRD err:000 text:TTCD";

/// A message with both parameters of a receipt, not marked.
fn parameters(id: &[u8], state: u8) -> Body {
    Body { tail: [tlv(0x001E, id), tlv(0x0427, &[state])].concat(), ..Body::default() }
}

#[test]
fn t140_receipt_as_data_sm() {
    let mut read = deliver(&text(USUAL));
    read.data_sm = true;
    let mut traps = Vec::new();
    let Reading::Receipt(receipt) = crate::smpp::receipt::read(&read, &settings(), &mut traps) else { panic!() };
    assert_eq!((receipt.message_id.as_str(), traps.as_slice()), ("4001", [Trap::ReceiptAsDataSm].as_slice()));
}

#[test]
fn t148_receipt_flag_forms() {
    for esm_class in [0x04, 0x44, 0x24, 0x20, 0x08, 0x10, 0x18, 0x3C] {
        let head: &[u8] = if esm_class == 0x44 { b"\0" } else { b"" };
        let body = Body { esm_class, text: [head, USUAL.as_bytes()].concat(), ..Body::default() };
        let (receipt, traps) = said(&body);
        assert_eq!((receipt.message_id.as_str(), receipt.state, receipt.intermediate), ("4001", Delivered, false));
        assert_eq!(traps.contains(&Trap::ReceiptFlagForms), esm_class & 0x3C != 0x04, "{esm_class:#x}");
    }
    for esm_class in [0x00, 0x01, 0x03, 0x40, 0x80, 0xC3] {
        let body = Body { esm_class, text: [b"\0", USUAL.as_bytes()].concat(), ..Body::default() };
        assert_eq!(reading_by(&body, &settings()).0, Reading::Message, "{esm_class:#x}");
    }
}

#[test]
fn t149_receipt_flag_missing() {
    let (receipt, traps) = said(&parameters(b"4001\0", 2));
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("4001", Delivered));
    assert_eq!(traps, [Trap::ReceiptFlagMissing]);
    let lenient = Line { receipt_flag_may_be_missing: true, ..settings() };
    assert_eq!(reading_by(&parameters(b"4001\0", 2), &lenient).1, [Trap::ReceiptFlagMissing]);
}

#[test]
fn t150_receipt_typed_by_citizen() {
    let lenient = Line { receipt_flag_may_be_missing: true, ..settings() };
    let plain = |text: &str| Body { text: text.into(), ..Body::default() };
    for (label, body, id) in [
        ("a receipt's text", plain(USUAL), Some("4001")),
        ("id and state", plain("id:1 stat:DELIVRD"), Some("1")),
        ("the id by parameter", Body { tail: tlv(0x001E, b"7\0"), ..plain("stat:DELIVRD") }, Some("7")),
        ("no id", plain("stat:DELIVRD"), None),
        ("no state", plain("id:1"), None),
        ("a word that is no state by itself", plain("id:1 delivered"), None),
        ("a question", plain("TTCD 901098012345"), None),
        ("marked", text(USUAL), None),
    ] {
        let receipt = unmarked(&deliver(&body), &lenient);
        assert_eq!(receipt.as_ref().map(|receipt| receipt.message_id.as_str()), id, "{label}");
        assert_eq!(unmarked(&deliver(&body), &settings()), None, "{label}: the carrier marks its receipts");
        if label != "marked" {
            assert_eq!(
                reading_by(&body, &lenient).0,
                Reading::Message,
                "{label}: it stays a question until its id is known"
            );
        }
    }
}

#[test]
fn t151_flagged_but_a_question() {
    for body in [text("TTCD 1"), text(""), text("TTCD 1 text:id:7 stat:DELIVRD")] {
        assert_eq!(reading_by(&body, &settings()), (Reading::Nothing, vec![]));
    }
}

#[test]
fn t152_question_with_receipt_tlv() {
    let body = Body { tail: tlv(0x001E, b"4001\0"), ..Body::default() };
    assert_eq!(reading_by(&body, &settings()), (Reading::Message, vec![Trap::QuestionWithReceiptTlv]));
}

#[test]
fn t153_receipt_fields_missing() {
    let (receipt, traps) = said(&text("id:4001 stat:UNDELIV"));
    assert_eq!((receipt.message_id.as_str(), receipt.state, receipt.error.as_str()), ("4001", Failed, ""));
    assert_eq!((receipt.done_at, traps.len()), (None, 0));
}

#[test]
fn t154_receipt_label_missing() {
    let line = "id:77 sub:000 dlvrd:000 submit date:1809031208 done date:1809031208 DELIVRD err:000 Text:";
    let (receipt, traps) = said(&text(line));
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("77", Delivered));
    assert_eq!(traps, [Trap::ReceiptLabelMissing]);
    assert_eq!(said(&text("id:77 err:000 Text:it was DELIVERED")).0.state, Unknown, "the citizen's text says no state");
}

#[test]
fn t155_receipt_order_case_space() {
    for line in [
        "sub:001 err:0a1 stat:UNDELIV done date:2610031011 id:4a",
        "Id:4a Sub:001 Done Date:2610031011 Stat:Undeliv Err:0a1 Text:x",
        "ID: 4a  STAT:  undeliv   ERR: 0a1  DONE  DATE: 2610031011",
        "id:4a,stat:UNDELIV,err:0a1,done date:2610031011",
        "id:4a\r\nstat:UNDELIV\r\nerr:0a1\r\ndone date:2610031011\r\n",
        "id:4a stat:UNDELIV err:0a1 done date:2610031011\0",
    ] {
        let (receipt, traps) = said(&text(line));
        assert_eq!(
            (receipt.message_id.as_str(), receipt.state, receipt.error.as_str()),
            ("4a", Failed, "0a1"),
            "{line}"
        );
        assert_eq!((receipt.done_at.is_some(), traps), (true, vec![]), "{line}");
    }
}

#[test]
fn t156_receipt_text_forges_fields() {
    for line in ["id:1 stat:DELIVRD err:000 text:id:7 stat:UNDELIV", "id:1 stat:DELIVRD Text:err:9 stat:UNDELIV id:7"] {
        let (receipt, _) = said(&text(line));
        assert_eq!((receipt.message_id.as_str(), receipt.state), ("1", Delivered));
    }
    let (receipt, _) = said(&text("id:x-stat:UNDELIV stat:DELIVRD"));
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("x-stat:UNDELIV", Delivered), "an id is not looked into");
}

#[test]
fn t157_receipt_dates_never_fail_a_receipt() {
    for (date, odd) in [("2610031011", false), ("0000000000", false), ("", false), ("2613031011", true), ("soon", true)]
    {
        let (receipt, traps) = said(&text(&format!("id:1 done date:{date} stat:DELIVRD")));
        assert_eq!((receipt.state, receipt.done_at.is_some()), (Delivered, date == "2610031011"), "{date}");
        assert_eq!(traps.contains(&Trap::ReceiptDates), odd, "{date}");
    }
}

#[test]
fn t158_receipt_clock() {
    for (offset, at) in [(0, "2026-10-03T10:11:00Z"), (420, "2026-10-03T03:11:00Z"), (-60, "2026-10-03T11:11:00Z")] {
        let settings = Line { receipt_offset_minutes: offset, ..settings() };
        let at: jiff::Timestamp = at.parse().unwrap();
        assert_eq!(said_by(&text(USUAL), &settings).0.done_at, Some(Micros(at.as_microsecond())));
    }
}

#[test]
fn t159_receipt_state_words() {
    for (words, state, passing) in [
        ("DELIVRD DELIVERED DELIVERD delivrd 2", Delivered, false),
        ("UNDELIV UNDELIVERABLE UNDELIVRD FAILED REJECTD REJECTED EXPIRED DELETED SKIPPED 3 4 5 8 9", Failed, false),
        ("ACCEPTD ACCEPTED 6", Accepted, false),
        ("ENROUTE ACKED BUFFRED BUFFERD BUFFERED SCHEDLD SCHEDULED 0 1", InHand, true),
        ("UNKNOWN 7 DND_REJECTED 10 255 256 -2 DELIVRDX", Unknown, false),
    ] {
        for word in words.split(' ') {
            let (receipt, traps) = said(&text(&format!("id:1 stat:{word}")));
            assert_eq!((receipt.state, receipt.intermediate), (state, passing), "{word}");
            let unheard = state == Unknown && !matches!(word, "UNKNOWN" | "7");
            assert_eq!(traps.contains(&Trap::ReceiptStateWords), unheard, "{word}");
        }
    }
    let zero = Line { receipt_zero_is_delivered: true, ..settings() };
    assert_eq!(said_by(&text("id:1 stat:0"), &zero).0.state, Delivered);
    assert_eq!(said_by(&parameters(b"1\0", 0), &zero).0.state, InHand, "the parameter's 0 is the standard's");
}

#[test]
fn t138_intermediate_then_final() {
    for (esm_class, word, intermediate) in [
        (0x04, "ENROUTE", true),
        (0x04, "BUFFRED", true),
        (0x04, "ACCEPTD", false),
        (0x20, "ACCEPTD", true),
        (0x20, "UNKNOWN", true),
        (0x20, "DELIVRD", false),
        (0x24, "EXPIRED", false),
        (0x04, "DELIVRD", false),
    ] {
        let body = Body { esm_class, ..text(&format!("id:1 stat:{word}")) };
        assert_eq!(said(&body).0.intermediate, intermediate, "{esm_class:#x} {word}");
    }
}

#[test]
fn t160_receipt_err_forms() {
    for error in ["000", "0000", "21b", "075", "-1", "DNC"] {
        assert_eq!(said(&text(&format!("id:1 stat:UNDELIV err:{error}"))).0.error, error);
    }
    let with = |error: &str, network: &[u8]| {
        let body = Body { tail: tlv(0x0423, network), ..text(&format!("id:1 stat:UNDELIV {error}")) };
        said(&body).0.error
    };
    assert_eq!(with("err:21b", &[3, 0, 27]), "21b 3/27");
    assert_eq!(with("err:000", &[3, 0, 27]), "3/27");
    assert_eq!(with("err:21b", &[3, 0, 0]), "21b");
    assert_eq!(with("", &[3, 0, 27]), "3/27");
    assert_eq!(with("err:1234567890ab", &[3, 0, 27]), "1234567890ab");
}

#[test]
fn t161_receipt_tlvs_only() {
    let body = Body { esm_class: 4, text: Vec::new(), ..parameters(b"4001\0", 5) };
    let (receipt, traps) = said(&body);
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("4001", Failed));
    assert_eq!(traps, [Trap::ReceiptTlvsOnly]);
}

#[test]
fn t162_receipt_sides_disagree() {
    let mixed = |line: &str| Body { tail: parameters(b"4001\0", 2).tail, ..text(line) };
    let (receipt, traps) = said(&mixed("id:00000FA1 stat:UNDELIV err:5"));
    assert_eq!((receipt.message_id.as_str(), receipt.other_id.as_deref()), ("4001", Some("00000FA1")));
    assert_eq!((receipt.state, receipt.error.as_str()), (Delivered, "5"));
    assert_eq!(traps, [Trap::ReceiptSidesDisagree]);
    let (receipt, traps) = said(&mixed("id:4001 stat:DELIVRD"));
    assert_eq!((receipt.other_id, traps), (None, vec![]));
    assert_eq!(said(&mixed("id:4001 stat:UNDELIV")).1, [Trap::ReceiptSidesDisagree]);
}

#[test]
fn t163_receipt_in_wrong_coding() {
    let wide: Vec<u8> = USUAL.bytes().flat_map(|octet| [0, octet]).collect();
    let turned: Vec<u8> = USUAL.bytes().flat_map(|octet| [octet, 0]).collect();
    let marked = [&[0xFE, 0xFF], wide.as_slice()].concat();
    for (label, data_coding, octets, odd) in [
        ("ASCII under 8", 8, USUAL.as_bytes(), true),
        ("UCS-2", 8, &wide[..], false),
        ("UCS-2, marked", 8, &marked, false),
        ("UCS-2, the lower octet first", 8, &turned, false),
        ("UCS-2 of class 0", 0x18, &wide, false),
        ("ASCII under Latin-1", 3, USUAL.as_bytes(), false),
        ("ASCII under data", 4, USUAL.as_bytes(), false),
    ] {
        let body = Body { data_coding, text: Vec::new(), tail: tlv(0x0424, octets), ..text("") };
        let (receipt, traps) = said(&body);
        assert_eq!((receipt.message_id.as_str(), receipt.state), ("4001", Delivered), "{label}");
        assert_eq!(traps.contains(&Trap::ReceiptInWrongCoding), odd, "{label}");
    }
    let gsm = Body { text: b"id:SMS\x11 7 stat:DELIVRD text:\x00".to_vec(), ..text("") };
    assert_eq!(said(&gsm).0.message_id, "SMS_");
}

#[test]
fn t163_receipt_that_is_packed() {
    let mut settings = settings();
    settings.codings.default = crate::sms::DefaultAlphabet::Packed;
    let (mut packed, mut bits, mut held) = (Vec::new(), 0_u16, 0);
    for octet in b"id:7 stat:DELIVRD err:000 text:x" {
        bits |= u16::from(*octet) << held;
        held += 7;
        if held >= 8 {
            packed.push(bits as u8);
            (bits, held) = (bits >> 8, held - 8);
        }
    }
    packed.push(bits as u8);
    let (receipt, _) = said_by(&Body { text: packed, ..text("") }, &settings);
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("7", Delivered));
}

#[test]
fn t164_receipt_in_payload_or_udh() {
    let with_header = [b"\x05\x00\x03\x2a\x02\x01", USUAL.as_bytes()].concat();
    for body in [
        Body { text: Vec::new(), tail: tlv(0x0424, USUAL.as_bytes()), ..text("") },
        Body { esm_class: 0x44, text: with_header.clone(), ..text("") },
        Body { esm_class: 0x44, text: Vec::new(), tail: tlv(0x0424, &with_header), ..text("") },
    ] {
        let (receipt, traps) = said(&body);
        assert_eq!((receipt.message_id.as_str(), receipt.state), ("4001", Delivered));
        assert_eq!(traps, [Trap::ReceiptInPayloadOrHeader]);
    }
}

#[test]
fn a_list_of_values_is_read_where_the_carrier_writes_such() {
    let line = "02,2610031543,2610031542,,84520000007,997,0A1B";
    let csv = Line { receipts_by: ReceiptsBy::Csv, ..settings() };
    let (receipt, _) = said_by(&text(line), &csv);
    assert_eq!((receipt.message_id.as_str(), receipt.state, receipt.error.as_str()), ("0A1B", Delivered, ""));
    assert!(receipt.done_at.is_some());
    let zero = Line { receipt_zero_is_delivered: true, ..csv.clone() };
    assert_eq!(said_by(&text("00,2610031543,2610031542,21b,84520000007,997,7"), &zero).0.state, Delivered);
    assert_eq!(said_by(&text("05,,,21b,84520000007,997,7"), &csv).0.error, "21b");
    assert_eq!(said_by(&text(USUAL), &csv).0.message_id, "4001", "with labels after all");
    assert_eq!(reading_by(&text(line), &settings()).0, Reading::List, "not where it is not agreed");
    for no_list in ["02,03,04,05,06,07,08", "02,2610031543,2610031542,,84520000007,997", "TTCD 1, 2, 3, 4, 5, 6, 7"] {
        assert_eq!(reading_by(&text(no_list), &settings()).0, Reading::Nothing, "{no_list}");
    }
}

#[test]
fn the_form_of_a_receipt_is_told_and_a_setting_says_which_side_counts() {
    let form = |body: &Body| said(body).0.form.to_string();
    let usual = "text (id, sub, dlvrd, submit date, done date of 10 digits, stat, err, text)";
    let disagrees = |esm_class| Body { esm_class, text: b"id:7 stat:UNDELIV".to_vec(), ..parameters(b"4001\0", 2) };
    for (body, expected) in [
        (text(USUAL), usual),
        (text("id:7 done date:20261003101112 DELIVRD"), "text (id, done date of 14 digits, the state without a label)"),
        (Body { text: Vec::new(), ..parameters(b"4001\0", 2) }, "parameters"),
        (disagrees(4), "auto (parameters, and a text with id, stat)"),
    ] {
        assert_eq!(form(&body), expected);
    }
    for (by, id, other, state) in [
        (ReceiptsBy::Auto, "4001", Some("7"), Delivered),
        (ReceiptsBy::Parameters, "4001", None, Delivered),
        (ReceiptsBy::Text, "7", Some("4001"), Failed),
    ] {
        let receipt = said_by(&disagrees(4), &Line { receipts_by: by, ..settings() }).0;
        assert_eq!((receipt.message_id.as_str(), receipt.other_id.as_deref(), receipt.state), (id, other, state));
    }
    let by_parameters = Line { receipts_by: ReceiptsBy::Parameters, ..settings() };
    assert_eq!(reading_by(&text(USUAL), &by_parameters).0, Reading::Nothing);
    let by_text = Line { receipts_by: ReceiptsBy::Text, ..settings() };
    assert_eq!(said_by(&parameters(b"4001\0", 2), &by_text).0.message_id, "4001", "what the text does not say");
}

#[test]
fn an_id_is_the_same_text_in_a_response_and_in_a_receipt() {
    for id in [b"40\x02\n01".as_slice(), b"a\x11b", b"a\xffb"] {
        let in_response = pdu::message_id(&[id, b"\0"].concat());
        assert_eq!(said(&parameters(&[id, b"\0"].concat(), 2)).0.message_id, in_response, "{id:02x?}");
    }
}
