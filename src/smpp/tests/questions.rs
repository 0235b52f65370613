//! Messages of the SMSC: how they are handed up and when they are answered.

use std::time::Duration;

use tokio::time::Instant;

use super::{Body, pdu, peer::Bench, settings, tlv};
use crate::{
    config::{Line, TemporaryStatus},
    message::{Answer, AnswerStatus, ConcatKind, LineCommand, LineEvent, Ticket},
};

const DELIVER_RESP: u32 = 0x8000_0005;

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_only_when_the_service_says_how() {
    let (mut bench, mut peer) = Bench::usual().await;
    for (sequence, status, expected) in [
        (7, AnswerStatus::Stored, 0x00),
        (0, AnswerStatus::Temporary, 0x58),
        (u32::MAX, AnswerStatus::NotOurs, 0x0B),
        (7, AnswerStatus::BadHeader, 0x43),
    ] {
        peer.send(5, 0, sequence, &Body::default().octets()).await;
        let part = bench.question().await;
        assert_eq!((part.sequence, part.session, part.data_coding, part.udhi), (sequence, 1, 0, false));
        assert_eq!((part.source.octets.as_slice(), part.source.ton), (b"84520000007".as_slice(), 1));
        assert_eq!((part.destination.octets.as_slice(), part.destination.ton), (b"997".as_slice(), 3));
        assert_eq!(part.octets.0, b"TTCD 901098012345");
        // The enquire_link behind it is answered first: nothing has been said about the question yet.
        peer.is_answered(1_000).await;
        bench.answer(&part, status).await;
        let frame = peer.next_or_end().await.unwrap();
        assert_eq!((frame.command_id, frame.command_status, frame.sequence_number), (DELIVER_RESP, expected, sequence));
        assert_eq!(frame.body(), [0], "17 octets, whatever the status");
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_nobody_answers_gets_the_temporary_error_at_its_deadline() {
    for (status, expected) in [
        (TemporaryStatus::Throttled, 0x58),
        (TemporaryStatus::QueueFull, 0x14),
        (TemporaryStatus::SystemError, 0x08),
        (TemporaryStatus::TemporaryApp, 0x64),
    ] {
        let (mut bench, mut peer) = Bench::bound(Line { temporary_status: status, ..settings("unused:1") }).await;
        peer.send(5, 0, 7, &Body::default().octets()).await;
        let part = bench.question().await;
        let asked = Instant::now();
        assert_eq!(peer.next().await, (DELIVER_RESP, expected, 7));
        let waited = asked.elapsed();
        assert!((1_490..1_520).contains(&waited.as_millis()), "{waited:?}");
        assert!(!part.ticket.claim(), "the store must not keep it");
        // An answer that comes all the same is dropped.
        let late = Answer { session: 1, sequence: 7, status: AnswerStatus::Stored };
        bench.tell(LineCommand::Answers(vec![late])).await;
        peer.is_answered(8).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_window_is_handed_up_undecided() {
    let (mut bench, mut peer) = Bench::bound(Line { inbound_window: 3, ..settings("unused:1") }).await;
    let burst: Vec<u8> = (1..=8).flat_map(|n| pdu(5, 0, n, &Body::default().octets())).collect();
    peer.write(&burst).await;
    let mut parts = Vec::new();
    for _ in 0..3 {
        parts.push(bench.question().await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(bench.desk.try_recv().is_err(), "the fourth waits");
    bench.answer(&parts[1], AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 2));
    assert_eq!(bench.question().await.sequence, 4);
    // By the deadlines the two others make room.
    assert_eq!((peer.next().await, peer.next().await), ((DELIVER_RESP, 0x58, 1), (DELIVER_RESP, 0x58, 3)));
    assert_eq!((bench.question().await.sequence, bench.question().await.sequence), (5, 6));
}

#[tokio::test(start_paused = true)]
async fn pdus_are_read_however_the_octets_arrive() {
    let (mut bench, mut peer) = Bench::usual().await;
    for octet in pdu(5, 0, 1, &Body::default().octets()) {
        peer.write(&[octet]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.question().await.sequence, 1);
    let burst: Vec<u8> = (2..=51).flat_map(|n| pdu(5, 0, n, &Body::default().octets())).collect();
    peer.write(&burst).await;
    let batch = bench.desk.recv().await.unwrap();
    assert_eq!(batch.len(), 50, "one read, one batch");
    let mut answers = Vec::new();
    for event in &batch {
        let LineEvent::Question(part) = event else { panic!("no question: {event:?}") };
        assert!(part.ticket.answer());
        answers.push(Answer { session: 1, sequence: part.sequence, status: AnswerStatus::Stored });
    }
    bench.tell(LineCommand::Answers(answers)).await;
    for sequence in 2..=51 {
        assert_eq!(peer.next().await, (DELIVER_RESP, 0, sequence));
    }
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_takes_nothing_stops_neither_keepalive_nor_answers() {
    let mut bench = Bench::start(settings("unused:1"), 1);
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    peer.is_answered(1).await;
    // The Up event fills the desk's only place.
    peer.send(5, 0, 1, &Body::default().octets()).await;
    peer.is_answered(2).await;
    let asked = Instant::now();
    assert_eq!(peer.next().await, (DELIVER_RESP, 0x58, 1), "given up at its deadline");
    assert!(asked.elapsed() < Duration::from_secs(2));
    peer.send(5, 0, 3, &Body::default().octets()).await;
    peer.is_answered(4).await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    let part = bench.question().await;
    assert_eq!(part.sequence, 3, "what was given up before the desk took it never reaches it");
    bench.answer(&part, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn after_quiesce_new_messages_go_back_and_old_ones_are_still_answered() {
    let (mut bench, mut peer) = Bench::usual().await;
    peer.send(5, 0, 1, &Body::default().octets()).await;
    let part = bench.question().await;
    bench.quiesce.cancel();
    peer.send(5, 0, 2, &Body::default().octets()).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0x58, 2));
    bench.answer(&part, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 1));
    peer.is_answered(3).await;
    assert!(bench.desk.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_data_sm_is_a_question_with_an_answer_of_its_own() {
    let (mut bench, mut peer) = Bench::usual().await;
    let mut body = b"\0\x01\x0184520000007\0\x03\x00997\0\0\0\x08".to_vec();
    body.extend(tlv(0x0424, &[0, 0x54]));
    peer.send(0x103, 0, 9, &body).await;
    let part = bench.question().await;
    assert_eq!((part.octets.0.as_slice(), part.data_coding), ([0, 0x54].as_slice(), 8));
    bench.answer(&part, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (0x8000_0103, 0, 9));
}

#[tokio::test(start_paused = true)]
async fn a_part_carries_its_header_flag_and_its_place() {
    let (mut bench, mut peer) = Bench::usual().await;
    let tail = [tlv(0x020C, &[1, 2]), tlv(0x020E, &[3]), tlv(0x020F, &[2])].concat();
    peer.send(5, 0, 1, &Body { esm_class: 0x40, text: b"\0TTCD".to_vec(), tail, ..Body::default() }.octets()).await;
    let part = bench.question().await;
    let sar = part.sar.unwrap();
    assert!(part.udhi);
    assert_eq!((sar.kind, sar.reference, sar.total, sar.index), (ConcatKind::Sar, 0x0102, 3, 2));
    for absurd in [[0, 1], [3, 0], [3, 4], [1, 1]] {
        let tail = [tlv(0x020C, &[1, 2]), tlv(0x020E, &absurd[..1]), tlv(0x020F, &absurd[1..])].concat();
        peer.send(5, 0, 1, &Body { tail, ..Body::default() }.octets()).await;
        assert_eq!(bench.question().await.sar, None, "{absurd:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_answered_like_a_question() {
    let (mut bench, mut peer) = Bench::usual().await;
    let text =
        b"id:4001 sub:001 dlvrd:001 submit date:2610031010 done date:2610031011 stat:DELIVRD err:000 text:".to_vec();
    peer.send(5, 0, 5, &Body { esm_class: 4, text, ..Body::default() }.octets()).await;
    let event = bench.desk_event().await;
    let LineEvent::Receipt { session: 1, sequence: 5, ticket, receipt, .. } = event else { panic!("{event:?}") };
    assert_eq!((receipt.message_id.as_str(), receipt.error.as_str()), ("4001", "000"));
    peer.is_answered(6).await;
    assert!(Ticket::answer(&ticket));
    let answer = Answer { session: 1, sequence: 5, status: AnswerStatus::Stored };
    bench.tell(LineCommand::Answers(vec![answer])).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0, 5));
}
