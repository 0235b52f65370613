//! What the service sent, as the scripts look at it.

use std::fmt;

use super::pdu::{Side, command, command_name};
use crate::{
    sim::wire::{MESSAGE_PAYLOAD, Place, Reader, UDHI, read_header},
    sms::DefaultAlphabet,
};

/// One PDU from the service.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// command_id.
    pub command_id: u32,
    /// command_status.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
    /// What follows the header.
    pub body: Vec<u8>,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", command_name(self.command_id))?;
        if self.command_id & command::RESPONSE != 0 || self.status != 0 {
            write!(f, " status {:#04x}", self.status)?;
        }
        write!(f, " sequence {}", self.sequence)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A bind as it was asked for.
#[derive(Clone)]
pub struct Bind {
    /// command_id.
    pub command_id: u32,
    /// sequence_number.
    pub sequence: u32,
    /// The account.
    pub system_id: Vec<u8>,
    /// The password.
    pub password: Vec<u8>,
    /// system_type.
    pub system_type: Vec<u8>,
    /// interface_version.
    pub version: u8,
    /// addr_ton, addr_npi and address_range.
    pub range: Side,
    /// Octets behind the mandatory fields.
    pub rest: Vec<u8>,
}

impl Bind {
    /// Reads it; `None` when the PDU is no bind or a field is missing.
    pub fn read(seen: &Seen) -> Option<Self> {
        if !matches!(seen.command_id, command::BIND_RECEIVER | command::BIND_TRANSMITTER | command::BIND_TRANSCEIVER) {
            return None;
        }
        let mut reader = Reader(&seen.body);
        let (system_id, password) = (reader.string()?.to_vec(), reader.string()?.to_vec());
        let (system_type, version) = (reader.string()?.to_vec(), reader.octet()?);
        let range = Side { ton: reader.octet()?, npi: reader.octet()?, address: reader.string()?.to_vec() };
        let (command_id, sequence, rest) = (seen.command_id, seen.sequence, reader.0.to_vec());
        Some(Self { command_id, sequence, system_id, password, system_type, version, range, rest })
    }
}

/// A submit_sm, field by field.
#[derive(Clone)]
pub struct Submit {
    /// sequence_number.
    pub sequence: u32,
    /// service_type.
    pub service_type: Vec<u8>,
    /// Our short code.
    pub source: Side,
    /// The phone.
    pub destination: Side,
    /// esm_class.
    pub esm_class: u8,
    /// protocol_id.
    pub protocol_id: u8,
    /// priority_flag.
    pub priority: u8,
    /// schedule_delivery_time.
    pub schedule: Vec<u8>,
    /// validity_period.
    pub validity: Vec<u8>,
    /// registered_delivery.
    pub registered: u8,
    /// replace_if_present_flag.
    pub replace: u8,
    /// data_coding.
    pub data_coding: u8,
    /// sm_length.
    pub sm_length: u8,
    /// short_message.
    pub short: Vec<u8>,
    /// Optional parameters in their order.
    pub tlvs: Vec<(u16, Vec<u8>)>,
}

impl Submit {
    /// Reads it; `None` when the PDU is no submit_sm or a mandatory field is missing.
    pub fn read(seen: &Seen) -> Option<Self> {
        if seen.command_id != command::SUBMIT_SM {
            return None;
        }
        let mut reader = Reader(&seen.body);
        let service_type = reader.string()?.to_vec();
        let mut side = || Some(Side { ton: reader.octet()?, npi: reader.octet()?, address: reader.string()?.to_vec() });
        let (source, destination) = (side()?, side()?);
        let (esm_class, protocol_id, priority) = (reader.octet()?, reader.octet()?, reader.octet()?);
        let (schedule, validity) = (reader.string()?.to_vec(), reader.string()?.to_vec());
        let (registered, replace, data_coding) = (reader.octet()?, reader.octet()?, reader.octet()?);
        reader.octet()?;
        let sm_length = reader.octet()?;
        let short = reader.take(usize::from(sm_length))?.to_vec();
        let mut tlvs = Vec::new();
        while let Some((tag, value)) = reader.tlv() {
            tlvs.push((tag, value.to_vec()));
        }
        Some(Self {
            sequence: seen.sequence,
            service_type,
            source,
            destination,
            esm_class,
            protocol_id,
            priority,
            schedule,
            validity,
            registered,
            replace,
            data_coding,
            sm_length,
            short,
            tlvs,
        })
    }

