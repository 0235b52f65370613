//! Writes a submit_sm (SMPP 3.4, 4.4.1) with the codec, and its optional parameters behind it.

use bytes::{BufMut as _, BytesMut};
use jiff::tz::TimeZone;
use rusmpp::{
    Command, CommandStatus,
    encode::{Encode as _, Length as _},
    pdus::SubmitSm,
    types::{COctetString, EmptyOrFullCOctetString, OctetString},
    values::{DataCoding, EsmClass, Npi, PriorityFlag, RegisteredDelivery, ReplaceIfPresentFlag, ServiceType, Ton},
};

use super::{bind::Abilities, pdu::status};
use crate::{
    config::Line,
    message::{RawAddress, Submit, Validity},
};

/// The longest short_message: 254 octets (SMPP 3.4, 5.2.21).
const LONGEST_TEXT: usize = 254;
/// The longest message_payload we send: SMSCs are known that take no PDU above 4,096 octets.
const LONGEST_PAYLOAD: usize = 3_500;
/// The longest billing_identification (SMPP 5.0, 4.8.4.3).
const LONGEST_BILLING: usize = 1_024;

/// esm_class with nothing but the user data header indicator.
const UDHI: u8 = 0x40;

/// Tags of optional parameters (SMPP 3.4, 5.3.2; SMPP 5.0, 4.8.4).
const SAR_MSG_REF_NUM: u16 = 0x020C;
const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
const MESSAGE_PAYLOAD: u16 = 0x0424;
const BILLING_IDENTIFICATION: u16 = 0x060B;

/// Writes one submit_sm.
///
/// The replace flag is 0, so that a second reply to one phone does not replace the first. esm_class begins from 0: the
/// default of the codec is 0x08. Parameters that are the text's form are always sent; the carrier's billing parameter
/// only to a peer that can read it.
///
/// # Errors
/// The command_status that an SMSC would refuse it with, when it cannot be written: nothing is written then.
pub(super) fn write_submit(
    out: &mut BytesMut,
    submit: &Submit,
    settings: &Line,
    can: Abilities,
    sequence: u32,
) -> Result<(), u32> {
    let source = address(&submit.source).ok_or(status::INVALID_SOURCE)?;
    let destination = address(&submit.destination).ok_or(status::INVALID_DESTINATION)?;
    let segment = &submit.segment;
    if segment.octets.len() > if segment.payload { LONGEST_PAYLOAD } else { LONGEST_TEXT } {
        return Err(status::INVALID_MESSAGE_LENGTH);
    }
    let text = if segment.payload { Vec::new() } else { segment.octets.clone() };
    let submit_sm = SubmitSm::new(
        service_type(&settings.service_type).ok_or(status::INVALID_SERVICE_TYPE)?,
        Ton::from(submit.source.ton),
        Npi::from(submit.source.npi),
        source,
        Ton::from(submit.destination.ton),
        Npi::from(submit.destination.npi),
        destination,
        EsmClass::from(if segment.udhi { UDHI } else { 0 }),
        0,
        PriorityFlag::from(0),
        EmptyOrFullCOctetString::empty(),
        submit.validity.and_then(time).unwrap_or_else(EmptyOrFullCOctetString::empty),
        RegisteredDelivery::from(u8::from(submit.receipt)),
        ReplaceIfPresentFlag::from(0),
        DataCoding::from(segment.data_coding),
        0,
        OctetString::from_vec(text).map_err(|_| status::INVALID_MESSAGE_LENGTH)?,
        Vec::new(),
    );
    let command = Command::new(CommandStatus::EsmeRok, sequence, submit_sm);
    let length = command.length();
    out.reserve(4 + length);
    let start = out.len();
    out.put_u32(0);
    out.put_bytes(0, length);
    command.encode(&mut out[start + 4..]);
    if let Some(place) = segment.sar {
        put_parameter(out, SAR_MSG_REF_NUM, &place.reference.to_be_bytes());
        put_parameter(out, SAR_TOTAL_SEGMENTS, &[place.total]);
        put_parameter(out, SAR_SEGMENT_SEQNUM, &[place.index]);
    }
    if segment.payload {
        put_parameter(out, MESSAGE_PAYLOAD, &segment.octets);
    }
    if let (Some(tag), Some(billing)) = (settings.billing_tag, &submit.billing)
        && !submit.bare
        && billing.0.len() <= LONGEST_BILLING
        && if tag == BILLING_IDENTIFICATION { can.v5 } else { can.tlvs }
    {
        put_parameter(out, tag, &billing.0);
    }
    let whole = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&whole.to_be_bytes());
    Ok(())
}

