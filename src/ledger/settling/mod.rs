//! Settling is appending: what became of a reply, and what receipts say about it, each as a row of its own.

pub(super) mod store;
