//! The store alone: exchanges a second through the ledger's one writer, without SMPP, registry or templates. The
//! ceiling for the whole service. `cargo bench --bench store [-- --exchanges N --group N --postgres URL]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

#[path = "bed/ceiling.rs"]
mod ceiling;

use ceiling::{Work, measure};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let exchanges = value("--exchanges").and_then(|n| n.parse().ok()).unwrap_or(64_000);
    let url = value("--postgres").unwrap_or_default();
    let groups: Vec<u64> = value("--group").and_then(|n| n.parse().ok()).map_or(vec![16, 64, 256], |n| vec![n]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for group in groups {
        let rate = runtime.block_on(measure(&Work { url: &url, group, exchanges, registry: None }));
        println!("groups of {group:>4}: {rate:>8.0} exchanges/s, each with its reply, billing, audit and settlement");
    }
}
