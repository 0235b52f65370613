//! The clock of a session: what leaves when there is room, what happens when a deadline passes, and how it ends.

use std::{mem, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Conversation, PARTING, Stage};
use crate::{
    message::{LineEvent, SubmitResult},
    smpp::{
        error::LineError,
        keepalive::Step,
        pdu::{self, id, status},
        questions::GivenUp,
        session::Ended,
        submit,
    },
};

/// Octets waiting for the socket beyond which no submit is written: answers go first.
const SUBMITS_WAIT: usize = 64 * 1024;

impl Conversation<'_> {
    /// Writes the submits that the window has room for.
    pub(in crate::smpp) fn write_submits(&mut self, now: Instant) {
        while self.stage == Stage::Bound && self.window.has_room() && self.out.len() < SUBMITS_WAIT {
            let Some(submit) = self.unsent.pop_front() else { return };
            let sequence = self.window.next_sequence();
            match submit::write_submit(&mut self.out, &submit, sequence) {
                Ok(()) => self.window.opened(sequence, submit.id, now),
                Err(command_status) => self.station.unsent(&submit, command_status),
            }
        }
    }

    /// When a deadline passes next.
    pub(in crate::smpp) fn next_due(&mut self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Binding { until } | Stage::Leaving { until } | Stage::Dismissed { until } => Some(until),
            Stage::Bound => self.keepalive.due(),
        };
        [stage, self.questions.next_due(), self.window.next_due()].into_iter().flatten().min()
    }

    /// Does what is due. What the socket holds must have been read before: an answer may be in it.
    pub(in crate::smpp) fn tick(&mut self, now: Instant) {
        let given_up: Vec<GivenUp> = std::iter::from_fn(|| self.questions.expire(now)).collect();
        self.answer_given_up(given_up);
        while let Some(id) = self.window.expire(now) {
            let (line, at) = (self.station.line, self.station.clock.now());
            self.station.post.for_outbox(LineEvent::Response { line, id, result: SubmitResult::TimedOut, at });
        }
        self.dismissed();
        match self.stage {
            Stage::Binding { until } if now >= until => {
                self.end(Err(LineError::BindUnanswered(self.settings.bind_timeout)));
            }
            Stage::Leaving { until } if now >= until => self.end(Ok(())),
            Stage::Dismissed { until } if now >= until => self.end(Err(LineError::Unbound)),
            Stage::Bound => self.watch(now),
            Stage::Binding { .. } | Stage::Leaving { .. } | Stage::Dismissed { .. } => {}
        }
    }

    fn watch(&mut self, now: Instant) {
        match self.keepalive.step(now) {
            Step::Wait => {}
            Step::Ask => {
                let sequence = self.window.next_sequence();
                pdu::write_bare(&mut self.out, id::ENQUIRE_LINK, status::OK, sequence);
                self.keepalive.asked(sequence, now);
            }
            Step::Dead => self.end(Err(LineError::Silent)),
        }
    }

    /// Answers these with the temporary error; those the desk has not taken yet need not reach it.
    fn answer_given_up(&mut self, given_up: Vec<GivenUp>) {
        let temporary = self.temporary();
        let mut tickets = Vec::with_capacity(given_up.len());
        for open in given_up {
            pdu::write_answer(&mut self.out, open.command_id, temporary, open.sequence);
            tickets.push(open.ticket);
        }
        self.station.post.withdraw(&tickets);
    }

    /// The service closed the line's commands: no answer comes any more, so what is undecided goes back to the SMSC,
    /// and the session is unbound in good order.
    pub(in crate::smpp) fn stop(&mut self, now: Instant) {
        match self.stage {
            Stage::Bound => {
                let open = self.questions.close();
                self.answer_given_up(open);
                pdu::write_bare(&mut self.out, id::UNBIND, status::OK, self.window.next_sequence());
                self.stage = Stage::Leaving { until: now + PARTING };
            }
            Stage::Binding { .. } | Stage::Dismissed { .. } => self.end(Ok(())),
            Stage::Leaving { .. } => {}
        }
    }

    /// Hands up the end of the session: what never left comes back, what has no response is in doubt. Undecided
    /// messages are given up: the SMSC got no answer and sends them again.
    pub(in crate::smpp) fn finish(mut self, now: Instant) -> Ended {
        let tickets: Vec<_> = self.questions.close().into_iter().map(|open| Arc::clone(&open.ticket)).collect();
        self.station.post.withdraw(&tickets);
        for submit in mem::take(&mut self.unsent) {
            self.station.unsent(&submit, status::INVALID_BIND_STATUS);
        }
        let in_doubt = self.window.close();
        if self.bound_at.is_some() {
            let (line, session, at) = (self.station.line, self.session, self.station.clock.now());
            self.station.post.for_desk(LineEvent::Down { line, session, at, in_doubt: Vec::new() });
            self.station.post.for_outbox(LineEvent::Down { line, session, at, in_doubt });
        }
        let bound_for: Option<Duration> = self.bound_at.map(|at| now.saturating_duration_since(at));
        Ended { bound_for, why: self.over.take().unwrap_or(Ok(())) }
    }
}
