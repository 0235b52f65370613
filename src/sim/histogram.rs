//! Waiting times in buckets of fixed bounds: 64 to each doubling, so a percentile is off by less than 2 %.

use std::time::Duration;

/// Buckets to each doubling.
const STEPS: u64 = 64;
/// 2^36 microseconds, about 19 hours; longer times fall into the last bucket.
const DOUBLINGS: usize = 36;

/// A histogram of waiting times, in microseconds. Its size does not depend on what it holds.
#[derive(Clone)]
pub(super) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u64,
    greatest: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { buckets: vec![0; STEPS as usize * (DOUBLINGS - 4)], count: 0, sum: 0, greatest: 0 }
    }

    pub(super) fn record(&mut self, waited: Duration) {
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        let place = Self::place(micros).min(self.buckets.len() - 1);
        self.buckets[place] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(micros);
        self.greatest = self.greatest.max(micros);
    }

    /// The time that `per_mille` thousandths of the recorded ones do not exceed, as the upper bound of its bucket;
    /// 0 when nothing is recorded.
    pub(super) fn percentile(&self, per_mille: u64) -> u64 {
        let wanted = (self.count * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (place, held) in self.buckets.iter().enumerate() {
            seen += held;
            if seen >= wanted {
                return Self::upper_bound(place).min(self.greatest);
            }
        }
        self.greatest
    }

    pub(super) fn greatest(&self) -> u64 {
        self.greatest
    }

    pub(super) fn mean(&self) -> u64 {
        self.sum.checked_div(self.count).unwrap_or(0)
    }

    /// Values below 128 have a bucket each; above, the seven leading bits of the value choose it.
    fn place(micros: u64) -> usize {
        let shift = (micros | 1).ilog2().saturating_sub(6);
        (u64::from(shift) * STEPS + (micros >> shift)) as usize
    }

    fn upper_bound(place: usize) -> u64 {
        let place = place as u64;
        let shift = (place / STEPS).saturating_sub(1);
        ((place - shift * STEPS + 1) << shift) - 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket_and_the_bucket_is_narrow(micros in 0_u64..(1 << 36)) {
            let place = Histogram::place(micros);
            let upper = Histogram::upper_bound(place);
            prop_assert!(place < Histogram::new().buckets.len());
            prop_assert!(micros <= upper && upper - micros <= micros / 64, "{micros} in bucket to {upper}");
            prop_assert!(place == 0 || Histogram::upper_bound(place - 1) < micros);
        }

        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut waits in prop::collection::vec(0_u64..5_000_000, 1..200), per_mille in 1_u64..=1_000) {
            let mut histogram = Histogram::new();
            for micros in &waits {
                histogram.record(Duration::from_micros(*micros));
            }
            waits.sort_unstable();
            let exact = waits[(waits.len() as u64 * per_mille).div_ceil(1_000) as usize - 1];
            let found = histogram.percentile(per_mille);
            prop_assert!(found >= exact && found - exact <= exact / 64, "{found} for {exact}");
            prop_assert_eq!(histogram.greatest(), waits[waits.len() - 1]);
        }
    }

    #[test]
    fn an_empty_histogram_says_zero_and_a_day_does_not_overflow_it() {
        let mut histogram = Histogram::new();
        assert_eq!((histogram.percentile(500), histogram.greatest(), histogram.mean()), (0, 0, 0));
        histogram.record(Duration::from_hours(720));
        assert_eq!(histogram.percentile(999), Histogram::upper_bound(histogram.buckets.len() - 1));
        assert_eq!(histogram.greatest(), 86_400_000_000 * 30);
    }
}
