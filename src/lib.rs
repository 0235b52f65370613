//! tracuu: an SMS look-up service for a national population registry.

pub mod access;
pub mod billing;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod intake;
pub mod ledger;
pub mod message;
pub mod outbox;
pub mod query;
pub mod registry;
pub mod reply;
pub mod sim;
pub mod smpp;
pub mod sms;
