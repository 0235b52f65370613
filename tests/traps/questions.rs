//! Odd messages to us.
