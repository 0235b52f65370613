//! Whether one carrier's trouble slows another's lines: the latency of a carrier alone, then beside one that throttles
//! everything and one that takes and never answers, in one run of one service; and, to tell trouble from load, beside two
//! that ask as much and take every reply.
//! Beside the disk's own figures: a disk that stalls hides everything else; `TMPDIR=/dev/shm` leaves it out.
//! `cargo bench --bench neighbours [-- --rate N --others N --seconds N --rounds N]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

mod bed;

use std::{net::SocketAddr, path::Path};

use tracuu::sim::{Limit, LoadPlan, LoadReport, LoadRun, Smsc, SmscSettings, SubmitAnswer, load};

/// Phones of each of the two other carriers: in trouble they ask once, for they get no reply.
const OTHERS: usize = 16_000;
/// Phones of the carrier that is measured.
const MEASURED: usize = 8_000;

/// What a round asks.
#[derive(Clone, Copy)]
struct Ask {
    /// Questions a second of the carrier that is measured.
    rate: u32,
    /// Questions a second of each of the other two.
    others: u32,
    /// For how long.
    seconds: u64,
}

/// What a round saw: the measured carrier alone, beside two in order, and beside two in trouble.
struct Seen {
    alone: LoadReport,
    orderly: LoadReport,
    troubled: LoadReport,
    /// Submits that the troubled ones read.
    submits: u64,
}

/// Runs the measured load beside two other carriers.
async fn beside(
    folder: &Path,
    at: &[SocketAddr; 3],
    ask: Ask,
    answers: [SubmitAnswer; 2],
    measured: (&Smsc, &LoadPlan),
) -> (LoadReport, u64) {
    let mut others: Vec<(Smsc, LoadRun)> = Vec::new();
    for (place, submits) in answers.into_iter().enumerate() {
        let smsc = bed::listen(at[place + 1], SmscSettings { submits, ..SmscSettings::default() }).await;
        smsc.bound().await;
        let first = MEASURED + place * OTHERS;
        let plan = bed::plan(folder, first, OTHERS, Limit::Seconds(ask.seconds + 2), ask.others).await;
        others.push((smsc.clone(), LoadRun::start(&smsc, &plan).unwrap()));
    }
    let report = load::run(measured.0, measured.1).await.unwrap();
    let mut submits = 0;
    for (smsc, run) in others {
        submits += smsc.counts().submits;
        drop(run);
        smsc.stop().await;
    }
    (report, submits)
}

async fn round(folder: &Path, at: &[SocketAddr; 3], ask: Ask) -> Seen {
    let service = bed::Service::start(folder);
    println!("service runs as process {}", service.pid());
    let measured = bed::listen(at[0], SmscSettings::default()).await;
    measured.bound().await;
    let asked = bed::plan(folder, 0, MEASURED, Limit::Seconds(ask.seconds), ask.rate).await;
    let alone = load::run(&measured, &asked).await.unwrap();
    let taking = SmscSettings::default().submits;
    let (orderly, _) = beside(folder, at, ask, [taking, taking], (&measured, &asked)).await;
    let trouble = [SubmitAnswer::Refuse(0x58), SubmitAnswer::Silence];
    let (troubled, submits) = beside(folder, at, ask, trouble, (&measured, &asked)).await;
    measured.stop().await;
    drop(service);
    Seen { alone, orderly, troubled, submits }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, or: u64| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(or)
    };
    let (rate, rounds) = (value("--rate", 2_000), value("--rounds", 5));
    let others = value("--others", rate / 2) as u32;
    let ask = Ask { rate: rate as u32, others, seconds: value("--seconds", 5) };
    println!("the measured carrier asks {rate} questions/s, each of the two others {others}/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (mut seen, mut folders) = (Vec::new(), Vec::new());
    for n in 1..=rounds {
        let folder = tempfile::tempdir().unwrap();
        let [median, p99, longest] = bed::disk(folder.path());
        println!(
            "round {n}: the disk alone: p50 {median:.1} ms, p99 {p99:.1} ms, longest {longest:.0} ms for a commit"
        );
        let at = [bed::free(), bed::free(), bed::free()];
        let carriers: Vec<String> =
            ["good", "busy", "mute"].iter().zip(&at).map(|(name, at)| section(name, *at)).collect();
        bed::set_up(folder.path(), 70_000, &carriers.concat());
        let round = runtime.block_on(round(folder.path(), &at, ask));
        for (label, report) in LABELS.into_iter().zip([&round.alone, &round.orderly, &round.troubled]) {
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
        println!("round {n}: the two in trouble read {} submits and took none", round.submits);
        seen.push(round);
        // Kept to the end: taking a folder away is work for the disk as well.
        folders.push(folder);
    }
    let p99 = |of: fn(&Seen) -> &LoadReport| median(seen.iter().map(|round| of(round).latency.p99_us).collect());
    let [alone, orderly, troubled] = [p99(|r| &r.alone), p99(|r| &r.orderly), p99(|r| &r.troubled)];
    for (label, value) in LABELS.into_iter().zip([alone, orderly, troubled]) {
        println!("median p99 of {rounds} rounds {label}: {:.1} ms", value / 1_000.0);
    }
    println!(
        "p99 beside trouble is {:.2} times alone, and {:.2} times what the same load in order makes of it",
        troubled / alone,
        troubled / orderly
    );
}

/// What is beside the measured carrier.
const LABELS: [&str; 3] = ["alone", "beside two in order", "beside a throttling and a silent one"];

fn median(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    values.get(values.len() / 2).map_or(0.0, |value| *value as f64)
}

/// A carrier's section, with the settings of all three.
fn section(name: &str, at: SocketAddr) -> String {
    format!(
        "[carriers.{name}]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\nwindow = 100\nequal_replies = 10000\n\
         reconnect_min_ms = 100\nreconnect_max_ms = 200\nsubmit_timeout_ms = 2000\n"
    )
}
