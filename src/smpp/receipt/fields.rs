//! Takes the text of a receipt apart: `id:I sub:SSS dlvrd:DDD submit date:D done date:D stat:S err:E text:T` (SMPP 3.4,
//! appendix B) in any order, with any of its fields missing, and one large carrier's list without labels.

use super::{LONGEST_ERROR, date, state::State};
use crate::{
    clock::Micros,
    config::{Line, ReceiptsBy},
    message::{ReceiptField, ReceiptForm},
    smpp::pdu::LONGEST_ID,
};

/// The fields of a receipt's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// `id:`.
    pub(super) id: Option<String>,
    /// `stat:`.
    pub(super) state: Option<State>,
    /// `err:`.
    pub(super) error: Option<String>,
    /// `done date:`, when it is a time.
    pub(super) done_at: Option<Micros>,
    /// `done date:` is given and is none.
    pub(super) done_at_bad: bool,
    /// How they stood in the text.
    pub(super) form: ReceiptForm,
}

/// Reads a text as this carrier writes it.
pub(super) fn read(text: &str, settings: &Line) -> Fields {
    let listed = settings.receipts_by == ReceiptsBy::Csv;
    let by_commas = listed.then(|| read_list(text, settings)).flatten();
    by_commas.unwrap_or_else(|| read_labels(text, settings))
}

/// `status,done,accepted,error,destination,source,...,id`: numbers for states, the id last.
fn read_list(text: &str, settings: &Line) -> Option<Fields> {
    let values: Vec<&str> = text.trim().split(',').map(str::trim).collect();
    let [status, done, _accepted, error, .., id] = values[..] else { return None };
    if values.len() < 6 || status.is_empty() || !status.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return None;
    }
    let mut fields = Fields {
        id: bounded(first_word(id), LONGEST_ID),
        state: Some(State::of_text(status, settings.receipt_zero_is_delivered)),
        error: bounded(error, LONGEST_ERROR),
        form: ReceiptForm { list: true, ..ReceiptForm::default() },
        ..Fields::default()
    };
    fields.take_done(done, settings);
    Some(fields)
}

/// Whether a text is such a list beyond doubt, with times where they belong and something in each place that must have
/// something. It is read only where the setting says so: what its states mean is each carrier's own.
pub(super) fn is_list(text: &str) -> bool {
    let values: Vec<&str> = text.trim().split(',').map(str::trim).collect();
    let [status, done, accepted, _error, destination, source, .., id] = values[..] else { return false };
    let is_word = |value: &&str| !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_graphic());
    let is_time = |value: &&str| date::read(value, 0).is_some();
    [status, destination, source, id].iter().all(is_word) && [done, accepted].iter().all(is_time)
}

/// Reads the fields of a text in any order, whatever the case of the labels and the blanks between them; of a label
/// that stands twice the first counts. Nothing behind `text:` is read: it is the citizen's.
fn read_labels(text: &str, settings: &Line) -> Fields {
    let mut fields = Fields::default();
    let octets = text.as_bytes();
    let mut head = octets.len();
    let mut at = 0;
    while at < octets.len() {
        let begins_a_word = at == 0 || !octets[at - 1].is_ascii_alphanumeric();
        let Some((label, end)) = begins_a_word.then(|| label_at(octets, at)).flatten() else {
            at += 1;
            continue;
        };
        fields.form.has(label);
        if label == ReceiptField::Text {
            head = at;
            break;
        }
        let (value, behind) = value_at(text, end);
        match label {
            ReceiptField::Id if fields.id.is_none() => fields.id = bounded(value, LONGEST_ID),
            ReceiptField::State if fields.state.is_none() && !value.is_empty() => {
                fields.state = Some(State::of_text(value, settings.receipt_zero_is_delivered));
            }
            ReceiptField::Error if fields.error.is_none() => fields.error = bounded(value, LONGEST_ERROR),
            ReceiptField::DoneDate if fields.done_at.is_none() => fields.take_done(value, settings),
            ReceiptField::Id
            | ReceiptField::State
            | ReceiptField::Error
            | ReceiptField::DoneDate
            | ReceiptField::Submitted
            | ReceiptField::Delivered
            | ReceiptField::SubmitDate
            | ReceiptField::Text => {}
        }
        at = behind;
    }
    if fields.state.is_none() {
        // One large carrier leaves the label out: a known word standing alone counts then.
        let word = text[..head].split([' ', ',', '\r', '\n', '\t']).find_map(State::of_word);
        fields.state = word.map(|state| State { labelled: false, ..state });
        fields.form.bare_state = word.is_some();
    }
    fields
}

impl Fields {
    fn take_done(&mut self, value: &str, settings: &Line) {
        self.done_at = date::read(value, settings.receipt_offset_minutes);
        let digits = value.bytes().all(|octet| octet.is_ascii_digit()) && !self.form.list;
        self.form.date_digits = if digits { value.len().min(99) as u8 } else { 0 };
        self.done_at_bad = self.done_at.is_none() && value.bytes().any(|octet| octet != b'0');
    }
}

/// The label that begins here, and where its value begins.
fn label_at(octets: &[u8], at: usize) -> Option<(ReceiptField, usize)> {
    ReceiptField::ALL.into_iter().find_map(|field| {
        let mut end = at;
        for (n, word) in field.label().split(' ').enumerate() {
            if n > 0 {
                let blanks = octets[end..].iter().take_while(|octet| octet.is_ascii_whitespace()).count();
                end += if blanks == 0 { return None } else { blanks };
            }
            let found = octets.get(end..end + word.len())?;
            if !found.eq_ignore_ascii_case(word.as_bytes()) {
                return None;
            }
            end += word.len();
        }
        (octets.get(end) == Some(&b':')).then_some((field, end + 1))
    })
}

/// The value behind a label that ends at `at`, and where it ends: up to the next blank or comma, and empty when the
/// next label follows at once.
fn value_at(text: &str, at: usize) -> (&str, usize) {
    let behind = &text[at..];
    let value = behind.trim_start_matches([' ', '\t']);
    let start = text.len() - value.len();
    if label_at(value.as_bytes(), 0).is_some() {
        return ("", start);
    }
    let value = first_word(value);
    (value, start + value.len())
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| c.is_ascii_whitespace() || c == ',').next().unwrap_or_default()
}

fn bounded(value: &str, longest: usize) -> Option<String> {
    (!value.is_empty()).then(|| value.chars().take(longest).collect())
}
