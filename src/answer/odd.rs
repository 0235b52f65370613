//! What is no plain question: receipts with and without their mark, messages put aside, senders that get no reply.

use std::sync::Arc;

use super::{Asked, Desk, Row, asked};
use crate::{
    clock::Micros,
    config::Carrier,
    ledger::Entry,
    message::{Answer, AnswerStatus, CarrierId, LineId, LineNo, Odd, Outcome, Part, Reason, ReceiptTlvs, Ticket},
};

/// Marked as a receipt, yet without id and state.
const FLAGGED_QUESTION: &str = "flagged_but_a_question";

impl Desk {
    /// Tells a receipt without its mark from what a citizen typed.
    pub(super) async fn unmarked(&self, carrier: &Arc<Carrier>, mut part: Part) -> Unmarked {
        let Some(receipt) = part.unmarked_receipt.take() else { return Unmarked::Question(part) };
        let (line, session, sequence) = (part.line, part.session, part.sequence);
        let ledger = &self.decider.ledger;
        match ledger.names_a_reply(&carrier.id, &carrier.receipts, &receipt, part.received_at).await {
            Ok(true) => {
                self.note(&carrier.id, line, "receipt_flag_missing");
                let place = (line, session, sequence);
                let entry = receipt_entry(Arc::clone(carrier), place, *receipt, part.ticket, part.received_at);
                Unmarked::Receipt(Box::new(entry))
            }
            Ok(false) => {
                self.note(&carrier.id, line, "receipt_typed_by_citizen");
                Unmarked::Question(part)
            }
            // The ledger cannot be read: whoever brought it brings it again.
            Err(_) => Unmarked::Unknown(line, Answer { session, sequence, status: AnswerStatus::Temporary }),
        }
    }

    /// Puts a message aside, to be answered when that is on disk.
    pub(super) fn aside(&self, carrier: Arc<Carrier>, odd: Odd) -> (Asked, Entry) {
        let row = self.decider.ledger.put_aside(&carrier.id, &odd);
        if let (FLAGGED_QUESTION, Some(board)) = (odd.trap, self.board.carrier(&carrier.id)) {
            board.alarm(
                FLAGGED_QUESTION,
                "it marks messages as receipts that say neither id nor state: they may be citizens' questions, and are \
                 put aside. Show them to the carrier",
            );
        }
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
                board.alarm(met.trap, &text);
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

/// What a message that may be a receipt without its mark turns out to be.
pub(super) enum Unmarked {
    Question(Part),
    Receipt(Box<(Asked, Entry)>),
    Unknown(LineNo, Answer),
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
