//! From a part's data_coding and octets to a text.

use std::borrow::Cow;

use super::{charset::Charset, fold};

/// The alphabet behind data_coding 0: each carrier's own choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DefaultAlphabet {
    /// GSM 03.38, one septet an octet.
    #[default]
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// GSM 03.38, septets packed into octets (3GPP TS 23.038, 6.1.2.1).
    Packed,
    /// UTF-8.
    Utf8,
}

/// What octets under a binary data_coding (2, 4) are at a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BinaryText {
    /// Data, as the standard says.
    #[default]
    NotText,
    /// GSM 03.38, one septet an octet.
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16.
    Ucs2,
}

/// The order of octets under data_coding 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ByteOrder {
    /// By the mark, else by what gives letters, else big endian.
    #[default]
    Auto,
    /// Big endian, as the standard says.
    Big,
    /// Little endian.
    Little,
}

/// How a carrier codes the texts it hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Codings {
    /// data_coding 0.
    pub default: DefaultAlphabet,
    /// data_coding 1 is GSM 03.38 and not ASCII.
    pub one_is_gsm: bool,
    /// data_coding 2 and 4.
    pub binary: BinaryText,
    /// data_coding 8.
    pub ucs2: ByteOrder,
    /// Texts with a message class (F0-F3) are packed.
    pub class_is_packed: bool,
}

/// The octets are no text that can be read. Such a part is acknowledged and answered as misread; the octets are never
/// echoed. Each variant holds the data_coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// Eight-bit data.
    #[error("data_coding {0:#04x} says binary")]
    Binary(u8),
    /// Compressed text (3GPP TS 23.042), which no carrier is known to deliver.
    #[error("data_coding {0:#04x} says compressed")]
    Compressed(u8),
    /// A Japanese or Korean character set, or a reserved one.
    #[error("data_coding {0:#04x} names a character set that is not read here")]
    OtherSet(u8),
}

/// Reads the octets of a text that came in one part, its header cut off. The result is in NFC.
///
/// Octets that do not fit the coding they came under are read as well as can be: UTF-8 or Latin-1 under a seven-bit
/// alphabet, little endian under data_coding 8, U+FFFD for half of a surrogate pair.
///
/// # Errors
/// [`NotText`] if the data_coding names no character set that is read here: answer that the text was not understood.
pub fn decode(data_coding: u8, octets: &[u8], codings: Codings) -> Result<String, NotText> {
    Ok(fold::to_nfc(charset(data_coding, codings)?.read(octets)))
}

/// Reads a long text from the data_coding and octets of its parts, headers cut off, in order. The result is in NFC.
///
/// Neighbours in the same character set are put together before they are read, because senders cut through escapes
/// and surrogate pairs; parts in different sets are read each by its own.
///
/// # Errors
/// [`NotText`] if any part is no text: answer that the text was not understood.
pub fn join(parts: &[(u8, &[u8])], codings: Codings) -> Result<String, NotText> {
    let parts: Vec<(Charset, &[u8])> = parts
        .iter()
        .map(|&(data_coding, octets)| Ok((charset(data_coding, codings)?, octets)))
        .collect::<Result<_, _>>()?;
    let mut text = String::new();
    for run in parts.chunk_by(|a, b| a.0 == b.0) {
        text.push_str(&run[0].0.read(&octets_of(run)));
    }
    Ok(fold::to_nfc(text))
}

/// The octets of neighbours in the same set.
fn octets_of<'a>(run: &[(Charset, &'a [u8])]) -> Cow<'a, [u8]> {
    if let [(_, octets)] = run {
        return Cow::Borrowed(octets);
    }
    let total: usize = run.iter().map(|(_, octets)| octets.len()).sum();
    // An even sum may hide a unit cut in two between parts; an odd one means that some part has an octet too many,
    // which would put every later part out of step.
    let stray = run[0].0 == Charset::Utf16 && total % 2 == 1;
    let mut joined = Vec::with_capacity(total);
    for (_, octets) in run {
        joined.extend_from_slice(if stray { &octets[..octets.len() / 2 * 2] } else { octets });
    }
    Cow::Owned(joined)
}

