//! The line against a peer written by hand, over a stream in memory and a clock that is told.

mod care;
mod endings;
mod keepalive;
mod malformed;
mod noise;
mod peer;
mod questions;
mod readings;
mod receipt_traps;
mod receipts;
mod roles;
mod submits;
mod tcp;
mod tls;
mod watched;

use crate::{
    config::{Carrier, Line},
    message::{RawAddress, RowKey, Segment, Submit, SubmitId},
};

/// Settings as a carrier's section gives them without a word.
pub(super) fn settings(address: &str) -> Line {
    Carrier::with_defaults("vtl", address).line
}

/// A one-segment reply to a made-up phone.
pub(super) fn submit(exchange: i64, segment: u8) -> Submit {
    Submit {
        id: SubmitId { exchange: RowKey(exchange), segment, copy: 1 },
        source: RawAddress { ton: 3, npi: 0, octets: b"997".to_vec() },
        destination: RawAddress { ton: 1, npi: 1, octets: b"84520000007".to_vec() },
        segment: Segment { octets: b"Xin chao".to_vec(), ..Segment::default() },
        receipt: false,
        validity: None,
        billing: None,
        bare: false,
    }
}

/// The body of a `deliver_sm`, field by field, with the usual values.
pub(super) struct Body {
    pub(super) service_type: &'static [u8],
    pub(super) source: &'static [u8],
    pub(super) destination: &'static [u8],
    pub(super) esm_class: u8,
    pub(super) validity: &'static [u8],
    pub(super) data_coding: u8,
    /// Announced length, when it is not the text's.
    pub(super) sm_length: Option<u8>,
    pub(super) text: Vec<u8>,
    /// Whatever follows the text.
    pub(super) tail: Vec<u8>,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            service_type: b"",
            source: b"84520000007",
            destination: b"997",
            esm_class: 0,
            validity: b"",
            data_coding: 0,
            sm_length: None,
            text: b"TTCD 901098012345".to_vec(),
            tail: Vec::new(),
        }
    }
}

impl Body {
    /// The octets of the body.
    pub(super) fn octets(&self) -> Vec<u8> {
        let mut octets =
            [self.service_type, b"\0\x01\x01", self.source, b"\0\x03\x00", self.destination, b"\0"].concat();
        octets.extend([self.esm_class, 0, 0, 0]);
        octets.extend(self.validity);
        octets.extend([0, 0, 0, self.data_coding, 0]);
        octets.push(self.sm_length.unwrap_or(self.text.len() as u8));
        octets.extend(&self.text);
        octets.extend(&self.tail);
        octets
    }
}

/// An optional parameter.
pub(super) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut octets = tag.to_be_bytes().to_vec();
    octets.extend((value.len() as u16).to_be_bytes());
    octets.extend(value);
    octets
}

/// One PDU as octets.
pub(super) fn pdu(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut octets = (16 + body.len() as u32).to_be_bytes().to_vec();
    for word in [id, status, sequence] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(body);
    octets
}
