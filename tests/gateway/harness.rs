//! The whole gateway in one process, between a simulated SMSC at one end and real databases at the other.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use secrecy::SecretString;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::{sync::OnceCell, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracuu::{
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
    sim::{Deliver, DeliverAnswer, Phone, PhoneReply, SimError, Smsc, SmscSettings},
};

use crate::logs;

/// The code that citizens text to.
pub(crate) const CODE: &str = "9999";

/// How long anything may take that comes at once when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// 2026-01-01T00:00:00Z, where fixed clocks stand at first.
const NEW_YEAR: Micros = Micros(1_767_225_600_000_000);

/// One carrier of a gateway: its SMSC, and its section of the configuration beyond address and account.
pub(crate) struct CarrierSetup {
    /// The section's name.
    pub(crate) name: &'static str,
    /// Settings after the usual ones.
    pub(crate) lines: &'static str,
    /// How its SMSC behaves.
    pub(crate) smsc: SmscSettings,
}

impl Default for CarrierSetup {
    fn default() -> Self {
        Self { name: "sim", lines: "", smsc: SmscSettings::default() }
    }
}

/// What is not usual about a gateway.
#[derive(Default)]
pub(crate) struct Setup {
    /// Its carriers; one usual one when empty.
    pub(crate) carriers: Vec<CarrierSetup>,
    /// Another store than a SQLite file in the gateway's folder.
    pub(crate) store: Option<String>,
    /// Another registry; an empty database, filled at the start.
    pub(crate) registry: Option<String>,
    /// How long the store waits for another process's lock; long when not said.
    pub(crate) store_wait_ms: Option<u32>,
}

impl Setup {
    /// One carrier with these settings after the usual ones.
    pub(crate) fn carrier(lines: &'static str) -> Self {
        Self::with(lines, SmscSettings::default())
    }

    /// The same with an SMSC set up in its own way.
    pub(crate) fn with(lines: &'static str, smsc: SmscSettings) -> Self {
        Self { carriers: vec![CarrierSetup { lines, smsc, ..CarrierSetup::default() }], ..Self::default() }
    }
}

/// A running gateway. End it with [`TestGateway::finish`], which looks for loose ends.
pub(crate) struct TestGateway {
    /// Its settings.
    pub(crate) config: Config,
    /// Its clock, which stands still until it is moved.
    pub(crate) clock: Clock,
    /// Its SMSCs, in the order of the carriers given.
    pub(crate) smscs: Vec<Smsc>,
    folder: TempDir,
    store: OpenDb,
    stop: CancellationToken,
    service: JoinSet<Result<(), ServiceError>>,
    /// Messages answered with ESME_ROK.
    acknowledged: AtomicI64,
    /// Messages whose answer never came, or was a temporary error: stored or not, nobody here knows.
    unheard: AtomicI64,
    finished: bool,
}

impl TestGateway {
    /// One usual carrier, bound.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts SMSCs, databases and service, and waits until every line is bound.
    pub(crate) async fn start_with(setup: Setup) -> Self {
        let gateway = Box::pin(Self::prepare(setup)).await.run().await;
        for smsc in &gateway.smscs {
            soon("the line is bound", smsc.bound()).await;
        }
        gateway
    }

    /// Everything but the service.
    pub(crate) async fn prepare(mut setup: Setup) -> Self {
        logs::gather();
        if setup.carriers.is_empty() {
            setup.carriers.push(CarrierSetup::default());
        }
        let clock = Clock::fixed(NEW_YEAR);
        let folder = tempfile::tempdir().unwrap();
        let mut text = head(setup.store.as_deref(), setup.registry.as_deref(), setup.store_wait_ms);
        let mut smscs = Vec::new();
        for carrier in setup.carriers {
            let smsc = listen(([127, 0, 0, 1], 0).into(), carrier.smsc, &clock).await;
            text.push_str(&section(carrier.name, smsc.address(), carrier.lines));
            smscs.push(smsc);
        }
        match &setup.registry {
            Some(url) => drop(registry::generate(&SecretString::from(url.clone()), 200, 1, |_| {}).await.unwrap()),
            None => fs::write(folder.path().join("registry.db"), people().await).unwrap(),
        }
        let file = folder.path().join("tracuu.toml");
        fs::write(&file, text).unwrap();
        fs::write(folder.path().join("tracuu.keys"), Keys::new_file(&[7; 64]).as_bytes()).unwrap();
        Shipped::write_to(&folder.path().join("sms-templates")).unwrap();
        let config = Config::load(&file).unwrap();
        let (url, wait) = (config.store.url.clone(), Duration::from_secs(10));
        let store = OpenDb { name: "store", url, read_only: false, readers: 2, wait };
        Self {
            config,
            clock,
            smscs,
            folder,
            store,
            stop: CancellationToken::new(),
            service: JoinSet::new(),
            acknowledged: AtomicI64::new(0),
            unheard: AtomicI64::new(0),
            finished: false,
        }
    }

