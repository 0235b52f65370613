//! Reads a merged configuration into checked types and gathers every fault on the way, each with its file and key path.
//!
//! Nothing here stops at the first fault: a wrong value is reported and replaced by its default, so that the reading
//! goes on; the caller refuses the whole configuration when the list is not empty.

use std::{
    cell::RefCell,
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    rc::Rc,
    str::FromStr,
};

use config::{Map, Value, ValueKind};

/// One thing wrong in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where it stands: a file, or the environment.
    pub place: String,
    /// The key path: `carriers.vtl.window`.
    pub key: String,
    /// What is wrong and what would be right.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.key, self.why)
    }
}

/// What a reading gathers: faults, and the name of each key it asked for (for the completeness of the documentation).
#[derive(Debug, Default)]
pub struct Findings {
    /// Everything wrong so far.
    pub faults: Vec<Fault>,
    /// Each key path that a section asked for, in order.
    pub known: Vec<String>,
}

/// A table of the configuration being read.
pub struct Section {
    path: String,
    place: String,
    table: Map<String, Value>,
    asked: Vec<String>,
    base: PathBuf,
    findings: Rc<RefCell<Findings>>,
}

impl Section {
    /// The top of a configuration. `place` names its file; relative paths in it start from that file's folder.
    pub fn root(table: Map<String, Value>, place: &str) -> (Self, Rc<RefCell<Findings>>) {
        let findings = Rc::new(RefCell::new(Findings::default()));
        let root = Self {
            path: String::new(),
            place: place.to_owned(),
            table,
            asked: Vec::new(),
            base: Path::new(place).parent().unwrap_or(Path::new("")).to_owned(),
            findings: Rc::clone(&findings),
        };
        (root, findings)
    }

    fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Reports a fault at a key of this section.
    pub fn fault(&self, key: &str, why: impl Into<String>) {
        let place = self
            .table
            .get(key)
            .and_then(|value| value.origin().map(str::to_owned))
            .unwrap_or_else(|| self.place.clone());
        let place = if place == "the environment" { "environment".to_owned() } else { place };
        self.findings.borrow_mut().faults.push(Fault { place, key: self.key_path(key), why: why.into() });
    }

    fn ask(&mut self, key: &str) -> Option<Value> {
        self.findings.borrow_mut().known.push(self.key_path(key));
        self.asked.push(key.to_owned());
        self.table.get(key).cloned().filter(|value| !matches!(value.kind, ValueKind::Nil))
    }

    /// Whether a key is written at all.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A sub-table; empty when it is not written. Call [`Section::finish`] on it.
    #[must_use]
    pub fn section(&mut self, key: &str) -> Self {
        self.asked.push(key.to_owned());
        let table = match self.table.get(key).map(|value| value.kind.clone()) {
            None | Some(ValueKind::Nil) => Map::new(),
            Some(ValueKind::Table(table)) => table,
            Some(_) => {
                self.fault(key, "must be a section ([...])");
                Map::new()
            }
        };
        Self {
            path: self.key_path(key),
            place: self.place.clone(),
            table,
            asked: Vec::new(),
            base: self.base.clone(),
            findings: Rc::clone(&self.findings),
        }
    }

    /// A sub-table whose keys are the operator's own. Call [`Section::finish`] on it.
    #[must_use]
    pub fn table(&mut self, key: &str) -> Self {
        self.findings.borrow_mut().known.push(self.key_path(key));
        self.section(key)
    }

    /// A path of the configuration, from the folder of its file.
    pub fn path(&self, written: &str) -> PathBuf {
        self.base.join(written)
    }

