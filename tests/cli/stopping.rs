//! How `serve` is stopped: in order by one signal, at once by a second.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::support::cli::tracuu;

/// How long the service may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that does not outlive its test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Serving {
    fn start(folder: &Path, variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
        command.arg("serve").current_dir(folder).env_clear().envs(variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Takes the connection that it makes.
    fn accepted(&mut self, listener: &TcpListener) -> TcpStream {
        listener.set_nonblocking(true).unwrap();
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    return stream;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(self.0.try_wait().unwrap().is_none(), "it ended before it had connected");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its exit code and its log, once it has ended.
    fn ended(mut self) -> (Option<i32>, String) {
        let code = self.0.wait().unwrap().code();
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (code, log)
    }
}

/// A folder in which the service can start.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["init"][..], &["registry", "generate", "--people", "20"]] {
        assert_eq!(tracuu(folder.path(), arguments).code, Some(0));
    }
    folder
}

/// Reads one PDU; its command_id and sequence_number.
fn pdu(stream: &mut TcpStream) -> (u32, u32) {
    let mut header = [0; 16];
    stream.read_exact(&mut header).unwrap();
    let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
    let mut body = vec![0; word(0) as usize - header.len()];
    stream.read_exact(&mut body).unwrap();
    (word(4), word(12))
}

fn bare(stream: &mut TcpStream, command_id: u32, sequence: u32) {
    let octets: Vec<u8> = [16, command_id, 0, sequence].into_iter().flat_map(u32::to_be_bytes).collect();
    stream.write_all(&octets).unwrap();
}

/// An SMSC to which the service is bound.
fn bound(folder: &Path) -> (Serving, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut serving = Serving::start(folder, &[("TRACUU__CARRIERS__SIM__ADDRESS", address)]);
    let mut stream = serving.accepted(&listener);
    let (bind, sequence) = pdu(&mut stream);
    assert_eq!(bind, 9, "bind_transceiver");
    bare(&mut stream, 0x8000_0000 | bind, sequence);
    // An answer to an enquiry says that the bind was seen.
    bare(&mut stream, 0x15, 77);
    assert_eq!(pdu(&mut stream), (0x8000_0015, 77));
    (serving, stream)
}

#[test]
fn one_signal_stops_in_order() {
    for signal in ["-TERM", "-INT"] {
        let folder = prepared();
        let (serving, mut smsc) = bound(folder.path());
        serving.signal(signal);
        let (unbind, sequence) = pdu(&mut smsc);
        assert_eq!(unbind, 6);
        bare(&mut smsc, 0x8000_0006, sequence);
        let (code, log) = serving.ended();
        assert_eq!(code, Some(0), "{signal}: {log}");
        assert!(log.contains("Service has stopped"), "{log}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for second in ["-TERM", "-INT"] {
        let folder = prepared();
        let (serving, mut smsc) = bound(folder.path());
        serving.signal("-TERM");
        assert_eq!(pdu(&mut smsc).0, 6, "it unbinds, and waits for an answer");
        serving.signal(second);
        let (code, log) = serving.ended();
        assert_eq!(code, Some(1), "{second}: {log}");
        assert!(log.contains("stopped at once by a second signal") && !log.contains("Service has stopped"), "{log}");
        assert!(!folder.path().join("tracuu.sock").exists());
    }
    let help = tracuu(&std::env::temp_dir(), &["serve", "--help"]).stdout;
    assert!(help.contains("second signal"), "{help}");
}

#[test]
fn a_signal_before_it_has_started_ends_it_at_once() {
    let folder = prepared();
    // A database that takes connections and says nothing.
    let database = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("postgres://nobody@{}/nothing?sslmode=disable", database.local_addr().unwrap());
    let wait = ("TRACUU__STORE__WAIT_MS", "60000".to_owned());
    let mut serving = Serving::start(folder.path(), &[("TRACUU__STORE__URL", url), wait]);
    let silent = serving.accepted(&database);
    serving.signal("-TERM");
    let (code, log) = serving.ended();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("stopped before it had started"), "{log}");
    drop(silent);
}
