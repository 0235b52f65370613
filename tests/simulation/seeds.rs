//! Seeds are played, and what they find is told with how to play it again.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::play::{How, Played, play};

/// Seeds of a usual run.
const SEEDS: u64 = 12;

/// Seeds within which the planted fault must be found.
const PLANTED_WITHIN: u64 = 20;

/// Plays this many at the same time.
const THREADS: usize = 2;

fn tell(played: &Played) -> String {
    let seed = played.plan.seed;
    let mut text = format!("seed {seed} breaks what must hold:\n");
    for finding in &played.findings {
        let _ = writeln!(text, "  {finding}");
    }
    let _ = writeln!(text, "play it again: TRACUU_SEED={seed} cargo test --test simulation seeds -- --nocapture");
    let _ = writeln!(text, "its plan: {:#?}", played.plan);
    text
}

#[test]
fn whatever_goes_wrong_nothing_is_lost_doubled_or_left() {
    if let Some(seed) = setting("TRACUU_SEED") {
        let _ = tracing_subscriber::fmt().without_time().with_test_writer().try_init();
        let played = play(seed, How { print: true, ..How::default() });
        assert!(played.findings.is_empty(), "{}", tell(&played));
        return;
    }
    let seeds = setting("TRACUU_SEEDS").unwrap_or(SEEDS);
    let first = setting("TRACUU_FIRST_SEED").unwrap_or(1);
    let (next, begun) = (AtomicU64::new(first), Instant::now());
    let (failed, counts) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::<&str, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        return;
                    }
                    let played = play(seed, How::default());
                    if seeds > SEEDS {
                        let sound = if played.findings.is_empty() { "sound" } else { "FAILED" };
                        let _ =
                            writeln!(std::io::stderr(), "seed {seed} {sound}, {:.0} s", begun.elapsed().as_secs_f64());
                    }
                    for (what, count) in &played.counts {
                        *counts.lock().unwrap().entry(what).or_default() += count;
                    }
                    if !played.findings.is_empty() {
                        failed.lock().unwrap().push((seed, tell(&played)));
                    }
                }
            });
        }
    });
    let (mut failed, counts) = (failed.into_inner().unwrap(), counts.into_inner().unwrap());
    failed.sort();
    let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    // Straight to the stream, because the test harness hides what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "{seeds} seeds from {first} in {:.1} s, {} of them failed; {}",
        begun.elapsed().as_secs_f64(),
        failed.len(),
        counts.join(", ")
    );
    let told: Vec<&str> = failed.iter().map(|(_, told)| told.as_str()).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn a_seed_plays_the_same_again() {
    for seed in 1..=4 {
        let how = How { keep: true, ..How::default() };
        let (first, second) = (play(seed, how), play(seed, how));
        let differ = first.trace.iter().zip(&second.trace).position(|(one, other)| one != other);
        if let Some(at) = differ {
            panic!(
                "seed {seed}, line {at}:\n{}\n{}",
                first.trace[at.saturating_sub(5)..=at].join("\n"),
                second.trace[at]
            );
        }
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}

#[test]
fn an_acknowledgement_before_the_commit_is_found_and_found_again() {
    let how = How { planted: true, ..How::default() };
    let found = (1..=PLANTED_WITHIN).map(|seed| play(seed, how)).find(|played| !played.findings.is_empty());
    let found = found.unwrap_or_else(|| panic!("not found within {PLANTED_WITHIN} seeds"));
    let again = play(found.plan.seed, how);
    assert_eq!((&found.findings, found.digest), (&again.findings, again.digest), "seed {}", found.plan.seed);
    let sound = play(found.plan.seed, How::default());
    assert!(sound.findings.is_empty(), "it is the planted fault that is found\n{}", tell(&sound));
}

#[expect(clippy::disallowed_methods, reason = "these are settings of the test, not of the service")]
fn setting(name: &str) -> Option<u64> {
    let written = std::env::var(name).ok()?;
    Some(written.parse().unwrap_or_else(|_| panic!("{name} must be a number, got {written}")))
}
