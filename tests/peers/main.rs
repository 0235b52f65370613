//! `tracuu serve` as a process, in conversation with SMSC programs that this project did not write: one file a program, one
//! conversation for all. smpp34 comes with the tests; the others lie in a folder that `TRACUU_PEERS` names, which
//! `.ci/run peers test` makes, and without it their tests say that they are skipped.
#![cfg(test)]

mod conversation;
mod drive_smpp;
mod node_smpp;
mod peer;
mod service;
mod smpp34;
mod smppy;
#[path = "../support/mod.rs"]
mod support;
mod twisted_smpp;
