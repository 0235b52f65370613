//! How an exchange ended. Closed lists: a match on them has no wildcard, so a new member does not compile until every
//! reader has decided. The numbers are stored in rows and never reused.

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All members.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The number in rows.
            pub fn code(self) -> i16 {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Reads the number in a row.
            pub fn from_code(code: i16) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The word in files, logs and labels.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

coded! {
    /// How an exchange ended, as the citizen sees it. One template each, but for `Silenced`.
    Outcome {
        /// The requested fields were given.
        Answered = 1, "answered";
        /// The old card number belongs to the record.
        OldCardMatches = 2, "old_card_matches";
        /// The old card number does not belong to the record.
        OldCardDiffers = 3, "old_card_differs";
        /// Nothing was given; the reason is for the audit alone.
        Refused = 4, "refused";
        /// The short key fits two people of one phone: the full number is asked for.
        FullNumberNeeded = 5, "full_number_needed";
        /// The text is no question; the nearest right form was sent.
        Misread = 6, "misread";
        /// How to use the service was sent.
        HowTo = 7, "how_to";
        /// Whom to contact was sent.
        Contact = 8, "contact";
        /// The registry could not be asked; try later.
        Unavailable = 9, "unavailable";
        /// No reply on purpose: the sender is not a phone.
        Silenced = 10, "silenced";
    }
}

coded! {
    /// Why an exchange ended so. For the audit only: it never shapes the text of a refusal (law 4).
    Reason {
        /// Nothing to add.
        None = 0, "none";
        /// The registry knows no person with the sender's number.
        UnknownNumber = 1, "unknown_number";
        /// The typed key is not that of a person with the sender's number.
        WrongKey = 2, "wrong_key";
        /// The record is locked.
        Locked = 3, "locked";
        /// The person is dead or missing.
        Deceased = 4, "deceased";
        /// The sender is no phone.
        NotAPhone = 5, "not_a_phone";
        /// Empty text.
        Empty = 6, "empty";
        /// No keyword of ours.
        NoKeyword = 7, "no_keyword";
        /// No key, or a key of a wrong length.
        BadKey = 8, "bad_key";
        /// A word that names no field.
        BadFieldWord = 9, "bad_field_word";
        /// Not text.
        NotText = 10, "not_text";
        /// A part never came.
        PartMissing = 11, "part_missing";
        /// The registry failed or did not answer in time.
        RegistryDown = 12, "registry_down";
        /// Longer than any question.
        TooLong = 13, "too_long";
        /// The sender is a code of ours: our own text came back.
        Echo = 14, "echo";
        /// The same reply went to this sender too often: something there answers by itself.
        Loop = 15, "loop";
    }
}

coded! {
    /// The coarse class of a question in billing records; never its arguments.
    Service {
        /// No question was understood.
        None = 0, "NONE";
        /// Own record.
        Record = 1, "RECORD";
        /// Old card number.
        OldCard = 2, "OLDCARD";
        /// How to use.
        HowTo = 3, "HELP";
        /// Whom to contact.
        Contact = 4, "CONTACT";
    }
}

coded! {
    /// What the carrier shall do with the citizen's message price.
    ChargeClass {
        /// Charge it.
        Charge = 1, "CHARGE";
        /// Give it back: a badly formed question, or a reply that could not be delivered.
        Refund = 2, "REFUND";
    }
}

impl Outcome {
    /// Whether a reply goes out.
    pub fn replies(self) -> bool {
        match self {
            Self::Answered
            | Self::OldCardMatches
            | Self::OldCardDiffers
            | Self::Refused
            | Self::FullNumberNeeded
            | Self::Misread
            | Self::HowTo
            | Self::Contact
            | Self::Unavailable => true,
            Self::Silenced => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_are_unique() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_code(outcome.code()), Some(*outcome));
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        assert_eq!(Outcome::from_code(0), None);
    }
}
