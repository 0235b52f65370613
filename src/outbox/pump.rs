//! Puts segments on lines that have room: first those to be sent again or to be finished, then new replies.

use std::{cmp::Reverse, sync::atomic::Ordering};

use tokio::{sync::mpsc::error::TrySendError, time::Instant};

use super::{LIVE, LineSlot, Live, Outbox, RING};
use crate::{
    board::FlowNow,
    message::{LineCommand, LineNo, RowKey, Submit, SubmitId},
};

impl Outbox {
    /// Sends what can be sent now, one command a line.
    pub(super) fn pump(&mut self) {
        self.due_now();
        self.expire_waiting();
        self.board.flow(FlowNow {
            waiting: self.held() as u64,
            behind: self.inside.behind.load(Ordering::Relaxed),
            open: self.open.len() as u64,
            ..FlowNow::default()
        });
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.paused_until = None;
        let mut batches: Vec<(LineNo, Vec<Submit>)> = Vec::new();
        while let Some(slot) = self.roomiest() {
            let line = self.lines[slot].line;
            let Some(submit) = self.next_submit(line) else { break };
            self.lines[slot].open += 1;
            self.open.insert(submit.id, line);
            match batches.iter_mut().find(|(on, _)| *on == line) {
                Some((_, batch)) => batch.push(submit),
                None => batches.push((line, vec![submit])),
            }
        }
        for (line, batch) in batches {
            let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) else { continue };
            let (command, gone) = match slot.commands.try_send(LineCommand::Submits(batch)) {
                Ok(()) => continue,
                Err(TrySendError::Full(command)) => (command, false),
                Err(TrySendError::Closed(command)) => (command, true),
            };
            // The segments wait for another line, or for this one to take orders again.
            slot.up = !gone;
            let LineCommand::Submits(batch) = command else { continue };
            slot.open = slot.open.saturating_sub(batch.len() as u32);
            for submit in batch.into_iter().rev() {
                self.open.remove(&submit.id);
                if let Some(live) = self.live.get_mut(&submit.id.exchange) {
                    live.unsend(submit.id.segment);
                }
                self.ready.push_front(submit.id);
            }
        }
    }

    /// The bound line with the most room in its window, if any has room and takes orders.
    fn roomiest(&self) -> Option<usize> {
        let takes = |slot: &LineSlot| slot.up && slot.open < self.carrier.line.window && slot.commands.capacity() > 0;
        let with_room = self.lines.iter().enumerate().filter(|(_, slot)| takes(slot));
        with_room.min_by_key(|(_, slot)| slot.open).map(|(at, _)| at)
    }

    fn next_submit(&mut self, line: LineNo) -> Option<Submit> {
        let now = self.clock.now();
        loop {
            let id = match self.ready.pop_front() {
                Some(id) => id,
                None => self.begin()?,
            };
            let Some(live) = self.live.get_mut(&id.exchange) else { continue };
            if live.reply.expires_at <= now {
                let next = live.expire();
                self.follow(id.exchange, Some(next));
                continue;
            }
            let Some(segment) = live.send(id.segment, line, now) else { continue };
            let content = &live.reply.content;
            return Some(Submit {
                id,
                source: content.source.clone(),
                destination: content.destination.clone(),
                segment,
                receipt: self.carrier.receipts.wanted,
                validity: None,
                billing: None,
                bare: false,
            });
        }
    }

    /// Takes the next new reply: its segments go out one after the other. None while too many are on their way or the
    /// ledger does not take what is settled (law 6): they stay in its rows.
    fn begin(&mut self) -> Option<SubmitId> {
        while self.live.len() < LIVE && self.settled.len() < RING {
            let reply = self.ring.pop_front()?;
            let exchange = reply.key;
            let live = Live::new(reply);
            self.ready.extend((0..live.count()).map(|segment| SubmitId { exchange, segment }));
            self.live.insert(exchange, live);
            match self.ready.pop_front() {
                Some(first) => return Some(first),
                // A text of no segments.
                None => self.settle(exchange),
            }
        }
        None
    }

    fn due_now(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, exchange, segment))) = self.due.peek().copied() {
            if at > now {
                break;
            }
            self.due.pop();
            self.ready.push_back(SubmitId { exchange: RowKey(exchange), segment });
        }
    }

    /// Replies whose time has run out while no line could take them.
    fn expire_waiting(&mut self) {
        let now = self.clock.now();
        while self.settled.len() < RING && self.ring.front().is_some_and(|reply| reply.expires_at <= now) {
            let Some(reply) = self.ring.pop_front() else { break };
            let exchange = reply.key;
            let mut live = Live::new(reply);
            let next = live.expire();
            self.live.insert(exchange, live);
            self.follow(exchange, Some(next));
        }
        while let Some(id) = self.ready.front().copied() {
            let live = self.live.get_mut(&id.exchange);
            let Some(live) = live.filter(|live| live.reply.expires_at <= now) else { break };
            let next = live.expire();
            self.ready.pop_front();
            self.follow(id.exchange, Some(next));
        }
    }
}
