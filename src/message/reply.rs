//! What is sent back.

use super::{Concat, Masked};

/// The coding of an outgoing text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// GSM 03.38 default alphabet with its extension table: 160 septets alone, 153 a part.
    Gsm7,
    /// UCS-2 (UTF-16BE on the wire): 70 units alone, 67 a part.
    Ucs2,
}

impl Alphabet {
    /// The word in billing records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM7",
            Self::Ucs2 => "UCS2",
        }
    }

    /// The data_coding on the wire (SMPP 3.4, 5.2.19).
    pub fn data_coding(self) -> u8 {
        match self {
            Self::Gsm7 => 0x00,
            Self::Ucs2 => 0x08,
        }
    }
}

/// A reply's text and its measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The text, NFC, folded already where the alphabet wants it.
    pub text: Masked,
    /// How it will be coded.
    pub alphabet: Alphabet,
    /// How many physical messages it takes, from 1.
    pub segments: u8,
    /// Its length in characters.
    pub chars: u16,
    /// The version of the template set it was made from: the first 8 octets of the set's SHA-256.
    pub template_version: i64,
}

/// One physical message of a reply, as it goes on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// data_coding.
    pub data_coding: u8,
    /// Whether `octets` begin with a user data header.
    pub udhi: bool,
    /// short_message: at most 254 octets; or message_payload.
    pub octets: Vec<u8>,
    /// Its place by the SAR parameters.
    pub sar: Option<Concat>,
    /// It goes out as message_payload with an empty short_message.
    pub payload: bool,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Segment(<{} octets>)", self.octets.len())
    }
}
