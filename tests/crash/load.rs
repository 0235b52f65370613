//! Kills under load: each at a moment that chance picks, the restart at once, the SMSC's books and the store's compared
//! at the end.

use std::{
    collections::HashSet,
    fmt::Write as _,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::sync::watch::Receiver;
use tokio_util::task::TaskTracker;
use tracuu::{
    clock::{Chance, Clock},
    registry::Registry,
    sim::{Limit, LoadPlan, LoadProgress, LoadReport, LoadRun, Question, Smsc, SmscSettings},
};

use crate::{
    billed, site,
    site::{CODE, Serving, Site, within},
    stored::{Stored, stored},
    support::postgres,
};

/// People in the registry.
pub(crate) const PEOPLE: u64 = 3_000;

/// Questions acknowledged between two kills, at most.
const STRETCH: u64 = 400;

/// One word for each field, as people may type it.
const WORDS: [&str; 17] =
    ["HT", "NS", "GT", "NSINH", "KS", "QQ", "DT", "TG", "QT", "NM", "CMND", "CCCD", "DC", "TR", "NO", "HN", "QH"];

#[tokio::test]
async fn on_sqlite_no_kill_loses_or_doubles_anything() {
    killed_under_load("SQLite", None, site::kills().unwrap_or(20)).await;
}

#[tokio::test]
async fn on_postgresql_no_kill_loses_or_doubles_anything() {
    let server = match postgres::Server::start(postgres::Keeping::Durable) {
        Ok(server) => server,
        Err(why) => {
            let required = std::env::var_os("REQUIRE_POSTGRES").is_some_and(|value| value == "1");
            assert!(!required, "REQUIRE_POSTGRES=1, but PostgreSQL cannot be had: {why}");
            // Straight to the stream, because the test harness hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "\nPOSTGRES SKIPPED: {why}; no service on it was killed\n");
            return;
        }
    };
    let store = server.fresh_database().await;
    killed_under_load("PostgreSQL", Some(&store), site::kills().unwrap_or(8)).await;
}

async fn killed_under_load(label: &str, store: Option<&str>, kills: u64) {
    let (seed, chance) = site::chance();
    let tracker = TaskTracker::new();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
    let site = Site::new(smsc.address(), 1, PEOPLE, store).await;
    let (report, serving) = load(&site, &smsc, &chance, kills).await;
    serving.stop().await;
    let submits = smsc.counts().submits;
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    let stored = stored(&site).await;
    let line = summary(label, seed, kills, &report, &stored);
    let _ = writeln!(std::io::stderr(), "{line}");
    judge(&report, submits, &stored, kills, &line);
    billed::judge(&site, &stored, &line).await;
}

/// Asks, kills and starts again, and asks no more after the last kill but what is under way.
async fn load(site: &Site, smsc: &Smsc, chance: &Chance, kills: u64) -> (LoadReport, Serving) {
    let plan = plan(site, kills).await;
    let run = LoadRun::start(smsc, &plan).unwrap();
    let mut progress = run.progress();
    let killing = async {
        let mut serving = site.serve();
        for kill in 1..=kills {
            let lost = kill - 1;
            let what = format!("the service to come back after {lost} kills");
            follow(&mut progress, &what, |now| now.breaks == lost).await;
            within(&what, smsc.bound()).await;
            // Sometimes as soon as it is bound, with what the last one left going out; sometimes while the first of what
            // the SMSC sends again is being taken.
            let stretch = [0, 10, STRETCH, STRETCH, STRETCH][chance.below(5) as usize];
            let goal = progress.borrow().acknowledged + chance.below(stretch + 1);
            let what = format!("{goal} acknowledgements, before kill {kill}");
            follow(&mut progress, &what, |now| now.acknowledged >= goal).await;
            serving.kill().await;
            serving = site.serve();
            if kill == kills / 2 {
                billed::close(site).await;
            }
        }
        smsc.stop_asking();
        serving
    };
    tokio::join!(run.finish(), killing)
}

/// What is asked, and what is waited for.
pub(crate) async fn plan(site: &Site, kills: u64) -> LoadPlan {
    let questions = questions(site, kills).await;
    let asked_at_most = questions.len() as u64;
    LoadPlan {
        grace: Duration::from_secs(30),
        in_doubt: Duration::from_secs(5),
        rest: Duration::from_secs(3),
        ..LoadPlan::new(questions, CODE, Limit::Count(asked_at_most))
    }
}

/// Waits until the load has come so far; it must not end before.
pub(crate) async fn follow(progress: &mut Receiver<LoadProgress>, what: &str, far: impl FnMut(&LoadProgress) -> bool) {
    let reached = within(what, progress.wait_for(far)).await.is_ok();
    assert!(reached, "the load ended, waited for: {what}");
}

/// Questions that each get a reply. No phone ever asks the same thing twice: sent again after a break, the same octets
/// are the same question.
pub(crate) async fn questions(site: &Site, kills: u64) -> Vec<Question> {
    questions_of(site, PEOPLE, kills).await
}

/// The same of so many people.
pub(crate) async fn questions_of(site: &Site, people: u64, kills: u64) -> Vec<Question> {
    let registry = Registry::open(&site.config.registry).await.unwrap();
    let people = registry.phones(people as u32).await.unwrap();
    registry.close().await;
    let wordings = texts().take(20.max(kills as usize)).collect::<Vec<String>>();
    let mut questions = Vec::with_capacity(people.len() * wordings.len());
    for (phone, person) in &people {
        let text = |fields: &String| format!("TTCD {} {fields}", &person.expose()[6..]).into_bytes().into();
        let question = |fields| Question { from: phone.expose(), text: text(fields), data_coding: 0 };
        questions.extend(wordings.iter().map(question));
    }
    let different: HashSet<(u64, &[u8])> = questions.iter().map(|one| (one.from, one.text.as_ref())).collect();
    assert_eq!(different.len(), questions.len(), "a phone has a question twice");
    questions
}

/// One field, then two, then three: no two texts are the same octets.
fn texts() -> impl Iterator<Item = String> {
    let singles = WORDS.into_iter().map(str::to_owned);
    let pairs = WORDS.into_iter().flat_map(|a| WORDS.into_iter().map(move |b| format!("{a} {b}")));
    let triples = WORDS
        .into_iter()
        .flat_map(|a| WORDS.into_iter().flat_map(move |b| WORDS.into_iter().map(move |c| format!("{a} {b} {c}"))));
    singles.chain(pairs).chain(triples)
}

pub(crate) fn summary(label: &str, seed: u64, kills: u64, report: &LoadReport, stored: &Stored) -> String {
    let mut line = format!("{label}, TRACUU_CRASH_SEED={seed} TRACUU_CRASH_KILLS={kills}:");
    for (name, count) in [
        ("questions", report.questions),
        ("acknowledged", report.acknowledged),
        ("replies", report.replies),
        ("lost", report.lost),
        ("sent again", report.deliver_sent - report.questions),
        ("repeats", stored.count(stored.balance.repeats)),
        ("possible_dup", stored.count(stored.balance.possible_dups)),
        ("doubled", report.doubled),
    ] {
        let _ = write!(line, " {name} {count}");
    }
    let _ = write!(line, "; {:.1} s", report.seconds);
    line
}

/// The SMSC's books against the store; `kills` sessions were lost with their process.
pub(crate) fn judge(report: &LoadReport, submits: u64, stored: &Stored, kills: u64, line: &str) {
    let questions = report.questions;
    assert!(questions > kills, "{line}");
    for (what, found, expected) in [
        ("acknowledged questions without a reply", report.lost, 0),
        ("questions neither taken nor refused", report.unanswered, 0),
        ("questions refused", report.refused, 0),
        ("messages to numbers that asked nothing", report.strangers, 0),
        ("questions acknowledged", report.acknowledged, questions),
        ("questions with a reply", report.replies, questions),
        ("replies doubled without a kill in between", report.doubled - report.doubled_after_break, 0),
        ("sessions lost", report.breaks, kills),
        ("messages sent after the books were closed", submits - report.segments, 0),
    ] {
        assert_eq!(found, expected, "{what}\n{line}\n{report}");
    }
    stored.judge(questions, kills, line);
    let again = report.deliver_sent - questions;
    let repeats = stored.count(stored.balance.repeats);
    assert!(repeats <= again, "{repeats} questions recognised as sent again of {again}\n{line}");
    stored.judge_replies(Some(report.replies + report.doubled), submits, line);
}
