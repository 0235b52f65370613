//! The loop breaker: a machine at the other end that answers our replies by itself would go on for ever, at the cost of the
//! number's owner. The same reply to one sender is sent so often within any stretch of time of a length, and no more.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
};

use crate::{clock::Micros, message::Msisdn};

/// Replies remembered in one of the two halves of the memory. When a half is full the older one is forgotten: under a flood
/// the memory reaches less far back, and a loop, which is fast, is still seen.
const HALF: usize = 100_000;

/// How often which reply went to whom, of late. Holds no numbers and no texts, only their keyed hashes.
#[derive(Default)]
pub struct Loops {
    hasher: RandomState,
    newer: Half,
    older: Half,
}

/// When which reply was sent, the oldest first.
#[derive(Default)]
struct Half {
    sent: HashMap<u64, VecDeque<Micros>>,
    /// Replies remembered.
    times: usize,
}

impl Half {
    fn take(&mut self, key: u64) -> Option<VecDeque<Micros>> {
        let sent = self.sent.remove(&key)?;
        self.times -= sent.len();
        Some(sent)
    }

    fn put(&mut self, key: u64, sent: VecDeque<Micros>) {
        self.times += sent.len();
        self.sent.insert(key, sent);
    }
}

impl Loops {
    /// Counts a reply; whether it may be sent: it went to this sender fewer than `limit` times in the `window` before.
    pub(super) fn may_send(
        &mut self,
        to: Msisdn,
        text: &str,
        now: Micros,
        (limit, window): (u32, std::time::Duration),
    ) -> bool {
        let key = self.key(to, text);
        let mut sent = self.take(key);
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        while sent.front().is_some_and(|at| now.since(*at) >= window) {
            sent.pop_front();
        }
        let may = sent.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        if may {
            sent.push_back(now);
        }
        self.put(key, sent);
        may
    }

    /// A reply that was counted was not stored, so it does not go out: its question comes again, and is no loop.
    pub(super) fn give_back(&mut self, to: Msisdn, text: &str) {
        let key = self.key(to, text);
        let mut sent = self.take(key);
        sent.pop_back();
        self.put(key, sent);
    }

    fn take(&mut self, key: u64) -> VecDeque<Micros> {
        self.newer.take(key).or_else(|| self.older.take(key)).unwrap_or_else(|| VecDeque::with_capacity(1))
    }

    fn put(&mut self, key: u64, sent: VecDeque<Micros>) {
        if sent.is_empty() {
            return;
        }
        if self.newer.times + sent.len() > HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.put(key, sent);
    }

    fn key(&self, to: Msisdn, text: &str) -> u64 {
        self.hasher.hash_one((to.expose(), text))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_reply_goes_to_one_sender_so_often_and_again_later() {
        let mut loops = Loops::default();
        let rule = (3, Duration::from_secs(600));
        let mut send = |number: u64, text: &str, seconds: i64| {
            loops.may_send(Msisdn::from_canonical(number), text, Micros(0).plus_seconds(seconds), rule)
        };
        assert_eq!([0, 1, 2, 3, 599].map(|at| send(84_520_000_001, "a", at)), [true, true, true, false, false]);
        assert!(send(84_520_000_001, "b", 3) && send(84_520_000_002, "a", 3), "another text, another sender");
        assert!(send(84_520_000_001, "a", 600));
    }

    #[test]
    fn no_stretch_of_time_sees_more_of_one_reply_than_it_may_wherever_it_begins() {
        let mut loops = Loops::default();
        let (to, rule) = (Msisdn::from_canonical(84_520_000_001), (3, Duration::from_secs(600)));
        let sent: Vec<i64> =
            (590..3_000).filter(|at| loops.may_send(to, "a", Micros(0).plus_seconds(*at), rule)).collect();
        assert_eq!(
            sent,
            [590, 591, 592, 1_190, 1_191, 1_192, 1_790, 1_791, 1_792, 2_390, 2_391, 2_392, 2_990, 2_991, 2_992]
        );
        let mut loops = Loops::default();
        let mut send = |at| loops.may_send(to, "a", Micros(0).plus_seconds(at), rule);
        // One, then two at the end of its time: those are not forgotten with it.
        assert_eq!(
            [0, 598, 599, 600, 601, 1_197, 1_198, 1_199].map(&mut send),
            [true, true, true, true, false, false, true, true]
        );
    }

    #[test]
    fn a_question_that_could_not_be_stored_is_asked_again_as_often_as_it_takes() {
        let mut loops = Loops::default();
        let (to, rule) = (Msisdn::from_canonical(84_520_000_001), (3, Duration::from_secs(600)));
        for second in 0..50 {
            assert!(loops.may_send(to, "a", Micros(0).plus_seconds(second), rule), "{second}");
            loops.give_back(to, "a");
        }
    }

    #[test]
    fn what_is_a_loop_stays_one_when_its_half_of_the_memory_grows_old() {
        let mut loops = Loops::default();
        let (to, rule) = (Msisdn::from_canonical(84_520_000_001), (1, Duration::from_secs(600)));
        assert!(loops.may_send(to, "a", Micros(0), rule));
        for number in 0..HALF as u64 {
            loops.may_send(Msisdn::from_canonical(number), "a", Micros(0), rule);
        }
        assert!([1, 2, 3].iter().all(|second| !loops.may_send(to, "a", Micros(0).plus_seconds(*second), rule)));
    }

    #[test]
    fn a_reply_that_is_sent_often_counts_each_time_towards_the_memory() {
        let mut loops = Loops::default();
        let rule = (10_000, Duration::from_secs(600));
        for round in 0..3 * HALF as i64 {
            loops.may_send(Msisdn::from_canonical(round as u64 % 40), "a", Micros(round), rule);
        }
        assert!(loops.newer.times <= HALF && loops.older.times <= HALF);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_newest() {
        let mut loops = Loops::default();
        let rule = (1, Duration::from_secs(600));
        for number in 0..(3 * HALF as u64) {
            loops.may_send(Msisdn::from_canonical(number), "a", Micros(0), rule);
        }
        let times = |half: &Half| half.sent.values().map(VecDeque::len).sum::<usize>();
        for half in [&loops.newer, &loops.older] {
            assert!(half.times <= HALF && half.times == times(half), "{}", half.times);
        }
        assert!(!loops.may_send(Msisdn::from_canonical(3 * HALF as u64 - 1), "a", Micros(1), rule));
    }
}
