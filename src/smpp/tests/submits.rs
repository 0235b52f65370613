//! Our submits and what comes back for them.

use tokio::time::Instant;

use super::{
    Body,
    peer::{Bench, Peer},
    settings, submit,
};
use crate::{
    config::Line,
    message::{LineCommand, LineEvent, SubmitId, SubmitResult},
};

const SUBMIT_RESP: u32 = 0x8000_0004;

async fn response(bench: &mut Bench) -> (u8, SubmitResult) {
    let event = bench.outbox_event().await;
    let LineEvent::Response { id, result, .. } = event else { panic!("no response: {event:?}") };
    (id.segment, result)
}

fn accepted(message_id: &str) -> SubmitResult {
    SubmitResult::Accepted { message_id: message_id.into() }
}

/// The sequence numbers of the next submits.
async fn submitted(peer: &mut Peer, count: usize) -> Vec<u32> {
    let mut sequences = Vec::new();
    for _ in 0..count {
        let (id, status, sequence) = peer.next().await;
        assert_eq!((id, status), (4, 0));
        sequences.push(sequence);
    }
    sequences
}

#[tokio::test(start_paused = true)]
async fn responses_settle_their_submits_in_any_order_and_form() {
    let (mut bench, mut peer) = Bench::usual().await;
    bench.submit((0..6).map(|n| submit(1, n)).collect()).await;
    let sequences = submitted(&mut peer, 6).await;
    assert_eq!(sequences, [2, 3, 4, 5, 6, 7], "a number each");
    peer.send(SUBMIT_RESP, 0, sequences[3], b"00B8BE19\0").await;
    peer.send(SUBMIT_RESP, 0x58, sequences[0], b"").await;
    peer.send(SUBMIT_RESP, 0x0B, sequences[5], b"0A00\0").await;
    peer.send(SUBMIT_RESP, 0xFE, sequences[1], b"\x04\x25\0\x01\x03").await;
    peer.send(SUBMIT_RESP, 0, sequences[4], b"").await;
    peer.send(0x8000_0000, 0x01, sequences[2], b"").await;
    assert_eq!(response(&mut bench).await, (3, accepted("00B8BE19")));
    assert_eq!(response(&mut bench).await, (0, SubmitResult::Rejected { status: 0x58, reason: None }));
    assert_eq!(response(&mut bench).await, (5, SubmitResult::Rejected { status: 0x0B, reason: None }));
    assert_eq!(response(&mut bench).await, (1, SubmitResult::Rejected { status: 0xFE, reason: Some(3) }));
    assert_eq!(response(&mut bench).await, (4, accepted("")));
    assert_eq!(response(&mut bench).await, (2, SubmitResult::Rejected { status: 0x01, reason: None }));
    // Twice, never sent, and of another kind: counted and dropped.
    for (id, sequence) in [(SUBMIT_RESP, sequences[3]), (SUBMIT_RESP, 99_999), (0x8000_0103, 3), (0x8000_0000, 0)] {
        peer.send(id, 0, sequence, b"x\0").await;
    }
    peer.is_answered(1).await;
    assert!(bench.outbox.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn equal_numbers_in_both_directions_are_two_things() {
    let (mut bench, mut peer) = Bench::usual().await;
    bench.submit(vec![submit(1, 0)]).await;
    assert_eq!(submitted(&mut peer, 1).await, [2]);
    peer.send(5, 0, 2, &Body::default().octets()).await;
    assert_eq!(bench.question().await.sequence, 2);
    peer.send(SUBMIT_RESP, 0, 2, b"a\0").await;
    assert_eq!(response(&mut bench).await, (0, accepted("a")));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_window_is_open() {
    let (mut bench, mut peer) = Bench::bound(Line { window: 2, ..settings("unused:1") }).await;
    bench.submit((0..4).map(|n| submit(1, n)).collect()).await;
    let first = submitted(&mut peer, 2).await;
    peer.is_answered(50).await;
    peer.send(SUBMIT_RESP, 0, first[1], b"b\0").await;
    assert_eq!(response(&mut bench).await, (1, accepted("b")));
    submitted(&mut peer, 1).await;
    peer.is_answered(51).await;
    // Far beyond the window and its queue, submits come back.
    bench.submit((0..1_100).map(|_| submit(2, 9)).collect()).await;
    assert_eq!(response(&mut bench).await, (9, SubmitResult::Unsent));
}

#[tokio::test(start_paused = true)]
async fn a_submit_without_response_times_out_frees_its_place_and_may_be_answered_late() {
    let (mut bench, mut peer) = Bench::bound(Line { window: 1, ..settings("unused:1") }).await;
    let sent = Instant::now();
    bench.submit(vec![submit(1, 0), submit(1, 1)]).await;
    let first = submitted(&mut peer, 1).await;
    let second = loop {
        match peer.next().await {
            (0x15, 0, sequence) => peer.send(0x8000_0015, 0, sequence, b"").await,
            (4, 0, sequence) => break sequence,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sent.elapsed().as_secs(), 30);
    assert_eq!(response(&mut bench).await, (0, SubmitResult::TimedOut));
    peer.send(SUBMIT_RESP, 0, second, b"two\0").await;
    peer.send(SUBMIT_RESP, 0, first[0], b"one\0").await;
    assert_eq!(response(&mut bench).await, (1, accepted("two")));
    assert_eq!(response(&mut bench).await, (0, accepted("one")), "late, and still of use");
}

#[tokio::test(start_paused = true)]
async fn what_is_open_when_the_session_is_lost_is_in_doubt_and_what_never_left_comes_back() {
    let (mut bench, mut peer) = Bench::bound(Line { window: 2, ..settings("unused:1") }).await;
    bench.submit((0..4).map(|n| submit(1, n)).collect()).await;
    let sequences = submitted(&mut peer, 2).await;
    drop(peer);
    assert_eq!(sequences.len(), 2);
    let unsent = SubmitResult::Unsent;
    assert_eq!(response(&mut bench).await, (2, unsent.clone()));
    assert_eq!(response(&mut bench).await, (3, unsent.clone()));
    let event = bench.outbox_event().await;
    let LineEvent::Down { session: 1, in_doubt, .. } = event else { panic!("{event:?}") };
    let [first, second] = [0, 1].map(|segment| SubmitId { segment, ..submit(1, 0).id });
    assert_eq!(in_doubt, [first, second]);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { in_doubt, .. } if in_doubt.is_empty()));
    // Between two sessions everything comes back at once.
    bench.submit(vec![submit(1, 7)]).await;
    assert_eq!(response(&mut bench).await, (7, unsent));
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    assert!(matches!(bench.outbox_event().await, LineEvent::Up { session: 2, .. }));
    bench.submit(vec![submit(1, 0)]).await;
    assert_eq!(submitted(&mut peer, 1).await, [2], "numbers begin anew with each session");
}

#[tokio::test(start_paused = true)]
async fn a_submit_that_cannot_be_written_comes_back_and_the_others_leave() {
    let (mut bench, mut peer) = Bench::usual().await;
    let mut spoilt = submit(1, 0);
    spoilt.segment.octets = vec![0x41; 255];
    bench.submit(vec![spoilt, submit(1, 1)]).await;
    assert_eq!(response(&mut bench).await, (0, SubmitResult::Rejected { status: 0x01, reason: None }));
    submitted(&mut peer, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_response_that_says_not_bound_ends_the_session() {
    let (mut bench, mut peer) = Bench::usual().await;
    bench.submit(vec![submit(1, 0)]).await;
    let sequences = submitted(&mut peer, 1).await;
    peer.send(SUBMIT_RESP, 0x04, sequences[0], b"").await;
    assert_eq!(response(&mut bench).await, (0, SubmitResult::Rejected { status: 0x04, reason: None }));
    assert!(matches!(bench.outbox_event().await, LineEvent::Down { in_doubt, .. } if in_doubt.is_empty()));
    peer.closes().await;
}

#[tokio::test(start_paused = true)]
async fn an_order_to_bind_anew_ends_the_session_it_names_and_no_other() {
    let (mut bench, peer) = Bench::usual().await;
    drop(peer);
    assert!(matches!(bench.outbox_event().await, LineEvent::Down { session: 1, .. }));
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    assert!(matches!(bench.outbox_event().await, LineEvent::Up { session: 2, .. }));
    // It comes late, for the session before.
    bench.tell(LineCommand::Rebind { session: 1 }).await;
    bench.submit(vec![submit(1, 0)]).await;
    submitted(&mut peer, 1).await;
    bench.tell(LineCommand::Rebind { session: 2 }).await;
    let event = bench.outbox_event().await;
    assert!(matches!(&event, LineEvent::Down { session: 2, in_doubt, .. } if in_doubt.len() == 1), "{event:?}");
    peer.closes().await;
}

#[tokio::test(start_paused = true)]
async fn an_smsc_that_reads_nothing_loses_the_line() {
    let (mut bench, peer) = Bench::bound(Line { window: 5_000, ..settings("unused:1") }).await;
    let began = Instant::now();
    // More than the stream holds.
    bench.submit((0..5_000).map(|_| submit(1, 0)).collect()).await;
    while !matches!(bench.outbox_event().await, LineEvent::Down { .. }) {}
    assert!((30..=31).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_to_a_line_before_the_process_was_paused_does_not_leave_after_it() {
    let (mut bench, mut peer) = Bench::bound(Line { window: 1, ..settings("unused:1") }).await;
    bench.submit(vec![submit(1, 0), submit(1, 1)]).await;
    let sequences = submitted(&mut peer, 1).await;
    bench.lease.revoke();
    peer.send(SUBMIT_RESP, 0, sequences[0], b"A\0").await;
    assert_eq!(response(&mut bench).await, (0, accepted("A")), "what came back still counts");
    assert_eq!(response(&mut bench).await, (1, SubmitResult::Unsent));
    bench.submit(vec![submit(1, 2)]).await;
    assert_eq!(response(&mut bench).await, (2, SubmitResult::Unsent));
    bench.stop().await;
    assert_eq!(peer.next().await.0, 6, "unbind, and nothing before it");
}
