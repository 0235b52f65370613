//! The loop breaker: a machine at the other end that answers our replies by itself would go on for ever, at the cost of the
//! number's owner. The same reply to one sender is sent so often within any stretch of time of a length, and no more.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use crate::{clock::Micros, message::Msisdn};

/// Replies remembered at most for carriers that agree on the stretch of time; the oldest are forgotten first: under a flood the
/// memory reaches less far back, and a loop, which is fast, is still seen.
const REMEMBERED: usize = 200_000;

/// How often which reply went to whom, of late. Holds no numbers and no texts, only their keyed hashes.
#[derive(Default)]
pub struct Loops {
    hasher: RandomState,
    /// One for each stretch of time that carriers look at; they mostly agree on one.
    recent: Vec<Recent>,
}

/// What was sent within a stretch of time.
struct Recent {
    window: i64,
    /// What was sent when, the oldest first.
    sent: VecDeque<(u64, Micros)>,
    /// How often each stands there.
    often: HashMap<u64, u32>,
}

impl Recent {
    fn count(&mut self, key: u64, now: Micros) {
        self.sent.push_back((key, now));
        *self.often.entry(key).or_default() += 1;
        if self.sent.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    fn forget_old(&mut self, now: Micros) {
        while self.sent.front().is_some_and(|(_, at)| now.since(*at) >= self.window) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((key, _)) = self.sent.pop_front() {
            self.one_less(key);
        }
    }

    fn one_less(&mut self, key: u64) {
        if let Some(count) = self.often.get_mut(&key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.often.remove(&key);
            }
        }
    }
}

impl Loops {
    /// Counts a reply; whether it may be sent: it went to this sender fewer than `limit` times in the `window` before.
    pub(super) fn may_send(&mut self, to: Msisdn, text: &str, now: Micros, (limit, window): (u32, Duration)) -> bool {
        let key = self.key(to, text);
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        let place = self.recent.iter().position(|recent| recent.window == window).unwrap_or(self.recent.len());
        if place == self.recent.len() {
            self.recent.push(Recent { window, sent: VecDeque::new(), often: HashMap::new() });
        }
        let Some(recent) = self.recent.get_mut(place) else { return true };
        recent.forget_old(now);
        let may = recent.often.get(&key).is_none_or(|count| *count < limit);
        if may {
            recent.count(key, now);
        }
        may
    }

    /// A reply that was counted was not stored, so it does not go out: its question comes again, and is no loop.
    pub(super) fn give_back(&mut self, to: Msisdn, text: &str) {
        let key = self.key(to, text);
        // It was counted a moment ago, so it stands near the end.
        let last = |recent: &Recent| recent.sent.iter().rposition(|(sent, _)| *sent == key);
        let known = self.recent.iter_mut().filter(|recent| recent.often.contains_key(&key));
        let places = known.filter_map(|recent| last(recent).map(|place| (recent, place)));
        if let Some((recent, place)) = places.max_by_key(|(recent, place)| recent.sent.get(*place).map(|(_, at)| *at)) {
            recent.sent.remove(place);
            recent.one_less(key);
        }
    }

    fn key(&self, to: Msisdn, text: &str) -> u64 {
        self.hasher.hash_one((to.expose(), text))
    }
}

#[cfg(test)]
mod tests {
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
    fn carriers_that_look_at_other_stretches_of_time_do_not_disturb_each_other() {
        let mut loops = Loops::default();
        let to = Msisdn::from_canonical(84_520_000_001);
        let (minute, hour) = ((1, Duration::from_secs(60)), (1, Duration::from_secs(3_600)));
        let mut send = |at, rule| loops.may_send(to, "a", Micros(0).plus_seconds(at), rule);
        assert_eq!(
            [(0, minute), (1, hour), (59, minute), (60, minute), (61, hour)].map(|(at, rule)| send(at, rule)),
            [true, true, false, true, false]
        );
        loops.give_back(to, "a");
        let mut send = |at, rule| loops.may_send(to, "a", Micros(0).plus_seconds(at), rule);
        assert_eq!(
            [(62, hour), (62, minute)].map(|(at, rule)| send(at, rule)),
            [false, true],
            "the last one is given back"
        );
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_newest() {
        let mut loops = Loops::default();
        let rule = (1, Duration::from_secs(600));
        let all = 3 * REMEMBERED as u64;
        for number in 0..all {
            assert!(loops.may_send(Msisdn::from_canonical(number), "a", Micros(number as i64), rule));
        }
        let recent = &loops.recent[0];
        assert_eq!((recent.sent.len(), recent.often.len()), (REMEMBERED, REMEMBERED));
        let mut may = |number| loops.may_send(Msisdn::from_canonical(number), "a", Micros(all as i64), rule);
        assert!(!may(all - 1) && !may(all - REMEMBERED as u64) && may(0));
    }

    #[test]
    fn a_reply_that_is_sent_often_counts_each_time_and_is_forgotten_with_its_last() {
        let mut loops = Loops::default();
        let rule = (10_000, Duration::from_secs(600));
        for round in 0..3 * REMEMBERED as i64 {
            loops.may_send(Msisdn::from_canonical(round as u64 % 40), "a", Micros(round), rule);
        }
        let recent = &loops.recent[0];
        assert_eq!((recent.sent.len(), recent.often.len()), (REMEMBERED, 40));
        assert_eq!(recent.often.values().map(|count| *count as usize).sum::<usize>(), REMEMBERED);
        loops.may_send(Msisdn::from_canonical(40), "a", Micros(0).plus_seconds(700), rule);
        assert_eq!((loops.recent[0].sent.len(), loops.recent[0].often.len()), (1, 1));
    }
}
