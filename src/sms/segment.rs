//! What a text costs on the air, and the segments it is sent in (3GPP TS 23.040, 9.2.3.24.1).

use super::{
    fold,
    wire::{self, Split, Wire, WireForm},
};
use crate::message::{Alphabet, Concat, ConcatKind, Segment};

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The carrier's default alphabet if that has every character of the text, else UCS-2.
    pub alphabet: Alphabet,
    /// How many segments, from 1 (an empty text is sent in one). May exceed what [`split`] will make.
    pub segments: usize,
    /// Characters.
    pub chars: usize,
    /// Septets, or UTF-16 units, headers left out.
    pub units: usize,
}

/// A text that cannot be sent as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEncode {
    /// It has a character that the default alphabet lacks: fold it with [`super::plain`], or send it in UCS-2.
    #[error("a character is not in the GSM alphabet")]
    NotInGsm,
    /// It takes more than 255 segments, and their total is one octet: shorten it.
    #[error("the text takes {0} segments, 255 can be numbered")]
    TooLong(usize),
}

/// Measures a text, in NFC, as [`split`] in the same alphabet and form would cut it.
///
/// A text that the SMSC is to cut itself ([`Split::Payload`]) is measured as it will go over the air: as if cut here by
/// a header with an 8-bit reference.
pub fn measure(text: &str, form: &WireForm) -> Measure {
    let text = fold::nfc(text);
    let gsm = Wire::new(Alphabet::Gsm7, *form);
    let (wire, size) = if let Some(size) = gsm.size(&text) {
        (gsm, size)
    } else {
        let ucs2 = Wire::new(Alphabet::Ucs2, *form);
        (ucs2, ucs2.size(&text).unwrap_or_default())
    };
    let segments = Pieces::count_of(&text, wire, size);
    Measure { alphabet: wire.alphabet, segments, chars: text.chars().count(), units: size.units }
}

/// The segments of a text, in NFC, in a carrier's form: one without a mark, or several, told apart as the form says. No
/// segment ends between an escape and its partner, or inside a surrogate pair.
///
/// # Errors
/// [`CannotEncode`] says whether to fold the text or to shorten it.
pub fn split(text: &str, alphabet: Alphabet, form: &WireForm, reference: u16) -> Result<Vec<Segment>, CannotEncode> {
    let text = fold::nfc(text);
    let wire = Wire::new(alphabet, *form);
    let size = wire.size(&text).ok_or(CannotEncode::NotInGsm)?;
    let data_coding = wire.data_coding;
    if wire.alone().holds(size) {
        let mut octets = Vec::with_capacity(size.octets);
        wire.append(&mut octets, 0, &text)?;
        return Ok(vec![Segment { data_coding, octets, ..Segment::default() }]);
    }
    let count = Pieces::count_of(&text, wire, size);
    let total = u8::try_from(count).map_err(|_| CannotEncode::TooLong(count))?;
    if form.split == Split::Payload {
        let mut octets = Vec::with_capacity(size.octets);
        wire.append(&mut octets, 0, &text)?;
        return Ok(vec![Segment { data_coding, octets, payload: true, ..Segment::default() }]);
    }
    let segment = |(piece, index): (&str, u8)| {
        let mut octets = Vec::with_capacity(wire::LONGEST);
        let [high, low] = reference.to_be_bytes();
        match form.split {
            Split::Udh8 => octets.extend_from_slice(&[0x05, 0x00, 0x03, low, total, index]),
            Split::Udh16 => octets.extend_from_slice(&[0x06, 0x08, 0x04, high, low, total, index]),
            Split::Sar | Split::Payload | Split::None => {}
        }
        let header = octets.len();
        wire.append(&mut octets, header, piece)?;
        let sar = (form.split == Split::Sar).then_some(Concat { kind: ConcatKind::Sar, reference, total, index });
        Ok(Segment { data_coding, udhi: header > 0, octets, sar, payload: false })
    };
    Pieces::new(&text, wire).zip(1..=total).map(segment).collect()
}

