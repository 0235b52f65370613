//! The protocol of one session without a socket: PDUs and commands go in, octets and events come out, and time is told.

mod message;
mod pace;

use std::{collections::VecDeque, mem, time::Duration};

use bytes::BytesMut;
use tokio::time::Instant;

use super::{
    bind::{self, Abilities, V3_4},
    error::{LineError, Looks},
    frame::{Frame, next_frame},
    keepalive::KeepAlive,
    pdu::{self, id, status},
    questions::Questions,
    station::Station,
    trap::Trap,
    window::{Matched, Window},
};
use crate::{
    board::LineState,
    config::Line,
    message::{LineEvent, Role, Submit, SubmitResult},
};

/// How long the end of a session waits for what is still open.
const PARTING: Duration = Duration::from_secs(5);
/// Octets waiting for the socket beyond which nothing is read: the SMSC must read first.
const READING_WAITS: usize = 256 * 1024;

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The bind is out.
    Binding { until: Instant },
    /// Bound.
    Bound,
    /// We sent unbind and await its response.
    Leaving { until: Instant },
    /// The SMSC sent unbind, which is answered; what is open may still be settled.
    Dismissed { until: Instant },
}

/// One session.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    settings: &'a Line,
    station: &'a mut Station,
    session: u32,
    stage: Stage,
    bound_at: Option<Instant>,
    questions: Questions,
    window: Window,
    unsent: VecDeque<Submit>,
    keepalive: KeepAlive,
    held: Vec<Frame>,
    role: Role,
    can: Abilities,
    quiet: bool,
    blocked: bool,
    over: Option<Result<(), LineError>>,
    /// What the socket has not taken yet.
    pub(super) out: BytesMut,
}

impl<'a> Conversation<'a> {
    /// Begins with the bind.
    pub(super) fn begin(settings: &'a Line, station: &'a mut Station, session: u32, now: Instant) -> Self {
        let mut window = Window::new(settings.window, settings.submit_timeout);
        let mut out = BytesMut::with_capacity(64 * 1024);
        let role = station.label.role;
        let bind = bind::write_bind(&mut out, settings, role, window.next_sequence());
        Self {
            stage: Stage::Binding { until: now + settings.bind_timeout },
            bound_at: None,
            questions: Questions::new(settings.inbound_window, settings.answer_deadline),
            window,
            unsent: VecDeque::new(),
            keepalive: KeepAlive::new(settings, now),
            held: Vec::new(),
            role,
            can: Abilities::default(),
            quiet: false,
            blocked: false,
            over: bind.err().map(Err),
            out,
            settings,
            station,
            session,
        }
    }

    /// What the session belongs to.
    pub(super) fn station(&mut self) -> &mut Station {
        self.station
    }

    /// Both ends at once: the octets for the socket, and the service's side.
    pub(super) fn ends(&mut self) -> (&mut BytesMut, &mut Station) {
        (&mut self.out, self.station)
    }

    /// Whether it has ended, for whatever reason.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Ends it now.
    pub(super) fn end(&mut self, why: Result<(), LineError>) {
        self.over.get_or_insert(why);
    }

    /// The stream ended with these octets left over.
    pub(super) fn end_of_stream(&mut self, left: &[u8]) {
        let why = match self.stage {
            Stage::Binding { .. } if !left.is_empty() && left.len() < 4 => Err(LineError::NotSmpp(Looks::guess(left))),
            Stage::Binding { .. } | Stage::Bound => Err(LineError::Closed),
            Stage::Leaving { .. } => Ok(()),
            Stage::Dismissed { .. } => Err(LineError::Unbound),
        };
        self.end(why);
    }

    /// Whether more may be read from the socket.
    pub(super) fn may_read(&self) -> bool {
        !self.blocked && self.out.len() < READING_WAITS
    }

    /// Reads what came, PDU by PDU, until a message finds no room among the undecided ones; the rest waits then. Gives
    /// the number of PDUs that were read.
    pub(super) fn read(&mut self, buffer: &mut BytesMut, now: Instant) -> usize {
        self.blocked = false;
        if buffer.is_empty() {
            return 0;
        }
        self.quiet = self.station.quiesce.is_cancelled();
        let mut cut = 0;
        while !self.is_over() {
            // A message that finds no room blocks what is behind it; enquire_link and responses ahead of it do not.
            if !self.questions.has_room() && is_message(buffer) {
                self.blocked = true;
                break;
            }
            match next_frame(buffer) {
                Ok(Some(frame)) => {
                    cut += 1;
                    self.keepalive.heard(now);
                    self.take(frame, now);
                }
                Ok(None) => break,
                Err(bad) => {
                    let looks = Looks::guess(buffer);
                    let why = if matches!(self.stage, Stage::Binding { .. }) && looks != Looks::Unknown {
                        LineError::NotSmpp(looks)
                    } else {
                        pdu::write_bare(&mut self.out, id::GENERIC_NACK, status::INVALID_COMMAND_LENGTH, 0);
                        LineError::OutOfStep(bad)
                    };
                    self.end(Err(why));
                }
            }
        }
        cut
    }

