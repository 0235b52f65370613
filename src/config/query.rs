//! `[query]`: how a text becomes a question. Keywords, patterns, field words and the forms shown to citizens are all
//! settings, because no official syntax has been published.
//!
//! What is written here is in plain capital letters; a citizen's text is folded to the same before it is compared.

mod check;
mod defaults;

use regex::{Regex, RegexBuilder};

use super::reader::Section;
use crate::message::{Field, Lang};

/// The most octets a compiled pattern may take; a pattern beyond is refused when the configuration is read.
const PATTERN_LIMIT: usize = 1 << 20;

/// The kinds of question the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// Own record.
    Record,
    /// Does an old card number belong to the record.
    OldCard,
    /// How to use the service.
    HowTo,
    /// Whom to contact.
    Contact,
}

impl QueryKind {
    /// All kinds. Where two are equally near to a misread text, the earlier one is shown.
    pub const ALL: [Self; 4] = [Self::Record, Self::OldCard, Self::HowTo, Self::Contact];

    /// The name of its section: `[query.old_card]`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::OldCard => "old_card",
            Self::HowTo => "how_to",
            Self::Contact => "contact",
        }
    }

    /// The named captures its pattern must have.
    pub fn needed_captures(self) -> &'static [&'static str] {
        match self {
            Self::Record => &["key"],
            Self::OldCard => &["old", "key"],
            Self::HowTo | Self::Contact => &[],
        }
    }

    /// The named captures its pattern may have beside the needed ones.
    pub fn further_captures(self) -> &'static [&'static str] {
        match self {
            Self::Record => &["fields"],
            Self::OldCard | Self::HowTo | Self::Contact => &[],
        }
    }
}

/// One value for each language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerLang<T> {
    /// For Vietnamese.
    pub vi: T,
    /// For English.
    pub en: T,
}

impl<T> PerLang<T> {
    /// Makes the value of each language.
    pub fn each(mut make: impl FnMut(Lang) -> T) -> Self {
        Self { vi: make(Lang::Vi), en: make(Lang::En) }
    }

    /// The value of one language.
    pub fn of(&self, lang: Lang) -> &T {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

/// What a kind is called in one language, and how its right form is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// The words that begin such a question: 1 to 16 letters and digits, a letter first. None: not in this language.
    pub keywords: Vec<String>,
    /// What a citizen is told to type, as it is: at most 100 plain characters.
    pub form: String,
    /// The same where only the whole personal number will do. Empty for kinds without a number.
    pub full_form: String,
}

/// One kind of question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSettings {
    /// A pattern for the text after the keyword: in capitals, without marks, its separators collapsed to one space.
    pub regex: String,
    /// Keywords and form.
    pub wording: PerLang<Wording>,
}

impl KindSettings {
    /// Compiles the pattern so that it matches the whole rest of a text, whatever the case.
    pub fn pattern(&self) -> Result<Regex, regex::Error> {
        // Alone first: a stray bracket must not close the group that is put around it.
        compile(&self.regex)?;
        compile(&format!(r"\A(?:{})\z", self.regex))
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(PATTERN_LIMIT)
        .dfa_size_limit(PATTERN_LIMIT)
        .nest_limit(50)
        .build()
}

/// The grammar of questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuerySettings {
    /// The language of help for a text that gives no hint of its own.
    pub language: Lang,
    /// Characters that only part words, beside all kinds of space; any run of them is one separator.
    pub separators: String,
    /// The kinds, in the order of [`QueryKind::ALL`].
    pub kinds: [KindSettings; QueryKind::ALL.len()],
    /// The words for each field, indexed by `Field as usize`. Words of both languages are understood in both; the
    /// first of a list is the one shown. A word written with spaces is understood without them too.
    pub words: PerLang<[Vec<String>; Field::ALL.len()]>,
}

impl QuerySettings {
    /// Reads the section `[query]`, reporting every fault.
    pub fn read(mut s: Section) -> Self {
        let mut open: Vec<(String, Section)> = Vec::new();
        let language = s.choice("language", Lang::Vi, &[("vi", Lang::Vi), ("en", Lang::En)]);
        let separators = s.text("separators", defaults::SEPARATORS);
        let kinds = QueryKind::ALL.map(|kind| {
            let mut section = s.section(kind.name());
            let regex = section.text("regex", defaults::regex(kind));
            let wording = PerLang::each(|lang| {
                let (keywords, form) = defaults::wording(kind, lang);
                let mut wording = section.section(lang.code());
                let keywords = wording.list("keywords", keywords).iter().map(|word| plain(word)).collect();
                let form = wording.text("form", form);
                let full_form = match defaults::full_form(kind, lang) {
                    "" => String::new(),
                    default => wording.text("full_form", default),
                };
                open.push((format!("{}.{}", kind.name(), lang.code()), wording));
                Wording { keywords, form, full_form }
            });
            open.push((kind.name().to_owned(), section));
            KindSettings { regex, wording }
        });
        let mut words_section = s.section("words");
        let words = PerLang::each(|lang| {
            let mut section = words_section.section(lang.code());
            let lists = Field::ALL.map(|field| {
                let list = section.list(&field.word().to_ascii_lowercase(), defaults::words(field, lang));
                list.iter().map(|word| plain(word)).collect()
            });
            open.push((format!("words.{}", lang.code()), section));
            lists
        });
        let settings = Self { language, separators, kinds, words };
        for (path, why) in settings.faults() {
            let (section, key) = path.rsplit_once('.').unwrap_or(("", &path));
            open.iter().find(|(name, _)| name == section).map_or(&s, |(_, section)| section).fault(key, why);
        }
        for (_, section) in open {
            section.finish();
        }
        words_section.finish();
        s.finish();
        settings
    }

