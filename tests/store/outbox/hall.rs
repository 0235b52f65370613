//! An outbox between a ledger and lines made by hand: the test is the line.

use std::{collections::VecDeque, sync::Arc};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout},
};
use tracuu::{
    board::CarrierBoard,
    config::Carrier,
    message::{LineCommand, LineEvent, LineNo, RowKey, Submit, SubmitResult},
    outbox::{Door, LineSlot, Outbox, Outgoing},
};

use crate::book::{Book, LONG, Running, content};

/// A running outbox and the far end of its lines.
pub(super) struct Hall {
    pub(super) door: Option<Door>,
    pub(super) events: mpsc::Sender<Vec<LineEvent>>,
    /// The desk's way to a line, which carries answers.
    pub(super) desk: Vec<mpsc::Sender<LineCommand>>,
    lines: Vec<mpsc::Receiver<LineCommand>>,
    come: Vec<VecDeque<Submit>>,
    clock: tracuu::clock::Clock,
    tasks: JoinSet<()>,
}

impl Hall {
    /// An outbox with `carrier.lines` lines, none of them bound.
    pub(super) fn open(book: &Book, running: &Running, carrier: Carrier) -> Self {
        Self::with_room(book, running, carrier, 64)
    }

    /// The same, each line taking so many commands.
    pub(super) fn with_room(book: &Book, running: &Running, carrier: Carrier, room: usize) -> Self {
        let (mut desk, mut lines, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        for line in 0..carrier.lines {
            let (commands, orders) = mpsc::channel(room);
            slots.push(LineSlot::new(LineNo(line), commands.clone()));
            desk.push(commands);
            lines.push(orders);
        }
        let (door, inside) = Door::new();
        let (events, receiver) = mpsc::channel(64);
        let ledger = Arc::clone(&running.ledger);
        let clock = book.clock.clone();
        let board = Arc::new(CarrierBoard::new(carrier.id.clone(), Vec::new(), clock.clone()));
        let outbox = Outbox::new(Arc::new(carrier), ledger, clock.clone(), board, inside, receiver, slots);
        let mut tasks = JoinSet::new();
        tasks.spawn(outbox.run());
        let come = lines.iter().map(|_| VecDeque::new()).collect();
        Self { door: Some(door), events, desk, lines, come, clock, tasks }
    }

    pub(super) async fn hand_up(&self, event: LineEvent) {
        self.events.send(vec![event]).await.unwrap();
    }

    pub(super) async fn up(&self, line: u16) {
        self.hand_up(LineEvent::Up { line: LineNo(line), session: 1, at: self.clock.now() }).await;
    }

    /// The session of a line ends; these have no response.
    pub(super) async fn down(&self, line: u16, in_doubt: &[&Submit]) {
        let in_doubt = in_doubt.iter().map(|submit| submit.id).collect();
        self.hand_up(LineEvent::Down { line: LineNo(line), session: 1, at: self.clock.now(), in_doubt }).await;
    }

    pub(super) async fn respond(&self, line: u16, submit: &Submit, result: SubmitResult) {
        self.hand_up(LineEvent::Response { line: LineNo(line), id: submit.id, result, at: self.clock.now() }).await;
    }

    pub(super) async fn accept(&self, line: u16, submit: &Submit) {
        let message_id = format!("m{}-{}", submit.id.exchange.0, submit.id.segment);
        self.respond(line, submit, SubmitResult::Accepted { message_id }).await;
    }

    /// The next submit on a line.
    pub(super) async fn next(&mut self, line: u16) -> Submit {
        let at = usize::from(line);
        while self.come[at].is_empty() {
            let command = timeout(LONG, self.lines[at].recv()).await.expect("nothing was sent").unwrap();
            self.come[at].extend(submits(command));
        }
        self.come[at].pop_front().unwrap()
    }

    /// The next submit on a line, if one comes within a second.
    pub(super) async fn soon(&mut self, line: u16) -> Option<Submit> {
        timeout(std::time::Duration::from_secs(1), self.next(line)).await.ok()
    }

    /// What lies on a line at this moment, taken or not.
    pub(super) fn lying(&mut self, line: u16) -> Vec<Submit> {
        let at = usize::from(line);
        while let Ok(command) = self.lines[at].try_recv() {
            self.come[at].extend(submits(command));
        }
        self.come[at].drain(..).collect()
    }

    /// Hands replies of these exchanges over as the desk does, one batch each.
    pub(super) fn push(&self, keys: &[RowKey]) {
        for key in keys {
            let expires_at = self.clock.now().plus_seconds(600);
            let content = Arc::new(content(*key));
            self.door.as_ref().unwrap().push(vec![Outgoing { key: *key, expires_at, content, inherited: false }]);
        }
    }

    /// Lets the outbox do all it can without anything new.
    pub(super) async fn settle_down(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// The desk goes, and the outbox ends by itself. How long that took.
    pub(super) async fn ended(mut self) -> std::time::Duration {
        drop(self.door.take());
        let begun = Instant::now();
        timeout(LONG, self.tasks.join_next()).await.expect("the outbox did not end").unwrap().unwrap();
        begun.elapsed()
    }

    /// The outbox ends by itself, although the desk is there.
    pub(super) async fn over(&mut self) {
        timeout(LONG, self.tasks.join_next()).await.expect("the outbox did not end").unwrap().unwrap();
    }

    /// The outbox is gone in the middle of whatever it did.
    pub(super) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

fn submits(command: LineCommand) -> Vec<Submit> {
    match command {
        LineCommand::Submits(submits) => submits,
        LineCommand::Answers(_) | LineCommand::Rebind { .. } => Vec::new(),
    }
}

/// Only segment of an exchange's reply.
pub(super) fn only(exchange: RowKey) -> (RowKey, u8) {
    (exchange, 0)
}

/// What a reply says, as it stands on the wire.
pub(super) fn said(submit: &Submit) -> String {
    String::from_utf8_lossy(&submit.segment.octets).into_owned()
}
