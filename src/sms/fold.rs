//! Folding: Vietnamese with marks to plain letters, typographic signs to those of a telephone's keys.

use std::borrow::Cow;

use unicode_normalization::{
    IsNormalized, UnicodeNormalization,
    char::{decompose_canonical, decompose_compatible, is_combining_mark},
    is_nfc_quick,
};

use super::gsm;

/// The text in NFC (Unicode Standard Annex 15), borrowed if it is already.
pub(super) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The same for a text that is owned.
pub(super) fn to_nfc(text: String) -> String {
    match nfc(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(composed) => composed,
    }
}

/// A text without marks, so that it costs the segments of the GSM alphabet, in which the result always is.
///
/// Vietnamese becomes plain letters, and so do the marked letters that GSM has (à, é, ü): half-marked names read worse
/// than plain ones. Quotes, dashes, spaces and the ellipsis become those of the keyboard; what has no plain form is `?`.
pub fn plain(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            push_ascii(&mut folded, c);
        } else {
            push_plain(&mut folded, c);
        }
    }
    folded
}

fn push_ascii(folded: &mut String, c: char) {
    folded.push(match c {
        _ if gsm::has(c) => c,
        '`' => '\'',
        '\t' => ' ',
        '\u{0B}' => '\n',
        _ => '?',
    });
}

fn push_plain(folded: &mut String, c: char) {
    if is_invisible(c) {
        return;
    }
    if push_simple(folded, c) {
        return;
    }
    // Compatibility forms too: full-width letters, ligatures, fractions and the ellipsis have plain ones.
    let start = folded.len();
    let mut whole = true;
    decompose_compatible(c, |part| {
        if part.is_ascii() {
            push_ascii(folded, part);
        } else if !is_combining_mark(part) {
            let known = push_simple(folded, part);
            if !known && gsm::has(part) {
                folded.push(part);
            } else {
                whole &= known;
            }
        }
    });
    if !whole {
        folded.truncate(start);
        folded.push('?');
    }
}

/// Signs and white space with a plain form.
fn push_simple(folded: &mut String, c: char) -> bool {
    if let Some(plain) = sign(c) {
        folded.push_str(plain);
    } else if matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
        folded.push('\n');
    } else if c.is_whitespace() {
        folded.push(' ');
    } else {
        return false;
    }
    true
}

/// A text made simple for a grammar: capital ASCII letters wherever a letter has one under its marks, ASCII digits and
/// signs for full-width ones, one space for each white-space character, nothing that is invisible.
///
/// Digits other than 0-9 and their full-width forms become U+FFFD, so that even `\d` of a Unicode-aware expression finds
/// only 0-9: nobody is looked up by a number that looks different from what was typed. Characters without a simple form
/// stay. Separators are left to the reader.
pub fn fold_for_reading(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\x7F' => push_capital(&mut folded, c),
            '\u{FF01}'..='\u{FF5E}' => push_capital(&mut folded, char::from((u32::from(c) - 0xFEE0) as u8)),
            _ if c.is_whitespace() => folded.push(' '),
            _ if is_invisible(c) || c.is_control() => {}
            _ => push_unmarked(&mut folded, c),
        }
    }
    folded
}

/// An ASCII character as the grammar wants it.
fn push_capital(folded: &mut String, c: char) {
    if c.is_whitespace() {
        folded.push(' ');
    } else if !c.is_control() {
        folded.push(c.to_ascii_uppercase());
    }
}

fn push_unmarked(folded: &mut String, c: char) {
    if c.is_numeric() {
        return folded.push(char::REPLACEMENT_CHARACTER);
    }
    let mut bases = 0;
    let mut base = c;
    decompose_canonical(c, |part| {
        if !is_combining_mark(part) {
            bases += 1;
            base = part;
        }
    });
    match bases {
        0 => {}
        1 => match sign(base) {
            Some(plain) => folded.extend(plain.chars().map(|c| c.to_ascii_uppercase())),
            None => folded.push(base.to_ascii_uppercase()),
        },
        // A Korean syllable: its parts are letters, not marks.
        _ => folded.push(c),
    }
}

/// The plain form of a letter or sign that decomposition does not reach.
fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        // The Icelandic and African letters look like the Vietnamese one and are typed for it.
        'đ' | 'ð' | 'ɖ' | '₫' => "d",
        'Đ' | 'Ð' | 'Ɖ' => "D",
        'ı' => "i",
        'ł' => "l",
        'Ł' => "L",
        'œ' => "oe",
        'Œ' => "OE",
        '\u{2018}'..='\u{201B}' | '‹' | '›' | '′' | '´' | 'ʹ' | 'ʻ' | 'ʼ' => "'",
        '\u{201C}'..='\u{201F}' | '«' | '»' | '″' | '〃' => "\"",
        '\u{2010}'..='\u{2015}' | '−' | '•' | '﹘' | 'ー' => "-",
        '…' => "...",
        '·' | '。' => ".",
        '、' => ",",
        '⁄' | '÷' => "/",
        '×' => "x",
        '¦' => "|",
        '【' => "[",
        '】' => "]",
        _ => return None,
    })
}

