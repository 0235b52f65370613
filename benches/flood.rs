//! A carrier that floods: questions at ten times the rate at which its replies may leave. What memory the service takes,
//! and whether anything it acknowledged is lost.
//! `cargo bench --bench flood [-- --rate N --seconds N]`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at the first fault"
)]

mod bed;
#[path = "bed/memory.rs"]
mod memory;

use tracuu::sim::{Limit, LoadRun, SmscSettings};

async fn flood(folder: &std::path::Path, at: std::net::SocketAddr, rate: u32, seconds: u64) {
    let service = bed::Service::start(folder);
    let smsc = bed::listen(at, SmscSettings::default()).await;
    smsc.bound().await;
    let phones = rate as usize * 10 * seconds as usize;
    let mut plan = bed::plan(folder, 0, phones, Limit::Count(phones as u64), rate * 10).await;
    plan.window = 1_000;
    let resting = memory::kib(service.pid(), "VmRSS");
    let run = LoadRun::start(&smsc, &plan).unwrap();
    let mut progress = run.progress();
    let watched = async {
        let (mut acknowledged, mut reported) = (0, 0);
        while progress.changed().await.is_ok() {
            let now = *progress.borrow();
            acknowledged = acknowledged.max(now.acknowledged - now.replies);
            if now.acknowledged / 25_000 > reported {
                reported = now.acknowledged / 25_000;
                println!(
                    "{:>7} acknowledged, {:>7} replied to, {} MiB held",
                    now.acknowledged,
                    now.replies,
                    memory::kib(service.pid(), "VmRSS") / 1_024
                );
            }
        }
        acknowledged
    };
    let (report, backlog) = tokio::join!(run.finish(), watched);
    println!(
        "offered {} questions at {}/s for a carrier of {rate} messages/s; most at a time acknowledged and not replied to: {backlog}",
        report.questions,
        rate * 10
    );
    println!(
        "acknowledged {}, temporary errors {}, replied to {}, lost {}, doubled {}, over {:.0} s",
        report.acknowledged, report.temporary, report.replies, report.lost, report.doubled, report.seconds
    );
    println!(
        "memory of the service: {} MiB at rest, {} MiB at most",
        resting / 1_024,
        memory::kib(service.pid(), "VmHWM") / 1_024
    );
    smsc.stop().await;
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, or: u64| {
        let at = arguments.iter().position(|a| a == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(or)
    };
    let (rate, seconds) = (value("--rate", 1_500) as u32, value("--seconds", 10));
    let folder = tempfile::tempdir().unwrap();
    let [median, p99, longest] = bed::disk(folder.path());
    println!("the disk alone: p50 {median:.1} ms, p99 {p99:.1} ms, longest {longest:.0} ms for a commit");
    let at = bed::free();
    let carrier = format!(
        "[carriers.flood]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\nwindow = 100\n\
         rate = {rate}\ninbound_window = 1000\nreply_ttl_s = 3600\nequal_replies = 10000\n"
    );
    // Somewhat more than half of the people have a phone of their own alone.
    bed::set_up(folder.path(), u64::from(rate) * 10 * seconds * 18 / 10, &carrier);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(flood(folder.path(), at, rate, seconds));
}
