//! `[billing]`: where files for the carriers are put, and what stands in their headers.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::reader::Section;

/// The zone of contracts in Vietnam.
const ZONE: &str = "Asia/Ho_Chi_Minh";

/// Billing files.
#[derive(Clone, Debug)]
pub struct BillingSettings {
    /// The drop folder. Each carrier has a folder of its own in it, because its files hold its customers' numbers.
    pub dir: PathBuf,
    /// The zone of times and months in files, by its name in the IANA database.
    pub zone: String,
    /// Who runs the service, as the header of each file says it.
    pub operator: String,
}

impl BillingSettings {
    /// Reads `[billing]`.
    pub fn read(mut s: Section) -> Self {
        let dir = s.text("dir", "billing");
        if dir.is_empty() {
            s.fault("dir", "must name a folder");
        }
        let dir = s.path(&dir);
        let mut zone = s.text("zone", ZONE);
        if TimeZone::get(&zone).is_err() {
            s.fault("zone", format!("must be a zone of the IANA database like \"{ZONE}\", got \"{zone}\""));
            ZONE.clone_into(&mut zone);
        }
        let operator = s.text("operator", "tracuu");
        if operator.trim().is_empty() || operator.chars().count() > 64 || operator.chars().any(char::is_control) {
            s.fault("operator", "must be 1 to 64 characters on one line");
        }
        s.finish();
        Self { dir, zone, operator }
    }
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn read(toml: &str) -> (BillingSettings, Vec<String>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        let (root, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
        let settings = BillingSettings::read(root);
        let keys = findings.borrow().faults.iter().map(|fault| fault.key.clone()).collect();
        (settings, keys)
    }

    #[test]
    fn nothing_written_gives_the_defaults() {
        let (settings, faults) = read("");
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!((settings.zone.as_str(), settings.operator.as_str()), (ZONE, "tracuu"));
        assert_eq!(settings.dir, PathBuf::from("billing"));
    }

    #[test]
    fn a_zone_nobody_knows_and_an_operator_of_two_lines_are_faults() {
        let (settings, faults) = read("zone = \"Asia/Hanoi2\"\noperator = \"a\\nb\"\ndir = \"\"\nother = 1\n");
        assert_eq!(faults, ["dir", "zone", "operator", "other"]);
        assert_eq!(settings.zone, ZONE);
    }
}
