//! One foreign SMSC as a process that is told what to do by lines on its standard input, and tells what it sees by lines
//! on its standard output. It ends with its standard input, so that none outlives the tests, however they end.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher as _,
    io::{self, BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Lines of a program that nobody has asked for yet; beyond that it waits.
pub(crate) const UNREAD: usize = 1024;

/// What a foreign SMSC is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Order {
    /// Sends one `deliver_sm`.
    Deliver(Deliver),
    /// From now on takes submits without answering them.
    Hold,
    /// Unbinds all sessions.
    Unbind,
}

/// One message from a phone, or a receipt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deliver {
    /// Names it in [`Event::Taken`].
    pub(crate) n: u32,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Without the flag of a user data header, which `udh` stands for.
    pub(crate) esm_class: u8,
    /// 0 or 8.
    pub(crate) coding: u8,
    pub(crate) text: String,
    /// Reference, total and index of a part.
    pub(crate) udh: Option<[u8; 3]>,
    /// receipted_message_id; message_state 2 goes with it.
    pub(crate) receipted: Option<String>,
}

/// What a foreign SMSC saw.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// It takes connections.
    Listening,
    /// It refused a bind.
    Refused,
    /// It took a bind: transceiver, transmitter or receiver.
    Bound { form: String },
    /// The service answered a `deliver_sm`.
    Taken { n: u32, status: u32 },
    /// A `deliver_sm` could not be sent, or was never answered.
    Untaken { n: u32 },
    /// The service sent a `submit_sm`.
    Submit(Submit),
    /// The service unbound.
    Unbound,
    /// The service answered its unbind.
    UnbindAnswered,
}

impl Event {
    /// The segment that the service sent.
    pub(crate) fn submit(&self) -> Option<&Submit> {
        if let Self::Submit(submit) = self { Some(submit) } else { None }
    }

    /// Which message the service answered, and how; without a status it could not be sent, or was not answered.
    pub(crate) fn answer(&self) -> Option<(u32, Option<u32>)> {
        if let Self::Taken { n, status } = self {
            return Some((*n, Some(*status)));
        }
        if let Self::Untaken { n } = self { Some((*n, None)) } else { None }
    }
}

/// One segment of a reply as the foreign program read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Submit {
    /// The id that the program gave it.
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) coding: i32,
    pub(crate) registered: u8,
    pub(crate) text: String,
    /// Reference, total and index.
    pub(crate) udh: Option<[u16; 3]>,
}

/// How to start a foreign program; the port is its last argument.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<PathBuf>,
    /// One environment variable more.
    pub(crate) variable: (&'static str, PathBuf),
}

/// A foreign SMSC that runs.
pub(crate) struct Peer {
    program: Program,
    child: Child,
    orders: ChildStdin,
    events: Receiver<Event>,
    /// Seen and not yet asked for.
    unasked: VecDeque<Event>,
    pub(crate) port: u16,
}

/// The file `inner` of the folder that `TRACUU_PEERS` names; `None` when there is no such folder, which is said aloud.
///
/// # Panics
/// With `REQUIRE_PEERS=1` it must be there; and a folder that is named must hold it.
pub(crate) fn installed(inner: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TRACUU_PEERS") else {
        let required = std::env::var_os("REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "REQUIRE_PEERS=1, but TRACUU_PEERS names no folder");
        // Straight to the stream, because the test harness hides what a passing test prints.
        let _ =
            writeln!(io::stderr(), "\nPEER SKIPPED: TRACUU_PEERS names no folder, so {inner} was not spoken with\n");
        return None;
    };
    let path = Path::new(&folder).join(inner);
    assert!(path.exists(), "TRACUU_PEERS names {}, but there is no {inner} in it", folder.display());
    Some(path)
}

/// A script beside this file.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// A port that is free now and that the system hands to nobody who asks for any: a program that is ended and started again
/// finds it still free.
pub(crate) fn free_port() -> u16 {
    let begin = RandomState::new().hash_one(0) % 10_000;
    let ports = (0..10_000).map(|n| 20_000 + u16::try_from((begin + n) % 10_000).unwrap());
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a free port below those that the system hands out")
}

impl Peer {
    /// Starts a program on a port of its own.
    pub(crate) fn start(program: Program) -> Self {
        Self::start_on(program, free_port())
    }

    fn start_on(program: Program, port: u16) -> Self {
        let mut command = Command::new(&program.path);
        command.args(&program.arguments).arg(port.to_string()).env(program.variable.0, &program.variable.1);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.name));
        let orders = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (heard, events) = sync_channel(UNREAD);
        thread::spawn(move || {
            // What the program's own libraries print is not for us.
            for line in lines.map_while(Result::ok).filter(|line| line.starts_with("{\"event\"")) {
                if heard.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut peer = Self { program, child, orders, events, unasked: VecDeque::new(), port };
        peer.wait("that it listens", |event| matches!(event, Event::Listening).then_some(()));
        peer
    }

    /// Ends it at once, as a crash would, and gives what it had seen.
    pub(crate) fn kill(&mut self) -> Vec<Event> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // Its output ends with it, and so does the thread that reads it.
        self.unasked.extend(self.events.iter());
        self.unasked.drain(..).collect()
    }

    /// The same program on the same port, after [`Self::kill`].
    pub(crate) fn start_again(&mut self) {
        *self = Self::start_on(self.program.clone(), self.port);
    }

    /// Gives it an order.
    pub(crate) fn tell(&mut self, order: &Order) {
        let line = format!("{}\n", serde_json::to_string(order).unwrap());
        self.orders.write_all(line.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.program.name));
    }

    /// The first event that `is_it` takes, seen already or to come; the others stay.
    pub(crate) fn wait<T>(&mut self, what: &str, is_it: impl Fn(&Event) -> Option<T>) -> T {
        if let Some((at, found)) = self.unasked.iter().enumerate().find_map(|(at, event)| Some((at, is_it(event)?))) {
            self.unasked.remove(at);
            return found;
        }
        let until = Instant::now() + LIMIT;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => match is_it(&event) {
                    Some(found) => return found,
                    None => self.unasked.push_back(event),
                },
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: not within {LIMIT:?}: {what}; seen: {:?}", self.program.name, self.unasked)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{} ended by itself before {what}; seen: {:?}", self.program.name, self.unasked)
                }
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
