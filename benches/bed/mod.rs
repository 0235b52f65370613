//! What benches of the whole service stand on: a folder of its own, the service as a process in it, and SMSCs of the
//! simulator in the bench's own process.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    config::Config,
    registry::Registry,
    sim::{Limit, LoadPlan, Question, Smsc, SmscSettings},
};

/// The service as a process; ended with the bench.
pub(crate) struct Service(Child);

impl Service {
    /// Starts it in its folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
        command.arg("serve").current_dir(folder).env_clear();
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Its number among the system's processes.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `tracuu` to its end.
pub(crate) fn tracuu(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    let done = command.args(arguments).current_dir(folder).stdout(Stdio::null()).status().unwrap();
    assert!(done.success(), "tracuu {arguments:?}");
}

/// A folder with configuration, keys, templates and a registry. `carriers` follows the sections of the example.
pub(crate) fn set_up(folder: &Path, people: u64, carriers: &str) {
    set_up_on(folder, people, carriers, None);
}

/// The same with store and registry elsewhere than in the folder.
pub(crate) fn set_up_on(folder: &Path, people: u64, carriers: &str, urls: Option<[&str; 2]>) {
    configure(folder, carriers, urls);
    tracuu(folder, &["registry", "generate", "--people", &people.to_string()]);
    sync(folder);
}

/// The same without making a registry.
pub(crate) fn configure(folder: &Path, carriers: &str, urls: Option<[&str; 2]>) {
    tracuu(folder, &["init"]);
    let file = folder.join("tracuu.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut head = text.split_once("[carriers.sim]").unwrap().0.to_owned();
    for (own, url) in ["sqlite:tracuu.db", "sqlite:registry.db"].into_iter().zip(urls.into_iter().flatten()) {
        assert!(head.contains(own));
        head = head.replace(own, url);
    }
    std::fs::write(&file, format!("{head}{carriers}")).unwrap();
}

/// Has all that was written to a folder's disk written back, or it would be while something is measured.
pub(crate) fn sync(folder: &Path) {
    assert!(Command::new("sync").arg("-f").arg(folder).status().unwrap().success());
}

/// A free port of this machine; another program may take it, and then the bench stops.
pub(crate) fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// How long the disk of a folder takes to make 36 KiB durable, about as much as a commit writes: median, 99th of a hundred
/// and longest of some seconds, in milliseconds. What the service shows cannot be steadier than this.
pub(crate) fn disk(folder: &Path) -> [f64; 3] {
    let file = std::fs::File::create(folder.join("disk.bench")).unwrap();
    let block = vec![7; 36 * 1024];
    let write = |at: u64| std::os::unix::fs::FileExt::write_all_at(&file, &block, at % 100 * 36 * 1024).unwrap();
    (0..100).for_each(write);
    file.sync_all().unwrap();
    let mut took: Vec<f64> = (0..3_000)
        .map(|at| {
            write(at);
            let begun = std::time::Instant::now();
            file.sync_data().unwrap();
            let took = begun.elapsed().as_secs_f64() * 1_000.0;
            std::thread::sleep(std::time::Duration::from_millis(1));
            took
        })
        .collect();
    took.sort_by(f64::total_cmp);
    [took[took.len() / 2], took[took.len() * 99 / 100], took[took.len() - 1]]
}

/// An SMSC at an address.
pub(crate) async fn listen(address: SocketAddr, settings: SmscSettings) -> Smsc {
    Smsc::listen(address, settings, &TaskTracker::new(), Clock::System).await.unwrap()
}

/// A plan in which `phones` people of the registry, `first` ones left out, ask for two fields of their own record.
pub(crate) async fn plan(folder: &Path, first: usize, phones: usize, limit: Limit, rate: u32) -> LoadPlan {
    let config = Config::load(&folder.join("tracuu.toml")).unwrap();
    let registry = Registry::open(&config.registry).await.unwrap();
    let people = registry.phones((first + phones) as u32).await.unwrap();
    registry.close().await;
    assert!(people.len() == first + phones, "the registry has only {} phones", people.len());
    let questions = people.iter().skip(first).map(|(phone, person)| Question {
        from: phone.expose(),
        text: format!("TTCD {} HOTEN NGAYSINH", &person.expose()[6..]).into_bytes().into(),
        data_coding: 0,
    });
    let mut plan = LoadPlan::new(questions.collect(), "9999", limit);
    plan.rate = Some(rate);
    plan
}
