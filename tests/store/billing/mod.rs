//! Billing files: made from a real ledger on both databases, and checked as a carrier would.

mod closing;
mod damage;
mod ledger;
mod months;
mod pruning;
mod repairing;