    /// Starts the service.
    pub(crate) async fn run(mut self) -> Self {
        self.start_service().await;
        self
    }

    /// Starts the service, for the first time or again.
    pub(crate) async fn start_service(&mut self) {
        self.stop = CancellationToken::new();
        let built = Service::build(&self.config, self.clock.clone(), Chance::seeded(1));
        let service = Box::pin(built).await.unwrap();
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

    /// The first carrier's SMSC.
    pub(crate) fn smsc(&self) -> &Smsc {
        &self.smscs[0]
    }

    /// A phone at the first carrier.
    pub(crate) fn phone(&self, number: u64) -> Phone {
        Phone::new(self.smsc(), number.to_string())
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

    /// Sends a message and counts its answer.
    pub(crate) async fn deliver(&self, deliver: Deliver) -> Result<DeliverAnswer, SimError> {
        self.deliver_at(self.smsc(), deliver).await
    }

    /// The same at any SMSC.
    pub(crate) async fn deliver_at(&self, smsc: &Smsc, deliver: Deliver) -> Result<DeliverAnswer, SimError> {
        let answer = soon("the message is answered", smsc.deliver(deliver)).await;
        match answer {
            Ok(DeliverAnswer { status: 0, .. }) => self.acknowledged.fetch_add(1, Ordering::Relaxed),
            Ok(DeliverAnswer { status: 0x58, .. }) | Err(SimError::SessionLost) => {
                self.unheard.fetch_add(1, Ordering::Relaxed)
            }
            Ok(_) | Err(_) => 0,
        };
        answer
    }

    /// Counts messages that were sent past [`TestGateway::deliver`] and whose answers were not heard.
    pub(crate) fn heard_less(&self, messages: i64) {
        self.unheard.fetch_add(messages, Ordering::Relaxed);
    }

    /// Texts the service from the first carrier; every part must be acknowledged.
    pub(crate) async fn text(&self, number: u64, text: &str) -> Phone {
        let phone = self.phone(number);
        for part in phone.parts(text, CODE) {
            let answer = self.deliver(part).await.unwrap();
            assert_eq!(answer.status, 0, "\"{text}\" was not acknowledged");
        }
        phone
    }

    /// Texts the service and waits for its reply.
    pub(crate) async fn ask(&self, number: u64, text: &str) -> PhoneReply {
        let phone = self.text(number, text).await;
        soon(&format!("a reply to \"{text}\""), phone.reply()).await
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

    /// The billing records of the usual carrier once every reply is settled.
    pub(crate) async fn settled(&self) -> (Vec<MoRow>, Vec<MtRow>) {
        self.until("every reply is settled", |counted| counted.waiting == 0).await;
        self.records("sim").await
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

    /// Waits until every reply is settled, stops in order, and looks for loose ends.
    pub(crate) async fn finish(mut self) -> Balance {
        self.finished = true;
        self.until("every reply is settled", |counted| counted.waiting == 0).await;
        self.stop_service().await;
        for smsc in self.smscs.clone() {
            soon("the SMSC stops", smsc.stop()).await;
        }
        let counted = self.balance().await;
        assert_eq!(
            (counted.waiting, counted.lost, counted.doubled, counted.parts),
            (0, 0, 0, 0),
            "waiting, lost, doubled, half received: {counted:?}"
        );
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
        let (heard, unheard) = (self.acknowledged.load(Ordering::Relaxed), self.unheard.load(Ordering::Relaxed));
        let stored = messages + counted.repeats;
        assert!(
            (heard..=heard + unheard).contains(&stored),
            "{heard} messages acknowledged, {unheard} with an answer nobody heard, {stored} stored: {counted:?}"
        );
        counted
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a gateway was dropped without finish()");
    }
}

/// An SMSC on an address of this machine.
pub(crate) async fn listen(address: SocketAddr, settings: SmscSettings, clock: &Clock) -> Smsc {
    Smsc::listen(address, settings, &TaskTracker::new(), clock.clone()).await.unwrap()
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

fn section(name: &str, address: SocketAddr, lines: &str) -> String {
    // A debug build on a busy machine is slow: only a test that is about the deadline meets it.
    let deadline = if lines.contains("answer_deadline_ms") { "" } else { "answer_deadline_ms = 20000\n" };
    format!(
        "[carriers.{name}]\naddress = \"{address}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\n\
         reconnect_min_ms = 50\nreconnect_max_ms = 200\n{deadline}{lines}\n"
    )
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
