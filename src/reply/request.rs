//! What a reply is asked for: the outcome with its facts.

use std::fmt;

use crate::{
    message::{Field, Lang, OldId, Outcome, Person},
    sms::WireForm,
};

/// A reply to be made.
#[derive(Clone, Copy, Debug)]
pub struct ReplyRequest<'a> {
    /// Language of the answer.
    pub lang: Lang,
    /// Whether the carrier's replies keep Vietnamese marks; a template's own setting stands above it.
    pub marks: bool,
    /// How the carrier's replies are coded and cut: decides how many segments a text takes.
    pub form: WireForm,
    /// The code the citizen texted to.
    pub short_code: &'a str,
    /// What happened, with what the text may show of it.
    pub facts: Facts<'a>,
}

/// An outcome and what its text may show; [`Outcome::Silenced`] has no text and so no member here.
#[derive(Clone, Copy)]
pub enum Facts<'a> {
    /// The record was read.
    Answered {
        /// Whose.
        person: &'a Person,
        /// What was asked for, in the order asked.
        fields: &'a [Field],
        /// Whether the citizen typed all 12 digits: only then are they shown.
        full_number_typed: bool,
    },
    /// The old card's number belongs to the record.
    OldCardMatches {
        /// Whose record.
        person: &'a Person,
        /// The number that was typed.
        old: &'a OldId,
        /// As in `Answered`.
        full_number_typed: bool,
    },
    /// The old card's number does not belong to the record.
    OldCardDiffers {
        /// Whose record.
        person: &'a Person,
        /// The number that was typed.
        old: &'a OldId,
        /// As in `Answered`.
        full_number_typed: bool,
    },
    /// Nothing is given. It carries no facts, so that all refusals are alike.
    Refused,
    /// The short key fits more than one person.
    FullNumberNeeded {
        /// The form that would do, from the configuration: `TTCD <12 so dinh danh>`.
        form: &'a str,
    },
    /// The text was no question.
    Misread {
        /// The nearest right form, from the configuration and never from the citizen's text.
        form: &'a str,
    },
    /// How to use the service.
    HowTo,
    /// Whom to contact.
    Contact,
    /// The registry could not be asked.
    Unavailable,
}

impl Facts<'_> {
    /// The outcome these facts belong to.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Answered { .. } => Outcome::Answered,
            Self::OldCardMatches { .. } => Outcome::OldCardMatches,
            Self::OldCardDiffers { .. } => Outcome::OldCardDiffers,
            Self::Refused => Outcome::Refused,
            Self::FullNumberNeeded { .. } => Outcome::FullNumberNeeded,
            Self::Misread { .. } => Outcome::Misread,
            Self::HowTo => Outcome::HowTo,
            Self::Contact => Outcome::Contact,
            Self::Unavailable => Outcome::Unavailable,
        }
    }
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({})", self.outcome().as_str())
    }
}
