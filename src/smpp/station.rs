//! What a line keeps from one session to the next: its place in the service, and the ways up and down.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    down::{Down, LINE_DOWN},
    error::{LineError, Pace, in_words},
    owed::Owed,
    pdu::status,
    poison::Poison,
    post::Post,
    seldom::Seldom,
    trap::Trap,
};
use crate::{
    board::{CarrierBoard, Pulse},
    clock::{Chance, Clock},
    message::{Lease, LineCommand, LineEvent, LineId, LineNo, Submit, SubmitResult},
};

/// Some SMSCs hold a lost session for minutes; after this long somebody must end it.
const BOUND_TOO_LONG: Duration = Duration::from_mins(10);
/// How long the alarm of a single event stands.
const A_DAY: Duration = Duration::from_hours(24);
/// Drops of a full window in a row that are no accident.
const DROPS: u8 = 3;
/// The alarm of a line whose account is refused.
const CREDENTIALS_REFUSED: &str = "credentials_refused";
/// The alarm of a line that cannot be connected with its settings: a TLS file, a name in a certificate.
const LINE_SETTINGS: &str = "line_settings";
/// The alarm of an address where no SMSC listens.
const NOT_SMPP: &str = "not_smpp_at_all";
/// The alarm of an account that stays bound.
const ALREADY_BOUND: &str = "already_bound";
/// The alarm of a carrier that hands over no receipts any more.
const RECEIPTS_MISSING: &str = "receipts_missing";
/// The alarm of a line that is one too many for its account.
const SESSION_LIMIT: &str = "session_limit";

/// How a line is joined to the rest of the service.
#[derive(Debug)]
pub struct Wiring {
    /// Its place in the service's list.
    pub line: LineNo,
    /// Takes questions and receipts, and the session's beginning and end.
    pub desk: mpsc::Sender<Vec<LineEvent>>,
    /// Takes what came back for submits, and the session's beginning and end with what is in doubt.
    pub outbox: mpsc::Sender<Vec<LineEvent>>,
    /// Answers and submits. Closing it ends the line in good order.
    pub commands: mpsc::Receiver<LineCommand>,
    /// Once cancelled, new messages get the temporary error and are not handed up.
    pub quiesce: CancellationToken,
    /// The time of day.
    pub clock: Clock,
    /// Moves the waits between connections.
    pub chance: Chance,
    /// The name in logs; its role decides how it is bound.
    pub label: LineId,
    /// Where it says how it stands and what it met.
    pub board: Arc<CarrierBoard>,
    /// The receipts that its carrier owes, one for all of the carrier's lines.
    pub owed: Arc<Owed>,
    /// Without it no submit leaves.
    pub lease: Arc<Lease>,
}

/// A line without a session.
#[derive(Debug)]
pub struct Station {
    pub(super) line: LineNo,
    pub(super) post: Post,
    pub(super) commands: mpsc::Receiver<LineCommand>,
    pub(super) quiesce: CancellationToken,
    pub(super) clock: Clock,
    pub(super) chance: Chance,
    pub(super) label: LineId,
    pub(super) board: Arc<CarrierBoard>,
    pub(super) owed: Arc<Owed>,
    pub(super) lease: Arc<Lease>,
    /// Where it gives signs of life.
    pub(super) pulse: Pulse,
    /// For which want of receipts it has raised the alarm, and for which it has bound anew.
    lacks: Option<u64>,
    bound_for: Option<u64>,
    /// Broken messages that came already.
    pub(super) poison: Poison,
    /// No message comes, and the alarm stands.
    pub(super) is_mute: bool,
    /// No message came, and none since.
    pub(super) was_mute: bool,
    /// Sessions in a row that were dropped while the window was full.
    full_window_drops: u8,
    /// Submits beyond what the line can hold.
    overruns: Seldom,
    /// Since when it has had no session.
    pub(super) down: Down,
    /// Since when the SMSC says that the account is bound already.
    already_bound_since: Option<Instant>,
    /// The alarm of what keeps it from being bound.
    until_bound: Option<&'static str>,
}

