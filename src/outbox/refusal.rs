//! What a refusal means for the carrier's traffic beyond the segment that was refused.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::mpsc::error::TrySendError, time::Instant};

use super::{
    Outbox,
    live::Next,
    status::{self, Action, Change, Last, Manner, Waits, action},
};
use crate::{
    board::CarrierBoard,
    message::{LineCommand, LineNo, RowKey, SubmitId},
};

/// Messages refused for our settings, with nothing taken in between and no longer apart than [`TOGETHER`], that mean
/// it: the alarm is raised and the carrier left alone for a while. Fewer may be about their own messages, and must not
/// keep everybody else waiting.
pub(super) const FAULTS: usize = 3;

/// So many numbers instead, where what is refused is the form of the citizen's own: a few odd senders after one another
/// are no rarity where little comes. The alarm is raised after [`FAULTS`] of them.
pub(super) const NUMBERS: usize = 10;

/// What is further apart says nothing together.
const TOGETHER: Duration = Duration::from_mins(10);

/// How long a message waits that was refused for our settings, and the carrier with it.
const MEND: Duration = Duration::from_secs(60);

/// How long a destination waits whose own queue is full.
const NUMBER_FULL: Duration = Duration::from_secs(60);

/// So many destinations in a row, and nothing taken in between: the queue is full for everybody.
const EVERYBODY: usize = 3;

/// Segments of full numbers that are remembered, to go earlier once it is everybody's queue.
const ALONE: usize = 1_024;

/// The carrier's pause then, and after many system errors.
const BUSY: Duration = Duration::from_secs(5);

/// Full for everybody for so long is a matter for people.
const FULL_TOO_LONG: Duration = Duration::from_secs(600);

/// System errors in a row that mean that the carrier is busy.
const SYSTEM_ERRORS: u32 = 10;

/// Unreadable frames within a minute that mean that the session is out of step.
const BAD_FRAMES: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// Statuses that nobody has documented are told once a day each, and so many at most.
const DAY: Duration = Duration::from_hours(24);
const TOLD: usize = 64;

/// What was refused for our settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Message(RowKey),
    Number(u64),
}

/// What the carrier has refused lately.
#[derive(Default)]
pub(super) struct Refusals {
    /// Refused for our settings, since it last took anything: messages, or numbers where those are what is refused.
    faults: Vec<(Refused, Instant)>,
    /// Our settings are at fault, by this status, until it takes anything.
    fault: Option<u32>,
    system_errors: u32,
    /// Destinations whose queue is full, since it last took anything.
    full: Vec<u64>,
    /// What waits for its number's sake alone.
    full_alone: Vec<SubmitId>,
    /// Since when it is everybody's.
    full_since: Option<Instant>,
    bad_frames: Vec<Instant>,
    told: HashMap<u32, Instant>,
    /// Alarms that end when something is taken.
    raised: Vec<&'static str>,
}

impl Refusals {
    /// The carrier took something: whatever seemed wrong is not.
    pub(super) fn accepted(&mut self, board: &CarrierBoard) {
        self.faults.clear();
        (self.fault, self.system_errors) = (None, 0);
        if !self.full.is_empty() {
            self.full.clear();
            self.full_alone.clear();
            self.full_since = None;
        }
        for name in self.raised.drain(..) {
            board.clear(name);
        }
    }

    /// Whether one message at a time is enough, to see whether the carrier has changed its mind; with the status it last
    /// refused with.
    pub(super) fn probing(&self) -> Option<u32> {
        self.fault.or_else(|| (self.full.len() >= EVERYBODY).then_some(status::QUEUE_FULL))
    }

    /// Our settings seem to be at fault. Tells whether there is enough of it for the alarm; [`Self::fault`] says whether
    /// for a pause. What is tried again and refused again counts once.
    fn blame(&mut self, what: Refused, status: u32, now: Instant) -> bool {
        if self.fault.is_none() {
            self.faults.retain(|(before, at)| *before != what && now < *at + TOGETHER);
            self.faults.push((what, now));
            let messages = self.faults.iter().filter(|(one, _)| matches!(one, Refused::Message(_))).count();
            if messages < FAULTS && self.faults.len() < NUMBERS {
                return self.faults.len() >= FAULTS;
            }
            self.faults.clear();
        }
        self.fault = Some(status);
        true
    }

    fn raise(&mut self, board: &CarrierBoard, name: &'static str, text: &str) {
        board.alarm(name, text);
        if !self.raised.contains(&name) {
            self.raised.push(name);
        }
    }

