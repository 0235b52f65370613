//! What a service manager (systemd) hears of a running service, and what is said of a part that stands still.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection as _, SqliteConnection};

use crate::support::cli::tracuu;

/// How long anything may take that comes at once when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service under a service manager.
struct Managed {
    process: Child,
    manager: UnixDatagram,
    log: BufReader<ChildStderr>,
}

impl Managed {
    fn start(folder: &Path) -> Self {
        for arguments in [&["init"][..], &["registry", "generate", "--people", "20"]] {
            assert_eq!(tracuu(folder, arguments).code, Some(0));
        }
        let socket = folder.join("manager");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
        command.arg("serve").current_dir(folder).env_clear();
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "600000");
        // A port of this machine that nobody listens on.
        command.env("TRACUU__CARRIERS__SIM__ADDRESS", "127.0.0.1:1");
        command.env("TRACUU__STORE__WAIT_MS", "60000").env("TRACUU__SERVICE__STALL_S", "3");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, manager, log }
    }

    /// The next thing that the manager hears.
    fn hears(&self) -> String {
        let mut octets = [0; 256];
        let count = self.manager.recv(&mut octets).expect("the manager hears nothing");
        String::from_utf8(octets[..count].to_vec()).unwrap()
    }

    /// Reads the log up to a line that says this of a part; others may be spoken of before.
    fn says(&mut self, part: &str, words: &str) {
        let said = |line: &String| line.contains(words) && line.contains(part);
        let found = self.log.by_ref().lines().map_while(Result::ok).any(|line| said(&line));
        assert!(found, "the log ended without \"{words}\" of {part}");
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_service_manager_hears_that_the_service_is_ready_lives_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Managed::start(folder.path());
    assert_eq!(service.hears().trim(), "READY=1");
    for _ in 0..3 {
        assert_eq!(service.hears().trim(), "WATCHDOG=1");
    }
    let pid = service.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while service.hears().trim() != "STOPPING=1" {}
    assert_eq!(service.process.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_part_that_stands_still_is_named_and_the_service_manager_hears_no_sign_of_life() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Managed::start(folder.path());
    assert_eq!(service.hears().trim(), "READY=1");
    let url = format!("sqlite:{}", folder.path().join("tracuu.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("begin immediate").execute(&mut other).await.unwrap();

    // Nobody reads meanwhile what the manager is told: its queue fills, and the watchdog must not wait for it.
    service.says("the ledger's writer", "has stood still");
    let status = tracuu(folder.path(), &["status"]);
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(status.stdout.contains("ALARM stalled for"), "{}", status.stdout);
    assert!(status.stdout.contains("the ledger's writer does not move"), "{}", status.stdout);
    // Signs that were given before are still to be read, a handful; then none comes for several of its periods.
    service.manager.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let signs = (0..50).take_while(|_| service.manager.recv(&mut [0; 256]).is_ok()).count();
    assert!(signs < 50, "signs of life go on");

    service.manager.set_read_timeout(Some(PATIENCE)).unwrap();
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    service.says("the ledger's writer", "moves again");
    assert_eq!(service.hears().trim(), "WATCHDOG=1");
    let status = tracuu(folder.path(), &["status"]);
    assert!(!status.stdout.contains("stalled"), "{}", status.stdout);
}
