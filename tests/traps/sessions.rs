//! Bind, unbind, session.