impl Station {
    /// Takes the wiring over.
    #[must_use]
    pub fn new(wiring: Wiring) -> Self {
        Self {
            line: wiring.line,
            post: Post::new(wiring.desk, wiring.outbox),
            commands: wiring.commands,
            quiesce: wiring.quiesce,
            clock: wiring.clock,
            pulse: wiring.board.line_pulse(&wiring.label),
            chance: wiring.chance,
            label: wiring.label,
            board: wiring.board,
            owed: wiring.owed,
            lease: wiring.lease,
            lacks: None,
            bound_for: None,
            poison: Poison::default(),
            is_mute: false,
            was_mute: false,
            full_window_drops: 0,
            overruns: Seldom::default(),
            down: Down::default(),
            already_bound_since: None,
            until_bound: None,
        }
    }

    /// Counts an oddity.
    pub(super) fn note(&self, trap: Trap) {
        self.board.count(Some(&self.label), trap.as_str());
        trap.note(&self.label);
    }

    /// The bind was refused, or no connection can be had: raises the alarm where people must act. An account that is
    /// still bound frees itself as a rule; one that does not within [`BOUND_TOO_LONG`] needs somebody too.
    pub(super) fn not_bound(&mut self, error: &LineError, pace: Pace, now: Instant) {
        let lately = matches!(error, LineError::Refused { status: status::ALREADY_BOUND })
            && now < *self.already_bound_since.get_or_insert(now) + BOUND_TOO_LONG;
        let (name, why) = match pace {
            Pace::Configuration if matches!(error, LineError::Refused { .. }) => (CREDENTIALS_REFUSED, String::new()),
            Pace::Configuration => (LINE_SETTINGS, String::new()),
            Pace::WrongPeer => (NOT_SMPP, String::new()),
            Pace::AlreadyBound | Pace::SessionLimit if lately => return,
            Pace::AlreadyBound => (ALREADY_BOUND, format!(" for {}", in_words(BOUND_TOO_LONG))),
            Pace::SessionLimit => {
                (SESSION_LIMIT, " beside the other lines of its carrier, see `lines` and ask the carrier".to_owned())
            }
            Pace::Usual | Pace::Busy => return,
        };
        if let Some(before) = self.until_bound.replace(name).filter(|before| *before != name) {
            self.board.clear_line(&self.label, before);
        }
        self.board.line_alarm(&self.label, name, &format!("{} cannot be bound{why}: {error}", self.label));
    }

    /// The line is bound: what kept it from that is over.
    pub(super) fn is_bound(&mut self) {
        self.already_bound_since = None;
        if let Some(name) = self.until_bound.take() {
            self.board.clear_line(&self.label, name);
        }
        if self.down.ends() {
            self.board.clear_line(&self.label, LINE_DOWN);
        }
    }

    /// Says so when the line has been without a session for too long.
    pub(super) fn tell_down(&mut self) {
        if let Some(words) = self.down.told(&self.label, Instant::now()) {
            self.board.line_alarm(&self.label, LINE_DOWN, &words);
        }
    }

    /// Something happened that someone should look at; it stays on the board for a day after the last time.
    pub(super) fn alarm_for_a_day(&self, name: &'static str, words: &str) {
        self.board.alarm_for(Some(&self.label), name, words, A_DAY);
    }

    /// No message came for so long. `for_good`: the line is not bound anew for it.
    pub(super) fn fell_mute(&mut self, mute_for: Duration, for_good: bool) {
        (self.is_mute, self.was_mute) = (for_good, true);
        let words = format!("{} is bound, and no message has come for {}", self.label, in_words(mute_for));
        self.board.line_alarm(&self.label, Trap::HalfDead.as_str(), &words);
    }

    /// A message came.
    pub(super) fn speaks(&mut self) {
        if self.was_mute {
            (self.is_mute, self.was_mute) = (false, false);
            self.board.clear_line(&self.label, Trap::HalfDead.as_str());
        }
    }

