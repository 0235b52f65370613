//! The whole path on one page: what waits at the carriers' doors is taken in turn, looked up together, decided, and
//! handed to the writer; acknowledgements and replies leave when the commit is back. While one group commits, the next
//! is being decided, and the one after it looked up.

mod begun;
mod decide;
mod door;
mod doubt;
mod group;
mod heir;
mod loops;
mod odd;
mod undecided;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

pub use decide::{Conclusion, Decided, Decider, charge_class};
pub use door::Doors;
pub use heir::{FromOthers, Heir, Known};
pub use loops::Loops;
pub use undecided::Undecided;

use group::{Asked, Group, Next, Question, Row, asked, first_fates, gather, looked_up, waits, whole};
use odd::{receipt_entry, silence};

use crate::{
    board::Board,
    config::Carrier,
    intake::{Inbound, Intake, Taken},
    ledger::{Entry, Fate},
    message::{Answer, AnswerStatus, CarrierId, LineCommand, LineEvent, LineNo, Sender},
    outbox::{Content, Door, Outgoing},
};

/// Groups under way to the disk at most: those being committed, and those waiting behind them to be committed together.
const UNDER_WAY: usize = 4;

/// How often long texts whose parts did not come are looked for.
const OVERDUE: Duration = Duration::from_millis(250);

/// How often parts of open texts are looked for that came to other instances, and how long that may take.
const BESIDE: Duration = Duration::from_millis(500);
const LOOKING: Duration = Duration::from_secs(1);

/// The one desk of a process.
pub struct Desk {
    /// Decides.
    pub decider: Decider,
    /// Joins and recognises.
    pub intake: Intake,
    /// Where each line's answers go, and which carrier it belongs to.
    pub lines: BTreeMap<LineNo, (mpsc::Sender<LineCommand>, Arc<Carrier>)>,
    /// Where each carrier's replies go.
    pub replies: BTreeMap<CarrierId, Door>,
    /// Questions decided in one go at most.
    pub batch: usize,
    /// Where it says what it meets.
    pub board: Arc<Board>,
    /// What went to whom, of late.
    pub loops: Loops,
    /// What is heard of other instances.
    pub others: mpsc::Receiver<FromOthers>,
    /// A planted fault, which a simulation must find. No configuration sets it.
    #[doc(hidden)]
    pub answers_too_early: bool,
}

impl Desk {
    /// Runs until `stop`, then finishes what it has taken.
    pub async fn run(mut self, mut doors: Doors, stop: CancellationToken) {
        let mut under_way: VecDeque<Group> = VecDeque::new();
        let mut next: Option<Next> = None;
        let mut looked_for_late = Instant::now();
        let mut overdue = tokio::time::interval(OVERDUE);
        overdue.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut beside = tokio::time::interval(BESIDE);
        beside.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let pulse = self.board.pulses.add("the desk");
        loop {
            pulse.beat();
            tokio::select! {
                biased;
                fates = first_fates(&mut under_way) => {
                    self.finish(&mut under_way, &fates);
                    self.decider.ledger.note_unheard(self.intake.unheard()).await;
                }
                _ = overdue.tick(), if next.is_none() && under_way.len() < UNDER_WAY => {
                    looked_for_late = Instant::now();
                    let late = self.intake.overdue(self.decider.clock.now(), self.batch);
                    if !late.is_empty() {
                        self.tell_met();
                        next = Some(self.begin(late.into_iter().map(whole).collect(), Vec::new()));
                    }
                }
                () = looked_up(&mut next) => {
                    let group = next.take();
                    // Looked up while this one is decided, but when it is time to look for what is overdue.
                    let room = under_way.len() + 1 < UNDER_WAY && looked_for_late.elapsed() < OVERDUE;
                    let events = if room { doors.take_now(self.batch) } else { None };
                    let (now, later) = events.map_or((None, None), |events| {
                        if events.iter().any(waits) { (None, Some(events)) } else { (Some(events), None) }
                    });
                    if let Some(events) = now {
                        next = self.take(events).await;
                    }
                    under_way.extend(self.decide(group).await);
                    if let Some(events) = later {
                        next = self.take(events).await;
                    }
                }
                _ = beside.tick(), if self.decider.ledger.is_shared() && self.intake.sizes().0 > 0 => {
                    // What cannot be seen now is seen the next time.
                    let looking = self.intake.look_beside(&self.decider.carriers);
                    let _ = tokio::time::timeout(LOOKING, looking).await;
                }
                Some(heard) = self.others.recv() => match heard {
                    FromOthers::Parts(parts) => self.intake.take_over(parts, &self.decider.carriers),
                    FromOthers::Unheard(messages) => self.intake.may_come_again(messages, &self.decider.carriers),
                },
                events = doors.take(self.batch), if next.is_none() && under_way.len() < UNDER_WAY => match events {
                    Some(events) => next = self.take(events).await,
                    None => break,
                },
                () = stop.cancelled() => break,
            }
        }
        under_way.extend(self.decide(next).await);
        while !under_way.is_empty() {
            let fates = first_fates(&mut under_way).await;
            self.finish(&mut under_way, &fates);
        }
        pulse.rest();
    }

