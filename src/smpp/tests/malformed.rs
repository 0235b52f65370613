//! PDUs that are not as they should be: each is answered by its rule, and the stream stays in step.

use tokio::time::Instant;

use super::{Body, pdu, peer::Bench, settings, tlv};
use crate::message::{Answer, AnswerStatus, LineCommand, LineEvent};

const DELIVER_RESP: u32 = 0x8000_0005;

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_gets_its_status_and_the_next_pdu_is_unharmed() {
    let (mut bench, mut peer) = Bench::usual().await;
    let cut = Body::default().octets();
    for (label, body, expected) in [
        ("sm_length past the end", Body { sm_length: Some(200), ..Body::default() }.octets(), 0x01),
        ("cut in source_addr", cut[..8].to_vec(), 0x02),
        ("cut before sm_length", cut[..30].to_vec(), 0x02),
        ("no body at all", Vec::new(), 0x02),
        ("source of 25", Body { source: b"1234567890123456789012345", ..Body::default() }.octets(), 0x0A),
        ("destination of 25", Body { destination: b"1234567890123456789012345", ..Body::default() }.octets(), 0x0B),
        ("a header past the end", Body { esm_class: 0x40, text: vec![0xFF, 0, 3], ..Body::default() }.octets(), 0x43),
        ("a header and no text", Body { esm_class: 0x40, text: Vec::new(), ..Body::default() }.octets(), 0x43),
        ("marked as receipt, a question", Body { esm_class: 4, ..Body::default() }.octets(), 0x00),
    ] {
        // In one write with what follows.
        let frame = pdu(5, 5, 7, &body);
        peer.write(&[frame.clone(), pdu(0x15, 0, 8, b"")].concat()).await;
        let event = bench.desk_event().await;
        let LineEvent::Odd(odd) = event else { panic!("{label}: {event:?}") };
        assert_eq!((odd.status, odd.sequence, odd.session, odd.frame.0), (expected, 7, 1, frame), "{label}");
        assert_eq!(peer.next().await, (0x8000_0015, 0, 8), "{label}: not answered before it is put aside");
        assert!(odd.ticket.answer());
        let answer = Answer { session: 1, sequence: 7, status: AnswerStatus::Final(odd.status) };
        bench.tell(LineCommand::Answers(vec![answer])).await;
        assert_eq!(peer.next().await, (DELIVER_RESP, expected, 7), "{label}");
    }
    assert!(bench.board.alarmed("flagged_but_a_question"));
    for ussd in [Body { tail: tlv(0x0501, &[1]), ..Body::default() }, Body { service_type: b"USSD", ..Body::default() }]
    {
        peer.write(&[pdu(5, 0, 7, &ussd.octets()), pdu(0x15, 0, 8, b"")].concat()).await;
        assert_eq!((peer.next().await, peer.next().await), ((DELIVER_RESP, 0x66, 7), (0x8000_0015, 0, 8)));
    }
    assert!(bench.desk.try_recv().is_err());
    peer.send(5, 0, 9, &Body::default().octets()).await;
    assert_eq!(bench.question().await.sequence, 9);
}

