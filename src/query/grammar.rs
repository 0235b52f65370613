//! The grammar, built from the settings, and the reading of a text by it.

use std::collections::HashMap;

use regex::Regex;

use super::text::{self, Separators};
use crate::{
    config::{PerLang, QueryKind, QuerySettings},
    message::{Field, Lang, Misread, OldId, Query, TypedKey, Why},
};

/// The longest text that is looked at, in characters: more than any question in six parts.
pub const LONGEST_TEXT: usize = 1_000;

/// What the settings say about questions, ready for reading.
#[derive(Debug)]
pub struct Grammar {
    pub(super) language: Lang,
    /// In the order of the kinds, for the search of the nearest.
    pub(super) keywords: Vec<(String, QueryKind, Lang)>,
    /// In the order of the fields, for the search of the nearest.
    pub(super) words: Vec<(String, Field)>,
    pub(super) forms: [PerLang<String>; QueryKind::ALL.len()],
    full_forms: [PerLang<String>; QueryKind::ALL.len()],
    pub(super) by_keyword: HashMap<String, (QueryKind, Lang)>,
    separators: Separators,
    patterns: Vec<Regex>,
    by_word: HashMap<String, Field>,
    /// The most words that one field word has.
    longest_word: usize,
    shown: PerLang<[String; Field::ALL.len()]>,
}

impl Grammar {
    /// Builds the grammar.
    ///
    /// # Errors
    /// Everything wrong in the settings, each with its key path (`query.record.regex`) and what is wrong. Settings that
    /// were read without a fault have none.
    pub fn build(settings: &QuerySettings) -> Result<Self, Vec<(String, String)>> {
        let mut faults: Vec<(String, String)> =
            settings.faults().into_iter().map(|(path, why)| (format!("query.{path}"), why)).collect();
        let mut patterns = Vec::with_capacity(QueryKind::ALL.len());
        for kind in QueryKind::ALL {
            match settings.kind(kind).pattern() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) if faults.is_empty() => {
                    faults.push((format!("query.{}.regex", kind.name()), error.to_string()));
                }
                Err(_) => {}
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let keywords: Vec<(String, QueryKind, Lang)> =
            settings.keywords().into_iter().map(|(word, kind, lang)| (word.to_owned(), kind, lang)).collect();
        let words: Vec<(String, Field)> =
            settings.spellings().into_iter().map(|(word, field, _)| (word, field)).collect();
        Ok(Self {
            language: settings.language,
            by_keyword: keywords.iter().map(|(word, kind, lang)| (word.clone(), (*kind, *lang))).collect(),
            keywords,
            by_word: words.iter().cloned().collect(),
            longest_word: words.iter().map(|(word, _)| word.split(' ').count()).max().unwrap_or(1),
            words,
            forms: QueryKind::ALL.map(|kind| PerLang::each(|lang| settings.kind(kind).wording.of(lang).form.clone())),
            full_forms: QueryKind::ALL
                .map(|kind| PerLang::each(|lang| settings.kind(kind).wording.of(lang).full_form.clone())),
            separators: Separators::new(&settings.separators),
            patterns,
            shown: PerLang::each(|lang| {
                Field::ALL.map(|field| {
                    let first = settings.words.of(lang)[field as usize].first();
                    first.map_or(field.word(), String::as_str).to_owned()
                })
            }),
        })
    }

    /// Reads a question.
    ///
    /// # Errors
    /// A text that is no question, with the part that was wrong and the nearest right form to show.
    pub fn read(&self, text: &str) -> Result<Query, Misread> {
        if text.len() > LONGEST_TEXT && text.chars().nth(LONGEST_TEXT).is_some() {
            return Err(self.misread(Why::TooLong));
        }
        let plain = text::plain(text, &self.separators);
        if plain.is_empty() {
            return Err(self.misread(Why::Empty));
        }
        let Some((kind, lang, rest)) = self.keyword(&plain) else { return Err(self.without_keyword(&plain)) };
        let wrong = |why| Misread { why, form: self.form(kind, lang).to_owned(), lang };
        let parts = self.patterns[kind as usize].captures(rest).ok_or_else(|| wrong(Why::Key))?;
        let part = |name| parts.name(name).map_or("", |part| part.as_str());
        let key = || TypedKey::parse(&digits(part("key"))).ok_or_else(|| wrong(Why::Key));
        match kind {
            QueryKind::Record => {
                let key = key()?;
                let fields = self.fields(part("fields")).map_err(|unknown| self.without_field(lang, unknown))?;
                Ok(Query::Record { key, fields, lang })
            }
            QueryKind::OldCard => {
                let old = OldId::parse(&digits(part("old"))).ok_or_else(|| wrong(Why::Key))?;
                Ok(Query::OldCard { old, key: key()?, lang })
            }
            QueryKind::HowTo => Ok(Query::HowTo { lang }),
            QueryKind::Contact => Ok(Query::Contact { lang }),
        }
    }

    /// The help for a text that gives no hint: the form of the record's question in the language of the settings. Also
    /// for what never became a text ([`Why::NotText`], [`Why::PartMissing`]).
    pub fn misread(&self, why: Why) -> Misread {
        Misread { why, form: self.form(QueryKind::Record, self.language).to_owned(), lang: self.language }
    }

    /// The right form of a kind where only the whole personal number will do. Empty for kinds without a number.
    pub fn full_form(&self, kind: QueryKind, lang: Lang) -> &str {
        self.full_forms[kind as usize].of(lang)
    }

    /// The right form of a kind, as it is shown. Empty where the kind has no keyword in that language.
    pub fn form(&self, kind: QueryKind, lang: Lang) -> &str {
        self.forms[kind as usize].of(lang)
    }

    /// The word by which a citizen is told to ask for a field.
    pub fn word(&self, field: Field, lang: Lang) -> &str {
        &self.shown.of(lang)[field as usize]
    }

    /// The kind that a text begins with, and the rest of it. A keyword may be glued to the digits after it.
    pub(super) fn keyword<'t>(&self, plain: &'t str) -> Option<(QueryKind, Lang, &'t str)> {
        let (first, rest) = plain.split_once(' ').unwrap_or((plain, ""));
        if let Some((kind, lang)) = self.by_keyword.get(first) {
            return Some((*kind, *lang, rest));
        }
        let digit = first.find(|c: char| c.is_ascii_digit())?;
        let (kind, lang) = self.by_keyword.get(&first[..digit])?;
        Some((*kind, *lang, &plain[digit..]))
    }

    /// The fields that these words name, in their order and each once; else the text from the first unknown word on.
    /// Of all words that could begin here the longest counts: `TEN KHAC` is one field, not `TEN` and something else.
    fn fields<'t>(&self, words: &'t str) -> Result<Vec<Field>, &'t str> {
        let mut fields = Vec::new();
        let mut rest = words.trim();
        while !rest.is_empty() {
            let ends = rest.match_indices(' ').map(|(at, _)| at).chain([rest.len()]).take(self.longest_word);
            let named = ends.filter_map(|end| Some((end, *self.by_word.get(&rest[..end])?)));
            let (end, field) = named.last().ok_or(rest)?;
            if !fields.contains(&field) {
                fields.push(field);
            }
            rest = rest[end..].trim_start();
        }
        Ok(fields)
    }
}

/// A number without the spaces between its groups; anything else in it stays and makes it no number.
fn digits(grouped: &str) -> String {
    grouped.chars().filter(|c| *c != ' ').collect()
}
