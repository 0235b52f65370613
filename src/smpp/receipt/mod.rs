//! What a delivery receipt says (SMPP 3.4, 5.2.12 and appendix B). SMSCs agree on little of it: how it is marked, which
//! fields there are, whether the id and the state stand in the text, in optional parameters, or in both.
//!
//! `fields` takes the text apart, `state` knows the words for what became of a message, `date` the forms of a time.

mod date;
mod fields;
mod state;

use fields::Fields;
use state::State;

use super::{deliver::Deliver, pdu::id_text, trap::Trap};
use crate::{
    config::{Line, ReceiptsBy},
    message::{ReceiptForm, ReceiptState, ReceiptTlvs},
    sms,
};

/// The longest error code that is kept, in characters.
const LONGEST_ERROR: usize = 16;
/// The kind in esm_class that says that a final word will follow.
const INTERMEDIATE: u8 = 0x20;

/// What a message turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Somebody wrote to us.
    Message,
    /// A receipt.
    Receipt(ReceiptTlvs),
    /// Marked as one, but it says neither id nor state.
    Nothing,
    /// The same, and its text is a list of values, which no setting says to read.
    List,
}

/// Tells receipts from messages, and reads them. What was odd about them is added to `traps`.
///
/// A text alone makes no receipt unless esm_class marks it: a citizen may type `id:1 stat:DELIVRD`. Both parameters,
/// receipted_message_id and message_state, make one even without the mark.
pub(super) fn read(deliver: &Deliver, settings: &Line, traps: &mut Vec<Trap>) -> Reading {
    let options = &deliver.options;
    let by_parameters = options.receipt_id.is_some() && options.state.is_some();
    if !deliver.is_flagged() && !by_parameters {
        if options.receipt_id.is_some() {
            traps.push(Trap::QuestionWithReceiptTlv);
        }
        return Reading::Message;
    }
    let receipt = combine(deliver, settings, traps);
    if receipt.is_some() {
        traps.extend(oddities(deliver, by_parameters));
    }
    let unread = || if fields::is_list(&plain(deliver, settings).0) { Reading::List } else { Reading::Nothing };
    receipt.map_or_else(unread, Reading::Receipt)
}

/// What a message that is not marked would say as a receipt, at a carrier whose receipts may come so. It must have an
/// id and a state; whether the id is one of ours, and the sender the reply's receiver, is for the ledger to find out.
pub(super) fn unmarked(deliver: &Deliver, settings: &Line) -> Option<ReceiptTlvs> {
    if !settings.receipt_flag_may_be_missing || deliver.is_flagged() {
        return None;
    }
    let (text, _) = read_text(deliver, settings);
    let has_id = text.id.is_some() || deliver.options.receipt_id.is_some();
    let has_state = text.state.is_some_and(|state| state.labelled) || deliver.options.state.is_some();
    if has_id && has_state { combine(deliver, settings, &mut Vec::new()) } else { None }
}

/// How it came, where that is odd.
fn oddities(deliver: &Deliver, by_parameters: bool) -> Vec<Trap> {
    let all = [
        (!deliver.is_flagged(), Trap::ReceiptFlagMissing),
        (deliver.is_flagged() && deliver.kind() != 0x04, Trap::ReceiptFlagForms),
        (deliver.data_sm, Trap::ReceiptAsDataSm),
        (by_parameters && deliver.piece().octets.is_empty(), Trap::ReceiptTlvsOnly),
        (deliver.by_payload && !deliver.data_sm || deliver.has_header(), Trap::ReceiptInPayloadOrHeader),
    ];
    all.into_iter().filter_map(|(is_so, trap)| is_so.then_some(trap)).collect()
}

/// The fields of the text, and whether it is in another coding than it says.
fn read_text(deliver: &Deliver, settings: &Line) -> (Fields, bool) {
    if settings.receipts_by == ReceiptsBy::Parameters {
        return (Fields::default(), false);
    }
    let (text, recoded) = plain(deliver, settings);
    (fields::read(&text, settings), recoded)
}

