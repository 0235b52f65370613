//! Whether one carrier's trouble slows another's lines: the latency of a carrier alone, then beside one that throttles
//! everything and one that takes and never answers, in one run; and, to tell trouble from load, beside two that ask as much
//! and take every reply.
//! Each state has a service and a folder of its own, and each round takes the states in another order: what a disk still has
//! to do after one of them falls on each of the others in turn. A state is measured in several short windows, and the
//! medians of all windows are compared: a disk that stalls now and then (its own figures are printed first) spoils the
//! windows in which it does, whatever the state.
//! `TMPDIR=/dev/shm` leaves it out.
//! `cargo bench --bench neighbours [-- --rate N --others N --seconds N --windows N --rounds N]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

#[expect(dead_code, reason = "the others use what is not used here")]
mod bed;

use std::{net::SocketAddr, path::Path};

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracuu::sim::{Limit, LoadPlan, LoadReport, LoadRun, Smsc, SmscSettings, SubmitAnswer, load};

/// Phones of each of the two other carriers: in trouble they ask once, for they get no reply.
const OTHERS: usize = 16_000;
/// Phones of the carrier that is measured.
const MEASURED: usize = 8_000;

/// What is asked in each state.
#[derive(Clone, Copy)]
struct Ask {
    /// Questions a second of the carrier that is measured.
    rate: u32,
    /// Questions a second of each of the other two.
    others: u32,
    /// How long a window is.
    seconds: u64,
    /// How often a state is measured in a round.
    windows: u64,
}

/// What was seen in a state, window by window.
struct Seen {
    reports: Vec<LoadReport>,
    /// Submits that the others read.
    submits: u64,
}

/// What is beside the measured carrier.
const LABELS: [&str; 3] = ["alone", "beside two in order", "beside a throttling and a silent one"];

/// How the two beside it answer submits; none is there when it is alone.
fn neighbours(state: usize) -> Option<[SubmitAnswer; 2]> {
    let taking = || SmscSettings::default().submits;
    match state {
        0 => None,
        1 => Some([taking(), taking()]),
        _ => Some([SubmitAnswer::Refuse(0x58), SubmitAnswer::Silence]),
    }
}

/// Measures one window after the other.
async fn measure(folder: &Path, windows: u64, measured: (&Smsc, &LoadPlan)) -> Vec<LoadReport> {
    // Else what was written before is written back now.
    bed::sync(folder);
    let mut reports = Vec::new();
    for _ in 0..windows {
        reports.push(load::run(measured.0, measured.1).await.unwrap());
    }
    reports
}

/// Runs the measured load beside two other carriers.
async fn beside(
    folder: &Path,
    at: &[SocketAddr; 3],
    ask: Ask,
    answers: [SubmitAnswer; 2],
    measured: (&Smsc, &LoadPlan),
) -> Seen {
    let whole = (ask.seconds + 2) * (ask.windows + 2);
    let mut others: Vec<(Smsc, JoinHandle<LoadReport>)> = Vec::new();
    for (place, submits) in answers.into_iter().enumerate() {
        let smsc = bed::listen(at[place + 1], SmscSettings { submits, ..SmscSettings::default() }).await;
        smsc.bound().await;
        let first = MEASURED + place * OTHERS;
        let plan = bed::plan(folder, first, OTHERS, Limit::Seconds(whole), ask.others).await;
        let run = LoadRun::start(&smsc, &plan).unwrap();
        let mut progress = run.progress();
        let running = TaskTracker::new().spawn(run.finish());
        // The state is there when they have asked for a second.
        progress.wait_for(|now| now.questions >= u64::from(ask.others)).await.unwrap();
        others.push((smsc, running));
    }
    let reports = measure(folder, ask.windows, measured).await;
    let mut submits = 0;
    for (smsc, running) in others {
        submits += smsc.counts().submits;
        running.abort();
        smsc.stop().await;
    }
    Seen { reports, submits }
}

/// Measures a state with a service of its own.
async fn state(folder: &Path, at: &[SocketAddr; 3], ask: Ask, others: Option<[SubmitAnswer; 2]>) -> Seen {
    let service = bed::Service::start(folder);
    let measured = bed::listen(at[0], SmscSettings::default()).await;
    measured.bound().await;
    let asked = bed::plan(folder, 0, MEASURED, Limit::Seconds(ask.seconds), ask.rate).await;
    let seen = match others {
        Some(answers) => beside(folder, at, ask, answers, (&measured, &asked)).await,
        None => Seen { reports: measure(folder, ask.windows, (&measured, &asked)).await, submits: 0 },
    };
    measured.stop().await;
    drop(service);
    seen
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, or: u64| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(or)
    };
    let (rate, rounds) = (value("--rate", 2_000), value("--rounds", 5));
    let others = value("--others", rate / 2) as u32;
    let ask = Ask { rate: rate as u32, others, seconds: value("--seconds", 2), windows: value("--windows", 4) };
    println!("the measured carrier asks {rate} questions/s, each of the two others {others}/s");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (mut seen, mut folders) = ([const { Vec::new() }; 3], Vec::new());
    for n in 0..rounds * 3 {
        let (round, place) = ((n / 3) as usize, (n % 3) as usize);
        // Forwards from each of the three, then backwards from each.
        let turn = if round / 3 % 2 == 0 { place } else { 2 - place };
        let now = (turn + round) % 3;
        let folder = tempfile::tempdir().unwrap();
        let [median, p99, longest] = bed::disk(folder.path());
        let at = [bed::free(), bed::free(), bed::free()];
        let carriers: Vec<String> =
            ["good", "busy", "mute"].iter().zip(&at).map(|(name, at)| section(name, *at)).collect();
        bed::set_up(folder.path(), 70_000, &carriers.concat());
        let found = runtime.block_on(state(folder.path(), &at, ask, neighbours(now)));
        let disk = format!("the disk alone {median:.1}, {p99:.1}, {longest:.0} ms");
        println!("round {}: {}: {}; {disk}", round + 1, LABELS[now], words(&found));
        seen[now].extend(found.reports);
        // Kept to the end: taking a folder away is work for the disk as well.
        folders.push(folder);
    }
    let p99 = |state: usize| median(seen[state].iter().map(|window| window.latency.p99_us).collect());
    let [alone, orderly, troubled] = [p99(0), p99(1), p99(2)];
    for (label, value) in LABELS.into_iter().zip([alone, orderly, troubled]) {
        println!("median p99 of {} windows {label}: {:.1} ms", rounds * ask.windows, value / 1_000.0);
    }
    println!(
        "p99 beside trouble is {:.2} times alone, and {:.2} times what the same load in order makes of it",
        troubled / alone,
        troubled / orderly
    );
}

/// The windows of a state in words: what all of them have, then the latencies of each.
fn words(seen: &Seen) -> String {
    let Seen { reports, submits } = seen;
    let sum = |of: fn(&LoadReport) -> u64| reports.iter().map(of).sum::<u64>();
    let rate = reports.iter().map(|one| one.answered_per_second).sum::<f64>() / reports.len() as f64;
    let ms = |us: u64| format!("{:.1}", us as f64 / 1_000.0);
    let latencies = |of: fn(&LoadReport) -> u64| reports.iter().map(|one| ms(of(one))).collect::<Vec<_>>().join("/");
    format!(
        "{rate:.0} questions/s, p50 {} ms, p99 {} ms, lost {}, doubled {}, {submits} submits read by the others",
        latencies(|one| one.latency.p50_us),
        latencies(|one| one.latency.p99_us),
        sum(|one| one.lost),
        sum(|one| one.doubled)
    )
}

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
