//! What a delivery receipt says (SMPP 3.4, 5.2.12 and appendix B). SMSCs agree on little of it: the labels' case and
//! order, which fields there are, whether the id and the state stand in the text, in optional parameters, or in both.

use super::deliver::Deliver;
use crate::message::{ReceiptState, ReceiptTlvs};

/// The longest id that is kept, in octets.
const LONGEST_ID: usize = 255;
/// The longest error code that is kept, in characters.
const LONGEST_ERROR: usize = 16;

/// What a message turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Somebody wrote to us.
    Message,
    /// A receipt.
    Receipt(ReceiptTlvs),
    /// Marked as one, but it says neither id nor state.
    Nothing,
}

/// Tells receipts from messages, and reads them.
///
/// A text alone makes no receipt unless esm_class marks it: a citizen may type `id:1 stat:DELIVRD`. Both parameters,
/// receipted_message_id and message_state, make one even without the mark.
pub(super) fn read(deliver: &Deliver) -> Reading {
    let options = &deliver.options;
    let by_parameters = options.receipt_id.is_some() && options.state.is_some();
    if !deliver.is_flagged() && !by_parameters {
        return Reading::Message;
    }
    let text = read_text(&plain(deliver));
    let id = options.receipt_id.as_deref().filter(|id| !id.is_empty()).map(|id| ascii(&id[..id.len().min(LONGEST_ID)]));
    let id = id.or(text.id);
    let state = options.state.map(state_of_number).or(text.state);
    if id.is_none() && state.is_none() {
        return Reading::Nothing;
    }
    let by_network = || options.network_error.map(|(kind, code)| format!("{kind}/{code}"));
    Reading::Receipt(ReceiptTlvs {
        message_id: id.unwrap_or_default(),
        state: state.unwrap_or(ReceiptState::Unknown),
        error: text.error.or_else(by_network).unwrap_or_default(),
        other_id: None,
        source: deliver.source.clone(),
        intermediate: false,
        done_at: None,
    })
}

/// The fields of a receipt's text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields {
    id: Option<String>,
    state: Option<ReceiptState>,
    error: Option<String>,
}

/// The labels, each a word or two with a colon behind. Nothing behind the last one is read: it is the citizen's text.
const LABELS: [(&[&str], Label); 8] = [
    (&["id"], Label::Id),
    (&["stat"], Label::State),
    (&["err"], Label::Error),
    (&["sub"], Label::Other),
    (&["dlvrd"], Label::Other),
    (&["submit", "date"], Label::Other),
    (&["done", "date"], Label::Other),
    (&["text"], Label::Text),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Id,
    State,
    Error,
    Other,
    Text,
}

/// Reads the fields of a text in any order, whatever the case of the labels and the blanks between them.
fn read_text(text: &str) -> Fields {
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
        let value = first_word(&text[end..]);
        match label {
            Label::Id if fields.id.is_none() => fields.id = bounded(value, LONGEST_ID),
            Label::State if fields.state.is_none() && !value.is_empty() => fields.state = Some(state_of_text(value)),
            Label::Error if fields.error.is_none() => fields.error = bounded(value, LONGEST_ERROR),
            Label::Id | Label::State | Label::Error | Label::Other | Label::Text => {}
        }
        at = end;
    }
    if fields.state.is_none() {
        // One large carrier leaves the label out: a known word standing alone counts then.
        fields.state = text[..head].split([' ', ',', '\r', '\n', '\t']).find_map(state_of_word);
    }
    fields
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

/// The value behind a label: up to the next blank or comma, and empty when the next label follows at once.
fn first_word(behind: &str) -> &str {
    let value = behind.trim_start_matches([' ', '\t']);
    if label_at(value.as_bytes(), 0).is_some() {
        return "";
    }
    value.split(|c: char| c.is_ascii_whitespace() || c == ',').next().unwrap_or_default()
}

fn bounded(value: &str, longest: usize) -> Option<String> {
    (!value.is_empty()).then(|| value.chars().take(longest).collect())
}

/// A state as a text gives it: a word, or the number of message_state.
fn state_of_text(value: &str) -> ReceiptState {
    state_of_word(value).or_else(|| value.parse().ok().map(state_of_number)).unwrap_or(ReceiptState::Unknown)
}

/// The words that are in use, most of them from appendix B of SMPP 3.4.
fn state_of_word(word: &str) -> Option<ReceiptState> {
    const WORDS: [(ReceiptState, &[&str]); 5] = [
        (ReceiptState::Delivered, &["DELIVRD", "DELIVERED", "DELIVERD"]),
        (
            ReceiptState::Failed,
            &[
                "UNDELIV",
                "UNDELIVERABLE",
                "UNDELIVRD",
                "FAILED",
                "REJECTD",
                "REJECTED",
                "EXPIRED",
                "DELETED",
                "SKIPPED",
            ],
        ),
        (ReceiptState::InHand, &["ENROUTE", "ACKED", "BUFFRED", "BUFFERD", "BUFFERED", "SCHEDLD", "SCHEDULED"]),
        (ReceiptState::Accepted, &["ACCEPTD", "ACCEPTED"]),
        (ReceiptState::Unknown, &["UNKNOWN"]),
    ];
    WORDS.iter().find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word))).map(|(state, _)| *state)
}

/// message_state (SMPP 3.4, 5.2.28; 0 and 9 by SMPP 5.0). 6, accepted, is not taken for delivered: nobody knows that
/// the phone has it.
fn state_of_number(number: u8) -> ReceiptState {
    match number {
        2 => ReceiptState::Delivered,
        3 | 4 | 5 | 8 | 9 => ReceiptState::Failed,
        0 | 1 => ReceiptState::InHand,
        6 => ReceiptState::Accepted,
        _ => ReceiptState::Unknown,
    }
}

/// The text of a receipt as ASCII. A user data header is left out. Some SMSCs announce UCS-2 and write ASCII: what is
/// printable as it stands is taken as it stands.
fn plain(deliver: &Deliver) -> String {
    let mut octets = deliver.text.as_slice();
    if deliver.has_header() {
        let length = octets.first().map_or(0, |&length| usize::from(length) + 1);
        octets = octets.get(length..).unwrap_or_default();
    }
    let printable = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    if deliver.data_coding & 0x0C == 0x08 && !octets.iter().all(printable) {
        let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return units.map(|unit| u8::try_from(unit).ok().filter(u8::is_ascii).map_or('?', char::from)).collect();
    }
    ascii(octets)
}

/// Octets as ASCII, `?` for what is none. 0x11 is the underscore of GSM 03.38 and no character of ASCII.
fn ascii(octets: &[u8]) -> String {
    let shown = |&octet: &u8| match octet {
        0x11 => '_',
        octet if octet.is_ascii_graphic() || octet.is_ascii_whitespace() => char::from(octet),
        _ => '?',
    };
    octets.iter().map(shown).collect()
}
