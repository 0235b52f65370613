//! The service as its keeper sees it while it runs, and what a shell learns of the command.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tracuu::{
    clock::{Clock, Micros},
    config::Config,
    ledger::{Entry, Fate, Ledger},
    message::{CarrierId, LineId, LineNo, Octets, Odd, Role, Ticket},
};

use crate::support::cli::{Finished, tracuu};

/// How long anything may take that comes soon when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `serve` and waits until its log says these words.
fn serve(folder: &Path, until: &str) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.arg("serve").current_dir(folder).env_clear();
    // A port of this machine that nobody listens on: the line stays down.
    command.env("TRACUU__CARRIERS__SIM__ADDRESS", "127.0.0.1:1");
    command.env("TRACUU__CARRIERS__SIM__DOWN_AFTER_S", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let log = BufReader::new(running.0.stderr.take().unwrap());
    let (said, heard) = std::sync::mpsc::sync_channel(1);
    let until = until.to_owned();
    // All of it is read, so that a full pipe never holds the service up.
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok).filter(|line| line.contains(&until)) {
            let _ = said.try_send(line);
        }
    });
    heard.recv_timeout(PATIENCE).unwrap();
    running
}

#[test]
fn the_status_of_a_running_service_is_told_in_words_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for arguments in [&["init"][..], &["registry", "generate", "--people", "20"]] {
        assert_eq!(tracuu(folder, arguments).code, Some(0));
    }
    let asleep = tracuu(folder, &["status"]);
    assert!(asleep.code == Some(69) && asleep.stderr.contains("tracuu serve"), "{asleep:?}");
    let mut running = serve(folder, "has not been bound since");
    let down = tracuu(folder, &["status"]);
    assert_eq!(down.code, Some(1), "a line is down: {down:?}");
    let words = [
        "tracuu-1: up for",
        "line sim/1: down for",
        "127.0.0.1:1",
        "held back by: no line",
        "ALARM line_down on sim/1 for",
    ];
    for words in words {
        assert!(down.stdout.contains(words), "{words} is not in\n{}", down.stdout);
    }
    let Finished { stdout, .. } = tracuu(folder, &["status", "--json"]);
    let view: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(view["carriers"][0]["lines"][0]["bound"], Value::Bool(false), "{view}");

    let pid = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(!folder.join("tracuu.sock").exists(), "the socket goes with the service");
    assert_eq!(tracuu(folder, &["status"]).code, Some(69));
}

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = tracuu(folder.path(), &["completions", shell]);
        assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""), "{shell}");
        for command in ["serve", "status", "billing", "completions"] {
            assert!(printed.stdout.contains(command), "{shell} does not know {command}");
        }
    }
    assert_eq!(tracuu(folder.path(), &["completions", "dos"]).code, Some(2));
}

/// Puts one message aside in the store of this folder, as the service does.
async fn put_one_aside(folder: &Path) {
    let config = Config::load(&folder.join("tracuu.toml")).unwrap();
    let (db, keys) = tracuu::service::open_store(&config).await.unwrap();
    let (ledger, writer) = Ledger::open(db, keys, "tracuu-1", Clock::fixed(Micros(0))).await.unwrap();
    let mut writing = tokio::task::JoinSet::new();
    writing.spawn(writer.run());
    let line = LineId { carrier: CarrierId::parse("sim").unwrap(), index: 1, role: Role::Receiver };
    let odd = Odd {
        line: LineNo::new(0, &line),
        session: 1,
        sequence: 7,
        ticket: Ticket::new(),
        trap: "sm_length_past_end",
        status: 0x01,
        frame: Octets(b"TTCD 012345".to_vec()),
        received_at: Micros(0),
    };
    let row = ledger.put_aside(&line.carrier, &odd);
    let fates = ledger.store(vec![Entry::Odd { row, ticket: odd.ticket }]).await;
    assert_eq!(fates, [Fate::Stored]);
    drop(ledger);
    writing.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn what_was_put_aside_can_be_counted_listed_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(tracuu(folder, &["init"]).code, Some(0));
    put_one_aside(folder).await;
    let counted = tracuu(folder, &["quarantine", "count"]);
    assert!(counted.code == Some(0) && counted.stdout.contains("sm_length_past_end"), "{counted:?}");
    let listed = tracuu(folder, &["quarantine", "list", "--trap", "sm_length_past_end"]);
    assert!(listed.stdout.contains("sim/1rx") && listed.stdout.contains("0x01  11 octets"), "{listed:?}");
    assert!(!format!("{counted:?}{listed:?}").contains("TTCD"), "a list says nothing of the message");
    assert_eq!(tracuu(folder, &["quarantine", "list", "--trap", "no_such"]).stdout, "");
    let key = listed.stdout.split(' ').next().unwrap();
    let shown = tracuu(folder, &["quarantine", "show", key]);
    assert!(
        shown.code == Some(0) && shown.stdout.contains("54 54 43 44") && shown.stdout.contains("TTCD"),
        "{shown:?}"
    );
    assert_eq!(tracuu(folder, &["quarantine", "show", "1"]).code, Some(1));
}
