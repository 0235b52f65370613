//! One number that takes nothing, and is answered without end: so much waits for it, and everybody else goes on.

use super::{Bench, carrier, refused};
use crate::{
    ledger::SettlementResult,
    message::SubmitResult,
    outbox::{Urgency, crowd::CROWD},
};

#[tokio::test]
async fn what_a_full_number_cannot_hold_ends_at_once_as_refused() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let first = bench.reply_to(7, "x", Urgency::Reply);
    bench.left();
    bench.answer(first, 0, refused(0x14));
    // Long ones too, which count as one each.
    let text = "x".repeat(300);
    let more: Vec<i64> = (0..100).map(|_| bench.reply_to(7, &text, Urgency::Reply)).collect();
    let other = bench.reply_to(8, "x", Urgency::Reply);
    assert_eq!(bench.left(), [(other, 0)]);
    bench.take(other);
    let settled: Vec<_> = bench.settled().into_iter().filter(|row| row.exchange.0 != other).collect();
    assert_eq!(settled.iter().map(|row| row.exchange.0).collect::<Vec<_>>(), more[CROWD - 1..], "the newest");
    for row in &settled {
        assert_eq!((row.result, row.status, row.accepted), (SettlementResult::Rejected, Some(0x14), 0));
        assert_eq!((row.planned, row.submitted_at), (2, None));
    }
    assert_eq!((bench.outbox.live.len(), bench.counted("number_crowded")), (CROWD, settled.len() as u64));
    // Nothing of what waits is lost.
    bench.wait(60_100);
    let mut left = Vec::new();
    loop {
        let now = bench.left();
        if now.is_empty() {
            break;
        }
        for (key, segment) in now {
            bench.answer(key, segment, super::taken("m"));
            left.push(key);
        }
    }
    left.dedup();
    assert_eq!(left, [&[first][..], &more[..CROWD - 1]].concat());
    assert!(bench.settled().iter().all(|row| row.result == SettlementResult::Accepted));
}

#[tokio::test]
async fn a_number_whose_form_is_refused_keeps_no_more_waiting_than_another() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 100)).await;
    let keys: Vec<i64> = (0..2 * CROWD as i64).map(|_| bench.reply_to(7, "x", Urgency::Reply)).collect();
    bench.left();
    for key in &keys {
        bench.answer(*key, 0, refused(0x50));
    }
    let settled = bench.settled();
    assert_eq!(settled.iter().map(|row| row.exchange.0).collect::<Vec<_>>(), keys[CROWD..]);
    assert!(settled.iter().all(|row| (row.result, row.status) == (SettlementResult::Rejected, Some(0x50))));
}

#[tokio::test]
async fn so_much_waits_for_a_number_whose_phone_cannot_be_reached_and_what_ends_makes_room() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 100)).await;
    let keys: Vec<i64> = (0..2 * CROWD as i64).map(|_| bench.reply_to(7, "x", Urgency::Reply)).collect();
    assert_eq!(bench.left().len(), keys.len());
    let not_now = || SubmitResult::Rejected { status: 0xFE, reason: Some(3) };
    for key in &keys {
        bench.answer(*key, 0, not_now());
    }
    let settled = bench.settled();
    assert_eq!(settled.iter().map(|row| row.exchange.0).collect::<Vec<_>>(), keys[CROWD..]);
    assert!(settled.iter().all(|row| (row.result, row.status) == (SettlementResult::Rejected, Some(0xFE))));
    // Others are not of this crowd, nor is what is refused for the carrier's own sake.
    let (other, busy) = (bench.reply_to(8, "x", Urgency::Reply), bench.reply_to(7, "x", Urgency::Reply));
    bench.left();
    bench.answer(other, 0, not_now());
    bench.answer(busy, 0, refused(0x08));
    assert!(bench.settled().is_empty());
    bench.wait(60_100);
    assert_eq!(bench.left().len(), CROWD + 2);
    bench.answer(keys[0], 0, refused(0x66));
    bench.answer(busy, 0, not_now());
    assert_eq!(bench.settled().len(), 1, "its place was free for the other");
    for key in &keys[1..CROWD] {
        bench.take(*key);
    }
    bench.take(other);
    bench.wait(600);
    bench.left();
    bench.wait(59_600);
    assert_eq!(bench.left(), [(busy, 0)]);
    bench.take(busy);
    bench.wait(600);
    bench.left();
    assert!(bench.outbox.crowds.is_empty() && bench.outbox.live.is_empty(), "nothing is remembered for ever");
}
