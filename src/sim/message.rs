//! What goes through the simulator, and how it is set up.

use std::time::Duration;

use super::wire;
use crate::{
    clock::Micros,
    message::{Octets, RawAddress},
    sms::DefaultAlphabet,
};

/// Whether delivery receipts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Receipts {
    /// Never.
    #[default]
    None,
    /// After each accepted submit_sm that asks for one: "delivered", at once.
    Delivered,
}

/// How submits are answered; can be changed while the simulator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SubmitAnswer {
    /// ESME_ROK with the next message id.
    #[default]
    Accept,
    /// This command_status, without a message id.
    Refuse(u32),
    /// No answer at all.
    Silence,
}

/// How message ids are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ids {
    /// Decimal.
    #[default]
    Decimal,
    /// Decimal with leading zeros, ten digits.
    PaddedDecimal,
    /// Hexadecimal capitals with leading zeros, eight digits.
    Hex,
    /// Hexadecimal small letters.
    SmallHex,
    /// In the form of a UUID, with a leading zero.
    Uuid,
}

impl Ids {
    /// An id in this form.
    pub(super) fn write(self, id: u64) -> String {
        match self {
            Self::Decimal => id.to_string(),
            Self::PaddedDecimal => format!("{id:010}"),
            Self::Hex => format!("{id:08X}"),
            Self::SmallHex => format!("{id:x}"),
            Self::Uuid => format!("0a5c0de0-5afe-4000-8000-{id:012x}"),
        }
    }
}

/// What differs from one well-behaved SMSC to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Dialect {
    /// What data_coding 0 means.
    pub alphabet: DefaultAlphabet,
    /// Ids in responses.
    pub response_ids: Ids,
    /// Ids in receipts.
    pub receipt_ids: Ids,
    /// Receipts say nothing in optional parameters.
    pub plain_receipts: bool,
    /// The id before the first one.
    pub ids_after: u64,
}

/// How the simulator is set up.
#[derive(Clone)]
pub struct SmscSettings {
    /// The name it gives in bind responses; at most 15 characters are sent.
    pub system_id: String,
    /// The only ESME system_id that may bind; `None`: any. Another one gets status 0x0F.
    pub account: Option<String>,
    /// The password a bind must carry; `None`: any. Another one gets status 0x0E.
    pub password: Option<String>,
    /// Whether receipts are sent.
    pub receipts: Receipts,
    /// How submits are answered.
    pub submits: SubmitAnswer,
    /// After how long a silence of the ESME an enquire_link is sent; `None`: never.
    pub enquire_after: Option<Duration>,
    /// How many submits are kept for [`super::Smsc::next_submit`]; older ones are dropped and counted.
    pub kept_submits: usize,
    /// Its ways of writing.
    pub dialect: Dialect,
}

impl Default for SmscSettings {
    fn default() -> Self {
        Self {
            system_id: "SIM".to_owned(),
            account: None,
            password: None,
            receipts: Receipts::None,
            submits: SubmitAnswer::Accept,
            enquire_after: Some(Duration::from_secs(30)),
            kept_submits: 65_536,
            dialect: Dialect::default(),
        }
    }
}

/// A message to the ESME: the fields of a deliver_sm that a simulated phone or network decides.
#[derive(Clone, Debug, Default)]
pub struct Deliver {
    /// source_addr with its type and plan.
    pub source: RawAddress,
    /// destination_addr with its type and plan.
    pub destination: RawAddress,
    /// esm_class: 0 a message, 0x04 a receipt, bit 0x40 when `octets` begin with a user data header.
    pub esm_class: u8,
    /// data_coding.
    pub data_coding: u8,
    /// The text; more than 254 octets travel in a message_payload, at most 65,535.
    pub octets: Octets,
    /// Optional parameters, tag and value, written in this order.
    pub tlvs: Vec<(u16, Octets)>,
}

