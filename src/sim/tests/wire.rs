//! The hand-written PDUs against the `rusmpp` codec, and against octets that are no PDU at all.

use bytes::BytesMut;
use proptest::prelude::*;
use rusmpp::{
    Command, CommandStatus, Pdu,
    decode::DecodeWithLength as _,
    encode::{Encode as _, Length as _},
    pdus::{BindTransceiver, SubmitSm},
    tlvs::{MessageSubmissionRequestTlvValue, TlvValue},
    types::{COctetString, OctetString},
    values::{DataCoding, EsmClass, MessagePayload, Npi, RegisteredDelivery, Ton},
};

use crate::{
    message::{Octets, RawAddress},
    sim::{
        Deliver, SimError,
        wire::{
            BIND_TRANSCEIVER, DELIVER_SM, Place, RESPONSE, deliver_body, put_bound, put_request, put_submitted,
            read_bind, read_header, read_submit,
        },
    },
    smpp::frame::{HEADER, next_frame},
};

fn encoded(pdu: impl Into<Pdu>) -> Vec<u8> {
    let command = Command::new(CommandStatus::EsmeRok, 7, pdu);
    // The codec leaves command_length to its framing.
    let mut octets = vec![0; 4 + command.length()];
    let length = octets.len() as u32;
    octets[..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(command.encode(&mut octets[4..]) + 4, octets.len());
    octets
}

/// What `rusmpp` makes of one PDU of ours.
fn decoded(octets: &[u8]) -> Command {
    let mut buffer = BytesMut::from(octets);
    let frame = next_frame(&mut buffer).unwrap().unwrap();
    assert!(buffer.is_empty());
    let mut rest = BytesMut::from(&frame.octets[4..]);
    let length = rest.len();
    Command::decode(&mut rest, length).unwrap().0
}

proptest! {
    #[test]
    fn a_deliver_sm_of_ours_reads_the_same_in_another_codec(
        source in "[0-9]{0,20}", ton in 0_u8..7, esm in prop::sample::select(vec![0_u8, 4, 0x40]), coding: u8,
        text in prop::collection::vec(any::<u8>(), 0..400), reference: u16,
    ) {
        let deliver = Deliver {
            source: RawAddress { ton, npi: 1, octets: source.clone().into_bytes() },
            destination: RawAddress { ton: 0, npi: 0, octets: b"997".to_vec() },
            esm_class: esm,
            data_coding: coding,
            octets: Octets(text.clone()),
            tlvs: Vec::new(),
        }.with_sar(reference, 3, 2);
        let mut out = BytesMut::new();
        put_request(&mut out, DELIVER_SM, 99, &deliver_body(&deliver).unwrap());
        let command = decoded(&out);
        prop_assert_eq!(command.sequence_number(), 99);
        let Some(Pdu::DeliverSm(read)) = command.pdu() else { panic!("no deliver_sm") };
        prop_assert_eq!(read.source_addr.as_str(), source.as_str());
        prop_assert_eq!(u8::from(read.source_addr_ton), ton);
        prop_assert_eq!(read.destination_addr.as_str(), "997");
        prop_assert_eq!(u8::from(read.esm_class), esm);
        prop_assert_eq!(u8::from(read.data_coding), coding);
        let payload = read.tlvs().iter().find_map(|tlv| match tlv.value() {
            Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref().to_vec()),
            _ => None,
        });
        prop_assert_eq!(payload.unwrap_or_else(|| read.short_message().as_ref().to_vec()), text);
        let reference_read = read.tlvs().iter().find_map(|tlv| match tlv.value() {
            Some(TlvValue::SarMsgRefNum(reference)) => Some(*reference),
            _ => None,
        });
        prop_assert_eq!(reference_read, Some(reference));
    }

    #[test]
    fn a_submit_sm_of_another_codec_reads_the_same_here(
        source in "[0-9A-Za-z]{0,20}", destination in "[0-9]{1,20}", esm: u8, registered in 0_u8..2, coding: u8,
        text in prop::collection::vec(any::<u8>(), 0..255), payload in prop::option::of(prop::collection::vec(any::<u8>(), 1..600)),
    ) {
        let mut submit = SubmitSm::builder()
            .source_addr_ton(Ton::Alphanumeric)
            .source_addr(COctetString::from_string(source.clone()).unwrap())
            .dest_addr_ton(Ton::International)
            .dest_addr_npi(Npi::Isdn)
            .destination_addr(COctetString::from_string(destination.clone()).unwrap())
            .esm_class(EsmClass::from(esm))
            .registered_delivery(RegisteredDelivery::from(registered))
            .data_coding(DataCoding::from(coding))
            .short_message(OctetString::from_slice(&text).unwrap())
            .build();
        if let Some(payload) = &payload {
            let value = MessagePayload::new(rusmpp::types::AnyOctetString::from_slice(payload));
            submit.push_tlv(MessageSubmissionRequestTlvValue::MessagePayload(value));
        }
        let octets = encoded(submit);
        let read = read_submit(&octets[HEADER..]).unwrap();
        prop_assert_eq!(read.source, (5, 0, source.as_bytes()));
        prop_assert_eq!(read.destination, (1, 1, destination.as_bytes()));
        prop_assert_eq!((read.esm_class, read.registered_delivery, read.data_coding), (esm, registered, coding));
        prop_assert_eq!(read.octets, payload.as_deref().unwrap_or(&text));
    }

    #[test]
    fn octets_that_are_no_pdu_are_read_without_harm(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (read_submit(&octets), read_bind(&octets));
        let (place, text) = read_header(&octets);
        prop_assert!(text.len() <= octets.len());
        prop_assert!(place.is_none_or(|place| (1..=place.total).contains(&place.index)));
    }
}

