//! A store of years against an empty one.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use tracuu::{
    clock::Clock,
    config::RetentionSettings,
    db::{Db, OpenDb},
    ledger::Keys,
    retention,
    sim::SmscSettings,
};

use crate::{
    bed,
    ceiling::{Work, measure},
    fill, median,
};

/// Exchanges of one measuring of commits.
const COMMITTED: u64 = 32_000;

/// What is compared.
pub(crate) struct Ask {
    pub(crate) exchanges: u64,
    pub(crate) place: Option<PathBuf>,
    pub(crate) rounds: u64,
    pub(crate) remove: u64,
}

/// A folder in which the service runs on a store.
struct Site {
    folder: tempfile::TempDir,
    at: std::net::SocketAddr,
    store: PathBuf,
}

impl Site {
    fn on(store: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = bed::free();
        let carrier = format!("[carriers.sim]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\n");
        let url = format!("sqlite:{}", store.display());
        bed::set_up_on(folder.path(), 100, &carrier, Some([&url, "sqlite:registry.db"]));
        std::fs::write(folder.path().join("tracuu.keys"), Keys::new_file(&[9; 64]).as_bytes()).unwrap();
        Self { folder, at, store: store.to_owned() }
    }

    fn keys(&self) -> std::sync::Arc<Keys> {
        std::sync::Arc::new(Keys::read(&self.folder.path().join("tracuu.keys")).unwrap())
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.store.display())
    }

    async fn db(&self) -> Db {
        let (url, wait) = (self.url().into(), std::time::Duration::from_secs(10));
        Db::open(&OpenDb { name: "store", url, read_only: false, readers: 2, wait }).await.unwrap()
    }

    /// From the start of the process, after a kill, to the first bound line.
    async fn start(&self) -> f64 {
        let smsc = bed::listen(self.at, SmscSettings::default()).await;
        let begun = Instant::now();
        let service = bed::Service::start(self.folder.path());
        smsc.bound().await;
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        drop(service);
        smsc.stop().await;
        took
    }

    async fn commits(&self) -> f64 {
        measure(&Work { url: &self.url(), group: 64, exchanges: COMMITTED, registry: None }).await
    }
}

/// Compares, in turns.
pub(crate) async fn compare(ask: &Ask) {
    let scratch = tempfile::tempdir().unwrap();
    let full = ask.place.clone().unwrap_or_else(|| scratch.path().join("full.db"));
    let sites = [Site::on(&scratch.path().join("empty.db")), Site::on(&full)];
    let begun = Instant::now();
    let db = sites[1].db().await;
    if fill::fill(&db, sites[1].keys(), ask.exchanges).await {
        println!("a store of {} exchanges was filled in {:.0} s", ask.exchanges, begun.elapsed().as_secs_f64());
    }
    let octets = db.space().await.unwrap().0;
    println!(
        "store of {} exchanges: {:.1} MiB, {:.0} octets an exchange with all that belongs to it",
        ask.exchanges,
        octets as f64 / 1_048_576.0,
        octets as f64 / ask.exchanges as f64
    );
    let mut seen = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    for round in 1..=ask.rounds {
        for ((site, what), seen) in sites.iter().zip(["empty", "full"]).zip(&mut seen) {
            let (start, rate) = (site.start().await, site.commits().await);
            println!("round {round}: {what:>5} store: bound {start:.0} ms after the start, {rate:.0} exchanges/s");
            seen[0].push(start);
            seen[1].push(rate);
        }
    }
    let [[empty_start, empty_rate], [full_start, full_rate]] = seen.map(|side| side.map(median));
    println!("start: median {empty_start:.0} ms on the empty store, {full_start:.0} ms on the full one");
    println!(
        "commits: median {empty_rate:.0} and {full_rate:.0} exchanges/s: on the full store {:.1} % of the empty",
        full_rate / empty_rate * 100.0
    );
    remove(&sites[1], &db, ask).await;
    db.close().await;
}

/// Removes the oldest: half of them with nothing beside, half beside commits as fast as they go.
async fn remove(site: &Site, db: &Db, ask: &Ask) {
    for (share, manner) in [(1, retention::Manner::AtOnce), (2, retention::Manner::Gentle)] {
        let (days, now) = (fill::days_that_leave(ask.exchanges, ask.remove * share / 2), Clock::System.now());
        let settings = RetentionSettings {
            exchange_days: Some(days),
            repeat_days: None,
            quarantine_days: None,
            break_days: None,
            nightly: None,
        };
        let keys = site.keys();
        let begun = Instant::now();
        let removing = retention::prune(db, &keys, &settings, now, manner, |_| ());
        let (removed, beside) = if manner == retention::Manner::Gentle {
            let (removed, rate) = tokio::join!(removing, site.commits());
            (removed, format!(", beside {rate:.0} exchanges/s that were committed meanwhile"))
        } else {
            (removing.await, String::new())
        };
        let (removed, took) = (removed.unwrap(), begun.elapsed().as_secs_f64());
        println!(
            "removal, {manner:?}: {} exchanges and {} settlements in {took:.1} s, {:.0} exchanges/s{beside}",
            removed.exchanges,
            removed.settlements,
            removed.exchanges as f64 / took
        );
    }
    let (all, free) = db.space().await.unwrap();
    println!(
        "the store takes {:.1} MiB after that, {:.1} of them free for new rows",
        all as f64 / 1_048_576.0,
        free.unwrap_or(0) as f64 / 1_048_576.0
    );
}
