//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1), one septet an octet.

/// The octet that says "the next one is in the extension table".
pub(super) const ESCAPE: u8 = 0x1B;
/// Marks, in [`FROM_LATIN`], a code of the extension table.
const EXTENDED: u8 = 0x80;
/// Marks, in [`FROM_LATIN`], a character that the alphabet lacks. Not a code: 7F is no code of the extension table.
const ABSENT: u8 = 0xFF;

/// The places 00-1F. The escape stands for itself and is never looked up.
const LOW: [char; 32] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
];

/// The places from 20 on where the alphabet is not ASCII.
const UNLIKE_ASCII: [(u8, char); 13] = [
    (0x24, '¤'),
    (0x40, '¡'),
    (0x5B, 'Ä'),
    (0x5C, 'Ö'),
    (0x5D, 'Ñ'),
    (0x5E, 'Ü'),
    (0x5F, '§'),
    (0x60, '¿'),
    (0x7B, 'ä'),
    (0x7C, 'ö'),
    (0x7D, 'ñ'),
    (0x7E, 'ü'),
    (0x7F, 'à'),
];

/// The extension table (6.2.1.1).
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

const DEFAULT: [char; 128] = default_table();
/// Codes of the characters U+0000 to U+00FF; the few others are the Greek capitals and the euro.
const FROM_LATIN: [u8; 256] = latin_codes();

const fn default_table() -> [char; 128] {
    let mut table = ['\0'; 128];
    let mut at = 0;
    while at < 128 {
        table[at] = if at < 32 { LOW[at] } else { at as u8 as char };
        at += 1;
    }
    let mut at = 0;
    while at < UNLIKE_ASCII.len() {
        table[UNLIKE_ASCII[at].0 as usize] = UNLIKE_ASCII[at].1;
        at += 1;
    }
    table
}

const fn latin_codes() -> [u8; 256] {
    let mut codes = [ABSENT; 256];
    let mut at = 0;
    while at < 128 {
        if (DEFAULT[at] as usize) < 256 && at != ESCAPE as usize {
            codes[DEFAULT[at] as usize] = at as u8;
        }
        at += 1;
    }
    let mut at = 0;
    while at < EXTENSION.len() {
        if (EXTENSION[at].1 as usize) < 256 {
            codes[EXTENSION[at].1 as usize] = EXTENSION[at].0 | EXTENDED;
        }
        at += 1;
    }
    codes
}

/// The code of a character, with [`EXTENDED`] set for the extension table.
fn code(c: char) -> Option<u8> {
    if let Some(&code) = FROM_LATIN.get(c as usize) {
        return (code != ABSENT).then_some(code);
    }
    Some(match c {
        'Δ' => 0x10,
        'Φ' => 0x12,
        'Γ' => 0x13,
        'Λ' => 0x14,
        'Ω' => 0x15,
        'Π' => 0x16,
        'Ψ' => 0x17,
        'Σ' => 0x18,
        'Θ' => 0x19,
        'Ξ' => 0x1A,
        '€' => 0x65 | EXTENDED,
        _ => return None,
    })
}

/// Whether the alphabet, its extension table included, has this character.
pub(super) fn has(c: char) -> bool {
    code(c).is_some()
}

/// How many septets a character takes: 1, or 2 in the extension table. `None` if the alphabet lacks it.
pub(super) fn septets(c: char) -> Option<usize> {
    code(c).map(|code| if code & EXTENDED == 0 { 1 } else { 2 })
}

/// Appends a character's octets. `false`, and nothing appended, if the alphabet lacks it.
pub(super) fn push(octets: &mut Vec<u8>, c: char) -> bool {
    let Some(code) = code(c) else { return false };
    if code & EXTENDED != 0 {
        octets.push(ESCAPE);
    }
    octets.push(code & !EXTENDED);
    true
}

/// Reads octets that are all below 0x80; the caller has looked.
///
/// An escape with nothing after it, and an escape after an escape, are a space; an escape before a code that the
/// extension table lacks leaves the character of the default table (6.2.1.1 says so to receivers).
pub(super) fn read(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() + octets.len() / 8);
    let mut octets = octets.iter();
    while let Some(&octet) = octets.next() {
        text.push(match octet {
            ESCAPE => match octets.next() {
                None | Some(&ESCAPE) => ' ',
                Some(&octet) => extended(octet).unwrap_or_else(|| plain(octet)),
            },
            _ => plain(octet),
        });
    }
    text
}

/// The character of the default table.
pub(super) fn plain(septet: u8) -> char {
    DEFAULT[usize::from(septet & 0x7F)]
}