/// The character set behind a data_coding. 00-0F are SMPP's own (SMPP 3.4, 5.2.19), the rest 3GPP TS 23.038, 4, where
/// reserved values are to be taken for the default alphabet; class, waiting indication and deletion are ignored.
fn charset(data_coding: u8, codings: Codings) -> Result<Charset, NotText> {
    Ok(match data_coding {
        0x00 => match codings.default {
            DefaultAlphabet::Gsm | DefaultAlphabet::Packed => Charset::Gsm,
            DefaultAlphabet::Latin1 => Charset::Latin1,
            DefaultAlphabet::Ascii | DefaultAlphabet::Utf8 => Charset::Ascii,
        },
        0x01 => Charset::Ascii,
        0x03 => Charset::Latin1,
        0x06 => Charset::Cyrillic,
        0x07 => Charset::Hebrew,
        0x08 | 0xE0..=0xEF => Charset::Utf16,
        0x02 | 0x04 => return Err(NotText::Binary(data_coding)),
        0x05 | 0x09..=0x0F => return Err(NotText::OtherSet(data_coding)),
        0x10..=0x7F if data_coding & 0x20 != 0 => return Err(NotText::Compressed(data_coding)),
        0x10..=0x7F => match data_coding & 0x0C {
            0x04 => return Err(NotText::Binary(data_coding)),
            0x08 => Charset::Utf16,
            _ => Charset::Gsm,
        },
        0xF0..=0xFF if data_coding & 0x04 != 0 => return Err(NotText::Binary(data_coding)),
        0x80..=0xDF | 0xF0..=0xFF => Charset::Gsm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(default: DefaultAlphabet) -> Codings {
        let usual = (BinaryText::NotText, ByteOrder::Auto);
        Codings { default, one_is_gsm: false, binary: usual.0, ucs2: usual.1, class_is_packed: false }
    }

    #[expect(non_upper_case_globals, reason = "they stand for the alphabets in the tables below")]
    mod usual {
        use super::*;

        pub(super) const Gsm: Codings = of(DefaultAlphabet::Gsm);
        pub(super) const Latin1: Codings = of(DefaultAlphabet::Latin1);
        pub(super) const Ascii: Codings = of(DefaultAlphabet::Ascii);
    }
    use usual::{Ascii, Gsm, Latin1};

    #[test]
    fn data_coding_zero_is_read_by_the_carriers_alphabet() {
        for (label, alphabet, octets, text) in [
            ("gsm", Gsm, &b"\x00\x02\x11A"[..], "@$_A"),
            ("gsm, 40 is not @", Gsm, b"@", "¡"),
            ("latin1, 40 is @", Latin1, b"@\xE9", "@é"),
            ("ascii, 40 is @", Ascii, b"@_$", "@_$"),
            ("ascii with control octets is gsm", Ascii, b"A\x00\x11", "A@_"),
            ("gsm, but UTF-8", Gsm, "nữ @".as_bytes(), "nữ @"),
            ("gsm, but UTF-8 with a mark", Gsm, b"\xEF\xBB\xBFA", "A"),
            ("gsm, but Latin-1", Gsm, b"caf\xE9 @", "café @"),
            ("ascii, but UTF-8", Ascii, "nữ".as_bytes(), "nữ"),
            ("latin1 is never UTF-8", Latin1, b"\xC3\xA9", "Ã©"),
            ("UTF-8 decomposed is composed", Gsm, "e\u{302}\u{301}".as_bytes(), "ế"),
            ("nothing", Gsm, b"", ""),
        ] {
            assert_eq!(decode(0, octets, alphabet).as_deref(), Ok(text), "{label}");
        }
    }

    #[test]
    fn each_data_coding_has_its_set() {
        // As ASCII these octets have control characters, so they are GSM under the wrong name.
        let octets = b"\x00A\x00B";
        let (gsm, ucs2) = ("@A@B", "AB");
        for (data_codings, text) in [
            (0x00..=0x01, Some(gsm)),
            (0x02..=0x02, None),
            (0x03..=0x03, Some("\0A\0B")),
            (0x04..=0x05, None),
            (0x06..=0x07, Some("\0A\0B")),
            (0x08..=0x08, Some(ucs2)),
            (0x09..=0x0F, None),
            (0x10..=0x13, Some(gsm)),
            (0x14..=0x17, None),
            (0x18..=0x1B, Some(ucs2)),
            (0x1C..=0x1F, Some(gsm)),
            (0x20..=0x3F, None),
            (0x40..=0x43, Some(gsm)),
            (0x44..=0x47, None),
            (0x48..=0x4B, Some(ucs2)),
            (0x50..=0x53, Some(gsm)),
            (0x58..=0x5B, Some(ucs2)),
            (0x60..=0x7F, None),
            (0x80..=0xDF, Some(gsm)),
            (0xE0..=0xEF, Some(ucs2)),
            (0xF0..=0xF3, Some(gsm)),
            (0xF4..=0xF7, None),
            (0xF8..=0xFB, Some(gsm)),
            (0xFC..=0xFF, None),
        ] {
            for data_coding in data_codings {
                assert_eq!(decode(data_coding, octets, Gsm).ok().as_deref(), text, "{data_coding:#04x}");
            }
        }
    }

    #[test]
    fn the_error_tells_binary_from_compressed_and_foreign() {
        for (data_coding, error) in
            [(0xF5, NotText::Binary(0xF5)), (0x2A, NotText::Compressed(0x2A)), (0x0E, NotText::OtherSet(0x0E))]
        {
            assert_eq!(decode(data_coding, b"A", Gsm), Err(error));
        }
    }

    #[test]
    fn parts_are_joined_before_or_after_reading_as_their_codings_ask() {
        for (label, parts, text) in [
            ("nothing", &[][..], ""),
            ("one", &[(0, &b"TTCD"[..])], "TTCD"),
            ("an escape cut from its partner", &[(0, b"A\x1B"), (0, b"<B")], "A[B"),
            ("the same escape, partner in another coding", &[(0, b"A\x1B"), (8, b"\0<")], "A <"),
            ("a surrogate pair cut in two", &[(8, b"\0A\xD8\x3D"), (8, b"\xDE\x00")], "A😀"),
            ("a unit cut in two", &[(8, b"\0A\0"), (8, b"B\0C")], "ABC"),
            ("an octet too many", &[(8, b"\0A\0"), (8, b"\0B")], "AB"),
            ("UTF-8 cut in two", &[(0, b"n\xE1\xBB"), (0, b"\xAF")], "nữ"),
            ("mixed", &[(0, b"T\x00"), (8, b"\x1E\xEF")], "T@ữ"),
            ("mixed and back", &[(0, b"T\x1B"), (8, b"\0A"), (0, b"<")], "T A<"),
            ("two names of one set", &[(0, b"A\x1B"), (0xF0, b"<")], "A["),
            ("a mark in the next part", &[(0, b"e"), (8, b"\x03\x02\0A")], "êA"),
            ("little endian, the second part without letters", &[(8, b"A\0B\0"), (8, b".\0")], "AB."),
        ] {
            assert_eq!(join(parts, Gsm).as_deref(), Ok(text), "{label}");
        }
    }

    #[test]
    fn one_part_that_is_no_text_spoils_the_whole() {
        assert_eq!(join(&[(0, b"A"), (4, b"B")], Gsm), Err(NotText::Binary(4)));
    }
}
