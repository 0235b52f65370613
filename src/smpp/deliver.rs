//! A message from the SMSC, read: `deliver_sm` (SMPP 3.4, 4.6.1) and `data_sm` (4.7.1).
//!
//! The codec reads every `deliver_sm` that is as it should be. What it refuses is read by `lenient`, which mends what
//! can be mended; what cannot be read at all is [`Malformed`] and is answered with its own status.

use bytes::BytesMut;
use rusmpp::{
    decode::DecodeWithLength as _,
    encode::{Encode as _, Length},
    pdus::DeliverSm,
    tlvs::TlvValue,
};

use super::{frame::Frame, lenient, pdu::id, pdu::status};
use crate::message::{Concat, ConcatKind, RawAddress};

/// Bits 5 to 2 of esm_class: anything but a message (SMPP 3.4, 5.2.12).
const NOT_A_MESSAGE: u8 = 0x3C;
/// The text begins with a user data header.
const UDHI: u8 = 0x40;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Deliver {
    /// source_addr.
    pub(super) source: RawAddress,
    /// destination_addr.
    pub(super) destination: RawAddress,
    /// esm_class.
    pub(super) esm_class: u8,
    /// data_coding.
    pub(super) data_coding: u8,
    /// message_payload when it is there and not empty, else short_message.
    pub(super) text: Vec<u8>,
    /// The optional parameters that matter.
    pub(super) options: Options,
    /// The codec refused it.
    pub(super) repaired: bool,
}

/// The optional parameters (SMPP 3.4, 5.3.2) that matter to a line; of repeated ones the first counts.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Options {
    /// message_payload, 0x0424.
    pub(super) payload: Option<Vec<u8>>,
    /// sar_msg_ref_num, 0x020C.
    pub(super) sar_reference: Option<u16>,
    /// sar_total_segments, 0x020E.
    pub(super) sar_total: Option<u8>,
    /// sar_segment_seqnum, 0x020F.
    pub(super) sar_index: Option<u8>,
    /// receipted_message_id, 0x001E, without NULs and blanks around it.
    pub(super) receipt_id: Option<Vec<u8>>,
    /// message_state, 0x0427.
    pub(super) state: Option<u8>,
    /// network_error_code, 0x0423: type and code.
    pub(super) network_error: Option<(u8, u16)>,
    /// ussd_service_op, 0x0501, or service_type USSD.
    pub(super) ussd: bool,
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// sm_length runs past the end of the PDU.
    TextPastEnd,
    /// The mandatory part ends too soon.
    Unreadable,
    /// source_addr is too long.
    SourceTooLong,
    /// destination_addr is too long.
    DestinationTooLong,
}

impl Malformed {
    /// The final status it is answered with, so that the SMSC does not send it again for ever.
    pub(super) fn status(self) -> u32 {
        match self {
            Self::TextPastEnd => status::INVALID_MESSAGE_LENGTH,
            Self::Unreadable => status::INVALID_COMMAND_LENGTH,
            Self::SourceTooLong => status::INVALID_SOURCE,
            Self::DestinationTooLong => status::INVALID_DESTINATION,
        }
    }
}

impl Deliver {
    /// Reads a `deliver_sm` or `data_sm`.
    pub(super) fn read(frame: &Frame) -> Result<Self, Malformed> {
        if frame.command_id == id::DELIVER_SM
            && let Some(clean) = by_codec(frame.body())
        {
            return Ok(clean);
        }
        let mut read = if frame.command_id == id::DATA_SM {
            lenient::data_sm(frame.body())
        } else {
            lenient::deliver_sm(frame.body())
        }?;
        read.repaired = frame.command_id == id::DELIVER_SM;
        Ok(read)
    }

    /// Whether esm_class marks it as a receipt, an acknowledgement or a notification.
    pub(super) fn is_flagged(&self) -> bool {
        self.esm_class & NOT_A_MESSAGE != 0
    }

    /// Whether the text begins with a user data header.
    pub(super) fn has_header(&self) -> bool {
        self.esm_class & UDHI != 0
    }

