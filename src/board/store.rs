//! How the store is, as the ledger's writer meets it: also when nobody asks anything.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the store can be written, and why not.
#[derive(Debug, Default)]
pub struct StoreBoard(Mutex<Option<String>>);

impl StoreBoard {
    /// It cannot be written, and this is why.
    pub fn down(&self, why: &impl std::fmt::Display) {
        *self.lock() = Some(why.to_string());
    }

    /// It was written.
    pub fn up(&self) {
        *self.lock() = None;
    }

    /// Why it cannot be written, when it cannot.
    pub fn why(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
