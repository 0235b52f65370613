//! The whole way out and back, for texts and octets of any kind.

mod codings;

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::{Codings, DefaultAlphabet, Piece, Split, WireForm, decode, encode, join, measure, plain, read_udh, split};
use crate::message::{Alphabet, Segment};

const FORM: WireForm = WireForm::USUAL;

fn alphabets() -> impl Strategy<Value = Codings> {
    prop::sample::select(vec![
        DefaultAlphabet::Gsm,
        DefaultAlphabet::Latin1,
        DefaultAlphabet::Ascii,
        DefaultAlphabet::Packed,
        DefaultAlphabet::Utf8,
    ])
    .prop_map(|default| Codings { default, ..Codings::default() })
}

/// One that is no text, the rest of several sets.
fn data_codings() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![0u8, 1, 3, 4, 8, 0x18, 0xF0])
}

/// Texts in the GSM alphabet, from none to about five segments.
fn gsm_texts() -> impl Strategy<Value = String> {
    let (default, extension) = ("abcxyz ABC012@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "\u{C}^{}\\[~]|€");
    let chars: Vec<char> = default.chars().chain(extension.chars()).collect();
    prop::collection::vec(prop::sample::select(chars), 0..700).prop_map(String::from_iter)
}

/// Texts of every kind of character, in NFC. The first is a Latin letter, so that the byte order is beyond doubt.
fn texts() -> impl Strategy<Value = String> {
    let one = prop_oneof![
        4 => prop::char::range('a', 'z'),
        3 => prop::char::range('\u{1EA0}', '\u{1EF9}'),
        3 => prop::char::range('\u{1F600}', '\u{1F64F}'),
        1 => any::<char>(),
    ];
    prop::collection::vec(one, 0..400).prop_map(|chars| std::iter::once('T').chain(chars).nfc().collect())
}

/// Any characters at all, composed or not.
fn any_texts() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..200).prop_map(String::from_iter)
}

/// What a telephone would show.
fn received(segments: &[Segment]) -> String {
    let parts: Vec<Piece<'_>> = segments
        .iter()
        .enumerate()
        .map(|(at, segment)| {
            if !segment.udhi {
                assert_eq!(segments.len(), 1, "a segment without header stands alone");
                return (segment.data_coding, &segment.octets[..]).into();
            }
            let udh = read_udh(&segment.octets).unwrap();
            let place = udh.concat.unwrap();
            assert_eq!(
                (place.reference, usize::from(place.total), usize::from(place.index)),
                (7, segments.len(), at + 1)
            );
            Piece { data_coding: segment.data_coding, form: udh.form, octets: udh.body }
        })
        .collect();
    join(&parts, Codings::default()).unwrap()
}

/// Whether a segment ends between an escape and its partner, or between the halves of a surrogate pair.
fn cuts_a_character(segment: &Segment) -> bool {
    match (segment.data_coding, &segment.octets[..]) {
        (0, [.., last]) => *last == 0x1B,
        (8, [.., high, _]) => matches!(high, 0xD8..=0xDB),
        _ => false,
    }
}

/// Octets on the air: 140 at most, of which GSM packs eight septets into seven.
fn fits(segment: &Segment) -> bool {
    let header = if segment.udhi { 6 } else { 0 };
    match segment.data_coding {
        0 => segment.octets.len() - header + if segment.udhi { 7 } else { 0 } <= 160,
        _ => segment.octets.len() <= 140,
    }
}

/// Every form a carrier may ask for.
fn forms() -> impl Strategy<Value = WireForm> {
    let sets = [
        DefaultAlphabet::Gsm,
        DefaultAlphabet::Latin1,
        DefaultAlphabet::Ascii,
        DefaultAlphabet::Packed,
        DefaultAlphabet::Utf8,
    ];
    let splits = [Split::Udh8, Split::Udh16, Split::Sar, Split::Payload, Split::None];
    let one = (prop::sample::select(sets.to_vec()), prop::sample::select(splits.to_vec()), 0..=20_u8);
    one.prop_map(|(default, split, slack)| WireForm { default, split, slack, ..FORM })
}

