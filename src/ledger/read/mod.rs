//! The ledger as others may read it: billing, accounting, inspection. Never writes.

pub mod store;

use std::collections::HashMap;

pub use super::quarantine::store::{PutAside, TrapCount, put_aside, sealed_frame, trap_counts};
use super::{EpochKeys, Keys, LedgerError, start};
use crate::db::Db;

/// The sealing keys of every epoch so far. Epochs whose master key is no longer in the key file are left out.
///
/// # Errors
/// [`LedgerError`] when the epochs cannot be read.
pub async fn epoch_keys(db: &Db, keys: &Keys) -> Result<HashMap<i64, EpochKeys>, LedgerError> {
    let salts = start::store::salts(db).await?;
    Ok(salts.into_iter().filter_map(|(epoch, id, salt)| keys.epoch(id, &salt).ok().map(|keys| (epoch, keys))).collect())
}
