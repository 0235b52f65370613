//! The outbox with lines made by hand and no one else: what leaves, when, and what refusals do to it.

mod changes;
mod crowd;
mod flow;
mod live;
mod pace;
mod refusals;

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{Content, Door, LineSlot, Outbox, Outgoing, Urgency};
use crate::{
    board::CarrierBoard,
    clock::{Clock, Micros},
    config::Carrier,
    db::{Db, OpenDb},
    ledger::{Keys, Ledger, SettlementRow},
    message::{
        Alphabet, Lease, LineCommand, LineEvent, LineId, LineNo, Masked, RawAddress, Role, RowKey, Submit, SubmitId,
        SubmitResult,
    },
};

/// When a reply's time has run out.
const TTL: i64 = 600_000_000;

/// An outbox that is driven by hand: what it sends goes to `orders`, time is handed in.
struct Bench {
    outbox: Outbox,
    orders: Vec<mpsc::Receiver<LineCommand>>,
    /// The sessions that are to be bound anew.
    rebinds: Vec<u32>,
    clock: Clock,
    now: Instant,
    next: i64,
    _folder: tempfile::TempDir,
}

fn carrier(change: impl FnOnce(&mut Carrier)) -> Carrier {
    let mut carrier = Carrier::with_defaults("vtl", "127.0.0.1:2775");
    change(&mut carrier);
    carrier
}

fn address(octets: &[u8]) -> RawAddress {
    RawAddress { ton: 1, npi: 1, octets: octets.to_vec() }
}

fn content(phone: i64, text: &str) -> Content {
    Content {
        destination: address(format!("84520{phone:06}").as_bytes()),
        source: address(b"9999"),
        alphabet: if text.is_ascii() { Alphabet::Gsm7 } else { Alphabet::Ucs2 },
        urgency: Urgency::Reply,
        asked_at: Micros(1_790_000_000_000_000),
        text: Masked::new(text),
    }
}

fn outgoing(key: i64, content: Content) -> Outgoing {
    Outgoing { key: RowKey(key), expires_at: Micros(TTL), content: Arc::new(content), inherited: false }
}

fn taken(id: &str) -> SubmitResult {
    SubmitResult::Accepted { message_id: id.to_owned() }
}

fn refused(status: u32) -> SubmitResult {
    SubmitResult::Rejected { status, reason: None }
}

impl Bench {
    /// With all lines of the carrier bound.
    async fn new(carrier: Carrier) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (keys, url) =
            (folder.path().join("keys"), format!("sqlite:{}", folder.path().join("store.db").display()).into());
        std::fs::write(&keys, Keys::new_file(&[1; 64]).as_str()).unwrap();
        let open = OpenDb { name: "store", url, read_only: false, readers: 1, wait: Duration::from_secs(5) };
        let (db, keys) = (Db::open(&open).await.unwrap(), Arc::new(Keys::read(&keys).unwrap()));
        let clock = Clock::fixed(Micros(1));
        let (ledger, _writer) = Ledger::open(db, keys, "one", clock.clone()).await.unwrap();
        let label = |index| LineId { carrier: carrier.id.clone(), index, role: Role::Transceiver };
        let labels: Vec<LineId> = (1..=carrier.lines).map(label).collect();
        let (mut slots, mut orders) = (Vec::new(), Vec::new());
        for label in &labels {
            let (commands, receiver) = mpsc::channel(64);
            let mut slot = LineSlot::new(LineNo::new(0, label), commands);
            (slot.up, slot.session) = (true, 1);
            slots.push(slot);
            orders.push(receiver);
        }
        let board = Arc::new(CarrierBoard::new(carrier.id.clone(), labels, clock.clone()));
        let (_, inside) = Door::new();
        let carrier = Arc::new(carrier);
        let mut outbox = Outbox::new(carrier, ledger, clock.clone(), board, inside, mpsc::channel(1).1, slots);
        outbox.lease = Arc::new(Lease::unlimited());
        Self { outbox, orders, rebinds: Vec::new(), clock, now: Instant::now(), next: 1, _folder: folder }
    }

    /// A reply to a phone of its own comes from the desk.
    fn reply(&mut self, text: &str) -> i64 {
        self.reply_to(self.next, text, Urgency::Reply)
    }

    fn reply_to(&mut self, phone: i64, text: &str, urgency: Urgency) -> i64 {
        let key = self.next;
        self.next += 1;
        self.outbox.take(outgoing(key, Content { urgency, ..content(phone, text) }));
        key
    }

    /// What leaves now over a line.
    fn sent(&mut self, line: usize) -> Vec<Submit> {
        self.outbox.pump_at(self.now);
        let mut sent = Vec::new();
        while let Ok(command) = self.orders[line].try_recv() {
            match command {
                LineCommand::Submits(submits) => sent.extend(submits),
                LineCommand::Rebind { session } => self.rebinds.push(session),
                LineCommand::Answers(_) => {}
            }
        }
        sent
    }

    /// Which segments leave now over the first line.
    fn left(&mut self) -> Vec<(i64, u8)> {
        self.sent(0).iter().map(|submit| (submit.id.exchange.0, submit.id.segment)).collect()
    }

    fn answer(&mut self, key: i64, segment: u8, result: SubmitResult) {
        let open = self.outbox.open.iter().find(|(id, _)| id.place() == (RowKey(key), segment));
        let (id, line) = open.map(|(id, open)| (*id, open.line)).expect("it is under way");
        self.respond(line, id, result);
    }

    /// What comes back for this copy.
    fn respond(&mut self, line: LineNo, id: SubmitId, result: SubmitResult) {
        self.outbox.event(LineEvent::Response { line, id, result, at: Micros(1) }, self.now);
    }

    fn take(&mut self, key: i64) {
        self.answer(key, 0, taken(&format!("m{key}")));
    }

    /// Time passes, on both clocks.
    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.clock.advance(i64::try_from(millis).unwrap() * 1_000);
    }

    /// What was settled since the last look, as (exchange, result, accepted, flags).
    fn settled(&mut self) -> Vec<SettlementRow> {
        std::mem::take(&mut self.outbox.settled)
    }

    fn counted(&self, trap: &str) -> u64 {
        self.outbox.board.counted(trap)
    }

    fn alarmed(&self, alarm: &str) -> bool {
        self.outbox.board.alarmed(alarm)
    }
}
