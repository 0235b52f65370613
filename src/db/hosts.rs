//! The hosts of one PostgreSQL database: a primary and those that may take its place. Written as libpq writes them,
//! `postgres://user@one:5432,two:5432/database`.

use std::{
    str::FromStr as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{PgPool, postgres::PgConnectOptions};

/// The hosts, and which of them is asked now.
#[derive(Debug)]
pub struct Hosts {
    all: Vec<PgConnectOptions>,
    /// How long one of them is asked before the next.
    patience: Duration,
    asked: Mutex<(usize, Instant)>,
}

impl Hosts {
    /// Reads an address with one host or several.
    pub(super) fn read(url: &str, patience: Duration) -> Result<Self, sqlx::Error> {
        let all: Result<Vec<_>, _> = each(url)
            .iter()
            .map(|url| PgConnectOptions::from_str(url).map(|host| host.application_name("tracuu")))
            .collect();
        Ok(Self { all: all?, patience, asked: Mutex::new((0, Instant::now())) })
    }

    /// The same hosts for other connections: each pool finds the one that answers by itself.
    pub(super) fn again(&self) -> Self {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        Self { all: self.all.clone(), patience: self.patience, asked: Mutex::new(asked) }
    }

    pub(super) fn all(&self) -> &[PgConnectOptions] {
        &self.all
    }

    /// This one answered.
    pub(super) fn answers(&self, place: usize) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = (place, Instant::now());
    }

    /// A call failed in a way that another host may not share: from now on new connections go to the next one. When many
    /// calls fail at once they count as one.
    pub(super) fn failed(&self, pool: &PgPool, error: &sqlx::Error) {
        if self.all.len() < 2 || !lies_with_the_host(error) {
            return;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.1.elapsed() < self.patience {
            return;
        }
        *asked = ((asked.0 + 1) % self.all.len(), Instant::now());
        if let Some(host) = self.all.get(asked.0) {
            pool.set_connect_options(host.clone());
        }
    }
}

/// Not reached, shutting down (SQLSTATE class 57P), or a standby (25006).
fn lies_with_the_host(error: &sqlx::Error) -> bool {
    let told = |code: &str| code.starts_with("57P") || code == "25006";
    matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_))
        || error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| told(&code))
}

/// One address for each host of an address.
fn each(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // A name or a password may hold a comma; whatever stands behind the last @ is hosts.
    let (login, hosts) = authority.rsplit_once('@').map_or(("", authority), |(login, hosts)| (login, hosts));
    let at = if login.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("{scheme}://{login}{at}{host}{path}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_an_address_of_its_own() {
        for (url, expected) in [
            ("postgres://u:p@h/d", vec!["postgres://u:p@h/d"]),
            ("postgres://h1,h2:6432/d?x=1", vec!["postgres://h1/d?x=1", "postgres://h2:6432/d?x=1"]),
            ("postgres://u:a,b@h1:1,h2:2/d", vec!["postgres://u:a,b@h1:1/d", "postgres://u:a,b@h2:2/d"]),
            ("postgres://u@h1,h2?x=/,", vec!["postgres://u@h1?x=/,", "postgres://u@h2?x=/,"]),
        ] {
            assert_eq!(each(url), expected);
        }
        let hosts = Hosts::read("postgresql://u:p@one:1,two:2/d", Duration::ZERO).unwrap();
        let named: Vec<(&str, u16)> = hosts.all().iter().map(|host| (host.get_host(), host.get_port())).collect();
        assert_eq!(named, [("one", 1), ("two", 2)]);
    }
}
