//! Chance, drawn from the seed alone. Each part of a run has a stream of its own, so that one part's draws do not move
//! another's.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use tracuu::clock::Chance;

/// One stream of draws.
#[derive(Clone)]
pub(crate) struct Dice(Chance);

impl Dice {
    /// The stream of this name.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, name).hash(&mut hasher);
        Self(Chance::seeded(hasher.finish()))
    }

    pub(crate) fn chance(&self) -> Chance {
        self.0.clone()
    }

    /// From `least` to `most`, both included.
    pub(crate) fn between(&self, least: u64, most: u64) -> u64 {
        least + self.0.below(most - least + 1)
    }

    pub(crate) fn millis(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    /// True so many times in a thousand.
    pub(crate) fn permille(&self, of: u64) -> bool {
        self.0.below(1_000) < of
    }

    pub(crate) fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.0.below(from.len() as u64) as usize]
    }

    /// Nothing three times in four, else up to `most`: most runs have few kinds of faults, and those come often.
    pub(crate) fn seldom(&self, most: u64) -> u64 {
        if self.permille(250) { self.between(1, most) } else { 0 }
    }
}
