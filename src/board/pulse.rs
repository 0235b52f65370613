//! Signs of life of the parts that must never stand still: the event loop, the writer, the desk, the outboxes, the lines.
//! A part gives one with each turn of its own loop, so that a part that waits for ever is seen as well as one that spins.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// No sign is expected: the part has not begun, waits for something that has a deadline of its own, or has ended.
const AT_REST: u64 = u64::MAX;

/// One part's hand.
#[derive(Clone, Debug)]
pub struct Pulse {
    begin: Instant,
    /// Milliseconds from `begin` to the last sign.
    moved: Arc<AtomicU64>,
}

impl Pulse {
    fn new(begin: Instant) -> Self {
        Self { begin, moved: Arc::new(AtomicU64::new(AT_REST)) }
    }

    /// A sign of life; another is expected soon.
    pub fn beat(&self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&self, now: Instant) {
        self.moved.store(now.saturating_duration_since(self.begin).as_millis() as u64, Ordering::Relaxed);
    }

    /// No sign is expected until the next one.
    pub fn rest(&self) {
        self.moved.store(AT_REST, Ordering::Relaxed);
    }

    /// For how long it has given no sign.
    fn still(&self, now: Instant) -> Duration {
        match self.moved.load(Ordering::Relaxed) {
            AT_REST => Duration::ZERO,
            moved => now.saturating_duration_since(self.begin + Duration::from_millis(moved)),
        }
    }
}

/// A pulse that nobody watches.
impl Default for Pulse {
    fn default() -> Self {
        Self::new(Instant::now())
    }
}

/// The parts that are watched.
#[derive(Debug)]
pub struct Pulses {
    begin: Instant,
    parts: Mutex<Vec<(String, Pulse)>>,
}

impl Default for Pulses {
    fn default() -> Self {
        Self { begin: Instant::now(), parts: Mutex::default() }
    }
}

impl Pulses {
    /// Watches one more part, by the name people know it by. It is at rest until its first sign.
    pub fn add(&self, name: impl Into<String>) -> Pulse {
        let pulse = Pulse::new(self.begin);
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).push((name.into(), pulse.clone()));
        pulse
    }

    /// The parts that have given no sign for longer than this, and for how long.
    pub fn still(&self, now: Instant, most: Duration) -> Vec<(String, Duration)> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let still = parts.iter().map(|(name, pulse)| (name.clone(), pulse.still(now)));
        still.filter(|(_, since)| *since > most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_gives_no_sign_for_too_long_is_named_until_it_gives_one() {
        let (pulses, second) = (Pulses::default(), Duration::from_secs(1));
        let at = |seconds: u32| pulses.begin + second * seconds;
        let (desk, line) = (pulses.add("the desk"), pulses.add("line vtl/1"));
        assert!(pulses.still(at(100), second).is_empty(), "neither has begun");
        desk.beat_at(at(100));
        line.beat_at(at(104));
        assert!(pulses.still(at(105), second * 5).is_empty());
        assert_eq!(pulses.still(at(106), second * 5), [("the desk".to_owned(), second * 6)]);
        line.rest();
        desk.beat_at(at(107));
        assert!(pulses.still(at(112), second * 5).is_empty());
        assert_eq!(pulses.still(at(113), second * 5).len(), 1, "a part at rest is not expected to move");
        drop(desk.clone());
        assert_eq!(pulses.still(at(113), second * 5).len(), 1, "a part that went without a word is missed");
    }
}
