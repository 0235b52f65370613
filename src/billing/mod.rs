//! Ledger rows to numbered, closed, hashed files for one carrier.
