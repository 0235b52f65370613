//! Plays a script against a service of its own, and looks at what is left: nothing lost, nothing doubled, everything
//! counted that the script says is.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracuu::{
    ledger::read::store::Balance,
    sim::script::{self, Scene, Stage},
};

pub(crate) use crate::support::running::PATIENCE;
use crate::{
    logs,
    support::running::{Databases, Running, section, soon, still_clock},
};

/// The names of a script's carriers.
pub(crate) const CARRIERS: [&str; 3] = ["sim", "two", "three"];

/// How long a script may take.
const LIMIT: Duration = Duration::from_mins(2);

/// A test that plays the script of its name. Then come, if wanted: what its cues do (`cue: async |run, what| {}`), and
/// what is looked at while the service still runs, at rest (`check: async |run| {}`, or that alone).
macro_rules! trap {
    ($name:ident) => {
        trap!($name, cue: async |_, _| {}, check: async |_| {});
    };
    ($name:ident, $check:expr) => {
        trap!($name, cue: async |_, _| {}, check: $check);
    };
    ($name:ident, cue: $cue:expr, check: $check:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            Box::pin($crate::harness::play(stringify!($name), $crate::harness::Around::default(), $cue, $check)).await;
        }
    };
}
pub(crate) use trap;

/// What is not usual about a run.
#[derive(Default)]
pub(crate) struct Around {
    /// Lines of the first carrier's section beyond those of the script.
    pub(crate) lines: String,
    /// Files in the service's folder.
    pub(crate) files: Vec<(&'static str, String)>,
    /// The SMSC's side of TLS.
    pub(crate) tls: Option<TlsAcceptor>,
    /// How long the store waits for another process's lock; long when not said.
    pub(crate) store_wait_ms: Option<u32>,
}

/// A service that a script is played against.
pub(crate) struct Run {
    running: Running,
}

impl Deref for Run {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for Run {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}

impl Run {
    /// How often the first carrier's board has counted this, waiting until it has at all.
    pub(crate) async fn counted(&self, trap: &str) -> u64 {
        let any = async {
            loop {
                let count: u64 =
                    self.config.carriers.keys().map(|id| self.carrier_board(id.as_str()).counted(trap)).sum();
                if count > 0 {
                    return count;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(&format!("{trap} is counted"), any).await
    }

    /// Waits until an alarm stands.
    pub(crate) async fn alarmed(&self, alarm: &str) {
        let stands = async {
            while !self.config.carriers.keys().any(|id| self.carrier_board(id.as_str()).alarmed(alarm)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        within(&format!("the alarm {alarm} stands"), stands).await;
    }

    /// Waits until a table of the store has a row.
    pub(crate) async fn until_noted(&self, table: &str) {
        let db = self.open_store().await;
        let tracuu::db::Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
        let noted = async {
            loop {
                let select = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
                let (rows,): (i64,) = sqlx::query_as(select).fetch_one(readers).await.unwrap();
                if rows > 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(&format!("a row of {table}"), noted).await;
        db.close().await;
    }

    /// Stops the service and starts it again on its books.
    pub(crate) async fn restart(&mut self) {
        self.running.stop_service().await;
        self.running.start_service().await;
    }

    /// The store once every reply is settled.
    pub(crate) async fn settled(&self) -> Balance {
        self.until("every reply is settled", |counted| counted.waiting == 0).await
    }
}

/// Fails a test that waits longer than counters and alarms may lag behind.
async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}

/// Plays a script to its end, lets the service come to rest, and looks at its books.
pub(crate) async fn play(
    name: &str,
    around: Around,
    mut cue: impl AsyncFnMut(&mut Run, &'static str),
    check: impl AsyncFnOnce(&Run),
) {
    logs::gather();
    let script = script::scripts().find(|script| script.name == name).expect("a script of the test's name");
    let clock = still_clock();
    let (cues, mut asked) = mpsc::channel::<(&'static str, oneshot::Sender<()>)>(1);
    let mut scene = Scene::new(clock.clone());
    scene.patience = PATIENCE;
    scene.tls = around.tls;
    scene.cue = Some(Arc::new(move |what| {
        let cues = cues.clone();
        Box::pin(async move {
            let (done, wait) = oneshot::channel();
            cues.send((what, done)).await.unwrap();
            wait.await.unwrap();
        })
    }));
    let addresses = vec![([127, 0, 0, 1], 0).into(); script.addresses()];
    let mut stage = Stage::listen(&addresses, script.receive_buffer, scene).unwrap();
    let mut sections = String::new();
    for (at, lines) in script.carriers().enumerate() {
        let mut lines = lines.to_owned();
        for (at, address) in stage.addresses().iter().enumerate() {
            lines = lines.replace(&format!("{{{at}}}"), &address.to_string());
        }
        let more = if at == 0 { around.lines.as_str() } else { "" };
        sections.push_str(&section(CARRIERS[at], stage.addresses()[at], &format!("{lines}\n{more}")));
    }
    let databases = Databases { store_wait_ms: around.store_wait_ms, ..Databases::default() };
    let mut run = Run { running: Running::prepare(databases, clock, &sections, &around.files).await };
    run.running.start_service().await;
    let played = {
        let mut play = std::pin::pin!(script.play(&mut stage, LIMIT));
        loop {
            tokio::select! {
                played = &mut play => break played,
                Some((what, done)) = asked.recv() => {
                    cue(&mut run, what).await;
                    done.send(()).unwrap();
                }
            }
        }
    };
    if let Err(unmet) = played {
        panic!("{unmet}\n  {}", stage.steps().join("\n  "));
    }
    let acknowledged = stage.acknowledged();
    let stop = CancellationToken::new();
    let mut epilogue = tokio::task::JoinSet::new();
    epilogue.spawn(stage.friendly(stop.clone()));
    run.settled().await;
    for trap in script.counts {
        run.counted(trap).await;
    }
    for alarm in script.alarms {
        run.alarmed(alarm).await;
    }
    check(&run).await;
    run.running.stop_service().await;
    stop.cancel();
    soon("the SMSC stops", epilogue.join_all()).await;
    let (counted, stored) = run.books().await;
    let acknowledged = i64::try_from(acknowledged).unwrap();
    assert!(stored >= acknowledged, "{acknowledged} questions acknowledged, {stored} messages stored: {counted:?}");
}
