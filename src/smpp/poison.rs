//! Messages that cannot be read and come again and again: an SMSC may send one for days.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::frame::Frame;

/// Messages that are remembered, by their hash.
const KEPT: usize = 256;
/// How often one must come.
const OFTEN: u8 = 3;

/// What came already, over all sessions of a line.
#[derive(Debug, Default)]
pub(super) struct Poison(VecDeque<(u64, u8)>);

impl Poison {
    /// Counts a message; `true` the third time it comes, whatever its sequence_number is.
    pub(super) fn again(&mut self, frame: &Frame) -> bool {
        let mut hasher = DefaultHasher::new();
        (frame.command_id, frame.body()).hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, times)) = self.0.iter_mut().find(|(seen, _)| *seen == hash) {
            *times = times.saturating_add(1);
            return *times == OFTEN;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((hash, 1));
        false
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::smpp::{frame::next_frame, tests::pdu};

    #[test]
    fn the_third_time_is_noticed_once_and_memory_is_bounded() {
        let frame =
            |sequence, body: &[u8]| next_frame(&mut BytesMut::from(&*pdu(5, 0, sequence, body))).unwrap().unwrap();
        let mut poison = Poison::default();
        let again: Vec<bool> = (1..=5).map(|sequence| poison.again(&frame(sequence, b"broken"))).collect();
        assert_eq!(again, [false, false, true, false, false]);
        for other in 0..1_000_u32 {
            assert!(!poison.again(&frame(9, &other.to_be_bytes())));
        }
        assert_eq!(poison.0.len(), KEPT);
    }
}
