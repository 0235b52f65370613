//! What the simulator knows, shared by its sessions and its callers, and what it does with each PDU.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    SimError,
    engine::Engine,
    message::{
        Deliver, DeliverAnswer, Dialect, Ids, Receipts, SmscCounts, SmscSettings, StrayResponse, SubmitAnswer,
        Submitted,
    },
    open::{OpenRequests, Waiting},
    wire,
};
use crate::{
    clock::{Clock, Micros},
    message::{Octets, RawAddress},
    smpp::frame::Frame,
};

/// How many stray responses are kept; older ones are dropped.
const STRAYS_KEPT: usize = 16_384;

/// One ESME session.
pub(super) struct Session {
    pub(super) number: u32,
    /// The command_id of the bind that was accepted.
    pub(super) bound: Option<u32>,
    pub(super) open: OpenRequests,
    /// Octets laid up by callers.
    pub(super) outbox: BytesMut,
    pub(super) wake: Arc<Notify>,
    pub(super) cut: CancellationToken,
    /// An unbind has passed: the connection closes when all is written.
    pub(super) closing: bool,
    heard_at: Instant,
    /// When the questions were sent whose replies were taken since the last write.
    pub(super) unwritten: Vec<Instant>,
}

impl Session {
    pub(super) fn new(number: u32, now: Instant) -> Self {
        Self {
            number,
            bound: None,
            open: OpenRequests::new(),
            outbox: BytesMut::new(),
            wake: Arc::new(Notify::new()),
            cut: CancellationToken::new(),
            closing: false,
            heard_at: now,
            unwritten: Vec::new(),
        }
    }

    /// Whether deliver_sm may be sent on it.
    pub(super) fn receives(&self) -> bool {
        !self.closing && matches!(self.bound, Some(wire::BIND_RECEIVER | wire::BIND_TRANSCEIVER))
    }

    fn submits(&self) -> bool {
        matches!(self.bound, Some(wire::BIND_TRANSMITTER | wire::BIND_TRANSCEIVER))
    }
}

/// Everything but the sessions.
pub(super) struct Desk {
    pub(super) settings: SmscSettings,
    pub(super) clock: Clock,
    pub(super) load: Option<Engine>,
    pub(super) submitted: VecDeque<Submitted>,
    pub(super) strays: VecDeque<StrayResponse>,
    pub(super) counts: SmscCounts,
    last_message_id: u64,
    /// Set when a caller that waits may find something new.
    pub(super) stirred: bool,
}

impl Desk {
    pub(super) fn new(settings: SmscSettings, clock: Clock) -> Self {
        let last_message_id = settings.dialect.ids_after;
        Self {
            settings,
            clock,
            load: None,
            submitted: VecDeque::new(),
            strays: VecDeque::new(),
            counts: SmscCounts::default(),
            last_message_id,
            stirred: false,
        }
    }

    /// Deals with one PDU; what is to be answered at once goes into `out`.
    pub(super) fn take(&mut self, session: &mut Session, frame: &Frame, out: &mut BytesMut, now: Instant) {
        session.heard_at = now;
        let (id, sequence) = (frame.command_id, frame.sequence_number);
        match id {
            wire::SUBMIT_SM if session.submits() => self.submit(session, frame, out, now),
            _ if id & wire::RESPONSE != 0 => self.response(session, frame, now),
            wire::ENQUIRE_LINK => {
                self.counts.enquired += 1;
                wire::put_bare(out, id | wire::RESPONSE, wire::OK, sequence);
            }
            wire::BIND_RECEIVER | wire::BIND_TRANSMITTER | wire::BIND_TRANSCEIVER => {
                self.bind(session, frame, out, now);
            }
            wire::UNBIND => {
                wire::put_bare(out, id | wire::RESPONSE, wire::OK, sequence);
                session.closing = true;
            }
            wire::SUBMIT_SM => wire::put_bare(out, id | wire::RESPONSE, wire::WRONG_BIND_STATE, sequence),
            _ => wire::put_bare(out, wire::GENERIC_NACK, wire::UNKNOWN_COMMAND, sequence),
        }
    }

