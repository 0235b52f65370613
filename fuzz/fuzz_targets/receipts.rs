//! Texts as receipts, under every switch of a carrier's section: what is read is bounded, and nothing panics.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tracuu::{config::Line, smpp::fuzzing};

static USUAL: LazyLock<Line> = LazyLock::new(fuzzing::usual);

fuzz_target!(|octets: &[u8]| {
    let Some((&[switches, more, esm_class, data_coding], text)) = octets.split_first_chunk::<4>() else { return };
    let settings = fuzzing::switched(&USUAL, u16::from_be_bytes([switches, more]));
    // Half of all inputs are marked and in an eight-bit coding, which is what the reading is for.
    let (esm_class, data_coding) = if esm_class & 1 == 0 { (4, 0) } else { (esm_class, data_coding) };
    fuzzing::receipt(esm_class, data_coding, text, &settings);
});
