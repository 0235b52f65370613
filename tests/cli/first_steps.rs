//! From an empty folder to a service that could start, command by command, and what each says when it cannot.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use tracuu::registry::cast;

use crate::support::cli::{Finished, tracuu};

fn done(folder: &Path, arguments: &[&str]) -> Finished {
    let finished = tracuu(folder, arguments);
    assert_eq!(finished.code, Some(0), "tracuu {arguments:?}: {finished:?}");
    finished
}

fn fails(folder: &Path, arguments: &[&str], code: i32) -> Finished {
    let finished = tracuu(folder, arguments);
    assert_eq!(finished.code, Some(code), "tracuu {arguments:?}: {finished:?}");
    assert!(finished.stderr.lines().count() > 0, "it says why: {finished:?}");
    finished
}

/// What `init` and `registry generate` leave.
fn set_up() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    done(folder.path(), &["init"]);
    done(folder.path(), &["registry", "generate", "--people", "50"]);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_empty_folder_becomes_an_installation_that_passes_its_check() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["init"]);
    let written = ["sms-templates", "tracuu.keys", "tracuu.toml"];
    assert_eq!(names(folder), written);
    // Without a registry it is not ready, and says which part is not.
    let missing = fails(folder, &["check", "--offline"], 69);
    assert!(missing.stdout.lines().any(|line| line.starts_with("FAILED") && line.contains("registry")), "{missing:?}");
    assert_eq!(names(folder), written, "the check made nothing");

    let generated = done(folder, &["registry", "generate", "--people", "50"]);
    assert!(generated.stdout.contains("50 people"), "{generated:?}");
    let checked = done(folder, &["check", "--offline"]);
    for part in ["configuration", "templates", "keys", "store", "registry"] {
        let good = checked.stdout.lines().any(|line| line.starts_with("ok") && line.contains(&format!("{part}:")));
        assert!(good, "{part}: {checked:?}");
    }
    assert_eq!(checked.stderr, "");
    assert!(!folder.join("tracuu.db").exists(), "the check made no store");
}

