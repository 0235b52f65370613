//! How the calls of the databases fare: the store's faults.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tracuu::db::step::{Call, Fare, Fares};

use crate::{dice::Dice, plan::Plan, trace::Trace};

/// The faults of a run's databases.
pub(crate) struct Faults {
    plan: Plan,
    dice: Dice,
    begin: Instant,
    trace: Trace,
    /// The test itself asks.
    quiet: AtomicBool,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Faults {
    pub(crate) fn new(plan: &Plan, trace: &Trace) -> Self {
        Self {
            plan: plan.clone(),
            dice: Dice::new(plan.seed, "store"),
            begin: Instant::now(),
            trace: trace.clone(),
            quiet: AtomicBool::new(false),
            counts: Mutex::default(),
        }
    }

    /// Nothing goes wrong and nothing takes time, while the test itself asks.
    pub(crate) fn quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::Relaxed);
    }

    /// How often what went wrong.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.lock().unwrap().clone()
    }

    fn draw(&self, call: Call) -> (Fare, Option<&'static str>) {
        let (store, dice, now) = (&self.plan.store, &self.dice, self.begin.elapsed());
        let slow = |most| Duration::from_micros(dice.between(0, most * 1_000));
        if now >= self.plan.calm_at {
            return (Fare { there: slow(1), back: slow(1), ..Fare::default() }, None);
        }
        let mut fare = Fare { there: slow(store.slow_ms), back: slow(store.slow_ms), ..Fare::default() };
        if store.outage.is_some_and(|(at, lasts)| now >= at && now < at + lasts) {
            fare.fails = true;
            return (fare, Some("outage"));
        }
        if dice.permille(store.stalls) {
            let stall = Duration::from_millis(dice.between(100, store.stall_s * 1_000));
            if dice.permille(500) {
                fare.there = stall;
            } else {
                fare.back = stall;
            }
            return (fare, Some("stall"));
        }
        let (fails, what) = match call {
            Call::Read => (store.read_fails, "read fails"),
            Call::Begin => (store.begin_fails, "begin fails"),
            Call::Statement => (store.statement_fails, "statement fails"),
            Call::Commit => (store.commit_fails, "commit fails"),
        };
        if dice.permille(fails) {
            fare.fails = true;
            return (fare, Some(what));
        }
        if call == Call::Commit && dice.permille(store.commit_lost) {
            fare.lost = true;
            return (fare, Some("commit's answer lost"));
        }
        (fare, None)
    }
}

impl Fares for Faults {
    fn next(&self, call: Call) -> Fare {
        if self.quiet.load(Ordering::Relaxed) {
            return Fare::default();
        }
        let (fare, fault) = self.draw(call);
        if let Some(fault) = fault {
            *self.counts.lock().unwrap().entry(fault).or_default() += 1;
        }
        let fare = beside_others(call, fare);
        self.trace.say(|| format!("store {call:?} {fare:?} {}", fault.unwrap_or_default()));
        fare
    }
}

/// Whoever begins while another's transaction is open waits in the real world, where no time of ours passes: so
/// none passes within a transaction.
fn beside_others(call: Call, fare: Fare) -> Fare {
    let all = fare.there + fare.back;
    match call {
        Call::Begin => Fare { there: all, back: Duration::ZERO, ..fare },
        Call::Statement => Fare { there: Duration::ZERO, back: Duration::ZERO, ..fare },
        Call::Commit => Fare { there: Duration::ZERO, back: all, ..fare },
        Call::Read => fare,
    }
}
