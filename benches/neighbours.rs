//! Whether one carrier's trouble slows another's lines: the latency of a carrier alone, then beside one that throttles
//! everything and one that takes and never answers, in one run of one service.
//! `cargo bench --bench neighbours [-- --rate N --seconds N --rounds N]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

mod bed;

use std::{net::SocketAddr, path::Path};

use tracuu::sim::{Limit, LoadReport, LoadRun, Smsc, SmscSettings, SubmitAnswer, load};

/// Phones of each of the two troubled carriers: they ask once, for they get no reply.
const TROUBLED: usize = 16_000;
/// Phones of the carrier that is measured.
const MEASURED: usize = 8_000;

/// One round: alone, then beside the two. Gives both reports, and how many submits the neighbours read.
async fn round(folder: &Path, at: &[SocketAddr; 3], rate: u32, seconds: u64) -> (LoadReport, LoadReport, u64) {
    let service = bed::Service::start(folder);
    println!("service runs as process {}", service.pid());
    let measured = bed::listen(at[0], SmscSettings::default()).await;
    measured.bound().await;
    let asked = bed::plan(folder, 0, MEASURED, Limit::Seconds(seconds), rate).await;
    let alone = load::run(&measured, &asked).await.unwrap();

    let mut neighbours: Vec<(Smsc, LoadRun)> = Vec::new();
    for (place, submits) in [(1, SubmitAnswer::Refuse(0x58)), (2, SubmitAnswer::Silence)] {
        let smsc = bed::listen(at[place], SmscSettings { submits, ..SmscSettings::default() }).await;
        smsc.bound().await;
        let first = MEASURED + (place - 1) * TROUBLED;
        let plan = bed::plan(folder, first, TROUBLED, Limit::Seconds(seconds + 2), rate / 2).await;
        neighbours.push((smsc.clone(), LoadRun::start(&smsc, &plan).unwrap()));
    }
    let beside = load::run(&measured, &asked).await.unwrap();
    let mut submits = 0;
    for (smsc, run) in neighbours {
        submits += smsc.counts().submits;
        drop(run);
        smsc.stop().await;
    }
    measured.stop().await;
    drop(service);
    (alone, beside, submits)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, or: u64| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(or)
    };
    let (rate, seconds, rounds) = (value("--rate", 2_000) as u32, value("--seconds", 10), value("--rounds", 3));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut ratios = Vec::new();
    for n in 1..=rounds {
        let folder = tempfile::tempdir().unwrap();
        let at = [bed::free(), bed::free(), bed::free()];
        let section = |name: &str, at: &SocketAddr| {
            format!(
                "[carriers.{name}]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\nwindow = 100\nequal_replies = 10000\n\
                 reconnect_min_ms = 100\nreconnect_max_ms = 200\nsubmit_timeout_ms = 2000\n"
            )
        };
        let carriers = [section("good", &at[0]), section("busy", &at[1]), section("mute", &at[2])].concat();
        bed::set_up(folder.path(), 70_000, &carriers);
        let (alone, beside, submits) = runtime.block_on(round(folder.path(), &at, rate, seconds));
        for (label, report) in [("alone", &alone), ("beside a throttling and a silent one", &beside)] {
            println!(
                "round {n}: {label}: {:.0} questions/s, p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, lost {}, doubled {}",
                report.answered_per_second,
                report.latency.p50_us as f64 / 1_000.0,
                report.latency.p99_us as f64 / 1_000.0,
                report.latency.p99_9_us as f64 / 1_000.0,
                report.lost,
                report.doubled
            );
        }
        println!("round {n}: the neighbours read {submits} submits and took none");
        let ratio = beside.latency.p99_us as f64 / alone.latency.p99_us as f64;
        println!("round {n}: p99 beside / p99 alone = {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio of {rounds} rounds: {:.2}", ratios[ratios.len() / 2]);
}