    /// Replies are taken, and no receipt has come for so long. `true` when this line says so for the first time.
    pub(super) fn lacks_receipts(&mut self, want: u64, after: Duration) -> bool {
        if self.owed.tell() {
            let words = format!("takes replies, and has sent no receipt for {}: ask it", in_words(after));
            self.board.alarm(RECEIPTS_MISSING, &words);
        }
        self.lacks.replace(want) != Some(want)
    }

    /// Whether this line has said so.
    pub(super) fn knows_it_lacks(&self, want: u64) -> bool {
        self.lacks == Some(want)
    }

    /// Whether it may bind anew for this want: once, and not together with another line.
    pub(super) fn may_bind_for_receipts(&mut self, want: u64, now: Instant) -> bool {
        let may = self.bound_for != Some(want) && self.owed.turn(now);
        if may {
            self.bound_for = Some(want);
        }
        may
    }

    /// A receipt came.
    pub(super) fn receipts_come(&self) {
        if self.owed.came() {
            self.board.clear(RECEIPTS_MISSING);
        }
    }

    /// A session ended, dropped by the SMSC while all places of the window were taken, or otherwise. From the
    /// [`DROPS`]rd in a row on the SMSC's own window may be smaller.
    pub(super) fn dropped_when_full(&mut self, dropped: bool, window: u32) {
        if !dropped {
            self.full_window_drops = 0;
            return;
        }
        self.note(Trap::FullWindowDrop);
        self.full_window_drops = self.full_window_drops.saturating_add(1);
        if self.full_window_drops >= DROPS {
            let words = format!(
                "the SMSC dropped {} {DROPS} times and more while all {window} places of its window were taken: it may \
                 allow fewer, see `window`",
                self.label
            );
            self.alarm_for_a_day(Trap::FullWindowDrop.as_str(), &words);
        }
    }

    /// Runs `work` while commands and events are still attended to; `None` when the line was told to stop.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        // What is waited for has a deadline of its own.
        self.pulse.rest();
        loop {
            self.post.hand_up();
            let down_at = self.down.due();
            tokio::select! {
                biased;
                command = self.commands.recv(), if self.post.has_room() => match command {
                    Some(command) => self.turn_away(command),
                    None => return None,
                },
                done = &mut work => return Some(done),
                () = self.post.room(), if self.post.is_waiting() => {}
                () = sleep_until(down_at.unwrap_or_else(Instant::now)), if down_at.is_some() => self.tell_down(),
            }
        }
    }

    /// A command that came while there is no session: answers are for one that ended, submits come back unsent.
    fn turn_away(&mut self, command: LineCommand) {
        match command {
            LineCommand::Answers(_) | LineCommand::Rebind { .. } => {}
            LineCommand::Submits(submits) => {
                for submit in submits {
                    self.never_left(&submit);
                }
            }
        }
    }

    /// Hands a submit back that never reached the wire, for no fault of its own.
    pub(super) fn never_left(&mut self, submit: &Submit) {
        self.hand_back(submit, SubmitResult::Unsent);
    }

    /// Hands a submit back for which the line has no room.
    pub(super) fn overrun(&mut self, submit: &Submit, now: Instant) {
        self.note(Trap::WindowOverrun);
        if let Some(times) = self.overruns.happened(now) {
            let label = &self.label;
            tracing::warn!(
                carrier.name = %label.carrier, line = %label, times,
                "Line {label} was given more submits than it can hold, and handed {times} back"
            );
        }
        self.never_left(submit);
    }

    /// Hands a submit back that cannot be written, with the status an SMSC would refuse it with.
    pub(super) fn unwritable(&mut self, submit: &Submit, command_status: u32) {
        self.hand_back(submit, SubmitResult::Rejected { status: command_status, reason: None });
    }

    fn hand_back(&mut self, submit: &Submit, result: SubmitResult) {
        let (line, id, at) = (self.line, submit.id, self.clock.now());
        self.post.for_outbox(LineEvent::Response { line, id, result, at });
    }
}
