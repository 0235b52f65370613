//! One private PostgreSQL server a test binary, made from the installed programs in a folder of its own. It listens on one
//! loopback port, with a password nobody else knows, and is gone when the test process is gone, however that ends.

#[cfg(test)]
mod standby;

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
    io::{self, Write as _},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};

/// How long the server may take until it answers.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Stops the server and takes its folder away as soon as the pipe to the test process closes, which the system does even
/// for a process that was killed. SIGQUIT is PostgreSQL's immediate shutdown; its lock file, which begins with the process
/// id, goes when it is down.
const WATCH: &str = r#"
read -r _
lock=$1/data/postmaster.pid
if read -r pid 2>/dev/null <"$lock"; then
  case $pid in '' | *[!0-9]*) ;; *) kill -QUIT "$pid" ;; esac
fi
tries=0
while [ -e "$lock" ] && [ "$tries" -lt 200 ]; do tries=$((tries + 1)); sleep 0.05; done
until rm -rf -- "$1" || [ "$tries" -ge 300 ]; do tries=$((tries + 1)); sleep 0.05; done
"#;

/// What a server does with what it was told to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// On disk at each commit, as in production: for tests that end it hard.
    Durable,
    /// Left to the system's cache: fast, for everything else.
    Fast,
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it keeps everything; gone when the server is.
    pub(crate) folder: PathBuf,
    port: u16,
    password: String,
    databases: AtomicU32,
    // Dropped in this order: the watch ends the server in good form, then what is left is killed.
    _watch: Watch,
    postmaster: Postmaster,
}

/// The test binary's own fast server; `None` when PostgreSQL cannot be had here, which is said aloud, and which fails the
/// test when the environment has `REQUIRE_POSTGRES=1`.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let started = SERVER.get_or_init(|| {
        Server::start(Keeping::Fast).inspect_err(|why| {
            // Straight to the stream, because the test harness hides what a passing test prints.
            let _ = writeln!(io::stderr(), "\nPOSTGRES SKIPPED: {why}; every test of it passes without having run\n");
        })
    });
    let required = std::env::var_os("REQUIRE_POSTGRES").is_some_and(|value| value == "1");
    match started {
        Ok(server) => Some(server),
        Err(why) if required => panic!("REQUIRE_POSTGRES=1, but PostgreSQL cannot be had: {why}"),
        Err(_) => None,
    }
}

impl Server {
    /// Starts a server of one's own.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) fn start(keeping: Keeping) -> Result<Self, String> {
        let programs = programs().ok_or("no PostgreSQL server programs (initdb, postgres) were found")?;
        let folder = tempfile::Builder::new().prefix("tracuu-postgres-").tempdir().map_err(|e| e.to_string())?.keep();
        let watch = Watch::over(&folder)?;
        let home = Home::of(&folder)?;
        let password = [0, 1].map(|n| format!("{:016x}", RandomState::new().hash_one(n))).concat();
        home.initdb(&programs, &password)?;
        // Another process may take the free port before the server does: then the server ends at once, and the next is tried.
        let mut last = String::new();
        for _ in 0..5 {
            let port = free_port()?;
            let mut postmaster = home.postmaster(&programs, port, keeping)?;
            match home.until_ready(&mut postmaster) {
                Ok(()) => {
                    let databases = AtomicU32::new(0);
                    return Ok(Self { folder, port, password, databases, _watch: watch, postmaster });
                }
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    /// Makes an empty database for one test and says where it is.
    pub(crate) async fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("create database {name} template template0"));
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }
}

/// The process that clears up, whatever becomes of this one.
#[derive(Debug)]
struct Watch(Child);