/// Both sides of a receipt in one. Of two ids the parameter's comes first and the text's is kept beside it; of two
/// states the parameter's counts; the other way round where the carrier's setting says so. `None` when there is neither
/// id nor state.
fn combine(deliver: &Deliver, settings: &Line, traps: &mut Vec<Trap>) -> Option<ReceiptTlvs> {
    let options = &deliver.options;
    let (text, recoded) = read_text(deliver, settings);
    let parameter = options.receipt_id.as_deref().filter(|id| !id.is_empty());
    let parameter = parameter.map(id_text);
    let text_first = settings.receipts_by == ReceiptsBy::Text;
    let ids = if text_first { (text.id, parameter) } else { (parameter, text.id) };
    let (message_id, other_id) = match ids {
        (Some(id), Some(other)) if id != other => (Some(id), Some(other)),
        (Some(id), _) | (None, Some(id)) => (Some(id), None),
        (None, None) => (None, None),
    };
    let state = options.state.map(State::of_number);
    if message_id.is_none() && state.is_none() && text.state.is_none() {
        return None;
    }
    let differ = state.zip(text.state).is_some_and(|(a, b)| a.meaning != b.meaning);
    let (labelled, dates_bad) = (text.state.is_none_or(|state| state.labelled), text.done_at_bad);
    let state = if text_first { text.state.or(state) } else { state.or(text.state) }.unwrap_or_default();
    for (is_so, trap) in [
        (other_id.is_some() || differ, Trap::ReceiptSidesDisagree),
        (!labelled, Trap::ReceiptLabelMissing),
        (dates_bad, Trap::ReceiptDates),
        (state.unheard, Trap::ReceiptStateWords),
        (recoded, Trap::ReceiptInWrongCoding),
    ] {
        if is_so {
            traps.push(trap);
        }
    }
    let marked = deliver.kind() == INTERMEDIATE;
    Some(ReceiptTlvs {
        message_id: message_id.unwrap_or_default(),
        state: state.meaning,
        error: error(text.error, options.network_error),
        other_id,
        source: deliver.source.clone(),
        intermediate: match state.meaning {
            ReceiptState::Delivered | ReceiptState::Failed => false,
            ReceiptState::InHand => true,
            ReceiptState::Accepted | ReceiptState::Unknown => marked,
        },
        done_at: text.done_at,
        form: ReceiptForm { parameters: options.receipt_id.is_some() || options.state.is_some(), ..text.form },
    })
}

/// The error code of the text, with network_error_code (type and code) beside it where both say something.
fn error(text: Option<String>, network: Option<(u8, u16)>) -> String {
    let network = network.map(|(kind, code)| (code, format!("{kind}/{code}")));
    match (text, network) {
        (None, None) => String::new(),
        (Some(text), None | Some((0, _))) => text,
        (None, Some((_, network))) => network,
        (Some(text), Some((_, network))) => {
            let says_something = text.bytes().any(|octet| octet != b'0');
            let both = if says_something { format!("{text} {network}") } else { network };
            if both.len() > LONGEST_ERROR { text } else { both }
        }
    }
}

/// The text of a receipt, and whether it is in another coding than it says. A user data header is left out. Some SMSCs
/// announce UCS-2 and write ASCII: what is printable and has the labels as it stands is taken as it stands.
fn plain(deliver: &Deliver, settings: &Line) -> (String, bool) {
    let mut piece = deliver.piece();
    let end = piece.octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    let printable = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    let without_nul = &piece.octets[..end];
    let as_it_stands = without_nul.iter().all(printable);
    if as_it_stands && (has_labels(without_nul) || !is_wide(deliver.data_coding)) {
        return (ascii(without_nul), is_wide(deliver.data_coding) && !without_nul.is_empty());
    }
    // One octet a character: as ASCII, whatever alphabet the carrier has. They differ in the citizen's text alone.
    if !is_wide(deliver.data_coding) && has_labels(without_nul) {
        return (ascii(without_nul), false);
    }
    piece.octets = &piece.octets[..piece.octets.len().min(MOST_OCTETS)];
    let read = sms::decode(piece, settings.codings);
    let read = read.map(|text| text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect());
    (read.unwrap_or_else(|_| ascii(without_nul)), false)
}

/// A receipt's fields stand at its beginning.
const MOST_OCTETS: usize = 4_096;

/// Whether a data_coding means two octets a character.
fn is_wide(data_coding: u8) -> bool {
    matches!(data_coding, 0x08 | 0x18..=0x1B | 0x48..=0x4B | 0x58..=0x5B | 0xE0..=0xEF)
}

/// Whether the octets have an id or a state as they stand.
fn has_labels(octets: &[u8]) -> bool {
    let octets = &octets[..octets.len().min(MOST_OCTETS)];
    [b"id:".as_slice(), b"stat:"]
        .iter()
        .any(|label| octets.windows(label.len()).any(|window| window.eq_ignore_ascii_case(label)))
}

/// Octets as ASCII, `?` for what is none. 0x11 is the underscore of GSM 03.38. Control characters stay: in a response's
/// message_id they stand, too.
fn ascii(octets: &[u8]) -> String {
    let shown = |&octet: &u8| match octet {
        0x11 => '_',
        octet if octet.is_ascii() => char::from(octet),
        _ => '?',
    };
    octets.iter().take(MOST_OCTETS).map(shown).collect()
}
