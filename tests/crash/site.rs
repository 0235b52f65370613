//! One installation in a folder of its own: configuration, keys, registry, store; the service as a child process.

use std::{
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tracuu::{clock::Chance, config::Config, db::Db, registry, service};

use crate::support::cli::{Finished, tracuu_with};

/// How long anything may take that the test waits for, on a machine that has other things to do.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// The only carrier, by its name in the configuration.
pub(crate) const CARRIER: &str = "sim";

/// The only short code.
pub(crate) const CODE: &str = "9999";

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_tracuu");

/// A folder with what a program makes for a newcomer.
fn init(program: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new(program).arg("init").env_clear().current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    folder
}

/// An installation. Everything in it goes with this value.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
    /// The program that made it.
    made_by: PathBuf,
}

impl Site {
    /// Makes one whose carrier is the SMSC at `smsc`, with so many lines to it and so many people in the registry.
    /// `store`: another store than a SQLite file in the folder.
    pub(crate) async fn new(smsc: SocketAddr, lines: u8, people: u64, store: Option<&str>) -> Self {
        Self::made_by(Path::new(PROGRAM), smsc, lines, people, store).await
    }

    /// The same as another version of the program makes it.
    pub(crate) async fn made_by(program: &Path, smsc: SocketAddr, lines: u8, people: u64, store: Option<&str>) -> Self {
        let folder = init(program);
        let file = folder.path().join("tracuu.toml");
        let example = fs::read_to_string(&file).unwrap();
        let (head, _) = example.split_once("# One section a carrier;").expect("the example has its carriers last");
        let own_store = "url = \"sqlite:tracuu.db\"";
        assert!(head.contains(own_store), "the example names its store");
        let head = store.map_or(head.to_owned(), |url| head.replace(own_store, &format!("url = \"{url}\"")));
        let carrier = format!(
            "[carriers.{CARRIER}]\naddress = \"{smsc}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\ncode = \"SIM\"\n\
             lines = {lines}\nwindow = 100\nequal_replies = 10000\nequal_minutes = 1\nreconnect_min_ms = 50\nreconnect_max_ms = 500\n"
        );
        fs::write(&file, head + &carrier).unwrap();
        let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults}"));
        registry::generate(&config.registry.url, people, 1, |_| {}).await.unwrap();
        Self { folder, config, made_by: program.to_owned() }
    }

    /// Another installation on the same store, registry and keys, for another instance whose carrier is the SMSC at
    /// `smsc`. `lines` go into the carrier's section of this one alone.
    pub(crate) fn beside(&self, instance: &str, smsc: SocketAddr, lines: &str) -> Self {
        let folder = init(&self.made_by);
        fs::copy(self.folder.path().join("tracuu.keys"), folder.path().join("tracuu.keys")).unwrap();
        let (ours, theirs) = (self.folder.path().join("tracuu.toml"), folder.path().join("tracuu.toml"));
        let mut text = fs::read_to_string(ours).unwrap();
        let here = |file: &str| format!("sqlite:{}", self.folder.path().join(file).display());
        let first_address = self.config.carriers.values().next().unwrap().line.addresses[0].clone();
        for (from, to) in [
            ("instance = \"tracuu-1\"", format!("instance = \"{instance}\"")),
            ("sqlite:registry.db", here("registry.db")),
            (first_address.as_str(), smsc.to_string()),
        ] {
            assert!(text.contains(from), "the first installation has {from}");
            text = text.replace(from, &to);
        }
        text = text.replace("sqlite:tracuu.db", &here("tracuu.db")) + lines;
        fs::write(&theirs, text).unwrap();
        let config = Config::load(&theirs).unwrap_or_else(|faults| panic!("{faults}"));
        Self { folder, config, made_by: self.made_by.clone() }
    }

    /// Starts the service.
    pub(crate) fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    /// Starts the service of the version that made this installation.
    pub(crate) fn serve_as_made(&self) -> Serving {
        self.start(&self.made_by, &[])
    }

    /// Starts the service with an environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, PathBuf)]) -> Serving {
        self.start(Path::new(PROGRAM), environment)
    }

    fn start(&self, program: &Path, environment: &[(&str, PathBuf)]) -> Serving {
        let log = self.folder.path().join("serve.log");
        let to = fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(self.folder.path().join("tracuu.toml"));
        command.env_clear().envs(environment.iter().cloned()).current_dir(self.folder.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(to.try_clone().unwrap()).stderr(to);
        Serving { child: command.spawn().unwrap(), log }
    }

    /// Runs a command to its good end beside everything else; gives what it printed.
    pub(crate) async fn command(&self, arguments: &[&str]) -> String {
        let finished = self.command_with(arguments, Vec::new()).await;
        assert_eq!(finished.code, Some(0), "tracuu {arguments:?}: {finished:?}");
        finished.stdout
    }

    /// Runs a command with an environment to its end.
    pub(crate) async fn command_with(&self, arguments: &[&str], environment: Vec<(&'static str, PathBuf)>) -> Finished {
        let (folder, owned) = (self.folder.path().to_owned(), arguments.iter().map(ToString::to_string));
        let owned: Vec<String> = owned.collect();
        let ran = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = owned.iter().map(String::as_str).collect();
            tracuu_with(&folder, &arguments, environment)
        });
        ran.await.unwrap()
    }

    /// The store, for counting.
    pub(crate) async fn store(&self) -> Db {
        service::open_store(&self.config).await.unwrap().0
    }
}

