//! A desk of the smallest kind: each message is taken, stored, and told the intake what became of it.

use std::{collections::HashMap, sync::Arc};

use tracuu::{
    clock::Clock,
    config::Carrier,
    intake::{Inbound, Intake, Taken, Text},
    ledger::{Entry, ExchangeRow, Fate, Token},
    message::{AnswerStatus, CarrierId, Concat, LineNo, Octets, Part, RowKey, Ticket},
};

use crate::book::{Book, LONG, Running, carrier, exchange_row, outbox_row, phone};

/// What the SMSC heard, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Stored, as a question of its own with this text.
    Question(String),
    /// Stored, as a part.
    Part,
    /// Stored, as a repeat of what was there.
    Again,
    /// A temporary error: what it repeats is not there.
    Orphan,
    /// A temporary error: it was not stored.
    Failed,
    /// A temporary error: another instance had it of late.
    Elsewhere,
    /// Nothing: the line had given up.
    Nothing,
    /// This, at once.
    Status(AnswerStatus),
}

/// A message on its way through the desk.
pub(super) struct Asked {
    text: Option<String>,
    part: Part,
    row: Option<RowKey>,
    of: Option<(Token, RowKey)>,
    fates: tokio::sync::oneshot::Receiver<Vec<Fate>>,
}

impl Asked {
    /// The line's deadline has passed.
    pub(super) fn give_up(&self) -> bool {
        self.part.ticket.give_up()
    }
}

/// One start of the service, with a desk.
pub(super) struct Desk {
    pub(super) intake: Intake,
    pub(super) running: Running,
    pub(super) carriers: HashMap<CarrierId, Arc<Carrier>>,
    clock: Clock,
}

impl Desk {
    pub(super) async fn start(book: &Book) -> Self {
        Self::start_as(book, "one").await
    }

    pub(super) async fn start_as(book: &Book, instance: &str) -> Self {
        Self::over(book, book.start_as(instance).await).await
    }

    /// On connections of its own, as a process has.
    pub(super) async fn start_apart(book: &Book, instance: &str) -> Self {
        let db = book.open_again(LONG).await;
        Self::over(book, book.start_over(db, instance).await).await
    }

    async fn over(book: &Book, running: Running) -> Self {
        let carriers: HashMap<_, _> =
            ["vtl", "vnp"].map(carrier).into_iter().map(|one| (one.id.clone(), Arc::new(one))).collect();
        let intake = Intake::rebuild(&carriers, Arc::clone(&running.ledger), book.clock.now()).await.unwrap();
        Self { intake, running, carriers, clock: book.clock.clone() }
    }

    pub(super) async fn end(self) {
        drop(self.intake);
        self.running.end().await;
    }

    pub(super) async fn kill(self) {
        self.running.kill().await;
    }

    /// Line 0 is `vtl`'s, line 1 too; line 2 is `vnp`'s.
    pub(super) fn owner(&self, line: LineNo) -> Arc<Carrier> {
        let name = if line.0 < 2 { "vtl" } else { "vnp" };
        Arc::clone(&self.carriers[&carrier(name).id])
    }

    /// A session of line 0 ends.
    pub(super) async fn lose_session(&mut self, session: u32) {
        let (vtl, now) = (self.owner(LineNo(0)), self.clock.now());
        self.intake.session_ended(&vtl, LineNo(0), session, now);
        self.running.ledger.note_break(vtl.id.clone(), now).await;
    }

    /// Takes a message and hands it over. `Err` when it is answered at once.
    pub(super) async fn ask(&mut self, mut part: Part) -> Result<Asked, Heard> {
        part.received_at = self.clock.now();
        let owner = self.owner(part.line);
        let (entry, text, row, of) = match self.intake.accept(&owner, part.clone()) {
            Taken::Answer(status) => return Err(Heard::Status(status)),
            Taken::Aside(odd) => {
                let row = self.running.ledger.put_aside(&owner.id, &odd);
                assert_eq!(self.running.store(Entry::Odd { row, ticket: odd.ticket }).await, Fate::Stored);
                return Err(Heard::Status(AnswerStatus::Final(odd.status)));
            }
            Taken::Again(entry, print) => {
                let Entry::Repeat { of, .. } = &entry else { panic!("{entry:?}") };
                let of = *of;
                (entry, None, None, Some((print, of)))
            }
            Taken::Store(entry) => {
                let Entry::Part { row, .. } = &entry else { panic!("{entry:?}") };
                let key = row.key;
                (entry, None, Some(key), None)
            }
            Taken::Whole(inbound) => {
                let (text, key) = (in_words(&inbound), inbound.key);
                (self.decide(*inbound), Some(text), Some(key), None)
            }
        };
        let fates = self.running.ledger.hand_over(vec![entry]).await;
        Ok(Asked { text, part, row, of, fates })
    }

