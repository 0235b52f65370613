//! One carrier on the board.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    clock::{Clock, Micros},
    message::{CarrierId, LineId},
};

/// How a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// Not connected yet.
    Starting,
    /// Bound since.
    Bound {
        /// Since when.
        since: Micros,
        /// interface_version of the bind response, when it names one.
        version: Option<u8>,
    },
    /// Down since, for this reason, in words.
    Down {
        /// Since when.
        since: Micros,
        /// Why, for people.
        why: String,
    },
}

/// Which limit keeps replies from leaving faster.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Limit {
    /// None: what comes leaves at once.
    #[default]
    Nothing,
    /// No line that sends is bound.
    NoLine,
    /// The agreed messages a second, or what the carrier's refusals have brought it down to.
    Pacing {
        /// Messages a second now.
        rate: f64,
    },
    /// Every place of the windows waits for a response.
    Window {
        /// Mean time to a response, in microseconds.
        latency_us: u64,
    },
    /// The carrier asked to slow down; nothing leaves until then.
    Paused {
        /// The command_status it said so with.
        status: u32,
        /// Until when.
        until: Micros,
    },
    /// The ledger does not take what is settled.
    Store,
}

/// How replies flow.
#[derive(Clone, Debug, Default)]
pub struct FlowNow {
    /// Replies in memory that wait to be sent.
    pub waiting: u64,
    /// More wait in the ledger's rows.
    pub behind: bool,
    /// Segments that await a response.
    pub open: u64,
    /// Places of all windows of bound lines.
    pub window: u64,
    /// Messages a second that may leave now, when there is a limit.
    pub rate: Option<f64>,
    /// What holds them back.
    pub limit: Limit,
}

#[derive(Clone, Debug)]
pub(super) struct Alarm {
    pub(super) since: Micros,
    pub(super) text: String,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) lines: Vec<LineState>,
    pub(super) traps: BTreeMap<(Option<usize>, &'static str), u64>,
    pub(super) alarms: BTreeMap<&'static str, Alarm>,
    pub(super) flow: FlowNow,
    pub(super) learned: BTreeMap<&'static str, String>,
}

/// One carrier's part of the board.
#[derive(Debug)]
pub struct CarrierBoard {
    id: CarrierId,
    lines: Vec<LineId>,
    clock: Clock,
    inner: Mutex<Inner>,
}

impl CarrierBoard {
    /// A board for a carrier's lines, none of them connected.
    pub fn new(id: CarrierId, lines: Vec<LineId>, clock: Clock) -> Self {
        let inner = Inner { lines: vec![LineState::Starting; lines.len()], ..Inner::default() };
        Self { id, lines, clock, inner: Mutex::new(inner) }
    }

    /// Whose it is.
    pub fn id(&self) -> &CarrierId {
        &self.id
    }

    /// Its lines.
    pub fn lines(&self) -> &[LineId] {
        &self.lines
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, line: &LineId) -> Option<usize> {
        self.lines.iter().position(|one| one == line)
    }

    /// A line's state changed.
    pub fn line(&self, line: &LineId, state: LineState) {
        if let Some(at) = self.at(line) {
            self.inner().lines[at] = state;
        }
    }

    /// How a line of this carrier stands.
    pub fn state(&self, line: &LineId) -> Option<LineState> {
        self.at(line).map(|at| self.inner().lines[at].clone())
    }

    /// Counts an oddity under its name; `line` when it belongs to one.
    pub fn count(&self, line: Option<&LineId>, trap: &'static str) {
        let at = line.and_then(|line| self.at(line));
        *self.inner().traps.entry((at, trap)).or_default() += 1;
    }

    /// How often an oddity was counted, over all lines.
    pub fn counted(&self, trap: &str) -> u64 {
        self.inner().traps.iter().filter(|((_, name), _)| *name == trap).map(|(_, count)| count).sum()
    }

    /// Someone must act. Logged once, until it is cleared.
    pub fn alarm(&self, name: &'static str, text: &str) {
        let mut inner = self.inner();
        if let Some(alarm) = inner.alarms.get_mut(name) {
            text.clone_into(&mut alarm.text);
            return;
        }
        inner.alarms.insert(name, Alarm { since: self.clock.now(), text: text.to_owned() });
        drop(inner);
        tracing::error!(carrier.name = %self.id, alarm = name, "Carrier {}: {text}", self.id);
    }

    /// What raised an alarm is over.
    pub fn clear(&self, name: &'static str) {
        if self.inner().alarms.remove(name).is_some() {
            tracing::info!(carrier.name = %self.id, alarm = name, "Carrier {}: alarm {name} is over", self.id);
        }
    }

    /// Whether an alarm stands.
    pub fn alarmed(&self, name: &str) -> bool {
        self.inner().alarms.contains_key(name)
    }

    /// How replies flow now.
    pub fn flow(&self, flow: FlowNow) {
        self.inner().flow = flow;
    }

    /// How replies flow, as last told.
    pub fn flow_now(&self) -> FlowNow {
        self.inner().flow.clone()
    }

    /// Something learned from traffic (`id_form`, `receipt_form`), in the words of its setting.
    pub fn learned(&self, what: &'static str, value: String) {
        self.inner().learned.insert(what, value);
    }
}
