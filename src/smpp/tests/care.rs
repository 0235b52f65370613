//! What a line does for the messages' sake: it leaves them with the SMSC when they cannot be stored, answers as the
//! carrier wants it, and says when something must be looked at.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Body, pdu,
    peer::{Bench, Peer},
    settings, submit, tlv,
};
use crate::{
    config::{AnswerBody, Line},
    message::{AnswerStatus, LineEvent, SubmitResult},
};

const DELIVER_RESP: u32 = 0x8000_0005;

async fn ask(peer: &mut Peer, sequence: u32) {
    peer.send(5, 0, sequence, &Body::default().octets()).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_for_long_leaves_messages_with_the_smsc_and_enquiries_answered() {
    let (mut bench, mut peer) =
        Bench::bound(Line { temporary_at_most: Duration::from_secs(3), ..settings("unused:1") }).await;
    for sequence in 1..=2 {
        ask(&mut peer, sequence).await;
        bench.question().await;
        assert_eq!(peer.next().await, (DELIVER_RESP, 0x58, sequence));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(bench.board.line_alarmed(&bench.label, "reading_paused"));
    bench.board.line_alarm(&bench.other, "reading_paused", "the other line is paused, too");
    for sequence in 3..=6 {
        ask(&mut peer, sequence).await;
    }
    let asked = Instant::now();
    peer.is_answered(100).await;
    assert!(asked.elapsed() < Duration::from_millis(100));
    assert_eq!(bench.board.counted("enquire_while_we_are_busy"), 1);
    // One at a time is tried, without an answer to the SMSC.
    for _ in 0..3 {
        assert_eq!(bench.question().await.sequence, 3);
    }
    let part = bench.question().await;
    assert!(part.ticket.answer(), "the store refuses at once");
    bench.tell_temporary(&part).await;
    peer.is_answered(101).await;
    let part = bench.question().await;
    assert_eq!(part.sequence, 3);
    bench.answer(&part, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 3));
    let paused = [&bench.label, &bench.other].map(|line| bench.board.line_alarmed(line, "reading_paused"));
    assert_eq!(paused, [false, true], "each line's is its own");
    for sequence in 4..=6 {
        let part = bench.question().await;
        bench.answer(&part, AnswerStatus::Stored).await;
        assert_eq!(peer.next().await, (DELIVER_RESP, 0, sequence));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_while_nothing_can_be_stored_does_not_keep_what_is_behind_it_from_being_read() {
    let (mut bench, mut peer) =
        Bench::bound(Line { temporary_at_most: Duration::from_secs(3), ..settings("unused:1") }).await;
    for sequence in 1..=2 {
        ask(&mut peer, sequence).await;
        bench.question().await;
        assert_eq!(peer.next().await, (DELIVER_RESP, 0x58, sequence));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(bench.board.alarmed("reading_paused"));
    let question = pdu(5, 0, 3, &Body::default().octets());
    peer.write(&question.repeat(100_000 / question.len())).await;
    peer.send(0x15, 0, 4, b"").await;
    let mut refused = 0;
    while peer.next().await != (0x8000_0015, 0, 4) {
        refused += question.len();
    }
    assert!((30_000..40_000).contains(&refused), "what is held is left with the SMSC, {refused} octets are refused");
}

#[tokio::test(start_paused = true)]
async fn the_octets_that_are_held_are_bounded() {
    let (mut bench, mut peer) = Bench::bound(Line { inbound_window: 1, ..settings("unused:1") }).await;
    let question = pdu(5, 0, 1, &Body::default().octets());
    // A pipe of 64 KiB and a look-ahead of as much: the rest finds no way in until something is decided.
    let flood = question.repeat(400_000 / question.len());
    let mut writing = Box::pin(peer.write(&flood));
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut writing).await.is_err());
    drop(writing);
    let part = bench.question().await;
    assert!(bench.desk.try_recv().is_err());
    bench.answer(&part, AnswerStatus::Stored).await;
    bench.question().await;
    assert_eq!(bench.board.counted("backlog_burst"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_says_how_long_it_may_have_waited_to_be_taken_in() {
    let (mut bench, mut peer) =
        Bench::bound(Line { inbound_window: 1, answer_deadline: Duration::from_secs(8), ..settings("unused:1") }).await;
    for sequence in 1..=2 {
        ask(&mut peer, sequence).await;
    }
    let first = bench.question().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.answer(&first, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 1));
    let second = bench.question().await;
    bench.answer(&second, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 2));
    tokio::time::sleep(Duration::from_secs(4)).await;
    ask(&mut peer, 3).await;
    let third = bench.question().await;
    // An idle line looks round each second.
    let looks = Duration::from_secs(1);
    assert!(first.waited <= looks && third.waited <= looks, "{:?} {:?}", first.waited, third.waited);
    let four = Duration::from_secs(4);
    assert!((four..=four + looks).contains(&second.waited), "{:?}", second.waited);
}

#[tokio::test(start_paused = true)]
async fn answers_are_ordered_echoed_and_cut_as_the_carrier_wants() {
    let (mut bench, mut peer) = Bench::bound(Line {
        ordered_answers: true,
        echo_deliver_id: true,
        answer_body: AnswerBody::NotOnError,
        ..settings("unused:1")
    })
    .await;
    for (sequence, tail) in [(1, tlv(0x001E, b"A7\0")), (2, Vec::new()), (3, tlv(0x001E, b"A9\0"))] {
        peer.send(5, 0, sequence, &Body { tail, ..Body::default() }.octets()).await;
    }
    let parts = [bench.question().await, bench.question().await, bench.question().await];
    bench.answer(&parts[2], AnswerStatus::NotOurs).await;
    bench.answer(&parts[1], AnswerStatus::Stored).await;
    peer.is_answered(50).await;
    bench.answer(&parts[0], AnswerStatus::Stored).await;
    for (sequence, status, body) in [(1, 0, b"A7\0".as_slice()), (2, 0, b"\0"), (3, 0x0B, b"")] {
        let frame = peer.next_or_end().await.unwrap();
        assert_eq!((frame.sequence_number, frame.command_status, frame.body()), (sequence, status, body));
    }
}

#[tokio::test(start_paused = true)]
async fn one_broken_message_over_and_over_raises_the_alarm_across_sessions() {
    let (mut bench, mut peer) =
        Bench::bound(Line { enquire_after: Duration::from_hours(2), ..settings("unused:1") }).await;
    let broken = Body { sm_length: Some(200), ..Body::default() }.octets();
    for sequence in 1..=3 {
        assert!(!bench.board.alarmed("poison_resent_for_days"));
        peer.send(5, 0, sequence, &broken).await;
        assert!(matches!(bench.desk_event().await, LineEvent::Odd(_)));
        drop(peer);
        assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
        peer = bench.connect().await;
        peer.accept_bind().await;
        assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    }
    assert!(bench.board.alarmed("poison_resent_for_days"));
    assert_eq!(bench.board.counted("poison_resent_for_days"), 1);
    bench.clock.advance(24 * 3_600 * 1_000_000 - 1);
    assert!(bench.board.line_alarmed(&bench.label, "poison_resent_for_days"));
    bench.clock.advance(1);
    assert!(!bench.board.alarmed("poison_resent_for_days"), "a day later");
}

#[tokio::test(start_paused = true)]
async fn responses_tell_congestion_and_the_reason_of_a_failure() {
    let (mut bench, mut peer) = Bench::usual().await;
    bench.submit(vec![submit(7, 0), submit(7, 1)]).await;
    assert_eq!((peer.next().await, peer.next().await), ((4, 0, 2), (4, 0, 3)));
    peer.send(0x8000_0004, 0xFE, 3, &tlv(0x0425, &[3])).await;
    let event = bench.outbox_event().await;
    let LineEvent::Response { result, .. } = event else { panic!("{event:?}") };
    assert_eq!(result, SubmitResult::Rejected { status: 0xFE, reason: Some(3) });
    peer.send(0x8000_0004, 0, 2, &[b"4001\0".to_vec(), tlv(0x0428, &[95])].concat()).await;
    assert!(matches!(bench.outbox_event().await, LineEvent::Response { .. }));
    assert!(matches!(bench.outbox_event().await, LineEvent::Congestion { level: 95, .. }));
    // The same again, and one to nothing: neither says anything.
    for sequence in [2, 99] {
        peer.send(0x8000_0004, 0, sequence, &[b"4001\0".to_vec(), tlv(0x0428, &[99])].concat()).await;
    }
    peer.is_answered(9).await;
    assert!(bench.outbox.try_recv().is_err());
    for (trap, times) in
        [("responses_out_of_order", 1), ("response_twice", 1), ("response_unknown", 1), ("congestion_state", 1)]
    {
        assert_eq!(bench.board.counted(trap), times, "{trap}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_dropped_when_full_is_said() {
    let quick = Line { window: 2, reconnect_min: Duration::from_millis(50), ..settings("unused:1") };
    let (mut bench, mut peer) = Bench::bound(quick).await;
    for drops in 1..=3 {
        bench.submit(vec![submit(7, 0), submit(7, 1)]).await;
        assert_eq!((peer.next().await, peer.next().await), ((4, 0, 2), (4, 0, 3)));
        drop(peer);
        assert!(matches!(bench.outbox_event().await, LineEvent::Down { in_doubt, .. } if in_doubt.len() == 2));
        assert_eq!(bench.board.line_alarmed(&bench.label, "window_overrun_drop"), drops == 3);
        peer = bench.connect().await;
        peer.accept_bind().await;
        assert!(matches!(bench.outbox_event().await, LineEvent::Up { .. }));
    }
    assert_eq!(bench.board.counted("eof_with_submits_open"), 3);
    assert_eq!(bench.board.counted("window_overrun_drop"), 3);
    bench.clock.advance(23 * 3_600 * 1_000_000);
    bench.submit(vec![submit(7, 0), submit(7, 1)]).await;
    assert_eq!((peer.next().await, peer.next().await), ((4, 0, 2), (4, 0, 3)));
    drop(peer);
    assert!(matches!(bench.outbox_event().await, LineEvent::Down { .. }));
    bench.clock.advance(23 * 3_600 * 1_000_000);
    assert!(bench.board.alarmed("window_overrun_drop"), "it goes on");
    bench.clock.advance(3_600 * 1_000_000);
    assert!(!bench.board.alarmed("window_overrun_drop"), "none for a day");
}
