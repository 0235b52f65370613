//! When replies leave: windows, pace, whole texts, who goes first.

use std::sync::Arc;

use super::{Bench, carrier, refused, taken};
use crate::{
    board::Limit,
    clock::Micros,
    ledger::{FLAG_POSSIBLE_DUP, SettlementResult},
    message::{Lease, LineEvent, SubmitResult},
    outbox::{RING, Urgency},
};

/// A text of so many segments.
fn text(segments: usize) -> String {
    "x".repeat(153 * segments)
}

#[tokio::test]
async fn a_text_leaves_whole_or_not_at_all() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 4)).await;
    let (a, b, c) = (bench.reply(&text(3)), bench.reply(&text(2)), bench.reply("x"));
    assert_eq!(bench.left(), [(a, 0), (a, 1), (a, 2)], "there is one place left, and the next text needs two");
    assert!(bench.left().is_empty());
    bench.answer(a, 0, taken("m"));
    assert_eq!(bench.left(), [(b, 0), (b, 1)]);
    bench.answer(a, 1, taken("m"));
    assert_eq!(bench.left(), [(c, 0)]);
}

#[tokio::test]
async fn a_text_longer_than_the_window_waits_for_all_of_it_and_goes_on_answer_by_answer() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 2)).await;
    let (a, b) = (bench.reply("x"), bench.reply(&text(3)));
    assert_eq!(bench.left(), [(a, 0)]);
    bench.take(a);
    assert_eq!(bench.left(), [(b, 0), (b, 1)]);
    bench.answer(b, 0, taken("m"));
    assert_eq!(bench.left(), [(b, 2)]);
}

#[tokio::test]
async fn each_text_takes_one_line_and_the_lines_share_the_pace() {
    let both = |carrier: &mut crate::config::Carrier| {
        (carrier.lines, carrier.line.window, carrier.flow.rate) = (2, 10, Some(10));
    };
    let mut bench = Bench::new(carrier(both)).await;
    let (a, b) = (bench.reply(&text(3)), bench.reply(&text(3)));
    let first = bench.sent(0);
    assert!(first.len() == 3 && first.iter().all(|submit| submit.id.exchange.0 == a));
    bench.wait(290);
    assert!(bench.sent(1).is_empty(), "three left, and ten a second may");
    bench.wait(20);
    let second = bench.sent(1);
    assert!(second.len() == 3 && second.iter().all(|submit| submit.id.exchange.0 == b));
    assert_ne!(first[0].segment.octets[3], second[0].segment.octets[3]);
}

#[tokio::test]
async fn notices_beyond_number_leave_room_for_replies() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 1)).await;
    let first = bench.reply_to(1, "x", Urgency::Notice);
    for _ in 0..RING {
        bench.reply_to(2, "x", Urgency::Notice);
    }
    assert_eq!(bench.left().len(), 1);
    assert!(bench.outbox.held() < RING / 2, "{}", bench.outbox.held());
    let settled = bench.settled();
    assert!(settled.iter().all(|row| row.result == SettlementResult::Expired && row.accepted == 0));
    assert_eq!((settled[0].exchange.0, settled.len() + bench.outbox.held() + 1), (first, RING + 1), "the oldest go");
    let reply = bench.reply("x");
    let sent = bench.outbox.open.keys().next().unwrap().exchange.0;
    bench.take(sent);
    assert_eq!(bench.left(), [(reply, 0)]);
}

#[tokio::test]
async fn replies_leave_before_notices() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 1)).await;
    let notice = bench.reply_to(1, "x", Urgency::Notice);
    let other = bench.reply_to(2, "x", Urgency::Notice);
    assert_eq!(bench.left(), [(notice, 0)]);
    assert!(bench.left().is_empty());
    let reply = bench.reply("x");
    bench.take(notice);
    assert_eq!(bench.left(), [(reply, 0)]);
    bench.take(reply);
    assert_eq!(bench.left(), [(other, 0)]);
}