    /// An address of a database; the path of a SQLite file is taken from the folder of the configuration file.
    pub fn database(&self, url: &str) -> String {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.starts_with('/') && !path.starts_with("file:") && !path.starts_with(':') => {
                format!("sqlite:{}", self.base.join(path).display())
            }
            _ => url.to_owned(),
        }
    }

    /// The names of a section's sub-tables, sorted, for maps such as `[carriers.vtl]`.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.table.keys().cloned().collect();
        names.sort();
        names
    }

    /// Reads a value of any type that can be made from a text or a number, with `None` when it is not written.
    pub fn optional<T: FromStr>(&mut self, key: &str, what: &str) -> Option<T> {
        let value = self.ask(key)?;
        let parsed = value.into_string().ok().and_then(|text| text.trim().parse().ok());
        if parsed.is_none() {
            self.fault(key, format!("must be {what}"));
        }
        parsed
    }

    /// A text, `default` when it is not written.
    pub fn text(&mut self, key: &str, default: &str) -> String {
        self.optional(key, "a text").unwrap_or_else(|| default.to_owned())
    }

    /// A text that must be written and not be empty.
    pub fn required(&mut self, key: &str, what: &str) -> String {
        let text: String = self.optional(key, "a text").unwrap_or_default();
        if text.trim().is_empty() {
            self.fault(key, format!("is missing: {what}"));
        }
        text
    }

    /// A whole number within a range, `default` when it is not written.
    pub fn number<T>(&mut self, key: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: TryFrom<i64> + PartialOrd + Copy + fmt::Display,
    {
        let Some(value) = self.ask(key) else { return default };
        let shown = value.to_string();
        let number = value.into_int().ok().and_then(|n| T::try_from(n).ok()).filter(|n| range.contains(n));
        number.unwrap_or_else(|| {
            self.fault(key, format!("must be {} to {}, got {shown}", range.start(), range.end()));
            default
        })
    }

    /// `true` or `false`, `default` when it is not written.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.ask(key) else { return default };
        value.into_bool().unwrap_or_else(|_| {
            self.fault(key, "must be true or false");
            default
        })
    }

    /// One of a closed list of words, `default` when it is not written.
    pub fn choice<T: Copy>(&mut self, key: &str, default: T, choices: &[(&str, T)]) -> T {
        let Some(value) = self.ask(key) else { return default };
        let word = value.into_string().unwrap_or_default();
        choices.iter().find(|(name, _)| *name == word).map_or_else(
            || {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                self.fault(key, format!("must be one of {}, got \"{word}\"", names.join(", ")));
                default
            },
            |(_, choice)| *choice,
        )
    }

    /// A list of texts, `default` when it is not written. A text with commas is taken as a list, for the environment.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other kind of value is the same mistake")]
    pub fn list(&mut self, key: &str, default: &[&str]) -> Vec<String> {
        let Some(value) = self.ask(key) else { return default.iter().map(|&s| s.to_owned()).collect() };
        match value.kind.clone() {
            ValueKind::Array(items) => {
                let texts: Vec<String> = items.into_iter().filter_map(|item| item.into_string().ok()).collect();
                texts.into_iter().map(|text| text.trim().to_owned()).collect()
            }
            ValueKind::String(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
            _ => {
                self.fault(key, "must be a list of texts");
                Vec::new()
            }
        }
    }

    /// Ends the reading of this section: keys nobody asked for are faults, with the nearest known key as a hint.
    pub fn finish(self) {
        let mut unknown: Vec<&String> = self.table.keys().filter(|key| !self.asked.contains(key)).collect();
        unknown.sort();
        for key in unknown {
            let near =
                self.asked.iter().min_by_key(|known| distance(known, key)).filter(|known| distance(known, key) <= 3);
            let hint = near.map_or_else(String::new, |known| format!(" (did you mean \"{known}\"?)"));
            self.fault(key, format!("is not a setting{hint}"));
        }
    }
}

/// Edit distance (Levenshtein), for hints only.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left_above = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (left_above + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            left_above = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn section(toml: &str) -> (Section, Rc<RefCell<Findings>>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        Section::root(merged.cache.into_table().unwrap(), "test.toml")
    }

    #[test]
    fn every_fault_is_gathered_with_its_key_path() {
        let (mut root, findings) = section("[a]\nwindow = 0\nform = \"x\"\non = 3\nwindwo = 1\n[b]\n");
        let mut a = root.section("a");
        assert_eq!(a.number("window", 10_u32, 1..=255), 10);
        assert_eq!(a.choice("form", 1, &[("p", 1), ("q", 2)]), 1);
        assert!(a.flag("on", true));
        assert_eq!(a.required("name", "the carrier's name"), "");
        a.finish();
        root.finish();
        let faults: Vec<String> = findings.borrow().faults.iter().map(|f| format!("{}: {}", f.key, f.why)).collect();
        assert_eq!(
            faults,
            [
                "a.window: must be 1 to 255, got 0",
                "a.form: must be one of p, q, got \"x\"",
                "a.name: is missing: the carrier's name",
                "a.windwo: is not a setting (did you mean \"window\"?)",
                "b: is not a setting (did you mean \"a\"?)",
            ]
        );
    }
}
