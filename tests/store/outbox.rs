//! What the outbox sends and what it settles, with a real ledger on one side and a hand-made line on the other.

mod doubtful;
mod failing;
mod hall;
mod inherited;
mod plenty;
mod sending;
