//! The protocol of one session without a socket: PDUs and commands go in, octets and events come out, and time is told.

mod message;
mod pace;
mod response;

use std::{collections::VecDeque, time::Duration};

use bytes::BytesMut;
use tokio::time::Instant;

use super::{
    bind::{self, Abilities, V3_4},
    error::{LineError, Looks},
    frame::{Frame, next_frame},
    keepalive::KeepAlive,
    pause::Pause,
    pdu::{self, id, status},
    questions::Questions,
    sources::Sources,
    station::Station,
    trap::Trap,
    window::{LAST_SEQUENCE, Window},
};
use crate::{
    board::LineState,
    config::Line,
    message::{LineEvent, Role, Submit},
};

/// How long the end of a session waits for what is still open.
const PARTING: Duration = Duration::from_secs(5);
/// Octets waiting for the socket beyond which nothing is read: the SMSC must read first.
const READING_WAITS: usize = 256 * 1024;
/// Octets of messages that wait to be taken in beyond which nothing is read: the SMSC keeps the rest.
const LOOK_AHEAD: usize = 64 * 1024;

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The bind is out.
    Binding { until: Instant },
    /// Bound.
    Bound,
    /// We are about to unbind: nothing new leaves, what is open may still be settled.
    Parting { until: Instant },
    /// We sent unbind and await its response.
    Leaving { until: Instant },
    /// The SMSC sent unbind, which is answered; what is open may still be settled.
    Dismissed { until: Instant },
}

