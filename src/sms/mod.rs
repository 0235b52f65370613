//! Pure text: alphabets, segments, headers, joining, folding of Vietnamese marks. Knows no socket.
//!
//! Inward: [`read_udh`] cuts the header off a part, [`join`] or [`decode`] makes its octets a text,
//! [`fold_for_reading`] makes that text simple enough for a grammar. Outward: [`plain`] takes the marks off where the
//! cheaper alphabet is wanted, [`measure`] says what a text costs, [`split`] makes the segments.

mod charset;
mod decode;
mod fold;
mod gsm;
mod national;
mod oddity;
mod segment;
mod udh;
mod wire;

#[cfg(test)]
mod tests;

pub use decode::{BinaryText, ByteOrder, Codings, DefaultAlphabet, NotText, Piece, decode, join};
pub use fold::{fold_for_reading, plain};
pub use oddity::{Oddity, oddities};
pub use segment::{CannotEncode, Measure, encode, measure, split};
pub use udh::{BadUdh, Form, Udh, read_udh};
pub use wire::{Split, WireForm};
