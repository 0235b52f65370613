//! The configuration as its reader meets it: the example knows every setting and no other; what is wrong is named at
//! once, with its place, before anything else is touched.
#![cfg(test)]

mod support;

use std::{collections::BTreeSet, fs};

use tracuu::config::Config;

const EXAMPLE: &str = include_str!("../tracuu.example.toml");

/// The key paths written in a file, commented out or not, without those of secrets' files.
fn written(text: &str) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, _)) = line.split_once(" = ")
            && !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn the_example_shows_every_setting_and_no_other() {
    let (read, findings) = Config::read(EXAMPLE, "tracuu.example.toml", None);
    assert!(read.is_ok(), "{}", read.unwrap_err());
    let known: BTreeSet<String> = findings.known.into_iter().collect();
    let shown = written(EXAMPLE);
    let missing: Vec<&String> = known.difference(&shown).collect();
    let surplus: Vec<&String> = shown.difference(&known).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not shown: {missing:?}; shown and unknown: {surplus:?}");
}

#[test]
fn the_values_shown_are_the_defaults() {
    let bare = "[service]\nshort_codes = [\"9999\"]\n[registry]\nurl = \"sqlite:registry.db\"\n[contact]\nname = \"A\"\n\
                phone = \"0520 000 000\"\n[carriers.sim]\naddress = \"127.0.0.1:2775\"\nsystem_id = \"tracuu\"\n";
    let (bare, _) = Config::read(bare, "tracuu.toml", None);
    let (shown, _) = Config::read(EXAMPLE, "tracuu.toml", None);
    let (bare, mut shown) = (bare.unwrap(), shown.unwrap());
    shown.contact = bare.contact.clone();
    for carrier in shown.carriers.values_mut() {
        carrier.line.password = secrecy::SecretString::default();
    }
    assert_eq!(format!("{shown:#?}"), format!("{bare:#?}"));
}

#[test]
fn every_fault_is_named_at_once_with_file_and_key_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = EXAMPLE
        .replace("window = 10\n", "window = 0\n")
        .replace("instance = \"tracuu-1\"", "instance = \"\"\ninstanse = \"x\"")
        .replace("timeout_ms = 800", "timeout_ms = \"soon\"")
        .replace("keywords = [\"INFO\"]", "keywords = [\"TTCD\"]")
        .replace("address = \"127.0.0.1:2775\"", "address = \"nowhere\"")
        .replace("zone = \"Asia/Ho_Chi_Minh\"", "zone = \"Asia/Nowhere\"");
    fs::write(folder.path().join("tracuu.toml"), wrong).unwrap();
    let before: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for command in [&["serve"][..], &["check"], &["billing", "close", "--carrier", "sim"]] {
        let done = support::cli::tracuu(folder.path(), command);
        assert_eq!(done.code, Some(64), "{command:?}: {done:?}");
        let keys = [
            "billing.zone",
            "carriers.sim.address",
            "carriers.sim.window",
            "query.record.en.keywords",
            "registry.timeout_ms",
            "service.instance",
            "service.instanse",
        ];
        for key in keys {
            let line = done.stderr.lines().find(|line| line.contains(&format!("tracuu.toml: {key}: ")));
            assert!(line.is_some(), "{command:?} does not name {key}:\n{}", done.stderr);
        }
        assert_eq!(done.stderr.lines().count(), keys.len(), "{}", done.stderr);
    }
    let after: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(after, before, "nothing was made");
}
