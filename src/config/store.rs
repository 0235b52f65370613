//! `[store]`: the service's own database and the keys of what is sealed in it.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};

use super::{reader::Section, secret};

/// The store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Its address.
    pub url: SecretString,
    /// The key file.
    pub key_file: PathBuf,
    /// Connections for reading.
    pub readers: u32,
    /// Wait for a free connection, and for another process's lock.
    pub wait: Duration,
}

impl StoreSettings {
    /// Reads `[store]`.
    pub fn read(mut s: Section) -> Self {
        let url = secret(&mut s, "url").unwrap_or_else(|| "sqlite:tracuu.db".into());
        let known = ["sqlite:", "postgres://", "postgresql://"];
        if !known.iter().any(|head| url.expose_secret().starts_with(head)) {
            s.fault("url", "must begin with sqlite: or postgres://");
        }
        let url = s.database(url.expose_secret()).into();
        let key_file = s.text("key_file", "tracuu.keys");
        let key_file = s.path(&key_file);
        let readers = s.number("readers", 4, 1..=64);
        let wait = Duration::from_millis(s.number("wait_ms", 1_000, 10..=60_000));
        s.finish();
        Self { url, key_file, readers, wait }
    }
}