/// The octets of a whole text, in NFC, without any header: one septet an octet in GSM, UTF-16BE in UCS-2.
///
/// # Errors
/// [`CannotEncode::NotInGsm`]: fold the text, or send it in UCS-2.
pub fn encode(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, CannotEncode> {
    let mut octets = Vec::with_capacity(text.len());
    Wire::new(alphabet, WireForm::USUAL).append(&mut octets, 0, &fold::nfc(text))?;
    Ok(octets)
}

/// A long text, cut where its segments end.
struct Pieces<'a> {
    rest: &'a str,
    wire: Wire,
}

impl<'a> Pieces<'a> {
    fn new(text: &'a str, wire: Wire) -> Self {
        Self { rest: text, wire }
    }

    fn count_of(text: &'a str, wire: Wire, size: wire::Size) -> usize {
        if wire.alone().holds(size) { 1 } else { Self::new(text, wire).count() }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let mut room = self.wire.together();
        let size_of = |c| self.wire.size_of(c).unwrap_or_default();
        let end = self.rest.char_indices().find(|(_, c)| !room.take(size_of(*c))).map(|(at, _)| at);
        let (piece, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Alphabet::{Gsm7, Ucs2};

    const FORM: WireForm = WireForm::USUAL;

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
            assert_eq!(measure(&text, &FORM), Measure { alphabet, segments, chars, units }, "{label}");
            assert_eq!(split(&text, alphabet, &FORM, 1).map(|s| s.len()), Ok(segments), "{label}");
        }
    }

    #[test]
    fn one_segment_has_no_header() {
        let expected = Segment { data_coding: 0, octets: b"TTCD\x00\x1B\x65".to_vec(), ..Segment::default() };
        assert_eq!(split("TTCD@€", Gsm7, &FORM, 9), Ok(vec![expected]));
        let expected =
            Segment { data_coding: 8, octets: b"\0T\x1E\xBF\xD8\x3D\xDE\x00".to_vec(), ..Segment::default() };
        assert_eq!(split("Tế😀", Ucs2, &FORM, 9), Ok(vec![expected]));
    }

    #[test]
    fn several_segments_are_numbered() {
        let segments = split(&"a".repeat(200), Gsm7, &FORM, 0x2A).unwrap();
        assert_eq!(segments.len(), 2);
        assert!(segments.iter().all(|s| s.udhi && s.data_coding == 0));
        assert_eq!(segments[0].octets[..6], [5, 0, 3, 0x2A, 2, 1]);
        assert_eq!(segments[1].octets[..6], [5, 0, 3, 0x2A, 2, 2]);
        assert_eq!((segments[0].octets.len(), segments[1].octets.len()), (159, 53));
    }

    #[test]
    fn an_escape_and_a_pair_stay_whole() {
        let segments = split(&("a".repeat(152) + "€" + &"a".repeat(152)), Gsm7, &FORM, 1).unwrap();
        assert_eq!(segments[0].octets.last(), Some(&b'a'));
        assert_eq!(segments[1].octets[6..8], [0x1B, 0x65]);
        let segments = split(&("ế".repeat(66) + "😀" + &"ế".repeat(66)), Ucs2, &FORM, 1).unwrap();
        assert_eq!(segments[0].octets.len(), 6 + 132);
        assert_eq!(segments[1].octets[6..10], [0xD8, 0x3D, 0xDE, 0x00]);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(split("nữ", Gsm7, &FORM, 1), Err(CannotEncode::NotInGsm));
        assert_eq!(encode("nữ", Gsm7), Err(CannotEncode::NotInGsm));
        assert_eq!(split(&"a".repeat(255 * 153), Gsm7, &FORM, 1).map(|s| s.len()), Ok(255));
        assert_eq!(split(&"a".repeat(255 * 153 + 1), Gsm7, &FORM, 1), Err(CannotEncode::TooLong(256)));
        assert_eq!(split(&"ế".repeat(255 * 67 + 1), Ucs2, &FORM, 1), Err(CannotEncode::TooLong(256)));
        assert_eq!(measure(&"a".repeat(255 * 153 + 1), &FORM).segments, 256);
    }
}