/// A message that waits to be taken in.
#[derive(Clone, Debug)]
struct Waiting {
    frame: Frame,
    /// It has not come before then.
    since: Instant,
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
    /// Messages that wait to be taken in, and their octets.
    held: VecDeque<Waiting>,
    held_octets: usize,
    pause: Pause,
    /// The message that is tried while others wait.
    trial: Option<Waiting>,
    /// Since when what is read now may have waited.
    pub(super) sources: Sources,
    /// When a message came last.
    heard: Instant,
    role: Role,
    can: Abilities,
    /// The SMSC does not say that it knows optional parameters.
    older: bool,
    quiet: bool,
    /// Why we unbind, when it is not that the line stops.
    parting_for: Option<LineError>,
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
            questions: Questions::new(settings),
            window,
            unsent: VecDeque::new(),
            keepalive: KeepAlive::new(settings, now),
            held: VecDeque::new(),
            held_octets: 0,
            pause: Pause::new(settings.temporary_at_most),
            trial: None,
            sources: Sources::new(now),
            heard: now,
            role,
            can: Abilities::default(),
            older: false,
            quiet: false,
            parting_for: None,
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
            Stage::Parting { .. } | Stage::Leaving { .. } => return self.parted(),
            Stage::Dismissed { .. } => Err(LineError::Unbound),
        };
        self.end(why);
    }

    /// Whether more may be read from the socket.
    pub(super) fn may_read(&self) -> bool {
        let binding = matches!(self.stage, Stage::Binding { .. });
        let ahead = binding || self.pause.is_on() || self.held_octets < LOOK_AHEAD;
        ahead && self.out.len() < READING_WAITS
    }

    /// Reads what came, PDU by PDU. Messages that find no room among the undecided ones wait; enquire_link and responses
    /// behind them do not, as far as we look ahead. Gives the number of PDUs that were read.
    pub(super) fn read(&mut self, buffer: &mut BytesMut, now: Instant) -> usize {
        self.quiet = self.station.quiesce.is_cancelled();
        self.take_held(now);
        let (mut cut, mut whole) = (0, true);
        while !buffer.is_empty() && !self.is_over() && self.may_read() {
            match next_frame(buffer) {
                Ok(Some(frame)) => {
                    cut += 1;
                    self.keepalive.heard(now);
                    self.take(&frame, now);
                }
                Ok(None) => {
                    whole = false;
                    break;
                }
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
        self.sources.left(whole && !buffer.is_empty());
        cut
    }

    /// One PDU, by the command_id of its header: the codec has no say in what kind it is.
    fn take(&mut self, frame: &Frame, now: Instant) {
        let sequence = frame.sequence_number;
        if frame.command_id & id::RESPONSE == 0 && !(1..=LAST_SEQUENCE).contains(&sequence) {
            self.note(Trap::OddSequence);
        }
        match frame.command_id {
            id::DELIVER_SM | id::DATA_SM => self.take_message(frame, now),
            id::SUBMIT_SM_RESP => self.take_response(frame, now),
            id::ENQUIRE_LINK => self.take_enquiry(frame),
            id::ENQUIRE_LINK_RESP => self.take_enquiry_response(frame),
            id::UNBIND => self.take_unbind(frame, now),
            id::UNBIND_RESP if matches!(self.stage, Stage::Leaving { .. }) => self.parted(),
            id::GENERIC_NACK => self.take_nack(frame, now),
            id::OUTBIND => self.note(Trap::Outbind),
            id::ALERT_NOTIFICATION => self.note(Trap::Alert),
            own if own == bind::command_id(self.role) | id::RESPONSE => self.take_bind_response(frame, now),
            response if response & id::RESPONSE != 0 => self.note(Trap::UnknownResponse),
            _ => {
                self.note(Trap::UnknownCommand);
                pdu::write_bare(&mut self.out, id::GENERIC_NACK, status::INVALID_COMMAND_ID, sequence);
            }
        }
    }

    fn take_enquiry(&mut self, frame: &Frame) {
        if !frame.body().is_empty() {
            self.note(Trap::BodyOnBodyless);
        }
        if !self.held.is_empty() && self.stage == Stage::Bound {
            self.note(Trap::EnquireWhileBusy);
        }
        pdu::write_bare(&mut self.out, id::ENQUIRE_LINK_RESP, status::OK, frame.sequence_number);
    }

    fn take_bind_response(&mut self, frame: &Frame, now: Instant) {
        if !matches!(self.stage, Stage::Binding { .. }) {
            return self.note(Trap::UnknownResponse);
        }
        if frame.command_status != status::OK {
            return self.end(Err(LineError::Refused { status: frame.command_status }));
        }
        // An SMSC's name, if it be empty, has a NUL.
        if frame.body().len() < 2 {
            self.note(Trap::BindBodyMissing);
        }
        let version = bind::version(frame.body());
        self.can = Abilities::of(self.settings, version);
        self.older = version.is_none_or(|version| version < V3_4);
        if self.settings.interface_version > version.unwrap_or(V3_4) {
            self.note(Trap::LowerVersion);
        }
        self.stage = Stage::Bound;
        (self.bound_at, self.heard) = (Some(now), now);
        self.station.is_bound();
        let up = LineEvent::Up { line: self.station.line, session: self.session, at: self.station.clock.now() };
        self.station.post.for_desk(up.clone());
        self.station.post.for_outbox(up);
        let label = &self.station.label;
        self.station.board.line(label, LineState::Bound { since: self.station.clock.now(), version });
        tracing::info!(carrier.name = %label.carrier, line = %label, session = self.session, "Line {label} bound");
        self.take_held(now);
    }

    fn take_unbind(&mut self, frame: &Frame, now: Instant) {
        if !frame.body().is_empty() {
            self.note(Trap::BodyOnBodyless);
        }
        pdu::write_bare(&mut self.out, id::UNBIND_RESP, status::OK, frame.sequence_number);
        match self.stage {
            Stage::Bound | Stage::Parting { .. } => self.stage = Stage::Dismissed { until: now + PARTING },
            Stage::Binding { .. } => self.end(Err(LineError::Unbound)),
            Stage::Leaving { .. } | Stage::Dismissed { .. } => {}
        }
        self.dismissed(now);
    }

    /// After the SMSC's unbind the session ends when nothing is open any more, and before ours it is sent then.
    fn dismissed(&mut self, now: Instant) {
        let nothing_open = self.window.is_empty() && self.questions.is_empty() && self.held.is_empty();
        match self.stage {
            Stage::Dismissed { .. } if nothing_open => self.end(Err(LineError::Unbound)),
            Stage::Parting { .. } if nothing_open => self.unbind(now),
            Stage::Dismissed { .. }
            | Stage::Parting { .. }
            | Stage::Binding { .. }
            | Stage::Bound
            | Stage::Leaving { .. } => {}
        }
    }

    fn note_all(&self, traps: Vec<Trap>) {
        for trap in traps {
            self.note(trap);
        }
    }

    fn note(&self, trap: Trap) {
        self.station.note(trap);
    }
}
