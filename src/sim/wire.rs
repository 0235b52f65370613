//! The few PDUs the simulator reads and writes, by hand: the load generator shares its machine with the service it
//! measures. The tests hold every one of them against the `rusmpp` codec.

use bytes::{BufMut as _, BytesMut};

use super::SimError;
use super::message::Deliver;
use crate::smpp::frame::HEADER;

pub(super) const BIND_RECEIVER: u32 = 0x01;
pub(super) const BIND_TRANSMITTER: u32 = 0x02;
pub(super) const SUBMIT_SM: u32 = 0x04;
pub(super) const DELIVER_SM: u32 = 0x05;
pub(super) const UNBIND: u32 = 0x06;
pub(super) const BIND_TRANSCEIVER: u32 = 0x09;
pub(super) const ENQUIRE_LINK: u32 = 0x15;
/// Bit 31 of a command_id tells a response from a request.
pub(super) const RESPONSE: u32 = 0x8000_0000;
pub(super) const GENERIC_NACK: u32 = RESPONSE;

/// command_status values (SMPP 3.4, 5.1.3).
pub(super) const OK: u32 = 0x00;
pub(super) const BAD_COMMAND_LENGTH: u32 = 0x02;
pub(super) const UNKNOWN_COMMAND: u32 = 0x03;
pub(super) const WRONG_BIND_STATE: u32 = 0x04;
pub(super) const ALREADY_BOUND: u32 = 0x05;
pub(super) const BAD_PASSWORD: u32 = 0x0E;
pub(super) const BAD_SYSTEM_ID: u32 = 0x0F;

/// TLV tags (SMPP 3.4, 5.3.2).
pub(super) const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
pub(super) const SAR_REFERENCE: u16 = 0x020C;
pub(super) const SAR_TOTAL: u16 = 0x020E;
pub(super) const SAR_INDEX: u16 = 0x020F;
pub(super) const SC_INTERFACE_VERSION: u16 = 0x0210;
pub(super) const MESSAGE_PAYLOAD: u16 = 0x0424;
pub(super) const MESSAGE_STATE: u16 = 0x0427;

/// esm_class bit: the text begins with a user data header (SMPP 3.4, 5.2.12).
pub(super) const UDHI: u8 = 0x40;

/// The greatest short_message of SMPP 3.4; longer texts travel in a message_payload.
const SHORT_MESSAGE: usize = 254;

fn header(out: &mut BytesMut, body: usize, command_id: u32, status: u32, sequence: u32) {
    out.reserve(HEADER + body);
    out.put_u32((HEADER + body) as u32);
    out.put_u32(command_id);
    out.put_u32(status);
    out.put_u32(sequence);
}

/// A PDU that is a header alone: enquire_link, unbind, their responses, generic_nack, a refusal.
pub(super) fn put_bare(out: &mut BytesMut, command_id: u32, status: u32, sequence: u32) {
    header(out, 0, command_id, status, sequence);
}

/// A request whose body is ready.
pub(super) fn put_request(out: &mut BytesMut, command_id: u32, sequence: u32, body: &[u8]) {
    header(out, body.len(), command_id, OK, sequence);
    out.put_slice(body);
}

/// An accepting bind response: our name and sc_interface_version 3.4.
pub(super) fn put_bound(out: &mut BytesMut, command_id: u32, sequence: u32, system_id: &str) {
    header(out, system_id.len() + 6, command_id, OK, sequence);
    out.put_slice(system_id.as_bytes());
    out.put_u8(0);
    out.put_u16(SC_INTERFACE_VERSION);
    out.put_u16(1);
    out.put_u8(0x34);
}

/// An accepting submit_sm_resp with a decimal message_id.
pub(super) fn put_submitted(out: &mut BytesMut, sequence: u32, message_id: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = message_id;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    header(out, digits.len() - at + 1, SUBMIT_SM | RESPONSE, OK, sequence);
    out.put_slice(&digits[at..]);
    out.put_u8(0);
}

/// An accepting submit_sm_resp with a message_id in any form.
pub(super) fn put_submitted_as(out: &mut BytesMut, sequence: u32, message_id: &str) {
    header(out, message_id.len() + 1, SUBMIT_SM | RESPONSE, OK, sequence);
    out.put_slice(message_id.as_bytes());
    out.put_u8(0);
}

/// The body of a deliver_sm, ready for any sequence_number.
///
/// # Errors
/// [`SimError::DoesNotFit`] names the field that is too long, or that holds a NUL where none may stand.
pub(super) fn deliver_body(deliver: &Deliver) -> Result<Vec<u8>, SimError> {
    for (what, address) in [("source", &deliver.source), ("destination", &deliver.destination)] {
        if address.octets.len() > 20 || address.octets.contains(&0) {
            return Err(SimError::DoesNotFit { what, greatest: 20 });
        }
    }
    let text = &deliver.octets.0;
    let mut body = BytesMut::with_capacity(64 + text.len());
    body.put_u8(0);
    for address in [&deliver.source, &deliver.destination] {
        body.put_slice(&[address.ton, address.npi]);
        body.put_slice(&address.octets);
        body.put_u8(0);
    }
    // protocol_id, priority_flag, two empty times, registered_delivery, replace_if_present_flag.
    body.put_slice(&[deliver.esm_class, 0, 0, 0, 0, 0, 0, deliver.data_coding, 0]);
    if text.len() <= SHORT_MESSAGE {
        body.put_u8(text.len() as u8);
        body.put_slice(text);
    } else {
        body.put_u8(0);
        put_tlv(&mut body, MESSAGE_PAYLOAD, text)?;
    }
    for (tag, value) in &deliver.tlvs {
        put_tlv(&mut body, *tag, &value.0)?;
    }
    Ok(body.to_vec())
}

