//! What a text costs on the air, and the segments it is sent in (3GPP TS 23.040, 9.2.3.24.1).

use super::{fold, gsm};
use crate::message::{Alphabet, Segment};

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// GSM if it has every character of the text, else UCS-2.
    pub alphabet: Alphabet,
    /// How many segments, from 1 (an empty text is sent in one). May exceed what [`split`] will make.
    pub segments: usize,
    /// Characters.
    pub chars: usize,
    /// Septets, or UTF-16 units, headers left out.
    pub units: usize,
}

/// How the segments of a long text are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Split {
    /// By a user data header with an 8-bit reference.
    #[default]
    Udh8,
    /// By a user data header with a 16-bit reference.
    Udh16,
    /// By the SAR parameters (SMPP 3.4, 5.3.2.22 to 24).
    Sar,
    /// Not by us: the whole text in a message_payload, for the SMSC to cut.
    Payload,
    /// Not at all: segments without a mark, each readable alone.
    None,
}

/// How a carrier wants texts coded and cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct WireForm {
    /// The alphabet that data_coding 0 means.
    pub default: super::DefaultAlphabet,
    /// How segments are told apart.
    pub split: Split,
    /// Septets (or UTF-16 units) left free in each segment.
    pub slack: u8,
    /// data_coding of texts in the default alphabet.
    pub gsm_coding: u8,
    /// data_coding of texts in UCS-2.
    pub ucs2_coding: u8,
}

/// A text that cannot be sent as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEncode {
    /// It has a character that GSM 03.38 lacks: fold it with [`super::plain`], or send it in UCS-2.
    #[error("a character is not in the GSM alphabet")]
    NotInGsm,
    /// It takes more than 255 segments, and their total is one octet: shorten it.
    #[error("the text takes {0} segments, 255 can be numbered")]
    TooLong(usize),
}

/// Measures a text, in NFC, as [`split`] in the same alphabet would cut it.
pub fn measure(text: &str) -> Measure {
    let text = fold::nfc(text);
    let (alphabet, units) = match units(&text, Alphabet::Gsm7) {
        Some(septets) => (Alphabet::Gsm7, septets),
        None => (Alphabet::Ucs2, text.chars().map(char::len_utf16).sum()),
    };
    Measure { alphabet, segments: Pieces::count_of(&text, alphabet, units), chars: text.chars().count(), units }
}

/// The segments of a text, in NFC: one without a header, or several, each with the header 05 00 03 `reference` total
/// index. No segment ends between an escape and its partner, or inside a surrogate pair.
///
/// # Errors
/// [`CannotEncode`] says whether to fold the text or to shorten it.
pub fn split(text: &str, alphabet: Alphabet, reference: u8) -> Result<Vec<Segment>, CannotEncode> {
    let text = fold::nfc(text);
    let units = units(&text, alphabet).ok_or(CannotEncode::NotInGsm)?;
    let data_coding = alphabet.data_coding();
    if units <= alone(alphabet) {
        let mut octets = Vec::with_capacity(octets_for(alphabet, units));
        append(&mut octets, &text, alphabet)?;
        return Ok(vec![Segment { data_coding, octets, ..Segment::default() }]);
    }
    let count = Pieces::count_of(&text, alphabet, units);
    let total = u8::try_from(count).map_err(|_| CannotEncode::TooLong(count))?;
    Pieces::new(&text, alphabet)
        .zip(1..=total)
        .map(|(piece, index)| {
            let mut octets = Vec::with_capacity(160);
            octets.extend_from_slice(&[0x05, 0x00, 0x03, reference, total, index]);
            append(&mut octets, piece, alphabet)?;
            Ok(Segment { data_coding, udhi: true, octets, ..Segment::default() })
        })
        .collect()
}