    /// Waits for the commit and answers.
    pub(super) async fn answer(&mut self, asked: Asked) -> Heard {
        let fate = tokio::time::timeout(LONG, asked.fates).await.unwrap().unwrap()[0];
        let (owner, now) = (self.owner(asked.part.line), self.clock.now());
        let answered = fate != Fate::GivenUp && asked.part.ticket.answer();
        if let Some(key) = asked.row {
            match fate {
                Fate::Stored => {
                    self.intake.stored(&owner, key, answered, now);
                    self.running.ledger.note_unheard(self.intake.unheard()).await;
                }
                Fate::GivenUp | Fate::Orphan | Fate::Elsewhere => self.intake.not_stored(&owner, key, false, now),
                Fate::Failed => self.intake.not_stored(&owner, key, true, now),
            }
        }
        match (fate, asked.of, asked.text) {
            (Fate::Orphan, Some((print, of)), _) => {
                self.intake.orphaned(&print, of);
                Heard::Orphan
            }
            (Fate::Failed | Fate::Orphan, ..) => Heard::Failed,
            (Fate::Elsewhere, ..) => Heard::Elsewhere,
            (Fate::GivenUp, ..) => Heard::Nothing,
            (Fate::Stored, Some(_), _) => Heard::Again,
            (Fate::Stored, None, Some(text)) => Heard::Question(text),
            (Fate::Stored, None, None) => Heard::Part,
        }
    }

    /// Takes a message to its end.
    pub(super) async fn take(&mut self, part: Part) -> Heard {
        match self.ask(part).await {
            Ok(asked) => self.answer(asked).await,
            Err(heard) => heard,
        }
    }

    /// Looks for parts that came to others.
    pub(super) async fn look_beside(&mut self) {
        self.intake.look_beside(&self.carriers).await.unwrap();
    }

    /// Gives up what is overdue: what each says, and how many parts it has.
    pub(super) async fn overdue(&mut self) -> Vec<(String, u8)> {
        let mut given_up = Vec::new();
        let superseded = self.intake.superseded();
        for inbound in superseded.into_iter().chain(self.intake.overdue(self.clock.now(), 64)) {
            let (owner, key) = (self.owner(inbound.line), inbound.key);
            given_up.push((in_words(&inbound), inbound.parts));
            let entry = self.decide(inbound);
            assert_eq!(self.running.store(entry).await, Fate::Stored);
            self.intake.stored(&owner, key, true, self.clock.now());
        }
        given_up
    }

    fn decide(&self, inbound: Inbound) -> Entry {
        let (ledger, name) = (&self.running.ledger, inbound.carrier.as_str());
        let row = ExchangeRow {
            received_at: inbound.received_at,
            line: inbound.line.0,
            parts: inbound.parts,
            concat_ref: inbound.concat_ref,
            data_coding: inbound.data_coding,
            fingerprints: inbound.fingerprints.concat(),
            ..exchange_row(ledger, inbound.key, name, self.clock.now())
        };
        let outbox = Some(outbox_row(ledger, inbound.key, name, self.clock.now()));
        Entry::Exchange { row: Box::new(row), outbox, consumes: inbound.consumes, ticket: inbound.ticket }
    }
}

fn in_words(inbound: &Inbound) -> String {
    match &inbound.text {
        Text::Read(text) => text.expose().to_owned(),
        Text::NotText => "<not text>".to_owned(),
        Text::PartMissing => "<a part is missing>".to_owned(),
    }
}

/// A question as line 0 reads it in its session 1.
pub(super) fn question(text: &str) -> Part {
    Part {
        line: LineNo(0),
        session: 1,
        sequence: 1,
        ticket: Ticket::new(),
        source: phone("84520000001"),
        destination: phone("9999"),
        data_coding: 0,
        udhi: false,
        sar: None,
        unmarked_receipt: None,
        octets: Octets(text.as_bytes().to_vec()),
        received_at: tracuu::clock::Micros(0),
        waited: std::time::Duration::ZERO,
    }
}

/// The same in another session.
pub(super) fn in_session(session: u32, part: Part) -> Part {
    Part { session, ..part }
}

/// The same message sent again: nobody has answered it yet.
pub(super) fn copy(part: &Part) -> Part {
    Part { ticket: Ticket::new(), ..part.clone() }
}

/// A part with an 8-bit reference in its header.
pub(super) fn part(reference: u8, total: u8, index: u8, text: &str) -> Part {
    let octets = [&[5, 0, 3, reference, total, index], text.as_bytes()].concat();
    Part { udhi: true, octets: Octets(octets), ..question("") }
}

/// A part by TLVs.
pub(super) fn sar(concat: Concat, text: &str) -> Part {
    Part { sar: Some(concat), ..question(text) }
}
