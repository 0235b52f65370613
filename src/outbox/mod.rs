//! What is sent: replies from the ledger to the lines of their carrier, retries, and what a response means.
//!
//! One outbox a carrier, so that one carrier's outage never slows another (law 7). It works from a bounded ring in
//! memory; what does not fit stays in the ledger's `outbox` table, in key order, and is fetched when there is room. The
//! table is also what a start finds: the ring begins empty and behind.

mod behind;
mod content;
mod crowd;
mod live;
mod news;
mod pace;
mod pump;
mod reference;
mod refusal;
mod settle;
mod shape;
mod share;
mod show;
mod status;

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use behind::TakenOver;
pub use content::{Content, Urgency};
use crowd::Crowds;
use live::Live;
pub use live::Outgoing;
use pace::Pacer;
use reference::References;
use refusal::Refusals;
use settle::Saving;
use shape::Learned;
use share::Share;

use crate::{
    board::{CarrierBoard, Limit},
    clock::Clock,
    config::{Carrier, InDoubtRule},
    ledger::{Ledger, SettlementRow},
    message::{Lease, LineCommand, LineEvent, LineNo, RowKey, SubmitId},
};

/// Replies held in memory, not yet sent, beyond which none is taken. Also settlements that wait for the ledger, beyond
/// which nothing new is sent.
const RING: usize = 4_096;

/// Replies on their way at most: sent and not settled, or waiting to be tried again.
const LIVE: usize = 4 * RING;

/// Batches of replies on their way from the desk to the outbox at most.
const DOOR: usize = 64;

/// Time for replies under way when the service stops; what is not settled by then is found at the next start.
const DRAIN: Duration = Duration::from_secs(10);

/// Where the desk puts replies that are on disk.
#[derive(Clone)]
pub struct Door {
    sender: mpsc::Sender<Vec<Outgoing>>,
    behind: Arc<AtomicBool>,
    taken_over: TakenOver,
}

impl Door {
    /// A door and its inner side. The outbox begins behind: it fetches what earlier starts left.
    pub fn new() -> (Self, Inside) {
        let (sender, receiver) = mpsc::channel(DOOR);
        let behind = Arc::new(AtomicBool::new(true));
        let taken_over = TakenOver::default();
        let inside = Inside { replies: receiver, behind: Arc::clone(&behind), taken_over: taken_over.clone() };
        (Self { sender, behind, taken_over }, inside)
    }

