//! The whole gateway as its neighbours see it: one file a behaviour, all at the network's edge.
#![cfg(test)]

mod carriers;
mod every_kind_of_question;
mod harness;
mod lifecycle;
mod logs;
mod noise;
mod parts;
mod receipts;
mod replies;
mod secrecy;
mod senders;
mod sent_again;
mod submits;
#[path = "../support/mod.rs"]
mod support;
mod templates;