    /// One PDU, by the command_id of its header: the codec has no say in what kind it is.
    fn take(&mut self, frame: Frame, now: Instant) {
        let sequence = frame.sequence_number;
        match frame.command_id {
            id::DELIVER_SM | id::DATA_SM => self.take_message(frame, now),
            id::SUBMIT_SM_RESP => self.take_response(sequence, frame.command_status, frame.body()),
            id::ENQUIRE_LINK => pdu::write_bare(&mut self.out, id::ENQUIRE_LINK_RESP, status::OK, sequence),
            id::ENQUIRE_LINK_RESP if frame.command_status == status::INVALID_BIND_STATUS => {
                self.end(Err(LineError::NotBound));
            }
            id::ENQUIRE_LINK_RESP => {}
            id::UNBIND => self.take_unbind(sequence, now),
            id::UNBIND_RESP if matches!(self.stage, Stage::Leaving { .. }) => self.end(Ok(())),
            id::GENERIC_NACK => self.take_nack(sequence, frame.command_status),
            id::OUTBIND => self.note(Trap::Outbind),
            id::ALERT_NOTIFICATION => self.note(Trap::Alert),
            own if own == bind::command_id(self.role) | id::RESPONSE => self.take_bind_response(&frame, now),
            response if response & id::RESPONSE != 0 => self.note(Trap::UnknownResponse),
            _ => {
                self.note(Trap::UnknownCommand);
                pdu::write_bare(&mut self.out, id::GENERIC_NACK, status::INVALID_COMMAND_ID, sequence);
            }
        }
    }

    fn take_bind_response(&mut self, frame: &Frame, now: Instant) {
        if !matches!(self.stage, Stage::Binding { .. }) {
            return self.note(Trap::UnknownResponse);
        }
        if frame.command_status != status::OK {
            return self.end(Err(LineError::Refused { status: frame.command_status }));
        }
        let version = bind::version(frame.body());
        self.can = Abilities::of(self.settings, version);
        if self.settings.interface_version > version.unwrap_or(V3_4) {
            self.note(Trap::LowerVersion);
        }
        self.stage = Stage::Bound;
        self.bound_at = Some(now);
        let up = LineEvent::Up { line: self.station.line, session: self.session, at: self.station.clock.now() };
        self.station.post.for_desk(up.clone());
        self.station.post.for_outbox(up);
        let label = &self.station.label;
        self.station.board.line(label, LineState::Bound { since: self.station.clock.now(), version });
        tracing::info!(carrier.name = %label.carrier, line = %label, session = self.session, "Line {label} bound");
        for frame in mem::take(&mut self.held) {
            self.take_message(frame, now);
        }
    }

    fn take_unbind(&mut self, sequence: u32, now: Instant) {
        pdu::write_bare(&mut self.out, id::UNBIND_RESP, status::OK, sequence);
        match self.stage {
            Stage::Bound => self.stage = Stage::Dismissed { until: now + PARTING },
            Stage::Binding { .. } => self.end(Err(LineError::Unbound)),
            Stage::Leaving { .. } | Stage::Dismissed { .. } => {}
        }
        self.dismissed();
    }

    /// After the SMSC's unbind the session ends when nothing is open any more.
    fn dismissed(&mut self) {
        if matches!(self.stage, Stage::Dismissed { .. }) && self.window.is_empty() && self.questions.is_empty() {
            self.end(Err(LineError::Unbound));
        }
    }

    fn take_nack(&mut self, sequence: u32, command_status: u32) {
        if matches!(self.stage, Stage::Binding { .. }) {
            return self.end(Err(LineError::Refused { status: command_status }));
        }
        if matches!(self.stage, Stage::Leaving { .. }) && self.window.is_empty() {
            return self.end(Ok(()));
        }
        if self.keepalive.is_ours(sequence) && command_status == status::INVALID_BIND_STATUS {
            self.end(Err(LineError::NotBound));
        } else if self.keepalive.is_ours(sequence) {
            self.note(Trap::NoEnquireLink);
            self.keepalive.refused();
        } else if !self.settle(sequence, command_status, &[]) {
            self.note(Trap::NackOfNothing);
        }
    }

    fn take_response(&mut self, sequence: u32, command_status: u32, body: &[u8]) {
        if !self.settle(sequence, command_status, body) {
            self.note(Trap::UnknownResponse);
        }
        if command_status == status::INVALID_BIND_STATUS {
            self.end(Err(LineError::NotBound));
        }
    }

    /// Hands up what came back for a submit; `false` when the number is not of one.
    fn settle(&mut self, sequence: u32, command_status: u32, body: &[u8]) -> bool {
        let id = match self.window.settle(sequence) {
            Matched::Open(id) => id,
            Matched::Late(id) => {
                self.note(Trap::LateResponse);
                id
            }
            Matched::Nothing => return false,
        };
        let result = if command_status == status::OK {
            SubmitResult::Accepted { message_id: pdu::message_id(body) }
        } else {
            SubmitResult::Rejected { status: command_status, reason: None }
        };
        let at = self.station.clock.now();
        self.station.post.for_outbox(LineEvent::Response { line: self.station.line, id, result, at });
        self.dismissed();
        true
    }

    fn note(&self, trap: Trap) {
        self.station.board.count(Some(&self.station.label), trap.as_str());
        trap.note(&self.station.label);
    }
}

/// Whether the PDU at the head of the buffer carries a message.
fn is_message(buffer: &[u8]) -> bool {
    matches!(buffer, [_, _, _, _, a, b, c, d, ..]
        if matches!(u32::from_be_bytes([*a, *b, *c, *d]), id::DELIVER_SM | id::DATA_SM))
}
