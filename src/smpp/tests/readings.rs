//! Two readings of one message: ours, and the codec's as a second opinion where the codec takes it.

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp::{decode::DecodeWithLength as _, encode::Encode as _, pdus::DeliverSm};

use super::{Body, pdu, tlv};
use crate::{
    message::RawAddress,
    smpp::{
        deliver::{Deliver, Malformed},
        frame::next_frame,
        lenient,
        trap::Trap,
    },
    sms::Codings,
};

fn read(body: &[u8]) -> Result<Deliver, Malformed> {
    let frame = next_frame(&mut pdu(5, 0, 1, body).as_slice().into()).unwrap().unwrap();
    Deliver::read(&frame, Codings::default())
}

/// The traps of a `deliver_sm` with this body.
fn traps(body: &Body) -> Vec<Trap> {
    read(&body.octets()).unwrap().traps
}

/// What the codec reads in a body that it takes to the last octet.
struct Other {
    source: RawAddress,
    destination: RawAddress,
    classes: (u8, u8),
    text: Vec<u8>,
    state: Option<u8>,
}

fn by_codec(body: &[u8]) -> Option<Other> {
    let (pdu, size) = DeliverSm::decode(&mut BytesMut::from(body), body.len()).ok()?;
    let mut tlvs = Vec::new();
    for tlv in pdu.tlvs() {
        let value = tlv.value();
        // It reads a parameter of a wrong length as far as its type goes, and is out of step from there on.
        if value.map_or(0, rusmpp::encode::Length::length) != usize::from(tlv.value_length()) {
            return None;
        }
        let mut octets = vec![0; usize::from(tlv.value_length())];
        if let Some(value) = value {
            value.encode(&mut octets);
        }
        tlvs.push((u16::from(tlv.tag()), octets));
    }
    let first = |tag: u16| tlvs.iter().find(|(of, value)| *of == tag && !value.is_empty()).map(|(_, value)| value);
    let address = |ton: u8, npi: u8, text: &str| RawAddress { ton, npi, octets: text.into() };
    (size == body.len()).then(|| Other {
        source: address(pdu.source_addr_ton.into(), pdu.source_addr_npi.into(), pdu.source_addr.as_str()),
        destination: address(pdu.dest_addr_ton.into(), pdu.dest_addr_npi.into(), pdu.destination_addr.as_str()),
        classes: (pdu.esm_class.into(), pdu.data_coding.into()),
        text: first(0x0424).cloned().unwrap_or_else(|| pdu.short_message().as_ref().to_vec()),
        state: first(0x0427).map(|value| value[0]),
    })
}

fn parameter() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        0x0005_u16, 0x001E, 0x0204, 0x020A, 0x020C, 0x020E, 0x020F, 0x0381, 0x0423, 0x0424, 0x0427, 0x0501, 0x1400,
        0x3177,
    ]);
    (known, prop::collection::vec(any::<u8>(), 0..6)).prop_map(|(tag, value)| tlv(tag, &value))
}

prop_compose! {
    fn body()(
        source in "[0-9A-Za-z+]{0,20}",
        destination in "[0-9]{0,20}",
        addresses: [u8; 4],
        bytes: [u8; 8],
        time in prop::sample::select(vec!["", "000000001000000R"]),
        text in prop::collection::vec(any::<u8>(), 0..255),
        parameters in prop::collection::vec(parameter(), 0..5),
    ) -> Vec<u8> {
        let mut octets = b"CMT\0".to_vec();
        octets.extend(&addresses[..2]);
        octets.extend(source.as_bytes());
        octets.push(0);
        octets.extend(&addresses[2..]);
        octets.extend(destination.as_bytes());
        octets.push(0);
        octets.extend(&bytes[..3]);
        octets.push(0);
        octets.extend(time.as_bytes());
        octets.push(0);
        octets.extend(&bytes[3..7]);
        octets.push(text.len() as u8);
        octets.extend(text);
        octets.extend(parameters.concat());
        octets
    }
}