    /// A full queue. `None`: of this number alone. Else everybody's, with what had been held for its number alone.
    fn queue_full(&mut self, number: u64, id: SubmitId, now: Instant) -> Option<Vec<SubmitId>> {
        if self.full.len() < EVERYBODY && !self.full.contains(&number) {
            self.full.push(number);
        }
        if self.full.len() >= EVERYBODY {
            self.full_since.get_or_insert(now);
            return Some(std::mem::take(&mut self.full_alone));
        }
        if self.full_alone.len() < ALONE {
            self.full_alone.push(id);
        }
        None
    }

    fn bad_frame(&mut self, now: Instant) -> bool {
        self.bad_frames.retain(|at| now < *at + MINUTE);
        self.bad_frames.push(now);
        let many = self.bad_frames.len() >= BAD_FRAMES;
        if many {
            self.bad_frames.clear();
        }
        many
    }

    /// Whether an undocumented status is to be told now.
    fn tell(&mut self, status: u32, now: Instant) -> bool {
        let lately = self.told.get(&status).is_some_and(|at| now < *at + DAY);
        if lately || self.told.len() >= TOLD && !self.told.contains_key(&status) {
            return false;
        }
        self.told.insert(status, now);
        true
    }
}

impl Outbox {
    /// A segment was refused: the action of its status, for it and for everything else.
    pub(super) fn refused(&mut self, line: LineNo, id: SubmitId, status: u32, reason: Option<u8>, now: Instant) {
        if !self.live.get(&id.exchange).is_some_and(|live| live.awaits(id.segment)) {
            return;
        }
        let action = action(&self.carrier.flow.statuses, status, reason);
        self.note(line, id, status, action);
        let next = match action {
            Action::Retry(waits) => {
                if status == status::SYSTEM_ERROR {
                    self.refusals.system_errors += 1;
                    if self.refusals.system_errors >= SYSTEM_ERRORS {
                        self.pacer.slow_down(status, BUSY, now);
                    }
                }
                self.retry(id, status, waits)
            }
            Action::Unknown(waits) => {
                if self.refusals.tell(status, now) {
                    let text = format!(
                        "answers status {status:#04x}, which nobody has documented; ask the carrier, then say in `statuses` what it means"
                    );
                    self.board.alarm("status_unknown", &text);
                }
                self.retry(id, status, waits)
            }
            Action::Slow(pause) => {
                self.pacer.slow_down(status, pause, now);
                self.again(id, status, pause, status == status::THROTTLED)
            }
            Action::QueueFull => {
                let wait = self.queue_full(line, id, now);
                let alone = wait == NUMBER_FULL;
                if alone && !self.may_wait(id.exchange) {
                    self.give_up(id, status)
                } else {
                    self.again(id, status, wait, false)
                }
            }
            Action::GiveUp => self.give_up(id, status),
            Action::BadFrame => {
                if self.refusals.bad_frame(now) {
                    self.rebind(line);
                }
                self.give_up(id, status)
            }
            Action::Rebind => {
                let wait = if self.rebind(line) { Duration::ZERO } else { Duration::from_secs(1) };
                self.again(id, status, wait, false)
            }
            Action::Ours => self.ours(id, status, now),
            Action::Once(change, last) => self.once(id, status, change, last, now),
        };
        self.follow(id.exchange, next, now);
    }

    fn again(&mut self, id: SubmitId, status: u32, wait: Duration, may_be_double: bool) -> Next {
        self.live.get_mut(&id.exchange).map_or(Next::Wait, |live| {
            if may_be_double {
                live.may_be_double();
            }
            live.again(id.segment, status, wait, false)
        })
    }

    fn retry(&mut self, id: SubmitId, status: u32, waits: Waits) -> Next {
        let most = self.carrier.flow.tries;
        let tries = self.live.get(&id.exchange).map_or(0, |live| live.tries(id.segment));
        let wait = waits.after(tries).filter(|_| tries < most);
        // A system error says nothing about the number.
        let wait = wait.filter(|_| status == status::SYSTEM_ERROR || self.may_wait(id.exchange));
        self.live.get_mut(&id.exchange).map_or(Next::Wait, |live| match wait {
            Some(wait) => live.again(id.segment, status, wait, true),
            None => live.give_up(id.segment, status),
        })
    }

    fn give_up(&mut self, id: SubmitId, status: u32) -> Next {
        self.live.get_mut(&id.exchange).map_or(Next::Wait, |live| live.give_up(id.segment, status))
    }

