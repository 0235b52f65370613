//! The numbers of SMPP 3.4 that this room reads and writes (5.1.2.1, 5.1.3), and the PDUs that are a header and at
//! most one octet: they are written octet by octet, because they are most of what a line writes.

use bytes::{BufMut as _, BytesMut};

use crate::config::AnswerBody;

/// command_id values.
pub(super) mod id {
    pub(crate) const GENERIC_NACK: u32 = 0x8000_0000;
    pub(crate) const BIND_RECEIVER: u32 = 0x01;
    pub(crate) const BIND_TRANSMITTER: u32 = 0x02;
    pub(crate) const BIND_TRANSCEIVER: u32 = 0x09;
    pub(crate) const DELIVER_SM: u32 = 0x05;
    pub(crate) const UNBIND: u32 = 0x06;
    pub(crate) const OUTBIND: u32 = 0x0B;
    pub(crate) const ENQUIRE_LINK: u32 = 0x15;
    pub(crate) const ALERT_NOTIFICATION: u32 = 0x102;
    pub(crate) const DATA_SM: u32 = 0x103;
    pub(crate) const SUBMIT_SM_RESP: u32 = 0x8000_0004;
    pub(crate) const UNBIND_RESP: u32 = 0x8000_0006;
    pub(crate) const ENQUIRE_LINK_RESP: u32 = 0x8000_0015;
    /// Set in every response.
    pub(crate) const RESPONSE: u32 = 0x8000_0000;
}

/// command_status values.
pub(super) mod status {
    pub(crate) const OK: u32 = 0x00;
    pub(crate) const INVALID_MESSAGE_LENGTH: u32 = 0x01;
    pub(crate) const INVALID_COMMAND_LENGTH: u32 = 0x02;
    pub(crate) const INVALID_COMMAND_ID: u32 = 0x03;
    pub(crate) const INVALID_BIND_STATUS: u32 = 0x04;
    pub(crate) const ALREADY_BOUND: u32 = 0x05;
    pub(crate) const SYSTEM_ERROR: u32 = 0x08;
    pub(crate) const INVALID_SOURCE: u32 = 0x0A;
    pub(crate) const INVALID_DESTINATION: u32 = 0x0B;
    pub(crate) const BIND_FAILED: u32 = 0x0D;
    pub(crate) const INVALID_PASSWORD: u32 = 0x0E;
    pub(crate) const INVALID_SYSTEM_ID: u32 = 0x0F;
    pub(crate) const QUEUE_FULL: u32 = 0x14;
    pub(crate) const INVALID_SERVICE_TYPE: u32 = 0x15;
    pub(crate) const INVALID_ESM_CLASS: u32 = 0x43;
    pub(crate) const INVALID_SYSTEM_TYPE: u32 = 0x53;
    pub(crate) const THROTTLED: u32 = 0x58;
    pub(crate) const TEMPORARY_APP_ERROR: u32 = 0x64;
    pub(crate) const REJECTED_APP_ERROR: u32 = 0x66;
}

/// Writes a PDU without a body.
pub(super) fn write_bare(out: &mut BytesMut, command_id: u32, command_status: u32, sequence: u32) {
    write_header(out, 16, command_id, command_status, sequence);
}

/// An answer to a `deliver_sm` or `data_sm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answered {
    /// Which request it answers.
    pub(super) command_id: u32,
    /// Its sequence_number.
    pub(super) sequence: u32,
    /// command_status.
    pub(super) status: u32,
    /// message_id: empty, or that of the request where the carrier wants it back.
    pub(super) id: Box<[u8]>,
}

/// Writes an answer: 17 octets as a rule, the message_id one NUL, whatever the status (SMPP 3.4, 4.6.2; some SMSCs
/// refuse the 16 octets that an error could do with, and some refuse a body behind an error).
pub(super) fn write_answer(out: &mut BytesMut, answer: &Answered, body: AnswerBody) {
    let command_id = answer.command_id | id::RESPONSE;
    let has_body = match body {
        AnswerBody::Always => true,
        AnswerBody::NotOnError => answer.status == status::OK,
        AnswerBody::Never => false,
    };
    if !has_body {
        return write_bare(out, command_id, answer.status, answer.sequence);
    }
    let message_id = if answer.status == status::OK { &*answer.id } else { &[] };
    write_header(out, 17 + message_id.len() as u32, command_id, answer.status, answer.sequence);
    out.put_slice(message_id);
    out.put_u8(0);
}

fn write_header(out: &mut BytesMut, length: u32, command_id: u32, command_status: u32, sequence: u32) {
    out.reserve(17);
    out.put_u32(length);
    out.put_u32(command_id);
    out.put_u32(command_status);
    out.put_u32(sequence);
}

/// The value of the first optional parameter with this tag among `octets`, which begin with one. What follows a
/// parameter that runs past the end is nobody's.
pub(super) fn optional(mut octets: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [tag_high, tag_low, length_high, length_low, rest @ ..] = octets {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([*tag_high, *tag_low]) == wanted {
            return Some(value);
        }
        octets = &rest[length..];
    }
    None
}

