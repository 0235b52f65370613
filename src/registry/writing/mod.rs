//! A synthetic registry on its way into a database.

pub(super) mod store;
