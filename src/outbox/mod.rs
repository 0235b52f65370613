//! What is sent: replies from the ledger to the lines of their carrier, retries, and what a response means.
//!
//! One outbox a carrier, so that one carrier's outage never slows another (law 7). It works from a bounded ring in
//! memory; what does not fit stays in the ledger's `outbox` table, in key order, and is fetched when there is room. The
//! table is also what a start finds: the ring begins empty and behind.

mod behind;
mod content;
mod live;
mod pump;
mod settle;
mod status;

use std::{
    collections::{BinaryHeap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

pub use content::Content;
pub use live::Outgoing;
use live::{Live, Next, Pause};
use settle::Saving;

use crate::{
    board::CarrierBoard,
    clock::Clock,
    config::{Carrier, InDoubtRule},
    ledger::{Ledger, SettlementRow},
    message::{LineCommand, LineEvent, LineNo, RowKey, SubmitId, SubmitResult},
};

/// Replies held in memory, not yet sent, beyond which none is taken. Also settlements that wait for the ledger, beyond
/// which nothing new is sent.
const RING: usize = 4_096;

/// Replies on their way at most: sent and not settled, or waiting to be tried again.
const LIVE: usize = 4 * RING;

/// Refusals in a row that mean our settings: from then on the carrier is left alone for a while. A few may be about their
/// own messages, such as a citizen's address of a type that the carrier does not take back, and must not keep everybody
/// else waiting.
const FAULTS: u32 = 5;

/// Batches of replies on their way from the desk to the outbox at most.
const DOOR: usize = 64;

/// Time for replies under way when the service stops; what is not settled by then is found at the next start.
const DRAIN: Duration = Duration::from_secs(10);

/// Where the desk puts replies that are on disk.
#[derive(Clone)]
pub struct Door {
    sender: mpsc::Sender<Vec<Outgoing>>,
    behind: Arc<AtomicBool>,
}

impl Door {
    /// A door and its inner side. The outbox begins behind: it fetches what earlier starts left.
    pub fn new() -> (Self, Inside) {
        let (sender, receiver) = mpsc::channel(DOOR);
        let behind = Arc::new(AtomicBool::new(true));
        (Self { sender, behind: Arc::clone(&behind) }, Inside { replies: receiver, behind })
    }

    /// Hands over replies, in key order. Never waits: when there is no room they stay in the ledger, and so do all
    /// after them until the outbox has caught up.
    pub fn push(&self, replies: Vec<Outgoing>) {
        if !self.behind.load(Ordering::Acquire) && self.sender.try_send(replies).is_err() {
            self.behind.store(true, Ordering::Release);
        }
    }
}

/// The outbox's side of a [`Door`].
pub struct Inside {
    replies: mpsc::Receiver<Vec<Outgoing>>,
    behind: Arc<AtomicBool>,
}

/// A line as the outbox sees it.
pub struct LineSlot {
    /// Its number.
    pub line: LineNo,
    /// Where its orders go.
    pub commands: mpsc::Sender<LineCommand>,
    up: bool,
    open: u32,
}

impl LineSlot {
    /// A line that is not bound yet.
    pub fn new(line: LineNo, commands: mpsc::Sender<LineCommand>) -> Self {
        Self { line, commands, up: false, open: 0 }
    }
}

/// One carrier's outbox.
pub struct Outbox {
    carrier: Arc<Carrier>,
    ledger: Arc<Ledger>,
    clock: Clock,
    board: Arc<CarrierBoard>,
    inside: Inside,
    events: mpsc::Receiver<Vec<LineEvent>>,
    lines: Vec<LineSlot>,
    /// Not yet sent, in key order.
    ring: VecDeque<Outgoing>,
    /// The greatest key that was taken.
    taken: RowKey,
    /// At least one segment sent.
    live: HashMap<RowKey, Live>,
    /// Segments to be sent now, before new replies.
    ready: VecDeque<SubmitId>,
    /// Segments to be sent later.
    due: BinaryHeap<std::cmp::Reverse<(Instant, i64, u8)>>,
    /// Which line each open submit is on.
    open: HashMap<SubmitId, LineNo>,
    paused_until: Option<Instant>,
    /// Refusals that may mean our settings, since the carrier last took anything.
    faults: u32,
    settled: Vec<SettlementRow>,
    saving: Option<Saving<SettlementRow>>,
    /// Carriers with `hold`: to be marked in the ledger before they may be sent.
    unmarked: VecDeque<Outgoing>,
    marking: Option<Saving<Outgoing>>,
    /// Not before this: the ledger or its database refused a moment ago.
    wait_until: Option<Instant>,
}

impl Outbox {
    /// An outbox for a carrier. `events` brings what its lines hand up.
    pub fn new(
        carrier: Arc<Carrier>,
        ledger: Arc<Ledger>,
        clock: Clock,
        board: Arc<CarrierBoard>,
        inside: Inside,
        events: mpsc::Receiver<Vec<LineEvent>>,
        lines: Vec<LineSlot>,
    ) -> Self {
        Self {
            carrier,
            ledger,
            clock,
            board,
            inside,
            events,
            lines,
            ring: VecDeque::new(),
            taken: RowKey(0),
            live: HashMap::new(),
            ready: VecDeque::new(),
            due: BinaryHeap::new(),
            open: HashMap::new(),
            paused_until: None,
            faults: 0,
            settled: Vec::new(),
            saving: None,
            unmarked: VecDeque::new(),
            marking: None,
            wait_until: None,
        }
    }

    /// Runs until the desk has gone and what is under way is settled, or 10 s have passed. Ending it closes the
    /// lines' command channels, and so unbinds them.
    pub async fn run(mut self) {
        let mut stop_at: Option<Instant> = None;
        let mut replies = Vec::new();
        let mut events = Vec::new();
        loop {
            self.catch_up().await;
            self.pump();
            self.save().await;
            self.mark().await;
            let room = self.held() < RING;
            if stop_at.is_none() && !room && self.inside.replies.is_closed() {
                // What stands in the door is found at the next start.
                stop_at = Some(Instant::now() + DRAIN);
            }
            if stop_at.is_some_and(|at| self.idle() || self.stuck() || Instant::now() >= at) {
                break;
            }
            let wake = self.next_wake();
            tokio::select! {
                taken = self.inside.replies.recv_many(&mut replies, DOOR), if stop_at.is_none() && room => {
                    if taken == 0 {
                        stop_at = Some(Instant::now() + DRAIN);
                    }
                    for reply in replies.drain(..).flatten() {
                        self.take(reply);
                    }
                }
                taken = self.events.recv_many(&mut events, 64) => {
                    if taken == 0 {
                        break;
                    }
                    for event in events.drain(..).flatten() {
                        self.event(event);
                    }
                }
                fates = settle::fates(&mut self.saving) => self.saved(&fates),
                fates = settle::fates(&mut self.marking) => self.marked(&fates),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        self.last_save().await;
    }

    fn take(&mut self, reply: Outgoing) {
        if reply.key > self.taken {
            self.taken = reply.key;
            self.enqueue(reply);
        }
    }

    fn enqueue(&mut self, reply: Outgoing) {
        match self.carrier.in_doubt {
            InDoubtRule::Resend => self.ring.push_back(reply),
            InDoubtRule::Hold => self.unmarked.push_back(reply),
        }
    }

    /// Replies in memory of which nothing was sent.
    fn held(&self) -> usize {
        self.ring.len() + self.unmarked.len()
    }

    /// Whether nothing is under way.
    fn idle(&self) -> bool {
        let waiting = self.held() + self.live.len() + self.settled.len();
        waiting == 0 && self.saving.is_none() && self.marking.is_none()
    }

    /// Whether nothing can be done about what waits: no line is there, and no answer or settlement is awaited.
    fn stuck(&self) -> bool {
        let no_line = self.lines.iter().all(|slot| !slot.up);
        no_line && self.open.is_empty() && self.settled.is_empty() && self.saving.is_none() && self.marking.is_none()
    }

    fn event(&mut self, event: LineEvent) {
        match event {
            LineEvent::Up { line, .. } => self.bound(line, true),
            LineEvent::Down { line, in_doubt, .. } => {
                // What never left comes back by itself, as a response: taking it for lost here would send it twice.
                for id in in_doubt {
                    if self.open.get(&id) == Some(&line) {
                        self.open.remove(&id);
                        let resend = self.resend();
                        let next = self.live.get_mut(&id.exchange).map(|live| live.doubt(id.segment, resend));
                        self.follow(id.exchange, next);
                    }
                }
                self.bound(line, false);
            }
            LineEvent::Response { line, id, result, .. } => {
                let on = self.open.get(&id).copied();
                if on == Some(line) {
                    self.open.remove(&id);
                    if let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) {
                        slot.open = slot.open.saturating_sub(1);
                    }
                } else if on.is_some() && !matches!(result, SubmitResult::Accepted { .. }) {
                    // It is under way again over another line, whose answer counts.
                    return;
                }
                if matches!(result, SubmitResult::Accepted { .. }) {
                    self.faults = 0;
                }
                let resend = self.resend();
                let next = self.live.get_mut(&id.exchange).map(|live| live.result(id.segment, &result, resend));
                self.follow(id.exchange, next);
            }
            LineEvent::Congestion { .. } | LineEvent::Question(_) | LineEvent::Receipt { .. } | LineEvent::Odd(_) => {}
        }
    }

    fn bound(&mut self, line: LineNo, up: bool) {
        let open = self.open.values().filter(|on| **on == line).count();
        if let Some(slot) = self.lines.iter_mut().find(|slot| slot.line == line) {
            (slot.up, slot.open) = (up, open as u32);
        }
    }

    fn resend(&self) -> bool {
        self.carrier.in_doubt == InDoubtRule::Resend
    }

    fn follow(&mut self, exchange: RowKey, next: Option<Next>) {
        match next {
            None | Some(Next::Wait) => {}
            Some(Next::Again { segment, wait, .. }) if wait.is_zero() => {
                self.ready.push_back(SubmitId { exchange, segment });
            }
            Some(Next::Again { segment, wait, pause }) => {
                let at = Instant::now() + wait;
                self.due.push(std::cmp::Reverse((at, exchange.0, segment)));
                self.faults += u32::from(pause == Pause::Fault);
                if pause == Pause::Busy || pause == Pause::Fault && self.faults >= FAULTS {
                    self.paused_until = self.paused_until.max(Some(at));
                }
            }
            Some(Next::Settle) => self.settle(exchange),
        }
    }

    fn settle(&mut self, exchange: RowKey) {
        if let Some(live) = self.live.remove(&exchange) {
            let (carrier, now) = (&self.carrier, self.clock.now());
            let hold = carrier.in_doubt == InDoubtRule::Hold;
            self.settled.push(live.settlement(&carrier.id, carrier.stream, now, carrier.receipts.wanted, hold));
        }
    }

    fn next_wake(&self) -> Instant {
        let crowded = self.lines.iter().any(|slot| slot.up && slot.commands.capacity() == 0);
        let soon = Instant::now() + Duration::from_millis(if crowded { 10 } else { 500 });
        let due = self.due.peek().map(|std::cmp::Reverse((at, ..))| *at);
        [due, self.paused_until, self.wait_until]
            .into_iter()
            .flatten()
            .filter(|at| *at > Instant::now())
            .fold(soon, Instant::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Micros,
        db::{Db, OpenDb},
        ledger::Keys,
        message::{Alphabet, Masked, RawAddress},
    };

    async fn outbox(folder: &std::path::Path) -> (Outbox, mpsc::Receiver<LineCommand>) {
        let text = include_str!("../../tracuu.example.toml");
        let config = crate::config::Config::read(text, "example", None).0.unwrap();
        let carrier = Arc::new(config.carriers.into_values().next().unwrap());
        let (keys, url) = (folder.join("keys"), format!("sqlite:{}", folder.join("store.db").display()).into());
        std::fs::write(&keys, Keys::new_file(&[1; 64]).as_str()).unwrap();
        let open = OpenDb { name: "store", url, read_only: false, readers: 1, wait: Duration::from_secs(5) };
        let (db, keys) = (Db::open(&open).await.unwrap(), Arc::new(Keys::read(&keys).unwrap()));
        let clock = Clock::fixed(Micros(1));
        let (ledger, _writer) = crate::ledger::Ledger::open(db, keys, "one", clock.clone()).await.unwrap();
        let (commands, orders) = mpsc::channel(9);
        let mut slot = LineSlot::new(LineNo(0), commands);
        slot.up = true;
        let (_, inside) = Door::new();
        let board = Arc::new(CarrierBoard::new(carrier.id.clone(), Vec::new(), clock.clone()));
        (Outbox::new(carrier, ledger, clock, board, inside, mpsc::channel(1).1, vec![slot]), orders)
    }

    fn reply(n: i64) -> Outgoing {
        let address = |octets: &[u8]| RawAddress { ton: 1, npi: 1, octets: octets.to_vec() };
        let content = Content {
            destination: address(b"84520000001"),
            source: address(b"9999"),
            alphabet: Alphabet::Gsm7,
            reference: 1,
            text: Masked::new("x"),
        };
        Outgoing { key: RowKey(n), expires_at: Micros(9), content: Arc::new(content), inherited: false }
    }

    #[tokio::test]
    async fn one_message_that_is_refused_for_its_addresses_does_not_keep_the_others_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (mut outbox, mut orders) = outbox(folder.path()).await;
        let mut sent = 0;
        let mut answered = |outbox: &mut Outbox, result: SubmitResult| {
            sent += 1;
            outbox.take(reply(sent));
            outbox.pump();
            let taken = orders.try_recv().is_ok();
            let id = SubmitId { exchange: RowKey(sent), segment: 0 };
            outbox.event(LineEvent::Response { line: LineNo(0), id, result, at: Micros(1) });
            taken
        };
        let (refused, taken) = (
            SubmitResult::Rejected { status: 0x50, reason: None },
            SubmitResult::Accepted { message_id: "a".to_owned() },
        );
        for _ in 0..FAULTS {
            assert!(answered(&mut outbox, refused.clone()) && answered(&mut outbox, taken.clone()));
        }
        for _ in 0..FAULTS {
            assert!(answered(&mut outbox, refused.clone()), "these alone may be about their own messages");
        }
        assert!(!answered(&mut outbox, refused), "so many in a row mean our settings: the carrier is left alone");
    }
}