#[tokio::test]
async fn a_throttling_carrier_is_left_alone_for_a_second_and_then_gets_the_same_reply_first() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let (a, b) = (bench.reply("x"), bench.reply("x"));
    assert_eq!(bench.left(), [(a, 0), (b, 0)]);
    bench.take(a);
    bench.answer(b, 0, refused(0x58));
    let c = bench.reply("x");
    bench.wait(990);
    assert!(bench.left().is_empty());
    bench.wait(20);
    assert_eq!(bench.left(), [(b, 0)], "one at a time, at half the rate");
    bench.take(b);
    assert!(bench.left().is_empty());
    bench.wait(1_000);
    assert_eq!(bench.left(), [(c, 0)]);
    assert_eq!(bench.counted("throttled"), 1);
    let settled = bench.settled();
    let flags: Vec<_> = settled.iter().map(|row| (row.exchange.0, row.flags)).collect();
    assert_eq!(flags, [(a, 0), (b, FLAG_POSSIBLE_DUP)], "some carriers deliver what they throttle");
}

#[tokio::test]
async fn a_segment_throttled_in_mid_text_is_sent_again_before_all_others_with_the_same_reference() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let (a, b) = (bench.reply(&text(3)), bench.reply("x"));
    let first = bench.sent(0);
    bench.answer(a, 0, taken("m1"));
    bench.answer(a, 1, refused(0x58));
    bench.answer(a, 2, taken("m3"));
    bench.take(b);
    bench.reply("x");
    bench.wait(1_010);
    let again = bench.sent(0);
    assert_eq!(again.len(), 1);
    assert!(again[0].id.place() == first[1].id.place() && again[0].segment == first[1].segment);
    assert_eq!(bench.counted("throttled_mid_text"), 1);
}

#[tokio::test]
async fn what_is_throttled_until_its_time_runs_out_is_settled_as_expired() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let a = bench.reply("x");
    for _ in 0..550 {
        assert_eq!(bench.left(), [(a, 0)]);
        bench.answer(a, 0, refused(0x58));
        bench.wait(1_060);
    }
    bench.wait(30_000);
    assert!(bench.left().is_empty());
    let settled = bench.settled();
    assert_eq!((settled[0].result, settled[0].accepted), (SettlementResult::Expired, 0));
    assert_eq!(bench.counted("throttled_for_ever"), 1);
}

#[tokio::test]
async fn a_reply_that_waits_long_for_its_next_try_is_settled_when_its_time_runs_out() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let a = bench.reply("x");
    bench.left();
    bench.answer(a, 0, refused(0x64));
    // Only the clock of the day moves, as in a rehearsal.
    bench.clock.advance(super::TTL);
    bench.wait(600);
    assert!(bench.left().is_empty());
    assert_eq!(bench.settled()[0].result, SettlementResult::Expired);
}

#[tokio::test]
async fn the_board_says_what_holds_replies_back() {
    let mut bench = Bench::new(carrier(|carrier| (carrier.line.window, carrier.flow.rate) = (2, Some(10)))).await;
    let limit = |bench: &mut Bench| {
        bench.wait(100);
        bench.left();
        bench.outbox.board.flow_now()
    };
    assert_eq!(limit(&mut bench).limit, Limit::Nothing);
    for _ in 0..4 {
        bench.reply("x");
    }
    bench.outbox.pump_at(bench.now);
    bench.outbox.shown_at = None;
    bench.outbox.pump_at(bench.now);
    assert_eq!(bench.outbox.board.flow_now().limit, Limit::Pacing { rate: 10.0 });
    let now = limit(&mut bench);
    assert!(matches!(now.limit, Limit::Window { .. }), "{now:?}");
    assert_eq!((now.open, now.window, now.waiting), (2, 2, 2));
    bench.answer(1, 0, refused(0x58));
    let now = limit(&mut bench);
    assert!(matches!(now.limit, Limit::Paused { status: 0x58, .. }), "{now:?}");
    let line = bench.outbox.lines[0].line;
    bench.outbox.event(LineEvent::Down { line, session: 1, at: Micros(1), in_doubt: Vec::new() }, bench.now);
    bench.wait(2_000);
    assert_eq!(limit(&mut bench).limit, Limit::NoLine);
}

