//! What comes back for what we sent.

use tokio::time::Instant;

use super::{Conversation, Stage};
use crate::{
    message::{LineEvent, SubmitResult},
    smpp::{
        error::LineError,
        frame::Frame,
        pdu::{self, id, status},
        trap::Trap,
        window::Matched,
    },
};

/// delivery_failure_reason (SMPP 3.4, 5.3.2.33).
const DELIVERY_FAILURE_REASON: u16 = 0x0425;
/// congestion_state (SMPP 5.0, 4.8.4.18).
const CONGESTION_STATE: u16 = 0x0428;

impl Conversation<'_> {
    /// A generic_nack answers the request whose number it has; with number 0 it answers nothing.
    pub(super) fn take_nack(&mut self, frame: &Frame, now: Instant) {
        let (sequence, command_status) = (frame.sequence_number, frame.command_status);
        if matches!(self.stage, Stage::Binding { .. }) {
            return self.end(Err(LineError::Refused { status: command_status }));
        }
        if matches!(self.stage, Stage::Leaving { .. }) && self.window.is_empty() {
            return self.parted();
        }
        if self.keepalive.is_ours(sequence) {
            self.note(Trap::NoEnquireLink);
            if command_status == status::INVALID_BIND_STATUS {
                self.end(Err(LineError::NotBound));
            } else {
                self.keepalive.refused();
            }
        } else if self.settle(frame, now) {
            self.note(Trap::NackWithSequence);
        } else {
            self.note(Trap::NackOfNothing);
        }
    }

    /// An enquire_link_resp: a sign of life, unless it says that the session is not bound.
    pub(super) fn take_enquiry_response(&mut self, frame: &Frame) {
        if frame.command_status == status::INVALID_BIND_STATUS {
            self.note(Trap::NoEnquireLink);
            self.end(Err(LineError::NotBound));
        } else if self.keepalive.answered(frame.sequence_number) {
            self.congestion(frame.body());
        }
    }

    /// A submit_sm_resp.
    pub(super) fn take_response(&mut self, frame: &Frame, now: Instant) {
        if !self.settle(frame, now) {
            let wrong_kind = self.keepalive.is_ours(frame.sequence_number);
            self.note(if wrong_kind { Trap::WrongKind } else { Trap::UnknownResponse });
        }
        if frame.command_status == status::INVALID_BIND_STATUS {
            self.end(Err(LineError::NotBound));
        }
    }

    /// Hands up what came back for a submit; `false` when the number is not of one.
    fn settle(&mut self, frame: &Frame, now: Instant) -> bool {
        if self.window.overtakes(frame.sequence_number) {
            self.note(Trap::OutOfOrder);
        }
        let sent = match self.window.settle(frame.sequence_number) {
            Matched::Open(sent) => sent,
            Matched::Late(sent) => {
                self.note(Trap::LateResponse);
                sent
            }
            Matched::Again => {
                self.note(Trap::ResponseTwice);
                return true;
            }
            Matched::Nothing => return false,
        };
        // A generic_nack has no body, so what stands there names nothing.
        let body = if frame.command_id == id::GENERIC_NACK { &[] } else { frame.body() };
        let id = sent.id;
        let result = if frame.command_status == status::OK {
            if sent.wants_receipt && self.settings.unreceipted_after.is_some() {
                self.station.owed.taken(now);
            }
            SubmitResult::Accepted { message_id: pdu::message_id(body) }
        } else {
            let reason = match pdu::parameter(body, DELIVERY_FAILURE_REASON) {
                Some(&[reason]) => Some(reason),
                _ => None,
            };
            SubmitResult::Rejected { status: frame.command_status, reason }
        };
        let at = self.station.clock.now();
        self.station.post.for_outbox(LineEvent::Response { line: self.station.line, id, result, at });
        self.congestion(body);
        self.dismissed(now);
        true
    }

    /// Hands up how full the SMSC says it is. Only answers to what we sent are asked, so their number is bounded.
    fn congestion(&mut self, body: &[u8]) {
        if let Some(&[level]) = pdu::parameter(body, CONGESTION_STATE) {
            self.note(Trap::Congestion);
            self.station.post.for_outbox(LineEvent::Congestion { line: self.station.line, level });
        }
    }
}
