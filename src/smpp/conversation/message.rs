//! The messages of a session: what is handed up, what is answered at once, and the answers and submits that come down.

use std::mem;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Conversation, LOOK_AHEAD, Stage, Waiting};
use crate::{
    config::{ReceiptsBy, TemporaryStatus},
    message::{Answer, AnswerStatus, LineCommand, LineEvent, Octets, Odd, Part},
    smpp::{
        deliver::Deliver,
        error::LineError,
        frame::Frame,
        pdu::{self, Answered, status},
        questions::Place,
        receipt::{self, Reading},
        trap::Trap,
    },
};

/// The alarm of a store that takes nothing.
pub(super) const READING_PAUSED: &str = "reading_paused";
/// What is shown of a carrier whose receipts are lists of values: nothing else says that they may be read so.
const LISTS: &str = "csv, as far as can be seen; such receipts are put aside until the setting says so";

impl Conversation<'_> {
    /// A `deliver_sm` or `data_sm`: taken in when there is room, or held until there is.
    pub(super) fn take_message(&mut self, frame: &Frame, now: Instant) {
        if matches!(self.stage, Stage::Binding { .. }) {
            self.note(Trap::BeforeBound);
            let most = usize::try_from(self.settings.inbound_window).unwrap_or(usize::MAX);
            if self.held.len() < most && self.held_octets < LOOK_AHEAD {
                self.hold(frame);
            }
            return;
        }
        self.heard = now;
        self.station.speaks();
        // After our unbind nobody is left to decide.
        let leaving = matches!(self.stage, Stage::Leaving { .. });
        if leaving {
            self.note(Trap::DeliverAfterUnbind);
        }
        if self.quiet || leaving {
            return self.answer_at_once(frame, self.temporary());
        }
        if self.held.is_empty() && self.admits(now) {
            return self.read_message(frame, self.sources.since(), now);
        }
        if self.pause.is_on() && self.held_octets >= LOOK_AHEAD {
            // The pause may last for hours: what comes behind, responses and signs of life, must be read.
            return self.answer_at_once(frame, self.temporary());
        }
        if self.held.is_empty() {
            self.note(Trap::Backlog);
        }
        self.hold(frame);
    }

    /// Its octets are copied: a slice would keep the whole buffer that it was read into.
    fn hold(&mut self, frame: &Frame) {
        self.held_octets += frame.octets.len();
        let frame = Frame { octets: Bytes::copy_from_slice(&frame.octets), ..frame.clone() };
        self.held.push_back(Waiting { frame, since: self.sources.since() });
    }

    /// Whether one more message may be taken in.
    fn admits(&self, now: Instant) -> bool {
        self.questions.has_room() && self.pause.admits(self.questions.is_empty(), now)
    }

    /// Takes in the messages that were held, as far as there is room.
    pub(super) fn take_held(&mut self, now: Instant) {
        while matches!(self.stage, Stage::Bound | Stage::Dismissed { .. } | Stage::Parting { .. })
            && (self.quiet || self.admits(now))
            && let Some(Waiting { frame, since }) = self.held.pop_front()
        {
            self.held_octets -= frame.octets.len();
            if self.quiet {
                self.answer_at_once(&frame, self.temporary());
            } else {
                self.read_message(&frame, since, now);
            }
        }
    }

    /// An answer that leaves without anybody's decision.
    pub(super) fn answer_at_once(&mut self, frame: &Frame, command_status: u32) {
        let (command_id, sequence) = (frame.command_id, frame.sequence_number);
        let answer = Answered { command_id, sequence, status: command_status, id: Box::default() };
        pdu::write_answer(&mut self.out, &answer, self.settings.answer_body);
    }

    /// Hands a message up with a ticket: as what it is, or as an oddity that is put aside. It has not come before `since`.
    fn read_message(&mut self, frame: &Frame, since: Instant, now: Instant) {
        if self.pause.is_on() {
            self.trial = Some(Waiting { frame: frame.clone(), since });
        }
        let mut deliver = match Deliver::read(frame, self.settings.codings) {
            Ok(deliver) => deliver,
            Err(malformed) => return self.put_aside(frame, malformed.trap(), malformed.status(), now),
        };
        let mut traps = mem::take(&mut deliver.traps);
        if deliver.options.any && self.older {
            traps.push(Trap::TlvFromOlderPeer);
        }
        if deliver.options.ussd {
            traps.push(Trap::Ussd);
            self.note_all(traps);
            let (place, ticket) = self.questions.opened(frame.command_id, frame.sequence_number, Box::default(), now);
            ticket.answer();
            self.questions.settle(place, status::REJECTED_APP_ERROR);
            return self.write_answers();
        }
        let reading = receipt::read(&deliver, self.settings, &mut traps);
        self.note_all(traps);
        if matches!(reading, Reading::Nothing | Reading::List) {
            if matches!(reading, Reading::List) && self.settings.receipts_by == ReceiptsBy::Auto {
                self.station.board.learned("receipt_form", LISTS.to_owned());
            }
            let label = &self.station.label;
            let words = format!(
                "{label} is sent messages marked as receipts that say neither id nor state: they may be citizens' \
                 questions, and are put aside. Show them to the carrier"
            );
            self.station.alarm_for_a_day(Trap::ReceiptWithoutContent.as_str(), &words);
            return self.put_aside(frame, Trap::ReceiptWithoutContent, status::OK, now);
        }
        let unmarked = receipt::unmarked(&deliver, self.settings).map(Box::new);
        if matches!(reading, Reading::Message) && unmarked.is_none() && deliver.has_broken_header() {
            return self.put_aside(frame, Trap::HeaderPastEnd, status::INVALID_ESM_CLASS, now);
        }
        if matches!(reading, Reading::Receipt(_)) && self.settings.unreceipted_after.is_some() {
            self.station.receipts_come();
        }
        let id = self.id_to_echo(&deliver);
        let (line, session, sequence) = (self.station.line, self.session, frame.sequence_number);
        let received_at = self.station.clock.now();
        let (_, ticket) = self.questions.opened(frame.command_id, sequence, id, now);
        self.station.post.for_desk(match reading {
            Reading::Receipt(receipt) => LineEvent::Receipt { line, session, sequence, ticket, receipt, received_at },
            Reading::Message | Reading::Nothing | Reading::List => LineEvent::Question(Part {
                line,
                session,
                sequence,
                ticket,
                data_coding: deliver.data_coding,
                udhi: deliver.has_header(),
                sar: deliver.sar(),
                unmarked_receipt: unmarked,
                source: deliver.source,
                destination: deliver.destination,
                octets: Octets(deliver.text),
                received_at,
                waited: now.saturating_duration_since(since),
            }),
        });
    }

    /// receipted_message_id of the message, where the carrier wants it back: at most 64 octets (SMPP 3.4, 5.2.23).
    fn id_to_echo(&self, deliver: &Deliver) -> Box<[u8]> {
        let wanted = deliver.options.receipt_id.as_deref().filter(|_| self.settings.echo_deliver_id);
        wanted.filter(|id| id.len() <= 64 && !id.contains(&0)).map_or_else(Box::default, Box::from)
    }

    /// Hands up a message that cannot be taken for what it is sent as, whole. It is answered with its final status
    /// after it is stored.
    fn put_aside(&mut self, frame: &Frame, trap: Trap, command_status: u32, now: Instant) {
        self.note(trap);
        if self.station.poison.again(frame) {
            self.note(Trap::Poison);
            let label = &self.station.label;
            let words = format!(
                "{label} is sent one message that cannot be read again and again ({}); it is put aside, tell the carrier",
                trap.as_str()
            );
            self.station.alarm_for_a_day(Trap::Poison.as_str(), &words);
        }
        let (_, ticket) = self.questions.opened(frame.command_id, frame.sequence_number, Box::default(), now);
        self.station.post.for_desk(LineEvent::Odd(Odd {
            line: self.station.line,
            session: self.session,
            sequence: frame.sequence_number,
            ticket,
            trap: trap.as_str(),
            status: command_status,
            frame: Octets(frame.octets.to_vec()),
            received_at: self.station.clock.now(),
        }));
    }

    /// A message could not be stored. It gets the temporary error; or, after such errors alone for long, it is left
    /// with the SMSC and tried again later.
    pub(super) fn refuse(&mut self, place: Place, now: Instant) {
        if self.pause.refused(now) {
            let label = &self.station.label;
            let words = format!("nothing can be stored, so {label} leaves messages with the SMSC until it can");
            self.station.board.line_alarm(label, READING_PAUSED, &words);
        }
        match self.trial.take() {
            Some(waiting) => {
                self.questions.forget(place);
                self.held_octets += waiting.frame.octets.len();
                self.held.push_front(waiting);
            }
            None => self.questions.settle(place, self.temporary()),
        }
    }

    /// Writes the answers whose turn it is.
    pub(super) fn write_answers(&mut self) {
        while let Some(answer) = self.questions.next_answer() {
            pdu::write_answer(&mut self.out, &answer, self.settings.answer_body);
        }
    }

    /// A command from the service.
    pub(in crate::smpp) fn command(&mut self, command: LineCommand, now: Instant) {
        match command {
            LineCommand::Answers(answers) => {
                for answer in answers {
                    self.answer(answer, now);
                }
                self.write_answers();
                self.dismissed(now);
            }
            LineCommand::Rebind { session } => {
                if matches!(self.stage, Stage::Bound | Stage::Parting { .. }) && session == self.session {
                    self.end(Err(LineError::NotBound));
                }
            }
            LineCommand::Submits(submits) => {
                // The outbox keeps the window; what it gives beyond is held for a while, and no longer than that.
                let most = 4 * usize::try_from(self.settings.window).unwrap_or(usize::MAX / 4) + 1_000;
                for submit in submits {
                    if self.stage != Stage::Bound || !self.role.sends() {
                        self.station.never_left(&submit);
                    } else if self.unsent.len() < most {
                        self.unsent.push_back(submit);
                    } else {
                        self.station.overrun(&submit, now);
                    }
                }
            }
        }
    }

    fn answer(&mut self, answer: Answer, now: Instant) {
        if answer.session != self.session {
            return;
        }
        let Some(place) = self.questions.find(answer.sequence) else { return };
        let command_status = match answer.status {
            AnswerStatus::Temporary => return self.refuse(place, now),
            AnswerStatus::Stored => status::OK,
            AnswerStatus::NotOurs => status::INVALID_DESTINATION,
            AnswerStatus::BadHeader => status::INVALID_ESM_CLASS,
            AnswerStatus::Final(command_status) => command_status,
        };
        self.trial = None;
        if self.pause.stored() {
            self.station.board.clear_line(&self.station.label, READING_PAUSED);
        }
        self.questions.settle(place, command_status);
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
