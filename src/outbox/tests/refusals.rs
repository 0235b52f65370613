//! What refusals do to everybody's traffic: pauses, alarms, numbers that wait, lines that bind anew.

use super::{Bench, carrier, refused, taken};
use crate::{
    clock::Micros,
    config::StatusRule,
    ledger::SettlementResult,
    message::{LineEvent, RowKey, SubmitResult},
    outbox::{
        Urgency,
        refusal::{FAULTS, NUMBERS},
    },
};

#[tokio::test]
async fn one_message_that_is_refused_for_its_addresses_does_not_keep_the_others_waiting() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let answered = |bench: &mut Bench, result: SubmitResult| {
        let key = bench.reply("x");
        let left = bench.left() == [(key, 0)];
        if left {
            bench.answer(key, 0, result);
        }
        left
    };
    for _ in 0..2 * NUMBERS {
        assert!(answered(&mut bench, refused(0x50)) && answered(&mut bench, taken("a")));
    }
    for count in 0..NUMBERS {
        assert!(answered(&mut bench, refused(0x50)), "these alone may be about their own numbers");
        assert_eq!(bench.alarmed("settings_refused"), count + 1 >= FAULTS, "but somebody should look");
    }
    assert!(!answered(&mut bench, refused(0x50)), "so many in a row mean our settings: the carrier is left alone");
}

#[tokio::test]
async fn what_is_refused_for_our_settings_counts_once_however_often_it_is_tried() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.window = 20)).await;
    // Two messages refused for their source, and one sender whose number is of an odd type.
    let messages = [bench.reply("x"), bench.reply("x")];
    let mut statuses = vec![(messages[0], 0x48), (messages[1], 0x48)];
    for _ in 0..NUMBERS {
        statuses.push((bench.reply_to(7_777, "x", Urgency::Reply), 0x50));
    }
    bench.left();
    for _ in 0..5 {
        for (key, status) in &statuses {
            bench.answer(*key, 0, refused(*status));
        }
        assert!(bench.outbox.pacer.paused(bench.now).is_none());
        bench.wait(61_000);
        assert_eq!(bench.left().len(), statuses.len(), "each waits for itself alone");
    }
}

#[tokio::test]
async fn refusals_for_our_settings_that_are_far_apart_do_not_pause_the_carrier() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let one_more = |bench: &mut Bench, key| {
        let expires_at = bench.clock.now().plus_seconds(600);
        bench.outbox.take(crate::outbox::Outgoing { expires_at, ..super::outgoing(key, super::content(key, "x")) });
        assert_eq!(bench.left(), [(key, 0)]);
        bench.answer(key, 0, refused(0x48));
    };
    for hour in 1..=5 {
        one_more(&mut bench, hour);
        assert!(bench.outbox.pacer.paused(bench.now).is_none() && !bench.alarmed("source_refused"), "hour {hour}");
        // Its time runs out; nothing else comes.
        bench.wait(3_600_000);
        assert!(bench.left().is_empty());
    }
    for key in 6..9 {
        one_more(&mut bench, key);
    }
    assert!(bench.outbox.pacer.paused(bench.now).is_some() && bench.alarmed("source_refused"));
}

#[tokio::test]
async fn a_refused_source_pauses_the_carrier_and_raises_the_alarm_until_something_is_taken() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let keys: Vec<i64> = (0..5).map(|_| bench.reply("x")).collect();
    assert_eq!(bench.left().len(), 5);
    for key in &keys[..2] {
        bench.answer(*key, 0, refused(0x48));
    }
    assert!(!bench.alarmed("source_refused"));
    for key in &keys[2..] {
        bench.answer(*key, 0, refused(0x48));
    }
    assert!(bench.alarmed("source_refused"));
    bench.wait(59_000);
    assert!(bench.left().is_empty());
    bench.wait(2_000);
    assert_eq!(bench.left(), [(keys[0], 0)], "one is enough to see whether it was mended");
    assert!(bench.left().is_empty());
    bench.take(keys[0]);
    assert!(!bench.alarmed("source_refused"));
    assert_eq!(bench.left().len(), 4, "and none is lost");
    assert_eq!(bench.counted("source_refused"), 5);
}