/// The character of the extension table.
pub(super) fn extended(septet: u8) -> Option<char> {
    EXTENSION.iter().find(|(code, _)| *code == septet).map(|(_, c)| *c)
}

/// Takes the septets out of octets in which they are packed (6.1.2.1.1), the lowest bits first, after `fill` bits that a
/// header leaves.
///
/// Where seven bits are left over, senders put a carriage return there, or nothing (6.1.2.3.1): it is dropped. A text
/// that ends so of its own has a second one.
pub(super) fn unpack(octets: &[u8], fill: u8) -> Vec<u8> {
    let mut septets = Vec::with_capacity(octets.len() * 8 / 7 + 1);
    let (mut bits, mut held) = (0_u16, 0_u8);
    let mut skip = fill;
    for &octet in octets {
        bits |= u16::from(octet) << held;
        held += 8;
        let skipped = skip.min(held);
        bits >>= skipped;
        held -= skipped;
        skip -= skipped;
        while held >= 7 {
            septets.push((bits & 0x7F) as u8);
            bits >>= 7;
            held -= 7;
        }
    }
    if held == 0 && matches!(septets.last(), Some(0 | b'\r')) {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_both_tables_survives_the_way_out_and_back() {
        let all: Vec<char> = DEFAULT.iter().copied().filter(|c| *c != '\u{1B}').chain(EXTENSION.map(|e| e.1)).collect();
        assert_eq!(all.len(), 137);
        for c in all {
            let mut octets = Vec::new();
            assert!(push(&mut octets, c), "{c:?}");
            assert_eq!(Some(octets.len()), septets(c), "{c:?}");
            assert_eq!(read(&octets), c.to_string(), "{c:?}");
        }
    }

    #[test]
    fn characters_stand_where_the_standard_puts_them() {
        for (octets, text) in [
            (&[0x00][..], "@"),
            (&[0x02], "$"),
            (&[0x09], "Ç"),
            (&[0x0A], "\n"),
            (&[0x11], "_"),
            (&[0x15], "Ω"),
            (&[0x1F], "É"),
            (&[0x20], " "),
            (&[0x24], "¤"),
            (&[0x3F], "?"),
            (&[0x41], "A"),
            (&[0x5A], "Z"),
            (&[0x5B, 0x5C, 0x5D, 0x5E, 0x5F, 0x60], "ÄÖÑÜ§¿"),
            (&[0x7A, 0x7B, 0x7C, 0x7D, 0x7E, 0x7F], "zäöñüà"),
            (&[0x1B, 0x28, 0x1B, 0x65, 0x1B, 0x3C], "{€["),
        ] {
            assert_eq!(read(octets), text);
        }
    }

    #[test]
    fn odd_escapes_are_read_as_the_standard_tells_receivers() {
        for (label, octets, text) in [
            ("alone at the end", &[0x41, 0x1B][..], "A "),
            ("twice", &[0x1B, 0x1B, 0x41], " A"),
            ("before a code the extension table lacks", &[0x1B, 0x41], "A"),
        ] {
            assert_eq!(read(octets), text, "{label}");
        }
    }

    #[test]
    fn t96_dc0_is_packed() {
        for (label, octets, fill, septets) in [
            ("Hello", &[0xC8, 0x32, 0x9B, 0xFD, 0x06][..], 0, &b"Hello"[..]),
            ("nothing", &[], 0, b""),
            ("one", &[0x41], 0, b"A"),
            ("seven, filled with a carriage return", &[0x41, 0xE1, 0x90, 0x58, 0x34, 0x1E, 0x1B], 0, b"ABCDEFG"),
            ("seven, filled with nothing", &[0x41, 0xE1, 0x90, 0x58, 0x34, 0x1E, 0x01], 0, b"ABCDEFG"),
            ("eight", &[0x41, 0xE1, 0x90, 0x58, 0x34, 0x1E, 0x91], 0, b"ABCDEFGH"),
            ("behind a header of six octets", &[0x82, 0x21], 1, b"A!"),
            ("fill alone", &[0x00], 6, b""),
        ] {
            assert_eq!(unpack(octets, fill), septets, "{label}");
        }
    }

    #[test]
    fn characters_outside_the_tables_have_no_code() {
        for c in ['`', '\t', '\0', '\u{1B}', 'ç', 'ế', 'đ', '…', '’', '\u{A0}', '\u{FF}', '😀', 'α'] {
            assert!(!has(c), "{c:?}");
            assert!(!push(&mut Vec::new(), c), "{c:?}");
        }
    }
}
