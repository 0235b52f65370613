//! What is odd about the coding of a part's text, for the counters. None of it keeps a text from being read.

use super::{
    Codings, NotText, Piece,
    charset::{Charset, has_lower_octet_first},
    decode::charset,
    national,
};

/// Something about a text's coding that few SMSCs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Its data_coding says data, and the carrier's settings do not make a text of it.
    Binary,
    /// UTF-16 with the lower octet first.
    LittleEndian,
    /// UTF-16 with an odd number of octets.
    OddLength,
    /// Its data_coding names a message class, a waiting indication or automatic deletion.
    ClassOrIndication,
    /// Octets beyond seven bits under the GSM alphabet or ASCII.
    EighthBit,
    /// Its header names a national language.
    ShiftTables,
}

/// What is odd about a part's text.
pub fn oddities(piece: Piece<'_>, codings: Codings) -> impl Iterator<Item = Oddity> {
    let set = charset(piece.data_coding, codings);
    let order = if let Ok(Charset::Utf16(order)) = set { Some(order) } else { None };
    let seven_bits = matches!(set, Ok(Charset::Gsm | Charset::Ascii));
    let wide = order.is_some();
    [
        (matches!(set, Err(NotText::Binary(_))), Oddity::Binary),
        (order.is_some_and(|order| has_lower_octet_first(piece.octets, order)), Oddity::LittleEndian),
        (wide && piece.octets.len() % 2 == 1, Oddity::OddLength),
        (piece.data_coding >= 0x10, Oddity::ClassOrIndication),
        (seven_bits && !piece.octets.is_ascii(), Oddity::EighthBit),
        (national::known(piece.form.locking, piece.form.single), Oddity::ShiftTables),
    ]
    .into_iter()
    .filter_map(|(is_so, oddity)| is_so.then_some(oddity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::Form;

    #[test]
    fn each_oddity_is_seen_and_a_usual_text_has_none() {
        use Oddity::{Binary, ClassOrIndication, EighthBit, LittleEndian, OddLength, ShiftTables};
        let turkish = Form { locking: 1, ..Form::default() };
        for (label, data_coding, form, octets, expected) in [
            ("gsm", 0, Form::default(), &b"TTCD\x00"[..], &[][..]),
            ("ucs2", 8, Form::default(), b"\0T\0T", &[]),
            ("binary", 4, Form::default(), b"\xFF", &[Binary]),
            ("little endian", 8, Form::default(), b"T\0T\0", &[LittleEndian]),
            ("odd", 8, Form::default(), b"\0T\0", &[OddLength]),
            ("flash", 0x10, Form::default(), b"T", &[ClassOrIndication]),
            (
                "flash in UCS-2, both",
                0x18,
                Form::default(),
                b"\xFF\xFET",
                &[LittleEndian, OddLength, ClassOrIndication],
            ),
            ("UTF-8", 0, Form::default(), "ữ".as_bytes(), &[EighthBit]),
            ("Turkish", 0, turkish, b"T", &[ShiftTables]),
        ] {
            let piece = Piece { data_coding, form, octets };
            assert_eq!(oddities(piece, Codings::default()).collect::<Vec<_>>(), expected, "{label}");
        }
    }
}
