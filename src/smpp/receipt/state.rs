//! The words and numbers for what became of a message.

use crate::message::ReceiptState;

/// A state as it stands in a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// What it means.
    pub(super) meaning: ReceiptState,
    /// Nobody knows the word.
    pub(super) unheard: bool,
    /// It stood behind its label.
    pub(super) labelled: bool,
}

impl Default for State {
    /// No state is given.
    fn default() -> Self {
        Self { meaning: ReceiptState::Unknown, unheard: false, labelled: true }
    }
}

impl State {
    fn known(meaning: ReceiptState) -> Self {
        Self { meaning, ..Self::default() }
    }

    /// message_state (SMPP 3.4, 5.2.28; 0 and 9 by SMPP 5.0). 6, accepted, is not taken for delivered: nobody knows
    /// that the phone has it.
    pub(super) fn of_number(number: u8) -> Self {
        match number {
            0 | 1 => Self::known(ReceiptState::InHand),
            2 => Self::known(ReceiptState::Delivered),
            3 | 4 | 5 | 8 | 9 => Self::known(ReceiptState::Failed),
            6 => Self::known(ReceiptState::Accepted),
            7 => Self::default(),
            _ => Self { unheard: true, ..Self::default() },
        }
    }

    /// A state as a text gives it behind its label: a word, or the number of message_state. One gateway writes 0 for
    /// delivered.
    pub(super) fn of_text(value: &str, zero_is_delivered: bool) -> Self {
        if let Some(state) = Self::of_word(value) {
            return state;
        }
        match value.parse() {
            Ok(0) if zero_is_delivered => Self::known(ReceiptState::Delivered),
            Ok(number) => Self::of_number(number),
            Err(_) => Self { unheard: true, ..Self::default() },
        }
    }

    /// The words that are in use, most of them from appendix B of SMPP 3.4.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        use ReceiptState::{Accepted, Delivered, Failed, InHand, Unknown};
        const DELIVERED: &[&str] = &["DELIVRD", "DELIVERED", "DELIVERD"];
        const FAILED: &[&str] = &[
            "UNDELIV",
            "UNDELIVERABLE",
            "UNDELIVRD",
            "FAILED",
            "REJECTD",
            "REJECTED",
            "EXPIRED",
            "DELETED",
            "SKIPPED",
        ];
        const ACCEPTED: &[&str] = &["ACCEPTD", "ACCEPTED"];
        const PASSING: &[&str] = &["ENROUTE", "ACKED", "BUFFRED", "BUFFERD", "BUFFERED", "SCHEDLD", "SCHEDULED"];
        const ALL: [(ReceiptState, &[&str]); 5] = [
            (Delivered, DELIVERED),
            (Failed, FAILED),
            (Accepted, ACCEPTED),
            (InHand, PASSING),
            (Unknown, &["UNKNOWN"]),
        ];
        let known = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        ALL.iter().find(|(_, words)| known(words)).map(|&(state, _)| Self::known(state))
    }
}
