//! A message from the SMSC: `deliver_sm` (SMPP 3.4, 4.6.1) and `data_sm` (4.7.1).
//!
//! `lenient` reads them octet by octet: no codec stands between, because what a codec refuses is a citizen's question
//! all the same. What cannot be read at all is [`Malformed`] and is answered with its own status.

use super::{frame::Frame, lenient, pdu::id, pdu::status, trap::Trap};
use crate::{
    message::{Concat, ConcatKind, RawAddress},
    sms::{self, Codings, Form, Piece},
};

/// Bits 5 to 2 of esm_class: anything but a message (SMPP 3.4, 5.2.12).
const NOT_A_MESSAGE: u8 = 0x3C;
/// The text begins with a user data header.
const UDHI: u8 = 0x40;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Deliver {
    /// By `data_sm`.
    pub(super) data_sm: bool,
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
    /// The text came in message_payload.
    pub(super) by_payload: bool,
    /// The optional parameters that matter.
    pub(super) options: Options,
    /// What was odd about it and was coped with.
    pub(super) traps: Vec<Trap>,
}

/// The optional parameters (SMPP 3.4, 5.3.2) that matter to a line; of repeated ones the first counts.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Options {
    /// There are some, whatever they are.
    pub(super) any: bool,
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
    /// source_port or dest_port, 0x020A and 0x020B.
    pub(super) port: bool,
}

impl Options {
    /// The place in a long text by the SAR parameters, possible or not.
    fn sar(&self) -> Option<Concat> {
        let (reference, total, index) = (self.sar_reference?, self.sar_total?, self.sar_index?);
        Some(Concat { kind: ConcatKind::Sar, reference, total, index })
    }
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

    /// Under which name it is counted and put aside.
    pub(super) fn trap(self) -> Trap {
        match self {
            Self::TextPastEnd => Trap::TextPastEnd,
            Self::Unreadable => Trap::Unreadable,
            Self::SourceTooLong | Self::DestinationTooLong => Trap::FieldTooLong,
        }
    }
}

impl Deliver {
    /// Reads a `deliver_sm` or `data_sm`.
    pub(super) fn read(frame: &Frame, codings: Codings) -> Result<Self, Malformed> {
        let mut read = if frame.command_id == id::DATA_SM {
            lenient::data_sm(frame.body())
        } else {
            lenient::deliver_sm(frame.body())
        }?;
        if frame.command_status != status::OK {
            read.traps.push(Trap::StatusInRequest);
        }
        read.look_at_the_text(codings);
        Ok(read)
    }

    /// Whether esm_class marks it as a receipt, an acknowledgement or a notification.
    pub(super) fn is_flagged(&self) -> bool {
        self.esm_class & NOT_A_MESSAGE != 0
    }

    /// The kind that esm_class names: 0x04 receipt, 0x08 and 0x10 acknowledgements, 0x18 conversation abort, 0x20
    /// intermediate notification.
    pub(super) fn kind(&self) -> u8 {
        self.esm_class & NOT_A_MESSAGE
    }

    /// Whether the text begins with a user data header.
    pub(super) fn has_header(&self) -> bool {
        self.esm_class & UDHI != 0
    }

    /// Whether nobody knows where the text begins: its header runs past the end.
    pub(super) fn has_broken_header(&self) -> bool {
        self.has_header() && sms::read_udh(&self.text).is_err()
    }

    /// The text without its header, and what the header says about its coding. A header that cannot be read is text.
    pub(super) fn piece(&self) -> Piece<'_> {
        let (form, octets) = match self.has_header().then(|| sms::read_udh(&self.text)) {
            Some(Ok(header)) => (header.form, header.body),
            Some(Err(_)) | None => (Form::default(), self.text.as_slice()),
        };
        Piece { data_coding: self.data_coding, form, octets }
    }

    /// Takes the text in: message_payload supersedes short_message when it is not empty.
    pub(super) fn choose_text(&mut self, short_message: &[u8]) {
        let payload = self.options.payload.take();
        self.by_payload = payload.is_some();
        if self.by_payload && !short_message.is_empty() {
            self.traps.push(Trap::PayloadAndShort);
        } else if self.by_payload && !self.data_sm {
            self.traps.push(Trap::PayloadOnly);
        }
        if short_message.len() == 255 {
            self.traps.push(Trap::ShortOf255);
        }
        self.text = payload.unwrap_or_else(|| short_message.to_vec());
    }

    /// The place in a long text by the SAR parameters, when all three are there and make sense.
    pub(super) fn sar(&self) -> Option<Concat> {
        self.options.sar().filter(|place| place.total >= 2 && place.is_possible())
    }

    /// Notes what is odd about addresses and text. None of it stands in the way of reading them.
    fn look_at_the_text(&mut self, codings: Codings) {
        let mut traps = Vec::new();
        if !self.source.octets.is_ascii() {
            traps.push(Trap::SourceNotAscii);
        }
        if self.data_sm && !self.is_flagged() {
            traps.push(Trap::DataSm);
        }
        if self.by_payload && self.has_header() {
            traps.push(Trap::PayloadWithHeader);
        }
        let header = self.has_header().then(|| sms::read_udh(&self.text)).and_then(Result::ok);
        if self.options.port || header.is_some_and(|header| header.ports) {
            traps.push(Trap::PortAddressed);
        }
        if !self.is_flagged() {
            if header.is_some_and(|header| header.placeless) && self.sar().is_none() {
                traps.push(Trap::HeaderWithoutPlace);
            }
            let by_parameters = self.options.sar().is_some_and(|place| !place.is_possible());
            if by_parameters || header.is_some_and(|header| header.absurd) {
                traps.push(Trap::AbsurdPlace);
            }
            if self.text.is_empty() {
                traps.push(Trap::EmptyText);
            }
            traps.extend(sms::oddities(self.piece(), codings).map(|oddity| match oddity {
                sms::Oddity::Binary => Trap::Binary,
                sms::Oddity::LittleEndian => Trap::LittleEndian,
                sms::Oddity::OddLength => Trap::OddLength,
                sms::Oddity::ClassOrIndication => Trap::ClassOrIndication,
                sms::Oddity::EighthBit => Trap::EighthBit,
                sms::Oddity::ShiftTables => Trap::ShiftTables,
            }));
        }
        self.traps.append(&mut traps);
    }
}
