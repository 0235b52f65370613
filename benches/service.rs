//! The whole service under a full load, and the ceiling that its databases set, in one run: questions a second with windows
//! of 100 and 1,000 on SQLite and on PostgreSQL (where its server programs are installed), latency, CPU time a question,
//! peak memory; beside it the same work of the databases without SMPP. Generator included, durable settings.
//! `cargo bench --bench service [-- --seconds N --people N --window N]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

#[expect(dead_code, reason = "the others use what is not used here")]
mod bed;
#[path = "bed/ceiling.rs"]
mod ceiling;
#[path = "bed/memory.rs"]
mod memory;
#[path = "../tests/support"]
mod support {
    #[expect(dead_code, reason = "tests need more of it")]
    pub(crate) mod postgres;
}

use std::{net::SocketAddr, path::Path, time::Duration};

use ceiling::{Work, measure};
use support::postgres;
use tracuu::{
    config::Config,
    message::Msisdn,
    registry::Registry,
    sim::{Limit, LoadReport, SmscSettings, load},
};

/// Phones that ask.
const PHONES: usize = 4_000;

/// What a run of the service cost.
struct Cost {
    report: LoadReport,
    /// CPU microseconds of the service and of the bench itself, which is SMSC and phones.
    service_us: u64,
    generator_us: u64,
    /// MiB.
    peak: u64,
    /// MiB held after each tenth of the time.
    held: Vec<u64>,
}

async fn serve(folder: &Path, at: SocketAddr, window: u32, seconds: u64) -> Cost {
    let smsc = bed::listen(at, SmscSettings::default()).await;
    let service = bed::Service::start(folder);
    smsc.bound().await;
    let mut plan = bed::plan(folder, 0, PHONES, Limit::Seconds(seconds), 0).await;
    (plan.rate, plan.window) = (None, window);
    let before = (cpu_us(service.pid()), cpu_us(std::process::id()));
    let mut held = Vec::new();
    let holding = async {
        let mut tenths = tokio::time::interval(Duration::from_millis(seconds * 100));
        tenths.tick().await;
        while held.len() < 10 {
            tenths.tick().await;
            held.push(memory::kib(service.pid(), "VmRSS") / 1_024);
        }
    };
    let (report, ()) = tokio::join!(load::run(&smsc, &plan), holding);
    let report = report.unwrap();
    let after = (cpu_us(service.pid()), cpu_us(std::process::id()));
    let peak = memory::kib(service.pid(), "VmHWM") / 1_024;
    smsc.stop().await;
    Cost { report, service_us: after.0 - before.0, generator_us: after.1 - before.1, peak, held }
}

/// CPU time that a process has used, microseconds (proc(5): fields 14 and 15 of `stat`, in ticks of 10 ms).
fn cpu_us(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap() * 10_000).sum()
}

/// Exchanges a second that the databases take in groups of half a window: of the store alone, and with the look-ups.
async fn ceilings(folder: &Path, urls: [&str; 2], window: u32, exchanges: u64) -> [f64; 2] {
    let config = Config::load(&folder.join("tracuu.toml")).unwrap();
    let registry = Registry::open(&config.registry).await.unwrap();
    let people = registry.phones(PHONES as u32).await.unwrap();
    let phones: Vec<Msisdn> = people.into_iter().map(|(phone, _)| phone).collect();
    let work = Work { url: urls[0], group: u64::from(window / 2), exchanges, registry: None };
    let alone = measure(&work).await;
    let both = measure(&Work { url: urls[1], registry: Some((&registry, &phones)), ..work }).await;
    registry.close().await;
    [alone, both]
}

async fn run(label: &str, server: Option<&postgres::Server>, window: u32, seconds: u64, people: u64) {
    let folder = tempfile::tempdir().unwrap();
    let at = bed::free();
    let carrier = format!(
        "[carriers.sim]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\nwindow = {window}\n\
         equal_replies = 10000\nequal_minutes = 1\nreconnect_min_ms = 100\nreconnect_max_ms = 200\n"
    );
    let mut urls = Vec::new();
    if let Some(server) = server {
        for _ in 0..4 {
            urls.push(server.fresh_database().await);
        }
    }
    let url = |place: usize| urls.get(place).map_or("", String::as_str);
    bed::set_up_on(folder.path(), people, &carrier, server.map(|_| [url(0), url(1)]));
    bed::sync(folder.path());
    let Cost { report, service_us, generator_us, peak, held } = serve(folder.path(), at, window, seconds).await;
    bed::sync(folder.path());
    let [alone, both] = ceilings(folder.path(), [url(2), url(3)], window, report.questions.max(1_000)).await;
    let (asked, ms) = (report.questions.max(1), |us: u64| us as f64 / 1_000.0);
    println!(
        "{label}, window {window}: {:.0} questions/s, p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms; CPU {} us a question (and {} \
         us of the generator); peak memory {peak} MiB, after each tenth of the time {held:?}; {} questions, lost {}, doubled {}",
        report.answered_per_second,
        ms(report.latency.p50_us),
        ms(report.latency.p99_us),
        ms(report.latency.p99_9_us),
        service_us / asked,
        generator_us / asked,
        report.questions,
        report.lost,
        report.doubled,
    );
    println!(
        "  the databases alone, groups of {}: {alone:.0} exchanges/s, of which the service reaches {:.0} %; with the \
         look-ups {both:.0}/s, {:.0} %",
        window / 2,
        report.answered_per_second / alone * 100.0,
        report.answered_per_second / both * 100.0
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value =
        |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)?.parse().ok());
    let (seconds, people) = (value("--seconds").unwrap_or(10), value("--people").unwrap_or(10_000));
    let windows = value("--window").map_or(vec![100, 1_000], |one| vec![one as u32]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for window in &windows {
        runtime.block_on(run("SQLite", None, *window, seconds, people));
    }
    match postgres::Server::start(postgres::Keeping::Durable) {
        Ok(server) => {
            for window in windows {
                runtime.block_on(run("PostgreSQL", Some(&server), window, seconds, people));
            }
        }
        Err(why) => println!("PostgreSQL is left out: {why}"),
    }
}
