//! Puts file and environment together and reads every section.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use config::{Environment, File, FileFormat};
use secrecy::ExposeSecret as _;

use super::{
    BillingSettings, Carrier, Contact, Fault, Findings, LogSettings, QuerySettings, RegistrySettings, ReplySettings,
    RetentionSettings, Section, ServiceSettings, StoreSettings,
};
use crate::message::CarrierId;

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it was read from.
    pub file: PathBuf,
    /// `[service]`.
    pub service: ServiceSettings,
    /// `[log]`.
    pub log: LogSettings,
    /// `[store]`.
    pub store: StoreSettings,
    /// `[retention]`.
    pub retention: RetentionSettings,
    /// `[registry]`.
    pub registry: RegistrySettings,
    /// `[query]`.
    pub query: QuerySettings,
    /// `[reply]`.
    pub reply: ReplySettings,
    /// `[contact]`.
    pub contact: Contact,
    /// `[billing]`.
    pub billing: BillingSettings,
    /// `[carriers.<name>]`.
    pub carriers: BTreeMap<CarrierId, Carrier>,
}

/// Everything wrong with a configuration.
#[derive(Debug)]
pub struct ConfigFaults(pub Vec<Fault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}

impl Config {
    /// Reads a file and the environment above it. Relative paths in it are taken from the file's folder.
    ///
    /// # Errors
    /// [`ConfigFaults`] names every fault at once; nothing else was touched.
    pub fn load(file: &Path) -> Result<Self, ConfigFaults> {
        let place = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            let why = format!("cannot be read: {error}; `tracuu init` writes one");
            ConfigFaults(vec![Fault { place: place.clone(), key: "(file)".to_owned(), why }])
        })?;
        let environment = Environment::with_prefix("TRACUU").prefix_separator("__").separator("__");
        Self::read(&text, &place, Some(environment)).0
    }

    /// Reads a text as if it were the file `place`; also gives back what the reading asked for.
    pub fn read(text: &str, place: &str, above: Option<Environment>) -> (Result<Self, ConfigFaults>, Findings) {
        let mut builder = config::Config::builder().add_source(File::from_str(text, FileFormat::Toml));
        if let Some(environment) = above {
            builder = builder.add_source(environment);
        }
        let table = match builder.build().and_then(|merged| merged.cache.into_table()) {
            Ok(table) => table,
            Err(error) => {
                let why = without_the_line(&error.to_string());
                let fault = Fault { place: place.to_owned(), key: "(file)".to_owned(), why };
                return (Err(ConfigFaults(vec![fault])), Findings::default());
            }
        };
        let (mut root, findings) = Section::root(table, place);
        let service = ServiceSettings::read(root.section("service"));
        let mut all = root.section("carriers");
        let mut carriers = BTreeMap::new();
        for name in all.names() {
            let section = all.section(&name);
            if let Some(carrier) = Carrier::read(&name, section, &service.short_codes) {
                carriers.insert(carrier.id.clone(), carrier);
            }
        }
        if carriers.is_empty() {
            root.fault("carriers", "is missing: at least one section [carriers.<name>]");
        }
        all.finish();
        let config = Self {
            file: place.into(),
            service,
            log: LogSettings::read(root.section("log")),
            store: StoreSettings::read(root.section("store")),
            retention: RetentionSettings::read(root.section("retention")),
            registry: RegistrySettings::read(root.section("registry")),
            query: QuerySettings::read(root.section("query")),
            reply: ReplySettings::read(root.section("reply")),
            contact: Contact::read(root.section("contact")),
            billing: BillingSettings::read(root.section("billing")),
            carriers,
        };
        let (store, registry) = (config.store.url.expose_secret(), config.registry.url.expose_secret());
        if store == registry && store.starts_with("sqlite:") {
            root.fault("store.url", "names the registry's file, which is only read: give the store its own");
        }
        root.finish();
        let mut findings = findings.take();
        findings.faults.sort();
        let faults = std::mem::take(&mut findings.faults);
        (if faults.is_empty() { Ok(config) } else { Err(ConfigFaults(faults)) }, findings)
    }
}

/// The parser draws the line that it cannot read, which may hold a secret: only where it is and what is wrong stay.
fn without_the_line(error: &str) -> String {
    let drawn = |line: &str| {
        line.split_once('|').is_some_and(|(head, _)| head.bytes().all(|b| b == b' ' || b.is_ascii_digit()))
    };
    let told: Vec<&str> = error.lines().map(str::trim).filter(|line| !line.is_empty() && !drawn(line)).collect();
    told.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_never_put_into_the_file_of_the_registry() {
        let shipped = include_str!("../../tracuu.example.toml");
        assert!(Config::read(shipped, "f.toml", None).0.is_ok());
        let one = shipped.replace("sqlite:tracuu.db", "sqlite:registry.db");
        let faults = Config::read(&one, "f.toml", None).0.unwrap_err().to_string();
        assert_eq!(faults, "f.toml: store.url: names the registry's file, which is only read: give the store its own");
    }
}
