//! Catching up with the ledger's rows: what earlier starts left, what found no room in memory, and what was taken over
//! from an instance that is gone.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;
use tracing::{info, warn};

use super::{Content, Outbox, Outgoing, RING};
use crate::{
    config::InDoubtRule,
    ledger::{FLAG_IN_DOUBT, LedgerError, SettlementResult, SettlementRow, Waiting},
    message::RowKey,
};

/// Replies of another instance that are fetched in one go at most: our own go on beside them.
const OF_ANOTHER: i64 = (RING / 4) as i64;

/// The starts of other instances whose replies were taken over.
#[derive(Clone, Default)]
pub(super) struct TakenOver(Arc<Mutex<VecDeque<Left>>>);

/// What one start left, and how far it has been fetched. Nothing is added to it any more.
#[derive(Clone, Copy)]
struct Left {
    epoch: i64,
    after: RowKey,
    count: usize,
}

impl TakenOver {
    /// One more start. To be told once.
    pub(super) fn add(&self, epoch: i64) {
        let left = Left { epoch, after: RowKey::new(epoch, 0), count: 0 };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(left);
    }

    /// The one whose turn it is.
    fn first(&self) -> Option<Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).front().copied()
    }

    /// It has been fetched so far; none: to its end.
    fn fetched(&self, so_far: Option<Left>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (all.front_mut(), so_far) {
            (Some(first), Some(so_far)) => *first = so_far,
            (_, None) => drop(all.pop_front()),
            (None, Some(_)) => {}
        }
    }
}

impl Outbox {
    /// Fetches waiting replies from the ledger while there is room: our own and another instance's in turn.
    pub(super) async fn catch_up(&mut self) {
        let behind = self.inside.behind.load(Ordering::Acquire);
        let others_turn = !(behind && self.others_last) && self.may_hold_more();
        self.others_last = others_turn && self.take_over().await;
        self.take_our_own().await;
    }

    fn may_hold_more(&self) -> bool {
        self.held() < RING / 2 && self.settled.len() < RING && self.may_try()
    }

    /// Each start's replies in the order of their keys. They are not those behind [`Outbox::taken`]: their keys may be
    /// greater or smaller. Whether there was anything to fetch.
    async fn take_over(&mut self) -> bool {
        let Some(mut left) = self.inside.taken_over.first() else { return false };
        match self.ledger.waiting_of(left.epoch, &self.carrier.id, left.after, OF_ANOTHER).await {
            Ok(waiting) => {
                let more = waiting.len() as i64 >= OF_ANOTHER;
                left.after = waiting.last().map_or(left.after, |last| last.key);
                left.count += waiting.len();
                for one in waiting {
                    self.inherit(&one);
                }
                if !more {
                    let (carrier, epoch, replies) = (&self.carrier.id, left.epoch, left.count);
                    info!(carrier.name = %carrier, epoch, replies, "Replies of an instance that is gone are taken over");
                }
                self.inside.taken_over.fetched(more.then_some(left));
            }
            Err(error) => self.cannot_read(&error),
        }
        true
    }

    /// The flag is cleared before the last look, so that nothing can slip in between.
    async fn take_our_own(&mut self) {
        while self.inside.behind.load(Ordering::Acquire) && self.may_hold_more() {
            // What the door still holds is older than anything that was turned away.
            while let Ok(replies) = self.inside.replies.try_recv() {
                for reply in replies {
                    self.take(reply);
                }
            }
            let mut last_look = false;
            loop {
                let limit = RING.saturating_sub(self.held()) as i64;
                match self.ledger.waiting(&self.carrier.id, self.taken, limit).await {
                    Ok(waiting) => {
                        let full = waiting.len() as i64 >= limit;
                        for one in waiting {
                            self.taken = self.taken.max(one.key);
                            self.inherit(&one);
                        }
                        if full {
                            self.inside.behind.store(true, Ordering::Release);
                            break;
                        }
                        if last_look {
                            break;
                        }
                        self.inside.behind.store(false, Ordering::Release);
                        last_look = true;
                    }
                    Err(error) => {
                        self.inside.behind.store(true, Ordering::Release);
                        self.cannot_read(&error);
                        break;
                    }
                }
            }
        }
    }

    fn cannot_read(&mut self, error: &LedgerError) {
        warn!(carrier.name = %self.carrier.id, %error, "Waiting replies cannot be read, trying again");
        self.wait_until = Some(Instant::now() + Duration::from_secs(1));
    }

    pub(super) fn may_try(&self) -> bool {
        self.wait_until.is_none_or(|at| Instant::now() >= at)
    }

    /// A reply as it was stored, by an earlier process or by this one.
    fn inherit(&mut self, one: &Waiting) {
        let inherited = one.key.epoch() != self.ledger.epoch();
        let Some(content) = Content::from_octets(&one.content) else {
            tracing::error!(row = one.key.0, "A stored reply cannot be read and is recorded as not sent");
            self.settled.push(self.unsent(one, 0, SettlementResult::Rejected, 0));
            return;
        };
        if one.marked && inherited {
            // The carrier asked for `hold`: it was about to be sent when the process ended, so nobody knows.
            let (_, planned) = content.segments(self.carrier.flow.wire, 0);
            self.settled.push(self.unsent(one, planned, SettlementResult::Unknown, FLAG_IN_DOUBT));
            return;
        }
        // Without a mark, a carrier with `hold` has certainly not been sent it.
        let inherited = inherited && self.carrier.in_doubt == InDoubtRule::Resend;
        self.enqueue(Outgoing { key: one.key, expires_at: one.expires_at, content: Arc::new(content), inherited });
    }

    fn unsent(&self, one: &Waiting, planned: u8, result: SettlementResult, flags: i64) -> SettlementRow {
        SettlementRow {
            exchange: one.key,
            carrier: self.carrier.id.clone(),
            stream: self.carrier.stream,
            line: None,
            submitted_at: None,
            settled_at: self.clock.now(),
            result,
            planned,
            accepted: 0,
            status: None,
            message_ids: Vec::new(),
            flags,
            receipts: false,
            marked: one.marked,
        }
    }
}
