//! What a line keeps from one session to the next: its place in the service, and the ways up and down.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{pdu::status, post::Post};
use crate::{
    board::CarrierBoard,
    clock::{Chance, Clock},
    message::{LineCommand, LineEvent, LineId, LineNo, Submit, SubmitResult},
};

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
            chance: wiring.chance,
            label: wiring.label,
            board: wiring.board,
        }
    }

    /// Runs `work` while commands and events are still attended to; `None` when the line was told to stop.
    pub(super) async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            self.post.hand_up();
            tokio::select! {
                biased;
                command = self.commands.recv(), if self.post.has_room() => match command {
                    Some(command) => self.turn_away(command),
                    None => return None,
                },
                done = &mut work => return Some(done),
                () = self.post.room(), if self.post.is_waiting() => {}
            }
        }
    }

    /// A command that came while there is no session: answers are for one that ended, submits come back unsent.
    fn turn_away(&mut self, command: LineCommand) {
        match command {
            LineCommand::Answers(_) | LineCommand::Rebind => {}
            LineCommand::Submits(submits) => {
                for submit in submits {
                    self.unsent(&submit, status::INVALID_BIND_STATUS);
                }
            }
        }
    }

    /// Hands a submit back that never reached the wire.
    pub(super) fn unsent(&mut self, submit: &Submit, command_status: u32) {
        self.post.for_outbox(LineEvent::Response {
            line: self.line,
            id: submit.id,
            result: SubmitResult::Rejected { status: command_status, reason: None },
            at: self.clock.now(),
        });
    }
}
