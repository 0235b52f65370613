//! The whole service under a full load, and the ceiling that its databases set, in one run: questions a second with windows
//! of 100 and 1,000 on SQLite and on PostgreSQL (where its server programs are installed), latency, CPU time a question,
//! peak memory; beside it the same work of the databases without SMPP. Generator included, durable settings. Service and
//! ceilings take turns in rounds, and the medians of the rounds are compared: a machine that others use is never twice the
//! same.
//! `cargo bench --bench service [-- --seconds N --people N --phones N --window N --rounds N --on sqlite|postgresql]`
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
    message::{Field, Fields, Msisdn},
    registry::Registry,
    sim::{Limit, LoadReport, SmscSettings, load},
};

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

async fn serve(folder: &Path, at: SocketAddr, window: u32, ask: Ask) -> Cost {
    let Ask { seconds, phones, .. } = ask;
    let smsc = bed::listen(at, SmscSettings::default()).await;
    let service = bed::Service::start(folder);
    smsc.bound().await;
    let mut plan = bed::plan(folder, 0, phones, Limit::Seconds(seconds), 0).await;
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
async fn ceilings(folder: &Path, urls: [&str; 2], window: u32, exchanges: u64, phones: usize) -> [f64; 2] {
    let config = Config::load(&folder.join("tracuu.toml")).unwrap();
    let registry = Registry::open(&config.registry).await.unwrap();
    let people = registry.phones(phones as u32).await.unwrap();
    // The load asks for two fields, too (`bed::plan`).
    let wanted: Fields = [Field::FullName, Field::BirthDate].into_iter().collect();
    let phones: Vec<(Msisdn, Fields)> = people.into_iter().map(|(phone, _)| (phone, wanted)).collect();
    let work = Work { url: urls[0], group: u64::from(window / 2), exchanges, registry: None };
    let alone = measure(&work).await;
    let both = measure(&Work { url: urls[1], registry: Some((&registry, &phones)), ..work }).await;
    registry.close().await;
    [alone, both]
}

/// Exchanges that a ceiling is measured with at most.
const EXCHANGES: u64 = 400_000;

/// One round: what the service cost, and its ceilings.
async fn round(server: Option<&postgres::Server>, window: u32, ask: Ask) -> (Cost, [f64; 2]) {
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
    bed::set_up_on(folder.path(), ask.people, &carrier, server.map(|_| [url(0), url(1)]));
    bed::sync(folder.path());
    let cost = serve(folder.path(), at, window, ask).await;
    bed::sync(folder.path());
    let exchanges = cost.report.questions.clamp(1_000, EXCHANGES);
    let ceilings = ceilings(folder.path(), [url(2), url(3)], window, exchanges, ask.phones).await;
    (cost, ceilings)
}

async fn run(label: &str, server: Option<&postgres::Server>, window: u32, ask: Ask) {
    let mut rounds = Vec::new();
    for _ in 0..ask.rounds {
        rounds.push(round(server, window, ask).await);
    }
    let ms = |of: fn(&LoadReport) -> u64| median(rounds.iter().map(|(cost, _)| of(&cost.report) as f64 / 1_000.0));
    let each = |of: fn(&Cost) -> u64| {
        let us = |cost: &Cost| of(cost) as f64 / cost.report.questions.max(1) as f64;
        median(rounds.iter().map(|(cost, _)| us(cost)))
    };
    let sum = |of: fn(&LoadReport) -> u64| rounds.iter().map(|(cost, _)| of(&cost.report)).sum::<u64>();
    println!(
        "{label}, window {window}: {:.0} questions/s, p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms; CPU {:.0} us a question (and \
         {:.0} us of the generator); peak memory {} MiB, after each tenth of the time {:?}; {} questions, lost {}, doubled {}",
        median(rounds.iter().map(|(cost, _)| cost.report.answered_per_second)),
        ms(|report| report.latency.p50_us),
        ms(|report| report.latency.p99_us),
        ms(|report| report.latency.p99_9_us),
        each(|cost| cost.service_us),
        each(|cost| cost.generator_us),
        rounds.iter().map(|(cost, _)| cost.peak).max().unwrap_or_default(),
        rounds.first().map(|(cost, _)| cost.held.as_slice()).unwrap_or_default(),
        sum(|report| report.questions),
        sum(|report| report.lost),
        sum(|report| report.doubled),
    );
    for (place, work) in ["commits", "look-ups and commits"].into_iter().enumerate() {
        let reach = |(cost, ceilings): &(Cost, [f64; 2])| cost.report.answered_per_second / ceilings[place] * 100.0;
        println!(
            "  {work} alone, groups of {}: {:.0} exchanges/s, of which the service reaches {:.0} % (in each round {:.0?})",
            window / 2,
            median(rounds.iter().map(|(_, ceilings)| ceilings[place])),
            median(rounds.iter().map(reach)),
            rounds.iter().map(reach).collect::<Vec<_>>(),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What is measured.
#[derive(Clone, Copy)]
struct Ask {
    seconds: u64,
    people: u64,
    /// Phones that ask.
    phones: usize,
    rounds: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value =
        |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)?.parse().ok());
    let of = |name, or| value(name).unwrap_or(or);
    let ask = Ask {
        seconds: of("--seconds", 10),
        people: of("--people", 10_000),
        phones: of("--phones", 4_000) as usize,
        rounds: of("--rounds", 3),
    };
    let on = arguments.iter().position(|a| a == "--on").and_then(|at| arguments.get(at + 1)).map(String::as_str);
    let windows = value("--window").map_or(vec![100, 1_000], |one| vec![one as u32]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for window in windows.iter().filter(|_| on != Some("postgresql")) {
        runtime.block_on(run("SQLite", None, *window, ask));
    }
    if on == Some("sqlite") {
        return;
    }
    match postgres::Server::start(postgres::Keeping::Durable) {
        Ok(server) => {
            for window in windows {
                runtime.block_on(run("PostgreSQL", Some(&server), window, ask));
            }
        }
        Err(why) => println!("PostgreSQL is left out: {why}"),
    }
}
