//! The character sets a part may arrive in, each read to a text whatever its octets are.

use super::{ByteOrder, Form, gsm, national};

/// How the octets of a part are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// GSM 03.38, one septet an octet.
    Gsm,
    /// GSM 03.38, packed. Its septets are taken out before it is read, and then it is like [`Self::Gsm`].
    Packed,
    /// ASCII.
    Ascii,
    /// ISO 8859-1, with Windows-1252 in 80-9F.
    Latin1,
    /// ISO 8859-5.
    Cyrillic,
    /// ISO 8859-8.
    Hebrew,
    /// UTF-16.
    Utf16(ByteOrder),
    /// UTF-8.
    Utf8,
}

impl Charset {
    /// Reads octets; `form` names the national languages of a seven-bit text. What cannot stand for a character becomes
    /// U+FFFD.
    pub(super) fn read(self, octets: &[u8], form: Form) -> String {
        match self {
            Self::Packed => Self::Gsm.read(&gsm::unpack(octets, form.fill), form),
            Self::Gsm if octets.is_ascii() && national::known(form.locking, form.single) => {
                national::read(octets, form.locking, form.single)
            }
            Self::Gsm if octets.is_ascii() => gsm::read(octets),
            Self::Ascii if octets.is_ascii() => ascii(octets),
            // Neither alphabet has an eighth bit, so the sender meant something else.
            Self::Gsm | Self::Ascii | Self::Utf8 => rescue(octets),
            Self::Latin1 => octets.iter().map(|&o| latin1(o)).collect(),
            Self::Cyrillic => octets.iter().map(|&o| cyrillic(o)).collect(),
            Self::Hebrew => octets.iter().map(|&o| hebrew(o)).collect(),
            Self::Utf16(order) => utf16(octets, order),
        }
    }

    /// Whether a text in this alphabet has national languages.
    pub(super) fn is_seven_bit(self) -> bool {
        matches!(self, Self::Gsm | Self::Packed)
    }
}

/// ASCII texts have no control characters but line ends; a text with others is GSM under the wrong name.
fn ascii(octets: &[u8]) -> String {
    if octets.iter().any(|&o| o < 0x20 && o != b'\n' && o != b'\r') {
        return gsm::read(octets);
    }
    octets.iter().map(|&o| char::from(o)).collect()
}

/// UTF-8 is hardly ever valid by accident; anything else with the eighth bit set is taken for Latin-1.
fn rescue(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.strip_prefix('\u{FEFF}').unwrap_or(text).to_owned(),
        Err(_) => octets.iter().map(|&o| latin1(o)).collect(),
    }
}

/// Windows-1252 in 80-9F, where Latin-1 has only control characters that no telephone sends.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

fn latin1(octet: u8) -> char {
    match octet {
        0x80..=0x9F => WINDOWS_1252[usize::from(octet - 0x80)],
        _ => char::from(octet),
    }
}

