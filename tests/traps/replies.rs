//! Our submit_sm.
