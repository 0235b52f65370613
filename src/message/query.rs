//! What the citizen asked, after reading.

use super::{Field, OldId, TypedKey};

/// The language of a question's keyword, and so of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lang {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

impl Lang {
    /// Both languages.
    pub const ALL: [Self; 2] = [Self::Vi, Self::En];

    /// The folder of its templates: `vi`, `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// A question understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Own record: the fields asked for in the order asked, none for the default set.
    Record {
        /// Names the record.
        key: TypedKey,
        /// Empty means the default set of the configuration.
        fields: Vec<Field>,
        /// Language of the answer.
        lang: Lang,
    },
    /// Does this old card number belong to this record.
    OldCard {
        /// The old number to compare.
        old: OldId,
        /// Names the record.
        key: TypedKey,
        /// Language of the answer.
        lang: Lang,
    },
    /// How to use the service.
    HowTo {
        /// Language of the answer.
        lang: Lang,
    },
    /// Whom to contact.
    Contact {
        /// Language of the answer.
        lang: Lang,
    },
}

impl Query {
    /// Language of the answer.
    pub fn lang(&self) -> Lang {
        match self {
            Self::Record { lang, .. } | Self::OldCard { lang, .. } | Self::HowTo { lang } | Self::Contact { lang } => {
                *lang
            }
        }
    }

    /// The key that names a record, where the kind has one.
    pub fn key(&self) -> Option<&TypedKey> {
        match self {
            Self::Record { key, .. } | Self::OldCard { key, .. } => Some(key),
            Self::HowTo { .. } | Self::Contact { .. } => None,
        }
    }
}

/// Why a text could not be read as a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing in it.
    Empty,
    /// No keyword of ours at its start.
    Keyword,
    /// A keyword, but no number after it, or one that is not 6, 9 or 12 digits.
    Key,
    /// A keyword and a number, but a word that names no field.
    FieldWord,
    /// Not text: binary, or in an alphabet that cannot be read.
    NotText,
    /// A part of a long text never came.
    PartMissing,
    /// Longer than any question can be.
    TooLong,
}

/// A text that is no question, with the help that can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// What was wrong.
    pub why: Why,
    /// The nearest right form, to be shown as it is: `TTCD <6 so cuoi CCCD>`. From the configuration, never from the text.
    pub form: String,
    /// Language of the answer.
    pub lang: Lang,
}
