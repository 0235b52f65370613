//! What is old, billed and done with leaves the store: at night in the running service, or when somebody asks for it.
//! What may go is decided in the ledger, from what stands in published billing files.

mod nightly;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use nightly::Nightly;

use crate::{
    billing,
    clock::Micros,
    config::RetentionSettings,
    db::Db,
    ledger::{Ages, BATCH, Keys, PruneError, Pruner, Removed},
};

/// Rows looked through in one go when nothing is removed.
const LOOKED_AT: i64 = 10_000;

/// A run rests so many times as long as its last batch took: the ledger's writer comes first.
const REST: u32 = 4;

/// How a run goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Says what would go, and removes nothing.
    Dry,
    /// In small batches with rests, beside a running service.
    Gentle,
    /// Without rests: nobody else uses the store.
    AtOnce,
}

/// The moments before which rows may go.
pub fn ages(settings: &RetentionSettings, now: Micros) -> Ages {
    let before = |days: Option<u32>| days.map(|days| now.plus_seconds(-i64::from(days) * 86_400));
    Ages {
        exchanges: before(settings.exchange_days),
        repeats: before(settings.repeat_days),
        quarantined: before(settings.quarantine_days),
        breaks: before(settings.break_days),
    }
}

/// Removes what may go. `progress` is told after each batch. Dropped in the middle it has done whole batches alone.
///
/// # Errors
/// [`PruneError`]: what was removed by then is removed, and another run goes on from there.
pub async fn prune(
    db: &Db,
    keys: &Arc<Keys>,
    settings: &RetentionSettings,
    now: Micros,
    manner: Manner,
    mut progress: impl FnMut(&Removed),
) -> Result<Removed, PruneError> {
    let published = billing::published(db).await?;
    let batch = if manner == Manner::Dry { LOOKED_AT } else { BATCH };
    let how = (batch, manner == Manner::Dry);
    let mut pruner = Pruner::begin(db, Arc::clone(keys), ages(settings, now), published, now, how).await?;
    loop {
        let begun = Instant::now();
        if !pruner.next().await? {
            return Ok(pruner.removed().clone());
        }
        progress(pruner.removed());
        if manner == Manner::Gentle {
            tokio::time::sleep((begun.elapsed() * REST).max(Duration::from_millis(1))).await;
        }
    }
}
