//! The loop breaker: a machine at the other end that answers our replies by itself would go on for ever, at the cost of the
//! number's owner. The same reply to one sender is sent so often and no more.

use std::{
    collections::HashMap,
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
    newer: HashMap<u64, Sent>,
    older: HashMap<u64, Sent>,
}

#[derive(Clone, Copy)]
struct Sent {
    since: Micros,
    times: u32,
}

impl Loops {
    /// Counts a reply; whether it may be sent: it went to this sender fewer than `limit` times within `window`.
    pub(super) fn may_send(
        &mut self,
        to: Msisdn,
        text: &str,
        now: Micros,
        (limit, window): (u32, std::time::Duration),
    ) -> bool {
        let key = self.key(to, text);
        let known = self.newer.get(&key).or_else(|| self.older.get(&key)).copied();
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        let fresh = Sent { since: now, times: 0 };
        let mut sent = known.filter(|sent| now.since(sent.since) < window).unwrap_or(fresh);
        if sent.times >= limit {
            return false;
        }
        sent.times += 1;
        if self.newer.len() >= HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, sent);
        true
    }

    /// A reply that was counted was not stored, so it does not go out: its question comes again, and is no loop.
    pub(super) fn give_back(&mut self, to: Msisdn, text: &str) {
        let key = self.key(to, text);
        if let Some(sent) = self.newer.get_mut(&key).or_else(|| self.older.get_mut(&key)) {
            sent.times = sent.times.saturating_sub(1);
        }
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
    fn the_memory_is_bounded_and_keeps_the_newest() {
        let mut loops = Loops::default();
        let rule = (1, Duration::from_secs(600));
        for number in 0..(3 * HALF as u64) {
            loops.may_send(Msisdn::from_canonical(number), "a", Micros(0), rule);
        }
        assert!(loops.newer.len() + loops.older.len() <= 2 * HALF);
        assert!(!loops.may_send(Msisdn::from_canonical(3 * HALF as u64 - 1), "a", Micros(1), rule));
    }
}