/// The value's length is far below what the field for it can say: see the bounds above.
fn put_parameter(out: &mut BytesMut, tag: u16, value: &[u8]) {
    out.put_u16(tag);
    out.put_u16(value.len() as u16);
    out.put_slice(value);
}

/// The longest relative time that is written: its days have two digits, and its months no fixed length.
const LONGEST_RELATIVE: u64 = 28 * 86_400;

/// A time as the standard writes it (SMPP 3.4, 7.1.1): relative to the submit, or in UTC. A moment outside the years
/// that two digits can say is not written.
fn time(validity: Validity) -> Option<EmptyOrFullCOctetString<17>> {
    let written = match validity {
        Validity::Relative(life) => {
            let seconds = life.as_secs().clamp(1, LONGEST_RELATIVE);
            let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
            format!("0000{days:02}{:02}{:02}{:02}000R\0", hours % 24, minutes % 60, seconds % 60)
        }
        Validity::Absolute(until) => {
            let until = until.in_zone(&TimeZone::UTC).filter(|until| (2000..2100).contains(&until.year()))?;
            format!("{}000+\0", until.strftime("%y%m%d%H%M%S"))
        }
    };
    EmptyOrFullCOctetString::from_vec(written.into_bytes()).ok()
}

fn service_type(written: &str) -> Option<ServiceType> {
    Some(ServiceType::new(COctetString::from_string(written.to_owned()).ok()?))
}

