//! Keep-alive.
