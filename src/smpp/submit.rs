//! Writes a submit_sm (SMPP 3.4, 4.4.1) with the codec.

use bytes::{BufMut as _, BytesMut};
use rusmpp::{
    Command, CommandStatus,
    encode::{Encode as _, Length as _},
    pdus::SubmitSm,
    types::{COctetString, EmptyOrFullCOctetString, OctetString},
    values::{DataCoding, EsmClass, Npi, PriorityFlag, RegisteredDelivery, ReplaceIfPresentFlag, ServiceType, Ton},
};

use super::pdu::status;
use crate::message::{RawAddress, Submit};

/// The longest short_message: 254 octets (SMPP 3.4, 5.2.21).
const LONGEST_TEXT: usize = 254;

/// esm_class with nothing but the user data header indicator.
const UDHI: u8 = 0x40;

/// Writes one submit_sm.
///
/// The service_type is empty and the replace flag 0, so that a second reply to one phone does not replace the first.
/// esm_class begins from 0: the default of the codec is 0x08.
///
/// # Errors
/// The command_status that an SMSC would refuse it with, when it cannot be written: nothing is written then.
pub(super) fn write_submit(out: &mut BytesMut, submit: &Submit, sequence: u32) -> Result<(), u32> {
    let source = address(&submit.source).ok_or(status::INVALID_SOURCE)?;
    let destination = address(&submit.destination).ok_or(status::INVALID_DESTINATION)?;
    if submit.segment.octets.len() > LONGEST_TEXT {
        return Err(status::INVALID_MESSAGE_LENGTH);
    }
    let text = OctetString::from_vec(submit.segment.octets.clone()).map_err(|_| status::INVALID_MESSAGE_LENGTH)?;
    let submit_sm = SubmitSm::new(
        ServiceType::default(),
        Ton::from(submit.source.ton),
        Npi::from(submit.source.npi),
        source,
        Ton::from(submit.destination.ton),
        Npi::from(submit.destination.npi),
        destination,
        EsmClass::from(if submit.segment.udhi { UDHI } else { 0 }),
        0,
        PriorityFlag::from(0),
        EmptyOrFullCOctetString::empty(),
        EmptyOrFullCOctetString::empty(),
        RegisteredDelivery::from(u8::from(submit.receipt)),
        ReplaceIfPresentFlag::from(0),
        DataCoding::from(submit.segment.data_coding),
        0,
        text,
        Vec::new(),
    );
    let command = Command::new(CommandStatus::EsmeRok, sequence, submit_sm);
    let length = command.length();
    out.reserve(4 + length);
    out.put_u32((4 + length) as u32);
    let start = out.len();
    out.put_bytes(0, length);
    command.encode(&mut out[start..]);
    Ok(())
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
    use super::*;
    use crate::{message::Segment, smpp::tests::submit};

    #[test]
    fn the_octets_are_exactly_these() {
        let mut plain = submit(7, 0);
        plain.segment = Segment { octets: b"Xin chao".to_vec(), ..Segment::default() };
        let mut long = plain.clone();
        long.receipt = true;
        long.segment =
            Segment { data_coding: 8, udhi: true, octets: vec![5, 0, 3, 42, 2, 1, 0, 0x58], ..Segment::default() };
        for (label, submit, esm_class, registered, coding) in
            [("plain", &plain, 0, 0, 0), ("long, with receipt", &long, 0x40, 1, 8)]
        {
            let mut out = BytesMut::new();
            write_submit(&mut out, submit, 0x0102_0304).unwrap();
            let mut expected = vec![0, 0, 0, 58, 0, 0, 0, 4, 0, 0, 0, 0, 1, 2, 3, 4];
            expected.extend(b"\0\x03\x00997\0\x01\x0184520000007\0");
            expected.extend([esm_class, 0, 0, 0, 0, registered, 0, coding, 0, 8]);
            expected.extend(&submit.segment.octets);
            expected[3] = expected.len() as u8;
            assert_eq!(out.to_vec(), expected, "{label}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_as_an_smsc_would_and_leaves_no_octets() {
        type Spoil = fn(&mut Submit);
        let cases: [(Spoil, u32); 4] = [
            (|s| s.source.octets = b"123456789012345678901".to_vec(), 0x0A),
            (|s| s.destination.octets = b"84\xe9".to_vec(), 0x0B),
            (|s| s.destination.octets = b"84\x0052".to_vec(), 0x0B),
            (|s| s.segment.octets = vec![0x41; 255], 0x01),
        ];
        for (spoil, expected) in cases {
            let mut spoilt = submit(7, 0);
            spoil(&mut spoilt);
            let mut out = BytesMut::new();
            assert_eq!(write_submit(&mut out, &spoilt, 1), Err(expected));
            assert!(out.is_empty());
        }
    }
}
