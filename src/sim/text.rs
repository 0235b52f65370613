//! How a phone codes and reads texts. Written apart from the service's own codec on purpose: where the two differ, one
//! of them is wrong.

use crate::message::Alphabet;

/// The GSM default alphabet by its septets; 0x1B leads to the extension (3GPP TS 23.038, 6.2.1).
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table (3GPP TS 23.038, 6.2.1.1).
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

const ESCAPE: u8 = 0x1B;

/// A text as a phone codes it: the GSM alphabet when it holds every character, else UCS-2. One entry a character, so
/// that a part never ends within one.
fn characters(text: &str) -> (Alphabet, Vec<Vec<u8>>) {
    let gsm = |c: char| -> Option<Vec<u8>> {
        if let Some((octet, _)) = EXTENSION.iter().find(|(_, extended)| *extended == c) {
            return Some(vec![ESCAPE, *octet]);
        }
        let place = BASIC.iter().position(|basic| *basic == c && c != '\u{1B}')?;
        Some(vec![place as u8])
    };
    if let Some(septets) = text.chars().map(gsm).collect() {
        return (Alphabet::Gsm7, septets);
    }
    let mut units = [0_u16; 2];
    let coded = text.chars().map(|c| c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()).collect());
    (Alphabet::Ucs2, coded.collect())
}

/// The parts a phone makes of a text, each with its user data header (8-bit reference) when there are several.
pub(super) fn parts(text: &str, reference: u8) -> (Alphabet, Vec<Vec<u8>>) {
    let (alphabet, characters) = characters(text);
    let (alone, shared) = match alphabet {
        Alphabet::Gsm7 => (160, 153),
        Alphabet::Ucs2 => (140, 134),
    };
    let length: usize = characters.iter().map(Vec::len).sum();
    if length <= alone {
        return (alphabet, vec![characters.concat()]);
    }
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new()];
    for character in characters {
        if bodies.last().is_none_or(|body| body.len() + character.len() > shared) {
            bodies.push(Vec::new());
        }
        if let Some(body) = bodies.last_mut() {
            body.extend(character);
        }
    }
    // A text of more than 255 parts cannot be numbered; phones stop long before.
    bodies.truncate(255);
    let total = bodies.len() as u8;
    let parts =
        (1..=total).zip(bodies).map(|(index, body)| [&[5, 0, 3, reference, total, index], body.as_slice()].concat());
    (alphabet, parts.collect())
}

/// Reads a text as a phone shows it.
pub(super) fn read(data_coding: u8, octets: &[u8]) -> (Alphabet, String) {
    if data_coding == Alphabet::Ucs2.data_coding() {
        let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return (Alphabet::Ucs2, text);
    }
    let mut text = String::with_capacity(octets.len());
    let mut escaped = false;
    for octet in octets {
        if std::mem::take(&mut escaped) {
            let extended = EXTENSION.iter().find(|(code, _)| code == octet).map(|(_, c)| *c);
            text.push(extended.unwrap_or(BASIC[usize::from(octet & 0x7F)]));
        } else if *octet == ESCAPE {
            escaped = true;
        } else {
            text.push(BASIC.get(usize::from(*octet)).copied().unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    (Alphabet::Gsm7, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(text: &str) -> (Alphabet, usize, String) {
        let (alphabet, parts) = parts(text, 9);
        let header = if parts.len() > 1 { 6 } else { 0 };
        let octets: Vec<u8> = parts.iter().flat_map(|part| part[header..].to_vec()).collect();
        assert!(parts.iter().all(|part| part.len() <= if alphabet == Alphabet::Gsm7 { 160 } else { 140 }));
        (alphabet, parts.len(), read(alphabet.data_coding(), &octets).1)
    }

    #[test]
    fn texts_are_cut_where_a_phone_cuts_them() {
        for (label, text, alphabet, count) in [
            ("empty", String::new(), Alphabet::Gsm7, 1),
            ("160 plain", "a".repeat(160), Alphabet::Gsm7, 1),
            ("161 plain", "a".repeat(161), Alphabet::Gsm7, 2),
            ("80 brackets", "[".repeat(80), Alphabet::Gsm7, 1),
            ("153 brackets, 76 a part", "[".repeat(153), Alphabet::Gsm7, 3),
            ("70 with marks", "ữ".repeat(70), Alphabet::Ucs2, 1),
            ("71 with marks", "ữ".repeat(71), Alphabet::Ucs2, 2),
            ("36 emoji, 33 a part", "😀".repeat(36), Alphabet::Ucs2, 2),
        ] {
            assert_eq!(joined(&text), (alphabet, count, text), "{label}");
        }
    }

    #[test]
    fn the_alphabet_of_the_default_coding_is_that_of_the_standard() {
        assert_eq!(characters("@_$").1.concat(), [0x00, 0x11, 0x02]);
        assert_eq!(read(0, b"\x1b\x65\x11\x1b\x3c").1, "€_[");
        assert_eq!(read(0, b"a\x1b").1, "a");
        assert_eq!(read(8, &[0, 0x41, 0xD8, 0x3D, 0x07]).1, "A\u{FFFD}");
    }

    proptest! {
        #[test]
        fn what_a_phone_writes_a_phone_reads(text in "[a-zA-Z0-9 @_\\[\\]€ưữệĐ😀\n]{0,400}") {
            prop_assert_eq!(joined(&text).2, text);
        }

        #[test]
        fn any_octets_can_be_shown(coding: u8, octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, text) = read(coding, &octets);
            prop_assert!(text.chars().count() <= octets.len());
        }
    }
}
