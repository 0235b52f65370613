//! What is worth a line in the log now and then, and not each time it happens.

use std::{mem, time::Duration};

use tokio::time::Instant;

/// The time between two lines in the log at least.
const PAUSE: Duration = Duration::from_mins(10);

/// Something that may happen very often.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    told: Option<Instant>,
    count: u64,
}

impl Seldom {
    /// It happened. How often it did since it was told last, when it is to be told now.
    pub(super) fn happened(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.told.is_some_and(|at| now < at + PAUSE) {
            return None;
        }
        self.told = Some(now);
        Some(mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_told_seldom_and_none_of_it_is_left_out() {
        let (mut seldom, start) = (Seldom::default(), Instant::now());
        let told: Vec<_> = [0, 1, 599, 600, 601, 1_200, 1_801]
            .map(|seconds| seldom.happened(start + Duration::from_secs(seconds)))
            .into_iter()
            .collect();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2), Some(1)]);
    }
}
