//! Keys of rows: (writer epoch, n) in one signed 64-bit number, in commit order.

use uuid::Uuid;

use crate::clock::Micros;

/// Bits of the epoch in a key; the rest (40 bits, 10^12 rows an epoch) is n.
pub const EPOCH_BITS: u32 = 22;
const N_BITS: u32 = 40;
const N_MASK: i64 = (1 << N_BITS) - 1;

/// A row's key. Greater means later within an epoch; epochs are the starts of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub i64);

impl RowKey {
    /// Packs an epoch (below 2^22) and a number (below 2^40). Larger values are cut: see [`EPOCH_BITS`].
    #[must_use]
    pub fn new(epoch: i64, n: i64) -> Self {
        Self(((epoch & ((1 << EPOCH_BITS) - 1)) << N_BITS) | (n & N_MASK))
    }

    /// The start of a process in which this row was written.
    pub fn epoch(self) -> i64 {
        self.0 >> N_BITS
    }

    /// The row's number within its epoch.
    pub fn n(self) -> i64 {
        self.0 & N_MASK
    }

    /// The identifier outsiders see: a UUID version 7 (RFC 9562) made of the moment, what it names (`kind`: 0
    /// exchange, 1 MO record, 2 MT record) and this key. The same row gives the same text for ever.
    pub fn uuid(self, at: Micros, kind: u8) -> Uuid {
        let ms = u64::try_from(at.0 / 1_000).unwrap_or(0);
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        bytes[6] = 0x70;
        bytes[7] = kind;
        bytes[8..].copy_from_slice(&self.0.to_be_bytes());
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_epoch_then_number_and_unpack() {
        let a = RowKey::new(1, 900_000_000_000);
        let b = RowKey::new(2, 1);
        assert!(a < b && b < RowKey::new(2, 2));
        assert_eq!((a.epoch(), a.n()), (1, 900_000_000_000));
        assert_eq!(RowKey::new((1 << EPOCH_BITS) - 1, 5).epoch(), (1 << EPOCH_BITS) - 1);
    }

    #[test]
    fn the_uuid_is_a_version_7_and_tells_kinds_apart() {
        let key = RowKey::new(3, 42);
        let at = Micros(1_790_000_000_123_456);
        let exchange = key.uuid(at, 0);
        assert_eq!(exchange.get_version_num(), 7);
        assert_eq!(exchange, key.uuid(at, 0));
        assert_ne!(exchange, key.uuid(at, 1));
        assert_ne!(exchange, RowKey::new(3, 43).uuid(at, 0));
    }
}
