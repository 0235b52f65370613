//! tracuu: an SMS look-up service for a national population registry.
//!
//! A citizen texts a short code; the carrier's SMSC hands the text over by SMPP; the service reads it as a question,
//! checks that the sender's number belongs to the person asked about, reads that person's own record and texts back the
//! requested fields. The look-up is free; the carrier charges its usual message price, so every message leaves a billing
//! record.
//!
//! # The way a message goes
//!
//! ```text
//! SMSC --deliver_sm--> smpp --LineEvent--> intake --Inbound--> answer ----------------+
//!                        ^                          query    text -> Query            |  one transaction in the
//!                        |                          registry sender -> people         |  ledger: exchange, reply,
//!                        |                          access   people, key -> Verdict   |  billing parts, audit
//!                        |                          reply    outcome -> text          |
//!                        |                                                            v
//!                        |<-- deliver_sm_resp (only now) ------------------------- commit
//!                        |<-- submit_sm ... response --> outbox --Settlement--> ledger
//! SMSC --receipt-------> smpp --LineEvent--> answer --> ledger
//! ledger rows --> billing: numbered, closed, hashed files
//! ```
//!
//! # The rooms
//!
//! | room | what it is for |
//! | --- | --- |
//! | [`message`] | nouns that cross rooms; none of them prints a number, a text or a registry value |
//! | [`clock`] | time and chance, handed in |
//! | [`sms`] | pure text: alphabets, segments, headers, folding of Vietnamese marks |
//! | [`config`] | the settings, checked into types, all faults at once |
//! | [`board`] | what is known of the running service now, for `status` |
//! | [`db`] | SQLite or PostgreSQL behind one face |
//! | [`ledger`] | the rows, their keys, the one writer, sealing |
//! | [`smpp`] | a line to an SMSC |
//! | [`intake`] | parts joined, messages sent again recognised |
//! | [`query`] | text to question, by the grammar of the configuration |
//! | [`access`] | may this sender read this record |
//! | [`registry`] | the looked-up truth, read only; the synthetic one |
//! | [`reply`] | templates: load, check, swap, render |
//! | [`outbox`] | what is sent: window, retries, what a response means |
//! | [`billing`] | numbered, closed, hashed files for one carrier |
//! | [`answer`] | the whole path on one page |
//! | [`retention`] | removes what is old, billed and done with, at night or when asked |
//! | [`service`] | builds everything, starts in order, stops in reverse; the only place that starts tasks, but for the desk's look-ups |
//! | [`sim`] | the built-in SMSC |
//! | [`admin`] | the socket through which the board is seen |
//! | [`cli`] | one file a command |
//! | [`telemetry`] | log lines |
//! | [`watchdog`] | sees that every part of the path moves, and tells the service manager |
//!
//! Imports point down only, rooms do not import one another; `tests/house.rs` keeps both.

pub mod access;
pub mod admin;
pub mod answer;
pub mod billing;
pub mod board;
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
pub mod retention;
pub mod service;
pub mod sim;
pub mod smpp;
pub mod sms;
pub mod telemetry;
pub mod watchdog;
