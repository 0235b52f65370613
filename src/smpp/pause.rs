//! Whether messages can be stored. A temporary error makes an SMSC send a message again, a few times; then it is lost.
//! So after temporary errors alone for a while nothing is refused any more: messages are left with the SMSC, which
//! waits, and one at a time is tried until it is taken.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two trials.
const TRIALS: Duration = Duration::from_secs(2);

/// Refusals that are further apart, with no message between them, are two troubles and not one that lasts. Longer than
/// an SMSC waits before it sends again, so that one that lasts is not taken for many where few messages come.
const APART: Duration = Duration::from_mins(10);

/// The watch over one session.
#[derive(Debug)]
pub(super) struct Pause {
    most: Duration,
    /// The first and the last of the refusals that belong together.
    refusing: Option<(Instant, Instant)>,
    next_trial: Option<Instant>,
}

impl Pause {
    /// Temporary errors for `most` are enough.
    pub(super) fn new(most: Duration) -> Self {
        Self { most, refusing: None, next_trial: None }
    }

    /// Whether messages are left with the SMSC.
    pub(super) fn is_on(&self) -> bool {
        self.next_trial.is_some()
    }

    /// A message could not be stored. `true` when the pause begins with it.
    pub(super) fn refused(&mut self, now: Instant) -> bool {
        let apart = APART.max(self.most);
        let since = self.refusing.filter(|(_, last)| now < *last + apart).map_or(now, |(since, _)| since);
        self.refusing = Some((since, now));
        let begins = !self.is_on() && now >= since + self.most;
        if begins || self.is_on() {
            self.next_trial = Some(now + TRIALS);
        }
        begins
    }

    /// A message was stored. `true` when a pause ends with it.
    pub(super) fn stored(&mut self) -> bool {
        self.refusing = None;
        self.next_trial.take().is_some()
    }

    /// Whether one more message may be tried, when so many are undecided.
    pub(super) fn admits(&self, none_is_open: bool, now: Instant) -> bool {
        self.next_trial.is_none_or(|trial| none_is_open && now >= trial)
    }

    /// When the next trial is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next_trial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_takes_nothing_for_long_is_tried_with_one_message_at_a_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pause = Pause::new(Duration::from_secs(30));
        assert!(!pause.refused(at(0)) && !pause.refused(at(29)) && pause.admits(false, at(29)));
        assert!(!pause.stored(), "one that was stored begins the count anew");
        assert!(!pause.refused(at(30)) && !pause.refused(at(59)) && pause.refused(at(60)));
        assert!(pause.is_on() && !pause.admits(true, at(61)) && pause.due() == Some(at(62)));
        assert!(pause.admits(true, at(62)) && !pause.admits(false, at(62)));
        assert!(!pause.refused(at(62)) && !pause.admits(true, at(63)) && pause.admits(true, at(64)));
        assert!(pause.stored() && !pause.is_on() && pause.admits(false, at(64)));
    }

    #[test]
    fn refusals_hours_apart_do_not_add_up() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pause = Pause::new(Duration::from_secs(30));
        for hour in 0..5 {
            assert!(!pause.refused(at(3_600 * hour)) && !pause.is_on(), "hour {hour}");
        }
        assert!(!pause.refused(at(14_420)) && pause.refused(at(14_430)), "but those of one trouble do");
        let mut slow = Pause::new(Duration::from_hours(1));
        assert!(!slow.refused(at(0)) && !slow.refused(at(1_800)) && slow.refused(at(3_600)));
    }
}
