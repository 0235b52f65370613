//! The whole gateway as its neighbours see it: one file a behaviour, all at the network's edge.
#![cfg(test)]

mod every_kind_of_question;
mod harness;
mod parts;
mod replies;
mod senders;
mod sent_again;
#[path = "../support/mod.rs"]
mod support;
