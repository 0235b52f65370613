//! Every data_coding under every setting, and the traps of coding, a row or a test each.

use crate::sms::{BinaryText, ByteOrder, Codings, DefaultAlphabet, Form, NotText, Piece, decode, join};

const fn of(default: DefaultAlphabet) -> Codings {
    let usual = (BinaryText::NotText, ByteOrder::Auto);
    Codings { default, one_is_gsm: false, binary: usual.0, ucs2: usual.1, class_is_packed: false }
}

const GSM: Codings = of(DefaultAlphabet::Gsm);
const LATIN1: Codings = of(DefaultAlphabet::Latin1);
const ASCII: Codings = of(DefaultAlphabet::Ascii);
const PACKED: Codings = of(DefaultAlphabet::Packed);
const UTF8: Codings = of(DefaultAlphabet::Utf8);

fn read(data_coding: u8, octets: &[u8], codings: Codings) -> Result<String, NotText> {
    decode((data_coding, octets).into(), codings)
}

fn joined(parts: &[(u8, &[u8])], codings: Codings) -> Result<String, NotText> {
    join(&parts.iter().map(|&part| part.into()).collect::<Vec<_>>(), codings)
}

#[test]
fn t95_dc0_is_latin1_or_whatever_the_carrier_says() {
    for (label, alphabet, octets, text) in [
        ("gsm", GSM, &b"\x00\x02\x11A"[..], "@$_A"),
        ("gsm, 40 is not @", GSM, b"@", "¡"),
        ("latin1, 40 is @", LATIN1, b"@\xE9", "@é"),
        ("ascii, 40 is @", ASCII, b"@_$", "@_$"),
        ("ascii with control octets is gsm", ASCII, b"A\x00\x11", "A@_"),
        ("gsm, but UTF-8", GSM, "nữ @".as_bytes(), "nữ @"),
        ("gsm, but UTF-8 with a mark", GSM, b"\xEF\xBB\xBFA", "A"),
        ("gsm, but Latin-1", GSM, b"caf\xE9 @", "café @"),
        ("ascii, but UTF-8", ASCII, "nữ".as_bytes(), "nữ"),
        ("latin1 is never UTF-8", LATIN1, b"\xC3\xA9", "Ã©"),
        ("UTF-8 decomposed is composed", GSM, "e\u{302}\u{301}".as_bytes(), "ế"),
        ("nothing", GSM, b"", ""),
    ] {
        assert_eq!(read(0, octets, alphabet).as_deref(), Ok(text), "{label}");
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
            assert_eq!(read(data_coding, octets, GSM).ok().as_deref(), text, "{data_coding:#04x}");
        }
    }
}

#[test]
fn the_error_tells_binary_from_compressed_and_foreign() {
    for (data_coding, error) in
        [(0xF5, NotText::Binary(0xF5)), (0x2A, NotText::Compressed(0x2A)), (0x0E, NotText::OtherSet(0x0E))]
    {
        assert_eq!(read(data_coding, b"A", GSM), Err(error));
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
        assert_eq!(joined(parts, GSM).as_deref(), Ok(text), "{label}");
    }
}

#[test]
fn one_part_that_is_no_text_spoils_the_whole() {
    assert_eq!(joined(&[(0, b"A"), (4, b"B")], GSM), Err(NotText::Binary(4)));
}

#[test]
fn t95_dc0_is_latin1() {
    let octets = b"@\xE9";
    for (codings, text) in [(GSM, "@é"), (LATIN1, "@é"), (ASCII, "@é"), (UTF8, "@é")] {
        assert_eq!(read(0, octets, codings).as_deref(), Ok(text));
    }
    for (codings, text) in [(GSM, "¡"), (LATIN1, "@"), (ASCII, "@"), (PACKED, "@"), (UTF8, "@")] {
        assert_eq!(read(0, if codings == PACKED { b"\0" } else { b"@" }, codings).as_deref(), Ok(text));
    }
}

#[test]
fn t96_dc0_is_packed() {
    let hello = [0xC8, 0x32, 0x9B, 0xFD, 0x06];
    assert_eq!(read(0, &hello, PACKED).as_deref(), Ok("Hello"));
    assert_eq!(read(0xF1, &hello, Codings { class_is_packed: true, ..GSM }).as_deref(), Ok("Hello"));
    // Two parts, each packed anew behind its header of six octets; the escape stands at the end of the first.
    let form = Form { fill: 1, ..Form::default() };
    let parts = [[0x82, 0x1B], [0x78, 0x21]].map(|octets| octets.to_vec());
    let parts: Vec<Piece<'_>> = parts.iter().map(|octets| Piece { data_coding: 0, form, octets }).collect();
    assert_eq!(join(&parts, PACKED).as_deref(), Ok("A[!"));
}

#[test]
fn t97_text_with_zero_octet() {
    assert_eq!(read(0, b"A\0B\0", GSM).as_deref(), Ok("A@B@"));
}