    /// Tells the outbox that it is to send what this start of another instance left. Once for each: it then fetches the
    /// rows by itself.
    pub fn take_over(&self, epoch: i64) {
        self.taken_over.add(epoch);
        // An empty batch wakes it; when there is no room for that it is awake.
        let _ = self.sender.try_send(Vec::new());
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
    taken_over: TakenOver,
}

/// A line as the outbox sees it.
pub struct LineSlot {
    /// Its number.
    pub line: LineNo,
    /// Where its orders go.
    pub commands: mpsc::Sender<LineCommand>,
    up: bool,
    /// The session that came up last.
    session: u32,
    open: u32,
}

impl LineSlot {
    /// A line that is not bound yet.
    pub fn new(line: LineNo, commands: mpsc::Sender<LineCommand>) -> Self {
        Self { line, commands, up: false, session: 0, open: 0 }
    }
}

/// A segment of a reply, whatever copy of it.
type Place = (RowKey, u8);

/// An open submit.
#[derive(Clone, Copy)]
struct Open {
    line: LineNo,
    since: Instant,
}

/// One carrier's outbox.
pub struct Outbox {
    carrier: Arc<Carrier>,
    ledger: Arc<Ledger>,
    lease: Arc<Lease>,
    clock: Clock,
    board: Arc<CarrierBoard>,
    inside: Inside,
    events: mpsc::Receiver<Vec<LineEvent>>,
    lines: Vec<LineSlot>,
    /// Not yet sent, in key order: replies, and notices, which go when no reply waits.
    rings: [VecDeque<Outgoing>; 2],
    /// The next of each, cut and waiting for room for all of it.
    heads: [Option<Live>; 2],
    /// The greatest key of our own that was taken.
    taken: RowKey,
    /// Another instance's replies were fetched last.
    others_last: bool,
    /// At least one segment sent, or waiting to be tried again.
    live: HashMap<RowKey, Live>,
    /// Segments to be sent now, before new replies.
    ready: VecDeque<Place>,
    /// Segments to be sent later.
    due: BinaryHeap<Reverse<(Instant, i64, u8)>>,
    open: HashMap<SubmitId, Open>,
    /// Destinations that take nothing until then.
    held: HashMap<u64, Instant>,
    crowds: Crowds,
    references: References,
    pacer: Pacer,
    /// When the pacer lets the next segments leave.
    pace_until: Option<Instant>,
    share: Share,
    refusals: Refusals,
    learned: Learned,
    /// Mean time to a response, in microseconds.
    latency_us: f64,
    shown_at: Option<Instant>,
    expired_at: Option<Instant>,
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
        let epoch = ledger.epoch();
        let pacer = Pacer::new(carrier.flow.rate.map(f64::from), Instant::now());
        Self {
            carrier,
            lease: Arc::clone(ledger.lease()),
            ledger,
            clock,
            board,
            inside,
            events,
            lines,
            rings: Default::default(),
            heads: Default::default(),
            taken: RowKey(0),
            others_last: false,
            live: HashMap::new(),
            ready: VecDeque::new(),
            due: BinaryHeap::new(),
            open: HashMap::new(),
            held: HashMap::new(),
            crowds: Crowds::default(),
            references: References::new(epoch),
            pacer,
            pace_until: None,
            share: Share::default(),
            refusals: Refusals::default(),
            learned: Learned::default(),
            latency_us: 0.0,
            shown_at: None,
            expired_at: None,
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
            self.board.outbox_pulse().beat();
            self.catch_up().await;
            self.pump();
            self.save().await;
            self.mark().await;
            self.ask_share();
            let room = self.held() < RING;
            if stop_at.is_none() && !room && self.inside.replies.is_closed() {
                // What stands in the door is found at the next start.
                stop_at = Some(Instant::now() + DRAIN);
            }
            // What another process has taken over is sent and settled there.
            let over = self.lease.is_revoked();
            if over || stop_at.is_some_and(|at| self.idle() || self.stuck() || Instant::now() >= at) {
                break;
            }
            let wake = self.next_wake();
            tokio::select! {
                // What is known of those under way comes before new ones; it ends by itself when nothing new is sent.
                biased;
                taken = self.events.recv_many(&mut events, 64) => {
                    if taken == 0 {
                        break;
                    }
                    let now = Instant::now();
                    for event in events.drain(..).flatten() {
                        self.event(event, now);
                    }
                }
                fates = settle::fates(&mut self.saving) => self.saved(&fates),
                fates = settle::fates(&mut self.marking) => self.marked(&fates),
                count = share::answer(&mut self.share) => self.shared_by(count),
                taken = self.inside.replies.recv_many(&mut replies, DOOR), if stop_at.is_none() && room => {
                    if taken == 0 {
                        stop_at = Some(Instant::now() + DRAIN);
                    }
                    for reply in replies.drain(..).flatten() {
                        self.take(reply);
                    }
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        self.show(Limit::Nothing, None);
        self.last_save().await;
        self.board.outbox_pulse().rest();
    }

    fn take(&mut self, reply: Outgoing) {
        if reply.key > self.taken {
            self.taken = reply.key;
            self.enqueue(reply);
        }
    }

    fn enqueue(&mut self, reply: Outgoing) {
        match self.carrier.in_doubt {
            InDoubtRule::Resend => self.may_leave(reply),
            InDoubtRule::Hold => self.unmarked.push_back(reply),
        }
    }

    fn may_leave(&mut self, reply: Outgoing) {
        let ring = match reply.content.urgency {
            Urgency::Reply => 0,
            Urgency::Notice => 1,
        };
        self.rings[ring].push_back(reply);
    }

    /// Replies in memory of which nothing was sent.
    fn held(&self) -> usize {
        let rings: usize = self.rings.iter().map(VecDeque::len).sum();
        rings + self.heads.iter().flatten().count() + self.unmarked.len()
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

    fn next_wake(&self) -> Instant {
        let crowded = self.lines.iter().any(|slot| slot.up && slot.commands.capacity() == 0);
        let now = Instant::now();
        let soon = now + Duration::from_millis(if crowded { 10 } else { 500 });
        let due = self.due.peek().map(|Reverse((at, ..))| *at);
        [due, self.pacer.pause_ends(), self.pace_until, self.wait_until]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .fold(soon, Instant::min)
    }
}