/// The service as a process; killed when this value goes.
pub(crate) struct Serving {
    child: Child,
    log: PathBuf,
}

impl Serving {
    /// Ends it as the loss of power to it would: SIGKILL. It must have been running.
    pub(crate) async fn kill(mut self) {
        self.child.start_kill().unwrap();
        let ended = within("the killed service to end", self.child.wait()).await.unwrap();
        assert_eq!(ended.signal(), Some(9), "the service had ended by itself: {ended}");
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("the service had ended by itself").to_string();
        let told = Command::new("kill").args([signal, &id]).status().await.unwrap();
        assert!(told.success());
    }

    /// Stops its clock, as a hypervisor or a debugger does.
    pub(crate) async fn pause(&self) {
        self.signal("-STOP").await;
        let tasks = format!("/proc/{}/task", self.child.id().unwrap());
        let state = |stat: String| stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        let stopped = |task: std::io::Result<fs::DirEntry>| {
            let stat = fs::read_to_string(task.unwrap().path().join("stat"));
            stat.ok().and_then(state).is_none_or(|state| state == 'T')
        };
        let all_stopped = async {
            while !fs::read_dir(&tasks).unwrap().all(stopped) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        within("the service to stand still", all_stopped).await;
    }

    /// Lets it go on.
    pub(crate) async fn resume(&self) {
        self.signal("-CONT").await;
    }

    /// Waits until it has ended by itself: its exit code, and what it said.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let ended = within("the service to end by itself", self.child.wait()).await.unwrap();
        (ended.code(), fs::read_to_string(&self.log).unwrap())
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) {
        self.signal("-TERM").await;
        let ended = within("the service to stop", self.child.wait()).await.unwrap();
        assert_eq!(ended.code(), Some(0), "the service did not stop well: {ended}");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("The end of what the service said:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// Waits, and fails the test when it takes too long.
pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(LIMIT, wait).await;
    waited.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"))
}

/// What this run draws from, and what repeats it.
pub(crate) fn chance() -> (u64, Chance) {
    let seed = setting("TRACUU_CRASH_SEED").unwrap_or_else(|| Chance::from_system().below(1_000_000));
    (seed, Chance::seeded(seed))
}

/// How often the service is killed unless the usual number is asked for.
pub(crate) fn kills() -> Option<u64> {
    setting("TRACUU_CRASH_KILLS")
}

/// Seconds from one kill to the next; none: as soon as the killed one is back.
pub(crate) fn every() -> Option<Duration> {
    setting("TRACUU_CRASH_EVERY_S").map(Duration::from_secs)
}

/// Questions a second, where not as many as can be answered.
pub(crate) fn rate() -> u32 {
    setting("TRACUU_CRASH_RATE").map_or(300, |rate| rate as u32)
}

/// A program of the version before, if one is named.
pub(crate) fn program_before() -> Option<PathBuf> {
    std::env::var_os("TRACUU_CRASH_BEFORE").map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "these are settings of the test, not of the service")]
fn setting(name: &str) -> Option<u64> {
    let written = std::env::var(name).ok()?;
    Some(written.parse().unwrap_or_else(|_| panic!("{name} must be a number, got {written}")))
}
