//! Catching up with the ledger's rows: what earlier starts left, and what found no room in memory.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use super::{Content, Outbox, Outgoing, RING};
use crate::{
    config::InDoubtRule,
    ledger::{FLAG_IN_DOUBT, SettlementResult, SettlementRow, Waiting},
};

impl Outbox {
    /// Fetches waiting replies from the ledger while the outbox is behind and has room. The flag is cleared before the
    /// last look, so that nothing can slip in between.
    pub(super) async fn catch_up(&mut self) {
        let may_hold_more = |outbox: &Self| outbox.held() < RING / 2 && outbox.settled.len() < RING;
        while self.inside.behind.load(Ordering::Acquire) && may_hold_more(self) && self.may_try() {
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
                            self.adopt(&one);
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
                        warn!(carrier.name = %self.carrier.id, %error, "Waiting replies cannot be read, trying again");
                        self.inside.behind.store(true, Ordering::Release);
                        self.wait_until = Some(Instant::now() + Duration::from_secs(1));
                        break;
                    }
                }
            }
        }
    }

    pub(super) fn may_try(&self) -> bool {
        self.wait_until.is_none_or(|at| Instant::now() >= at)
    }

    fn adopt(&mut self, one: &Waiting) {
        self.taken = self.taken.max(one.key);
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