fn put_tlv(body: &mut BytesMut, tag: u16, value: &[u8]) -> Result<(), SimError> {
    let length = u16::try_from(value.len()).map_err(|_| SimError::DoesNotFit { what: "TLV", greatest: 65_535 })?;
    body.put_u16(tag);
    body.put_u16(length);
    body.put_slice(value);
    Ok(())
}

/// What a bind says that the simulator looks at.
pub(super) struct Bind<'a> {
    pub(super) system_id: &'a [u8],
    pub(super) password: &'a [u8],
}

/// Reads a bind; `None` when a string has no end.
pub(super) fn read_bind(body: &[u8]) -> Option<Bind<'_>> {
    let mut reader = Reader(body);
    Some(Bind { system_id: reader.string()?, password: reader.string()? })
}

/// A submit_sm, its octets still where they arrived.
pub(super) struct Submit<'a> {
    pub(super) source: (u8, u8, &'a [u8]),
    pub(super) destination: (u8, u8, &'a [u8]),
    pub(super) esm_class: u8,
    pub(super) registered_delivery: u8,
    pub(super) data_coding: u8,
    pub(super) octets: &'a [u8],
    /// Reference, total and index by the SAR parameters, when all three are there.
    pub(super) sar: Option<(u16, u8, u8)>,
}

/// Reads a submit_sm; `None` when a mandatory field does not fit into the PDU.
pub(super) fn read_submit(body: &[u8]) -> Option<Submit<'_>> {
    let mut reader = Reader(body);
    reader.string()?;
    let source = (reader.octet()?, reader.octet()?, reader.string()?);
    let destination = (reader.octet()?, reader.octet()?, reader.string()?);
    let esm_class = reader.octet()?;
    reader.take(2)?;
    reader.string()?;
    reader.string()?;
    let registered_delivery = reader.octet()?;
    reader.octet()?;
    let data_coding = reader.octet()?;
    reader.octet()?;
    let length = reader.octet()?;
    let mut octets = reader.take(usize::from(length))?;
    let (mut reference, mut total, mut index) = (None, None, None);
    while let Some((tag, value)) = reader.tlv() {
        match (tag, value) {
            (MESSAGE_PAYLOAD, [_, ..]) => octets = value,
            (SAR_REFERENCE, [high, low]) => reference = Some(u16::from_be_bytes([*high, *low])),
            (SAR_TOTAL, [count]) => total = Some(*count),
            (SAR_INDEX, [place]) => index = Some(*place),
            _ => {}
        }
    }
    let sar = match (reference, total, index) {
        (Some(reference), Some(total), Some(index)) if (1..=total).contains(&index) => Some((reference, total, index)),
        _ => None,
    };
    Some(Submit { source, destination, esm_class, registered_delivery, data_coding, octets, sar })
}

/// Reads the fields of a body in turn; every read is `None` where it would run past the end.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|octets| octets[0])
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let text = self.take(end)?;
        self.take(1)?;
        Some(text)
    }

    pub(super) fn tlv(&mut self) -> Option<(u16, &'a [u8])> {
        let head = self.take(4)?;
        let value = self.take(usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        Some((u16::from_be_bytes([head[0], head[1]]), value))
    }
}

/// The place of a part in its long text, by its user data header (3GPP TS 23.040, 9.2.3.24.1 and .8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The reference the parts share; 16-bit references are kept apart from 8-bit ones.
    pub(super) reference: (bool, u16),
    pub(super) total: u8,
    pub(super) index: u8,
}

/// Splits a text with a user data header into its place and the text behind the header. A header that runs past the
/// end, or names no sensible place, leaves a text that stands alone.
pub(super) fn read_header(octets: &[u8]) -> (Option<Place>, &[u8]) {
    let Some((length, rest)) = octets.split_first() else { return (None, octets) };
    let Some((mut elements, text)) = rest.split_at_checked(usize::from(*length)) else { return (None, octets) };
    let mut place = None;
    while let [kind, size, tail @ ..] = elements {
        let Some((value, next)) = tail.split_at_checked(usize::from(*size)) else { break };
        let found = match (*kind, value) {
            (0x00, [reference, total, index]) => Some(((false, u16::from(*reference)), *total, *index)),
            (0x08, [high, low, total, index]) => Some(((true, u16::from_be_bytes([*high, *low])), *total, *index)),
            _ => None,
        };
        if let Some((reference, total, index)) = found
            && (1..=total).contains(&index)
        {
            place = Some(Place { reference, total, index });
        }
        elements = next;
    }
    (place, text)
}