fn cyrillic(octet: u8) -> char {
    match octet {
        0x00..=0xA0 | 0xAD => char::from(octet),
        0xF0 => '№',
        0xFD => '§',
        _ => char::from_u32(u32::from(octet) + 0x360).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn hebrew(octet: u8) -> char {
    match octet {
        0xAA => '×',
        0xBA => '÷',
        0x00..=0xA0 | 0xA2..=0xBE => char::from(octet),
        0xDF => '\u{2017}',
        0xE0..=0xFA => char::from_u32(u32::from(octet) + 0x4F0).unwrap_or(char::REPLACEMENT_CHARACTER),
        0xFD => '\u{200E}',
        0xFE => '\u{200F}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// UTF-16 in the order that a mark says, or the carrier's setting, or the text itself. A last lone octet is dropped.
fn utf16(octets: &[u8], order: ByteOrder) -> String {
    let (pairs, _) = octets.as_chunks::<2>();
    match pairs {
        [[0xFF, 0xFE], rest @ ..] => text_of(rest, u16::from_le_bytes),
        [[0xFE, 0xFF], rest @ ..] => text_of(rest, u16::from_be_bytes),
        _ if is_turned(pairs, order) => text_of(pairs, u16::from_le_bytes),
        _ => text_of(pairs, u16::from_be_bytes),
    }
}

/// Whether UTF-16 has the lower octet first.
pub(super) fn has_lower_octet_first(octets: &[u8], order: ByteOrder) -> bool {
    let (pairs, _) = octets.as_chunks::<2>();
    match pairs {
        [[0xFF, 0xFE], ..] => true,
        [[0xFE, 0xFF], ..] => false,
        _ => is_turned(pairs, order),
    }
}

fn is_turned(pairs: &[[u8; 2]], order: ByteOrder) -> bool {
    match order {
        ByteOrder::Auto => is_little_endian(pairs),
        ByteOrder::Big => false,
        ByteOrder::Little => true,
    }
}

fn text_of(pairs: &[[u8; 2]], unit: fn([u8; 2]) -> u16) -> String {
    let mut text = String::with_capacity(pairs.len() * 2);
    let units = pairs.iter().map(|&pair| unit(pair));
    text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text
}

/// Without a byte order mark: nothing Latin one way round, and mostly Latin the other way round. A question to this
/// service has at least a keyword in Latin letters, so a text in other letters does not matter here.
fn is_little_endian(pairs: &[[u8; 2]]) -> bool {
    let latin = |unit: u16| match unit {
        0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A => true,
        0xC0..=0x24F | 0x1E00..=0x1EFF => !matches!(unit, 0xD7 | 0xF7),
        _ => false,
    };
    !pairs.iter().any(|&pair| latin(u16::from_be_bytes(pair)))
        && pairs.iter().filter(|&&pair| latin(u16::from_le_bytes(pair))).count() * 2 > pairs.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_octet_sets_follow_their_standards() {
        for (set, octets, text) in [
            (Charset::Latin1, &[0x40, 0xE9, 0xFF, 0x80, 0x92][..], "@éÿ€’"),
            (Charset::Cyrillic, &[0x41, 0xA1, 0xB0, 0xEF, 0xF0, 0xF1, 0xFD, 0xFF], "AЁАя№ё§џ"),
            (Charset::Cyrillic, &[0xA0, 0xAD, 0xAE], "\u{A0}\u{AD}Ў"),
            (Charset::Hebrew, &[0x41, 0xE0, 0xFA, 0xAA, 0xBA, 0xA9, 0xDF], "Aאת×÷©‗"),
            (Charset::Hebrew, &[0xA1, 0xC0, 0xFB, 0xFF], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(set.read(octets, Form::default()), text, "{set:?}");
        }
    }

    #[test]
    fn the_byte_order_is_found_out() {
        for (label, octets, text) in [
            ("big endian", &b"\0T\0T"[..], "TT"),
            ("big endian, marked", b"\xFE\xFF\0T", "T"),
            ("little endian, marked", b"\xFF\xFET\0", "T"),
            ("little endian, unmarked", b"T\0T\0C\0D\0 \x001\0", "TTCD 1"),
            ("little endian, unmarked, Vietnamese", b"V\0i\0\xC7\x1Et\0", "Việt"),
            ("big endian, one Latin digit among Chinese", b"\x4E\x00\x4E\x8C\0\x31", "一二1"),
            ("big endian, full-width digits only", b"\xFF\x10\xFF\x11", "０１"),
            ("big endian, emoji only", b"\xD8\x3D\xDE\x00", "😀"),
            ("a last lone octet", b"\0T\0D\0", "TD"),
            ("half a pair", b"\0T\xD8\x3D", "T\u{FFFD}"),
            ("one octet", b"\0", ""),
            ("only a mark", b"\xFE\xFF", ""),
        ] {
            assert_eq!(Charset::Utf16(ByteOrder::Auto).read(octets, Form::default()), text, "{label}");
        }
    }

    #[test]
    fn a_setting_stands_above_the_look_of_a_text_and_a_mark_above_the_setting() {
        for (label, order, octets, text) in [
            ("big", ByteOrder::Big, &b"T\0"[..], "\u{5400}"),
            ("little", ByteOrder::Little, b"\0T", "\u{5400}"),
            ("big, marked little", ByteOrder::Big, b"\xFF\xFET\0", "T"),
            ("little, marked big", ByteOrder::Little, b"\xFE\xFF\0T", "T"),
        ] {
            assert_eq!(Charset::Utf16(order).read(octets, Form::default()), text, "{label}");
        }
    }
}