    fn bind(&mut self, session: &mut Session, frame: &Frame, out: &mut BytesMut, now: Instant) {
        let wanted = |wanted: &Option<String>, given: &[u8]| wanted.as_ref().is_none_or(|w| w.as_bytes() == given);
        let status = match wire::read_bind(frame.body()) {
            None => wire::BAD_COMMAND_LENGTH,
            Some(_) if session.bound.is_some() => wire::ALREADY_BOUND,
            Some(bind) if !wanted(&self.settings.account, bind.system_id) => wire::BAD_SYSTEM_ID,
            Some(bind) if !wanted(&self.settings.password, bind.password) => wire::BAD_PASSWORD,
            Some(_) => wire::OK,
        };
        let response = frame.command_id | wire::RESPONSE;
        if status == wire::OK {
            let name: String = self.settings.system_id.chars().filter(char::is_ascii).take(15).collect();
            wire::put_bound(out, response, frame.sequence_number, &name);
            session.bound = Some(frame.command_id);
            self.counts.binds += 1;
            self.stirred = true;
            if let Some(load) = &mut self.load
                && session.receives()
            {
                load.bound(now);
            }
        } else {
            wire::put_bare(out, response, status, frame.sequence_number);
            self.counts.refused_binds += 1;
        }
    }

    fn submit(&mut self, session: &mut Session, frame: &Frame, out: &mut BytesMut, now: Instant) {
        self.counts.submits += 1;
        let response = wire::SUBMIT_SM | wire::RESPONSE;
        let Some(submit) = wire::read_submit(frame.body()) else {
            return wire::put_bare(out, response, wire::BAD_COMMAND_LENGTH, frame.sequence_number);
        };
        let message_id = match self.settings.submits {
            SubmitAnswer::Accept => {
                self.last_message_id += 1;
                match self.settings.dialect.response_ids {
                    Ids::Decimal => wire::put_submitted(out, frame.sequence_number, self.last_message_id),
                    form @ (Ids::PaddedDecimal | Ids::Hex | Ids::SmallHex | Ids::Uuid) => {
                        wire::put_submitted_as(out, frame.sequence_number, &form.write(self.last_message_id));
                    }
                }
                Some(self.last_message_id)
            }
            SubmitAnswer::Refuse(status) => {
                wire::put_bare(out, response, status, frame.sequence_number);
                None
            }
            SubmitAnswer::Silence => None,
        };
        if let Some(id) = message_id
            && self.settings.receipts == Receipts::Delivered
            && matches!(submit.registered_delivery & 3, 1 | 3)
            && session.open.has_room()
            && let Ok(body) = wire::deliver_body(&receipt(&submit, id, self.settings.dialect, self.clock.now()))
        {
            let sequence = session.open.open(Waiting::Receipt, now);
            wire::put_request(out, wire::DELIVER_SM, sequence, &body);
            self.counts.receipts += 1;
        }
        let udhi = submit.esm_class & wire::UDHI != 0;
        if let Some(load) = &mut self.load {
            if message_id.is_some() {
                let place = if udhi { wire::read_header(submit.octets).0 } else { None };
                let first = place.is_none_or(|place| place.index == 1);
                session.unwritten.extend(load.replied(number_of(submit.destination.2), first, now));
            }
            return;
        }
        if self.settings.kept_submits == 0 || self.submitted.len() >= self.settings.kept_submits {
            self.submitted.pop_front();
            self.counts.dropped_submits += 1;
        }
        if self.settings.kept_submits > 0 {
            let address = |(ton, npi, octets): (u8, u8, &[u8])| RawAddress { ton, npi, octets: octets.to_vec() };
            self.submitted.push_back(Submitted {
                source: address(submit.source),
                destination: address(submit.destination),
                data_coding: submit.data_coding,
                udhi,
                sar: submit.sar,
                octets: Octets(submit.octets.to_vec()),
                message_id,
                registered_delivery: submit.registered_delivery,
                at: self.clock.now(),
            });
            self.stirred = true;
        }
    }

