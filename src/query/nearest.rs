//! The nearest right form for a text that is no question. What is shown comes from the settings, never from the text.

use super::grammar::Grammar;
use crate::{
    config::{QueryKind, distance},
    message::{Field, Lang, Misread, Why},
};

/// How many words of a text are looked at for a hint.
const WORDS: usize = 8;
/// How many characters of a word are compared.
const CHARS: usize = 24;
/// So many digits in a text mean that it names a record.
const KEY_DIGITS: usize = 6;

impl Grammar {
    /// Help for a text that does not begin with a keyword: the form of the keyword that stands elsewhere in it, or else
    /// of the one nearest to its first word, or to its first two without the space. A text with a number in it is never taken for a call for help.
    pub(super) fn without_keyword(&self, plain: &str) -> Misread {
        let named = plain.bytes().filter(u8::is_ascii_digit).count() >= KEY_DIGITS;
        let fits = |kind: QueryKind| !named || !kind.needed_captures().is_empty();
        let heads = || plain.split(' ').take(WORDS).map(letters).filter(|word| word.len() > 1);
        let elsewhere = heads().find_map(|word| self.by_keyword.get(word).filter(|(kind, _)| fits(*kind)));
        let mut best: Option<(usize, QueryKind, Lang)> = elsewhere.map(|(kind, lang)| (0, *kind, *lang));
        let one = heads().next().unwrap_or_default();
        let two: String = heads().take(2).collect();
        for typed in [one, &two] {
            for (keyword, kind, lang) in self.keywords.iter().filter(|(_, kind, _)| fits(*kind)) {
                let apart = distance(keyword, typed);
                if apart <= slips(keyword, typed) && best.is_none_or(|(least, _, _)| apart < least) {
                    best = Some((apart, *kind, *lang));
                }
            }
        }
        best.map_or_else(
            || self.misread(Why::Keyword),
            |(_, kind, lang)| Misread { why: Why::Keyword, form: self.form(kind, lang).to_owned(), lang },
        )
    }

    /// Help for a record's question whose words from `unknown` on name no field: its form, with the nearest field word
    /// behind it where one is near.
    pub(super) fn without_field(&self, lang: Lang, unknown: &str) -> Misread {
        let form = self.form(QueryKind::Record, lang);
        let form = self
            .nearest_field(unknown)
            .map_or_else(|| form.to_owned(), |field| format!("{form} {}", self.word(field, lang)));
        Misread { why: Why::FieldWord, form, lang }
    }

    fn nearest_field(&self, unknown: &str) -> Option<Field> {
        let one = unknown.split(' ').next().unwrap_or_default();
        let two = unknown.match_indices(' ').nth(1).map_or(unknown, |(at, _)| &unknown[..at]);
        let mut best: Option<(usize, Field)> = None;
        for typed in [two, one] {
            let typed = cut(typed);
            let chars = typed.chars().count();
            // A short word is near to everything, so neither side of the comparison may be one.
            let allowed = if chars < 3 { continue } else { 1 + usize::from(chars > 4) };
            for (word, field) in
                self.words.iter().filter(|(word, _)| word.len() > 2 && word.len().abs_diff(chars) <= allowed)
            {
                let apart = distance(word, typed);
                if apart <= allowed && best.is_none_or(|(least, _)| apart < least) {
                    best = Some((apart, *field));
                }
            }
        }
        best.map(|(_, field)| field)
    }
}

/// How far a typed word may be from the keyword it was meant to be. Two swapped letters count as two, so they are
/// allowed in a word of the right length and beginning; more would make a keyword of any short word.
fn slips(keyword: &str, typed: &str) -> usize {
    let alike = keyword.len() > 3 && keyword.len() == typed.len() && keyword.as_bytes()[0] == typed.as_bytes()[0];
    (keyword.len() / 3).max(1) + usize::from(alike)
}

/// What stands before the first digit of a word.
fn letters(word: &str) -> &str {
    cut(word.find(|c: char| c.is_ascii_digit()).map_or(word, |at| &word[..at]))
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(CHARS).map_or(word, |(at, _)| &word[..at])
}
