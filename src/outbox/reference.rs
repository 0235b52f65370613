//! References of long texts: a phone puts together what has the same sender and reference, so two texts on their way to
//! one phone must never share one. Counted for each destination and not for each line, in a table of fixed size.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::message::RawAddress;

/// Destinations with the same place in the table share a counter, which does no harm: it goes on faster.
const PLACES: usize = 1 << 16;

/// The counters of one carrier.
pub(super) struct References {
    /// The number of this start.
    epoch: i64,
    last: Vec<u16>,
}

impl References {
    /// Nobody has been sent anything yet in this start.
    pub(super) fn new(epoch: i64) -> Self {
        Self { epoch, last: vec![0; PLACES] }
    }

    /// What stands for a destination in this process.
    pub(super) fn token(&self, destination: &RawAddress) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.epoch, &destination.octets).hash(&mut hasher);
        hasher.finish()
    }

    /// The next reference for a destination. Where a carrier's form has room for 8 bits only, the lower ones differ, too:
    /// the same comes back after 256 long texts.
    pub(super) fn next(&mut self, destination: &RawAddress) -> u16 {
        let token = self.token(destination);
        let last = &mut self.last[token as usize % PLACES];
        *last = last.wrapping_add(1);
        // Each start, and each destination, begins elsewhere.
        *last ^ (token >> 32) as u16
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn phone(n: u32) -> RawAddress {
        RawAddress { ton: 1, npi: 1, octets: format!("845200{n:05}").into_bytes() }
    }

    #[test]
    fn texts_to_one_phone_differ_in_their_references_whatever_goes_to_others() {
        let mut references = References::new(1);
        let mut seen = HashSet::new();
        for n in 0..256 {
            assert!(seen.insert(references.next(&phone(0)) as u8), "{n}");
            if n % 7 == 0 {
                references.next(&phone(n + 1));
            }
        }
        let mut seen = HashSet::new();
        assert!((0..65_536).all(|_| seen.insert(references.next(&phone(9)))));
    }
}
