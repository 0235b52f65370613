//! The board as one document, for `tracuu status`.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
};

use serde::{Deserialize, Serialize};

use super::{Board, CarrierBoard, Limit, LineState};
use crate::clock::Micros;

/// Everything on the board.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct View {
    /// The process.
    pub instance: String,
    /// For how long it has run, in seconds.
    pub up_s: i64,
    /// Mean time of a commit, in microseconds.
    pub commit_us: u64,
    /// Mean time of a look-up, in microseconds.
    pub lookup_us: u64,
    /// The store cannot be written now.
    pub store_down: bool,
    /// Why, in words.
    #[serde(default)]
    pub store_why: Option<String>,
    /// The last look-up failed.
    pub registry_down: bool,
    /// Messages answered with a temporary error by the desk.
    pub temporary: u64,
    /// What came of the last removal of the old since the start, in words.
    #[serde(default)]
    pub pruned: Option<String>,
    /// What someone must look at that belongs to no carrier.
    #[serde(default)]
    pub alarms: Vec<AlarmView>,
    /// One for each carrier.
    pub carriers: Vec<CarrierView>,
}

/// One carrier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CarrierView {
    /// Its name.
    pub name: String,
    /// Its lines.
    pub lines: Vec<LineView>,
    /// What holds its replies back, in words.
    pub limit: String,
    /// Replies that wait in memory.
    pub waiting: u64,
    /// More wait in the ledger.
    pub behind: bool,
    /// Segments that await a response.
    pub open: u64,
    /// Places of all windows.
    pub window: u64,
    /// Messages a second that may leave, when there is a limit.
    pub rate: Option<f64>,
    /// Oddities counted, over all lines.
    pub traps: BTreeMap<String, u64>,
    /// What was learned from traffic.
    pub learned: BTreeMap<String, String>,
    /// What someone must look at.
    pub alarms: Vec<AlarmView>,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LineView {
    /// Its name: `vtl/1rx`.
    pub name: String,
    /// Whether it is bound.
    pub bound: bool,
    /// In words.
    pub state: String,
    /// Oddities counted on it.
    pub traps: BTreeMap<String, u64>,
}

/// One alarm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlarmView {
    /// Its name.
    pub name: String,
    /// The line it is about, when it is about one.
    #[serde(default)]
    pub line: Option<String>,
    /// For how long it has stood, in seconds.
    pub since_s: i64,
    /// What is wrong and what to do.
    pub text: String,
}

impl Board {
    /// Everything on it, now.
    pub fn view(&self) -> View {
        let now = self.clock.now();
        let desk = &self.desk;
        let store_why = self.store.why();
        View {
            instance: self.instance.clone(),
            up_s: seconds(now, self.started_at),
            commit_us: desk.commit_us.load(Ordering::Relaxed),
            lookup_us: desk.lookup_us.load(Ordering::Relaxed),
            store_down: store_why.is_some(),
            store_why,
            registry_down: desk.registry_down.load(Ordering::Relaxed),
            temporary: desk.temporary.load(Ordering::Relaxed),
            pruned: self.last_removal(now),
            alarms: self.standing().iter().map(|(part, since)| still(part, seconds(now, *since))).collect(),
            carriers: self.carriers.iter().map(|carrier| carrier.view(now)).collect(),
        }
    }
}

impl Board {
    fn last_removal(&self, now: Micros) -> Option<String> {
        let last = self.pruned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        last.map(|(at, what, held)| {
            let stays: Vec<String> = held.iter().map(|why| format!("; {why}")).collect();
            format!("{what} ({} h ago){}", seconds(now, at) / 3_600, stays.concat())
        })
    }
}

impl CarrierBoard {
    fn view(&self, now: Micros) -> CarrierView {
        self.lower_old_alarms();
        let inner = self.inner();
        let mut traps: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, name), count) in &inner.traps {
            *traps.entry((*name).to_owned()).or_default() += count;
        }
        let lines = self.lines().iter().zip(&inner.lines).enumerate().map(|(at, (id, state))| LineView {
            name: id.to_string(),
            bound: matches!(state, LineState::Bound { .. }),
            state: state.words(now),
            traps: inner
                .traps
                .iter()
                .filter(|((line, _), _)| *line == Some(at))
                .map(|((_, name), count)| ((*name).to_owned(), *count))
                .collect(),
        });
        CarrierView {
            name: self.id().to_string(),
            lines: lines.collect(),
            limit: inner.flow.limit.words(now),
            waiting: inner.flow.waiting,
            behind: inner.flow.behind,
            open: inner.flow.open,
            window: inner.flow.window,
            rate: inner.flow.rate,
            traps,
            learned: inner.learned.iter().map(|(what, value)| ((*what).to_owned(), value.clone())).collect(),
            alarms: inner
                .alarms
                .iter()
                .map(|((name, line), alarm)| AlarmView {
                    name: (*name).to_owned(),
                    line: self.line_at(*line).map(ToString::to_string),
                    since_s: seconds(now, alarm.since),
                    text: alarm.text.clone(),
                })
                .collect(),
        }
    }
}

impl LineState {
    fn words(&self, now: Micros) -> String {
        match self {
            Self::Starting => "not connected yet".to_owned(),
            Self::Bound { since, version } => {
                let version = match version {
                    Some(version) => format!("SMPP {}.{}", version >> 4, version & 0x0F),
                    None => "no version named".to_owned(),
                };
                format!("bound for {} s ({version})", seconds(now, *since))
            }
            Self::Down { since, why } => format!("down for {} s: {why}", seconds(now, *since)),
        }
    }
}

