//! A line under test, and the SMSC at its other end.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{pdu, settings};
use crate::{
    board::CarrierBoard,
    clock::{Chance, Clock, Micros},
    config::Line,
    message::{Answer, AnswerStatus, CarrierId, Lease, LineCommand, LineEvent, LineId, LineNo, Part, Submit},
    smpp::{
        LineError, Wiring,
        frame::{Frame, next_frame},
        run_over,
    },
};

/// Longer than any wait in a test may be, by the test's clock.
const TOO_LONG: Duration = Duration::from_mins(20);

/// The SMSC's end of one connection.
pub(super) struct Peer {
    stream: DuplexStream,
    buffer: BytesMut,
}

impl Peer {
    /// Writes octets as they are.
    pub(super) async fn write(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    /// Writes one PDU.
    pub(super) async fn send(&mut self, id: u32, status: u32, sequence: u32, body: &[u8]) {
        self.write(&pdu(id, status, sequence, body)).await;
    }

    /// The next PDU, or `None` when the line closed the connection.
    pub(super) async fn next_or_end(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = next_frame(&mut self.buffer).unwrap() {
                return Some(frame);
            }
            let read = timeout(TOO_LONG, self.stream.read_buf(&mut self.buffer)).await;
            if read.expect("the line says nothing and does not close").unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// command_id, command_status and sequence_number of the next PDU.
    pub(super) async fn next(&mut self) -> (u32, u32, u32) {
        let frame = self.next_or_end().await.expect("the line closed");
        (frame.command_id, frame.command_status, frame.sequence_number)
    }

    /// Checks that the line closes, whatever it says before.
    pub(super) async fn closes(&mut self) {
        while self.next_or_end().await.is_some() {}
    }

    /// Takes the bind and accepts it.
    pub(super) async fn accept_bind(&mut self) {
        self.accept_bind_as(9).await;
    }

    /// Takes a bind of this form and accepts it.
    pub(super) async fn accept_bind_as(&mut self, command_id: u32) {
        assert_eq!(self.next().await, (command_id, 0, 1));
        self.send(0x8000_0000 | command_id, 0, 1, b"SMSC\0").await;
    }

    /// Asks whether the line still answers.
    pub(super) async fn is_answered(&mut self, sequence: u32) {
        self.send(0x15, 0, sequence, b"").await;
        assert_eq!(self.next().await, (0x8000_0015, 0, sequence), "an enquire_link is answered");
    }
}

/// A line, and everything it is joined to.
pub(super) struct Bench {
    pub(super) desk: mpsc::Receiver<Vec<LineEvent>>,
    pub(super) outbox: mpsc::Receiver<Vec<LineEvent>>,
    pub(super) commands: Option<mpsc::Sender<LineCommand>>,
    pub(super) quiesce: CancellationToken,
    pub(super) board: Arc<CarrierBoard>,
    pub(super) clock: Clock,
    pub(super) label: LineId,
    /// Another line of the same carrier, which nobody runs.
    pub(super) other: LineId,
    pub(super) lease: Arc<Lease>,
    streams: mpsc::Sender<DuplexStream>,
    line: JoinSet<()>,
    desk_waiting: Vec<LineEvent>,
    outbox_waiting: Vec<LineEvent>,
}

impl Bench {
    /// A line that connects to each stream it is given, in turn.
    pub(super) fn start(settings: Line, desk_room: usize) -> Self {
        let (desk_sender, desk) = mpsc::channel(desk_room);
        let (outbox_sender, outbox) = mpsc::channel(64);
        let (commands, taken) = mpsc::channel(64);
        let (streams, waiting) = mpsc::channel(4);
        let quiesce = CancellationToken::new();
        let carrier = CarrierId::parse("vtl").unwrap();
        let label = LineId { carrier: carrier.clone(), index: 1, role: settings.bind.roles()[0] };
        let clock = Clock::fixed(Micros(1_000_000));
        let other = LineId { index: 2, ..label.clone() };
        let board = Arc::new(CarrierBoard::new(carrier, vec![label.clone(), other.clone()], clock.clone()));
        let lease = Arc::new(Lease::unlimited());
        let wiring = Wiring {
            line: LineNo(3),
            desk: desk_sender,
            outbox: outbox_sender,
            commands: taken,
            quiesce: quiesce.clone(),
            clock: clock.clone(),
            chance: Chance::seeded(1),
            label: label.clone(),
            board: Arc::clone(&board),
            owed: Arc::default(),
            lease: Arc::clone(&lease),
        };
        let waiting = Arc::new(Mutex::new(waiting));
        let mut line = JoinSet::new();
        line.spawn(async move {
            let connect = |_| async { waiting.lock().await.recv().await.ok_or(LineError::Closed) };
            run_over(&settings, wiring, connect).await;
        });
        let (desk_waiting, outbox_waiting) = (Vec::new(), Vec::new());
        let commands = Some(commands);
        Self {
            desk,
            outbox,
            commands,
            quiesce,
            board,
            clock,
            label,
            other,
            lease,
            streams,
            line,
            desk_waiting,
            outbox_waiting,
        }
    }

    /// A line with these settings that is bound, its Up events taken.
    pub(super) async fn bound(settings: Line) -> (Self, Peer) {
        let mut bench = Self::start(settings, 64);
        let mut peer = bench.connect().await;
        peer.accept_bind().await;
        assert!(matches!(bench.desk_event().await, LineEvent::Up { session: 1, line: LineNo(3), .. }));
        assert!(matches!(bench.outbox_event().await, LineEvent::Up { session: 1, .. }));
        (bench, peer)
    }

    /// A line with the usual settings that is bound.
    pub(super) async fn usual() -> (Self, Peer) {
        Self::bound(settings("unused:1")).await
    }

    /// The SMSC takes a connection.
    pub(super) async fn connect(&mut self) -> Peer {
        let (ours, theirs) = duplex(1 << 16);
        self.streams.send(theirs).await.unwrap();
        Peer { stream: ours, buffer: BytesMut::new() }
    }

    /// The next event for the desk.
    pub(super) async fn desk_event(&mut self) -> LineEvent {
        while self.desk_waiting.is_empty() {
            self.desk_waiting = timeout(TOO_LONG, self.desk.recv()).await.expect("the desk waits in vain").unwrap();
        }
        self.desk_waiting.remove(0)
    }

    /// The next event for the outbox.
    pub(super) async fn outbox_event(&mut self) -> LineEvent {
        while self.outbox_waiting.is_empty() {
            let batch = timeout(TOO_LONG, self.outbox.recv()).await;
            self.outbox_waiting = batch.expect("the outbox waits in vain").unwrap();
        }
        self.outbox_waiting.remove(0)
    }

    /// The next event for the desk, which is a question.
    pub(super) async fn question(&mut self) -> Part {
        let event = self.desk_event().await;
        let LineEvent::Question(part) = event else { panic!("no question: {event:?}") };
        part
    }

    /// Gives the line a command.
    pub(super) async fn tell(&self, command: LineCommand) {
        self.commands.as_ref().unwrap().send(command).await.unwrap();
    }

    /// Answers a question as the service does after the commit.
    pub(super) async fn answer(&self, part: &Part, status: AnswerStatus) {
        if part.ticket.answer() {
            let answer = Answer { session: part.session, sequence: part.sequence, status };
            self.tell(LineCommand::Answers(vec![answer])).await;
        }
    }

    /// Answers a question that could not be stored; its ticket is answered already.
    pub(super) async fn tell_temporary(&self, part: &Part) {
        let answer = Answer { session: part.session, sequence: part.sequence, status: AnswerStatus::Temporary };
        self.tell(LineCommand::Answers(vec![answer])).await;
    }

    /// Gives the line submits.
    pub(super) async fn submit(&self, submits: Vec<Submit>) {
        self.tell(LineCommand::Submits(submits)).await;
    }

    /// Closes the line's commands and waits until it has returned.
    pub(super) async fn stop(&mut self) {
        self.commands = None;
        let ended = timeout(TOO_LONG, self.line.join_next()).await.expect("the line does not end");
        ended.unwrap().unwrap();
    }
}
