//! Several instances in processes of their own on one PostgreSQL, all bound to one SMSC: killed in turn, or restarted in
//! turn, while the SMSC asks. What was not answered when a session ended, it sends again on whatever session there is.

use std::{
    collections::HashSet,
    fmt::Write as _,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use tokio::sync::watch::Receiver;
use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    db::Db,
    ledger::FLAG_POSSIBLE_DUP,
    message::{Outcome, RowKey},
    sim::{Limit, LoadPlan, LoadProgress, LoadReport, LoadRun, Smsc, SmscSettings},
};

use crate::{
    billed,
    load::{follow, questions_of, summary},
    parts::{Parts, phones},
    site::{self, CODE, LIMIT, Serving, Site, within},
    stored::{Stored, stored},
    support::postgres::{Keeping, Server},
};

/// Acknowledgements between two kills at least, where no time between them is given.
const STRETCH: u64 = 200;

/// After a kill nobody who was touched by it asks anything new for so long: another instance sends again what may have been
/// sent, within 10 s, and that must not be taken for the reply to another question.
const REST: Duration = Duration::from_secs(15);

#[tokio::test]
async fn two_instances_killed_in_turn_lose_and_double_nothing() {
    killed_in_turn(2).await;
}

#[tokio::test]
async fn three_instances_killed_in_turn_lose_and_double_nothing() {
    killed_in_turn(3).await;
}

/// A server that keeps what it says it keeps; none where PostgreSQL is not installed.
fn server() -> Option<Server> {
    match Server::start(Keeping::Durable) {
        Ok(server) => Some(server),
        Err(why) => {
            let required = std::env::var_os("REQUIRE_POSTGRES").is_some_and(|value| value == "1");
            assert!(!required, "REQUIRE_POSTGRES=1, but PostgreSQL cannot be had: {why}");
            // Straight to the stream, because the test harness hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "\nPOSTGRES SKIPPED: {why}; no instances on it were killed\n");
            None
        }
    }
}

async fn killed_in_turn(count: usize) {
    let Some(server) = server() else { return };
    let (kills, seed) = (site::kills().unwrap_or(count as u64 + 1), 0);
    let mut house = House::start(count, &server.fresh_database().await, kills, None).await;
    let run = LoadRun::start(&house.smsc, &house.plan(kills).await).unwrap();
    let mut progress = run.progress();
    let killing = async {
        let mut adopted = Vec::new();
        for kill in 0..kills {
            let goal = progress.borrow().acknowledged + STRETCH;
            follow(&mut progress, "questions before a kill", |now| now.acknowledged >= goal).await;
            let begun = Instant::now();
            adopted.extend(house.kill(kill, &mut progress).await);
            if let Some(every) = site::every() {
                // How long the load lasts, no wait for anything.
                tokio::time::sleep(every.saturating_sub(begun.elapsed())).await;
            }
        }
        house.smsc.stop_asking();
        adopted
    };
    let (report, adopted) = tokio::join!(run.finish(), killing);
    let (stored, submits) = house.end().await;
    let mut line = summary(&format!("{count} instances on PostgreSQL, killed in turn"), seed, kills, &report, &stored);
    let longest = adopted.iter().max().copied().unwrap_or_default();
    let _ = write!(
        line,
        "; what {} of the killed had left was taken over after {:.1} s at most",
        adopted.len(),
        longest.as_secs_f64()
    );
    let _ = writeln!(std::io::stderr(), "{line}");
    assert!(!adopted.is_empty(), "nothing was taken over\n{line}");
    judge(&report, submits, &stored, kills, &line);
    stored.judge(report.questions, kills + count as u64 - 1, &line);
    billed::judge(&house.sites[0], &stored, &line).await;
}

#[tokio::test]
async fn two_instances_restarted_in_turn_leave_no_gap() {
    restarted_in_turn(2).await;
}

#[tokio::test]
async fn three_instances_restarted_in_turn_leave_no_gap() {
    restarted_in_turn(3).await;
}

/// Each is stopped in order and started again while the others have lines: no question is refused or lost, no reply is
/// sent twice, and none may have been.
async fn restarted_in_turn(count: usize) {
    let Some(server) = server() else { return };
    let house = House::start(count, &server.fresh_database().await, 1, None).await;
    in_turn("restarted", house).await;
}

#[tokio::test]
async fn two_instances_of_the_version_before_upgraded_in_turn_leave_no_gap() {
    let Some(before) = site::program_before() else {
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: TRACUU_CRASH_BEFORE names no program; nothing was upgraded\n");
        return;
    };
    let Some(server) = server() else { return };
    let house = House::start(2, &server.fresh_database().await, 1, Some(&before)).await;
    in_turn("upgraded", house).await;
}

