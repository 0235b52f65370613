//! What is under way at the desk: who asked what, what is being looked up, and what is being committed.

use std::{collections::VecDeque, sync::Arc};

use tokio::{sync::oneshot, time::Instant};

use super::undecided::Undecided;
use crate::{
    config::Carrier,
    intake::Inbound,
    ledger::{Entry, Fate, Token},
    message::{LineEvent, LineNo, RowKey, Ticket},
    outbox::Outgoing,
};

/// Who waits for an answer, and for which row.
pub(super) struct Asked {
    pub(super) carrier: Arc<Carrier>,
    pub(super) line: LineNo,
    pub(super) session: u32,
    pub(super) sequence: u32,
    pub(super) ticket: Option<Arc<Ticket>>,
    pub(super) row: Row,
    pub(super) outgoing: Option<Outgoing>,
}

pub(super) enum Row {
    /// An exchange or a part: the intake remembers it.
    Own(RowKey),
    /// A repeat of this row, by its fingerprint.
    Repeat(RowKey, Token),
    /// A receipt.
    Receipt,
    /// A message put aside, and its final status.
    Aside(u32),
}

/// Which line of a carrier asked, in which session, under which sequence_number. Nobody did for a text that was given up.
pub(super) type Origin = Option<(Arc<Carrier>, LineNo, u32, u32)>;

/// What is being looked up.
pub(super) struct Next {
    pub(super) undecided: Undecided,
    pub(super) origins: Vec<Origin>,
    /// What goes to the writer with it.
    pub(super) stored: Vec<(Asked, Entry)>,
}

pub(super) struct Group {
    pub(super) asked: Vec<Asked>,
    pub(super) fates: oneshot::Receiver<Vec<Fate>>,
    pub(super) handed_over: Instant,
}

pub(super) struct Question {
    pub(super) inbound: Inbound,
    pub(super) asked: Origin,
}

pub(super) fn whole(inbound: Inbound) -> Question {
    Question { inbound, asked: None }
}

pub(super) fn asked(
    carrier: Arc<Carrier>,
    line: LineNo,
    session: u32,
    sequence: u32,
    entry: Entry,
    again: Option<Token>,
) -> (Asked, Entry) {
    let row = match &entry {
        Entry::Part { row, .. } => Row::Own(row.key),
        Entry::Exchange { row, .. } => Row::Own(row.key),
        Entry::Repeat { of, .. } => Row::Repeat(*of, again.unwrap_or_default()),
        Entry::Odd { row, .. } => Row::Aside(row.status),
        Entry::Receipt { .. } | Entry::Settlement(_) | Entry::Sending(_) => Row::Receipt,
    };
    let ticket = entry.ticket().cloned();
    (Asked { carrier, line, session, sequence, ticket, row, outgoing: None }, entry)
}

pub(super) fn gather<K: PartialEq, V>(into: &mut Vec<(K, Vec<V>)>, key: K, value: V) {
    match into.iter_mut().find(|(known, _)| *known == key) {
        Some((_, values)) => values.push(value),
        None => into.push((key, vec![value])),
    }
}

/// Whether something must be waited for before more is known of this.
pub(super) fn waits(event: &LineEvent) -> bool {
    match event {
        LineEvent::Question(part) => part.unmarked_receipt.is_some(),
        LineEvent::Down { .. } => true,
        LineEvent::Receipt { .. }
        | LineEvent::Odd(_)
        | LineEvent::Up { .. }
        | LineEvent::Response { .. }
        | LineEvent::Congestion { .. } => false,
    }
}

/// Waits until the next group is looked up; for ever, when there is none.
pub(super) async fn looked_up(next: &mut Option<Next>) {
    match next {
        Some(next) => next.undecided.looked_up().await,
        None => std::future::pending().await,
    }
}

/// The fates of the oldest group; never, when none is under way.
pub(super) async fn first_fates(under_way: &mut VecDeque<Group>) -> Vec<Fate> {
    match under_way.front_mut() {
        Some(group) => (&mut group.fates).await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}
