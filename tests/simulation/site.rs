//! What every run begins with: keys, templates, a registry, an empty store. Made once, copied for each run.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tracuu::{
    config::Config,
    message::{Msisdn, PersonalId},
    registry::{self, Registry},
};

use crate::{plan::Plan, support::cli::tracuu};

/// The only carrier.
pub(crate) const CARRIER: &str = "sim";

/// The only short code.
pub(crate) const CODE: &str = "9999";

const PEOPLE: u64 = 200;

/// The model of all sites.
struct Model {
    folder: TempDir,
    people: Vec<(Msisdn, PersonalId)>,
}

/// What the databases' drivers run on, in real time.
pub(crate) fn drivers() -> &'static Runtime {
    static DRIVERS: OnceLock<Runtime> = OnceLock::new();
    DRIVERS.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = folder();
        let made = tracuu(folder.path(), &["init"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let config = Config::load(&folder.path().join("tracuu.toml")).unwrap_or_else(|faults| panic!("{faults}"));
        let people = drivers().block_on(async {
            registry::generate(&config.registry.url, PEOPLE, 1, |_| {}).await.unwrap();
            let registry = Registry::open(&config.registry).await.unwrap();
            let people = registry.phones(PEOPLE as u32).await.unwrap();
            registry.close().await;
            people
        });
        Model { folder, people }
    })
}

/// A folder in memory where there is one: thousands of runs would wear a disk out for nothing.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// People whose numbers belong to them alone.
pub(crate) fn people() -> &'static [(Msisdn, PersonalId)] {
    &model().people
}

/// Where one run takes place. Everything in it goes with this value.
pub(crate) struct Site {
    _folder: TempDir,
    /// One configuration an instance.
    pub(crate) configs: Vec<Config>,
}

impl Site {
    pub(crate) fn new(plan: &Plan) -> Self {
        let folder = folder();
        let configs = (0..plan.instances).map(|instance| config(plan, folder.path(), instance)).collect();
        Self { _folder: folder, configs }
    }
}

fn config(plan: &Plan, folder: &Path, instance: usize) -> Config {
    let place: PathBuf = model().folder.path().join("tracuu.toml");
    let example = fs::read_to_string(&place).unwrap();
    let (head, _) = example.split_once("# One section a carrier;").expect("the example has its carriers last");
    let mut text = head.to_owned();
    for (from, to) in [
        ("instance = \"tracuu-1\"", format!("instance = \"tracuu-{}\"", instance + 1)),
        ("url = \"sqlite:tracuu.db\"", format!("url = \"sqlite:{}\"", folder.join("tracuu.db").display())),
        ("dir = \"billing\"", format!("dir = \"{}\"", folder.join("billing").display())),
        ("batch = 128", format!("batch = {}", plan.batch)),
        // In real time, which must decide nothing.
        ("wait_ms = 1000", "wait_ms = 60000".to_owned()),
        ("readers = 4", "readers = 16".to_owned()),
        ("readers = 2", "readers = 16".to_owned()),
        ("watch = true", "watch = false".to_owned()),
    ] {
        assert!(text.contains(from), "the example has {from}");
        text = text.replace(from, &to);
    }
    let line = "address = \"smsc.invalid:2775\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\ncode = \"SIM\"";
    let _ = writeln!(text, "[carriers.{CARRIER}]\n{line}\n{}", plan.carrier);
    let (config, _) = Config::read(&text, &place.display().to_string(), None);
    let mut config = config.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    config.registry.timeout = Duration::from_millis(800);
    config
}
