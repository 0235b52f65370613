//! The ends being joined: each carrier's lines with the desk and its outbox.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    board::CarrierBoard,
    clock::{Chance, Clock},
    config::Carrier,
    ledger::Ledger,
    message::{CarrierId, LineCommand, LineEvent, LineNo},
    outbox::{Door, LineSlot, Outbox},
    smpp,
};

/// The ends being joined.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) commands: BTreeMap<LineNo, (mpsc::Sender<LineCommand>, Arc<Carrier>)>,
    pub(super) replies: BTreeMap<CarrierId, Door>,
    pub(super) doors: Vec<mpsc::Receiver<Vec<LineEvent>>>,
    pub(super) outboxes: Vec<Outbox>,
    pub(super) lines: Vec<(crate::config::Line, smpp::Wiring)>,
}

impl Parts {
    /// Joins one carrier's lines with the desk and its outbox. Every channel is as large as what its windows can put
    /// into it, so that nobody on the path ever waits for a line.
    #[expect(clippy::too_many_arguments, reason = "the ends that one carrier's lines are joined to, each once")]
    pub(super) fn add(
        &mut self,
        place: u8,
        carrier: &Arc<Carrier>,
        board: &Arc<CarrierBoard>,
        ledger: &Arc<Ledger>,
        clock: &Clock,
        chance: &Chance,
        quiesce: &CancellationToken,
    ) {
        let count = board.lines().len();
        let window = carrier.line.window as usize;
        let inbound = carrier.line.inbound_window as usize;
        let (desk, door) = mpsc::channel((inbound + 8) * count);
        let (outbox_events, events) = mpsc::channel((window + 8) * count);
        let mut slots = Vec::with_capacity(count);
        let owed = Arc::new(smpp::Owed::default());
        for label in board.lines() {
            let line = LineNo::new(place, label);
            let (commands, orders) = mpsc::channel(inbound + window + 16);
            if label.role.sends() {
                slots.push(LineSlot::new(line, commands.clone()));
            }
            self.commands.insert(line, (commands, Arc::clone(carrier)));
            let wiring = smpp::Wiring {
                line,
                desk: desk.clone(),
                outbox: outbox_events.clone(),
                commands: orders,
                quiesce: quiesce.clone(),
                clock: clock.clone(),
                chance: chance.clone(),
                label: label.clone(),
                board: Arc::clone(board),
                owed: Arc::clone(&owed),
                lease: Arc::clone(ledger.lease()),
            };
            self.lines.push((carrier.line.clone(), wiring));
        }
        let (replies, inside) = Door::new();
        let (owner, board) = (Arc::clone(carrier), Arc::clone(board));
        let outbox = Outbox::new(owner, Arc::clone(ledger), clock.clone(), board, inside, events, slots);
        self.replies.insert(carrier.id.clone(), replies);
        self.doors.push(door);
        self.outboxes.push(outbox);
    }
}
