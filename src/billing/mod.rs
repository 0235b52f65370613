//! Ledger rows to numbered, closed, hashed files for one carrier.
use crate::{clock::Micros, config, db::Db, ledger::Keys};
use std::path::{Path, PathBuf};
/// s
pub struct ClosedFile {
    /// s
    pub path: PathBuf,
    /// s
    pub records: u64,
    /// s
    pub mo: u64,
    /// s
    pub mt: u64,
    /// s
    pub sha256: String,
}
impl ClosedFile {
    /// s
    pub fn name(&self) -> String {
        String::new()
    }
}
/// s
pub enum CloseReason {
    /// s
    Manual,
}
/// s
pub async fn close(
    _: &Db,
    _: &Keys,
    _: &config::Carrier,
    _: &config::BillingSettings,
    _: Micros,
    _: CloseReason,
) -> Result<ClosedFile, String> {
    Err("x".into())
}
/// s
pub fn verify(_: &Path) -> Result<String, Vec<String>> {
    Err(vec![])
}
