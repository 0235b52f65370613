//! An account's rate counts over all processes that serve the carrier: each takes its share of it.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Outbox;

/// How often the number of processes is asked for.
const EVERY: Duration = Duration::from_secs(5);

/// The question on its way, and when the next one is due.
#[derive(Default)]
pub(super) struct Share {
    asking: Option<Pin<Box<dyn Future<Output = Option<u32>> + Send>>>,
    next: Option<Instant>,
}

impl Outbox {
    /// Asks how many processes there are, where a rate was agreed.
    pub(super) fn ask_share(&mut self) {
        let due = || self.share.next.is_none_or(|at| Instant::now() >= at);
        if self.carrier.flow.rate.is_none() || self.share.asking.is_some() || !due() {
            return;
        }
        self.share.next = Some(Instant::now() + EVERY);
        let (ledger, now) = (Arc::clone(&self.ledger), self.clock.now());
        self.share.asking = Some(Box::pin(async move { ledger.live_instances(now).await.ok() }));
    }

    /// So many there are; nothing, when the ledger could not say.
    pub(super) fn shared_by(&mut self, count: Option<u32>) {
        self.share.asking = None;
        if let (Some(rate), Some(count)) = (self.carrier.flow.rate, count) {
            self.pacer.agree(f64::from(rate) / f64::from(count.max(1)));
        }
    }
}

/// The answer; never, when nothing was asked.
pub(super) async fn answer(share: &mut Share) -> Option<u32> {
    match &mut share.asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}