    /// Sorts events into questions to be decided, entries to be stored, and answers that can leave at once.
    async fn take(&mut self, mut events: Vec<LineEvent>) -> Option<Next> {
        self.tell_unmarked(&mut events).await;
        let (mut questions, mut stored) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                LineEvent::Question(part) => {
                    let Some(carrier) = self.owner(part.line) else { continue };
                    let (line, session, sequence) = (part.line, part.session, part.sequence);
                    if part.unmarked_receipt.is_some() {
                        self.board.desk.temporary(1);
                        self.answer(line, vec![Answer { session, sequence, status: AnswerStatus::Temporary }]);
                        continue;
                    }
                    match self.intake.accept(&carrier, part) {
                        Taken::Whole(inbound) => {
                            let asked = Some((carrier, line, session, sequence));
                            questions.push(Question { inbound: *inbound, asked });
                        }
                        Taken::Store(entry) => stored.push(asked(carrier, line, session, sequence, entry, None)),
                        Taken::Again(entry, print) => {
                            stored.push(asked(carrier, line, session, sequence, entry, Some(print)));
                        }
                        Taken::Aside(odd) => stored.push(self.aside(carrier, *odd)),
                        Taken::Answer(status) => {
                            self.board.desk.temporary(1);
                            self.answer(line, vec![Answer { session, sequence, status }]);
                        }
                    }
                }
                LineEvent::Receipt { line, session, sequence, ticket, receipt, received_at } => {
                    let Some(carrier) = self.owner(line) else { continue };
                    stored.push(receipt_entry(carrier, (line, session, sequence), receipt, ticket, received_at));
                }
                LineEvent::Down { line, session, at, .. } => {
                    let Some(carrier) = self.owner(line) else { continue };
                    self.intake.session_ended(&carrier, line, session, at);
                    self.decider.ledger.note_break(carrier.id.clone(), at).await;
                }
                LineEvent::Odd(odd) => {
                    let Some(carrier) = self.owner(odd.line) else { continue };
                    stored.push(self.aside(carrier, odd));
                }
                LineEvent::Up { .. } | LineEvent::Response { .. } | LineEvent::Congestion { .. } => {}
            }
        }
        // Texts that another took the place of come to their end at once.
        questions.extend(self.intake.superseded().into_iter().map(whole));
        // The audit chain goes by the keys.
        questions.sort_by_key(|question| question.inbound.key);
        self.tell_met();
        if questions.is_empty() && stored.is_empty() { None } else { Some(self.begin(questions, stored)) }
    }

    /// The carrier of a line. Lines are numbered by the service that owns this desk, so there is always one.
    fn owner(&self, line: LineNo) -> Option<Arc<Carrier>> {
        self.lines.get(&line).map(|(_, owner)| Arc::clone(owner))
    }

    /// Begins to look questions up.
    fn begin(&self, questions: Vec<Question>, stored: Vec<(Asked, Entry)>) -> Next {
        let (inbound, origins): (Vec<Inbound>, Vec<_>) =
            questions.into_iter().map(|question| (question.inbound, question.asked)).unzip();
        Next { undecided: self.decider.begin(inbound), origins, stored }
    }

    /// Decides on the questions and hands everything to the writer, in the order of its keys.
    async fn decide(&mut self, next: Option<Next>) -> Option<Group> {
        let Next { undecided, origins, stored } = next?;
        let decided = self.decider.decide(undecided, &mut self.loops, &self.board.desk).await;
        let mut asked = Vec::with_capacity(decided.len() + stored.len());
        let mut entries = Vec::with_capacity(decided.len() + stored.len());
        for (Decided { entry, outgoing }, origin) in decided.into_iter().zip(origins) {
            let Entry::Exchange { row, ticket, .. } = &entry else { continue };
            let (key, line) = (row.key, LineNo(row.line));
            if let Some(trap) = silence(row.outcome, row.reason) {
                self.note(&row.carrier, line, trap);
            }
            let (carrier, line, session, sequence) = match origin {
                Some(origin) => origin,
                None => match self.decider.carriers.get(&row.carrier) {
                    Some(carrier) => (Arc::clone(carrier), line, 0, 0),
                    None => continue,
                },
            };
            let ticket = ticket.clone();
            asked.push(Asked { carrier, line, session, sequence, ticket, row: Row::Own(key), outgoing });
            entries.push(entry);
        }
        for (one, entry) in stored {
            asked.push(one);
            entries.push(entry);
        }
        if self.answers_too_early {
            for one in asked.iter().filter(|one| one.ticket.is_some()) {
                let (session, sequence, status) = (one.session, one.sequence, AnswerStatus::Stored);
                self.answer(one.line, vec![Answer { session, sequence, status }]);
            }
        }
        let handed_over = Instant::now();
        Some(Group { asked, fates: self.decider.ledger.hand_over(entries).await, handed_over })
    }

    /// The oldest group's commit is back: only now do acknowledgements and replies leave (law 1).
    fn finish(&mut self, under_way: &mut VecDeque<Group>, fates: &[Fate]) {
        let Some(group) = under_way.pop_front() else { return };
        let now = self.decider.clock.now();
        let micros = group.handed_over.elapsed().as_micros() as u64;
        self.board.desk.committed(micros);
        let mut temporary = 0;
        let mut answers: Vec<(LineNo, Vec<Answer>)> = Vec::new();
        let mut replies: Vec<(CarrierId, Vec<Outgoing>)> = Vec::new();
        for (at, one) in group.asked.into_iter().enumerate() {
            let fate = fates.get(at).copied().unwrap_or(Fate::Failed);
            let status = match (fate, &one.row) {
                (Fate::Stored, Row::Aside(status)) => Some(AnswerStatus::Final(*status)),
                (Fate::Stored, Row::Own(_) | Row::Repeat(..) | Row::Receipt) => Some(AnswerStatus::Stored),
                (Fate::Failed | Fate::Orphan | Fate::Elsewhere, _) => Some(AnswerStatus::Temporary),
                (Fate::GivenUp, _) => None,
            };
            let answered = status.is_some() && one.ticket.as_ref().is_none_or(|ticket| ticket.answer());
            match (&one.row, fate) {
                (Row::Own(key), Fate::Stored) => self.intake.stored(&one.carrier, *key, answered, now),
                // The ledger says `Failed` only when it knows; without any word the writer has gone, and nobody knows.
                (Row::Own(key), Fate::GivenUp | Fate::Orphan | Fate::Elsewhere | Fate::Failed) => {
                    self.intake.not_stored(&one.carrier, *key, fates.is_empty(), now);
                }
                (Row::Repeat(of, print), Fate::Orphan) => self.intake.orphaned(print, *of),
                (Row::Repeat(..) | Row::Receipt | Row::Aside(_), _) => {}
            }
            temporary += u64::from(status == Some(AnswerStatus::Temporary));
            if let (Some(status), true, Some(_)) = (status, answered, &one.ticket) {
                let answer = Answer { session: one.session, sequence: one.sequence, status };
                gather(&mut answers, one.line, answer);
            }
            match (fate, one.outgoing) {
                (Fate::Stored, Some(outgoing)) => gather(&mut replies, one.carrier.id.clone(), outgoing),
                (Fate::Failed | Fate::GivenUp | Fate::Orphan | Fate::Elsewhere, Some(outgoing)) => {
                    // The question comes again: what was not sent counts for no loop.
                    let Content { destination, text, .. } = &*outgoing.content;
                    if let Sender::Phone(to) = Sender::read(destination) {
                        self.loops.give_back(to, text.expose());
                    }
                }
                (_, None) => {}
            }
        }
        self.board.desk.temporary(temporary);
        for (line, answers) in answers {
            self.answer(line, answers);
        }
        for (carrier, replies) in replies {
            if let Some(door) = self.replies.get(&carrier) {
                door.push(replies);
            }
        }
    }

    /// Gives answers to a line. Its channel has room for every message it may have open, so this never waits; a line
    /// that is gone needs no answers.
    fn answer(&self, line: LineNo, answers: Vec<Answer>) {
        if let Some((commands, _)) = self.lines.get(&line)
            && let Err(mpsc::error::TrySendError::Full(_)) = commands.try_send(LineCommand::Answers(answers))
        {
            tracing::error!(line.number = line.0, "Line does not take its answers; its SMSC will send again");
        }
    }
}
