//! What the intake takes for new and what for sent again, with a real ledger under it and over restarts.

mod beside;
mod desk;
mod elsewhere;
mod inherited;
mod parts;
mod resent;
