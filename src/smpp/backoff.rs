//! How long to wait before connecting again.

use std::time::Duration;

use super::error::Pace;
use crate::{clock::Chance, config::Line};

/// A session that lasted this long puts the waits back to the beginning; a peer that takes connections only to drop
/// them does not.
const SETTLED: Duration = Duration::from_mins(1);

/// The waits grow from one failure to the next.
#[derive(Debug)]
pub(super) struct Backoff {
    min: Duration,
    max: Duration,
    /// The last wait and what it was for.
    last: Option<(Pace, Duration)>,
}

impl Backoff {
    /// Nothing has failed yet.
    pub(super) fn new(settings: &Line) -> Self {
        Self { min: settings.reconnect_min, max: settings.reconnect_max, last: None }
    }

    /// The wait after a failure, moved by 20 % by chance so that lines do not come back in step.
    pub(super) fn after(&mut self, pace: Pace, bound_for: Option<Duration>, chance: &Chance) -> Duration {
        if bound_for.is_some_and(|lasted| lasted >= SETTLED) {
            self.last = None;
        }
        let (first, most) = self.bounds(pace);
        let wait = match self.last {
            Some((before, wait)) if before == pace => (wait * 2).min(most),
            _ => first,
        };
        self.last = Some((pace, wait));
        chance.jitter(wait, 20)
    }

    /// The first and the longest wait. What only people can mend is tried slowly; a session too many once a minute,
    /// because its place may be free at any time; unless the operator wants every wait to be shorter than a minute.
    fn bounds(&self, pace: Pace) -> (Duration, Duration) {
        let (first, most) = match pace {
            Pace::Usual => return (self.min, self.max),
            Pace::Configuration => (Duration::from_mins(1), Duration::from_mins(15)),
            Pace::AlreadyBound => (Duration::from_secs(30), Duration::from_mins(2)),
            Pace::Busy => (Duration::from_secs(30), Duration::from_secs(30)),
            Pace::SessionLimit | Pace::WrongPeer => (Duration::from_mins(1), Duration::from_mins(1)),
        };
        let cap = if self.max < Duration::from_mins(1) { self.max } else { Duration::MAX };
        (first.max(self.min).min(cap), most.max(self.min).min(cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Pace::{AlreadyBound, Configuration, SessionLimit, Usual};

    fn waits(min_s: u64, max_s: u64, failures: &[(Pace, Option<u64>)]) -> Vec<u64> {
        let (min, max) = (Duration::from_secs(min_s), Duration::from_secs(max_s));
        let mut backoff = Backoff { min, max, last: None };
        let chance = Chance::seeded(1);
        let mut waits = Vec::new();
        for (pace, bound_for) in failures {
            let moved = backoff.after(*pace, bound_for.map(Duration::from_secs), &chance).as_secs_f64();
            let wait = backoff.last.unwrap().1.as_secs_f64();
            assert!((wait * 0.79..=wait * 1.21).contains(&moved), "{moved} is not near {wait}");
            waits.push(wait as u64);
        }
        waits
    }

    #[test]
    fn waits_grow_by_what_went_wrong() {
        let none = None;
        for (label, min, max, failures, expected) in [
            ("doubling to the most", 5, 60, vec![(Usual, none); 6], vec![5, 10, 20, 40, 60, 60]),
            ("a short session resets nothing", 5, 60, vec![(Usual, none), (Usual, Some(59))], vec![5, 10]),
            ("a long session resets", 5, 60, vec![(Usual, none), (Usual, Some(60))], vec![5, 5]),
            ("credentials", 5, 60, vec![(Configuration, none); 6], vec![60, 120, 240, 480, 900, 900]),
            ("still bound", 5, 60, vec![(AlreadyBound, none); 4], vec![30, 60, 120, 120]),
            ("a session too many", 5, 60, vec![(SessionLimit, none); 6], vec![60; 6]),
            ("another reason begins anew", 5, 60, vec![(Configuration, none), (Usual, none)], vec![60, 5]),
            (
                "others came and went",
                5,
                60,
                [Configuration, SessionLimit, Configuration].map(|p| (p, none)).to_vec(),
                vec![60, 60, 60],
            ),
            ("small settings cap all", 1, 4, vec![(Configuration, none), (AlreadyBound, none)], vec![4, 4]),
        ] {
            assert_eq!(waits(min, max, &failures), expected, "{label}");
        }
    }
}