impl Deliver {
    /// A plain message from a phone (international, E.164) to a short code (unknown type and plan).
    pub fn new(from: &str, to: &str, data_coding: u8, octets: impl Into<Vec<u8>>) -> Self {
        Self {
            source: RawAddress { ton: 1, npi: 1, octets: from.as_bytes().to_vec() },
            destination: RawAddress { ton: 0, npi: 0, octets: to.as_bytes().to_vec() },
            esm_class: 0,
            data_coding,
            octets: Octets(octets.into()),
            tlvs: Vec::new(),
        }
    }

    /// A receipt in the form most SMSCs use (SMPP 3.4, appendix B), with its two parameters. `state` is one of its words:
    /// DELIVRD, UNDELIV, EXPIRED ...
    pub fn receipt(source: RawAddress, destination: RawAddress, id: &str, state: &str, now: Micros) -> Self {
        let date = now
            .in_zone(&jiff::tz::TimeZone::UTC)
            .map_or_else(|| "7001010000".to_owned(), |at| at.strftime("%y%m%d%H%M").to_string());
        let delivered = u8::from(state == "DELIVRD");
        let text = format!(
            "id:{id} sub:001 dlvrd:00{delivered} submit date:{date} done date:{date} stat:{state} err:000 text:"
        );
        let words = ["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"];
        let code = words.iter().position(|word| *word == state).map(|at| at as u8 + 1);
        let mut tlvs = vec![(wire::RECEIPTED_MESSAGE_ID, Octets(format!("{id}\0").into_bytes()))];
        tlvs.extend(code.map(|code| (wire::MESSAGE_STATE, Octets(vec![code]))));
        Self { source, destination, esm_class: 0x04, data_coding: 0, octets: Octets(text.into_bytes()), tlvs }
    }

    /// The same message as part `index` of `total`, by the SAR parameters (SMPP 3.4, 5.3.2.22 to 24).
    #[must_use]
    pub fn with_sar(mut self, reference: u16, total: u8, index: u8) -> Self {
        self.tlvs.push((wire::SAR_REFERENCE, Octets(reference.to_be_bytes().to_vec())));
        self.tlvs.push((wire::SAR_TOTAL, Octets(vec![total])));
        self.tlvs.push((wire::SAR_INDEX, Octets(vec![index])));
        self
    }
}

/// What the ESME said to a deliver_sm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverAnswer {
    /// command_status of its deliver_sm_resp or generic_nack.
    pub status: u32,
    /// From handing the message over to the answer.
    pub waited: Duration,
}

/// A message the ESME sent.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// source_addr.
    pub source: RawAddress,
    /// destination_addr.
    pub destination: RawAddress,
    /// data_coding.
    pub data_coding: u8,
    /// Whether `octets` begin with a user data header.
    pub udhi: bool,
    /// Reference, total and index by the SAR parameters.
    pub sar: Option<(u16, u8, u8)>,
    /// short_message, or message_payload when there is one.
    pub octets: Octets,
    /// The id it was accepted with; `None` when it was refused or left without an answer.
    pub message_id: Option<u64>,
    /// registered_delivery.
    pub registered_delivery: u8,
    /// When it was read.
    pub at: Micros,
}

/// A response that belongs to nothing the simulator waits for: the answers to octets written with
/// [`super::Smsc::write_raw`], and what a confused ESME sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrayResponse {
    /// command_id.
    pub command_id: u32,
    /// command_status.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
}

/// What the simulator has counted since it began to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SmscCounts {
    /// Accepted binds.
    pub binds: u64,
    /// Refused binds.
    pub refused_binds: u64,
    /// submit_sm read, whatever the answer.
    pub submits: u64,
    /// Submits dropped from the kept ones because nobody took them.
    pub dropped_submits: u64,
    /// Receipts sent.
    pub receipts: u64,
    /// Receipts answered with ESME_ROK.
    pub receipts_taken: u64,
    /// enquire_link of the ESME answered.
    pub enquired: u64,
    /// enquire_link of ours that the ESME answered.
    pub enquiries_answered: u64,
}
