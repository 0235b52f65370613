//! Puts segments on lines that have room: first those to be sent again or to be finished, then new replies, and notices
//! when no reply waits. A new text leaves whole or not at all, as far as pace and windows allow it to be whole.

use std::{cmp::Reverse, time::Duration};

use tokio::{sync::mpsc::error::TrySendError, time::Instant};

use super::{LIVE, LineSlot, Live, Open, Outbox, Place, RING, status};
use crate::{
    board::Limit,
    clock::Micros,
    message::{LineCommand, LineNo, RowKey, Submit},
};

/// How often replies that wait to be tried again are looked through for those whose time has run out.
const LOOK_THROUGH: Duration = Duration::from_millis(500);

/// Texts shorter than this, in octets, are sent in one segment, whatever the alphabet and the carrier's form.
const SURELY_ONE: usize = 50;

/// Notices that are kept when memory is wanted for replies. They go when no reply waits, so there may be any number.
const NOTICES: usize = RING / 4;

/// What is sent with one command, line by line.
type Batches = Vec<(LineNo, Vec<Submit>)>;

impl Outbox {
    /// Sends what can be sent now, one command a line.
    pub(super) fn pump(&mut self) {
        self.pump_at(Instant::now());
    }

    /// The same, at this moment.
    pub(super) fn pump_at(&mut self, now: Instant) {
        self.pacer.tick(now);
        self.due_now(now);
        self.expire_waiting(now);
        let mut limit = self.send(now);
        if limit == Limit::Nothing && !self.lines.iter().any(|slot| slot.up) {
            // Nothing waits, and nothing could leave if it did.
            limit = Limit::NoLine;
        }
        self.show(limit, Some(now));
    }

    /// Sends until something holds the rest back, and says what.
    fn send(&mut self, now: Instant) -> Limit {
        let at = self.clock.now();
        self.pace_until = None;
        if !self.lease.holds(now.into_std()) {
            return Limit::Lease;
        }
        if let Some((until, status)) = self.pacer.paused(now) {
            let until = Micros(at.0.saturating_add(until.saturating_duration_since(now).as_micros() as i64));
            return Limit::Paused { status, until };
        }
        let mut batches = Batches::new();
        let limit = loop {
            if let Some(status) = self.refusals.probing().filter(|_| !self.open.is_empty()) {
                break Limit::Paused { status, until: at };
            }
            if let Some(limit) = self.send_next(now, at, &mut batches) {
                break limit;
            }
        };
        for (line, batch) in batches {
            self.dispatch(line, batch);
        }
        limit
    }

    /// Sends the next segment, or the next new reply. When it may not: what holds it back.
    fn send_next(&mut self, now: Instant, at: Micros, batches: &mut Batches) -> Option<Limit> {
        if let Some(place @ (exchange, _)) = self.ready.front().copied() {
            let Some(live) = self.live.get_mut(&exchange) else {
                self.ready.pop_front();
                return None;
            };
            if live.reply.expires_at <= at {
                let next = live.expire();
                self.ready.pop_front();
                self.follow(exchange, next, now);
                return None;
            }
            let Some(slot) = self.roomiest(1) else { return Some(self.no_room()) };
            if !self.pacer.allows(1) {
                return Some(self.pacing(1, now));
            }
            self.ready.pop_front();
            self.put(place, slot, now, at, batches);
            return None;
        }
        let which = match self.next_head(now, at) {
            Ok(which) => which,
            Err(limit) => return Some(limit),
        };
        let count = self.heads[which].as_ref().map_or(0, Live::count);
        let Some(slot) = self.roomiest(count.into()) else { return Some(self.no_room()) };
        if !self.pacer.allows(count) {
            return Some(self.pacing(count, now));
        }
        let live = self.heads[which].take()?;
        let exchange = live.reply.key;
        self.live.insert(exchange, live);
        for segment in 0..count {
            // A window smaller than the text: the rest follows answer by answer.
            if self.lines[slot].open < self.carrier.line.window {
                self.put((exchange, segment), slot, now, at, batches);
            } else {
                self.ready.push_back((exchange, segment));
            }
        }
        None
    }

    fn put(&mut self, place: Place, slot: usize, now: Instant, at: Micros, batches: &mut Batches) {
        let line = self.lines[slot].line;
        let Some(submit) = self.shape(place, line, at) else { return };
        self.pacer.spend(1);
        self.lines[slot].open += 1;
        self.open.insert(submit.id, Open { line, since: now });
        match batches.iter_mut().find(|(on, _)| *on == line) {
            Some((_, batch)) => batch.push(submit),
            None => batches.push((line, vec![submit])),
        }
    }

