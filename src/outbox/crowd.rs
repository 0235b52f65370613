//! Replies to one number that wait to be tried again, or until its queue has room: so many, and no more. A phone that is
//! switched off, or a number that asks without end, would else fill the memory of the carrier's outbox and keep everybody
//! waiting (laws 6 and 7). A reply beyond that has its end at once: refused, with the status that this number's others were.

use std::collections::HashMap;

use super::{Live, Outbox};
use crate::message::RowKey;

/// Replies to one number that may wait.
pub(super) const CROWD: usize = 16;

/// Whose replies wait.
#[derive(Default)]
pub(super) struct Crowds {
    waiting: HashMap<u64, Vec<RowKey>>,
}

impl Crowds {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a reply to this number may wait; it is one of those that do then, for as long as it is on its way.
    pub(super) fn admits(&mut self, number: u64, reply: RowKey, live: &HashMap<RowKey, Live>) -> bool {
        let waiting = self.waiting.entry(number).or_default();
        if waiting.contains(&reply) {
            return true;
        }
        if waiting.len() >= CROWD {
            waiting.retain(|key| live.contains_key(key));
        }
        let room = waiting.len() < CROWD;
        if room {
            waiting.push(reply);
        }
        room
    }

    /// Forgets what has come to its end.
    pub(super) fn forget_settled(&mut self, live: &HashMap<RowKey, Live>) {
        self.waiting.retain(|_, replies| {
            replies.retain(|key| live.contains_key(key));
            !replies.is_empty()
        });
    }
}

impl Outbox {
    /// Whether a reply that was refused may wait to be tried again. One that may not is counted.
    pub(super) fn may_wait(&mut self, reply: RowKey) -> bool {
        let Some(live) = self.live.get(&reply) else { return true };
        let number = self.references.token(&live.reply.content.destination);
        self.has_room(number, reply)
    }

    /// Whether a reply to this number may wait. One that may not is counted.
    pub(super) fn has_room(&mut self, number: u64, reply: RowKey) -> bool {
        let room = self.crowds.admits(number, reply, &self.live);
        if !room {
            self.board.count(None, "number_crowded");
        }
        room
    }
}