#[tokio::test(start_paused = true)]
async fn what_can_be_mended_is_taken_as_a_question() {
    let (mut bench, mut peer) = Bench::usual().await;
    let usual = Body::default().text;
    let with_tail = |tail: Vec<u8>| Body { tail, ..Body::default() };
    for (label, body, text) in [
        ("a NUL behind the text", with_tail(vec![0]), usual.clone()),
        ("three stray octets", with_tail(vec![1, 2, 3]), usual.clone()),
        ("four NULs", with_tail(vec![0; 4]), usual.clone()),
        ("a parameter past the end", with_tail(vec![0x14, 1, 0, 10, 1, 2, 3]), usual.clone()),
        ("a parameter of wrong length", with_tail([tlv(0x0427, &[2, 2]), tlv(0x0424, b"p")].concat()), b"p".to_vec()),
        ("a NUL, then a parameter", with_tail([vec![0], tlv(0x0424, b"p")].concat()), b"p".to_vec()),
        (
            "vendor parameters",
            with_tail([tlv(0x3177, b"x"), tlv(0x2001, b""), tlv(0x1400, b"y")].concat()),
            usual.clone(),
        ),
        ("payload beside the text", with_tail(tlv(0x0424, b"p")), b"p".to_vec()),
        ("an empty payload", with_tail(tlv(0x0424, b"")), usual.clone()),
        ("two payloads", with_tail([tlv(0x0424, b"p"), tlv(0x0424, b"q")].concat()), b"p".to_vec()),
        ("a time of 10 characters", Body { validity: b"0000010000", ..Body::default() }, usual.clone()),
        ("a service_type of 6", Body { service_type: b"QUERY6", ..Body::default() }, usual.clone()),
        ("a sender in Latin-1", Body { source: b"V\xe9\x78", ..Body::default() }, usual.clone()),
        ("255 octets", Body { text: vec![b'a'; 255], ..Body::default() }, vec![b'a'; 255]),
        ("no text", Body { text: Vec::new(), ..Body::default() }, Vec::new()),
        ("a text with a NUL", Body { text: b"A\0B".to_vec(), ..Body::default() }, b"A\0B".to_vec()),
        ("an id without a state", with_tail(tlv(0x001E, b"4001\0")), usual.clone()),
        (
            "a receipt typed by a citizen",
            Body { text: b"id:1 stat:DELIVRD".to_vec(), ..Body::default() },
            b"id:1 stat:DELIVRD".to_vec(),
        ),
    ] {
        peer.send(5, 0, 7, &body.octets()).await;
        let part = bench.question().await;
        assert_eq!(part.octets.0, text, "{label}");
        assert_eq!(part.source.octets, body.source, "{label}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_pdus_are_answered_by_their_rule_and_bodies_that_should_not_be_are_ignored() {
    let (_bench, mut peer) = Bench::usual().await;
    for (label, id, expected) in [
        ("unknown", 0x77, Some((0x8000_0000, 3, 40))),
        ("a vendor's", 0x0001_0200, Some((0x8000_0000, 3, 40))),
        ("Huawei's", 0x0100_0001, Some((0x8000_0000, 3, 40))),
        ("a broadcast", 0x111, Some((0x8000_0000, 3, 40))),
        ("an unknown response", 0x8000_00AA, None),
        ("outbind", 0x0B, None),
        ("alert_notification", 0x102, None),
        ("a second bind response", 0x8000_0009, None),
        ("an unbind response nobody asked for", 0x8000_0006, None),
        ("enquire_link with a body", 0x15, Some((0x8000_0015, 0, 40))),
    ] {
        peer.send(id, 0, 40, b"\0\0").await;
        if let Some(expected) = expected {
            assert_eq!(peer.next().await, expected, "{label}");
        }
        peer.is_answered(41).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_impossible_length_is_nacked_and_closes() {
    for length in [0_u32, 4, 15, 70_001, u32::MAX] {
        let (mut bench, mut peer) = Bench::usual().await;
        let mut octets = pdu(5, 0, 7, b"");
        octets[..4].copy_from_slice(&length.to_be_bytes());
        peer.write(&octets).await;
        assert_eq!(peer.next().await, (0x8000_0000, 2, 0), "{length}");
        assert!(peer.next_or_end().await.is_none());
        assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_pdu_closes_after_thirty_seconds_however_it_dribbles() {
    let (_bench, mut peer) = Bench::usual().await;
    let octets = pdu(5, 0, 7, &Body::default().octets());
    peer.is_answered(1).await;
    let began = Instant::now();
    peer.write(&octets[..20]).await;
    let dribbling = async {
        for octet in &octets[20..40] {
            tokio::time::sleep(std::time::Duration::from_secs(7)).await;
            peer.write(&[*octet]).await;
        }
    };
    _ = tokio::time::timeout(std::time::Duration::from_secs(29), dribbling).await;
    peer.closes().await;
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_no_smsc_is_left_alone_for_a_minute() {
    for octets in [b"\r\n".as_slice(), b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut bench = Bench::start(settings("unused:1"), 8);
        let mut peer = bench.connect().await;
        peer.next().await;
        peer.write(octets).await;
        if octets.len() > 4 {
            assert!(peer.next_or_end().await.is_none(), "closed without an answer");
        }
        drop(peer);
        let left = Instant::now();
        bench.connect().await.accept_bind().await;
        assert!((45..75).contains(&left.elapsed().as_secs()), "{:?}", left.elapsed());
    }
}