    /// The settings of one kind.
    pub fn kind(&self, kind: QueryKind) -> &KindSettings {
        &self.kinds[kind as usize]
    }

    /// Every keyword with what it begins, in the order of the kinds, Vietnamese first.
    pub fn keywords(&self) -> Vec<(&str, QueryKind, Lang)> {
        let mut all = Vec::new();
        for kind in QueryKind::ALL {
            for lang in Lang::ALL {
                let words = &self.kind(kind).wording.of(lang).keywords;
                all.extend(words.iter().map(|word| (word.as_str(), kind, lang)));
            }
        }
        all
    }

    /// Every spelling that names a field: the field's own word, the words of both languages, and those with spaces also
    /// without them. The last part of the tuple is where it stands, as a path below `[query]`.
    pub fn spellings(&self) -> Vec<(String, Field, String)> {
        let mut all: Vec<(String, Field, String)> =
            Field::ALL.iter().map(|field| (field.word().to_owned(), *field, String::new())).collect();
        for lang in Lang::ALL {
            for (field, list) in Field::ALL.into_iter().zip(self.words.of(lang)) {
                let path = format!("words.{}.{}", lang.code(), field.word().to_ascii_lowercase());
                for word in list {
                    all.push((word.clone(), field, path.clone()));
                    if word.contains(' ') {
                        all.push((word.replace(' ', ""), field, path.clone()));
                    }
                }
            }
        }
        all
    }
}

impl Default for QuerySettings {
    /// The grammar that is shipped.
    fn default() -> Self {
        Self::read(Section::root(config::Map::new(), "defaults").0)
    }
}

/// A word as it is compared: capitals, single spaces.
fn plain(word: &str) -> String {
    word.split_whitespace().collect::<Vec<&str>>().join(" ").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn read(toml: &str) -> (QuerySettings, Vec<String>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        let (mut root, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
        let settings = QuerySettings::read(root.section("query"));
        root.finish();
        let faults = findings.borrow().faults.iter().map(|fault| format!("{}: {}", fault.key, fault.why)).collect();
        (settings, faults)
    }

    #[test]
    fn an_empty_section_is_the_shipped_grammar_without_a_fault() {
        let (settings, faults) = read("");
        assert_eq!(faults, [""; 0]);
        assert_eq!(settings, QuerySettings::default());
        assert_eq!(settings.kind(QueryKind::Contact).wording.en.keywords, ["CONTACT"]);
    }

    #[test]
    fn words_are_taken_in_any_case_and_spacing() {
        let (settings, faults) =
            read("[query.record.vi]\nkeywords = [\" hoi\"]\n[query.words.vi]\nhoten = [\"ten  toi\"]");
        assert_eq!(faults, [""; 0]);
        assert_eq!(settings.kind(QueryKind::Record).wording.vi.keywords, ["HOI"]);
        let named: Vec<String> =
            settings.spellings().into_iter().filter(|(_, _, path)| path == "words.vi.hoten").map(|s| s.0).collect();
        assert_eq!(named, ["TEN TOI", "TENTOI"]);
    }

    #[test]
    fn every_fault_is_reported_at_once_with_its_key() {
        let (_, faults) = read(
            r#"
            [query]
            language = "fr"
            separators = "_x"
            [query.record]
            regex = '(?<kee>[0-9]+'
            [query.record.vi]
            keywords = []
            [query.old_card]
            regex = '(?<key>[0-9]+) (?<cardd>[0-9]+)'
            [query.old_card.vi]
            keywords = ["CMND", "THẺ", "HD"]
            form = "CMND [9 so]"
            [query.how_to]
            regex = '(?:[a-z]{1000}){1000}'
            [query.contact]
            regex = 'a)(?:b'
            [query.contact.en]
            form = ""
            [query.words.vi]
            hoten = ["HT", "HT", "NS"]
            quequan = ["SEX", "QUÊ"]
            ngaysin = ["X"]
            [query.words.fr]
            "#,
        );
        let heads: Vec<&str> = faults.iter().map(|fault| fault.split_once(": ").unwrap().0).collect();
        assert_eq!(
            heads,
            [
                "query.language",
                "query.separators",
                "query.record.regex",
                "query.record.vi.keywords",
                "query.old_card.regex",
                "query.old_card.regex",
                "query.old_card.vi.keywords",
                "query.old_card.vi.form",
                "query.how_to.regex",
                "query.how_to.vi.keywords",
                "query.contact.regex",
                "query.contact.en.form",
                "query.words.vi.hoten",
                "query.words.vi.quequan",
                "query.words.vi.ngaysinh",
                "query.words.en.gioitinh",
                "query.words.vi.ngaysin",
                "query.words.fr",
            ],
            "{faults:#?}"
        );
    }
}