    fn once(&mut self, id: SubmitId, status: u32, change: Change, last: Last, now: Instant) -> Next {
        let other_number = change == Change::Without(Manner::OTHER_NUMBER);
        if (!other_number || self.carrier.flow.retry_number_form)
            && let Some(live) = self.live.get_mut(&id.exchange)
            && let Some(next) = live.change(id.segment, status, change)
        {
            return next;
        }
        match last {
            Last::GiveUp => self.give_up(id, status),
            Last::GiveUpOurs => {
                if self.refusals.tell(status, now) {
                    let text = format!(
                        "refuses the length of replies (status {status:#04x}); check `split` and `segment_slack`"
                    );
                    self.board.alarm("too_long", &text);
                }
                self.give_up(id, status)
            }
            Last::Ours => self.ours(id, status, now),
        }
    }

    /// Our settings are at fault: the message waits, and after several in a row everything does.
    fn ours(&mut self, id: SubmitId, status: u32, now: Instant) -> Next {
        // The segments of one message are refused together.
        let mut what = Refused::Message(id.exchange);
        if status::is_about_the_number(status)
            && let Some(live) = self.live.get(&id.exchange)
        {
            what = Refused::Number(self.references.token(&live.reply.content.destination));
        }
        if self.refusals.blame(what, status, now) {
            let (name, text) = match status {
                0x0A | 0x48 | 0x49 => (
                    "source_refused",
                    "refuses the short code as the source of replies; check source_ton, source_npi and short_codes",
                ),
                _ => ("settings_refused", "refuses how replies are addressed or coded; check its section"),
            };
            self.refusals.raise(&self.board, name, &format!("{text} (status {status:#04x}). Replies wait."));
        }
        if self.refusals.fault.is_some() {
            self.pacer.pause_until(now + MEND, status);
        } else if !self.may_wait(id.exchange) {
            return self.give_up(id, status);
        }
        self.again(id, status, MEND, false)
    }

    /// A full queue: this number waits, or everybody.
    fn queue_full(&mut self, line: LineNo, id: SubmitId, now: Instant) -> Duration {
        let Some(live) = self.live.get(&id.exchange) else { return NUMBER_FULL };
        let number = self.references.token(&live.reply.content.destination);
        match self.refusals.queue_full(number, id, now) {
            None => {
                self.count(line, "queue_full_one_number");
                self.held.insert(number, now + NUMBER_FULL);
                NUMBER_FULL
            }
            Some(others) => {
                self.count(line, "queue_full_all");
                self.pacer.slow_down(status::QUEUE_FULL, BUSY, now);
                for other in others {
                    self.due.push(std::cmp::Reverse((now + BUSY, other.exchange.0, other.segment)));
                }
                self.held.clear();
                if self.refusals.full_since.is_some_and(|since| now >= since + FULL_TOO_LONG) {
                    let text = "has answered \"queue full\" (0x14) to everything for 10 minutes. Some carriers say so when \
                                the account has no credit: ask the carrier.";
                    self.refusals.raise(&self.board, "credit_or_queue", text);
                }
                BUSY
            }
        }
    }

    /// Has a line bind anew; nothing goes over it until it has. `false`: it could not be told.
    fn rebind(&mut self, line: LineNo) -> bool {
        let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) else { return true };
        if slot.up {
            match slot.commands.try_send(LineCommand::Rebind { session: slot.session }) {
                Ok(()) | Err(TrySendError::Closed(_)) => slot.up = false,
                Err(TrySendError::Full(_)) => return false,
            }
        }
        true
    }

    /// Alarms that stand for a day.
    pub(super) fn review(&mut self, now: Instant) {
        if !self.refusals.told.is_empty() {
            self.refusals.told.retain(|_, at| now < *at + DAY);
            if self.refusals.told.is_empty() {
                self.board.clear("status_unknown");
                self.board.clear("too_long");
            }
        }
    }

    /// Counts what is met under its name.
    fn note(&self, line: LineNo, id: SubmitId, status: u32, action: Action) {
        if self.carrier.flow.statuses.contains_key(&status) {
            self.count(line, "status_means_other");
        }
        let half = || self.live.get(&id.exchange).is_some_and(super::live::Live::is_half_taken);
        let trap = match status {
            0x01 => "too_long",
            0x07 => "receipt_refused",
            0x0A | 0x48 | 0x49 => "source_refused",
            0x43 => "udh_refused",
            status::THROTTLED if half() => "throttled_mid_text",
            status::THROTTLED => "throttled",
            0x62 => "validity_refused",
            0x104 | 0x433 => "coding_refused",
            0xFE => "status_in_transaction_mode",
            _ if matches!(action, Action::Unknown(_)) => "status_unknown",
            _ => return,
        };
        self.count(line, trap);
    }
}
