//! PDUs as a carrier's SMSC writes them, with every field free to be wrong.

use bytes::{BufMut as _, BytesMut};

use crate::sim::wire::{MESSAGE_PAYLOAD, MESSAGE_STATE, RECEIPTED_MESSAGE_ID, RESPONSE};

/// command_id values (SMPP 3.4, 5.1.2.1).
pub mod command {
    /// A generic_nack.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    /// Bit 31 tells a response from a request.
    pub const RESPONSE: u32 = 0x8000_0000;
    /// bind_receiver.
    pub const BIND_RECEIVER: u32 = 0x01;
    /// bind_transmitter.
    pub const BIND_TRANSMITTER: u32 = 0x02;
    /// submit_sm.
    pub const SUBMIT_SM: u32 = 0x04;
    /// deliver_sm.
    pub const DELIVER_SM: u32 = 0x05;
    /// unbind.
    pub const UNBIND: u32 = 0x06;
    /// bind_transceiver.
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    /// outbind.
    pub const OUTBIND: u32 = 0x0B;
    /// enquire_link.
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// alert_notification.
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    /// data_sm.
    pub const DATA_SM: u32 = 0x103;
}

/// The name of a command_id, for people.
pub fn command_name(id: u32) -> String {
    let name = match id & !RESPONSE {
        command::BIND_RECEIVER => "bind_receiver",
        command::BIND_TRANSMITTER => "bind_transmitter",
        command::SUBMIT_SM => "submit_sm",
        command::DELIVER_SM => "deliver_sm",
        command::UNBIND => "unbind",
        command::BIND_TRANSCEIVER => "bind_transceiver",
        command::OUTBIND => "outbind",
        command::ENQUIRE_LINK => "enquire_link",
        command::ALERT_NOTIFICATION => "alert_notification",
        command::DATA_SM => "data_sm",
        0 => return if id == 0 { "command 0".to_owned() } else { "generic_nack".to_owned() },
        _ => return format!("command {id:#010x}"),
    };
    if id & RESPONSE == 0 { name.to_owned() } else { format!("{name}_resp") }
}

/// A PDU with this header and body; command_length is right.
pub fn pdu(command_id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + body.len());
    for field in [16 + body.len() as u32, command_id, status, sequence] {
        out.extend(field.to_be_bytes());
    }
    out.extend(body);
    out
}

/// A PDU that is a header alone.
pub fn bare(command_id: u32, status: u32, sequence: u32) -> Vec<u8> {
    pdu(command_id, status, sequence, &[])
}

/// A generic_nack.
pub fn nack(status: u32, sequence: u32) -> Vec<u8> {
    bare(command::GENERIC_NACK, status, sequence)
}

/// A TLV whose announced length is right.
pub fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    tlv_of(tag, value.len() as u16, value)
}