impl Watch {
    fn over(folder: &Path) -> Result<Self, String> {
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "watch"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::null());
        // In a group of its own: Ctrl-C in the terminal ends the tests, and not their watch.
        watch.stderr(Stdio::null()).process_group(0);
        watch.spawn().map(Self).map_err(|error| format!("sh cannot be started: {error}"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The server's first process.
#[derive(Debug)]
struct Postmaster(Child);

impl Drop for Postmaster {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder with the server's data and log, and whom the server runs as: it refuses to run as root.
struct Home<'a> {
    folder: &'a Path,
    user: Option<(u32, u32)>,
}

impl<'a> Home<'a> {
    fn of(folder: &'a Path) -> Result<Self, String> {
        let me = fs::metadata(folder).map_err(|error| error.to_string())?.uid();
        let user = if me == 0 { Some(unprivileged()?) } else { None };
        if let Some((uid, gid)) = user {
            chown(folder, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|error| error.to_string())?;
        Ok(Self { folder, user })
    }

    fn command(&self, program: &Path) -> Result<Command, String> {
        let log = fs::File::options().create(true).append(true).open(self.folder.join("log"));
        let log = log.map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.current_dir(self.folder).stdin(Stdio::null()).stdout(log.try_clone().map_err(|e| e.to_string())?);
        command.stderr(log).env("LC_ALL", "C").env("TZ", "UTC");
        // In a group of its own, so that Ctrl-C in the terminal leaves its end to the watch.
        command.process_group(0);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        Ok(command)
    }

    fn initdb(&self, programs: &Path, password: &str) -> Result<(), String> {
        let secret = self.folder.join("password");
        fs::write(&secret, password).map_err(|error| error.to_string())?;
        if let Some((uid, gid)) = self.user {
            chown(&secret, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let mut initdb = self.command(&programs.join("initdb"))?;
        initdb.args(["--pgdata=data", "--username=postgres", "--auth=password", "--pwfile=password", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--no-locale"]);
        let made = initdb.status().map_err(|error| format!("initdb cannot be started: {error}"))?;
        if made.success() { Ok(()) } else { Err(format!("initdb ended with {made}: {}", self.log())) }
    }

    fn postmaster(&self, programs: &Path, port: u16, keeping: Keeping) -> Result<Postmaster, String> {
        let mut postgres = self.command(&programs.join("postgres"))?;
        postgres.args(["-D", "data", "-h", "127.0.0.1", "-p", &port.to_string()]);
        // No socket file: its path may be longer than the system allows, and nothing here needs it.
        postgres.args(["-c", "unix_socket_directories=", "-c", "max_connections=200"]);
        if keeping == Keeping::Fast {
            postgres.args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
        }
        postgres.spawn().map(Postmaster).map_err(|error| format!("postgres cannot be started: {error}"))
    }

    /// Waits for the last line of the server's lock file to say `ready`, as pg_ctl does.
    fn until_ready(&self, postmaster: &mut Postmaster) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if let Ok(Some(ended)) = postmaster.0.try_wait() {
                return Err(format!("postgres ended with {ended}: {}", self.log()));
            }
            let lock = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if lock.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("postgres was not ready in {} s: {}", START_LIMIT.as_secs(), self.log()))
    }

    /// The end of what the programs said.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join(" | ")
    }
}

/// User and group of `postgres`, or else of `nobody`.
fn unprivileged() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut columns = line.split(':').skip(2);
        Some((columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).ok_or_else(|| {
        "the tests run as root, which PostgreSQL refuses, and there is no user postgres or nobody to run it as"
            .to_owned()
    })
}

fn free_port() -> Result<u16, String> {
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    free.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

/// The folder that holds `initdb` and `postgres`: on the search path, named by pg_config, or where packages put it.
fn programs() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    if let Ok(told) = Command::new("pg_config").arg("--bindir").output() {
        places.push(PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    }
    places.extend(versions("/usr/lib/postgresql", "", "bin"));
    places.extend(versions("/usr", "pgsql-", "bin"));
    places.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    // A link is followed first: the programs look for their neighbours where they really are.
    let real = |place: PathBuf| fs::canonicalize(place.join("initdb")).ok()?.parent().map(Path::to_path_buf);
    places
        .into_iter()
        .filter(|place| place.is_absolute())
        .filter_map(real)
        .find(|place| place.join("postgres").is_file())
}

/// `<parent>/<head><number>/<tail>` for all numbers there, the greatest first.
fn versions(parent: &str, head: &str, tail: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.strip_prefix(head)?.parse().ok()?;
            Some((version, entry.path().join(tail)))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, place)| place).collect()
}