impl Limit {
    fn words(&self, now: Micros) -> String {
        match self {
            Self::Nothing => "nothing holds replies back".to_owned(),
            Self::NoLine => "no line that sends is bound".to_owned(),
            Self::Pacing { rate } => format!("pacing: {rate:.1} messages/s"),
            Self::Window { latency_us } => format!(
                "window x latency: every place waits for a response, which takes {:.1} ms",
                *latency_us as f64 / 1_000.0
            ),
            // Said by congestion_state and not by a status.
            Self::Paused { status: 0, until } => {
                format!("paused: the carrier says that it is congested, {} s more", seconds(*until, now).max(0))
            }
            Self::Paused { status, until } => {
                let left = seconds(*until, now).max(0);
                format!("paused by the carrier (status {status:#04x}), {left} s more")
            }
            Self::Store => "the store does not take settlements".to_owned(),
            Self::Lease => {
                "nothing could be stored for 5 s: another instance may have taken over, so nothing leaves until something can"
                    .to_owned()
            }
        }
    }
}

/// The alarm of a part that stands still.
fn still(part: &str, since_s: i64) -> AlarmView {
    let text = format!(
        "{part} does not move. When it waits for a database, see whether that is locked or unreachable; else restart the service"
    );
    AlarmView { name: "stalled".to_owned(), line: None, since_s, text }
}

fn seconds(later: Micros, earlier: Micros) -> i64 {
    later.since(earlier) / 1_000_000
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        board::FlowNow,
        clock::Clock,
        message::{CarrierId, LineId, Role},
    };

    #[test]
    fn the_board_says_in_words_what_holds_a_carrier_back() {
        let clock = Clock::fixed(Micros(0));
        let id = CarrierId::parse("vtl").unwrap();
        let line = LineId { carrier: id.clone(), index: 1, role: Role::Receiver };
        let board = Board::new("one", clock.clone(), vec![(id.clone(), vec![line.clone()])]);
        let carrier = board.carrier(&id).unwrap();
        carrier.line(&line, LineState::Bound { since: Micros(0), version: Some(0x34) });
        carrier.count(Some(&line), "field_too_long");
        carrier.count(None, "field_too_long");
        carrier.alarm("wrong_code", "a text for 1234 came");
        clock.advance(5_000_000);
        let until = Micros(9_000_000);
        for (limit, words) in [
            (Limit::Nothing, "nothing holds"),
            (Limit::NoLine, "no line"),
            (Limit::Pacing { rate: 9.5 }, "9.5 messages/s"),
            (Limit::Window { latency_us: 12_300 }, "12.3 ms"),
            (Limit::Paused { status: 0x58, until }, "status 0x58), 4 s"),
            (Limit::Store, "store"),
            (Limit::Lease, "stored for 5 s"),
        ] {
            carrier.flow(FlowNow { limit, ..FlowNow::default() });
            let view = board.view();
            assert!(view.carriers[0].limit.contains(words), "{}", view.carriers[0].limit);
        }
        let view = board.view();
        let (carrier_view, line_view) = (&view.carriers[0], &view.carriers[0].lines[0]);
        assert_eq!((carrier_view.traps["field_too_long"], line_view.traps["field_too_long"]), (2, 1));
        assert_eq!((line_view.name.as_str(), line_view.state.as_str()), ("vtl/1rx", "bound for 5 s (SMPP 3.4)"));
        assert_eq!((carrier_view.alarms[0].since_s, carrier.counted("field_too_long")), (5, 2));
        carrier.clear("wrong_code");
        assert!(board.view().carriers[0].alarms.is_empty());
    }

    #[test]
    fn alarms_of_lines_are_each_their_own_and_what_is_not_seen_again_is_over() {
        let clock = Clock::fixed(Micros(0));
        let id = CarrierId::parse("vtl").unwrap();
        let line = |index| LineId { carrier: id.clone(), index, role: Role::Transceiver };
        let board = Board::new("one", clock.clone(), vec![(id.clone(), vec![line(1), line(2)])]);
        let carrier = board.carrier(&id).unwrap();
        for line in [line(1), line(2)] {
            carrier.line_alarm(&line, "reading_paused", "nothing can be stored");
        }
        carrier.clear_line(&line(1), "reading_paused");
        carrier.clear("reading_paused");
        let stands = |at| carrier.line_alarmed(&line(at), "reading_paused");
        assert_eq!((stands(1), stands(2), carrier.alarmed("reading_paused")), (false, true, true));
        assert_eq!(board.view().carriers[0].alarms[0].line.as_deref(), Some("vtl/2"));

        let hour = Duration::from_hours(1);
        carrier.alarm_for(None, "wrong_code", "a text for 1234 came", hour);
        clock.advance(3_599_000_000);
        carrier.alarm_for(None, "wrong_code", "a text for 1235 came", hour);
        clock.advance(3_599_000_000);
        assert!(carrier.alarmed("wrong_code"), "seen again");
        assert_eq!(board.view().carriers[0].alarms.len(), 2);
        clock.advance(1_000_000);
        assert_eq!((board.view().carriers[0].alarms.len(), carrier.alarmed("wrong_code")), (1, false));
    }
}
