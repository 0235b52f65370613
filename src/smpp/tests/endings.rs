//! How sessions begin and end.

use std::time::Duration;

use tokio::time::Instant;

use super::{Body, peer::Bench, settings, submit};
use crate::{
    config::Line,
    message::{Answer, AnswerStatus, LineCommand, LineEvent},
};

const BIND_RESP: u32 = 0x8000_0009;

#[tokio::test(start_paused = true)]
async fn a_bind_is_judged_by_the_header_of_its_response() {
    for (label, body) in [("no body", b"".as_slice()), ("an empty id", b"\0"), ("a long id", &[b'x'; 40])] {
        let mut bench = Bench::start(settings("unused:1"), 8);
        let mut peer = bench.connect().await;
        assert_eq!(peer.next().await, (9, 0, 1));
        peer.send(BIND_RESP, 0, 1, body).await;
        assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }), "{label}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_bind_closes_and_is_tried_again_after_the_wait_for_its_reason() {
    for (status, seconds) in [(0x0E, 60), (0x05, 30), (0x58, 30), (0x5A, 60)] {
        let mut bench = Bench::start(settings("unused:1"), 8);
        let mut peer = bench.connect().await;
        peer.next().await;
        // A message ahead of a refusal stays unanswered.
        peer.send(5, 0, 9, &Body::default().octets()).await;
        peer.send(BIND_RESP, status, 1, b"").await;
        assert!(peer.next_or_end().await.is_none(), "closed without a word");
        let refused = Instant::now();
        let mut peer = bench.connect().await;
        peer.accept_bind().await;
        let waited = refused.elapsed().as_secs_f64() / f64::from(seconds);
        assert!((0.75..1.25).contains(&waited), "status {status:#x}: {waited} of {seconds} s");
        assert!(matches!(bench.desk_event().await, LineEvent::Up { session: 1, .. }), "no Up or Down before it");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_ahead_of_the_bind_response_are_handed_up_behind_it() {
    let mut bench = Bench::start(settings("unused:1"), 8);
    let mut peer = bench.connect().await;
    peer.next().await;
    for sequence in [1, 2] {
        peer.send(5, 0, sequence, &Body::default().octets()).await;
    }
    peer.send(0x15, 0, 3, b"").await;
    peer.send(BIND_RESP, 0, 1, b"").await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    assert_eq!((bench.question().await.sequence, bench.question().await.sequence), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_bind_that_is_not_answered_is_given_up_and_enquire_link_proves_nothing() {
    let mut bench = Bench::start(settings("unused:1"), 8);
    let mut peer = bench.connect().await;
    peer.next().await;
    let asked = Instant::now();
    peer.is_answered(1).await;
    peer.send(0x8000_0015, 0, 1, b"").await;
    assert!(peer.next_or_end().await.is_none(), "no enquire_link of ours before the bind");
    assert_eq!(asked.elapsed().as_secs(), 30);
    assert!(bench.desk.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn waits_grow_while_connections_fail_and_the_line_comes_back() {
    let (mut bench, peer) = Bench::usual().await;
    drop(peer);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { session: 1, .. }));
    for seconds in [5.0, 10.0, 20.0, 40.0, 60.0, 60.0] {
        let lost = Instant::now();
        let mut peer = bench.connect().await;
        peer.next().await;
        let waited = lost.elapsed().as_secs_f64() / seconds;
        assert!((0.75..1.25).contains(&waited), "{waited} of {seconds} s");
    }
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { session: 2, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_smscs_unbind_is_answered_and_ends_the_session() {
    let (mut bench, mut peer) = Bench::usual().await;
    peer.send(6, 0, 77, b"").await;
    assert_eq!(peer.next().await, (0x8000_0006, 0, 77));
    assert!(peer.next_or_end().await.is_none());
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
}

#[tokio::test(start_paused = true)]
async fn after_the_smscs_unbind_what_is_open_is_still_settled_but_nothing_new_leaves() {
    let (mut bench, mut peer) = Bench::usual().await;
    bench.submit(vec![submit(1, 0), submit(1, 1)]).await;
    assert_eq!((peer.next().await, peer.next().await), ((4, 0, 2), (4, 0, 3)));
    peer.send(6, 0, 77, b"\0\0").await;
    assert_eq!(peer.next().await, (0x8000_0006, 0, 77));
    let unbound = Instant::now();
    bench.submit(vec![submit(1, 2)]).await;
    peer.send(0x8000_0004, 0, 3, b"b\0").await;
    assert!(peer.next_or_end().await.is_none());
    assert_eq!(unbound.elapsed().as_secs(), 5);
    let events = [bench.outbox_event().await, bench.outbox_event().await, bench.outbox_event().await];
    let mut segments = Vec::new();
    for event in &events[..2] {
        let LineEvent::Response { id, .. } = event else { panic!("{event:?}") };
        segments.push(id.segment);
    }
    segments.sort_unstable();
    assert_eq!(segments, [1, 2]);
    assert!(matches!(&events[2], LineEvent::Down { in_doubt, .. } if in_doubt.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn closing_the_commands_unbinds_in_good_order() {
    let (mut bench, mut peer) = Bench::usual().await;
    peer.send(5, 0, 9, &Body::default().octets()).await;
    let part = bench.question().await;
    bench.submit(vec![submit(1, 0), submit(1, 1)]).await;
    assert_eq!((peer.next().await, peer.next().await), ((4, 0, 2), (4, 0, 3)));
    bench.commands = None;
    assert_eq!(peer.next().await, (0x8000_0005, 0x58, 9), "nobody is left to answer it");
    assert!(!part.ticket.claim());
    assert_eq!(peer.next().await, (6, 0, 4));
    // Between the two unbinds things may still come.
    peer.send(5, 0, 10, &Body::default().octets()).await;
    assert_eq!(peer.next().await, (0x8000_0005, 0x58, 10));
    peer.send(0x8000_0004, 0, 2, b"a\0").await;
    peer.send(0x8000_0006, 0, 4, b"").await;
    assert!(peer.next_or_end().await.is_none());
    bench.stop().await;
    assert!(matches!(bench.outbox_event().await, LineEvent::Response { .. }));
    assert!(matches!(bench.outbox_event().await, LineEvent::Down { in_doubt, .. } if in_doubt.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn an_unbind_of_ours_that_is_not_answered_ends_after_five_seconds() {
    let (mut bench, mut peer) = Bench::usual().await;
    let told = Instant::now();
    bench.stop().await;
    assert_eq!(told.elapsed().as_secs(), 5);
    assert_eq!(peer.next().await, (6, 0, 2));
    assert!(peer.next_or_end().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_line_stops_at_once_while_it_waits_to_connect() {
    let mut bench = Bench::start(settings("unused:1"), 8);
    let told = Instant::now();
    bench.stop().await;
    assert!(told.elapsed() < Duration::from_secs(1));
    let (mut bench, peer) = Bench::usual().await;
    drop(peer);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
    let told = Instant::now();
    bench.stop().await;
    assert!(told.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_gives_up_its_questions_and_their_answers_are_dropped_in_the_next() {
    let (mut bench, mut peer) =
        Bench::bound(Line { reconnect_min: Duration::from_millis(50), ..settings("unused:1") }).await;
    peer.send(5, 0, 9, &Body::default().octets()).await;
    let part = bench.question().await;
    assert!(part.ticket.claim(), "the store is at it");
    drop(peer);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
    assert!(!part.ticket.answer(), "the store learns that no answer left");
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { session: 2, .. }));
    peer.send(5, 0, 9, &Body::default().octets()).await;
    assert_eq!(bench.question().await.session, 2);
    let old = Answer { session: 1, sequence: 9, status: AnswerStatus::Stored };
    bench.tell(LineCommand::Answers(vec![old])).await;
    peer.is_answered(10).await;
    assert_eq!(peer.next().await, (0x8000_0005, 0x58, 9), "the new session's question was not answered by it");
}
