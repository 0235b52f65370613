//! Parts with a user data header of any octets: what is read of it is possible, and the parts are joined or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tracuu::{
    message::Concat,
    sms::{Codings, DefaultAlphabet, Form, Piece, join, read_udh},
};

fuzz_target!(|octets: &[u8]| {
    let Some((&[data_coding, alphabet, cut], parts)) = octets.split_first_chunk::<3>() else { return };
    let defaults = [DefaultAlphabet::Gsm, DefaultAlphabet::Packed, DefaultAlphabet::Latin1, DefaultAlphabet::Utf8];
    let codings = Codings { default: defaults[usize::from(alphabet) % 4], ..Codings::default() };
    let (first, second) = parts.split_at(parts.len().min(usize::from(cut)));
    let mut pieces = Vec::new();
    for octets in [first, second] {
        let Ok(udh) = read_udh(octets) else { continue };
        assert!(octets.ends_with(udh.body));
        assert_eq!(octets.len(), 1 + usize::from(octets[0]) + udh.body.len());
        if let Some(Concat { total, index, .. }) = udh.concat {
            assert!(total >= 2 && (1..=total).contains(&index));
        }
        assert!(udh.form.fill < 7 && (usize::from(octets[0]) + 1) * 8 + usize::from(udh.form.fill) < 256 * 8 + 7);
        assert_eq!(((usize::from(octets[0]) + 1) * 8 + usize::from(udh.form.fill)) % 7, 0);
        assert_eq!(Form::from_octets(udh.form.octets()), udh.form);
        pieces.push(Piece { data_coding, form: udh.form, octets: udh.body });
    }
    let octets: usize = pieces.iter().map(|piece| piece.octets.len()).sum();
    if let Ok(text) = join(&pieces, codings) {
        // Some letters of the Indian tables are two characters in NFC, and no character is more than three.
        assert!(text.chars().count() <= 3 * (octets * 8 / 7 + 2));
    }
});