#[test]
fn a_registry_whose_making_is_killed_is_not_there_and_can_be_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["init"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.args(["registry", "generate", "--people", "10000000"]).current_dir(folder).stderr(Stdio::null());
    let mut making = command.spawn().unwrap();
    let begun = std::time::Instant::now();
    let draft = folder.join("registry.db.new");
    while fs::metadata(&draft).map_or(0, |found| found.len()) < 1 << 20 {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "nothing is written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    making.kill().unwrap();
    making.wait().unwrap();
    assert!(!folder.join("registry.db").exists());
    fails(folder, &["check", "--offline"], 69);
    done(folder, &["registry", "generate", "--people", "50"]);
    assert_eq!(names(folder), ["registry.db", "sms-templates", "tracuu.keys", "tracuu.toml"]);
    done(folder, &["check", "--offline"]);
}

#[test]
fn what_is_there_already_is_left_alone() {
    let folder = set_up();
    let folder = folder.path();
    let keys = fs::read(folder.join("tracuu.keys")).unwrap();
    let registry = fs::read(folder.join("registry.db")).unwrap();
    let again = fails(folder, &["init"], 1);
    assert!(again.stderr.contains("is there already"), "{again:?}");
    let again = fails(folder, &["registry", "generate", "--people", "60"], 1);
    assert!(again.stderr.contains("holds a registry already"), "{again:?}");
    assert!(fs::read(folder.join("tracuu.keys")).unwrap() == keys, "the keys are the same");
    assert!(fs::read(folder.join("registry.db")).unwrap() == registry, "the registry is the same");
}

#[test]
fn an_smsc_out_of_reach_has_an_exit_code_of_its_own() {
    let folder = set_up();
    // Taken and closed again: nobody listens there.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let file = folder.path().join("tracuu.toml");
    let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:2775", &format!("127.0.0.1:{port}"));
    fs::write(&file, text).unwrap();
    let checked = fails(folder.path(), &["check"], 69);
    let failed: Vec<&str> = checked.stdout.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(failed.len() == 1 && failed[0].contains(&format!("carrier sim at 127.0.0.1:{port}")), "{checked:?}");
    done(folder.path(), &["check", "--offline"]);
}

#[test]
fn a_check_in_json_is_one_document_whether_good_or_bad() {
    let folder = set_up();
    let folder = folder.path();
    let read = |finished: &Finished| serde_json::from_str::<Vec<Value>>(&finished.stdout).unwrap();
    let good = read(&done(folder, &["check", "--offline", "--json"]));
    assert!(good.len() >= 5 && good.iter().all(|finding| finding["ok"] == true && finding["what"].is_string()));
    fs::write(folder.join("sms-templates/vi/refused.txt"), "{{ nobody }}").unwrap();
    let bad = read(&fails(folder, &["check", "--offline", "--json"], 1));
    let failed: Vec<&Value> = bad.iter().filter(|finding| finding["ok"] == false).collect();
    assert!(failed.len() == 1 && failed[0]["what"] == "templates", "{bad:?}");
    assert!(failed[0]["detail"].as_str().unwrap().contains("vi/refused.txt"), "{bad:?}");
    fs::write(folder.join("tracuu.toml"), "[service]\nbatch = 0\n").unwrap();
    let wrong = read(&fails(folder, &["check", "--json"], 64));
    assert!(wrong.len() > 3 && wrong.iter().all(|finding| finding["what"] == "configuration"), "{wrong:?}");
}

#[test]
fn asking_shows_every_step() {
    let folder = set_up();
    let phone = cast::ADULT.phone.to_string();
    for (from, text, fragments) in [
        (phone.as_str(), "TTCD 012345 HOTEN", &["own record by 6 digits, HOTEN", "answered", "Nguyen Van An"][..]),
        ("0520000001", "ttcd 012345 ho ten", &["1 record(s)", "answered", "Nguyen Van An"]),
        (
            phone.as_str(),
            "TTCD 999999",
            &["refused (reason for the audit: wrong_key)", "Khong cung cap", "MO 1 record"],
        ),
        (phone.as_str(), "gi the", &["none: no_keyword", "misread"]),
        (phone.as_str(), "HELP", &["how to use, in English", "how_to", "INFO"]),
    ] {
        let asked = done(folder.path(), &["ask", "--from", from, text]);
        for step in ["1 text", "2 query", "3 registry", "4 decision", "5 reply", "6 billing"] {
            assert!(asked.stdout.lines().any(|line| line.starts_with(step)), "{text}: no step {step}: {asked:?}");
        }
        for fragment in fragments {
            assert!(asked.stdout.contains(fragment), "{text}: no \"{fragment}\": {asked:?}");
        }
    }
    fails(folder.path(), &["ask", "--from", "nobody", "HD"], 1);
    fails(folder.path(), &["ask", "--from", &phone, "--carrier", "none", "HD"], 1);
    assert!(!folder.path().join("tracuu.db").exists(), "asking stores nothing");
}

#[test]
fn templates_are_checked_whole_and_shown_with_every_sample() {
    let folder = set_up();
    let folder = folder.path();
    assert!(done(folder, &["template", "check"]).stdout.contains("no fault"));
    let all = done(folder, &["template", "render"]).stdout;
    for file in ["vi/answered.txt", "vi/refused.txt", "en/answered.txt", "en/unavailable.txt"] {
        assert!(all.contains(file), "{file} is not shown");
    }
    let one = done(folder, &["template", "render", "contact"]).stdout;
    assert!(one.contains("vi/contact.txt") && one.contains("en/contact.txt") && !one.contains("refused"), "{one}");

    fs::write(folder.join("sms-templates/vi/refused.txt"), "Xin {{ nobody }} {{ phone }}").unwrap();
    fs::remove_file(folder.join("sms-templates/en/how_to.txt")).unwrap();
    for command in ["check", "render"] {
        let broken = fails(folder, &["template", command], 1);
        for fragment in ["vi/refused.txt", "nobody", "en/how_to.txt"] {
            assert!(broken.stderr.contains(fragment), "all faults at once: no \"{fragment}\": {broken:?}");
        }
    }
}

#[test]
fn the_registrys_catalogues_and_cast_are_listed() {
    let folder = set_up();
    let catalogues = done(folder.path(), &["registry", "catalogue"]).stdout;
    assert_eq!(catalogues.lines().count(), 11, "{catalogues}");
    let ethnicity = done(folder.path(), &["registry", "catalogue", "ethnicity"]).stdout;
    assert!(ethnicity.lines().any(|line| line.starts_with("01") && line.ends_with("Kinh")), "{ethnicity}");
    fails(folder.path(), &["registry", "catalogue", "colour"], 1);
    let cast = done(folder.path(), &["registry", "cast"]).stdout;
    assert!(cast.contains("84520000001") && cast.contains("901098012345"), "{cast}");
}

#[test]
fn a_load_on_the_running_service_is_accounted_in_one_json_document() {
    let folder = set_up();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let file = folder.path().join("tracuu.toml");
    let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:2775", &format!("127.0.0.1:{port}"));
    let text = text.replace("reconnect_min_ms = 5000", "reconnect_min_ms = 100");
    fs::write(&file, text.replace("reconnect_max_ms = 60000", "reconnect_max_ms = 200")).unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    serve.arg("serve").current_dir(folder.path()).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    let mut serve = serve.stderr(Stdio::null()).spawn().unwrap();
    let load = std::panic::catch_unwind(|| done(folder.path(), &["sim", "load", "--count", "100", "--json"]));
    let told = Command::new("kill").args(["-TERM", &serve.id().to_string()]).status().unwrap();
    assert!(told.success());
    let ended = serve.wait().unwrap();
    let load = load.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let report: Value = serde_json::from_str(&load.stdout).unwrap();
    for count in ["questions", "acknowledged", "replies"] {
        assert_eq!(report[count], 100, "{count}: {report}");
    }
    assert_eq!((ended.code(), load.stderr.as_str()), (Some(0), ""));
}