#[tokio::test]
async fn a_congested_carrier_pauses() {
    let mut bench = Bench::new(carrier(|carrier| carrier.flow.rate = Some(100))).await;
    let line = bench.outbox.lines[0].line;
    bench.outbox.event(LineEvent::Congestion { line, level: 100 }, bench.now);
    bench.reply("x");
    assert!(bench.left().is_empty());
    bench.wait(1_010);
    assert_eq!(bench.left().len(), 1);
    assert_eq!(bench.counted("congestion_state"), 1);
}

#[tokio::test]
async fn what_comes_late_for_a_first_copy_is_no_word_about_the_second() {
    for late in [refused(0x58), refused(0x66), refused(0x48), refused(0x04), SubmitResult::TimedOut] {
        let mut bench = Bench::new(carrier(|_| {})).await;
        let key = bench.reply("x");
        let first = bench.sent(0)[0].id;
        let line = bench.outbox.lines[0].line;
        bench.answer(key, 0, SubmitResult::TimedOut);
        let second = bench.sent(0)[0].id;
        assert_eq!((second.place(), bench.counted("submit_unanswered")), (first.place(), 1));
        bench.respond(line, first, late.clone());
        assert!(bench.left().is_empty() && bench.settled().is_empty(), "{late:?}");
        assert_eq!(
            (bench.outbox.open.len(), bench.outbox.lines[0].open),
            (1, 1),
            "{late:?}: the second holds its place"
        );
        bench.respond(line, second, taken("m2"));
        let settled = bench.settled();
        assert_eq!((settled[0].result, settled[0].flags), (SettlementResult::Accepted, FLAG_POSSIBLE_DUP), "{late:?}");
        assert_eq!((settled[0].message_ids.as_slice(), bench.outbox.lines[0].open), (&["m2".to_owned()][..], 0));
    }
}

#[tokio::test]
async fn a_first_copy_that_was_taken_counts_however_late_and_the_second_keeps_its_place_until_it_is_answered() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 1)).await;
    let (key, other) = (bench.reply("x"), bench.reply("x"));
    let first = bench.sent(0)[0].id;
    let line = bench.outbox.lines[0].line;
    bench.answer(key, 0, SubmitResult::TimedOut);
    let second = bench.sent(0)[0].id;
    bench.respond(line, first, taken("m1"));
    let settled = bench.settled();
    assert_eq!((settled[0].result, settled[0].flags), (SettlementResult::Accepted, FLAG_POSSIBLE_DUP));
    assert_eq!(settled[0].message_ids, ["m1"]);
    assert!(bench.left().is_empty(), "the window is full");
    bench.respond(line, second, refused(0x66));
    assert_eq!((bench.left(), bench.settled().len()), (vec![(other, 0)], 0));
}

#[tokio::test]
async fn what_never_left_is_no_word_of_the_carriers_and_no_try() {
    let mut bench = Bench::new(carrier(|carrier| carrier.flow.tries = 1)).await;
    bench.reply("x");
    assert_eq!(bench.left().len(), 1);
    for _ in 0..3 {
        bench.answer(1, 0, SubmitResult::Unsent);
        assert!(bench.left().is_empty(), "the word that the line is down may be right behind it");
        bench.wait(110);
        assert_eq!(bench.left().len(), 1);
    }
}

#[tokio::test]
async fn nothing_leaves_once_another_may_have_taken_this_process_for_dead_until_a_commit_succeeds() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let lease = Arc::new(Lease::since(bench.now.into_std()));
    bench.outbox.lease = Arc::clone(&lease);
    bench.wait(4_999);
    let (in_time, paused) = (bench.reply("x"), bench.next);
    assert_eq!(bench.left(), [(in_time, 0)]);
    bench.wait(1);
    bench.reply("x");
    bench.answer(in_time, 0, SubmitResult::TimedOut);
    bench.outbox.shown_at = None;
    assert!(bench.left().is_empty(), "neither what is new nor what goes again");
    assert_eq!(bench.outbox.board.flow_now().limit, Limit::Lease);
    lease.renew(bench.now.into_std());
    assert_eq!(bench.left(), [(in_time, 0), (paused, 0)]);
    lease.revoke();
    bench.reply("x");
    assert!(bench.left().is_empty());
}
