//! The service under test: a folder made by `tracuu init`, `tracuu serve` in it as a process, and what its store holds.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tracuu::{
    db::Db,
    ledger::read::store::{Balance, balance},
};

use crate::{peer::LIMIT, support};

/// The last lines of a log that a failed test shows.
const SHOWN: usize = 40;

/// A folder with settings, a synthetic registry and a store.
pub(crate) struct Site {
    folder: TempDir,
}

/// `tracuu serve` as a process; killed when it goes.
pub(crate) struct Service {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    reads: Option<JoinHandle<()>>,
}

impl Site {
    /// Made as a newcomer makes it.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for arguments in [&["init"][..], &["registry", "generate", "--people", "100"]] {
            let done = support::cli::tracuu(folder.path(), arguments);
            assert_eq!(done.code, Some(0), "{done:?}");
        }
        Self { folder }
    }

    /// Changes the settings; what is replaced must be there.
    pub(crate) fn set(&self, default: &str, setting: &str) {
        let file = self.folder.path().join("tracuu.toml");
        let settings = fs::read_to_string(&file).unwrap();
        assert!(settings.contains(default), "no \"{default}\" in the settings");
        fs::write(&file, settings.replace(default, setting)).unwrap();
    }

    /// Starts the service against an SMSC on `port`, with settings of the carrier in the environment.
    pub(crate) fn serve(&self, port: u16, settings: &[(&str, &str)]) -> Service {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
        command.arg("serve").current_dir(self.folder.path()).env_clear().env("NO_COLOR", "1");
        let address = format!("127.0.0.1:{port}");
        let usual = [
            ("ADDRESS", address.as_str()),
            ("ANSWER_DEADLINE_MS", "20000"),
            ("SMSC_RESPONSE_S", "60"),
            ("RECONNECT_MIN_MS", "100"),
            ("RECONNECT_MAX_MS", "200"),
        ];
        for (name, value) in usual.iter().chain(settings) {
            command.env(format!("TRACUU__CARRIERS__SIM__{name}"), value);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let reads = thread::spawn(move || lines.map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Service { child, log, reads: Some(reads) }
    }

    /// Waits until so many replies are settled.
    pub(crate) fn until_settled(&self, replies: i64) {
        self.until(&format!("{replies} replies are settled"), |(counted, _)| counted.settled >= replies);
    }

    /// Waits until the store holds what `enough` asks for.
    pub(crate) fn until(&self, what: &str, enough: impl Fn((Balance, (i64, i64))) -> bool) {
        let until = Instant::now() + LIMIT;
        while !enough(self.books()) {
            assert!(Instant::now() < until, "not within {LIMIT:?}: {what}: {:?}", self.books());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the store holds; how many receipts say "delivered", and on how many replies.
    pub(crate) fn books(&self) -> (Balance, (i64, i64)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let config = tracuu::config::Config::load(&self.folder.path().join("tracuu.toml")).unwrap();
            let db = Db::open(&tracuu::service::store_options(&config)).await.unwrap();
            let counted = balance(&db).await.unwrap();
            let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
            let receipts = "select count(exchange_key), count(distinct exchange_key) from settlement
                            where kind = 2 and result = 'DELIVERED'";
            let receipts = sqlx::query_as(receipts).fetch_one(readers).await.unwrap();
            db.close().await;
            (counted, receipts)
        })
    }
}

impl Service {
    /// SIGTERM; it must end in good order and in time.
    pub(crate) fn terminate(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let until = Instant::now() + LIMIT;
        let ended = loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                break ended;
            }
            assert!(Instant::now() < until, "it did not end within {LIMIT:?}");
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(ended.code(), Some(0));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reads) = self.reads.take() {
            let _ = reads.join();
        }
        if thread::panicking() {
            let log = self.log.lock().unwrap();
            let end = log.len().saturating_sub(SHOWN);
            println!("the service's log ends:\n{}", log[end..].join("\n"));
        }
    }
}