fn agree(octets: &[u8]) -> Result<(), TestCaseError> {
    if let Some(other) = by_codec(octets) {
        let ours = read(octets).map_err(|why| TestCaseError::fail(format!("{why:?} {octets:02x?}")))?;
        prop_assert!((&ours.source, &ours.destination) == (&other.source, &other.destination), "{octets:02x?}");
        prop_assert_eq!((ours.esm_class, ours.data_coding), other.classes);
        prop_assert!(ours.text == other.text && ours.options.state == other.state, "{octets:02x?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_codec_takes_both_read_alike(octets in body()) {
        prop_assert!(read(&octets).is_ok());
        agree(&octets)?;
    }

    #[test]
    fn damage_makes_neither_panic_and_never_changes_what_the_codec_takes(
        mut octets in body(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        length: prop::sample::Index,
    ) {
        for (at, octet) in cuts {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets.truncate(length.index(octets.len() + 1));
        agree(&octets)?;
        _ = lenient::data_sm(&octets);
    }
}

#[test]
fn the_usual_messages_have_no_trap() {
    let sar = [tlv(0x020C, &[0, 9]), tlv(0x020E, &[2]), tlv(0x020F, &[1]), tlv(0x0381, b"1"), tlv(0x0381, b"2")];
    let with_header = Body { esm_class: 0x40, text: b"\x05\x00\x03\x07\x02\x01TTCD".to_vec(), ..Body::default() };
    let wide = Body { data_coding: 8, text: b"\0T\0T".to_vec(), ..Body::default() };
    let validity = Body { validity: b"000000001000000R", ..Body::default() };
    let receipt = Body { esm_class: 4, tail: [tlv(0x001E, b"4001\0"), tlv(0x0427, &[2])].concat(), ..Body::default() };
    for body in [Body::default(), Body { tail: sar.concat(), ..Body::default() }, with_header, wide, validity, receipt]
    {
        assert_eq!(traps(&body), []);
    }
}

#[test]
fn t08_status_in_request() {
    let octets = pdu(5, 5, 1, &Body::default().octets());
    let frame = next_frame(&mut octets.as_slice().into()).unwrap().unwrap();
    assert_eq!(Deliver::read(&frame, Codings::default()).unwrap().traps, [Trap::StatusInRequest]);
}

/// One test for each mending: what the tail is, what of the text and the state is read, and the names it is counted by.
macro_rules! mended {
    ($($name:ident: $body:expr => $text:expr, $traps:expr;)*) => {$(
        #[test]
        fn $name() {
            for body in $body {
                let read = read(&body.octets()).unwrap();
                assert_eq!(read.traps, $traps);
                assert_eq!(read.text, $text);
                assert_eq!(read.source.octets, body.source);
            }
        }
    )*};
}

fn tail(tail: Vec<u8>) -> Body {
    Body { tail, ..Body::default() }
}

fn usual() -> Vec<u8> {
    Body::default().text
}

mended! {
    t10_text_nul_not_counted: [tail(vec![0]), tail(vec![0; 3]), tail(vec![1, 2, 3]), tail([vec![0], tlv(0x0204, &[0, 9])].concat())]
        => usual(), [Trap::StrayOctets];
    t12_tlv_past_end: [tail(vec![0x14, 1, 0, 10, 1, 2, 3]), tail([tlv(0x0204, &[0, 9]), vec![4, 0x24, 0, 200, b'x']].concat())]
        => usual(), [Trap::TlvPastEnd];
    t13_tlv_wrong_length: [tail(tlv(0x0427, &[2, 2])), tail(tlv(0x0427, &[])), tail(tlv(0x0423, &[3, 0])), tail(tlv(0x0204, &[1])), tail(tlv(0x020A, &[1]))]
        => usual(), [Trap::TlvLength];
    t14_tlv_string_terminator: [tail(tlv(0x001E, b"ABC")), tail(tlv(0x001E, b"ABC\0\0")), tail(tlv(0x001E, b" ABC \0"))]
        => usual(), [Trap::TlvTerminator];
    t15_tlv_unknown: [tail(tlv(0x3177, b"x")), tail(tlv(0x2001, b"")), tail(tlv(0x1400, b"yz"))]
        => usual(), [Trap::TlvUnknown];
    t16_tlv_repeated: [tail([tlv(0x0424, b"p"), tlv(0x0424, b"q")].concat())]
        => b"p", [Trap::TlvRepeated, Trap::PayloadAndShort];
    t18_field_too_long: [Body { service_type: b"QUERY6", ..Body::default() }]
        => usual(), [Trap::FieldTooLong];
    t19_bad_time_in_deliver: [Body { validity: b"0000010000", ..Body::default() }, Body { validity: b"000000001000000", ..Body::default() }]
        => usual(), [Trap::BadTime];
    t76_payload_only: [Body { text: Vec::new(), ..tail(tlv(0x0424, b"TTCD 1")) }]
        => b"TTCD 1", [Trap::PayloadOnly];
    t77_payload_and_short: [tail(tlv(0x0424, b"b"))]
        => b"b", [Trap::PayloadAndShort];
    t78_payload_with_udh: [Body { esm_class: 0x40, text: Vec::new(), ..tail(tlv(0x0424, b"\x05\x00\x03\x07\x02\x01A")) }]
        => b"\x05\x00\x03\x07\x02\x01A", [Trap::PayloadOnly, Trap::PayloadWithHeader];
    t79_empty_text: [Body { text: Vec::new(), ..Body::default() }, Body { text: Vec::new(), ..tail(tlv(0x0424, b"")) }]
        => b"", [Trap::EmptyText];
    t80_short_of_255: [Body { text: vec![b'a'; 255], ..Body::default() }]
        => vec![b'a'; 255], [Trap::ShortOf255];
    t84_source_not_ascii: [Body { source: b"V\xe9\x78", ..Body::default() }]
        => usual(), [Trap::SourceNotAscii];
    t88_port_addressed: [tail(tlv(0x020B, &[0x0B, 0x84])), tail(tlv(0x020A, &[0x0B, 0x84]))]
        => usual(), [Trap::PortAddressed];
}

#[test]
fn t88_port_addressed_by_its_header() {
    let body = Body { esm_class: 0x40, text: b"\x06\x05\x04\x0b\x84\0\0T".to_vec(), ..Body::default() };
    let read = read(&body.octets()).unwrap();
    assert_eq!(
        (read.traps.as_slice(), read.piece().octets),
        ([Trap::PortAddressed, Trap::HeaderWithoutPlace].as_slice(), b"T".as_slice())
    );
}

#[test]
fn t87_ussd_on_the_line() {
    for body in [Body { service_type: b"USSD", ..Body::default() }, tail(tlv(0x0501, &[1]))] {
        assert!(read(&body.octets()).unwrap().options.ussd);
    }
    assert!(!read(&Body::default().octets()).unwrap().options.ussd);
}

#[test]
fn several_traps_in_one_message_are_each_named() {
    use Trap::{
        BadTime, ClassOrIndication, FieldTooLong, OddLength, StrayOctets, TlvLength, TlvTerminator, TlvUnknown,
    };
    let tail = [tlv(0x0427, &[2, 2]), tlv(0x3177, b"x"), tlv(0x001E, b"7"), vec![0]].concat();
    let body = Body {
        service_type: b"QUERY6",
        validity: b"1",
        data_coding: 0x18,
        text: b"\0T\0".to_vec(),
        tail,
        ..Body::default()
    };
    assert_eq!(
        traps(&body),
        [FieldTooLong, BadTime, TlvLength, TlvUnknown, TlvTerminator, StrayOctets, OddLength, ClassOrIndication]
    );
}

#[test]
fn what_cannot_be_read_has_a_final_status_and_a_name() {
    let cut = Body::default().octets();
    for (label, body, status, trap) in [
        ("t09_sm_length_past_end", Body { sm_length: Some(200), ..Body::default() }.octets(), 0x01, Trap::TextPastEnd),
        ("t11_mandatory_part_unreadable", cut[..8].to_vec(), 0x02, Trap::Unreadable),
        ("cut before sm_length", cut[..30].to_vec(), 0x02, Trap::Unreadable),
        ("t18_field_too_long", Body { source: &[b'1'; 25], ..Body::default() }.octets(), 0x0A, Trap::FieldTooLong),
        (
            "destination too long",
            Body { destination: &[b'1'; 21], ..Body::default() }.octets(),
            0x0B,
            Trap::FieldTooLong,
        ),
    ] {
        let Err(why) = read(&body) else { panic!("{label} was read") };
        assert_eq!((why.status(), why.trap()), (status, trap), "{label}");
    }
}