/// A TLV that announces `length` octets, whatever follows.
pub fn tlv_of(tag: u16, length: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

/// One side of a message: type of number, numbering plan, and the octets before the NUL.
#[derive(Clone)]
pub struct Side {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
    /// The address, of any octets and length.
    pub address: Vec<u8>,
}

/// `d{}` and `r{}`: a deliver_sm (or data_sm) with its fields as they go onto the wire. What is not said is as in a
/// plain message from a phone. Change a field by its name, or in a chain by the functions.
#[derive(Clone)]
pub struct Deliver {
    /// command_id: deliver_sm, or data_sm, whose text then travels in a message_payload.
    pub command_id: u32,
    /// command_status; a request has none.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
    /// service_type, without its NUL.
    pub service_type: Vec<u8>,
    /// Who sends.
    pub source: Side,
    /// To whom.
    pub destination: Side,
    /// esm_class.
    pub esm_class: u8,
    /// protocol_id.
    pub protocol_id: u8,
    /// priority_flag.
    pub priority: u8,
    /// schedule_delivery_time, without its NUL.
    pub schedule: Vec<u8>,
    /// validity_period, without its NUL.
    pub validity: Vec<u8>,
    /// registered_delivery.
    pub registered: u8,
    /// data_coding.
    pub data_coding: u8,
    /// sm_length when it is not that of the text.
    pub sm_length: Option<u8>,
    /// short_message.
    pub text: Vec<u8>,
    /// What follows short_message: TLVs, or octets that are none.
    pub tail: Vec<u8>,
    /// The body is cut behind so many octets; command_length fits what is left.
    pub cut_at: Option<usize>,
}

impl Deliver {
    /// A plain message from a phone to a short code.
    pub fn new(sequence: u32, phone: &str, code: &str, text: impl Into<Vec<u8>>) -> Self {
        Self {
            command_id: command::DELIVER_SM,
            status: 0,
            sequence,
            service_type: Vec::new(),
            source: Side { ton: 1, npi: 1, address: phone.into() },
            destination: Side { ton: 0, npi: 0, address: code.into() },
            esm_class: 0,
            protocol_id: 0,
            priority: 0,
            schedule: Vec::new(),
            validity: Vec::new(),
            registered: 0,
            data_coding: 0,
            sm_length: None,
            text: text.into(),
            tail: Vec::new(),
            cut_at: None,
        }
    }

    /// With another sequence_number.
    #[must_use]
    pub fn sequence(mut self, sequence: u32) -> Self {
        self.sequence = sequence;
        self
    }

    /// With this esm_class.
    #[must_use]
    pub fn esm(mut self, esm_class: u8) -> Self {
        self.esm_class = esm_class;
        self
    }

    /// With this data_coding.
    #[must_use]
    pub fn coding(mut self, data_coding: u8) -> Self {
        self.data_coding = data_coding;
        self
    }

    /// With this text; sm_length is its length again.
    #[must_use]
    pub fn text(mut self, octets: impl Into<Vec<u8>>) -> Self {
        (self.text, self.sm_length) = (octets.into(), None);
        self
    }

    /// With an sm_length that is not that of the text.
    #[must_use]
    pub fn sm_length(mut self, length: u8) -> Self {
        self.sm_length = Some(length);
        self
    }

    /// With this source, whatever it is.
    #[must_use]
    pub fn from(mut self, ton: u8, npi: u8, address: impl Into<Vec<u8>>) -> Self {
        self.source = Side { ton, npi, address: address.into() };
        self
    }

    /// With this destination, whatever it is.
    #[must_use]
    pub fn to(mut self, ton: u8, npi: u8, address: impl Into<Vec<u8>>) -> Self {
        self.destination = Side { ton, npi, address: address.into() };
        self
    }

    /// With one more TLV behind what is there.
    #[must_use]
    pub fn tlv(self, tag: u16, value: &[u8]) -> Self {
        self.tail(&tlv(tag, value))
    }

    /// With more octets behind what is there.
    #[must_use]
    pub fn tail(mut self, octets: &[u8]) -> Self {
        self.tail.extend(octets);
        self
    }

    /// As data_sm.
    #[must_use]
    pub fn as_data_sm(mut self) -> Self {
        self.command_id = command::DATA_SM;
        self
    }

    /// A part of a long text, by a user data header with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1).
    #[must_use]
    pub fn part(mut self, reference: u8, total: u8, index: u8) -> Self {
        self.esm_class |= 0x40;
        self.text.splice(0..0, [5, 0, 3, reference, total, index]);
        self
    }

    /// Turned into the receipt of a message: text form and both TLVs. The sides are those of the message turned round.
    #[must_use]
    pub fn receipt_of(self, submit: &super::Submit, id: &str, state: &str) -> Self {
        let code = u8::from(state == "DELIVRD") * 2;
        let code = if code == 0 { 5 } else { code };
        let mut receipt = self.receipt_text(submit, id, state);
        receipt.tail.extend(tlv(RECEIPTED_MESSAGE_ID, &[id.as_bytes(), &[0]].concat()));
        receipt.tail.extend(tlv(MESSAGE_STATE, &[code]));
        receipt
    }

    /// The same with the text alone.
    #[must_use]
    pub fn receipt_text(mut self, submit: &super::Submit, id: &str, state: &str) -> Self {
        (self.source, self.destination) = (submit.destination.clone(), submit.source.clone());
        self.esm_class = 0x04;
        self.text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:{state} err:000 text:")
                .into_bytes();
        self.sm_length = None;
        self.tail.clear();
        self
    }

    /// The whole PDU.
    pub fn octets(&self) -> Vec<u8> {
        let mut body = BytesMut::new();
        let string = |body: &mut BytesMut, octets: &[u8]| {
            body.put_slice(octets);
            body.put_u8(0);
        };
        string(&mut body, &self.service_type);
        for side in [&self.source, &self.destination] {
            body.put_slice(&[side.ton, side.npi]);
            string(&mut body, &side.address);
        }
        if self.command_id == command::DATA_SM {
            body.put_slice(&[self.esm_class, self.registered, self.data_coding]);
            body.put_slice(&tlv(MESSAGE_PAYLOAD, &self.text));
        } else {
            body.put_slice(&[self.esm_class, self.protocol_id, self.priority]);
            string(&mut body, &self.schedule);
            string(&mut body, &self.validity);
            body.put_slice(&[self.registered, 0, self.data_coding, 0]);
            body.put_u8(self.sm_length.unwrap_or(self.text.len() as u8));
            body.put_slice(&self.text);
        }
        body.put_slice(&self.tail);
        body.truncate(self.cut_at.unwrap_or(usize::MAX));
        pdu(self.command_id, self.status, self.sequence, &body)
    }
}

/// `s{}`: a submit_sm_resp.
#[derive(Clone)]
pub struct SubmitResp {
    /// command_status.
    pub status: u32,
    /// sequence_number.
    pub sequence: u32,
    /// The whole body: the message_id with its NUL, and whatever else.
    pub body: Vec<u8>,
}

impl SubmitResp {
    /// An accepting one.
    pub fn accepted(sequence: u32, id: &str) -> Self {
        Self { status: 0, sequence, body: [id.as_bytes(), &[0]].concat() }
    }

    /// A refusing one without a body.
    pub fn refused(sequence: u32, status: u32) -> Self {
        Self { status, sequence, body: Vec::new() }
    }

    /// With this status.
    #[must_use]
    pub fn status(mut self, status: u32) -> Self {
        self.status = status;
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With one more TLV behind what is there.
    #[must_use]
    pub fn tlv(mut self, tag: u16, value: &[u8]) -> Self {
        self.body.extend(tlv(tag, value));
        self
    }

    /// The whole PDU.
    pub fn octets(&self) -> Vec<u8> {
        pdu(command::SUBMIT_SM | RESPONSE, self.status, self.sequence, &self.body)
    }
}
