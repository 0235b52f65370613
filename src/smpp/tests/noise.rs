//! Noise: whatever comes in a PDU, the line stays bound or closes by rule.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{Body, pdu, peer::Bench};
use crate::message::LineEvent;

/// Those a hostile peer would try, and any number.
fn command_id(chance: &mut ChaCha8Rng) -> u32 {
    const KNOWN: [u32; 16] = [
        0x05,
        0x05,
        0x05,
        0x103,
        0x103,
        0x15,
        0x0B,
        0x102,
        0x04,
        0x09,
        0x77,
        0x8000_0004,
        0x8000_0005,
        0x8000_0009,
        0x8000_0103,
        0x8000_0000,
    ];
    if chance.random_bool(0.7) { KNOWN[chance.random_range(0..KNOWN.len())] } else { chance.random() }
}

/// Random octets, or a message with some octets changed or cut.
fn body(chance: &mut ChaCha8Rng) -> Vec<u8> {
    let mut octets = Body { tail: vec![0x04, 0x24, 0, 1, b'x', 0, 0x1E, 0, 2, b'7', 0], ..Body::default() }.octets();
    if chance.random_bool(0.5) {
        octets = (0..chance.random_range(0..120)).map(|_| chance.random()).collect();
    }
    for _ in 0..chance.random_range(0..4) {
        if !octets.is_empty() {
            let at = chance.random_range(0..octets.len());
            octets[at] = chance.random();
        }
    }
    octets.truncate(chance.random_range(0..=octets.len()));
    octets
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_random_pdus_leave_the_line_up() {
    let mut chance = ChaCha8Rng::seed_from_u64(0x7172_6163);
    let (mut bench, mut peer) = Bench::usual().await;
    for round in 0..200 {
        let mut noise = Vec::new();
        for _ in 0..50 {
            let id = command_id(&mut chance);
            // A real unbind, or "you are not bound", ends a session by rule: not what is tried here.
            let id = if matches!(id, 0x06 | 0x8000_0006) { 0x05 } else { id };
            let status = if chance.random_bool(0.5) { 0 } else { 0x58 };
            noise.extend(pdu(id, status, chance.random(), &body(&mut chance)));
        }
        peer.write(&noise).await;
        peer.send(0x15, 0, 0x0BAD_0000 + round, b"").await;
        loop {
            let frame = peer.next_or_end().await.expect("the line closed");
            if (frame.command_id, frame.sequence_number) == (0x8000_0015, 0x0BAD_0000 + round) {
                break;
            }
        }
        while let Ok(batch) = bench.desk.try_recv() {
            assert!(
                batch.iter().all(|event| matches!(
                    event,
                    LineEvent::Question(_) | LineEvent::Receipt { .. } | LineEvent::Odd(_)
                ))
            );
        }
    }
    peer.send(5, 0, 1, &Body::default().octets()).await;
    let is_ours = |event| matches!(event, LineEvent::Question(part) if part.octets.0 == Body::default().text);
    while !is_ours(bench.desk_event().await) {}
}

#[tokio::test(start_paused = true)]
async fn random_octets_before_the_bind_end_nothing_but_the_connection() {
    let mut chance = ChaCha8Rng::seed_from_u64(11);
    let mut bench = Bench::start(super::settings("unused:1"), 8);
    for _ in 0..50 {
        let mut peer = bench.connect().await;
        assert_eq!(peer.next().await, (9, 0, 1));
        let octets: Vec<u8> = (0..chance.random_range(1..200)).map(|_| chance.random()).collect();
        peer.write(&octets).await;
    }
    bench.connect().await.accept_bind().await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { session: 1, .. }));
}
