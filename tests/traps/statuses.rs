//! Odd command_status.