/// Characters that take no room: joiners, direction marks, soft hyphens, byte order marks, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{61C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_plain() {
        for (label, text, expected) in [
            ("nothing", "", ""),
            ("ASCII stays", "TTCD 099 [a]~\r\n", "TTCD 099 [a]~\r\n"),
            ("Vietnamese", "Đặng Thị Ngữ, phường Bến Nghé", "Dang Thi Ngu, phuong Ben Nghe"),
            ("every toned vowel", "ảãạắằẳẵặấầẩẫậẻẽẹếềểễệỉĩị", "aaaaaaaaaaaaaeeeeeeeeiii"),
            ("every horned vowel", "ỏõọốồổỗộớờởỡợủũụứừửữựỷỹỵ", "ooooooooooooouuuuuuuuyyy"),
            ("marked letters that GSM has", "àèéìòùÉÅåÄÖÑÜäöñüÇ", "aeeiouEAaAONUaonuC"),
            ("decomposed", "e\u{302}\u{301}d\u{336}", "ed"),
            ("quotes", "“a” ‘b’ «c» d´", "\"a\" 'b' \"c\" d'"),
            ("dashes", "a–b—c−d", "a-b-c-d"),
            ("spaces", "a\u{A0}b\u{202F}c\u{3000}d\te", "a b c d e"),
            ("line ends", "a\u{2028}b\u{85}c\u{B}d", "a\nb\nc\nd"),
            ("ellipsis and compatibility forms", "a… ﬁ １２ ½ №", "a... fi 12 1/2 No"),
            ("what GSM has without marks stays", "£€ßØæΔ§¿", "£€ßØæΔ§¿"),
            ("the sum in dong", "1.000₫", "1.000d"),
            ("invisible characters go", "a\u{200B}b\u{FEFF}c\u{AD}d", "abcd"),
            ("no plain form", "a😀b中c가d\0e\u{7}", "a?b?c?d?e?"),
            ("a back-tick", "a`b", "a'b"),
        ] {
            assert_eq!(plain(text), expected, "{label}");
        }
    }

    #[test]
    fn texts_are_folded_for_the_grammar() {
        for (label, text, expected) in [
            ("nothing", "", ""),
            ("ASCII", "ttcd\t099_[a]\r\nb\0", "TTCD 099_[A]  B"),
            ("Vietnamese", "đặng thị Ngữ", "DANG THI NGU"),
            ("decomposed Vietnamese", "nu\u{31B}\u{303}", "NU"),
            ("full width", "ｔｔｃｄ　０９９＃－［a］", "TTCD 099#-[A]"),
            (
                "other digits are no digits",
                "٠١ ९ ² ① 𝟏 Ⅷ",
                "\u{FFFD}\u{FFFD} \u{FFFD} \u{FFFD} \u{FFFD} \u{FFFD} \u{FFFD}",
            ),
            ("invisible", "\u{FEFF}T\u{200B}T\u{200E}CD\u{AD}", "TTCD"),
            ("every white space is one space", "a\u{A0}b\u{2028}c\u{3000}d\n\ne", "A B C D  E"),
            ("typographic signs", "a–b…“c”", "A-B...\"C\""),
            ("the Icelandic letter for the Vietnamese one", "Ðặng ð", "DANG D"),
            ("what has no simple form stays", "中가 😀", "中가 😀"),
            ("a sign in another guise", "\u{212A}\u{387}", "K."),
        ] {
            assert_eq!(fold_for_reading(text), expected, "{label}");
        }
    }

    /// Both foldings look at one character at a time, so trying all of them is a proof for all texts.
    fn every_character() -> impl Iterator<Item = (char, String)> {
        ('\0'..=char::MAX).map(|c| (c, c.to_string()))
    }

    #[test]
    fn every_character_becomes_plain_for_good() {
        for (c, text) in every_character() {
            let once = plain(&text);
            assert!(once.chars().all(gsm::has), "{c:?}");
            assert_eq!(plain(&once), once, "{c:?}");
        }
    }

    #[test]
    fn every_character_is_folded_without_other_digits_spaces_or_small_letters() {
        for (c, text) in every_character() {
            let once = fold_for_reading(&text);
            for folded in once.chars() {
                assert!(!folded.is_ascii_lowercase() && !folded.is_control(), "{c:?}");
                assert!(!folded.is_whitespace() || folded == ' ', "{c:?}");
                assert!(!folded.is_numeric() || folded.is_ascii_digit(), "{c:?}");
            }
            assert_eq!(fold_for_reading(&once), once, "{c:?}");
        }
    }

    #[test]
    fn composing_borrows_what_is_composed() {
        assert!(matches!(nfc("Ngữ"), Cow::Borrowed("Ngữ")));
        assert_eq!(nfc("Ngu\u{31B}\u{303}"), "Ngữ");
        assert_eq!(to_nfc("e\u{302}\u{301}".to_owned()), "ế");
    }
}