#[tokio::test]
async fn the_segments_of_one_message_that_are_refused_together_count_as_one() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let long = bench.reply(&"x".repeat(600));
    assert_eq!(bench.left().len(), 4);
    for segment in 0..4 {
        bench.answer(long, segment, refused(0x48));
    }
    let other = bench.reply("x");
    assert_eq!(bench.left(), [(other, 0)]);
}

#[tokio::test]
async fn all_segments_that_waited_for_their_number_go_on_when_it_is_everybodys_queue() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let keys: Vec<i64> = (0..3).map(|_| bench.reply(&"x".repeat(300))).collect();
    assert_eq!(bench.left().len(), 6);
    for key in keys {
        bench.answer(key, 0, refused(0x14));
        bench.answer(key, 1, refused(0x14));
    }
    bench.wait(5_100);
    let mut again = 0;
    while let [(key, segment)] = bench.left()[..] {
        bench.answer(key, segment, taken("a"));
        again += 1;
        bench.wait(1_000);
    }
    assert_eq!(again, 6);
}

#[tokio::test]
async fn a_number_whose_queue_is_full_waits_and_the_others_go_on() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let full = bench.reply_to(7, "x", Urgency::Reply);
    bench.left();
    bench.answer(full, 0, refused(0x14));
    let (same, other) = (bench.reply_to(7, "x", Urgency::Reply), bench.reply_to(8, "x", Urgency::Reply));
    assert_eq!(bench.left(), [(other, 0)]);
    bench.take(other);
    bench.wait(59_000);
    assert!(bench.left().is_empty());
    bench.wait(1_500);
    assert_eq!(bench.left(), [(full, 0), (same, 0)]);
    assert_eq!((bench.counted("queue_full_one_number"), bench.counted("queue_full_all")), (1, 0));
}

#[tokio::test]
async fn a_queue_that_is_full_for_everybody_pauses_all_and_is_a_matter_for_people_after_ten_minutes() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let keys: Vec<i64> = (0..3).map(|_| bench.reply("x")).collect();
    bench.left();
    for key in &keys {
        bench.answer(*key, 0, refused(0x14));
    }
    assert_eq!(bench.counted("queue_full_all"), 1);
    bench.wait(4_900);
    assert!(bench.left().is_empty());
    bench.wait(200);
    assert_eq!(bench.left(), [(keys[0], 0)], "one at a time, and not after a minute");
    for _ in 0..118 {
        assert!(!bench.alarmed("credit_or_queue"));
        let [(key, _)] = bench.outbox.open.keys().map(|id| (id.exchange.0, id.segment)).collect::<Vec<_>>()[..] else {
            panic!("one is under way")
        };
        bench.answer(key, 0, refused(0x14));
        bench.wait(5_050);
        if bench.left().is_empty() {
            // Their time has run out; new ones come.
            bench.outbox.take(crate::outbox::Outgoing {
                expires_at: Micros(2 * super::TTL),
                ..super::outgoing(1_000, super::content(50, "x"))
            });
            assert_eq!(bench.left().len(), 1);
        }
    }
    let (key, _) = bench.outbox.open.keys().map(|id| (id.exchange.0, id.segment)).next().unwrap();
    bench.answer(key, 0, refused(0x14));
    assert!(bench.alarmed("credit_or_queue"));
    bench.wait(5_050);
    let [(key, 0)] = bench.left()[..] else { panic!("one is under way") };
    bench.take(key);
    assert!(!bench.alarmed("credit_or_queue"));
}

#[tokio::test]
async fn refusals_for_now_are_tried_again_by_their_schedules_and_then_given_up() {
    // (status, waits in seconds, given up then).
    for (status, waits) in [
        (0x08, &[5_u64, 15, 45, 45][..]),
        (0x64, &[30, 120, 300]),
        (0x45, &[30, 30]),
        (0xFF, &[30, 30]),
        (0x55F, &[60, 60]),
    ] {
        let mut bench = Bench::new(carrier(|_| {})).await;
        let key = bench.reply("x");
        assert_eq!(bench.left(), [(key, 0)]);
        for wait in waits {
            bench.answer(key, 0, refused(status));
            bench.wait(wait * 1_000 - 100);
            assert!(bench.left().is_empty(), "{status:#x} after {wait}");
            bench.wait(200);
            assert_eq!(bench.left(), [(key, 0)], "{status:#x} after {wait}");
        }
        bench.answer(key, 0, refused(status));
        // The longest schedule has all of the reply's time.
        bench.wait(if status == 0x64 { 300_000 } else { 100 });
        bench.left();
        let settled = bench.settled();
        assert_eq!((settled.len(), settled[0].status), (1, Some(status)), "{status:#x}");
        let expired = settled[0].result == SettlementResult::Expired;
        assert!(expired == (status == 0x64) && settled[0].accepted == 0, "{status:#x}");
        assert_eq!(bench.alarmed("status_unknown"), status == 0x55F, "{status:#x}");
    }
}

