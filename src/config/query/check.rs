//! What can be wrong in a grammar: found before the service starts, all at once.

use std::collections::HashMap;

use regex::Regex;

use super::{KindSettings, QueryKind, QuerySettings};
use crate::message::{Field, Lang};

/// The longest pattern, in characters: one that a person can still read.
const PATTERN_CHARS: usize = 500;
/// The longest form: it stands in a reply of one part, beside other words.
const FORM_CHARS: usize = 100;
/// The longest keyword.
const KEYWORD_CHARS: usize = 16;
/// The longest field word, spaces included.
const WORD_CHARS: usize = 40;
/// ASCII that carriers' filters damage or that takes two septets (3GPP TS 23.038, 6.2.1.1).
const DAMAGED: &str = "@$_^{}\\[]~|`";

type Faults = Vec<(String, String)>;

impl QuerySettings {
    /// Everything wrong in these settings: the key's path below `[query]`, and why. Empty when a grammar can be built.
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.separators.chars().any(char::is_alphanumeric) {
            faults.push(("separators".to_owned(), "must not hold a letter or a digit".to_owned()));
        }
        let mut seen = HashMap::new();
        for kind in QueryKind::ALL {
            check_pattern(kind, self.kind(kind), &mut faults);
            for lang in Lang::ALL {
                self.check_wording(kind, lang, &mut seen, &mut faults);
            }
        }
        self.check_words(&mut faults);
        faults
    }

    fn check_wording<'a>(
        &'a self,
        kind: QueryKind,
        lang: Lang,
        seen: &mut HashMap<&'a str, String>,
        faults: &mut Faults,
    ) {
        let wording = self.kind(kind).wording.of(lang);
        let path = format!("{}.{}", kind.name(), lang.code());
        let key = format!("{path}.keywords");
        if wording.keywords.is_empty() && kind == QueryKind::Record && lang == self.language {
            let why = "must not be empty: its form is the help for a text that gives no hint";
            faults.push((key.clone(), why.to_owned()));
        }
        for keyword in &wording.keywords {
            if !is_word(keyword, KEYWORD_CHARS) || keyword.contains(' ') {
                let why = format!(
                    "must be 1 to {KEYWORD_CHARS} letters without marks or digits, a letter first, got \"{keyword}\""
                );
                faults.push((key.clone(), why));
            } else if let Some(before) = seen.insert(keyword, path.clone()) {
                faults.push((key.clone(), format!("\"{keyword}\" stands in {before} already")));
            }
        }
        if wording.keywords.is_empty() {
            return;
        }
        let with_key = !kind.needed_captures().is_empty();
        let forms = [("form", &wording.form)].into_iter().chain(with_key.then_some(("full_form", &wording.full_form)));
        for (name, form) in forms {
            let key = format!("{path}.{name}");
            if form.is_empty() || form.len() > FORM_CHARS {
                faults.push((key.clone(), format!("must be 1 to {FORM_CHARS} characters")));
            }
            let wrong = |c: &char| !matches!(c, ' '..='~') || DAMAGED.contains(*c);
            if let Some(c) = form.chars().find(wrong) {
                let why =
                    format!("must be plain letters without marks, digits and common signs: '{c}' may arrive damaged");
                faults.push((key, why));
            }
        }
    }

    fn check_words(&self, faults: &mut Faults) {
        for lang in Lang::ALL {
            for (field, list) in Field::ALL.into_iter().zip(self.words.of(lang)) {
                let key = format!("words.{}.{}", lang.code(), field.word().to_ascii_lowercase());
                for (at, word) in list.iter().enumerate() {
                    if !is_word(word, WORD_CHARS) {
                        let why = format!(
                            "must be 1 to {WORD_CHARS} letters without marks, digits or spaces, a letter first, got \"{word}\""
                        );
                        faults.push((key.clone(), why));
                    } else if list[..at].contains(word) {
                        faults.push((key.clone(), format!("\"{word}\" stands here twice")));
                    }
                }
            }
        }
        let mut seen: HashMap<String, Field> = HashMap::new();
        for (word, field, path) in self.spellings() {
            let first = *seen.entry(word.clone()).or_insert(field);
            if first != field {
                faults.push((path, format!("\"{word}\" names {} already", first.word())));
            }
        }
    }
}

fn check_pattern(kind: QueryKind, settings: &KindSettings, faults: &mut Faults) {
    let mut fault = |why: String| faults.push((format!("{}.regex", kind.name()), why));
    if settings.regex.chars().count() > PATTERN_CHARS {
        return fault(format!("must be at most {PATTERN_CHARS} characters"));
    }
    match settings.pattern() {
        Ok(pattern) => capture_faults(kind, &pattern).into_iter().for_each(fault),
        Err(error) => {
            // The first lines of the error draw the pattern, the last one says what is wrong.
            let shown = error.to_string();
            let why = shown.lines().last().unwrap_or_default();
            fault(format!("is no pattern: {}", why.trim_start_matches("error: ")));
        }
    }
}

fn capture_faults(kind: QueryKind, pattern: &Regex) -> Vec<String> {
    let needed = kind.needed_captures();
    let named: Vec<&str> = pattern.capture_names().flatten().collect();
    let missing = needed.iter().filter(|name| !named.contains(name)).map(|name| format!("lacks (?<{name}>...)"));
    let known = |name: &&&str| needed.contains(name) || kind.further_captures().contains(name);
    let unknown = named.iter().filter(|name| !known(name)).map(|name| format!("(?<{name}>...) means nothing here"));
    missing.chain(unknown).collect()
}

/// Whether this is capital letters, digits and inner spaces, a letter first.
fn is_word(word: &str, longest: usize) -> bool {
    word.len() <= longest
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ')
}