/// An optional parameter of a response: behind its message_id, or, when an error came without one, at the head.
pub(super) fn parameter(body: &[u8], wanted: u16) -> Option<&[u8]> {
    optional(behind_string(body), wanted).or_else(|| optional(body, wanted))
}

/// What stands behind the C-octet string at the head of a body: its optional parameters.
pub(super) fn behind_string(body: &[u8]) -> &[u8] {
    body.iter().position(|&octet| octet == 0).map_or(&[], |end| &body[end + 1..])
}

/// The longest message id that is kept, in octets.
pub(super) const LONGEST_ID: usize = 255;

/// The message_id at the head of a response's body: up to its NUL or to the end, at most [`LONGEST_ID`] octets. A body
/// may be missing, and what follows the id is of no interest.
pub(super) fn message_id(body: &[u8]) -> String {
    let end = body.iter().position(|&octet| octet == 0).unwrap_or(body.len());
    id_text(&body[..end])
}

/// A message id as text, the same for the same octets in a response and in a receipt's parameter: as received, except
/// for octets that are no text. 0x11 is the underscore of GSM 03.38.
pub(super) fn id_text(octets: &[u8]) -> String {
    String::from_utf8_lossy(&octets[..octets.len().min(LONGEST_ID)]).replace('\u{11}', "_")
}

#[cfg(test)]
mod tests {
    use rusmpp::{Command, CommandStatus, Pdu, encode::Encode as _, encode::Length as _, pdus::DeliverSmResp};

    use super::*;

    #[test]
    fn what_is_written_by_hand_is_what_the_codec_writes() {
        let mut ours = BytesMut::new();
        let throttled = Answered {
            command_id: id::DELIVER_SM,
            sequence: 0x0102_0304,
            status: status::THROTTLED,
            id: Box::from([7]),
        };
        write_answer(&mut ours, &throttled, AnswerBody::Always);
        write_bare(&mut ours, id::ENQUIRE_LINK, status::OK, 9);
        let mut theirs = Vec::new();
        for command in [
            Command::new(CommandStatus::EsmeRthrottled, 0x0102_0304, DeliverSmResp::default()),
            Command::new(CommandStatus::EsmeRok, 9, Pdu::EnquireLink),
        ] {
            let length = command.length() + 4;
            let mut octets = vec![0; command.length()];
            command.encode(&mut octets);
            theirs.extend((length as u32).to_be_bytes());
            theirs.extend(octets);
        }
        assert_eq!(ours, theirs);
    }

    #[test]
    fn the_body_of_an_answer_is_as_the_carrier_wants_it() {
        let answered = |status, id: &[u8]| Answered { command_id: id::DELIVER_SM, sequence: 1, status, id: id.into() };
        for (form, status, id, body) in [
            (AnswerBody::Always, status::OK, b"".as_slice(), b"\0".as_slice()),
            (AnswerBody::Always, status::THROTTLED, b"A7", b"\0"),
            (AnswerBody::Always, status::OK, b"A7", b"A7\0"),
            (AnswerBody::NotOnError, status::OK, b"", b"\0"),
            (AnswerBody::NotOnError, status::THROTTLED, b"", b""),
            (AnswerBody::Never, status::OK, b"A7", b""),
        ] {
            let mut out = BytesMut::new();
            write_answer(&mut out, &answered(status, id), form);
            assert_eq!((out[3], &out[16..]), (16 + body.len() as u8, body), "{form:?} {status:#x}");
        }
    }

    #[test]
    fn parameters_of_a_response_are_found_with_and_without_an_id_before_them() {
        let congested = b"\x04\x28\0\x01\x5f".as_slice();
        for (body, expected) in [
            ([b"4001\0", congested].concat(), Some(0x5f)),
            ([b"\0", congested].concat(), Some(0x5f)),
            (congested.to_vec(), Some(0x5f)),
            ([b"4001\0\x31\x77\0\x02ab", congested].concat(), Some(0x5f)),
            (b"4001\0\x04\x28\0\x09\x5f".to_vec(), None),
            (b"4001".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(parameter(&body, 0x0428).map(|value| value[0]), expected);
        }
    }

    #[test]
    fn a_message_id_is_read_from_any_body() {
        let long = [b'7'; 300];
        for (body, expected) in [
            (b"".as_slice(), String::new()),
            (b"\0", String::new()),
            (b"0FA1\0", "0FA1".to_owned()),
            (b"no terminator", "no terminator".to_owned()),
            (b"4001\0\x04\x28\0\x01\x5f", "4001".to_owned()),
            (b"a\xffb\0", "a\u{fffd}b".to_owned()),
            (b"a\x11b\n7\0", "a_b\n7".to_owned()),
            (&long, "7".repeat(255)),
        ] {
            assert_eq!(message_id(body), expected);
        }
    }
}
