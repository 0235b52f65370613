//! What a line tells of itself when it cannot be bound, or is bound and hears nothing.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Body,
    peer::{Bench, Peer},
    settings, submit,
};
use crate::{
    board::LineState,
    clock::Micros,
    config::Line,
    message::{LineEvent, Submit, SubmitResult},
};

const ENQUIRE_LINK: u32 = 0x15;
const DELIVER_RESP: u32 = 0x8000_0005;

/// The next PDU of this kind; enquiries before it are answered, and answers to our messages passed over.
async fn next_of(peer: &mut Peer, wanted: u32) -> u32 {
    let coming = async {
        loop {
            match peer.next().await {
                (id, _, sequence) if id == wanted => return sequence,
                (ENQUIRE_LINK, _, sequence) => peer.send(0x8000_0000 | ENQUIRE_LINK, 0, sequence, b"").await,
                (DELIVER_RESP, ..) => {}
                other => panic!("not {wanted:#x}: {other:?}"),
            }
        }
    };
    timeout(Duration::from_hours(1), coming).await.unwrap_or_else(|_| panic!("{wanted:#x} does not come"))
}

/// Nothing but enquiries for so many seconds.
async fn quiet_for(peer: &mut Peer, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    let nothing = timeout_at(until, next_of(peer, u32::MAX)).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mute_receiver_raises_the_alarm_and_is_bound_anew_once() {
    let settings = Line {
        mute_after: Some(Duration::from_secs(60)),
        rebind_when_mute: true,
        reconnect_min: Duration::from_secs(1),
        enquire_after: Duration::from_secs(3_600),
        submit_timeout: Duration::from_secs(600),
        ..settings("unused:1")
    };
    let (mut bench, mut peer) = Bench::bound(settings).await;
    let began = Instant::now();
    bench.submit(vec![submit(7, 0)]).await;
    assert_eq!(peer.next().await, (4, 0, 2));
    // The reply that is under way holds the unbind up for a while, and none leaves any more.
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(bench.board.alarmed("receiver_half_dead"));
    bench.submit(vec![submit(8, 0)]).await;
    peer.is_answered(8).await;
    peer.send(0x8000_0004, 0, 2, b"4001\0").await;
    assert_eq!(peer.next().await, (6, 0, 3));
    assert_eq!(began.elapsed().as_secs(), 61);
    peer.send(0x8000_0006, 0, 3, b"").await;
    peer.closes().await;
    assert_eq!(began.elapsed().as_secs(), 61);
    let events = [bench.outbox_event().await, bench.outbox_event().await, bench.outbox_event().await];
    let [LineEvent::Response { result: unsent, .. }, LineEvent::Response { result: taken, .. }, down] = &events else {
        panic!("{events:?}")
    };
    assert_eq!((unsent, taken), (&SubmitResult::Unsent, &SubmitResult::Accepted { message_id: "4001".to_owned() }));
    assert!(matches!(down, LineEvent::Down { in_doubt, .. } if in_doubt.is_empty()), "nothing is in doubt");
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    peer.is_answered(9).await;
    assert!(bench.board.alarmed("receiver_half_dead"), "it does not help, and is not done again");
    assert_eq!(bench.board.counted("receiver_half_dead"), 2);
    peer.send(5, 0, 10, &Body::default().octets()).await;
    assert_eq!(peer.next().await, (DELIVER_RESP, 0x58, 10));
    assert!(!bench.board.alarmed("receiver_half_dead"));
}

#[tokio::test(start_paused = true)]
async fn receipts_that_stay_away_raise_the_alarm_and_the_line_is_bound_anew_once() {
    let settings = Line {
        unreceipted_after: Some(Duration::from_secs(600)),
        rebind_when_mute: true,
        reconnect_min: Duration::from_secs(1),
        ..settings("unused:1")
    };
    let (mut bench, mut peer) = Bench::bound(settings).await;
    let wanted = |exchange| Submit { receipt: true, ..submit(exchange, 0) };
    // Refused, taken without a receipt wanted, and taken with its receipt: nothing is owed.
    for (sequence, submit, status) in [(2, wanted(1), 0x45), (3, submit(2, 0), 0), (4, wanted(3), 0)] {
        bench.submit(vec![submit]).await;
        assert_eq!(peer.next().await, (4, 0, sequence));
        peer.send(0x8000_0004, status, sequence, b"4001\0").await;
        assert!(matches!(bench.outbox_event().await, LineEvent::Response { .. }));
    }
    let receipt = Body { esm_class: 4, text: b"id:4001 stat:DELIVRD".to_vec(), ..Body::default() }.octets();
    peer.send(5, 0, 1, &receipt).await;
    assert!(matches!(bench.desk_event().await, LineEvent::Receipt { .. }));
    quiet_for(&mut peer, 2_000).await;
    assert!(!bench.board.alarmed("receipts_missing"));
    // A reply is taken, and no receipt comes.
    bench.submit(vec![wanted(4)]).await;
    let sequence = next_of(&mut peer, 4).await;
    peer.send(0x8000_0004, 0, sequence, b"4002\0").await;
    let taken = Instant::now();
    quiet_for(&mut peer, 590).await;
    assert!(!bench.board.alarmed("receipts_missing"));
    let sequence = next_of(&mut peer, 6).await;
    assert_eq!(taken.elapsed().as_secs(), 600);
    assert!(bench.board.alarmed("receipts_missing"));
    peer.send(0x8000_0006, 0, sequence, b"").await;
    peer.closes().await;
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    quiet_for(&mut peer, 2_000).await;
    assert!(bench.board.alarmed("receipts_missing"), "it does not help, and is not done again");
    peer.send(5, 0, 1, &receipt).await;
    peer.is_answered(99).await;
    assert!(!bench.board.alarmed("receipts_missing"));
    assert_eq!(bench.board.counted("receiver_half_dead"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_people_must_mend_is_an_alarm_until_the_line_is_bound() {
    for (status, name, refusals) in
        [(0x0E, "credentials_refused", 1), (0x5A, "credentials_refused", 1), (0x05, "already_bound", 8)]
    {
        let mut bench = Bench::start(settings("unused:1"), 8);
        let began = Instant::now();
        for refusal in 1..=refusals {
            let mut peer = bench.connect().await;
            peer.next().await;
            peer.send(0x8000_0009, status, 1, b"").await;
            peer.closes().await;
            if refusal < refusals && began.elapsed() < Duration::from_mins(9) {
                assert!(!bench.board.alarmed(name), "{status:#x} after {:?}", began.elapsed());
            }
        }
        // The line waits for the next connection: what the refusal meant is on the board.
        let mut peer = bench.connect().await;
        assert_eq!(peer.next().await, (9, 0, 1));
        assert!(bench.board.alarmed(name), "{status:#x} after {:?}", began.elapsed());
        peer.send(0x8000_0009, 0, 1, b"SMSC\0").await;
        assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
        assert!(!bench.board.alarmed(name));
        assert!(matches!(bench.board.state(&bench.label), Some(LineState::Bound { .. })));
    }
    let mut bench = Bench::start(settings("unused:1"), 8);
    let mut web = bench.connect().await;
    assert_eq!(web.next().await, (9, 0, 1));
    web.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    web.closes().await;
    assert_eq!(bench.connect().await.next().await, (9, 0, 1));
    assert!(bench.board.alarmed("not_smpp_at_all"));
}

#[tokio::test(start_paused = true)]
async fn a_session_too_many_beside_a_bound_line_is_tried_once_a_minute_and_wrong_credentials_ever_more_slowly() {
    let mut bench = Bench::start(settings("unused:1"), 8);
    bench.board.line(&bench.other, LineState::Bound { since: Micros(0), version: None });
    // (status, another line is bound, the alarm, the wait), refusal by refusal.
    let refusals = [
        (0x0D, true, Some("session_limit"), 60),
        (0x05, true, None, 60),
        (0x0D, true, Some("session_limit"), 60),
        (0x0E, true, Some("credentials_refused"), 60),
        (0x0E, true, Some("credentials_refused"), 120),
        (0x0D, false, Some("credentials_refused"), 240),
        (0x0D, true, Some("session_limit"), 60),
    ];
    let mut peer = bench.connect().await;
    assert_eq!(peer.next().await, (9, 0, 1));
    for (status, other_is_bound, alarm, seconds) in refusals {
        let state = if other_is_bound {
            LineState::Bound { since: Micros(0), version: None }
        } else {
            LineState::Down { since: Micros(0), why: "closed".to_owned() }
        };
        bench.board.line(&bench.other, state);
        peer.send(0x8000_0009, status, 1, b"").await;
        peer.closes().await;
        let refused = Instant::now();
        peer = bench.connect().await;
        assert_eq!(peer.next().await, (9, 0, 1));
        let waited = refused.elapsed().as_secs_f64() / f64::from(seconds);
        assert!((0.75..1.25).contains(&waited), "{status:#x}: {waited} of {seconds} s");
        for name in ["session_limit", "credentials_refused", "already_bound"] {
            let wanted = alarm.is_none_or(|alarm| alarm == name);
            assert!(wanted || !bench.board.alarmed(name), "{status:#x}: {name}");
        }
        assert!(alarm.is_none_or(|alarm| bench.board.alarmed(alarm)), "{status:#x}: {alarm:?}");
    }
    peer.send(0x8000_0009, 0, 1, b"SMSC\0").await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    assert!(!bench.board.alarmed("session_limit"));
    assert_eq!((bench.board.counted("session_limit"), bench.board.counted("credentials_refused")), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_of_one_line_is_not_ended_by_another() {
    let mut bench = Bench::start(settings("unused:1"), 8);
    bench.board.line_alarm(&bench.other, "credentials_refused", "the other is refused");
    let mut peer = bench.connect().await;
    peer.next().await;
    peer.send(0x8000_0009, 0x0E, 1, b"").await;
    peer.closes().await;
    bench.connect().await.accept_bind().await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    assert!(bench.board.alarmed("credentials_refused"));
    bench.board.clear_line(&bench.other, "credentials_refused");
    assert!(!bench.board.alarmed("credentials_refused"));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_not_bound_for_long_raises_the_alarm_whatever_keeps_it_until_the_next_bind() {
    let quick = Line { reconnect_max: Duration::from_secs(10), ..settings("unused:1") };
    let mut bench = Bench::start(quick, 8);
    // Nothing answers the connection.
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert!(!bench.board.alarmed("line_down"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(bench.board.alarmed("line_down"));
    let mut peer = bench.connect().await;
    peer.accept_bind().await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    assert!(!bench.board.alarmed("line_down"));
    bench.clock.advance(1_000_000);
    drop(peer);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
    // The SMSC is busy, and says so for ever.
    let lost = Instant::now();
    bench.clock.advance(1_000_000);
    while lost.elapsed() < Duration::from_secs(285) {
        assert!(!bench.board.alarmed("line_down"), "after {:?}", lost.elapsed());
        let mut peer = bench.connect().await;
        peer.next().await;
        peer.send(0x8000_0009, 0x58, 1, b"").await;
        peer.closes().await;
    }
    // The last refusal may be a moment before its time: it comes while the line waits.
    tokio::time::sleep_until(lost + Duration::from_secs(301)).await;
    assert!(bench.board.alarmed("line_down"));
    let state = bench.board.state(&bench.label);
    assert!(matches!(state, Some(LineState::Down { since: Micros(2_000_000), .. })), "{state:?}");
}
