//! The ledger as others may read it: billing, accounting, inspection. Never writes.

pub mod store;

use std::collections::HashMap;

pub use super::quarantine::store::{PutAside, TrapCount, put_aside, sealed_frame, trap_counts};
use super::{EpochKeys, Keys, LedgerError, prune, start};
use crate::db::{Db, DbError};

/// The sealing keys of every epoch so far. Epochs whose master key is no longer in the key file are left out.
///
/// # Errors
/// [`LedgerError`] when the epochs cannot be read.
pub async fn epoch_keys(db: &Db, keys: &Keys) -> Result<HashMap<i64, EpochKeys>, LedgerError> {
    let salts = start::store::salts(db).await?;
    Ok(salts.into_iter().filter_map(|(epoch, id, salt)| keys.epoch(id, &salt).ok().map(|keys| (epoch, keys))).collect())
}

/// Whether rows were ever pruned from this store.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn was_pruned(db: &Db) -> Result<bool, DbError> {
    Ok(!prune::store::marks(db).await?.is_empty())
}
