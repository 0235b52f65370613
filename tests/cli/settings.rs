//! The configuration as its writer meets it: every fault at once, the environment above the file, and an example that
//! leaves nothing out.

use std::{collections::BTreeSet, fs, net::TcpListener, process::Command, time::Duration};

use tracuu::config::Config;

use crate::support::cli::{Finished, finish, tracuu};

const EXAMPLE: &str = include_str!("../../tracuu.example.toml");

/// Faults of every kind, in every section.
const WRONG: &str = r#"
[service]
short_codes = ["12"]
batch = 0
[log]
format = "pretty"
[store]
url = "sqlite:made.db"
reader = 3
[registry]
url = "sqlite:also-made.db"
timeout_ms = 1
[reply]
default_fields = ["HOTEN", "SHOE"]
[contact]
name = "Nguyễn Thị Mẫu"
[query.record]
regex = "(["
[carriers.vtl]
address = "nowhere"
system_id = "a name of more than fifteen letters"
windwo = 3
lines = 0
[carrier.mobi]
"#;

/// Key paths that must be named, each with words of what is wrong.
const FAULTS: [(&str, &str); 13] = [
    ("service.short_codes", "3 to 15 digits"),
    ("service.batch", "1 to 256, got 0"),
    ("log.format", "text, json"),
    ("store.reader", "did you mean \"readers\"?"),
    ("registry.timeout_ms", "50 to 60000, got 1"),
    ("reply.default_fields", "one or more of HOTEN"),
    ("contact.phone", "is missing"),
    ("query.record.regex", "is no pattern"),
    ("carriers.vtl.address", "host:port"),
    ("carriers.vtl.system_id", "at most 15"),
    ("carriers.vtl.windwo", "did you mean \"window\"?"),
    ("carriers.vtl.lines", "1 to 32, got 0"),
    ("carrier", "did you mean \"carriers\"?"),
];

#[test]
fn every_fault_is_named_at_once_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tracuu.toml"), WRONG).unwrap();
    for arguments in [
        &["serve"][..],
        &["check"],
        &["check", "--offline"],
        &["ask", "--from", "0520000001", "HD"],
        &["registry", "generate"],
        &["template", "check"],
    ] {
        let finished = tracuu(folder.path(), arguments);
        assert_eq!(finished.code, Some(64), "tracuu {arguments:?}: {finished:?}");
        for (key, why) in FAULTS {
            let named = finished.stderr.lines().any(|line| {
                line.contains("tracuu.toml: ") && line.contains(&format!(" {key}: ")) && line.contains(why)
            });
            assert!(named, "tracuu {arguments:?}: {key} ({why}) is not named in\n{}", finished.stderr);
        }
        let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["tracuu.toml"], "tracuu {arguments:?} made something");
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = tracuu(folder.path(), &["serve", "--config", "elsewhere.toml"]);
    assert_eq!(missing.code, Some(64));
    assert!(missing.stderr.contains("elsewhere.toml") && missing.stderr.contains("tracuu init"), "{missing:?}");
    fs::write(folder.path().join("tracuu.toml"), "[service\nbatch = 1").unwrap();
    let broken = tracuu(folder.path(), &["check"]);
    assert_eq!(broken.code, Some(64), "{broken:?}");
    assert!(broken.stderr.contains("tracuu.toml"), "{broken:?}");
}

/// A command with one variable of the environment.
fn with_variable(folder: &std::path::Path, variable: &str, arguments: &[&str]) -> Finished {
    // Through `env`, because the runner clears what stands in the environment.
    let mut command = Command::new("env");
    command.arg(variable).arg(env!("CARGO_BIN_EXE_tracuu")).args(arguments);
    finish(command, folder, Duration::from_mins(1)).unwrap()
}

