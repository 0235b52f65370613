//! A whole service in this process, with a folder of its own and real databases, whatever SMSC it talks to.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::{sync::OnceCell, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracuu::{
    board::{Board, CarrierBoard},
    clock::{Chance, Clock, Micros},
    config::Config,
    db::{Db, OpenDb},
    ledger::{
        Keys,
        read::store::{Balance, MoRow, MtRow, RecordKind, Span, balance, mo_rows, mt_rows},
    },
    message::CarrierId,
    registry,
    reply::Shipped,
    service::{Service, ServiceError},
};

/// The code that citizens text to.
pub(crate) const CODE: &str = "9999";

/// How long anything may take that comes at once when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// 2026-01-01T00:00:00Z, where fixed clocks stand at first.
const NEW_YEAR: Micros = Micros(1_767_225_600_000_000);

/// What is not usual about the databases.
#[derive(Default)]
pub(crate) struct Databases {
    /// Another store than a SQLite file in the folder.
    pub(crate) store: Option<String>,
    /// Another registry; an empty database, filled at the start.
    pub(crate) registry: Option<String>,
    /// How long the store waits for another process's lock; long when not said.
    pub(crate) store_wait_ms: Option<u32>,
}

/// A clock for a service under test, which stands still until it is moved.
pub(crate) fn still_clock() -> Clock {
    Clock::fixed(NEW_YEAR)
}

/// A service, its folder and its databases.
pub(crate) struct Running {
    /// Its settings.
    pub(crate) config: Config,
    /// Its clock, which stands still until it is moved.
    pub(crate) clock: Clock,
    folder: TempDir,
    store: OpenDb,
    stop: CancellationToken,
    service: JoinSet<Result<(), ServiceError>>,
    board: Option<Arc<Board>>,
}

