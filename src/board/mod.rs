//! What is known of the running service at this moment: lines, limits, counters, alarms. Written by the rooms as they
//! work, read by `tracuu status`. Nothing here is kept over a restart, nothing decides anything, and nothing here is
//! about a person.

mod carrier;
mod pulse;
mod store;
mod view;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

pub use carrier::{CarrierBoard, FlowNow, Limit, LineState};
pub use pulse::{Pulse, Pulses};
pub use store::StoreBoard;
pub use view::{AlarmView, CarrierView, LineView, View};

use crate::{
    clock::{Clock, Micros},
    message::{CarrierId, LineId},
};

/// The board of one process.
#[derive(Debug)]
pub struct Board {
    instance: String,
    clock: Clock,
    started_at: Micros,
    carriers: Vec<Arc<CarrierBoard>>,
    /// Parts that stand still, and since when they are known to.
    still: Mutex<Vec<(String, Micros)>>,
    /// The last removal of the old: when, what came of it, and what had to stay.
    pruned: Mutex<Option<(Micros, String, Vec<String>)>>,
    /// The parts that belong to no carrier.
    pub pulses: Pulses,
    /// What the desk knows of the databases.
    pub desk: DeskBoard,
    /// What the ledger's writer knows of the store.
    pub store: Arc<StoreBoard>,
}

impl Board {
    /// A board with these carriers and their lines.
    pub fn new(instance: &str, clock: Clock, carriers: Vec<(CarrierId, Vec<LineId>)>) -> Arc<Self> {
        let boards = carriers.into_iter().map(|(id, lines)| Arc::new(CarrierBoard::new(id, lines, clock.clone())));
        let carriers = boards.collect();
        Arc::new(Self {
            instance: instance.to_owned(),
            started_at: clock.now(),
            clock,
            carriers,
            still: Mutex::default(),
            pruned: Mutex::default(),
            pulses: Pulses::default(),
            desk: DeskBoard::default(),
            store: Arc::default(),
        })
    }

    /// One carrier's part.
    pub fn carrier(&self, id: &CarrierId) -> Option<&Arc<CarrierBoard>> {
        self.carriers.iter().find(|board| board.id() == id)
    }

    /// All carriers' parts.
    pub fn carriers(&self) -> &[Arc<CarrierBoard>] {
        &self.carriers
    }

    /// The parts that have not moved for longer than this, and for how long.
    pub fn still(&self, now: Instant, most: Duration) -> Vec<(String, Duration)> {
        let carriers = self.carriers.iter().map(|carrier| &carrier.pulses);
        [&self.pulses].into_iter().chain(carriers).flat_map(|pulses| pulses.still(now, most)).collect()
    }

    /// These stand still, and no others. Each is logged once when it stops, and once when it moves again.
    pub fn stand_still(&self, parts: &[(String, Duration)]) {
        let now = self.clock.now();
        let mut known = self.standing();
        known.retain(|(name, _)| {
            let stands = parts.iter().any(|(part, _)| part == name);
            if !stands {
                tracing::warn!(part = name, "Part of the service moves again: {name}");
            }
            stands
        });
        for (name, since) in parts {
            if !known.iter().any(|(part, _)| part == name) {
                tracing::error!(part = name, "Part of the service has stood still for {} s: {name}", since.as_secs());
                known.push((name.clone(), Micros(now.0.saturating_sub(since.as_micros() as i64))));
            }
        }
    }

    /// The old was removed just now, or not: in words; and what is old and had to stay.
    pub fn pruned(&self, what: String, held: Vec<String>) {
        let now = self.clock.now();
        *self.pruned.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, what, held));
    }

    fn standing(&self) -> MutexGuard<'_, Vec<(String, Micros)>> {
        self.still.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two databases as the desk meets them.
#[derive(Debug, Default)]
pub struct DeskBoard {
    commit_us: AtomicU64,
    lookup_us: AtomicU64,
    registry_down: AtomicBool,
    temporary: AtomicU64,
}

/// The weight of the newest value in a running mean, as one in so many.
const NEWEST: u64 = 16;

fn mean(into: &AtomicU64, micros: u64) {
    let before = into.load(Ordering::Relaxed);
    let after = if before == 0 { micros } else { before - before / NEWEST + micros / NEWEST };
    into.store(after, Ordering::Relaxed);
}

impl DeskBoard {
    /// A group was committed, or was not, after so many microseconds.
    pub fn committed(&self, micros: u64) {
        mean(&self.commit_us, micros);
    }

    /// The registry answered, or did not, after so many microseconds.
    pub fn looked_up(&self, micros: u64, answered: bool) {
        mean(&self.lookup_us, micros);
        self.registry_down.store(!answered, Ordering::Relaxed);
    }

    /// So many messages got a temporary error from the desk.
    pub fn temporary(&self, count: u64) {
        self.temporary.fetch_add(count, Ordering::Relaxed);
    }
}
