//! `[registry]`: the database of the people, which belongs to someone else and is only read.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::{reader::Section, secret};

/// Where the registry is and how long it may take.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// `sqlite:path/to/registry.db` or `postgres://user:password@host/database`. Secret, because it holds a password.
    pub url: SecretString,
    /// How long one look-up may take, the wait for a connection included, before the sender is told to try later.
    pub timeout: Duration,
    /// Connections that read at the same time.
    pub readers: u32,
}

impl RegistrySettings {
    /// Reads the section.
    pub(super) fn read(mut s: Section) -> Self {
        let url = secret(&mut s, "url").unwrap_or_default();
        let address = url.expose_secret();
        if address.is_empty() {
            if !s.has("url") && !s.has("url_file") {
                s.fault("url", "is missing: sqlite:path/to/file.db or postgres://user@host/database");
            }
        } else if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme)) {
            // The address itself is not repeated: it may hold a password.
            s.fault("url", "must begin with sqlite: or postgres://");
        }
        let url = s.database(address).into();
        let settings = Self {
            timeout: Duration::from_millis(s.number("timeout_ms", 800, 50..=60_000)),
            readers: s.number("readers", 2, 1..=64),
            url,
        };
        s.finish();
        settings
    }
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn read(toml: &str) -> (RegistrySettings, Vec<String>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        let (section, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
        let settings = RegistrySettings::read(section);
        let faults = findings.borrow().faults.iter().map(|f| format!("{}: {}", f.key, f.why)).collect();
        (settings, faults)
    }

    #[test]
    fn faults_name_the_key_and_never_the_address() {
        for (toml, expected) in [
            ("url = \"sqlite:r.db\"", None),
            ("url = \"postgresql://u:secret@h/d\"\nreaders = 8", None),
            ("", Some("url: is missing: sqlite:path/to/file.db or postgres://user@host/database")),
            ("url = \"mysql://u:secret@h\"", Some("url: must begin with sqlite: or postgres://")),
            ("url = \"sqlite:r.db\"\ntimeout_ms = 1", Some("timeout_ms: must be 50 to 60000, got 1")),
            ("url = \"sqlite:r.db\"\nreader = 1", Some("reader: is not a setting (did you mean \"readers\"?)")),
        ] {
            let (_, faults) = read(toml);
            assert_eq!(faults.first().map(String::as_str), expected, "{toml}");
        }
    }

    #[test]
    fn the_address_does_not_print() {
        let (settings, _) = read("url = \"postgres://u:secret@h/d\"");
        assert!(!format!("{settings:?}").contains("secret@"));
        assert_eq!(settings.readers, 2);
    }
}
