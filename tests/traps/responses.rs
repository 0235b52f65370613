//! Sequence numbers and responses.