    fn dispatch(&mut self, line: LineNo, batch: Vec<Submit>) {
        let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) else { return };
        let (command, gone) = match slot.commands.try_send(LineCommand::Submits(batch)) {
            Ok(()) => return,
            Err(TrySendError::Full(command)) => (command, false),
            Err(TrySendError::Closed(command)) => (command, true),
        };
        // The segments wait for another line, or for this one to take orders again.
        slot.up = !gone;
        let LineCommand::Submits(batch) = command else { return };
        slot.open = slot.open.saturating_sub(batch.len() as u32);
        self.pacer.give_back(batch.len());
        for submit in batch.into_iter().rev() {
            self.open.remove(&submit.id);
            if let Some(live) = self.live.get_mut(&submit.id.exchange) {
                live.unsend(submit.id.segment);
            }
            self.ready.push_front(submit.id.place());
        }
    }

    /// The bound line with the most room in its window, if it takes orders and has room for so many segments, or all of
    /// its window free.
    fn roomiest(&self, segments: u32) -> Option<usize> {
        let window = self.carrier.line.window;
        let takes = |slot: &LineSlot| {
            slot.up && slot.commands.capacity() > 0 && window.saturating_sub(slot.open) >= segments.clamp(1, window)
        };
        let with_room = self.lines.iter().enumerate().filter(|(_, slot)| takes(slot));
        with_room.min_by_key(|(_, slot)| slot.open).map(|(at, _)| at)
    }

    fn no_room(&self) -> Limit {
        if self.lines.iter().any(|slot| slot.up) {
            Limit::Window { latency_us: self.latency_us as u64 }
        } else {
            Limit::NoLine
        }
    }

    fn pacing(&mut self, segments: u8, now: Instant) -> Limit {
        self.pace_until = Some(now + self.pacer.wait(segments));
        Limit::Pacing { rate: self.pacer.rate().unwrap_or_default() }
    }

    /// Makes the next new reply ready to leave: replies before notices. None while too many are on their way or the
    /// ledger does not take what is settled (law 6): they stay in its rows.
    fn next_head(&mut self, now: Instant, at: Micros) -> Result<usize, Limit> {
        for which in [0, 1] {
            loop {
                if self.settled.len() >= RING {
                    return Err(if self.held() == 0 { Limit::Nothing } else { Limit::Store });
                }
                if self.live.len() >= LIVE {
                    return Err(self.no_room());
                }
                let live = match self.heads[which].take() {
                    Some(live) => live,
                    None => match self.rings[which].pop_front() {
                        Some(reply) => self.cut(reply),
                        None => break,
                    },
                };
                if live.reply.expires_at <= at || live.count() == 0 {
                    self.expire_unsent(live);
                } else if let Some((number, until)) = self.held_until(&live, now) {
                    self.hold(live, number, until);
                } else {
                    self.heads[which] = Some(live);
                    return Ok(which);
                }
            }
        }
        Err(Limit::Nothing)
    }

    fn cut(&mut self, reply: super::Outgoing) -> Live {
        let content = &reply.content;
        let short = content.text.expose().len() < SURELY_ONE;
        let reference = if short { 0 } else { self.references.next(&content.destination) };
        Live::new(reply, self.carrier.flow.wire, reference)
    }

    /// The number of a reply that takes nothing at present, and until when.
    fn held_until(&self, live: &Live, now: Instant) -> Option<(u64, Instant)> {
        if self.held.is_empty() {
            return None;
        }
        let number = self.references.token(&live.reply.content.destination);
        self.held.get(&number).filter(|until| now < **until).map(|until| (number, *until))
    }

    /// A new reply waits until its number takes something again, unless too many do.
    fn hold(&mut self, mut live: Live, number: u64, until: Instant) {
        let key = live.reply.key;
        if self.has_room(number, key) {
            self.due.extend((0..live.count()).map(|segment| Reverse((until, key.0, segment))));
            self.live.insert(key, live);
        } else {
            live.turn_away(status::QUEUE_FULL);
            self.settle_one(&live);
        }
    }

    fn due_now(&mut self, now: Instant) {
        while let Some(Reverse((at, exchange, segment))) = self.due.peek().copied() {
            if at > now {
                break;
            }
            self.due.pop();
            self.ready.push_back((RowKey(exchange), segment));
        }
    }

    /// Replies whose time has run out while they waited.
    fn expire_waiting(&mut self, now: Instant) {
        let at = self.clock.now();
        for which in [0, 1] {
            let over = |live: &mut Live| live.reply.expires_at <= at;
            if self.settled.len() < RING
                && let Some(live) = self.heads[which].take_if(over)
            {
                self.expire_unsent(live);
            }
            while self.settled.len() < RING && self.rings[which].front().is_some_and(|reply| reply.expires_at <= at) {
                let Some(reply) = self.rings[which].pop_front() else { break };
                let live = self.cut(reply);
                self.expire_unsent(live);
            }
        }
        while self.held() >= RING / 2 && self.rings[1].len() > NOTICES && self.settled.len() < RING {
            let Some(notice) = self.rings[1].pop_front() else { break };
            let live = self.cut(notice);
            self.expire_unsent(live);
        }
        while let Some((exchange, _)) = self.ready.front().copied() {
            let live = self.live.get_mut(&exchange);
            let Some(live) = live.filter(|live| live.reply.expires_at <= at) else { break };
            let next = live.expire();
            self.ready.pop_front();
            self.follow(exchange, next, now);
        }
        let waits = !self.due.is_empty() || !self.held.is_empty() || !self.crowds.is_empty();
        if waits && self.expired_at.is_none_or(|last| now >= last + LOOK_THROUGH) {
            self.expired_at = Some(now);
            self.held.retain(|_, until| now < *until);
            self.crowds.forget_settled(&self.live);
            let over: Vec<RowKey> = self
                .due
                .iter()
                .map(|Reverse((_, exchange, _))| RowKey(*exchange))
                .filter(|key| self.live.get(key).is_some_and(|live| live.reply.expires_at <= at))
                .collect();
            for key in over {
                if let Some(live) = self.live.get_mut(&key) {
                    let next = live.expire();
                    self.follow(key, next, now);
                }
            }
        }
    }

    /// Settles a reply of which nothing was sent.
    fn expire_unsent(&mut self, mut live: Live) {
        live.expire();
        self.settle_one(&live);
    }
}
