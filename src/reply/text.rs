//! Small work on texts: data made safe to show, line breaks made spaces, long values cut at a word.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// Characters that carriers' gateways or phones change, or that count double in the GSM alphabet (3GPP TS 23.038,
/// 6.2.1 and 6.2.1.1): kept out of the wording of templates.
pub(super) const AVOIDED: &str = "@ $ _ ^ { } \\ [ ] ~ | €";

/// Longest value that is taken from a record, in characters: more than three messages hold.
const LONGEST_VALUE: usize = 500;

/// Whether a character shows nothing: controls, zero width, direction marks, byte order mark.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Adds a value of the registry: NFC, without what cannot be seen, runs of white space as one space, of bounded length.
pub(super) fn push_value(out: &mut String, value: &str) {
    let start = out.len();
    if value.len() <= LONGEST_VALUE && value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        out.push_str(value.trim());
        return;
    }
    let mut space = false;
    for c in value.nfc().filter(|c| c.is_whitespace() || !is_unseen(*c)).take(LONGEST_VALUE) {
        if c.is_whitespace() {
            space = true;
        } else {
            if space && out.len() > start {
                out.push(' ');
            }
            space = false;
            out.push(c);
        }
    }
}

/// A rendered text as it is sent: runs of white space are one space, none at the ends.
pub(super) fn tidy(rendered: String) -> String {
    let bytes = rendered.as_bytes();
    let ragged = bytes.iter().zip(bytes.iter().skip(1)).any(|(a, b)| *a == b' ' && *b == b' ')
        || bytes.iter().any(|b| matches!(b, b'\n' | b'\r' | b'\t'))
        || bytes.first() == Some(&b' ')
        || bytes.last() == Some(&b' ');
    if !ragged {
        return rendered;
    }
    let mut out = String::with_capacity(rendered.len());
    for word in rendered.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The text in NFC, untouched where it is so already.
pub(super) fn nfc(text: String) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes { text } else { text.nfc().collect() }
}

/// At most `limit` characters of a text, ended at a word and by `...`; the whole text when it is short enough.
pub(super) fn cut_at_word(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let head = &text[..end];
    let whole_word = text[end..].starts_with(' ');
    let kept = if whole_word { head } else { head.rsplit_once(' ').map_or(head, |(before, _)| before) };
    format!("{}...", kept.trim_end_matches([' ', ',', ';', '.', '-']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_lose_what_cannot_be_seen_and_keep_the_rest() {
        for (label, value, expected) in [
            ("plain", "Xa Mau", "Xa Mau"),
            ("ends", "  Xa Mau ", "Xa Mau"),
            ("line break", "Xa\r\n\tMau", "Xa Mau"),
            ("controls", "Xa\u{0} \u{1b}Mau\u{200b}", "Xa Mau"),
            ("decomposed", "Nguye\u{302}\u{303}n", "Nguyễn"),
            ("direction", "\u{202e}abc", "abc"),
            ("braces", "{{ 7*7 }}", "{{ 7*7 }}"),
        ] {
            let mut out = String::from("> ");
            push_value(&mut out, value);
            assert_eq!(out, format!("> {expected}"), "{label}");
        }
        let mut out = String::new();
        push_value(&mut out, &"ă".repeat(10_000));
        assert_eq!(out.chars().count(), LONGEST_VALUE);
    }

    #[test]
    fn long_values_are_cut_at_a_word() {
        for (text, limit, expected) in [
            ("xa Mau, tinh Mau", 16, "xa Mau, tinh Mau"),
            ("xa Mau, tinh Mau", 15, "xa Mau, tinh..."),
            ("xa Mau, tinh Mau", 12, "xa Mau, tinh..."),
            ("xa Mau, tinh Mau", 9, "xa Mau..."),
            ("xaMautinhMau", 5, "xaMau..."),
            ("xa", 0, "..."),
        ] {
            assert_eq!(cut_at_word(text, limit), expected, "{text} at {limit}");
        }
    }

    proptest! {
        #[test]
        fn any_value_becomes_one_clean_line(value in any::<String>()) {
            let mut out = String::new();
            push_value(&mut out, &value);
            prop_assert!(!out.chars().any(is_unseen), "{out:?}");
            prop_assert_eq!(out.trim(), out.as_str());
        }

        #[test]
        fn tidying_twice_changes_nothing_and_leaves_no_ragged_space(text in "[ a-ză\n\r\t]{0,60}") {
            let once = tidy(text);
            prop_assert!(!once.contains("  ") && !once.contains('\n'));
            prop_assert_eq!(tidy(once.clone()), once);
        }

        #[test]
        fn a_cut_is_never_longer_than_its_limit_and_the_dots(text in any::<String>(), limit in 0_usize..80) {
            prop_assert!(cut_at_word(&text, limit).chars().count() <= limit + 3);
        }
    }
}
