//! One carrier on the board.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Pulse, Pulses};
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
    /// The ledger has taken nothing for so long that another instance may have taken over.
    Lease,
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
    /// It ends by itself then, unless what raised it is seen again.
    until: Option<Micros>,
}

/// The name of an alarm, and which line it is about, when it is about one.
pub(super) type AlarmKey = (&'static str, Option<usize>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) lines: Vec<LineState>,
    pub(super) traps: BTreeMap<(Option<usize>, &'static str), u64>,
    /// By name; a line's own beside those of the whole carrier.
    pub(super) alarms: BTreeMap<AlarmKey, Alarm>,
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
    pub(super) pulses: Pulses,
    line_pulses: Vec<Pulse>,
    outbox_pulse: Pulse,
}

impl CarrierBoard {
    /// A board for a carrier's lines, none of them connected.
    pub fn new(id: CarrierId, lines: Vec<LineId>, clock: Clock) -> Self {
        let inner = Inner { lines: vec![LineState::Starting; lines.len()], ..Inner::default() };
        let pulses = Pulses::default();
        let line_pulses = lines.iter().map(|line| pulses.add(format!("line {line}"))).collect();
        let outbox_pulse = pulses.add(format!("the outbox of {id}"));
        Self { id, lines, clock, inner: Mutex::new(inner), pulses, line_pulses, outbox_pulse }
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

    /// Where a line gives signs of life.
    pub fn line_pulse(&self, line: &LineId) -> Pulse {
        self.at(line).and_then(|at| self.line_pulses.get(at)).cloned().unwrap_or_default()
    }

    /// Where the outbox gives signs of life.
    pub fn outbox_pulse(&self) -> &Pulse {
        &self.outbox_pulse
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

    /// Whether another line of this carrier is bound.
    pub fn others_are_bound(&self, line: &LineId) -> bool {
        let own = self.at(line);
        let lines = &self.inner().lines;
        lines.iter().enumerate().any(|(at, state)| own != Some(at) && matches!(state, LineState::Bound { .. }))
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

    /// Someone must act about the carrier. Logged once, until it is cleared.
    pub fn alarm(&self, name: &'static str, text: &str) {
        self.raise((name, None), text, None);
    }

    /// What raised an alarm is over.
    pub fn clear(&self, name: &'static str) {
        self.lower((name, None));
    }

    /// Someone must act for a line's sake. Other lines' alarms of the same name stand beside it.
    pub fn line_alarm(&self, line: &LineId, name: &'static str, text: &str) {
        self.raise((name, self.at(line)), text, None);
    }

    /// What raised a line's alarm is over.
    pub fn clear_line(&self, line: &LineId, name: &'static str) {
        self.lower((name, self.at(line)));
    }

    /// Something was seen that someone must look at, on a line or on any. The alarm ends by itself once it was not seen
    /// again for so long.
    pub fn alarm_for(&self, line: Option<&LineId>, name: &'static str, text: &str, quiet: Duration) {
        let seconds = i64::try_from(quiet.as_secs()).unwrap_or(i64::MAX);
        let until = self.clock.now().plus_seconds(seconds);
        self.raise((name, line.and_then(|line| self.at(line))), text, Some(until));
    }

    fn raise(&self, key: AlarmKey, text: &str, until: Option<Micros>) {
        self.lower_old_alarms();
        let mut inner = self.inner();
        if let Some(alarm) = inner.alarms.get_mut(&key) {
            text.clone_into(&mut alarm.text);
            alarm.until = until;
            return;
        }
        inner.alarms.insert(key, Alarm { since: self.clock.now(), text: text.to_owned(), until });
        drop(inner);
        tracing::error!(carrier.name = %self.id, alarm = key.0, "Carrier {}: {text}", self.id);
    }

    fn lower(&self, key: AlarmKey) {
        if self.inner().alarms.remove(&key).is_some() {
            let of = self.line_at(key.1).map_or_else(|| format!("Carrier {}", self.id), |line| format!("Line {line}"));
            tracing::info!(carrier.name = %self.id, alarm = key.0, "{of}: alarm {} is over", key.0);
        }
    }

    /// Ends the alarms of what was not seen again for long enough.
    pub(super) fn lower_old_alarms(&self) {
        let now = self.clock.now();
        let is_over = |alarm: &Alarm| alarm.until.is_some_and(|until| now >= until);
        let over: Vec<AlarmKey> =
            self.inner().alarms.iter().filter(|(_, alarm)| is_over(alarm)).map(|(key, _)| *key).collect();
        for key in over {
            self.lower(key);
        }
    }

    /// The line that an alarm is about.
    pub(super) fn line_at(&self, at: Option<usize>) -> Option<&LineId> {
        at.and_then(|at| self.lines.get(at))
    }

    /// Whether an alarm stands, of the carrier or of any of its lines.
    pub fn alarmed(&self, name: &str) -> bool {
        self.lower_old_alarms();
        self.inner().alarms.keys().any(|(standing, _)| *standing == name)
    }

    /// Whether an alarm of a line stands.
    pub fn line_alarmed(&self, line: &LineId, name: &'static str) -> bool {
        self.lower_old_alarms();
        self.inner().alarms.contains_key(&(name, self.at(line)))
    }

    /// How replies flow now.
    pub fn flow(&self, flow: FlowNow) {
        self.inner().flow = flow;
        self.lower_old_alarms();
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
