//! Time and chance, handed in. No room asks the system for either: a test can then hold both still.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use jiff::tz::TimeZone;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A moment: microseconds since 1970-01-01T00:00:00Z. Stored as it is, in BIGINT columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub i64);

impl Micros {
    /// The moment `seconds` later (earlier when negative); saturates at the ends of the range.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Microseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment in a zone, for people and files. `None` outside the years jiff can show.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_microsecond(self.0).ok().map(|at| at.to_zoned(zone.clone()))
    }
}

/// Where the time of day comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved, for tests and for reproducible samples.
    Fixed(Arc<AtomicI64>),
    /// A clock that goes with the timers: it stood at this moment at that instant. Where the timers' time is a
    /// simulation's, so is the time of day.
    Timers(Micros, tokio::time::Instant),
}

impl Clock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn fixed(at: Micros) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.0)))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Micros {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
            Self::System => Micros(jiff::Timestamp::now().as_microsecond()),
            Self::Fixed(at) => Micros(at.load(Ordering::Acquire)),
            Self::Timers(at, since) => Micros(at.0.saturating_add(since.elapsed().as_micros() as i64)),
        }
    }

    /// Moves a fixed clock forward; the others are left alone.
    pub fn advance(&self, micros: i64) {
        if let Self::Fixed(at) = self {
            at.fetch_add(micros, Ordering::AcqRel);
        }
    }
}

/// The one generator of chance: jitter, references, sample data. Never used for keys or nonces.
#[derive(Clone, Debug)]
pub struct Chance(Arc<Mutex<ChaCha8Rng>>);

impl Chance {
    /// A generator that repeats itself for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(seed))))
    }

    /// A generator seeded by the operating system.
    #[must_use]
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(ChaCha8Rng::from_os_rng())))
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..bound)
    }

    /// `value` moved by at most `percent` of itself, either way.
    pub fn jitter(&self, value: std::time::Duration, percent: u32) -> std::time::Duration {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX / 4);
        let spread = micros / 100 * u64::from(percent);
        std::time::Duration::from_micros(micros - spread + self.below(spread * 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(Micros(5));
        assert_eq!(clock.now(), Micros(5));
        clock.clone().advance(7);
        assert_eq!(clock.now(), Micros(12));
    }

    #[test]
    fn chance_repeats_itself_for_a_seed_and_jitter_stays_in_its_band() {
        let draw = |seed| (0..8).map(|_| Chance::seeded(seed).below(1_000)).collect::<Vec<_>>();
        assert_eq!(draw(7), draw(7));
        let chance = Chance::seeded(1);
        for _ in 0..100 {
            let waited = chance.jitter(std::time::Duration::from_secs(10), 20).as_secs_f64();
            assert!((8.0..=12.01).contains(&waited), "{waited}");
        }
    }
}