async fn in_turn(what: &str, mut house: House) {
    let count = house.sites.len();
    let run = LoadRun::start(&house.smsc, &house.plan(1).await).unwrap();
    let mut progress = run.progress();
    let restarting = async {
        for at in 0..count {
            let goal = progress.borrow().acknowledged + STRETCH;
            follow(&mut progress, "questions before a restart", |now| now.acknowledged >= goal).await;
            let serving = house.serving[at].take().unwrap();
            within("an instance to stop", serving.stop()).await;
            let goal = progress.borrow().acknowledged + STRETCH;
            follow(&mut progress, "questions without it", |now| now.acknowledged >= goal).await;
            house.serving[at] = Some(house.sites[at].serve());
            within("it to bind again", house.smsc.bound_by(count)).await;
        }
        house.smsc.stop_asking();
    };
    let (report, ()) = tokio::join!(run.finish(), restarting);
    let (stored, submits) = house.end().await;
    let restarts = count as u64;
    let mut line = summary(&format!("{count} instances {what} in turn"), 0, 0, &report, &stored);
    let (temporary, longest) = (report.temporary, report.latency.max_us as f64 / 1e6);
    let _ = write!(line, "; temporary errors {temporary}, the longest wait for a reply {longest:.1} s");
    let _ = writeln!(std::io::stderr(), "{line}");
    judge(&report, submits, &stored, restarts, &line);
    assert_eq!((report.doubled, stored.balance.possible_dups), (0, 0), "replies that were or may be doubled\n{line}");
    stored.judge(report.questions, 2 * restarts - 1, &line);
    billed::judge(&house.sites[0], &stored, &line).await;
}

#[tokio::test]
async fn texts_whose_parts_come_to_two_instances_are_joined_though_one_is_killed() {
    let Some(server) = server() else { return };
    let mut house = House::start(2, &server.fresh_database().await, 0, None).await;
    let phones = phones(&house.sites[0], &house.smsc).await;
    let mut parts = Parts::of(&phones);
    let killed = house.serving[1].take().unwrap();
    parts.send_until(&house.smsc, phones.len(), || killed.kill()).await;
    house.serving[1] = Some(house.sites[1].serve());
    within("the killed one to bind again", house.smsc.bound_by(2)).await;
    parts.send_all(&house.smsc).await;
    for (phone, _) in &phones {
        within("a reply", phone.reply()).await;
    }
    let (stored, submits) = house.end().await;
    let line = format!(
        "Parts at two instances: texts {}, repeats {}, possible_dup {}, submits {submits}",
        phones.len(),
        stored.balance.repeats,
        stored.balance.possible_dups
    );
    let _ = writeln!(std::io::stderr(), "{line}");
    stored.judge(phones.len() as u64, 2, &line);
    for row in &stored.mo {
        assert_eq!(row.parts, 2, "parts of a text\n{line}");
        assert_eq!(row.outcome, i64::from(Outcome::Answered.code()), "a text was not joined as it was typed\n{line}");
    }
    flagged(&stored, &line);
    billed::judge(&house.sites[0], &stored, &line).await;
}

/// Instances that share a store and an SMSC.
struct House {
    tracker: TaskTracker,
    smsc: Smsc,
    sites: Vec<Site>,
    serving: Vec<Option<Serving>>,
    people: u64,
    rate: u32,
    db: Db,
}

impl House {
    /// `before`: a program of the version before, which makes and serves them at first.
    async fn start(count: usize, store: &str, kills: u64, before: Option<&Path>) -> Self {
        let tracker = TaskTracker::new();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
        let rate = site::rate();
        // Each kill sends those to rest who asked within the seconds before it.
        let people = 1_000 + u64::from(rate) * 3 * (kills + 1);
        let mut sites = vec![match before {
            Some(program) => Site::made_by(program, smsc.address(), 1, people, Some(store)).await,
            None => Site::new(smsc.address(), 1, people, Some(store)).await,
        }];
        for instance in 2..=count {
            let beside = sites[0].beside(&format!("tracuu-{instance}"), smsc.address(), "");
            sites.push(beside);
        }
        let serving: Vec<Option<Serving>> = sites.iter().map(|site| Some(site.serve_as_made())).collect();
        within("all instances to bind", smsc.bound_by(count)).await;
        let db = sites[0].store().await;
        Self { tracker, smsc, sites, serving, people, rate, db }
    }

