//! Acknowledged means stored, stored means billed, and a kill at any instant loses and doubles nothing: the real process,
//! killed again and again while a carrier's SMSC asks as fast as it is answered; and the same with a disk that fails.
//!
//! `TRACUU_CRASH_KILLS` says how often the service is killed, `TRACUU_CRASH_SEED` repeats the draws of an earlier run. Where
//! several instances are killed, `TRACUU_CRASH_EVERY_S` is the time from one kill to the next, `TRACUU_CRASH_RATE` how many
//! questions are asked a second. `TRACUU_CRASH_BEFORE` names a program of the version before, from which instances are
//! upgraded in turn.

#[cfg(test)]
mod billed;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod heirs;
#[cfg(test)]
mod instances;
#[cfg(test)]
mod load;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stored;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
