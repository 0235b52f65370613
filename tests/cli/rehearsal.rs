//! Playing the carrier: typed at, and rehearsing a fault against a service that runs.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::support::cli::tracuu;

/// A process that does not outlive its test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An installation whose service connects, again and again, to a free port of this machine.
fn set_up() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["init"][..], &["registry", "generate", "--people", "20"]] {
        assert_eq!(tracuu(folder.path(), arguments).code, Some(0));
    }
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let file = folder.path().join("tracuu.toml");
    let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:2775", &address);
    let text = text.replace("reconnect_min_ms = 5000", "reconnect_min_ms = 50");
    let text = text.replace("reconnect_max_ms = 60000", "reconnect_max_ms = 200");
    // A debug build on a busy machine is slow.
    fs::write(&file, text.replace("answer_deadline_ms = 1500", "answer_deadline_ms = 20000")).unwrap();
    (folder, address)
}

fn serve(folder: &Path) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.arg("serve").current_dir(folder).env_clear();
    Serving(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn a_fault_is_rehearsed_and_the_exit_code_says_whether_the_service_coped() {
    let (folder, address) = set_up();
    let folder = folder.path();
    let _serving = serve(folder);
    let patience = ["--patience", "40", "--listen", &address];
    let coped = tracuu(folder, &[&["sim", "--script", "t09"][..], &patience].concat());
    assert_eq!(coped.code, Some(0), "{coped:?}");
    for words in ["t09_sm_length_past_end:", "sent deliver_sm sequence 1", "status 0x01", "coped", "sm_length_past_end"]
    {
        assert!(coped.stdout.contains(words), "{words} is not in\n{}", coped.stdout);
    }
    assert!(!coped.stdout.contains("84520"), "what is shown holds no number");
    // Its password is another one than this script wants.
    let failed = tracuu(folder, &[&["sim", "--script", "t26_password_over_8"][..], &patience].concat());
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("expected the password as it is configured"), "{failed:?}");
}

#[test]
fn scripts_are_listed_with_what_they_need() {
    let folder = tempfile::tempdir().unwrap();
    let listed = tracuu(folder.path(), &["sim", "--scripts"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    for words in ["t22_bind_never_answered", "needs bind_timeout_ms = 500", "the bind is not answered"] {
        assert!(listed.stdout.contains(words), "{words} is not in\n{}", listed.stdout);
    }
    let unknown = tracuu(folder.path(), &["sim", "--script", "t999"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("--scripts"), "{unknown:?}");
}

#[test]
fn what_is_typed_is_sent_as_a_phone_would_and_the_reply_is_shown() {
    let (folder, address) = set_up();
    let folder = folder.path();
    let _serving = serve(folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.args(["sim", "--listen", &address]).current_dir(folder).env_clear();
    let mut sim = Serving(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let mut typed = sim.0.stdin.take().unwrap();
    let long = "x ".repeat(120);
    write!(typed, "84520000001 HD\n?\n/receipt\nHELP {long}\n/from 84520000002\n/receipt\n/fly\n\n").unwrap();
    drop(typed);
    let shown: Vec<String> = BufReader::new(sim.0.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    assert_eq!(sim.0.wait().unwrap().code(), Some(0));
    let shown = shown.join("\n");
    for words in [
        "Bound.",
        "-> 1 message, acknowledged within",
        "plain letters:\n     ",
        "/receipt [STATE]",
        "-> receipt DELIVRD, answered with status 0x00",
        "-> 2 messages, acknowledged within",
        "there is no reply yet",
        "there is no /fly",
    ] {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
}
