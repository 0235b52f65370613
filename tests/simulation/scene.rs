//! What all parts of one run share.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracuu::clock::{Clock, Micros};

use crate::{books::Books, dice::Dice, fares::Faults, plan::Plan, trace::Trace, wire::Wire};

/// When every run begins.
pub(crate) const BEGIN: Micros = Micros(1_790_000_000_000_000);

/// One run's world.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    pub(crate) clock: Clock,
    pub(crate) faults: Arc<Faults>,
    pub(crate) wire: Wire,
    pub(crate) tasks: TaskTracker,
    /// The SMSCs' chance.
    pub(crate) dice: Dice,
    pub(crate) begin: Instant,
    books: Mutex<Books>,
    sessions: AtomicU64,
    message_ids: AtomicU64,
}

impl Scene {
    pub(crate) fn new(plan: Plan, trace: Trace) -> Arc<Self> {
        let (begin, tasks) = (Instant::now(), TaskTracker::new());
        let wire = Wire {
            faults: plan.net,
            dice: Dice::new(plan.seed, "network"),
            trace: trace.clone(),
            tasks: tasks.clone(),
            calm_at: begin + plan.calm_at,
        };
        Arc::new(Self {
            faults: Arc::new(Faults::new(&plan, &trace)),
            clock: Clock::Timers(BEGIN, begin),
            wire,
            tasks,
            dice: Dice::new(plan.seed, "smsc"),
            begin,
            books: Mutex::new(Books::new(&plan, begin)),
            sessions: AtomicU64::new(0),
            message_ids: AtomicU64::new(0),
            plan,
            trace,
        })
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// Whether nothing goes wrong any more.
    pub(crate) fn is_calm(&self) -> bool {
        self.begin.elapsed() >= self.plan.calm_at
    }

    /// Something that must not be.
    pub(crate) fn found(&self, what: String) {
        self.trace.say(|| format!("FOUND: {what}"));
        self.books().findings.push(what);
    }

    /// A submit may be in doubt from now on.
    pub(crate) fn disrupted(&self) {
        let now = self.clock.now();
        self.books().disruptions.push(now);
    }

    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn next_message_id(&self) -> String {
        format!("{:08x}", self.message_ids.fetch_add(1, Ordering::Relaxed) + 0xA000_0001)
    }
}