#[test]
fn the_environment_stands_above_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(tracuu(folder, &["init"]).code, Some(0));
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let moved =
        with_variable(folder, "TRACUU__REGISTRY__URL=sqlite:moved.db", &["registry", "generate", "--people", "20"]);
    assert_eq!(moved.code, Some(0), "{moved:?}");
    assert!(folder.join("moved.db").exists() && !folder.join("registry.db").exists());

    let address = format!("TRACUU__CARRIERS__SIM__ADDRESS=127.0.0.1:{port}");
    let checked = with_variable(folder, &address, &["check"]);
    assert!(checked.stdout.contains(&format!("carrier sim at 127.0.0.1:{port}")), "{checked:?}");

    for (variable, key) in
        [("TRACUU__SERVICE__BATCH=many", "service.batch"), ("TRACUU__CARRIERS__SIM__WINDWO=3", "carriers.sim.windwo")]
    {
        let wrong = with_variable(folder, variable, &["check", "--offline"]);
        assert_eq!(wrong.code, Some(64), "{variable}: {wrong:?}");
        assert!(wrong.stderr.contains(key), "{variable}: {wrong:?}");
    }
}

#[test]
fn a_secret_is_read_from_its_file_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(tracuu(folder, &["init"]).code, Some(0));
    let file = folder.join("tracuu.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("password = \"secret\"", "password_file = \"sim.password\"");
    fs::write(&file, &text).unwrap();
    let missing = tracuu(folder, &["check", "--offline"]);
    assert_eq!(missing.code, Some(64), "{missing:?}");
    assert!(missing.stderr.contains("carriers.sim.password_file"), "{missing:?}");
    fs::write(folder.join("sim.password"), "canary-7\n").unwrap();
    let checked = tracuu(folder, &["check", "--offline", "--json"]);
    assert_ne!(checked.code, Some(64), "{checked:?}");
    assert!(!format!("{checked:?}{:?}", Config::load(&file)).contains("canary"), "{checked:?}");
    fs::write(&file, text.replace("\npassword_file", "\npassword = \"canary-8\"\npassword_file")).unwrap();
    let both = tracuu(folder, &["check", "--offline"]);
    assert!(both.code == Some(64) && both.stderr.contains("not both") && !both.stderr.contains("canary"), "{both:?}");
    // A line that cannot be read may be the one with the secret.
    fs::write(&file, text.replace("\npassword_file", "\npassword = \"canary-9\npassword_file")).unwrap();
    let unread = tracuu(folder, &["check", "--offline"]);
    assert!(unread.code == Some(64) && unread.stderr.contains("line "), "{unread:?}");
    assert!(!unread.stderr.contains("canary"), "{unread:?}");
}

/// Every key of the example, written or commented out, by its path.
fn keys_of_the_example() -> BTreeSet<String> {
    let (mut section, mut keys) = (String::new(), BTreeSet::new());
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, _)) = line.split_once(" = ")
            && !key.is_empty()
            && key.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_')
        {
            keys.insert(format!("{section}.{key}"));
        }
    }
    keys
}

#[test]
fn the_example_names_every_setting_and_no_other() {
    let (read, findings) = Config::read(EXAMPLE, "tracuu.example.toml", None);
    read.unwrap();
    let known: BTreeSet<String> = findings.known.into_iter().collect();
    let shown = keys_of_the_example();
    assert!(known.len() > 80, "{known:?}");
    let missing: Vec<&String> = known.difference(&shown).collect();
    assert!(missing.is_empty(), "settings that the example does not show: {missing:?}");
    let unknown: Vec<&String> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "what the example shows is no setting: {unknown:?}");
}

#[test]
fn the_example_shows_the_defaults() {
    // Only what has no default, and what the example makes up.
    let contact = EXAMPLE.split_once("[contact]").and_then(|(_, rest)| rest.split_once("\n[query]")).unwrap().0;
    let least = format!(
        "[service]\nshort_codes = [\"9999\"]\n[store]\nurl = \"sqlite:tracuu.db\"\nkey_file = \"tracuu.keys\"\n\
         [registry]\nurl = \"sqlite:registry.db\"\n[contact]{contact}\n\
         [carriers.sim]\naddress = \"127.0.0.1:2775\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\n"
    );
    let read = |text: &str| format!("{:#?}", Config::read(text, "tracuu.example.toml", None).0.unwrap());
    let (shown, default) = (read(EXAMPLE), read(&least));
    for (shown, default) in shown.lines().zip(default.lines()) {
        assert_eq!(shown, default);
    }
    assert_eq!(shown.lines().count(), default.lines().count());
}
