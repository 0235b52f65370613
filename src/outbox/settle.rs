//! What goes to the ledger: settlements, and marks before sending for carriers that ask for `hold`.

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};

use super::{Outbox, Outgoing};
use crate::ledger::{Entry, Fate, SettlementRow};

/// Entries handed to the ledger in one group at most.
const GROUP: usize = 256;

/// A group handed over, and its fates to come.
pub(super) struct Saving<T> {
    group: Vec<T>,
    fates: oneshot::Receiver<Vec<Fate>>,
}

impl Outbox {
    /// Hands what is settled to the ledger, one group at a time: what gathers meanwhile goes with the next.
    pub(super) async fn save(&mut self) {
        if self.saving.is_none() && !self.settled.is_empty() && self.may_try() {
            let group: Vec<SettlementRow> = self.settled.drain(..self.settled.len().min(GROUP)).collect();
            let entries = group.iter().cloned().map(Entry::Settlement).collect();
            self.saving = Some(Saving { group, fates: self.ledger.hand_over(entries).await });
        }
    }

    /// The group being saved has its fates.
    pub(super) fn saved(&mut self, fates: &[Fate]) {
        let Some(Saving { group, .. }) = self.saving.take() else { return };
        if failed(fates, group.len()) {
            // A settlement is never dropped: what it says happened at the carrier.
            self.settled.splice(0..0, group);
            self.wait_until = Some(Instant::now() + Duration::from_millis(200));
        }
    }

    /// Marks replies as about to be sent, for carriers with `hold`.
    pub(super) async fn mark(&mut self) {
        if self.marking.is_none() && !self.unmarked.is_empty() && self.may_try() {
            let group: Vec<Outgoing> = self.unmarked.drain(..self.unmarked.len().min(GROUP)).collect();
            let entries = group.iter().map(|reply| Entry::Sending(reply.key)).collect();
            self.marking = Some(Saving { group, fates: self.ledger.hand_over(entries).await });
        }
    }

    /// The group being marked has its fates: on disk, it may be sent.
    pub(super) fn marked(&mut self, fates: &[Fate]) {
        let Some(Saving { group, .. }) = self.marking.take() else { return };
        if failed(fates, group.len()) {
            for reply in group.into_iter().rev() {
                self.unmarked.push_front(reply);
            }
            self.wait_until = Some(Instant::now() + Duration::from_millis(200));
        } else {
            for reply in group {
                self.may_leave(reply);
            }
        }
    }

    /// The last group of a stop. What cannot be saved is found again at the next start.
    pub(super) async fn last_save(&mut self) {
        if let Some(Saving { group, fates }) = self.saving.take()
            && failed(&fates.await.unwrap_or_default(), group.len())
        {
            self.settled.splice(0..0, group);
        }
        if !self.settled.is_empty() {
            let entries = self.settled.drain(..).map(Entry::Settlement).collect();
            self.ledger.store(entries).await;
        }
    }
}

fn failed(fates: &[Fate], count: usize) -> bool {
    fates.len() != count || fates.contains(&Fate::Failed)
}

/// The fates of a group; never, when none is under way.
pub(super) async fn fates<T>(saving: &mut Option<Saving<T>>) -> Vec<Fate> {
    match saving {
        Some(saving) => (&mut saving.fates).await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}