#[tokio::test]
async fn ten_system_errors_in_a_row_slow_the_carrier_down() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let keys: Vec<i64> = (0..10).map(|_| bench.reply("x")).collect();
    bench.left();
    for key in &keys[..9] {
        bench.answer(*key, 0, refused(0x08));
    }
    assert!(bench.outbox.pacer.paused(bench.now).is_none());
    bench.answer(keys[9], 0, refused(0x08));
    assert!(bench.outbox.pacer.paused(bench.now).is_some());
}

#[tokio::test]
async fn a_carriers_own_table_and_its_tries_stand_above_ours() {
    let own = |carrier: &mut crate::config::Carrier| {
        carrier.flow.statuses.insert(0x45, StatusRule::GiveUp);
        carrier.flow.statuses.insert(0x94, StatusRule::Retry(std::time::Duration::from_secs(7)));
        carrier.flow.tries = 2;
    };
    let mut bench = Bench::new(carrier(own)).await;
    let (a, b) = (bench.reply("x"), bench.reply("x"));
    bench.left();
    bench.answer(a, 0, refused(0x45));
    assert_eq!(bench.settled()[0].result, SettlementResult::Rejected);
    bench.answer(b, 0, refused(0x94));
    bench.wait(7_100);
    assert_eq!(bench.left(), [(b, 0)]);
    bench.answer(b, 0, refused(0x94));
    assert_eq!(bench.settled()[0].status, Some(0x94));
    assert_eq!(bench.counted("status_means_other"), 3);
}

#[tokio::test]
async fn a_line_that_is_not_bound_any_more_binds_anew_and_its_submit_goes_at_once_by_the_next_session() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let key = bench.reply("x");
    bench.left();
    bench.answer(key, 0, refused(0x04));
    assert!(bench.left().is_empty(), "nothing goes over it until it is bound");
    assert_eq!(bench.rebinds, [1]);
    let line = bench.outbox.lines[0].line;
    bench.outbox.event(LineEvent::Down { line, session: 1, at: Micros(1), in_doubt: Vec::new() }, bench.now);
    // What the line did not send any more comes back so as well, and asks for nothing.
    bench.outbox.event(LineEvent::Up { line, session: 2, at: Micros(1) }, bench.now);
    assert_eq!(bench.left(), [(key, 0)]);
    assert_eq!((bench.rebinds.len(), bench.outbox.live[&RowKey(key)].tries(0)), (1, 1));
    bench.answer(key, 0, refused(0x04));
    assert!(bench.left().is_empty());
    assert_eq!(bench.rebinds, [1, 2], "each session by its own number");
}

#[tokio::test]
async fn three_unreadable_frames_in_a_minute_bind_anew() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    for n in 1..=3 {
        let key = bench.reply("x");
        bench.left();
        bench.answer(key, 0, refused(0x02));
        assert_eq!(bench.settled()[0].status, Some(0x02));
        bench.wait(1_000);
        bench.left();
        assert_eq!(bench.rebinds.len(), usize::from(n == 3), "{n}");
    }
}

#[tokio::test]
async fn a_failed_delivery_is_final_unless_the_network_failed_for_the_moment() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let (a, b) = (bench.reply("x"), bench.reply("x"));
    bench.left();
    bench.answer(a, 0, SubmitResult::Rejected { status: 0xFE, reason: Some(1) });
    bench.answer(b, 0, SubmitResult::Rejected { status: 0xFE, reason: Some(3) });
    assert_eq!(bench.settled().len(), 1);
    bench.wait(60_100);
    assert_eq!(bench.left(), [(b, 0)]);
}
