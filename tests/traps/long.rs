//! Long messages to us.
