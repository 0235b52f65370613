//! Window, throttling, congestion.
