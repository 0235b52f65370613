//! Takes the text of a receipt apart: `id:I sub:SSS dlvrd:DDD submit date:D done date:D stat:S err:E text:T` (SMPP 3.4,
//! appendix B) in any order, with any of its fields missing, and one large carrier's list without labels.

use super::{LONGEST_ERROR, date, state::State};
use crate::{clock::Micros, config::Line, smpp::pdu::LONGEST_ID};

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
}

/// Reads a text as this carrier writes it.
pub(super) fn read(text: &str, settings: &Line) -> Fields {
    let by_commas = settings.receipt_csv.then(|| read_list(text, settings)).flatten();
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
        ..Fields::default()
    };
    fields.take_done(done, settings);
    Some(fields)
}

/// The labels, each a word or two with a colon behind. Nothing behind the last one is read: it is the citizen's text.
const LABELS: [(&[&str], Label); 8] = [
    (&["id"], Label::Id),
    (&["stat"], Label::State),
    (&["err"], Label::Error),
    (&["sub"], Label::Other),
    (&["dlvrd"], Label::Other),
    (&["submit", "date"], Label::Other),
    (&["done", "date"], Label::Done),
    (&["text"], Label::Text),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Id,
    State,
    Error,
    Done,
    Other,
    Text,
}

/// Reads the fields of a text in any order, whatever the case of the labels and the blanks between them; of a label
/// that stands twice the first counts.
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
        if label == Label::Text {
            head = at;
            break;
        }
        let (value, behind) = value_at(text, end);
        match label {
            Label::Id if fields.id.is_none() => fields.id = bounded(value, LONGEST_ID),
            Label::State if fields.state.is_none() && !value.is_empty() => {
                fields.state = Some(State::of_text(value, settings.receipt_zero_is_delivered));
            }
            Label::Error if fields.error.is_none() => fields.error = bounded(value, LONGEST_ERROR),
            Label::Done if fields.done_at.is_none() => fields.take_done(value, settings),
            Label::Id | Label::State | Label::Error | Label::Done | Label::Other | Label::Text => {}
        }
        at = behind;
    }
    if fields.state.is_none() {
        // One large carrier leaves the label out: a known word standing alone counts then.
        let word = text[..head].split([' ', ',', '\r', '\n', '\t']).find_map(State::of_word);
        fields.state = word.map(|state| State { labelled: false, ..state });
    }
    fields
}

impl Fields {
    fn take_done(&mut self, value: &str, settings: &Line) {
        self.done_at = date::read(value, settings.receipt_offset_minutes);
        self.done_at_bad = self.done_at.is_none() && value.bytes().any(|octet| octet != b'0');
    }
}

/// The label that begins here, and where its value begins.
fn label_at(octets: &[u8], at: usize) -> Option<(Label, usize)> {
    LABELS.iter().find_map(|(words, label)| {
        let mut end = at;
        for (n, word) in words.iter().enumerate() {
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
        (octets.get(end) == Some(&b':')).then_some((*label, end + 1))
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