    async fn plan(&self, kills: u64) -> LoadPlan {
        let questions = questions_of(&self.sites[0], self.people, kills).await;
        let all = Limit::Count(questions.len() as u64);
        LoadPlan {
            grace: Duration::from_secs(30),
            in_doubt: Duration::from_secs(2),
            rest: REST,
            rate: Some(self.rate),
            ..LoadPlan::new(questions, CODE, all)
        }
    }

    /// Kills the next one. Every other round they come back at once; else, killed with replies under way, each only when another
    /// has taken over what it left, and the time that took is given.
    async fn kill(&mut self, kill: u64, progress: &mut Receiver<LoadProgress>) -> Option<Duration> {
        let (at, count) = (kill as usize % self.sites.len(), self.sites.len());
        let instance = self.sites[at].config.service.instance.clone();
        let epoch = self.number("select max(epoch) from writer where instance = $1", &instance).await;
        let waits = (kill / count as u64).is_multiple_of(2);
        let begun = Instant::now();
        while waits && self.left(epoch).await < 3 {
            assert!(begun.elapsed() < LIMIT, "{instance} has no replies under way");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.serving[at].take().unwrap().kill().await;
        let killed = Instant::now();
        within("its session to end", self.smsc.bound_by(count - 1)).await;
        let adopted = if waits && self.left(epoch).await > 0 {
            while self.left(epoch).await > 0 {
                assert!(killed.elapsed() < LIMIT, "nobody takes over what {instance} left");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Some(killed.elapsed())
        } else {
            None
        };
        self.serving[at] = Some(self.sites[at].serve());
        within("the killed one to bind again", self.smsc.bound_by(count)).await;
        let goal = progress.borrow().replies + 1;
        follow(progress, "a reply after a kill", |now| now.replies >= goal).await;
        adopted
    }

    /// Replies of a start that wait, and that nobody else has taken over.
    async fn left(&self, epoch: i64) -> i64 {
        let text = "select count(*) from outbox where (key >> 40) = cast($1 as bigint)
                    and (key >> 40) not in (select epoch from adopted)";
        self.number(text, &epoch.to_string()).await
    }

    async fn number(&self, text: &'static str, value: &str) -> i64 {
        let Db::Postgres { pool, .. } = &self.db else { panic!("the store is PostgreSQL") };
        let (number,): (i64,) = sqlx::query_as(text).bind(value).fetch_one(pool).await.unwrap();
        number
    }

    /// Stops all in order. What is stored, and how many submits the SMSC was sent.
    async fn end(&mut self) -> (Stored, u64) {
        for serving in self.serving.drain(..).flatten() {
            within("an instance to stop", serving.stop()).await;
        }
        let submits = self.smsc.counts().submits;
        self.smsc.clone().stop().await;
        self.tracker.close();
        self.tracker.wait().await;
        self.db.close().await;
        (stored(&self.sites[0]).await, submits)
    }
}

/// The SMSC's books against the store's; `breaks` sessions were lost.
fn judge(report: &LoadReport, submits: u64, stored: &Stored, breaks: u64, line: &str) {
    for (what, found, expected) in [
        ("acknowledged questions without a reply", report.lost, 0),
        ("questions neither taken nor refused", report.unanswered, 0),
        ("questions refused", report.refused, 0),
        ("messages to numbers that asked nothing", report.strangers, 0),
        ("questions acknowledged", report.acknowledged, report.questions),
        ("questions with a reply", report.replies, report.questions),
        ("replies doubled without a break in between", report.doubled - report.doubled_after_break, 0),
        ("sessions lost", report.breaks, breaks),
        ("messages sent after the books were closed", submits - report.segments, 0),
    ] {
        assert_eq!(found, expected, "{what}\n{line}\n{report}");
    }
    let flagged = flagged(stored, line);
    assert!(report.doubled <= flagged, "more replies doubled than are flagged\n{line}");
}

/// Replies that another start than the one that was asked has settled, and no others, are flagged. How many these are.
fn flagged(stored: &Stored, line: &str) -> u64 {
    let mut flagged = HashSet::new();
    for row in &stored.mt {
        let moved = RowKey(row.key).epoch() != RowKey(row.exchange_key).epoch();
        let marked = row.flags & FLAG_POSSIBLE_DUP != 0;
        assert_eq!(marked, moved, "possible_dup, and whether another start settled it\n{line}");
        assert_eq!(row.seg_planned, row.seg_accepted, "segments of a reply\n{line}");
        if marked {
            flagged.insert(row.exchange_key);
        }
    }
    flagged.len() as u64
}
