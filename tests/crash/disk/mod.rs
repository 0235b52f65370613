//! The store's disk fails under load: it is full, read-only, gives errors, does not keep what was written; another process
//! holds the lock; a file is damaged. The same account as after kills.

mod damaged;
mod failing;
mod faulty;
mod trial;
mod unsynced;
