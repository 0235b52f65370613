//! Who is dead, as one process sees it. Death is seen, not reckoned from clocks: an instance whose last start has
//! committed nothing for long enough, in the eyes of somebody who looked all that time and whose own commits went well.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::message::Lease;

/// Two looks further apart than this say nothing of the time between them.
const GAP: Duration = Duration::from_secs(3);

/// Whoever has not committed himself for so long may be cut off, or the database may stand still for all.
const OWN: Duration = Duration::from_secs(3);

/// What the rows say of another instance: the last start under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The instance.
    pub instance: String,
    /// Its last start.
    pub epoch: i64,
    /// How often that has committed.
    pub commits: i64,
    /// Whether it has ended, in order or taken for dead.
    pub ended: bool,
}

/// One look at the rows, on this process's steady clock.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// When they were asked for.
    pub begun: Instant,
    /// When they were there.
    pub ended: Instant,
    /// How long ago the last commit of this process that succeeded had begun; none when it may write no more.
    pub own: Option<Duration>,
    /// Commits of this process that have failed so far.
    pub failures: u64,
}

#[derive(Debug)]
struct Seen {
    sign: Sign,
    /// It has stood as it is since then at least.
    since: Instant,
}

/// What one process has seen of the others.
#[derive(Debug, Default)]
pub struct Watch {
    seen: HashMap<String, Seen>,
    last: Option<Look>,
}

impl Watch {
    /// Takes in what a look brought, and says which instances have shown no sign of life for so long that they are dead.
    pub fn look(&mut self, look: Look, signs: Vec<Sign>) -> Vec<Sign> {
        let before = self.last.replace(look);
        let whole = before.is_some_and(|last| {
            look.failures == last.failures && look.ended.saturating_duration_since(last.begun) <= GAP
        });
        if !whole || look.own.is_none_or(|age| age > OWN) {
            self.seen.clear();
        }
        let mut before = std::mem::take(&mut self.seen);
        for sign in signs {
            let known = before.remove(&sign.instance).filter(|seen| seen.sign == sign);
            let since = known.map_or(look.ended, |seen| seen.since);
            self.seen.insert(sign.instance.clone(), Seen { sign, since });
        }
        let dead = |seen: &&Seen| look.begun.saturating_duration_since(seen.since) >= Lease::OTHERS_WAIT;
        self.seen.values().filter(dead).map(|seen| seen.sign.clone()).collect()
    }

    /// A look failed: what was seen before says nothing any more.
    pub fn failed(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(commits: i64) -> Sign {
        Sign { instance: "other".to_owned(), epoch: 2, commits, ended: false }
    }

    /// Somebody who looks, and whose looks take no time.
    struct Eyes {
        watch: Watch,
        begin: Instant,
        failures: u64,
    }

    impl Eyes {
        fn new() -> Self {
            Self { watch: Watch::default(), begin: Instant::now(), failures: 0 }
        }

        fn at(&self, millis: u64) -> Instant {
            self.begin + Duration::from_millis(millis)
        }

        fn look(&mut self, millis: u64, signs: &[Sign]) -> Vec<Sign> {
            let at = self.at(millis);
            let look = Look { begun: at, ended: at, own: Some(Duration::from_secs(1)), failures: self.failures };
            self.watch.look(look, signs.to_vec())
        }

        /// Looks each second, and finds nobody dead.
        fn looks(&mut self, seconds: std::ops::Range<u64>, signs: &[Sign]) {
            for second in seconds {
                assert!(self.look(second * 1_000, signs).is_empty(), "in second {second}");
            }
        }
    }

    #[test]
    fn an_instance_is_dead_that_has_committed_nothing_for_six_seconds_of_looking() {
        let mut eyes = Eyes::new();
        eyes.looks(0..6, &[sign(5)]);
        assert!(eyes.look(5_999, &[sign(5)]).is_empty());
        assert_eq!(eyes.look(6_000, &[sign(5)]), [sign(5)]);
        assert_eq!(eyes.look(7_000, &[sign(5)]), [sign(5)], "and stays so");
        assert!(eyes.look(8_000, &[sign(6)]).is_empty(), "but for a commit");
        eyes.looks(9..14, &[sign(6)]);
        assert_eq!(eyes.look(14_000, &[sign(6)]), [sign(6)]);
    }

    #[test]
    fn a_commit_a_new_start_and_an_end_are_signs_of_life() {
        for later in [sign(6), Sign { epoch: 3, ..sign(5) }, Sign { ended: true, ..sign(5) }] {
            let mut eyes = Eyes::new();
            eyes.looks(0..6, &[sign(5)]);
            eyes.looks(6..12, std::slice::from_ref(&later));
            assert_eq!(eyes.look(12_000, std::slice::from_ref(&later)), [later]);
        }
    }

    #[test]
    fn each_instance_is_seen_for_itself() {
        let mut eyes = Eyes::new();
        let lively = |second: i64| Sign { instance: "lively".to_owned(), ..sign(second) };
        for second in 0..6 {
            assert!(eyes.look(second * 1_000, &[lively(second as i64), sign(5)]).is_empty());
        }
        assert_eq!(eyes.look(6_000, &[sign(5), lively(6)]), [sign(5)]);
    }

    #[test]
    fn whoever_did_not_look_for_a_while_begins_anew() {
        let mut eyes = Eyes::new();
        eyes.looks(0..4, &[sign(5)]);
        // Paused: the last look began at 3 s.
        for second in 7..13 {
            assert!(eyes.look(second * 1_000, &[sign(5)]).is_empty(), "in second {second}");
        }
        assert_eq!(eyes.look(13_000, &[sign(5)]).len(), 1);
    }

    #[test]
    fn a_look_that_took_long_counts_for_nothing_before_it() {
        let mut eyes = Eyes::new();
        eyes.looks(0..6, &[sign(5)]);
        let (begun, ended) = (eyes.at(6_000), eyes.at(8_500));
        let look = Look { begun, ended, own: Some(Duration::ZERO), failures: 0 };
        assert!(eyes.watch.look(look, vec![sign(5)]).is_empty());
    }

    #[test]
    fn whoever_fails_himself_begins_anew() {
        let mut eyes = Eyes::new();
        eyes.looks(0..6, &[sign(5)]);
        eyes.watch.failed();
        eyes.looks(6..12, &[sign(5)]);
        eyes.failures += 1;
        eyes.looks(12..18, &[sign(5)]);
        assert_eq!(eyes.look(18_000, &[sign(5)]).len(), 1);
    }

    #[test]
    fn whoever_has_not_committed_himself_takes_nobody_for_dead() {
        for own in [None, Some(Duration::from_millis(3_001))] {
            let mut eyes = Eyes::new();
            eyes.looks(0..6, &[sign(5)]);
            let at = eyes.at(6_000);
            assert!(eyes.watch.look(Look { begun: at, ended: at, own, failures: 0 }, vec![sign(5)]).is_empty());
            eyes.looks(7..12, &[sign(5)]);
        }
    }
}
