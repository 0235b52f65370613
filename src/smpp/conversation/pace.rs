//! The clock of a session: what leaves when there is room, what happens when a deadline passes, and how it ends.

use std::{mem, time::Duration};

use tokio::time::Instant;

use super::{Conversation, PARTING, Stage, Waiting, message::READING_PAUSED};
use crate::{
    message::{LineEvent, SubmitResult},
    smpp::{
        error::LineError,
        keepalive::Step,
        pdu::{self, id, status},
        session::Ended,
        submit,
        trap::Trap,
        window::Sent,
    },
};

/// Octets waiting for the socket beyond which no submit is written: answers go first.
const SUBMITS_WAIT: usize = 64 * 1024;

impl Conversation<'_> {
    /// Writes the submits that the window has room for.
    pub(in crate::smpp) fn write_submits(&mut self, now: Instant) {
        if !self.unsent.is_empty() && !self.station.lease.holds(now.into_std()) {
            // This process was paused, or cannot store: another instance may send them.
            for submit in std::mem::take(&mut self.unsent) {
                self.station.never_left(&submit);
            }
        }
        while self.stage == Stage::Bound && self.window.has_room() && self.out.len() < SUBMITS_WAIT {
            let Some(submit) = self.unsent.pop_front() else { return };
            let sequence = self.window.next_sequence();
            match submit::write_submit(&mut self.out, &submit, self.settings, self.can, sequence) {
                Ok(()) => {
                    let sent = Sent { id: submit.id, wants_receipt: submit.receipt };
                    self.window.opened(sequence, sent, now);
                }
                Err(command_status) => self.station.unwritable(&submit, command_status),
            }
        }
    }

    /// When a deadline passes next.
    pub(in crate::smpp) fn next_due(&mut self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Binding { until }
            | Stage::Parting { until }
            | Stage::Leaving { until }
            | Stage::Dismissed { until } => Some(until),
            Stage::Bound => self.keepalive.due(),
        };
        // Nothing is tried while the last trial is undecided: its own deadline comes first.
        let trial = self.pause.due().filter(|_| self.questions.is_empty() && !self.held.is_empty());
        let unreceipted = self.unreceipted_at().filter(|(_, want)| !self.station.knows_it_lacks(*want));
        let (mute, unreceipted) = (self.mute_at(), unreceipted.map(|(at, _)| at));
        let deadlines = [stage, self.questions.next_due(), self.window.next_due(), trial, mute, unreceipted];
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due. What the socket holds must have been read before: an answer may be in it.
    pub(in crate::smpp) fn tick(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        while let Some((place, ticket)) = self.questions.expire(now) {
            self.refuse(place, now);
            given_up.push(ticket);
        }
        // Those the desk has not taken yet need not reach it.
        self.station.post.withdraw(&given_up);
        self.write_answers();
        while let Some(id) = self.window.expire(now) {
            self.note(Trap::SlotLeak);
            let (line, at) = (self.station.line, self.station.clock.now());
            self.station.post.for_outbox(LineEvent::Response { line, id, result: SubmitResult::TimedOut, at });
        }
        self.dismissed(now);
        match self.stage {
            Stage::Binding { until } if now >= until => {
                self.end(Err(LineError::BindUnanswered(self.settings.bind_timeout)));
            }
            Stage::Leaving { until } if now >= until => {
                self.note(Trap::OurUnbindUnanswered);
                self.parted();
            }
            Stage::Parting { until } if now >= until => self.unbind(now),
            Stage::Dismissed { until } if now >= until => self.end(Err(LineError::Unbound)),
            Stage::Bound => {
                self.watch(now);
                self.listen(now);
                self.await_receipts(now);
            }
            Stage::Binding { .. } | Stage::Parting { .. } | Stage::Leaving { .. } | Stage::Dismissed { .. } => {}
        }
    }

    fn watch(&mut self, now: Instant) {
        match self.keepalive.step(now) {
            Step::Wait => {}
            Step::Ask => {
                if self.keepalive.missed() {
                    self.note(Trap::EnquireUnanswered);
                }
                let sequence = self.window.next_sequence();
                pdu::write_bare(&mut self.out, id::ENQUIRE_LINK, status::OK, sequence);
                self.keepalive.asked(sequence, now);
            }
            Step::Dead => {
                self.note(Trap::EnquireUnanswered);
                self.end(Err(LineError::Silent));
            }
        }
    }

    /// When a receiving session has been without a message for too long, unless that is known already.
    fn mute_at(&self) -> Option<Instant> {
        let watched = self.stage == Stage::Bound && self.role.receives() && !self.station.is_mute;
        self.settings.mute_after.filter(|_| watched).map(|after| self.heard + after)
    }

    /// When a receiving session has been without receipts for too long, though replies were taken, and the number of
    /// this want.
    fn unreceipted_at(&self) -> Option<(Instant, u64)> {
        let after = self.settings.unreceipted_after?;
        let bound_at = self.bound_at.filter(|_| self.stage == Stage::Bound && self.role.receives())?;
        let (since, want) = self.station.owed.since()?;
        // A session is given as long as any to bring one.
        Some((since.max(bound_at) + after, want))
    }

    /// No receipt for long raises the alarm, and ends the session once, when it is this line's turn.
    fn await_receipts(&mut self, now: Instant) {
        let Some((_, want)) = self.unreceipted_at().filter(|(at, _)| now >= *at) else { return };
        let after = self.settings.unreceipted_after.unwrap_or_default();
        if self.station.lacks_receipts(want, after) {
            self.note(Trap::HalfDead);
        }
        if self.settings.rebind_when_mute && self.station.may_bind_for_receipts(want, now) {
            self.part(LineError::Unreceipted(after), now);
        }
    }

    /// No message for long raises the alarm, and ends the session once: some SMSCs deliver again after a bind.
    fn listen(&mut self, now: Instant) {
        if self.mute_at().is_none_or(|at| now < at) {
            return;
        }
        let mute_for = self.settings.mute_after.unwrap_or_default();
        self.note(Trap::HalfDead);
        let rebind = self.settings.rebind_when_mute && !self.station.was_mute;
        self.station.fell_mute(mute_for, !rebind);
        if rebind {
            self.part(LineError::Mute(mute_for), now);
        }
    }

    /// We unbind in good order and bind anew: what is open may be settled first, for a while.
    fn part(&mut self, why: LineError, now: Instant) {
        self.parting_for = Some(why);
        self.stage = Stage::Parting { until: now + PARTING };
        self.dismissed(now);
    }

    /// Sends our unbind.
    pub(super) fn unbind(&mut self, now: Instant) {
        pdu::write_bare(&mut self.out, id::UNBIND, status::OK, self.window.next_sequence());
        self.stage = Stage::Leaving { until: now + PARTING };
    }

    /// The session ends as we wanted it to.
    pub(super) fn parted(&mut self) {
        let why = self.parting_for.take();
        self.end(why.map_or(Ok(()), Err));
    }

    /// The service closed the line's commands: no answer comes any more, so what is undecided goes back to the SMSC,
    /// and the session is unbound in good order.
    pub(in crate::smpp) fn stop(&mut self, now: Instant) {
        self.parting_for = None;
        match self.stage {
            Stage::Bound | Stage::Parting { .. } => {
                let temporary = self.temporary();
                let mut given_up = Vec::new();
                for (place, ticket) in self.questions.close() {
                    self.questions.settle(place, temporary);
                    given_up.push(ticket);
                }
                self.station.post.withdraw(&given_up);
                self.write_answers();
                self.held_octets = 0;
                for Waiting { frame, .. } in mem::take(&mut self.held) {
                    self.answer_at_once(&frame, temporary);
                }
                self.unbind(now);
            }
            Stage::Binding { .. } | Stage::Dismissed { .. } => self.end(Ok(())),
            Stage::Leaving { .. } => {}
        }
    }

    /// Hands up the end of the session: what never left comes back, what has no response is in doubt. Undecided
    /// messages are given up: the SMSC got no answer and sends them again.
    pub(in crate::smpp) fn finish(mut self, now: Instant) -> Ended {
        let given_up: Vec<_> = self.questions.close().into_iter().map(|(_, ticket)| ticket).collect();
        self.station.post.withdraw(&given_up);
        for submit in mem::take(&mut self.unsent) {
            self.station.never_left(&submit);
        }
        if self.pause.is_on() {
            self.station.board.clear_line(&self.station.label, READING_PAUSED);
        }
        let dropped = matches!(self.over, Some(Err(LineError::Closed | LineError::Broken(_))));
        let was_full = !self.window.has_room();
        let in_doubt = self.window.close();
        if dropped && !in_doubt.is_empty() {
            self.note(Trap::SubmitsOpenAtEnd);
        }
        if self.bound_at.is_some() {
            self.station.dropped_when_full(dropped && was_full, self.settings.window);
            let (line, session, at) = (self.station.line, self.session, self.station.clock.now());
            self.station.post.for_desk(LineEvent::Down { line, session, at, in_doubt: Vec::new() });
            self.station.post.for_outbox(LineEvent::Down { line, session, at, in_doubt });
        }
        let bound_for: Option<Duration> = self.bound_at.map(|at| now.saturating_duration_since(at));
        Ended { bound_for, why: self.over.take().unwrap_or(Ok(())) }
    }
}
