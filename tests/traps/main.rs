//! Every misbehaviour of an SMSC that the scripts know, played against the real service over real connections: one test
//! for each, named after it.
#![cfg(test)]

mod flow;
mod framing;
mod harness;
mod keepalive;
mod load;
#[expect(dead_code, reason = "the gateway tests look into the log, these only gather it")]
#[path = "../gateway/logs.rs"]
mod logs;
mod long;
mod matching;
mod questions;
mod receipts;
mod replies;
mod responses;
mod sent_again;
mod sessions;
mod statuses;
#[path = "../support/mod.rs"]
mod support;
mod texts;
