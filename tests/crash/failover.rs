//! The primary of the store is killed under load and its standby takes its place: what was acknowledged is there, what
//! was not is sent again by the SMSC, and the service goes on without a restart.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    sim::{Limit, LoadPlan, LoadRun, Smsc, SmscSettings},
};

use crate::{
    billed,
    load::{PEOPLE, follow, questions},
    site::{CODE, Site, within},
    stored::stored,
    support::postgres::{Keeping, Server},
};

/// Questions acknowledged before the primary is killed, and again after the standby has taken its place.
const STRETCH: u64 = 1_000;

#[tokio::test]
async fn a_primary_that_dies_is_followed_to_its_standby_and_nothing_is_lost() {
    let mut primary = match Server::start(Keeping::Durable) {
        Ok(server) => server,
        Err(why) => {
            let required = std::env::var_os("REQUIRE_POSTGRES").is_some_and(|value| value == "1");
            assert!(!required, "REQUIRE_POSTGRES=1, but PostgreSQL cannot be had: {why}");
            // Straight to the stream, because the test harness hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "\nPOSTGRES SKIPPED: {why}; no primary was killed\n");
            return;
        }
    };
    let database = primary.fresh_database().await.rsplit_once('/').unwrap().1.to_owned();
    let standby = primary.standby().await.unwrap();
    let store = primary.url_of_both(&standby, &database);
    let tracker = TaskTracker::new();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
    let site = Site::new(smsc.address(), 1, PEOPLE, Some(&store)).await;
    let questions = questions(&site, 0).await;
    let all = Limit::Count(questions.len() as u64);
    let plan = LoadPlan { grace: Duration::from_secs(30), ..LoadPlan::new(questions, CODE, all) };
    let run = LoadRun::start(&smsc, &plan).unwrap();
    let mut progress = run.progress();
    let failing = async {
        let serving = site.serve();
        follow(&mut progress, "questions on the primary", |now| now.acknowledged >= STRETCH).await;
        primary.kill();
        let killed = Instant::now();
        standby.promote().await;
        let promoted = killed.elapsed();
        let goal = progress.borrow().acknowledged + 1;
        follow(&mut progress, "the first question on the standby", |now| now.acknowledged >= goal).await;
        let recovered = killed.elapsed();
        let goal = goal + STRETCH;
        follow(&mut progress, "questions on the standby", |now| now.acknowledged >= goal).await;
        smsc.stop_asking();
        (serving, promoted, recovered)
    };
    let (report, (serving, promoted, recovered)) = tokio::join!(run.finish(), failing);
    within("the replies under way", async { serving.stop().await }).await;
    let submits = smsc.counts().submits;
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    let stored = stored(&site).await;
    let line = format!(
        "PostgreSQL, primary killed: {} questions, {} acknowledged, {} replies, lost {}, doubled {}, temporary errors {}; \
         the standby was promoted after {:.1} s, the first question acknowledged after {:.1} s",
        report.questions,
        report.acknowledged,
        report.replies,
        report.lost,
        report.doubled,
        report.temporary,
        promoted.as_secs_f64(),
        recovered.as_secs_f64()
    );
    let _ = writeln!(std::io::stderr(), "{line}");
    for (what, found, expected) in [
        ("acknowledged questions without a reply", report.lost, 0),
        ("questions neither taken nor refused", report.unanswered, 0),
        ("questions refused", report.refused, 0),
        ("replies doubled", report.doubled, 0),
        ("sessions lost", report.breaks, 0),
        ("messages sent after the books were closed", submits - report.segments, 0),
    ] {
        assert_eq!(found, expected, "{what}\n{line}\n{report}");
    }
    stored.judge(report.questions, 0, &line);
    stored.judge_replies(Some(report.replies), submits, &line);
    billed::judge(&site, &stored, &line).await;
}
