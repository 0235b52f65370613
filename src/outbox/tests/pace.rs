//! The pace by itself: the bucket, what lowers the rate, and how it comes back.

use std::time::Duration;

use tokio::time::Instant;

use crate::outbox::pace::{AT_LEAST, Pacer, SECOND, SLOWEST};

const MS: Duration = Duration::from_millis(1);

/// Sends texts of so many segments as fast as they may leave for so many milliseconds; how many segments left.
fn run(pacer: &mut Pacer, from: Instant, millis: u32, segments: u8) -> u32 {
    let mut sent = 0;
    for ms in 0..millis {
        pacer.tick(from + ms * MS);
        while pacer.paused(from + ms * MS).is_none() && pacer.allows(segments) {
            pacer.spend(segments);
            pacer.taken();
            sent += u32::from(segments);
        }
    }
    sent
}

#[test]
fn no_second_sees_noticeably_more_than_the_rate() {
    for (rate, segments) in [(10, 1), (10, 3), (100, 1), (100, 3), (1_000, 2)] {
        let now = Instant::now();
        let mut pacer = Pacer::new(Some(f64::from(rate)), now);
        let sent = run(&mut pacer, now, 10_000, segments);
        assert!((rate * 99 / 10..=rate * 102 / 10).contains(&sent), "{rate}/s of {segments}: {sent} in 10 s");
    }
    let now = Instant::now();
    let mut pacer = Pacer::new(Some(10.0), now);
    run(&mut pacer, now, 1, 1);
    let before = Instant::now();
    assert!(pacer.wait(1) > Duration::from_millis(90) && pacer.wait(1) < Duration::from_millis(110));
    // An idle minute does not save up.
    assert!(run(&mut pacer, before + 60 * SECOND, 1_000, 1) <= 11);
}

#[test]
fn without_an_agreed_rate_there_is_none_until_the_carrier_throttles_and_none_when_it_has_recovered() {
    let mut now = Instant::now();
    let mut pacer = Pacer::new(None, now);
    for _ in 0..40 {
        assert!(pacer.allows(255));
        pacer.taken();
    }
    pacer.slow_down(0x58, SECOND, now);
    // Its fellows from the same window.
    pacer.slow_down(0x58, SECOND, now + MS);
    assert_eq!(pacer.rate(), Some(20.0));
    assert!(pacer.paused(now + 999 * MS).is_some() && pacer.paused(now + 1_002 * MS).is_none());
    now += 2 * SECOND;
    let mut last = 20.0;
    let mut seconds = 0;
    while let Some(rate) = pacer.rate() {
        assert!(rate >= last && rate <= last + 2.0001, "5 % of 40 a second");
        last = rate;
        pacer.taken();
        now += SECOND;
        seconds += 1;
        pacer.tick(now);
    }
    assert!((28..=32).contains(&seconds), "{seconds}");
}

#[test]
fn one_refusal_on_a_quiet_line_does_not_bring_it_down_to_a_trickle() {
    let mut now = Instant::now();
    let mut quiet = Pacer::new(None, now);
    quiet.slow_down(0x58, SECOND, now);
    assert_eq!(quiet.rate(), Some(AT_LEAST / 2.0));
    let mut known = Pacer::new(None, now);
    for _ in 0..200 {
        known.taken();
    }
    for _ in 0..60 {
        now += SECOND;
        known.tick(now);
    }
    known.slow_down(0x58, SECOND, now);
    assert!(known.rate().is_some_and(|rate| (90.0..=100.0).contains(&rate)), "half of its best second");
    // If it goes on, that is soon over.
    for _ in 0..7 {
        now += 2 * SECOND;
        known.slow_down(0x58, SECOND, now);
    }
    assert_eq!(known.rate(), Some(SLOWEST));
}

#[test]
fn an_agreed_rate_is_halved_and_comes_back_and_is_never_passed() {
    let mut now = Instant::now();
    let mut pacer = Pacer::new(Some(10.0), now);
    for _ in 0..10 {
        now += 2 * SECOND;
        pacer.slow_down(0x58, SECOND, now);
    }
    assert_eq!(pacer.rate(), Some(SLOWEST));
    for _ in 0..30 {
        pacer.taken();
        now += SECOND;
        pacer.tick(now);
    }
    assert_eq!(pacer.rate(), Some(10.0));
}

#[test]
fn a_second_in_which_nothing_was_taken_or_something_was_throttled_gives_nothing_back() {
    let mut now = Instant::now();
    let mut pacer = Pacer::new(Some(10.0), now);
    pacer.slow_down(0x58, SECOND, now);
    pacer.taken();
    now += SECOND;
    pacer.tick(now);
    assert_eq!(pacer.rate(), Some(5.0), "a bad second");
    now += SECOND;
    pacer.tick(now);
    assert_eq!(pacer.rate(), Some(5.0), "an idle second");
    pacer.taken();
    now += SECOND;
    pacer.tick(now);
    assert_eq!(pacer.rate(), Some(5.5));
}

#[test]
fn a_learned_rate_stays_when_the_carrier_throttles_although_little_was_sent() {
    let mut now = Instant::now();
    let mut pacer = Pacer::new(None, now);
    (0..500).for_each(|_| pacer.taken());
    pacer.slow_down(0x58, SECOND, now);
    assert_eq!(pacer.rate(), Some(250.0));
    now += 3 * SECOND;
    pacer.tick(now);
    pacer.taken();
    pacer.slow_down(0x58, SECOND, now);
    for _ in 0..3 {
        now += SECOND;
        pacer.tick(now);
        pacer.taken();
    }
    assert!(pacer.rate().is_some_and(|rate| (125.0..250.0).contains(&rate)), "{:?}", pacer.rate());
}

#[test]
fn congestion_lowers_pauses_and_raises() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Some(100.0), now);
    pacer.congestion(95, now);
    pacer.congestion(95, now + MS);
    assert!((pacer.rate().unwrap() - 80.0).abs() < 0.01);
    assert!(pacer.paused(now).is_none());
    pacer.congestion(85, now + 2 * SECOND);
    assert!((pacer.rate().unwrap() - 80.0).abs() < 0.01);
    pacer.congestion(40, now + 2 * SECOND);
    pacer.congestion(40, now + 2 * SECOND);
    assert!((pacer.rate().unwrap() - 90.0).abs() < 0.01);
    pacer.congestion(100, now + 3 * SECOND);
    assert!((pacer.rate().unwrap() - 72.0).abs() < 0.01);
    assert!(pacer.paused(now + 3 * SECOND).is_some());
    // Without a limit there is nothing to raise.
    let mut free = Pacer::new(None, now);
    free.congestion(10, now);
    assert_eq!(free.rate(), None);
}

#[test]
fn a_share_of_the_rate_changes_with_the_number_of_processes() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Some(100.0), now);
    pacer.slow_down(0x58, SECOND, now);
    pacer.agree(50.0);
    assert_eq!(pacer.rate(), Some(25.0));
    pacer.agree(100.0);
    assert_eq!(pacer.rate(), Some(50.0));
}

#[test]
fn a_text_larger_than_the_bucket_waits_for_a_full_one() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Some(10.0), now);
    assert!(pacer.allows(3));
    pacer.spend(3);
    assert!(!pacer.allows(1));
    pacer.tick(now + 250 * MS);
    assert!(!pacer.allows(3) && !pacer.allows(1), "in debt");
    pacer.tick(now + 301 * MS);
    assert!(pacer.allows(3) && pacer.allows(1));
    pacer.give_back(1);
    assert!(pacer.allows(1));
}
