//! What replies are made with besides the templates: the contact officer, the keywords, the longest reply.

use crate::{
    config::{Contact, ReplySettings},
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
    /// The words of the shipped grammar.
    pub fn shipped(lang: Lang) -> Self {
        let [info, card, help, contact] = match lang {
            Lang::Vi => ["TTCD", "CMND", "HD", "LH"],
            Lang::En => ["INFO", "CARD", "HELP", "CONTACT"],
        };
        Self {
            info: info.into(),
            card: card.into(),
            help: help.into(),
            contact: contact.into(),
            fields: Field::ALL.map(|field| field.word().to_owned()),
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
        Self { max_segments: reply.max_segments, contact: contact.clone(), words: Lang::ALL.map(Words::shipped) }
    }

    /// The words in one language.
    pub fn words(&self, lang: Lang) -> &Words {
        &self.words[lang as usize]
    }
}
