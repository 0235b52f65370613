//! TLS, load, our own octets.