impl Running {
    /// Everything but the service. `files` are written into its folder; `sections` are its carriers.
    pub(crate) async fn prepare(databases: Databases, clock: Clock, sections: &str, files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = head(databases.store.as_deref(), databases.registry.as_deref(), databases.store_wait_ms) + sections;
        match &databases.registry {
            Some(url) => drop(registry::generate(&SecretString::from(url.clone()), 200, 1, |_| {}).await.unwrap()),
            None => fs::write(folder.path().join("registry.db"), people().await).unwrap(),
        }
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let file = folder.path().join("tracuu.toml");
        fs::write(&file, text).unwrap();
        fs::write(folder.path().join("tracuu.keys"), Keys::new_file(&[7; 64]).as_bytes()).unwrap();
        Shipped::write_to(&folder.path().join("sms-templates")).unwrap();
        let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults}"));
        let (url, wait) = (config.store.url.clone(), Duration::from_secs(10));
        let store = OpenDb { name: "store", url, read_only: false, readers: 2, wait };
        let (stop, service) = (CancellationToken::new(), JoinSet::new());
        Self { config, clock, folder, store, stop, service, board: None }
    }

    /// Starts the service, for the first time or again.
    pub(crate) async fn start_service(&mut self) {
        self.stop = CancellationToken::new();
        let built = Service::build(&self.config, self.clock.clone(), Chance::seeded(1));
        let service = Box::pin(built).await.unwrap();
        self.board = Some(Arc::clone(service.board()));
        self.service.spawn(service.run(self.stop.clone()));
    }

    /// Tells the service to stop and waits until it has.
    pub(crate) async fn stop_service(&mut self) {
        self.stop.cancel();
        while let Some(ended) = soon("the service stops", self.service.join_next()).await {
            ended.unwrap().unwrap();
        }
    }

    /// Tells the service to stop; it goes on until it has.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// What the service that was started last knows of itself.
    pub(crate) fn board(&self) -> &Arc<Board> {
        self.board.as_ref().expect("the service was started")
    }

    /// The same of one carrier.
    pub(crate) fn carrier_board(&self, carrier: &str) -> &Arc<CarrierBoard> {
        self.board().carrier(&CarrierId::parse(carrier).unwrap()).unwrap()
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Locks the store's file against all others until the answer is dropped.
    pub(crate) async fn lock_store(&self) -> SqliteConnection {
        let url = format!("sqlite:{}", self.folder.path().join("tracuu.db").display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("begin immediate").execute(&mut connection).await.unwrap();
        connection
    }

    /// A reply template.
    pub(crate) fn template(&self, name: &str) -> PathBuf {
        self.folder.path().join("sms-templates").join(name)
    }

    /// Counts the store as it is now.
    pub(crate) async fn balance(&self) -> Balance {
        let db = self.open_store().await;
        let counted = balance(&db).await.unwrap();
        db.close().await;
        counted
    }

    /// Opens the store beside the service.
    pub(crate) async fn open_store(&self) -> Db {
        Db::open(&self.store).await.unwrap()
    }

    /// Waits until a count of the store is as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Balance) -> bool) -> Balance {
        let db = self.open_store().await;
        let mut last = None;
        let reached = tokio::time::timeout(PATIENCE, async {
            loop {
                let counted = balance(&db).await.unwrap();
                if wanted(&counted) {
                    return counted;
                }
                last = Some(counted);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let counted = reached.await;
        db.close().await;
        counted.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; last seen {last:?}"))
    }

    /// The billing records of a carrier: questions and replies.
    pub(crate) async fn records(&self, carrier: &str) -> (Vec<MoRow>, Vec<MtRow>) {
        let db = self.open_store().await;
        let carrier = &self.config.carriers[&CarrierId::parse(carrier).unwrap()];
        let most = 1_000_000;
        let mo = mo_rows(&db, Span::all(RecordKind::Mo, &carrier.id, carrier.stream), most).await.unwrap();
        let mt = mt_rows(&db, Span::all(RecordKind::Mt, &carrier.id, carrier.stream), most).await.unwrap();
        db.close().await;
        (mo, mt)
    }

    /// Looks for loose ends in a store that is at rest: gives its balance and how many messages were stored as questions.
    pub(crate) async fn books(&self) -> (Balance, i64) {
        let counted = self.balance().await;
        assert_eq!((counted.waiting, counted.lost, counted.doubled), (0, 0, 0), "{counted:?}");
        assert_eq!(counted.exchanges, counted.with_reply + counted.silences, "{counted:?}");
        assert_eq!(counted.settled, counted.with_reply, "{counted:?}");
        let (mut questions, mut messages, mut replies) = (0, 0, 0);
        let carriers: Vec<String> = self.config.carriers.keys().map(|id| id.as_str().to_owned()).collect();
        for carrier in carriers {
            let (mo, mt) = self.records(&carrier).await;
            questions += mo.len() as i64;
            replies += mt.len() as i64;
            messages += mo.iter().map(|record| record.parts).sum::<i64>();
        }
        assert_eq!((questions, replies), (counted.exchanges, counted.settled), "billing records: {counted:?}");
        let stored = messages + counted.repeats;
        (counted, stored)
    }
}

/// Fails a test that waits for ever.
pub(crate) async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

fn head(store: Option<&str>, registry: Option<&str>, wait_ms: Option<u32>) -> String {
    let wait_ms = wait_ms.unwrap_or(20_000);
    let (store, registry) = (store.unwrap_or("sqlite:tracuu.db"), registry.unwrap_or("sqlite:registry.db"));
    format!(
        "[service]\nshort_codes = [\"{CODE}\"]\n\
         [store]\nurl = \"{store}\"\nkey_file = \"tracuu.keys\"\nwait_ms = {wait_ms}\n\
         [registry]\nurl = \"{registry}\"\ntimeout_ms = 10000\n\
         [reply]\ntemplates = \"sms-templates\"\n\
         [contact]\nname = \"Nguyễn Thị Mẫu\"\npost = \"Cán bộ đầu mối\"\nduty = \"tiếp nhận\"\n\
         phone = \"0520 000 000\"\nemail = \"dau-moi@example.invalid\"\n"
    )
}

/// A carrier's section: the usual settings of a test, and these lines.
pub(crate) fn section(name: &str, address: SocketAddr, lines: &str) -> String {
    // What the lines say themselves stands above the usual. A debug build on a busy machine is slow: only a test that is
    // about the deadline meets it. Tests ask the same again and again: only one that is about loops meets their end.
    let usual = [
        ("address", format!("\"{address}\"")),
        ("system_id", "\"tracuu\"".to_owned()),
        ("password", "\"secret\"".to_owned()),
        ("reconnect_min_ms", "50".to_owned()),
        ("reconnect_max_ms", "200".to_owned()),
        ("answer_deadline_ms", "20000".to_owned()),
        ("equal_replies", "10000".to_owned()),
    ];
    let says = |key: &str| lines.lines().any(|line| line.trim_start().starts_with(&format!("{key} =")));
    let usual: Vec<String> =
        usual.iter().filter(|(key, _)| !says(key)).map(|(key, value)| format!("{key} = {value}\n")).collect();
    let usual = usual.concat();
    format!("[carriers.{name}]\n{usual}{lines}\n")
}

/// A registry of 200 people, the fixed cast among them, written once for all tests of this binary.
async fn people() -> &'static [u8] {
    static PEOPLE: OnceCell<Vec<u8>> = OnceCell::const_new();
    PEOPLE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("registry.db");
            let url = SecretString::from(format!("sqlite:{}", file.display()));
            registry::generate(&url, 200, 1, |_| {}).await.unwrap();
            fs::read(&file).unwrap()
        })
        .await
}