#[test]
fn t98_binary() {
    // SMPP's own two, then those of 3GPP TS 23.038, 4: bits 3 and 2 of the general groups, bit 2 of the last.
    let eight_bit = || {
        let general = (0x14..=0x17).chain(0x44..=0x47).chain(0x54..=0x57);
        [2, 4].into_iter().chain(general).chain(0xF4..=0xF7).chain(0xFC..=0xFF)
    };
    for data_coding in eight_bit() {
        assert_eq!(read(data_coding, b"A", GSM), Err(NotText::Binary(data_coding)));
    }
    for (binary, octets, text) in [
        (BinaryText::Gsm, &b"\x00A"[..], "@A"),
        (BinaryText::Latin1, b"\xE9", "é"),
        (BinaryText::Ucs2, b"\x1E\xEF", "ữ"),
    ] {
        let codings = Codings { binary, ..GSM };
        for data_coding in eight_bit() {
            assert_eq!(read(data_coding, octets, codings).as_deref(), Ok(text), "{data_coding:#x}");
        }
        assert_eq!(read(0x34, octets, codings), Err(NotText::Compressed(0x34)), "compressed, whatever it holds");
        assert_eq!(read(0x0A, octets, codings), Err(NotText::OtherSet(0x0A)));
        assert_eq!(read(0xE4, b"\0A", codings).as_deref(), Ok("A"), "no data, but a waiting indication in UCS-2");
    }
    assert_eq!(read(1, b"@", Codings { one_is_gsm: true, ..GSM }).as_deref(), Ok("¡"));
}

#[test]
fn t99_ucs2_little_endian() {
    for (octets, text) in [(&b"\xFF\xFET\0"[..], "T"), (b"\xFE\xFF\0T", "T"), (b"T\0T\0", "TT"), (b"\0T", "T")] {
        assert_eq!(read(8, octets, GSM).as_deref(), Ok(text));
    }
    assert_eq!(read(8, b"T\0", Codings { ucs2: ByteOrder::Big, ..GSM }).as_deref(), Ok("\u{5400}"));
    assert_eq!(read(8, b"T\x1E", Codings { ucs2: ByteOrder::Little, ..GSM }).as_deref(), Ok("Ṕ"));
}

#[test]
fn t100_ucs2_odd_length() {
    assert_eq!(read(8, b"\0T\0D\0", GSM).as_deref(), Ok("TD"));
}

#[test]
fn t101_ucs2_surrogates() {
    assert_eq!(joined(&[(8, b"\0T\xD8\x3D"), (8, b"\xDE\0")], GSM).as_deref(), Ok("T😀"));
    assert_eq!(joined(&[(8, b"\0T\xD8\x3D"), (8, b"\0T")], GSM).as_deref(), Ok("T\u{FFFD}T"));
}

#[test]
fn t102_class_flash_mwi() {
    for data_coding in (0x10..=0x13).chain(0xF0..=0xF3).chain(0xC0..=0xDF) {
        assert_eq!(read(data_coding, b"\x00T", GSM).as_deref(), Ok("@T"), "{data_coding:#x}");
    }
    for data_coding in (0x18..=0x1B).chain(0xE0..=0xEF) {
        assert_eq!(read(data_coding, b"\0T", GSM).as_deref(), Ok("T"), "{data_coding:#x}");
    }
}

#[test]
fn t103_utf8_in_dc0() {
    assert_eq!(read(0, b"n\xE1\xBB\xAF", GSM).as_deref(), Ok("nữ"));
    assert_eq!(read(0, b"caf\xE9", GSM).as_deref(), Ok("café"));
    assert_eq!(joined(&[(0, b"n\xE1\xBB"), (0, b"\xAF")], UTF8).as_deref(), Ok("nữ"));
}

#[test]
fn t104_shift_tables() {
    let piece = |locking, octets| Piece { data_coding: 0, form: Form { fill: 3, locking, single: locking }, octets };
    for (language, text) in [(0, "¿c"), (1, "çç"), (3, "~ç"), (77, "¿c")] {
        let octets = if language == 3 { b"\x60\x1B\x09" } else { b"\x60\x1Bc" };
        assert_eq!(decode(piece(language, octets), GSM).as_deref(), Ok(text), "{language}");
    }
    assert_eq!(join(&[piece(1, b"\x1B"), piece(1, b"c")], GSM).as_deref(), Ok("ç"));
    assert_eq!(join(&[piece(1, b"\x60"), piece(0, b"\x60")], GSM).as_deref(), Ok("ç¿"));
    assert_eq!(decode(Piece { data_coding: 8, ..piece(1, b"\0\x60") }, GSM).as_deref(), Ok("`"));
    // One place of the Hindi table is two characters in NFC.
    assert_eq!(decode(piece(6, b"\x1B\x2C"), GSM).as_deref(), Ok("\u{915}\u{93C}"));
}

#[test]
fn t105_escape_at_end() {
    for (parts, text) in
        [(&[(0, &b"A\x1B"[..]), (0, b"\x65")][..], "A€"), (&[(0, b"A\x1B")], "A "), (&[(0, b"\x1BA")], "A")]
    {
        assert_eq!(joined(parts, GSM).as_deref(), Ok(text));
    }
}

#[test]
fn t117_mixed_coding() {
    assert_eq!(joined(&[(0, b"T\x00"), (8, b"\x1E\xEF")], GSM).as_deref(), Ok("T@ữ"));
}
