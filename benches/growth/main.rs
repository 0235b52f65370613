//! Whether speed holds as registry and store grow: look-ups and whole questions a second with a big registry against a
//! small one in one run, the people asked spread over all of it; and a store with many exchanges against an empty one:
//! octets an exchange, start, commits, removal of the old.
//! `cargo bench --bench growth [-- --people SMALL,BIG] [--registry PATH] [--small PATH] [--phones N] [--window N]
//! [--seconds N] [--rounds N] [--exchanges N] [--store PATH] [--remove N]`. What is named by PATH is used when it is there, and else made
//! and kept; `--people 0` leaves the registries out.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

#[path = "../bed/mod.rs"]
#[expect(dead_code, reason = "the others use what is not used here")]
mod bed;
#[path = "../bed/ceiling.rs"]
mod ceiling;
mod fill;
mod people;
mod years;

use std::path::PathBuf;

/// The value behind an option.
struct Options(Vec<String>);

impl Options {
    fn text(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|one| one == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, name: &str, or: u64) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(or)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        // The service of the bench works in a folder of its own.
        self.text(name).map(|path| std::path::absolute(path).unwrap())
    }
}

/// The middle one of several figures.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn main() {
    let options = Options(std::env::args().collect());
    let sizes: Vec<u64> =
        options.text("--people").unwrap_or("10000,1000000").split(',').filter_map(|size| size.parse().ok()).collect();
    let [middle, p99, longest] = bed::disk(tempfile::tempdir().unwrap().path());
    println!("the disk alone: p50 {middle:.1} ms, p99 {p99:.1} ms, longest {longest:.0} ms for a commit");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let [small, big] = sizes[..] {
        runtime.block_on(people::compare(&people::Ask {
            sizes: [small, big],
            places: [options.path("--small"), options.path("--registry")],
            phones: options.number("--phones", 100_000) as usize,
            window: options.number("--window", 100) as u32,
            seconds: options.number("--seconds", 5),
            rounds: options.number("--rounds", 3),
        }));
    }
    let exchanges = options.number("--exchanges", 0);
    if exchanges > 0 {
        runtime.block_on(years::compare(&years::Ask {
            exchanges,
            place: options.path("--store"),
            rounds: options.number("--rounds", 3),
            remove: options.number("--remove", exchanges / 10),
        }));
    }
}
