//! How a phone codes and reads texts. Written apart from the service's own codec on purpose: where the two differ, one
//! of them is wrong.

use crate::{message::Alphabet, sms::DefaultAlphabet};

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

/// The parts a phone makes of a text, each with its user data header (8-bit reference) when there are several, as an
/// SMSC hands them over whose data_coding 0 is `default`.
pub(super) fn parts(text: &str, reference: u8, default: DefaultAlphabet) -> (Alphabet, Vec<Vec<u8>>) {
    let (alphabet, bodies) = bodies(text);
    // A text of more than 255 parts cannot be numbered; phones stop long before.
    let total = bodies.len().min(255) as u8;
    let parts = (1..=total).zip(bodies).map(|(index, body)| {
        let header: &[u8] = if total > 1 { &[5, 0, 3, reference, total, index] } else { &[] };
        let body = match alphabet {
            Alphabet::Gsm7 => handed_over(&body, header.len(), default),
            Alphabet::Ucs2 => body,
        };
        [header, &body].concat()
    });
    (alphabet, parts.collect())
}

/// Septets, one an octet, as octets under data_coding 0.
fn handed_over(septets: &[u8], header: usize, default: DefaultAlphabet) -> Vec<u8> {
    let text = || septets_to_text(septets);
    match default {
        DefaultAlphabet::Gsm => septets.to_vec(),
        DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii => {
            text().chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
        }
        DefaultAlphabet::Utf8 => text().into_bytes(),
        DefaultAlphabet::Packed => {
            let fill = fill_bits(header);
            let mut octets = vec![0; (fill + septets.len() * 7).div_ceil(8)];
            for (n, septet) in septets.iter().enumerate() {
                for bit in (0..7).filter(|bit| septet >> bit & 1 == 1) {
                    let at = fill + n * 7 + bit;
                    octets[at / 8] |= 1 << (at % 8);
                }
            }
            octets
        }
    }
}

/// Bits between a header and the first septet, which begins on a septet's border (3GPP TS 23.040, 9.2.3.24).
fn fill_bits(header: usize) -> usize {
    (7 - header * 8 % 7) % 7
}

fn unpacked(octets: &[u8], header: usize) -> Vec<u8> {
    let fill = fill_bits(header);
    let count = (octets.len() * 8).saturating_sub(fill) / 7;
    let bit = |at: usize| octets[at / 8] >> (at % 8) & 1;
    let septets = (0..count).map(|n| (0..7).fold(0, |septet, b| septet | bit(fill + n * 7 + b) << b));
    let mut septets: Vec<u8> = septets.collect();
    // Seven bits left over are filling, which reads as '@' (3GPP TS 23.038, 6.1.2.3.1).
    if (fill + count * 7).is_multiple_of(8) && septets.last() == Some(&0) {
        septets.pop();
    }
    septets
}

/// The parts of a text before they are handed over: septets or UTF-16 octets, without headers.
fn bodies(text: &str) -> (Alphabet, Vec<Vec<u8>>) {
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
    (alphabet, bodies)
}

/// Reads a text as a phone shows it: the octets of each segment, with the length of the header before them, as an SMSC
/// takes them whose data_coding 0 is `default`.
pub(super) fn read<'a>(
    data_coding: u8,
    segments: impl Iterator<Item = (usize, &'a [u8])>,
    default: DefaultAlphabet,
) -> (Alphabet, String) {
    if data_coding == Alphabet::Ucs2.data_coding() {
        let octets: Vec<u8> = segments.flat_map(|(_, octets)| octets).copied().collect();
        let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return (Alphabet::Ucs2, text);
    }
    let octets: Vec<u8> = segments
        .flat_map(|(header, octets)| match default {
            DefaultAlphabet::Packed => unpacked(octets, header),
            DefaultAlphabet::Gsm | DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii | DefaultAlphabet::Utf8 => {
                octets.to_vec()
            }
        })
        .collect();
    let text = match default {
        DefaultAlphabet::Gsm | DefaultAlphabet::Packed => septets_to_text(&octets),
        DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii => octets.iter().map(|octet| char::from(*octet)).collect(),
        DefaultAlphabet::Utf8 => String::from_utf8_lossy(&octets).into_owned(),
    };
    (Alphabet::Gsm7, text)
}

fn septets_to_text(octets: &[u8]) -> String {
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
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(text: &str) -> (Alphabet, usize, String) {
        joined_in(text, DefaultAlphabet::Gsm)
    }

    fn joined_in(text: &str, default: DefaultAlphabet) -> (Alphabet, usize, String) {
        let (alphabet, parts) = parts(text, 9, default);
        let header = if parts.len() > 1 { 6 } else { 0 };
        let bodies = parts.iter().map(|part| (header, &part[header..]));
        let most = if alphabet == Alphabet::Gsm7 && default != DefaultAlphabet::Packed { 160 } else { 140 };
        assert!(parts.iter().all(|part| part.len() <= most || default == DefaultAlphabet::Utf8));
        (alphabet, parts.len(), read(alphabet.data_coding(), bodies, default).1)
    }

    #[test]
    fn packed_septets_are_those_of_the_standard() {
        let (_, hello) = parts("Hello", 1, DefaultAlphabet::Packed);
        assert_eq!(hello, [[0xC8, 0x32, 0x9B, 0xFD, 0x06]]);
        let seven = parts("HelloHe", 1, DefaultAlphabet::Packed).1;
        assert_eq!(read(0, [(0, seven[0].as_slice())].into_iter(), DefaultAlphabet::Packed).1, "HelloHe");
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
        let shown = |coding, octets: &[u8]| read(coding, [(0, octets)].into_iter(), DefaultAlphabet::Gsm).1;
        assert_eq!(shown(0, b"\x1b\x65\x11\x1b\x3c"), "€_[");
        assert_eq!(shown(0, b"a\x1b"), "a");
        assert_eq!(shown(8, &[0, 0x41, 0xD8, 0x3D, 0x07]), "A\u{FFFD}");
    }

    proptest! {
        #[test]
        fn what_a_phone_writes_a_phone_reads(text in "[a-zA-Z0-9 @_\\[\\]€ưữệĐ😀\n]{0,400}") {
            prop_assert_eq!(joined(&text).2, text);
        }

        #[test]
        fn every_alphabet_of_an_smsc_carries_letters_and_digits(text in "[a-zA-Z0-9 .,:<>()]{0,400}") {
            use DefaultAlphabet::{Ascii, Latin1, Packed, Utf8};
            for default in [Latin1, Ascii, Packed, Utf8] {
                prop_assert_eq!(joined_in(&text, default).2, text.clone());
            }
        }

        #[test]
        fn any_octets_can_be_shown(coding: u8, octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, text) = read(coding, [(0, octets.as_slice())].into_iter(), DefaultAlphabet::Gsm);
            prop_assert!(text.chars().count() <= octets.len());
        }
    }
}
