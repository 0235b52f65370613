//! Watches for silence: enquire_link after a while without any PDU, and the end after two without an answer.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Line;

/// How many unanswered enquire_link end the session.
const MISSES: u8 = 2;

/// What the silence calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Send an enquire_link now.
    Ask,
    /// The peer is gone.
    Dead,
}

/// The watch over one session.
#[derive(Debug)]
pub(super) struct KeepAlive {
    after: Duration,
    timeout: Duration,
    heard: Instant,
    asked: Option<Instant>,
    sequence: u32,
    misses: u8,
    refused: bool,
}

impl KeepAlive {
    /// Begins the watch.
    pub(super) fn new(settings: &Line, now: Instant) -> Self {
        Self {
            after: settings.enquire_after,
            timeout: settings.enquire_timeout,
            heard: now,
            asked: None,
            sequence: 0,
            misses: 0,
            refused: false,
        }
    }

    /// A PDU came: any is a sign of life (SMPP 5.0, 4.1.2).
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
        self.misses = 0;
    }

    /// An enquire_link left.
    pub(super) fn asked(&mut self, sequence: u32, now: Instant) {
        self.asked = Some(now);
        self.sequence = sequence;
    }

    /// Whether the last enquire_link had this number.
    pub(super) fn is_ours(&self, sequence: u32) -> bool {
        self.sequence != 0 && self.sequence == sequence
    }

    /// Whether this answers the last enquire_link, for the first time.
    pub(super) fn answered(&mut self, sequence: u32) -> bool {
        let ours = self.is_ours(sequence);
        if ours {
            self.sequence = 0;
        }
        ours
    }

    /// The SMSC does not know enquire_link: it lives, and is not asked again.
    pub(super) fn refused(&mut self) {
        self.refused = true;
        self.asked = None;
    }

    /// Whether an enquire_link was left unanswered just now.
    pub(super) fn missed(&self) -> bool {
        self.misses > 0
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.asked {
            _ if self.refused => None,
            Some(asked) => Some(asked + self.timeout),
            None => Some(self.heard + self.after),
        }
    }

    /// What to do at this moment.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        if self.due().is_none_or(|due| now < due) {
            return Step::Wait;
        }
        if self.asked.take().is_some() {
            self.misses += 1;
            if self.misses >= MISSES {
                return Step::Dead;
            }
        }
        Step::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(now: Instant) -> KeepAlive {
        KeepAlive {
            after: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
            heard: now,
            asked: None,
            sequence: 0,
            misses: 0,
            refused: false,
        }
    }

    #[test]
    fn two_misses_end_the_session_and_any_pdu_clears_them() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = watch(start);
        assert_eq!(watch.step(at(19)), Step::Wait);
        assert_eq!(watch.step(at(20)), Step::Ask);
        watch.asked(2, at(20));
        assert_eq!(watch.step(at(29)), Step::Wait);
        assert_eq!(watch.step(at(30)), Step::Ask, "one miss");
        watch.asked(3, at(30));
        watch.heard(at(31));
        assert_eq!(watch.step(at(50)), Step::Wait);
        assert_eq!(watch.step(at(51)), Step::Ask);
        watch.asked(4, at(51));
        assert_eq!(watch.step(at(61)), Step::Ask);
        watch.asked(5, at(61));
        assert_eq!(watch.step(at(71)), Step::Dead);
    }

    #[test]
    fn a_peer_without_enquire_link_is_not_asked_again() {
        let start = Instant::now();
        let mut watch = watch(start);
        watch.asked(7, start);
        assert!(watch.is_ours(7) && !watch.is_ours(8));
        watch.refused();
        assert_eq!((watch.due(), watch.step(start + Duration::from_hours(1))), (None, Step::Wait));
    }
}
