//! In which form receipts come: what is learned of a carrier, and says nothing of a message.

use std::fmt;

/// A field of a receipt's text (SMPP 3.4, appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptField {
    /// The message id.
    Id,
    /// Messages sent.
    Submitted,
    /// Messages delivered.
    Delivered,
    /// When it was sent.
    SubmitDate,
    /// When it was done.
    DoneDate,
    /// What became of it.
    State,
    /// The carrier's error code.
    Error,
    /// The beginning of the message.
    Text,
}

impl ReceiptField {
    /// All of them, in the order of the standard.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Submitted,
        Self::Delivered,
        Self::SubmitDate,
        Self::DoneDate,
        Self::State,
        Self::Error,
        Self::Text,
    ];

    /// The words before its colon, a blank between them.
    pub fn label(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Submitted => "sub",
            Self::Delivered => "dlvrd",
            Self::SubmitDate => "submit date",
            Self::DoneDate => "done date",
            Self::State => "stat",
            Self::Error => "err",
            Self::Text => "text",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Where a receipt says what it says. Shown in the words of the setting `receipt_form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReceiptForm {
    /// In receipted_message_id or message_state.
    pub parameters: bool,
    /// In a text of values with commas.
    pub list: bool,
    /// In a text, by a known word without its label.
    pub bare_state: bool,
    /// How many digits `done date:` has; 0 without one.
    pub date_digits: u8,
    /// The labels of the text, a bit each, see [`ReceiptForm::has`].
    pub labels: u8,
}

impl ReceiptForm {
    /// The text has this label.
    pub fn has(&mut self, field: ReceiptField) {
        self.labels |= field.bit();
    }

    /// Whether it says nothing: that of a receipt which was kept for later.
    pub fn is_unknown(self) -> bool {
        self == Self::default()
    }

    /// The fields of the text in words.
    fn fields(self) -> String {
        let labelled = ReceiptField::ALL.into_iter().filter(|field| self.labels & field.bit() != 0);
        let named = labelled.map(|field| match (field, self.date_digits) {
            (ReceiptField::DoneDate, 1..) => format!("done date of {} digits", self.date_digits),
            (field, _) => field.label().to_owned(),
        });
        let bare = self.bare_state.then(|| "the state without a label".to_owned());
        named.chain(bare).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for ReceiptForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields();
        match (self.parameters, self.list, fields.is_empty()) {
            (false, true, _) => f.write_str("csv"),
            (true, true, _) => f.write_str("csv (beside parameters)"),
            (true, false, true) => f.write_str("parameters"),
            (false, false, false) => write!(f, "text ({fields})"),
            (true, false, false) => write!(f, "auto (parameters, and a text with {fields})"),
            (false, false, true) => f.write_str("auto"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[ReceiptField]) -> ReceiptForm {
        let mut form = ReceiptForm::default();
        for field in fields {
            form.has(*field);
        }
        form
    }

    #[test]
    fn a_form_is_told_in_the_words_of_its_setting() {
        use ReceiptField::{DoneDate, Error, Id, State};
        let text = form(&[State, Id, Error]);
        for (form, words) in [
            (ReceiptForm { parameters: true, ..ReceiptForm::default() }, "parameters"),
            (text, "text (id, stat, err)"),
            (ReceiptForm { parameters: true, ..text }, "auto (parameters, and a text with id, stat, err)"),
            (ReceiptForm { date_digits: 10, ..form(&[Id, DoneDate]) }, "text (id, done date of 10 digits)"),
            (ReceiptForm { bare_state: true, ..form(&[Id]) }, "text (id, the state without a label)"),
            (ReceiptForm { list: true, ..ReceiptForm::default() }, "csv"),
        ] {
            assert_eq!(form.to_string(), words);
            assert!(!form.is_unknown());
        }
        assert!(ReceiptForm::default().is_unknown());
    }
}
