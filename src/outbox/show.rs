//! The carrier's flow on the board: how much waits, and which limit holds it back.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::Instant;

use super::Outbox;
use crate::board::{FlowNow, Limit};

/// The board is told no more often than this.
const EVERY: Duration = Duration::from_millis(100);

impl Outbox {
    /// Says what holds replies back; `now`: unless it was said a moment ago.
    pub(super) fn show(&mut self, limit: Limit, now: Option<Instant>) {
        if let Some(now) = now {
            if self.shown_at.is_some_and(|at| now < at + EVERY) {
                return;
            }
            self.shown_at = Some(now);
            self.review(now);
        }
        let lines = self.lines.iter().filter(|slot| slot.up).count() as u64;
        self.board.flow(FlowNow {
            waiting: (self.held() + self.ready.len() + self.due.len()) as u64,
            behind: self.inside.behind.load(Ordering::Relaxed),
            open: self.open.len() as u64,
            window: lines * u64::from(self.carrier.line.window),
            rate: self.pacer.rate(),
            limit,
        });
    }
}
