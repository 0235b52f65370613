//! Octets as text under every data_coding and setting; and texts out in every form and back, unchanged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tracuu::{
    message::{Alphabet, Segment},
    sms::{
        BinaryText, ByteOrder, Codings, DefaultAlphabet, Form, Piece, Split, WireForm, decode, fold_for_reading, join,
        measure, oddities, plain, read_udh, split,
    },
};
use unicode_normalization::{UnicodeNormalization, is_nfc};

const ALPHABETS: [DefaultAlphabet; 5] = [
    DefaultAlphabet::Gsm,
    DefaultAlphabet::Packed,
    DefaultAlphabet::Latin1,
    DefaultAlphabet::Ascii,
    DefaultAlphabet::Utf8,
];
const SPLITS: [Split; 5] = [Split::Udh8, Split::Udh16, Split::Sar, Split::Payload, Split::None];

fuzz_target!(|octets: &[u8]| {
    let Some((&[data_coding, switches, more, cut], octets)) = octets.split_first_chunk::<4>() else { return };
    let codings = Codings {
        default: ALPHABETS[usize::from(switches & 7) % 5],
        one_is_gsm: switches & 8 != 0,
        binary: [BinaryText::NotText, BinaryText::Gsm, BinaryText::Latin1, BinaryText::Ucs2]
            [usize::from(switches >> 4 & 3)],
        ucs2: [ByteOrder::Auto, ByteOrder::Big, ByteOrder::Little][usize::from(switches >> 6) % 3],
        class_is_packed: more & 1 != 0,
    };
    let form = Form { fill: (more >> 1) % 7, locking: more >> 4, single: more & 15 };
    inward(data_coding, form, octets, usize::from(cut), codings);
    outward(&String::from_utf8_lossy(octets), codings.default, SPLITS[usize::from(more >> 3) % 5], cut);
});

fn inward(data_coding: u8, form: Form, octets: &[u8], cut: usize, codings: Codings) {
    let whole = Piece { data_coding, form, octets };
    assert!(oddities(whole, codings).count() <= 6);
    let read = decode(whole, codings);
    assert_eq!(read, join(&[whole], codings));
    let (first, second) = octets.split_at(cut.min(octets.len()));
    let both = [Piece { octets: first, ..whole }, Piece { octets: second, ..whole }];
    let joined = join(&both, codings);
    assert_eq!(joined.is_ok(), read.is_ok());
    if let (Ok(read), Ok(joined)) = (read, joined) {
        assert!(is_nfc(&read) && is_nfc(&joined));
        assert!(plain(&read).chars().count() <= 64 * (read.chars().count() + 1));
        _ = fold_for_reading(&joined);
    }
}

fn outward(text: &str, default: DefaultAlphabet, cut: Split, slack: u8) {
    // A mark at the beginning is no part of a UTF-16 text, a form feed is no part of an ASCII one, and a packed text
    // does not say how many septets it has: its last one may be filling.
    let text: String = text.trim_start_matches(['\u{FEFF}', '\u{FFFE}']).replace('\u{C}', " ").nfc().collect();
    let text = if default == DefaultAlphabet::Packed { text.trim_end_matches(['\r', '@']) } else { &text };
    let form = WireForm { default, split: cut, slack: slack % 21, ..WireForm::USUAL };
    let measured = measure(text, &form);
    for alphabet in [Alphabet::Gsm7, Alphabet::Ucs2] {
        let Ok(segments) = split(text, alphabet, &form, 7) else { continue };
        assert!(alphabet != measured.alphabet || cut == Split::Payload || segments.len() == measured.segments);
        let pieces: Vec<Piece<'_>> = segments.iter().map(piece).collect();
        let codings = Codings { default, ucs2: ByteOrder::Big, ..Codings::default() };
        assert_eq!(join(&pieces, codings).as_deref(), Ok(text), "{alphabet:?} {form:?}");
    }
}

fn piece(segment: &Segment) -> Piece<'_> {
    assert!(segment.payload || segment.octets.len() <= 254);
    if segment.udhi {
        let udh = read_udh(&segment.octets).unwrap();
        assert!(udh.concat.is_some());
        return Piece { data_coding: segment.data_coding, form: udh.form, octets: udh.body };
    }
    (segment.data_coding, &segment.octets[..]).into()
}
