//! What the lines hand up: sessions, responses, congestion.

use std::{cmp::Reverse, time::Duration};

use tokio::time::Instant;

use super::{Outbox, live::Next, status};
use crate::{
    config::InDoubtRule,
    ledger::SettlementResult,
    message::{LineEvent, LineId, LineNo, RowKey, SubmitId, SubmitResult},
};

/// The weight of the newest response in the mean time to one.
const NEWEST: f64 = 1.0 / 16.0;

/// A segment that a line hands back unsent waits so long: the word that the line is down may be right behind it.
const NOT_AT_ONCE: Duration = Duration::from_millis(100);

impl Outbox {
    pub(super) fn event(&mut self, event: LineEvent, now: Instant) {
        match event {
            LineEvent::Up { line, session, .. } => {
                self.bound(line, true);
                if let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) {
                    slot.session = session;
                }
            }
            LineEvent::Down { line, in_doubt, .. } => {
                // What never left comes back by itself, as a response: taking it for lost here would send it twice.
                for id in in_doubt {
                    if self.open.get(&id).is_some_and(|open| open.line == line) {
                        self.open.remove(&id);
                        self.doubt(id, now);
                    }
                }
                self.bound(line, false);
            }
            LineEvent::Response { line, id, result, .. } => self.response(line, id, &result, now),
            LineEvent::Congestion { line, level } => {
                if level >= 90 {
                    self.count(line, "congestion_state");
                }
                self.pacer.congestion(level, now);
            }
            LineEvent::Question(_) | LineEvent::Receipt { .. } | LineEvent::Odd(_) => {}
        }
    }

    fn response(&mut self, line: LineNo, id: SubmitId, result: &SubmitResult, now: Instant) {
        match self.open.remove(&id) {
            Some(open) => {
                if let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == open.line) {
                    slot.open = slot.open.saturating_sub(1);
                }
                let took = now.saturating_duration_since(open.since).as_micros() as f64;
                self.latency_us += (took - self.latency_us) * NEWEST;
            }
            // Of a copy that was given up, only that it was taken still counts: another may be under way, whose answer says
            // what becomes of the segment.
            None if !matches!(result, SubmitResult::Accepted { .. }) => return,
            None => {}
        }
        match result {
            SubmitResult::Accepted { message_id } => self.accepted(line, id, message_id, now),
            SubmitResult::Rejected { status, reason } => self.refused(line, id, *status, *reason, now),
            SubmitResult::Unsent => {
                if let Some(live) = self.live.get_mut(&id.exchange) {
                    live.unsend(id.segment);
                    self.due.push(Reverse((now + NOT_AT_ONCE, id.exchange.0, id.segment)));
                }
            }
            SubmitResult::TimedOut => {
                self.count(line, "submit_unanswered");
                self.doubt(id, now);
            }
        }
    }

    fn accepted(&mut self, line: LineNo, id: SubmitId, message_id: &str, now: Instant) {
        self.pacer.taken();
        self.refusals.accepted(&self.board);
        if message_id.is_empty() {
            self.count(line, "ok_without_id");
        }
        if let Some(live) = self.live.get_mut(&id.exchange) {
            let (next, manner) = live.accepted(id.segment, id.copy, message_id);
            if let Some(manner) = manner.filter(|manner| manner.any()) {
                self.learned.note(manner, &self.board);
            }
            self.follow(id.exchange, next, now);
        }
    }

    /// A submit of which nobody knows whether it was taken.
    fn doubt(&mut self, id: SubmitId, now: Instant) {
        let resend = self.carrier.in_doubt == InDoubtRule::Resend;
        let tries = self.carrier.flow.tries;
        if let Some(live) = self.live.get_mut(&id.exchange) {
            let next = live.doubt(id.segment, resend, tries);
            self.follow(id.exchange, next, now);
        }
    }

    fn bound(&mut self, line: LineNo, up: bool) {
        let open = self.open.values().filter(|open| open.line == line).count();
        if let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) {
            (slot.up, slot.open) = (up, open as u32);
        }
    }

    pub(super) fn follow(&mut self, exchange: RowKey, next: Next, now: Instant) {
        match next {
            Next::Wait => {}
            Next::Again { segment, wait } if wait == Duration::ZERO => {
                self.ready.push_back((exchange, segment));
            }
            Next::Again { segment, wait } => self.due.push(Reverse((now + wait, exchange.0, segment))),
            Next::Anew => {
                let count = self.live.get(&exchange).map_or(0, super::live::Live::count);
                self.ready.extend((0..count).map(|segment| (exchange, segment)));
            }
            Next::Settle => self.settle(exchange),
        }
    }

    pub(super) fn settle(&mut self, exchange: RowKey) {
        if let Some(live) = self.live.remove(&exchange) {
            self.settle_one(&live);
        }
    }

    pub(super) fn settle_one(&mut self, live: &super::live::Live) {
        let (carrier, now) = (&self.carrier, self.clock.now());
        let hold = carrier.in_doubt == InDoubtRule::Hold;
        let row = live.settlement(&carrier.id, carrier.stream, now, hold);
        if row.result == SettlementResult::Expired && row.status == Some(status::THROTTLED) {
            self.board.count(None, "throttled_for_ever");
        }
        self.settled.push(row);
    }

    /// Counts an oddity of a line.
    pub(super) fn count(&self, line: LineNo, trap: &'static str) {
        let label: Option<&LineId> = self.board.lines().iter().find(|label| label.row() == line.row());
        self.board.count(label, trap);
    }
}
