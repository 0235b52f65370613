//! What replies are made with besides the templates: the contact officer, the keywords, the longest reply.

use crate::{
    config::{Contact, QueryKind, QuerySettings, ReplySettings},
    message::{Field, Lang},
};

/// The words of the grammar that replies mention, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Keyword of a look-up of one's own record.
    pub info: String,
    /// Keyword for comparing the old card's number.
    pub card: String,
    /// Keyword for how to use the service.
    pub help: String,
    /// Keyword for the contact officer.
    pub contact: String,
    /// The word that asks for each field, indexed by `Field as usize`.
    pub fields: [String; Field::ALL.len()],
}

impl Words {
    /// The words of a grammar: of several spellings the first, which is the one to be shown.
    pub fn of(grammar: &QuerySettings, lang: Lang) -> Self {
        let keyword = |kind| {
            let here = grammar.kind(kind).wording.of(lang).keywords.first();
            // A kind without a keyword in this language is asked for by its Vietnamese one.
            here.or(grammar.kind(kind).wording.vi.keywords.first()).cloned().unwrap_or_default()
        };
        let words = grammar.words.of(lang);
        Self {
            info: keyword(QueryKind::Record),
            card: keyword(QueryKind::OldCard),
            help: keyword(QueryKind::HowTo),
            contact: keyword(QueryKind::Contact),
            fields: Field::ALL
                .map(|field| words[field as usize].first().cloned().unwrap_or_else(|| field.word().to_owned())),
        }
    }
}

/// Everything a template set is checked and used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Physical messages one reply may take, from 1.
    pub max_segments: u8,
    /// Whom replies name.
    pub contact: Contact,
    /// The words of the grammar, indexed by `Lang as usize`.
    pub words: [Words; 2],
}

impl Settings {
    /// Takes the configuration, with the words of the shipped grammar; put others into `words` afterwards.
    pub fn new(reply: &ReplySettings, contact: &Contact) -> Self {
        Self {
            max_segments: reply.max_segments,
            contact: contact.clone(),
            words: Lang::ALL.map(|lang| Words::of(&QuerySettings::default(), lang)),
        }
    }

    /// The words in one language.
    pub fn words(&self, lang: Lang) -> &Words {
        &self.words[lang as usize]
    }
}
