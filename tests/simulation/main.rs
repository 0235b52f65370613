//! A seeded simulation of the whole service: virtual time, a network and SMSCs in memory, the real ledger on a real SQLite
//! file whose calls fail, stall or lose their answer, processes that are killed and stopped. What happens is drawn from a
//! seed; the same seed plays the same again, to the last octet.
//!
//! `TRACUU_SEEDS=1000 cargo test --test simulation seeds` plays many seeds, `TRACUU_SEED=17 cargo test --test simulation
//! seeds -- --nocapture` plays one and prints all that happens in it.

#[cfg(test)]
mod books;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod fares;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod pdu;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod play;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod site;
#[cfg(test)]
mod smsc;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod wire;
