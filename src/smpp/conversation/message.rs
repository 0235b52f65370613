//! The messages of a session: what is handed up, what is answered at once, and the answers and submits that come down.

use tokio::time::Instant;

use super::{Conversation, Stage};
use crate::{
    config::TemporaryStatus,
    message::{Answer, AnswerStatus, LineCommand, LineEvent, Octets, Part},
    smpp::{
        deliver::Deliver,
        frame::Frame,
        pdu::{self, status},
        receipt::{self, Reading},
        trap::Trap,
    },
};

impl Conversation<'_> {
    /// A `deliver_sm` or `data_sm`: handed up with a ticket, or answered at once when nobody need decide.
    pub(super) fn take_message(&mut self, frame: Frame, now: Instant) {
        let (command_id, sequence) = (frame.command_id, frame.sequence_number);
        if matches!(self.stage, Stage::Binding { .. }) {
            self.note(Trap::BeforeBound);
            if self.held.len() < usize::try_from(self.settings.inbound_window).unwrap_or(usize::MAX) {
                self.held.push(frame);
            }
            return;
        }
        // After our unbind nobody is left to decide.
        if self.quiet || matches!(self.stage, Stage::Leaving { .. }) {
            let temporary = self.temporary();
            return pdu::write_answer(&mut self.out, command_id, temporary, sequence);
        }
        let mut deliver = match Deliver::read(&frame, self.settings.codings) {
            Ok(deliver) => deliver,
            Err(malformed) => {
                self.note(malformed.trap());
                return pdu::write_answer(&mut self.out, command_id, malformed.status(), sequence);
            }
        };
        let mut traps = std::mem::take(&mut deliver.traps);
        if deliver.options.ussd {
            traps.push(Trap::Ussd);
            traps.into_iter().for_each(|trap| self.note(trap));
            return pdu::write_answer(&mut self.out, command_id, status::REJECTED_APP_ERROR, sequence);
        }
        let (line, session, received_at) = (self.station.line, self.session, self.station.clock.now());
        let reading = receipt::read(&deliver, self.settings, &mut traps);
        traps.into_iter().for_each(|trap| self.note(trap));
        let event = match reading {
            Reading::Nothing => {
                self.note(Trap::ReceiptWithoutContent);
                return pdu::write_answer(&mut self.out, command_id, status::OK, sequence);
            }
            Reading::Receipt(receipt) => {
                let ticket = self.questions.opened(command_id, sequence, now);
                LineEvent::Receipt { line, session, sequence, ticket, receipt, received_at }
            }
            Reading::Message => LineEvent::Question(Part {
                line,
                session,
                sequence,
                ticket: self.questions.opened(command_id, sequence, now),
                data_coding: deliver.data_coding,
                udhi: deliver.has_header(),
                sar: deliver.sar(),
                unmarked_receipt: receipt::unmarked(&deliver, self.settings).map(Box::new),
                source: deliver.source,
                destination: deliver.destination,
                octets: Octets(deliver.text),
                received_at,
            }),
        };
        self.station.post.for_desk(event);
    }

    /// A command from the service.
    pub(in crate::smpp) fn command(&mut self, command: LineCommand) {
        match command {
            LineCommand::Answers(answers) => {
                for answer in answers {
                    self.answer(answer);
                }
                self.dismissed();
            }
            LineCommand::Rebind => self.end(Err(crate::smpp::error::LineError::NotBound)),
            LineCommand::Submits(submits) => {
                // The outbox keeps the window; what it gives beyond is held for a while, and no longer than that.
                let most = 4 * usize::try_from(self.settings.window).unwrap_or(usize::MAX / 4) + 1_000;
                for submit in submits {
                    if self.stage != Stage::Bound || !self.role.sends() {
                        self.station.unsent(&submit, status::INVALID_BIND_STATUS);
                    } else if self.unsent.len() < most {
                        self.unsent.push_back(submit);
                    } else {
                        self.note(Trap::WindowOverrun);
                        self.station.unsent(&submit, status::THROTTLED);
                    }
                }
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        if answer.session != self.session {
            return;
        }
        let Some(command_id) = self.questions.answered(answer.sequence) else { return };
        let command_status = match answer.status {
            AnswerStatus::Stored => status::OK,
            AnswerStatus::Temporary => self.temporary(),
            AnswerStatus::NotOurs => status::INVALID_DESTINATION,
            AnswerStatus::BadHeader => status::INVALID_ESM_CLASS,
            AnswerStatus::Final(command_status) => command_status,
        };
        pdu::write_answer(&mut self.out, command_id, command_status, answer.sequence);
    }

    /// The status with which an SMSC keeps a message and sends it again.
    pub(super) fn temporary(&self) -> u32 {
        match self.settings.temporary_status {
            TemporaryStatus::Throttled => status::THROTTLED,
            TemporaryStatus::QueueFull => status::QUEUE_FULL,
            TemporaryStatus::SystemError => status::SYSTEM_ERROR,
            TemporaryStatus::TemporaryApp => status::TEMPORARY_APP_ERROR,
        }
    }
}
