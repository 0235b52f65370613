//! One run: the service's processes are started, killed, stopped and started again, until all is quiet; then the books
//! are compared.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracuu::{
    db::{Db, step},
    ledger::{WriterEnd, read::store::balance},
    service::{self, Service, ServiceError},
    smpp::{self, LineError},
};

use crate::{
    books::Books,
    dice::Dice,
    judge,
    plan::Plan,
    scene::Scene,
    site::{self, Site},
    smsc,
    trace::Trace,
};

/// How long after the last fault everything must be settled at the latest: a submit's response is waited for 10 s, a line
/// binds again within 6 s, a message comes again within 10 s, another instance is taken for dead after 6 s; and a window of one
/// lets a segment through in 5 s, where responses take their time.
const SETTLED_WITHIN: Duration = Duration::from_secs(600);

/// Then nothing more may come.
const LINGER: Duration = Duration::from_secs(40);

/// How a stop may last, its unbinding and its last commits included.
const STOP: Duration = Duration::from_secs(60);

/// How a run is played.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// Every line of the trace is printed.
    pub(crate) print: bool,
    /// Every line of the trace is kept.
    pub(crate) keep: bool,
    /// The service acknowledges before its commit.
    pub(crate) planted: bool,
}

/// What a run was like.
pub(crate) struct Played {
    pub(crate) plan: Plan,
    pub(crate) findings: Vec<String>,
    /// One number for all that happened, and how many things that were.
    pub(crate) digest: (u64, u64),
    pub(crate) trace: Vec<String>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

/// Plays a seed.
pub(crate) fn play(seed: u64, how: How) -> Played {
    let plan = Plan::of(seed);
    let site = Site::new(&plan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let scene = runtime.block_on(async {
        let trace = Trace::new(how.print, how.keep);
        let scene = Scene::new(plan.clone(), trace);
        let staged = step::stage(scene.faults.clone(), site::drivers().handle().clone());
        Box::pin(run(&scene, &site, how)).await;
        drop(staged);
        scene
    });
    drop(runtime);
    let digest = scene.trace.digest();
    let mut books = std::mem::take(&mut *scene.books());
    site::drivers().block_on(judge::judge(&site, &plan, &mut books));
    let mut counts = scene.faults.counts();
    counts.extend(counted(&books));
    Played { plan, findings: books.findings, digest, trace: scene.trace.kept(), counts }
}

fn counted(books: &Books) -> [(&'static str, u64); 8] {
    [
        ("questions", books.questions.len() as u64),
        ("messages", books.messages.len() as u64),
        ("deliveries", books.deliveries),
        ("segments", books.received.values().map(crate::books::Received::all).sum()),
        ("starts", books.starts),
        ("kills", books.kills),
        ("stops", books.stops),
        ("sessions lost", books.breaks),
    ]
}

async fn run(scene: &Arc<Scene>, site: &Site, how: How) {
    let over = CancellationToken::new();
    let conducted = async {
        conduct(scene, site).await;
        over.cancel();
    };
    let first = keep(scene, site, 0, how, &over);
    let second = async {
        if scene.plan.instances > 1 {
            keep(scene, site, 1, how, &over).await;
        }
    };
    tokio::join!(conducted, first, second);
}

/// Waits until all is settled.
async fn conduct(scene: &Arc<Scene>, site: &Site) {
    sleep_until(scene.begin + scene.plan.calm_at).await;
    let db = Db::open(&service::store_options(&site.configs[0])).await.expect("the store");
    let until = Instant::now() + SETTLED_WITHIN;
    loop {
        scene.faults.quiet(true);
        let stored = balance(&db).await;
        scene.faults.quiet(false);
        let at_rest = stored.as_ref().is_ok_and(|stored| stored.waiting == 0 && stored.parts == 0);
        if at_rest && scene.books().all_answered() {
            break;
        }
        if Instant::now() >= until {
            let unanswered =
                scene.books().messages.iter().filter(|one| !matches!(one.state, crate::books::State::Taken)).count();
            scene.found(format!("not settled within {SETTLED_WITHIN:?}: {unanswered} messages unanswered, {stored:?}"));
            break;
        }
        sleep(Duration::from_secs(2)).await;
    }
    sleep(LINGER).await;
    db.close().await;
}

/// Keeps one instance running, as a service manager does, but for the ends that are planned.
async fn keep(scene: &Arc<Scene>, site: &Site, instance: usize, how: How, over: &CancellationToken) {
    let mut ends: Vec<_> = scene.plan.ends.iter().filter(|end| end.instance == instance).rev().copied().collect();
    let chance = Dice::new(scene.plan.seed, "service");
    while !over.is_cancelled() {
        let end = loop {
            match ends.pop() {
                Some(end) if scene.begin + end.at <= Instant::now() => {}
                next => break next,
            }
        };
        let fate = end.map_or(Instant::now() + Duration::from_secs(86_400), |end| scene.begin + end.at);
        scene.books().starts += 1;
        let built = tokio::select! {
            biased;
            built = Service::build(&site.configs[instance], scene.clock.clone(), chance.chance()) => Some(built),
            () = sleep_until(fate) => None,
        };
        match (built, end) {
            (Some(Ok(service)), _) => {
                scene.trace.say(|| format!("service {instance} started"));
                let killed = end.is_some_and(|end| end.killed);
                let killed = run_until(scene, (service, how.planted), instance, fate, killed, over).await;
                if let (true, Some(end)) = (killed, end) {
                    sleep(end.down).await;
                } else {
                    ends.extend(end);
                    sleep(Duration::from_secs(1)).await;
                }
            }
            (Some(Err(error)), _) => {
                scene.trace.say(|| format!("service {instance} does not start: {error}"));
                ends.extend(end);
                sleep(Duration::from_secs(1)).await;
            }
            (None, Some(end)) => sleep(end.down).await,
            (None, None) => {}
        }
    }
}

/// Runs until its fate or until all is over; whether it was its fate.
async fn run_until(
    scene: &Arc<Scene>,
    (service, planted): (Service, bool),
    instance: usize,
    fate: Instant,
    killed: bool,
    over: &CancellationToken,
) -> bool {
    let stop = CancellationToken::new();
    let lines = Arc::clone(scene);
    let line = move |settings, wiring| line(Arc::clone(&lines), instance, settings, wiring);
    let mut running = scene.tasks.spawn(service.run_over(stop.clone(), planted, line));
    let fated = tokio::select! {
        biased;
        ended = &mut running => {
            judge_end(scene, instance, ended.map_err(|error| error.to_string()), false);
            return false;
        }
        () = sleep_until(fate) => true,
        () = over.cancelled() => false,
    };
    if fated && killed {
        scene.trace.say(|| format!("service {instance} is killed"));
        scene.books().kills += 1;
        scene.disrupted();
        running.abort();
        let _ = running.await;
        // What it held goes with it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        return true;
    }
    scene.trace.say(|| format!("service {instance} is stopped"));
    scene.books().stops += 1;
    stop.cancel();
    if let Ok(ended) = timeout(STOP, &mut running).await {
        judge_end(scene, instance, ended.map_err(|error| error.to_string()), true);
    } else {
        scene.found(format!("instance {instance} did not stop within {STOP:?}"));
        running.abort();
    }
    fated
}

/// A process ends by itself only when another took its place.
fn judge_end(scene: &Scene, instance: usize, ended: Result<Result<(), ServiceError>, String>, asked: bool) {
    scene.trace.say(|| format!("service {instance} ended: {ended:?}"));
    match ended {
        Ok(Ok(())) if asked => {}
        Ok(Err(ServiceError::Writer(WriterEnd::Fenced))) if scene.plan.instances > 1 => {}
        other => scene.found(format!("instance {instance} ended by itself: {other:?}")),
    }
}

async fn line(scene: Arc<Scene>, instance: usize, settings: tracuu::config::Line, wiring: smpp::Wiring) {
    let scene = &scene;
    smpp::run_over(&settings, wiring, |_| async move {
        let (ours, theirs) = scene
            .wire
            .connect()
            .await
            .map_err(|why| LineError::NoConnection { address: "smsc.invalid:2775".to_owned(), why })?;
        scene.tasks.spawn(smsc::serve(Arc::clone(scene), instance, theirs));
        Ok(ours)
    })
    .await;
}