    /// The value of an optional parameter; the first when it is there twice.
    pub fn tlv(&self, tag: u16) -> Option<&[u8]> {
        self.tlvs.iter().find(|(one, _)| *one == tag).map(|(_, value)| value.as_slice())
    }

    /// short_message, or the message_payload.
    pub fn octets(&self) -> &[u8] {
        self.tlv(MESSAGE_PAYLOAD).filter(|value| !value.is_empty()).unwrap_or(&self.short)
    }

    fn place(&self) -> Option<Place> {
        let by_header = || read_header(self.octets()).0.filter(|_| self.esm_class & UDHI != 0);
        let number = |tag| self.tlv(tag).map(|value| value.iter().fold(0_u16, |n, octet| n << 8 | u16::from(*octet)));
        let by_tlvs = || {
            use crate::sim::wire::{SAR_INDEX, SAR_REFERENCE, SAR_TOTAL};
            let (total, index) = (number(SAR_TOTAL)? as u8, number(SAR_INDEX)? as u8);
            Some(Place { reference: (true, number(SAR_REFERENCE)?), total, index })
        };
        by_header().or_else(by_tlvs)
    }

    /// The reference its segments share, and whether it is one of 16 bits; `None` when it stands alone.
    pub fn reference(&self) -> Option<(bool, u16)> {
        self.place().map(|place| place.reference)
    }

    /// Which segment of how many it is: `(1, 1)` when it stands alone.
    pub fn segment(&self) -> (u8, u8) {
        self.place().map_or((1, 1), |place| (place.index, place.total))
    }

    /// The text of this segment alone, without a user data header, as a phone shows it whose network's data_coding 0 is
    /// GSM 03.38.
    pub fn text(&self) -> String {
        self.text_in(DefaultAlphabet::Gsm)
    }

    /// The same where data_coding 0 is another alphabet.
    pub fn text_in(&self, default: DefaultAlphabet) -> String {
        let whole = self.octets();
        let text = if self.esm_class & UDHI == 0 { whole } else { read_header(whole).1 };
        crate::sim::text::read(self.data_coding, std::iter::once((whole.len() - text.len(), text)), default).1
    }
}

/// What is expected next, in words that a failure repeats.
#[derive(Clone, Copy)]
pub struct Want {
    pub(super) command_id: u32,
    pub(super) status: Option<u32>,
    pub(super) sequence: Option<u32>,
}

impl Want {
    /// A PDU of this kind, whatever else it says.
    pub fn any(command_id: u32) -> Self {
        Self { command_id, status: None, sequence: None }
    }

    /// The response of this kind to our request with this number. A generic_nack of that number, or another status,
    /// fails at once.
    pub fn response(request: u32, status: u32, sequence: u32) -> Self {
        Self { command_id: request | command::RESPONSE, status: Some(status), sequence: Some(sequence) }
    }

    /// The deliver_sm_resp to a deliver_sm.
    pub fn answer(sequence: u32, status: u32) -> Self {
        Self::response(command::DELIVER_SM, status, sequence)
    }

    /// A generic_nack.
    pub fn nack(sequence: u32, status: u32) -> Self {
        Self { command_id: command::GENERIC_NACK, status: Some(status), sequence: Some(sequence) }
    }

    pub(super) fn is_met_by(&self, seen: &Seen) -> bool {
        let same = |wanted: Option<u32>, came| wanted.is_none_or(|wanted| wanted == came);
        self.command_id == seen.command_id && same(self.status, seen.status) && same(self.sequence, seen.sequence)
    }

    /// Whether this PDU takes the place of the one that is wanted, with something else in it.
    pub(super) fn is_missed_by(&self, seen: &Seen) -> bool {
        let rivals = [self.command_id, command::GENERIC_NACK];
        let response = self.command_id & command::RESPONSE != 0;
        response && self.sequence == Some(seen.sequence) && rivals.contains(&seen.command_id)
    }
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", command_name(self.command_id))?;
        if let Some(status) = self.status {
            write!(f, " status {status:#04x}")?;
        }
        self.sequence.map_or(Ok(()), |sequence| write!(f, " sequence {sequence}"))
    }
}
