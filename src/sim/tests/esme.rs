//! An ESME as small as can be: it writes what a test tells it and hands over what it reads.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use rusmpp::{
    Command, CommandStatus, Pdu,
    decode::DecodeWithLength as _,
    encode::{Encode as _, Length as _},
    pdus::{BindReceiver, BindTransceiver, BindTransmitter, DeliverSmResp, SubmitSm},
    types::{COctetString, OctetString},
    values::{DataCoding, EsmClass, Npi, RegisteredDelivery, Ton},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::soon;
use crate::{sim::wire, smpp::frame::next_frame};

pub(super) struct Esme {
    stream: TcpStream,
    input: BytesMut,
    sequence: u32,
}

/// One PDU as it was read.
pub(super) struct Read {
    pub(super) id: u32,
    pub(super) status: u32,
    pub(super) sequence: u32,
    pub(super) octets: Bytes,
    pub(super) pdu: Option<Pdu>,
}

impl Read {
    /// id, status and sequence_number.
    pub(super) fn head(&self) -> (u32, u32, u32) {
        (self.id, self.status, self.sequence)
    }

    /// The phone a deliver_sm comes from.
    pub(super) fn source(&self) -> String {
        let Some(Pdu::DeliverSm(deliver)) = &self.pdu else { panic!("no deliver_sm") };
        deliver.source_addr.as_str().to_owned()
    }
}

impl Esme {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        let stream = soon(TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, input: BytesMut::new(), sequence: 0 }
    }

    /// Connected and bound as a transceiver.
    pub(super) async fn bound(address: SocketAddr) -> Self {
        let mut esme = Self::connect(address).await;
        assert_eq!(esme.bind(wire::BIND_TRANSCEIVER, "gateway", "secret").await, 0);
        esme
    }

    pub(super) async fn bind(&mut self, kind: u32, name: &str, password: &str) -> u32 {
        let (name, password) = (string(name), string(password));
        let pdu: Pdu = match kind {
            wire::BIND_RECEIVER => BindReceiver::builder().system_id(name).password(password).build().into(),
            wire::BIND_TRANSMITTER => BindTransmitter::builder().system_id(name).password(password).build().into(),
            _ => BindTransceiver::builder().system_id(name).password(password).build().into(),
        };
        let sequence = self.request(pdu).await;
        let answer = self.next().await.unwrap();
        assert_eq!((answer.id, answer.sequence), (kind | wire::RESPONSE, sequence));
        answer.status
    }

    pub(super) async fn request(&mut self, pdu: impl Into<Pdu>) -> u32 {
        self.sequence += 1;
        self.send(CommandStatus::EsmeRok, self.sequence, pdu).await;
        self.sequence
    }

    pub(super) async fn send(&mut self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) {
        let command = Command::new(status, sequence, pdu);
        let mut octets = vec![0; 4 + command.length()];
        let length = octets.len() as u32;
        octets[..4].copy_from_slice(&length.to_be_bytes());
        command.encode(&mut octets[4..]);
        self.write(&octets).await;
    }

    /// Writes octets; an SMSC that has gone away is noticed at the next read.
    pub(super) async fn write(&mut self, octets: &[u8]) {
        let _ = soon(self.stream.write_all(octets)).await;
    }

    /// Answers a deliver_sm.
    pub(super) async fn answer(&mut self, sequence: u32, status: u32) {
        self.send(CommandStatus::from(status), sequence, DeliverSmResp::default()).await;
    }

    /// The next PDU; `None` when the SMSC has closed the connection.
    pub(super) async fn next(&mut self) -> Option<Read> {
        loop {
            if let Some(frame) = next_frame(&mut self.input).unwrap() {
                let mut rest = BytesMut::from(&frame.octets[4..]);
                let length = rest.len();
                let (command, _) = Command::decode(&mut rest, length).unwrap();
                return Some(Read {
                    id: frame.command_id,
                    status: frame.command_status,
                    sequence: frame.sequence_number,
                    octets: frame.octets,
                    pdu: command.pdu().cloned(),
                });
            }
            if soon(self.stream.read_buf(&mut self.input)).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

pub(super) fn string<const MIN: usize, const MAX: usize>(text: &str) -> COctetString<MIN, MAX> {
    COctetString::from_string(text.to_owned()).unwrap()
}

/// A submit_sm from the short code to a phone.
pub(super) fn submit(to: &str, data_coding: u8, udhi: bool, octets: &[u8]) -> SubmitSm {
    SubmitSm::builder()
        .source_addr(string("997"))
        .dest_addr_ton(Ton::International)
        .dest_addr_npi(Npi::Isdn)
        .destination_addr(string(to))
        .esm_class(EsmClass::from(if udhi { 0x40 } else { 0 }))
        .registered_delivery(RegisteredDelivery::from(0))
        .data_coding(DataCoding::from(data_coding))
        .short_message(OctetString::from_slice(octets).unwrap())
        .build()
}