/// What a telephone would show of segments in this form, and how many octets or septets each took on the air.
fn shown(segments: &[Segment], alphabet: Alphabet, form: WireForm) -> String {
    let packed = form.default == DefaultAlphabet::Packed && alphabet == Alphabet::Gsm7;
    for segment in segments {
        assert!(segment.payload || segment.octets.len() <= 254, "longer than a short_message");
        assert!(!packed || segment.payload || segment.octets.len() <= 140, "longer than a message on the air");
    }
    let parts: Vec<Piece<'_>> = segments
        .iter()
        .map(|segment| match segment.udhi.then(|| read_udh(&segment.octets).unwrap()) {
            Some(udh) => Piece { data_coding: segment.data_coding, form: udh.form, octets: udh.body },
            None => (segment.data_coding, &segment.octets[..]).into(),
        })
        .collect();
    join(&parts, Codings { default: form.default, ..Codings::default() }).unwrap()
}

proptest! {
    #[test]
    fn a_text_arrives_as_it_was_sent_in_any_form(form in forms(), text in prop_oneof![texts(), gsm_texts()]) {
        // A form feed is no text in ASCII. In packed septets a last carriage return or @ may be filling, at the end of any
        // segment: SMPP counts octets, not septets.
        let text = text.replace('\u{C}', "");
        let text = if form.default == DefaultAlphabet::Packed { text.replace(['\r', '@'], "") } else { text };
        let measured = measure(&text, &form);
        let segments = split(&text, measured.alphabet, &form, 7).unwrap();
        let whole = form.split == Split::Payload && measured.segments > 1;
        prop_assert_eq!(segments.len(), if whole { 1 } else { measured.segments });
        prop_assert_eq!(shown(&segments, measured.alphabet, form), text);
        if !whole && segments.len() > 1 && form.split == Split::Sar {
            let places: Vec<_> = segments.iter().map(|s| s.sar.map(|sar| (sar.reference, sar.index))).collect();
            prop_assert!(places.iter().zip(1..).all(|(place, index)| *place == Some((7, index))));
        }
    }

    #[test]
    fn any_octets_under_any_coding_are_read_or_refused(
        data_coding: u8, octets in prop::collection::vec(any::<u8>(), 0..300), alphabet in alphabets(),
    ) {
        if let Ok(text) = decode((data_coding, &octets[..]).into(), alphabet) {
            prop_assert!(unicode_normalization::is_nfc(&text));
            prop_assert_eq!(join(&[(data_coding, &octets[..]).into()], alphabet), Ok(text));
        }
    }

    #[test]
    fn any_parts_are_joined_or_refused(
        parts in prop::collection::vec((data_codings(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        alphabet in alphabets(),
    ) {
        let parts: Vec<Piece<'_>> = parts.iter().map(|(dc, octets)| (*dc, &octets[..]).into()).collect();
        let refused = parts.iter().any(|part| part.data_coding == 4);
        let joined = join(&parts, alphabet);
        prop_assert_eq!(joined.is_err(), refused);
        prop_assert!(joined.is_err() || unicode_normalization::is_nfc(&joined.unwrap()));
    }

    #[test]
    fn a_gsm_text_arrives_as_it_was_sent(text in gsm_texts()) {
        let measured = measure(&text, &FORM);
        prop_assert_eq!(measured.alphabet, Alphabet::Gsm7);
        let segments = split(&text, Alphabet::Gsm7, &FORM, 7).unwrap();
        prop_assert_eq!(segments.len(), measured.segments);
        prop_assert!(segments.iter().all(|s| fits(s) && !cuts_a_character(s)));
        prop_assert_eq!(received(&segments), text);
    }

    #[test]
    fn any_text_arrives_as_it_was_sent(text in texts()) {
        let segments = split(&text, Alphabet::Ucs2, &FORM, 7).unwrap();
        prop_assert!(segments.iter().all(|s| fits(s) && !cuts_a_character(s)));
        prop_assert_eq!(received(&segments), text);
    }

    #[test]
    fn the_measure_is_what_is_sent(text in prop_oneof![texts(), gsm_texts(), any_texts()]) {
        let measured = measure(&text, &FORM);
        let segments = split(&text, measured.alphabet, &FORM, 7).unwrap();
        prop_assert_eq!(segments.len(), measured.segments);
        let header = if segments.len() > 1 { 6 } else { 0 };
        let octets: usize = segments.iter().map(|s| s.octets.len() - header).sum();
        prop_assert_eq!(octets, encode(&text, measured.alphabet).unwrap().len());
        prop_assert_eq!(octets, measured.units * if measured.alphabet == Alphabet::Gsm7 { 1 } else { 2 });
    }

    #[test]
    fn a_plain_text_is_sent_in_gsm(text in any_texts()) {
        prop_assert_eq!(measure(&plain(&text), &FORM).alphabet, Alphabet::Gsm7);
        prop_assert!(encode(&plain(&text), Alphabet::Gsm7).is_ok());
    }
}
