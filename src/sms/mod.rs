//! Pure text: alphabets, segments, headers, joining, folding of Vietnamese marks. Knows no socket.
//!
//! Inward: [`read_udh`] cuts the header off a part, [`join`] or [`decode`] makes its octets a text,
//! [`fold_for_reading`] makes that text simple enough for a grammar. Outward: [`plain`] takes the marks off where the
//! cheaper alphabet is wanted.

mod charset;
mod decode;
mod fold;
mod gsm;
mod udh;

pub use decode::{DefaultAlphabet, NotText, decode, join};
pub use fold::{fold_for_reading, plain};
pub use udh::{BadUdh, Udh, read_udh};
