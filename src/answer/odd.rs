//! What is no plain question: receipts with and without their mark, messages put aside, senders that get no reply.

use std::{sync::Arc, time::Duration};

use super::{Asked, Desk, Row, asked, gather};
use crate::{
    clock::Micros,
    config::Carrier,
    ledger::Entry,
    message::{CarrierId, LineEvent, LineId, LineNo, Odd, Outcome, Part, Reason, ReceiptTlvs, Ticket},
};

/// What was seen of an SMSC that someone must look at is an alarm until it was not seen again for so long.
const QUIET: Duration = Duration::from_hours(24);

impl Desk {
    /// Tells receipts without their mark from what citizens typed, with one look-up a carrier: those become receipts.
    /// What nobody can tell now keeps its `unmarked_receipt`: whoever brought it must bring it again.
    pub(super) async fn tell_unmarked(&self, events: &mut [LineEvent]) {
        let mut places: Vec<(CarrierId, Vec<usize>)> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            if let LineEvent::Question(Part { line, unmarked_receipt: Some(_), .. }) = event
                && let Some(carrier) = self.owner(*line)
            {
                gather(&mut places, carrier.id.clone(), at);
            }
        }
        for (id, places) in places {
            let Some(carrier) = self.decider.carriers.get(&id) else { continue };
            let read = |at: &usize| {
                let LineEvent::Question(part) = &events[*at] else { return None };
                Some((part.unmarked_receipt.as_deref()?, part.received_at))
            };
            let receipts: Vec<_> = places.iter().filter_map(read).collect();
            let Ok(ours) = self.decider.ledger.names_replies(&id, &carrier.receipts, &receipts).await else { continue };
            for (at, is_receipt) in places.into_iter().zip(ours) {
                let LineEvent::Question(part) = &mut events[at] else { continue };
                let Some(receipt) = part.unmarked_receipt.take() else { continue };
                let (line, session, sequence, received_at) = (part.line, part.session, part.sequence, part.received_at);
                self.note(&id, line, if is_receipt { "receipt_flag_missing" } else { "receipt_typed_by_citizen" });
                if is_receipt {
                    let (receipt, ticket) = (*receipt, Arc::clone(&part.ticket));
                    events[at] = LineEvent::Receipt { line, session, sequence, ticket, receipt, received_at };
                }
            }
        }
    }

    /// Puts a message aside, to be answered when that is on disk.
    pub(super) fn aside(&self, carrier: Arc<Carrier>, odd: Odd) -> (Asked, Entry) {
        let row = self.decider.ledger.put_aside(&carrier.id, &odd);
        let Odd { line, session, sequence, ticket, status, .. } = odd;
        let entry = Entry::Odd { row, ticket: Arc::clone(&ticket) };
        let row = Row::Aside(status);
        (Asked { carrier, line, session, sequence, ticket: Some(ticket), row, outgoing: None }, entry)
    }

    /// Tells what the intake met.
    pub(super) fn tell_met(&mut self) {
        for met in self.intake.met() {
            self.note(&met.carrier, met.line, met.trap);
            if let (Some(text), Some(board)) = (met.alarm, self.board.carrier(&met.carrier)) {
                board.alarm_for(None, met.trap, &text, QUIET);
            }
        }
    }

    /// Counts an oddity.
    pub(super) fn note(&self, carrier: &CarrierId, line: LineNo, trap: &'static str) {
        if let Some(board) = self.board.carrier(carrier) {
            board.count(Some(&LineId::from_row(carrier.clone(), line.row())), trap);
        }
    }
}

/// The oddity behind a silence.
pub(super) fn silence(outcome: Outcome, reason: Reason) -> Option<&'static str> {
    match (outcome, reason) {
        (Outcome::Silenced, Reason::Echo) => Some("echo_of_our_reply"),
        (Outcome::Silenced, Reason::Loop) => Some("equal_replies"),
        (Outcome::Silenced, _) => Some("source_not_a_phone"),
        (_, _) => None,
    }
}

pub(super) fn receipt_entry(
    carrier: Arc<Carrier>,
    (line, session, sequence): (LineNo, u32, u32),
    receipt: ReceiptTlvs,
    ticket: Arc<Ticket>,
    received_at: Micros,
) -> (Asked, Entry) {
    let (id, stream) = (carrier.id.clone(), carrier.stream);
    let entry = Entry::Receipt { carrier: id, stream, line: line.row(), receipt, received_at, ticket };
    asked(carrier, line, session, sequence, entry, None)
}
