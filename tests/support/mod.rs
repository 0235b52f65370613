//! What several test binaries share: a private PostgreSQL server, fresh databases, the command as a process, a
//! whole service in this one.
#![allow(dead_code, reason = "each test binary uses its own part of this folder")]

pub(crate) mod cli;
pub(crate) mod databases;
pub(crate) mod postgres;
pub(crate) mod running;