    /// Takes the text in: message_payload supersedes short_message when it is not empty.
    pub(super) fn choose_text(&mut self, short_message: &[u8]) {
        self.text = self.options.payload.take().unwrap_or_else(|| short_message.to_vec());
    }

    /// The place in a long text by the SAR parameters, when all three are there and make sense.
    pub(super) fn sar(&self) -> Option<Concat> {
        let (reference, total, index) = (self.options.sar_reference?, self.options.sar_total?, self.options.sar_index?);
        (total >= 2 && (1..=total).contains(&index)).then_some(Concat {
            kind: ConcatKind::Sar,
            reference,
            total,
            index,
        })
    }
}

impl Options {
    /// Takes one parameter in. One of a length it cannot have, or without a value, says nothing.
    pub(super) fn take(&mut self, tag: u16, value: &[u8]) {
        match (tag, value) {
            (_, []) => {}
            (0x0424, _) => _ = self.payload.get_or_insert_with(|| value.to_vec()),
            (0x020C, &[high, low]) => _ = self.sar_reference.get_or_insert(u16::from_be_bytes([high, low])),
            (0x020E, &[total]) => _ = self.sar_total.get_or_insert(total),
            (0x020F, &[index]) => _ = self.sar_index.get_or_insert(index),
            (0x001E, _) => _ = self.receipt_id.get_or_insert_with(|| trimmed(value).to_vec()),
            (0x0427, &[state]) => _ = self.state.get_or_insert(state),
            (0x0423, &[kind, high, low]) => {
                _ = self.network_error.get_or_insert((kind, u16::from_be_bytes([high, low])));
            }
            (0x0501, _) => self.ussd = true,
            _ => {}
        }
    }
}

/// Without NULs and blanks at either end.
fn trimmed(octets: &[u8]) -> &[u8] {
    let padding = |octet: &u8| *octet == 0 || octet.is_ascii_whitespace();
    let start = octets.iter().position(|octet| !padding(octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !padding(octet)).map_or(start, |last| last + 1);
    &octets[start..end]
}

/// Reads a body with the codec; `None` when it refuses any octet of it.
fn by_codec(body: &[u8]) -> Option<Deliver> {
    let mut octets = BytesMut::from(body);
    let (pdu, size) = DeliverSm::decode(&mut octets, body.len()).ok()?;
    if size != body.len() {
        return None;
    }
    let mut read = Deliver {
        source: RawAddress {
            ton: pdu.source_addr_ton.into(),
            npi: pdu.source_addr_npi.into(),
            octets: pdu.source_addr.as_str().into(),
        },
        destination: RawAddress {
            ton: pdu.dest_addr_ton.into(),
            npi: pdu.dest_addr_npi.into(),
            octets: pdu.destination_addr.as_str().into(),
        },
        esm_class: pdu.esm_class.into(),
        data_coding: pdu.data_coding.into(),
        ..Deliver::default()
    };
    for tlv in pdu.tlvs() {
        // The codec reads a parameter of a wrong length as far as its type goes, and is out of step from there on.
        if tlv.value().map_or(0, Length::length) != usize::from(tlv.value_length()) {
            return None;
        }
        let Some(value) = tlv.value() else { continue };
        let tag = u16::from(tlv.tag());
        if let TlvValue::MessagePayload(payload) = value {
            read.options.take(tag, payload.value.as_ref());
        } else if matters(tag) {
            // The value's own octets again: the codec has typed them, and `take` is the one reading of all.
            let mut octets = [0; 80];
            let length = value.length().min(octets.len());
            value.encode(&mut octets);
            read.options.take(tag, &octets[..length]);
        }
    }
    read.options.ussd |= body.starts_with(b"USSD\0");
    read.choose_text(pdu.short_message().as_ref());
    Some(read)
}

/// The parameters besides message_payload that [`Options::take`] knows. None is longer than 65 octets in a PDU that
/// the codec takes.
fn matters(tag: u16) -> bool {
    matches!(tag, 0x001E | 0x020C | 0x020E | 0x020F | 0x0423 | 0x0427 | 0x0501)
}