    fn response(&mut self, session: &mut Session, frame: &Frame, now: Instant) {
        let status = frame.command_status;
        match session.open.close(frame.command_id, frame.sequence_number) {
            Some((Waiting::Question(phone), _)) => {
                if let Some(load) = &mut self.load {
                    load.answered(phone, status, now);
                }
            }
            Some((Waiting::Caller(caller), since)) => {
                // A caller that has gone away needs no answer.
                let _ = caller.send(DeliverAnswer { status, waited: now.duration_since(since) });
            }
            Some((Waiting::Receipt, _)) => self.counts.receipts_taken += u64::from(status == wire::OK),
            Some((Waiting::Enquiry, _)) => self.counts.enquiries_answered += 1,
            Some((Waiting::Unbind, _)) => session.closing = true,
            None => {
                if self.strays.len() == STRAYS_KEPT {
                    self.strays.pop_front();
                }
                let (command_id, sequence) = (frame.command_id, frame.sequence_number);
                self.strays.push_back(StrayResponse { command_id, status, sequence });
                self.stirred = true;
            }
        }
    }

    /// Adds what the session is to send of its own accord; gives the moment to look again.
    pub(super) fn fill(&mut self, session: &mut Session, out: &mut BytesMut, now: Instant) -> Option<Instant> {
        out.extend_from_slice(&session.outbox);
        session.outbox.clear();
        let mut next = None;
        if session.receives()
            && let Some(load) = &mut self.load
        {
            next = load.fill(&mut session.open, out, now);
        }
        if let Some(after) = self.settings.enquire_after
            && session.bound.is_some()
        {
            if now >= session.heard_at + after && session.open.has_room() {
                session.heard_at = now;
                let sequence = session.open.open(Waiting::Enquiry, now);
                wire::put_bare(out, wire::ENQUIRE_LINK, wire::OK, sequence);
            }
            let at = (session.heard_at + after).max(now + Duration::from_millis(10));
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        next
    }

    /// A session has ended.
    pub(super) fn ended(&mut self, mut session: Session, now: Instant) {
        self.stirred = true;
        if session.bound.is_some()
            && let Some(load) = &mut self.load
        {
            load.session_lost(session.open.unanswered(), now);
        }
    }

    /// Lays a request of a caller up on a session.
    pub(super) fn request(session: &mut Session, id: u32, waiting: Waiting, body: &[u8]) -> Result<(), SimError> {
        if !session.open.has_room() {
            return Err(SimError::TooManyOpen);
        }
        let sequence = session.open.open(waiting, Instant::now());
        wire::put_request(&mut session.outbox, id, sequence, body);
        session.wake.notify_one();
        Ok(())
    }
}

/// The digits of an address as a number; `None` when it is none.
fn number_of(octets: &[u8]) -> Option<u64> {
    let digits = octets.strip_prefix(b"+").unwrap_or(octets);
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, octet| octet.is_ascii_digit().then(|| number * 10 + u64::from(octet - b'0')))
}

/// A "delivered" receipt in the form most SMSCs use (SMPP 3.4, appendix B), with its two parameters.
fn receipt(submit: &wire::Submit<'_>, id: u64, dialect: Dialect, now: Micros) -> Deliver {
    let address = |(ton, npi, octets): (u8, u8, &[u8])| RawAddress { ton, npi, octets: octets.to_vec() };
    let id = dialect.receipt_ids.write(id);
    let mut receipt = Deliver::receipt(address(submit.destination), address(submit.source), &id, "DELIVRD", now);
    if dialect.plain_receipts {
        receipt.tlvs.clear();
    }
    receipt
}