/// At most 20 ASCII octets without NUL.
fn address(address: &RawAddress) -> Option<COctetString<1, 21>> {
    let mut octets = Vec::with_capacity(address.octets.len() + 1);
    octets.extend_from_slice(&address.octets);
    octets.push(0);
    COctetString::from_vec(octets).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Micros,
        message::{Concat, ConcatKind, Octets, Segment},
        smpp::tests::{settings, submit, tlv},
    };

    const CAN: Abilities = Abilities { tlvs: true, v5: true };

    fn written(submit: &Submit, settings: &Line, can: Abilities) -> Result<Vec<u8>, u32> {
        let mut out = BytesMut::from(&b"before"[..]);
        let result = write_submit(&mut out, submit, settings, can, 0x0102_0304);
        assert!(out.starts_with(b"before") && (result.is_ok() || out.len() == 6), "nothing else is touched");
        result.map(|()| out[6..].to_vec())
    }

    /// The octets of a submit: what stands before the validity_period, what it is, and what stands behind it.
    fn expected(service_type: &[u8], esm_class: u8, validity: &[u8], rest: &[u8]) -> Vec<u8> {
        let body =
            [service_type, b"\0\x03\x00997\0\x01\x0184520000007\0", &[esm_class, 0, 0, 0], validity, b"\0", rest]
                .concat();
        let mut octets = (16 + body.len() as u32).to_be_bytes().to_vec();
        octets.extend([0, 0, 0, 4, 0, 0, 0, 0, 1, 2, 3, 4]);
        octets.extend(body);
        octets
    }

    #[test]
    fn the_octets_are_exactly_these_and_no_reply_replaces_another() {
        let plain = written(&submit(7, 0), &settings("unused:1"), CAN).unwrap();
        assert_eq!(plain, expected(b"", 0, b"", b"\0\0\0\0\x08Xin chao"), "no service_type, replace flag 0");
        let mut long = submit(7, 0);
        long.receipt = true;
        long.segment =
            Segment { data_coding: 8, udhi: true, octets: vec![5, 0, 3, 42, 2, 1, 0, 0x58], ..Segment::default() };
        let service = Line { service_type: "VMA".into(), ..settings("unused:1") };
        let rest = [b"\x01\0\x08\0\x08".as_slice(), &long.segment.octets].concat();
        assert_eq!(written(&long, &service, CAN).unwrap(), expected(b"VMA", 0x40, b"", &rest));
    }

    #[test]
    fn a_validity_is_written_as_the_standard_says() {
        let relative = |seconds| Validity::Relative(Duration::from_secs(seconds));
        for (validity, expected_time) in [
            (relative(600), b"000000001000000R".as_slice()),
            (relative(90_061), b"000001010101000R"),
            (relative(0), b"000000000001000R"),
            (relative(u64::MAX), b"000028000000000R"),
            (Validity::Absolute(Micros(1_782_000_000_000_000)), b"260621000000000+"),
            (Validity::Absolute(Micros(-1)), b""),
        ] {
            let submit = Submit { validity: Some(validity), ..submit(7, 0) };
            let octets = written(&submit, &settings("unused:1"), CAN).unwrap();
            assert_eq!(octets, expected(b"", 0, expected_time, b"\0\0\0\0\x08Xin chao"), "{validity:?}");
        }
    }

    #[test]
    fn the_form_of_a_text_is_written_for_any_peer() {
        let sar = Concat { kind: ConcatKind::Sar, reference: 0x0102, total: 3, index: 2 };
        let mut part = submit(7, 0);
        part.segment = Segment { octets: b"Xin".to_vec(), sar: Some(sar), ..Segment::default() };
        let rest = [b"\0\0\0\0\x03Xin".to_vec(), tlv(0x020C, &[1, 2]), tlv(0x020E, &[3]), tlv(0x020F, &[2])].concat();
        assert_eq!(written(&part, &settings("unused:1"), Abilities::default()).unwrap(), expected(b"", 0, b"", &rest));
        let mut whole = submit(7, 0);
        whole.segment = Segment { octets: vec![0x41; 400], payload: true, ..Segment::default() };
        let rest = [b"\0\0\0\0\0".to_vec(), tlv(0x0424, &[0x41; 400])].concat();
        assert_eq!(written(&whole, &settings("unused:1"), Abilities::default()).unwrap(), expected(b"", 0, b"", &rest));
    }

    #[test]
    fn the_billing_parameter_goes_to_those_who_can_read_it() {
        let billed = Submit { billing: Some(Octets(b"MT-1".to_vec())), ..submit(7, 0) };
        let bare = Submit { bare: true, ..billed.clone() };
        let can = |tlvs, v5| Abilities { tlvs, v5 };
        for (label, submit, tag, can, sent) in [
            ("5.0", &billed, Some(0x060B), can(true, true), true),
            ("no 5.0", &billed, Some(0x060B), can(true, false), false),
            ("a vendor's", &billed, Some(0x1401), can(true, false), true),
            ("no parameters", &billed, Some(0x1401), can(false, false), false),
            ("bare", &bare, Some(0x060B), can(true, true), false),
            ("no setting", &billed, None, can(true, true), false),
        ] {
            let settings = Line { billing_tag: tag, ..settings("unused:1") };
            let parameter = if sent { tlv(tag.unwrap(), b"MT-1") } else { Vec::new() };
            let rest = [b"\0\0\0\0\x08Xin chao".to_vec(), parameter].concat();
            assert_eq!(written(submit, &settings, can).unwrap(), expected(b"", 0, b"", &rest), "{label}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_as_an_smsc_would_and_leaves_no_octets() {
        type Spoil = fn(&mut Submit);
        let cases: [(Spoil, u32); 5] = [
            (|s| s.source.octets = b"123456789012345678901".to_vec(), 0x0A),
            (|s| s.destination.octets = b"84\xe9".to_vec(), 0x0B),
            (|s| s.destination.octets = b"84\x0052".to_vec(), 0x0B),
            (|s| s.segment.octets = vec![0x41; 255], 0x01),
            (|s| s.segment = Segment { octets: vec![0x41; 3_501], payload: true, ..Segment::default() }, 0x01),
        ];
        for (spoil, status) in cases {
            let mut spoilt = submit(7, 0);
            spoil(&mut spoilt);
            assert_eq!(written(&spoilt, &settings("unused:1"), CAN), Err(status));
        }
    }
}
