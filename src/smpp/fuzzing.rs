//! Doors for the trials in `fuzz/`: what the session reads, without a socket, and what must hold whatever it reads.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Wiring, bind,
    conversation::Conversation,
    deliver::Deliver,
    frame::{Frame, next_frame},
    pdu::{self, id},
    receipt::{self, Reading},
    station::Station,
};
use crate::{
    board::CarrierBoard,
    clock::{Chance, Clock, Micros},
    config::{AnswerBody, Carrier, Line, ReceiptsBy},
    message::{CarrierId, Lease, LineEvent, LineId, LineNo, ReceiptTlvs, Role},
    sms::{BinaryText, ByteOrder, DefaultAlphabet},
};

/// Settings as a carrier's section gives them without a word.
pub fn usual() -> Line {
    Carrier::with_defaults("vtl", "unused:1").line
}

/// The same with the switches that matter to reading set by the bits of a number.
pub fn switched(usual: &Line, bits: u16) -> Line {
    let bit = |at: u16| bits >> at & 1 == 1;
    let mut line = usual.clone();
    line.receipts_by = if bit(0) { ReceiptsBy::Csv } else { ReceiptsBy::Auto };
    line.receipt_flag_may_be_missing = bit(1);
    line.receipt_zero_is_delivered = bit(2);
    line.receipt_offset_minutes = if bit(3) { 840 } else { -840 };
    line.echo_deliver_id = bit(4);
    line.ordered_answers = bit(5);
    line.answer_body = if bit(6) { AnswerBody::Never } else { AnswerBody::Always };
    line.inbound_window = if bit(7) { 1 } else { 256 };
    line.codings.class_is_packed = bit(8);
    line.codings.one_is_gsm = bit(9);
    line.codings.binary = if bit(10) { BinaryText::Ucs2 } else { BinaryText::NotText };
    line.codings.ucs2 = if bit(11) { ByteOrder::Little } else { ByteOrder::Auto };
    line.codings.default = match bits >> 12 {
        0..=5 => DefaultAlphabet::Gsm,
        6 | 7 => DefaultAlphabet::Latin1,
        8 | 9 => DefaultAlphabet::Ascii,
        10 | 11 => DefaultAlphabet::Utf8,
        _ => DefaultAlphabet::Packed,
    };
    line
}

/// Reads one body as its command_id says, by every reading there is for it.
pub fn body(command_id: u32, body: &[u8], settings: &Line) {
    let (frame, whole) = (frame(command_id, body), body.len());
    match command_id {
        id::DELIVER_SM | id::DATA_SM => {
            let Ok(deliver) = Deliver::read(&frame, settings.codings) else { return };
            assert!(deliver.text.len() + deliver.source.octets.len() + deliver.destination.octets.len() <= whole);
            look(&deliver, settings);
        }
        _ => {
            assert!(pdu::message_id(body).chars().count() <= 255);
            assert!(pdu::behind_string(body).len() <= whole);
            for tag in [0x0210, 0x0425, 0x0428] {
                assert!(pdu::optional(pdu::behind_string(body), tag).is_none_or(|value| value.len() + 4 <= whole));
            }
            _ = bind::version(body);
        }
    }
}

/// Reads a text as a receipt's.
pub fn receipt(esm_class: u8, data_coding: u8, text: &[u8], settings: &Line) {
    look(&Deliver { esm_class, data_coding, text: text.to_vec(), ..Deliver::default() }, settings);
}

fn look(deliver: &Deliver, settings: &Line) {
    let mut traps = Vec::new();
    match receipt::read(deliver, settings, &mut traps) {
        Reading::Receipt(receipt) => bounded(&receipt),
        Reading::Message => assert!(!deliver.is_flagged()),
        Reading::Nothing | Reading::List => assert!(deliver.is_flagged()),
    }
    if let Some(receipt) = receipt::unmarked(deliver, settings) {
        assert!(settings.receipt_flag_may_be_missing && !deliver.is_flagged() && !receipt.message_id.is_empty());
        bounded(&receipt);
    }
    traps.dedup();
    assert!(traps.len() <= 16);
}

fn bounded(receipt: &ReceiptTlvs) {
    let ids = [Some(&receipt.message_id), receipt.other_id.as_ref()];
    assert!(ids.into_iter().flatten().all(|id| id.chars().count() <= 255));
    assert!(receipt.error.chars().count() <= 16);
}

fn frame(command_id: u32, body: &[u8]) -> Frame {
    let mut octets = BytesMut::new();
    octets.extend_from_slice(&[0; 16]);
    octets.extend_from_slice(body);
    Frame { command_id, command_status: 0, sequence_number: 1, octets: octets.freeze() }
}

/// Plays a stream to a bound session, at once and in pieces of a size: it writes the same and hands up the same, and
/// what it writes are whole PDUs.
pub fn conversation(settings: &Line, stream: &[u8], size: usize) {
    let whole = play(settings, stream, stream.len());
    let pieces = play(settings, stream, size);
    assert_eq!(whole, pieces, "what is answered depends on how the stream arrives");
    let mut written = BytesMut::from(whole.0.as_slice());
    while let Ok(Some(_)) = next_frame(&mut written) {}
    assert!(written.is_empty(), "half a PDU was written");
}

/// What a session writes, and how many events of each kind it hands up.
fn play(settings: &Line, stream: &[u8], size: usize) -> (Vec<u8>, [usize; 4]) {
    let (desk, mut at_desk) = mpsc::channel(4_096);
    let (outbox, mut at_outbox) = mpsc::channel(4_096);
    let (_commands, taken) = mpsc::channel(1);
    let carrier = CarrierId::parse("vtl").unwrap_or_else(|| unreachable!("a right name"));
    let mut station = Station::new(Wiring {
        line: LineNo(0),
        desk,
        outbox,
        commands: taken,
        quiesce: CancellationToken::new(),
        clock: Clock::fixed(Micros(1)),
        chance: Chance::seeded(1),
        label: LineId { carrier: carrier.clone(), index: 1, role: Role::Transceiver },
        board: Arc::new(CarrierBoard::new(carrier, Vec::new(), Clock::fixed(Micros(1)))),
        owed: Arc::default(),
        lease: Arc::new(Lease::unlimited()),
    });
    let now = Instant::now();
    let mut session = Conversation::begin(settings, &mut station, 1, now);
    let mut buffer = BytesMut::from(&b"\0\0\0\x15\x80\0\0\x09\0\0\0\0\0\0\0\x01SMSC\0"[..]);
    session.read(&mut buffer, now);
    for piece in stream.chunks(size.max(1)) {
        buffer.extend_from_slice(piece);
        session.read(&mut buffer, now);
        session.station().post.hand_up();
    }
    let written = session.out.to_vec();
    let mut kinds = [0; 4];
    for batch in std::iter::from_fn(|| at_desk.try_recv().ok().or_else(|| at_outbox.try_recv().ok())) {
        for event in batch {
            let kind = match event {
                LineEvent::Question(_) => 0,
                LineEvent::Receipt { .. } => 1,
                LineEvent::Odd(_) => 2,
                LineEvent::Congestion { .. }
                | LineEvent::Up { .. }
                | LineEvent::Down { .. }
                | LineEvent::Response { .. } => 3,
            };
            kinds[kind] += 1;
        }
    }
    assert!(kinds[0] + kinds[1] + kinds[2] <= settings.inbound_window as usize + 64);
    (written, kinds)
}