#[test]
fn a_bind_of_another_codec_gives_its_name_and_password() {
    let bind = BindTransceiver::builder()
        .system_id(COctetString::from_string("gateway".to_owned()).unwrap())
        .password(COctetString::from_string("secret08".to_owned()).unwrap())
        .build();
    let octets = encoded(bind);
    let read = read_bind(&octets[HEADER..]).unwrap();
    assert_eq!((read.system_id, read.password), (&b"gateway"[..], &b"secret08"[..]));
}

#[test]
fn the_responses_read_the_same_in_another_codec() {
    let mut out = BytesMut::new();
    put_bound(&mut out, BIND_TRANSCEIVER | RESPONSE, 3, "SIM");
    let command = decoded(&out);
    let Some(Pdu::BindTransceiverResp(bound)) = command.pdu() else { panic!("no bind_transceiver_resp") };
    assert_eq!((bound.system_id.as_str(), command.sequence_number()), ("SIM", 3));
    assert_eq!(bound.sc_interface_version().map(u8::from), Some(0x34));
    for id in [0, 9, 10, 1_234_567_890_123, u64::MAX] {
        let mut out = BytesMut::new();
        put_submitted(&mut out, 4, id);
        let command = decoded(&out);
        let Some(Pdu::SubmitSmResp(response)) = command.pdu() else { panic!("no submit_sm_resp") };
        assert_eq!(response.message_id().as_str(), id.to_string());
    }
}

#[test]
fn user_data_headers_give_the_place_of_a_part() {
    let place = |wide, reference, total, index| Some(Place { reference: (wide, reference), total, index });
    for (label, octets, expected, text) in [
        ("8-bit reference", &b"\x05\x00\x03\x2a\x03\x02ab"[..], place(false, 42, 3, 2), &b"ab"[..]),
        ("16-bit reference", b"\x06\x08\x04\x01\x02\x02\x01z", place(true, 258, 2, 1), b"z"),
        ("another element first", b"\x07\x24\x00\x00\x03\x07\x02\x02z", place(false, 7, 2, 2), b"z"),
        ("index 0", b"\x05\x00\x03\x2a\x02\x00z", None, b"z"),
        ("index beyond the total", b"\x05\x00\x03\x2a\x02\x03z", None, b"z"),
        ("header past the end", b"\xff\x00\x03", None, b"\xff\x00\x03"),
        ("nothing", b"", None, b""),
    ] {
        assert_eq!(read_header(octets), (expected, text), "{label}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let long = RawAddress { ton: 1, npi: 1, octets: vec![b'1'; 21] };
    let refused = deliver_body(&Deliver { source: long, ..Deliver::default() }).unwrap_err();
    assert!(matches!(refused, SimError::DoesNotFit { what: "source", greatest: 20 }), "{refused}");
    let huge = Deliver { octets: Octets(vec![0; 65_536]), ..Deliver::default() };
    assert!(matches!(deliver_body(&huge), Err(SimError::DoesNotFit { what: "TLV", .. })));
}
