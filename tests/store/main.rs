//! What the code above the databases relies on, tried on SQLite and on PostgreSQL.

#[cfg(test)]
mod billing;
#[cfg(test)]
mod book;
#[cfg(test)]
mod chained;
#[cfg(test)]
mod fenced;
#[cfg(test)]
mod heirs;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod put_aside;
#[cfg(test)]
mod ranked;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod remembered;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod server;
#[cfg(test)]
mod settled;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