/// The octets of a whole text, in NFC, without any header: one septet an octet in GSM, UTF-16BE in UCS-2.
///
/// # Errors
/// [`CannotEncode::NotInGsm`]: fold the text, or send it in UCS-2.
pub fn encode(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, CannotEncode> {
    let text = fold::nfc(text);
    let mut octets = Vec::with_capacity(octets_for(alphabet, text.len()));
    append(&mut octets, &text, alphabet)?;
    Ok(octets)
}

fn append(octets: &mut Vec<u8>, text: &str, alphabet: Alphabet) -> Result<(), CannotEncode> {
    match alphabet {
        Alphabet::Gsm7 if text.chars().all(|c| gsm::push(octets, c)) => Ok(()),
        Alphabet::Gsm7 => Err(CannotEncode::NotInGsm),
        Alphabet::Ucs2 => {
            octets.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            Ok(())
        }
    }
}

/// Septets or UTF-16 units of one character. `None` if the alphabet lacks it.
fn size(c: char, alphabet: Alphabet) -> Option<usize> {
    match alphabet {
        Alphabet::Gsm7 => gsm::septets(c),
        Alphabet::Ucs2 => Some(c.len_utf16()),
    }
}

fn units(text: &str, alphabet: Alphabet) -> Option<usize> {
    text.chars().map(|c| size(c, alphabet)).sum()
}

/// Units in a text that is sent in one segment.
const fn alone(alphabet: Alphabet) -> usize {
    match alphabet {
        Alphabet::Gsm7 => 160,
        Alphabet::Ucs2 => 70,
    }
}

/// Units in one segment of several, the header's six octets taken off (and one bit of filling in GSM).
const fn together(alphabet: Alphabet) -> usize {
    match alphabet {
        Alphabet::Gsm7 => 153,
        Alphabet::Ucs2 => 67,
    }
}

const fn octets_for(alphabet: Alphabet, units: usize) -> usize {
    match alphabet {
        Alphabet::Gsm7 => units,
        Alphabet::Ucs2 => units * 2,
    }
}

/// A long text, cut where its segments end.
struct Pieces<'a> {
    rest: &'a str,
    alphabet: Alphabet,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a str, alphabet: Alphabet) -> Self {
        Self { rest: text, alphabet }
    }

    fn count_of(text: &'a str, alphabet: Alphabet, units: usize) -> usize {
        if units <= alone(alphabet) { 1 } else { Self::new(text, alphabet).count() }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let mut room = together(self.alphabet);
        let end = self.rest.char_indices().find_map(|(at, c)| {
            match room.checked_sub(size(c, self.alphabet).unwrap_or_default()) {
                Some(left) => {
                    room = left;
                    None
                }
                None => Some(at),
            }
        });
        let (piece, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Alphabet::{Gsm7, Ucs2};

    #[test]
    fn texts_are_measured_at_every_edge() {
        let a = |n: usize| "a".repeat(n);
        for (label, text, alphabet, segments, chars, units) in [
            ("empty", String::new(), Gsm7, 1, 0, 0),
            ("one full", a(160), Gsm7, 1, 160, 160),
            ("one more", a(161), Gsm7, 2, 161, 161),
            ("two full", a(306), Gsm7, 2, 306, 306),
            ("three", a(307), Gsm7, 3, 307, 307),
            ("euro signs, one full", "€".repeat(80), Gsm7, 1, 80, 160),
            ("an escape would be cut", a(152) + "€" + &a(152), Gsm7, 3, 305, 306),
            ("an escape that just fits", a(151) + "€" + &a(153), Gsm7, 2, 305, 306),
            ("only escapes waste one septet a part", "€".repeat(153), Gsm7, 3, 153, 306),
            ("one Vietnamese letter", a(69) + "ế", Ucs2, 1, 70, 70),
            ("one more unit", a(70) + "ế", Ucs2, 2, 71, 71),
            ("two full in UCS-2", "ế".repeat(134), Ucs2, 2, 134, 134),
            ("three in UCS-2", "ế".repeat(135), Ucs2, 3, 135, 135),
            ("a pair would be cut", "ế".repeat(66) + "😀" + &"ế".repeat(66), Ucs2, 3, 133, 134),
            ("decomposed letters count once", "e\u{302}\u{301}".repeat(70), Ucs2, 1, 70, 70),
            ("decomposed, but in GSM when composed", "e\u{301}".repeat(160), Gsm7, 1, 160, 160),
        ] {
            assert_eq!(measure(&text), Measure { alphabet, segments, chars, units }, "{label}");
            assert_eq!(split(&text, alphabet, 1).map(|s| s.len()), Ok(segments), "{label}");
        }
    }

    #[test]
    fn one_segment_has_no_header() {
        let expected = Segment { data_coding: 0, octets: b"TTCD\x00\x1B\x65".to_vec(), ..Segment::default() };
        assert_eq!(split("TTCD@€", Gsm7, 9), Ok(vec![expected]));
        let expected =
            Segment { data_coding: 8, octets: b"\0T\x1E\xBF\xD8\x3D\xDE\x00".to_vec(), ..Segment::default() };
        assert_eq!(split("Tế😀", Ucs2, 9), Ok(vec![expected]));
    }

    #[test]
    fn several_segments_are_numbered() {
        let segments = split(&"a".repeat(200), Gsm7, 0x2A).unwrap();
        assert_eq!(segments.len(), 2);
        assert!(segments.iter().all(|s| s.udhi && s.data_coding == 0));
        assert_eq!(segments[0].octets[..6], [5, 0, 3, 0x2A, 2, 1]);
        assert_eq!(segments[1].octets[..6], [5, 0, 3, 0x2A, 2, 2]);
        assert_eq!((segments[0].octets.len(), segments[1].octets.len()), (159, 53));
    }

    #[test]
    fn an_escape_and_a_pair_stay_whole() {
        let segments = split(&("a".repeat(152) + "€" + &"a".repeat(152)), Gsm7, 1).unwrap();
        assert_eq!(segments[0].octets.last(), Some(&b'a'));
        assert_eq!(segments[1].octets[6..8], [0x1B, 0x65]);
        let segments = split(&("ế".repeat(66) + "😀" + &"ế".repeat(66)), Ucs2, 1).unwrap();
        assert_eq!(segments[0].octets.len(), 6 + 132);
        assert_eq!(segments[1].octets[6..10], [0xD8, 0x3D, 0xDE, 0x00]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(split("nữ", Gsm7, 1), Err(CannotEncode::NotInGsm));
        assert_eq!(encode("nữ", Gsm7), Err(CannotEncode::NotInGsm));
        assert_eq!(split(&"a".repeat(255 * 153), Gsm7, 1).map(|s| s.len()), Ok(255));
        assert_eq!(split(&"a".repeat(255 * 153 + 1), Gsm7, 1), Err(CannotEncode::TooLong(256)));
        assert_eq!(split(&"ế".repeat(255 * 67 + 1), Ucs2, 1), Err(CannotEncode::TooLong(256)));
        assert_eq!(measure(&"a".repeat(255 * 153 + 1)).segments, 256);
    }
}
