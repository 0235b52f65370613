//! A reply on its way: its segments, and what came back for each.

use std::sync::Arc;

use super::{
    content::Content,
    status::{Action, TRIES, action},
};
use crate::{
    clock::Micros,
    ledger::{FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, SettlementResult, SettlementRow},
    message::{CarrierId, LineNo, RowKey, Segment, Stream, SubmitResult},
};

/// A reply as the desk hands it over once it is on disk.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The exchange.
    pub key: RowKey,
    /// Not sent after this.
    pub expires_at: Micros,
    /// What is sent.
    pub content: Arc<Content>,
    /// An earlier process may have sent it already.
    pub inherited: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Sent,
    Taken(String),
    Refused(u32),
    Unknown,
}

/// Whether a refusal stands in the way of other replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is about this segment alone.
    Not,
    /// The carrier is busy.
    Busy,
    /// The carrier finds fault with our settings, or with this one message.
    Fault,
}

/// What is to be done after news about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: others are still open.
    Wait,
    /// Send this segment again after the wait; `pause`: nothing else either until then.
    Again {
        /// Which segment.
        segment: u8,
        /// How long.
        wait: std::time::Duration,
        /// Nothing else either until then.
        pause: Pause,
    },
    /// Every segment has its end: settle.
    Settle,
}

/// A reply of which at least one segment was sent.
pub(super) struct Live {
    pub(super) reply: Outgoing,
    segments: Vec<Segment>,
    states: Vec<State>,
    tries: Vec<u8>,
    /// Whether a copy of the segment may have been taken although nobody said so.
    doubtful: Vec<bool>,
    submitted_at: Option<Micros>,
    line: Option<LineNo>,
    last_status: Option<u32>,
    flags: i64,
    expired: bool,
}

impl Live {
    pub(super) fn new(reply: Outgoing) -> Self {
        let segments = reply.content.segments();
        let flags = if reply.inherited { FLAG_POSSIBLE_DUP } else { 0 };
        Self {
            states: vec![State::Waiting; segments.len()],
            tries: vec![0; segments.len()],
            doubtful: vec![false; segments.len()],
            segments,
            reply,
            submitted_at: None,
            line: None,
            last_status: None,
            flags,
            expired: false,
        }
    }

    /// How many physical messages it is.
    pub(super) fn count(&self) -> u8 {
        self.segments.len() as u8
    }

    /// Takes a segment for sending over a line. `None` when it has its end already.
    pub(super) fn send(&mut self, segment: u8, line: LineNo, now: Micros) -> Option<Segment> {
        let at = usize::from(segment);
        if self.states.get(at) != Some(&State::Waiting) {
            return None;
        }
        self.states[at] = State::Sent;
        self.tries[at] = self.tries[at].saturating_add(1);
        self.submitted_at.get_or_insert(now);
        self.line = Some(line);
        self.segments.get(at).cloned()
    }

    /// A result came for a segment. `resend` is the carrier's rule for those without an answer.
    pub(super) fn result(&mut self, segment: u8, result: &SubmitResult, resend: bool) -> Next {
        let at = usize::from(segment);
        match (self.states.get(at), result) {
            (None | Some(State::Taken(_)), _) => return Next::Wait,
            // A late answer after the segment was given up as unknown still says that it was taken.
            (Some(_), SubmitResult::Accepted { message_id }) => self.states[at] = State::Taken(message_id.clone()),
            (Some(State::Sent), SubmitResult::Rejected { status, .. }) => {
                self.last_status = Some(*status);
                let (wait, pause, counted) = match action(*status) {
                    Action::Retry(wait) => (wait, Pause::Not, true),
                    Action::Slow(wait) => (wait, Pause::Busy, false),
                    Action::OurFault(wait) => {
                        tracing::error!(
                            status = format!("{status:#x}"),
                            "Carrier refuses how replies are addressed or coded; check its section of the configuration"
                        );
                        (wait, Pause::Fault, false)
                    }
                    Action::GiveUp => (std::time::Duration::ZERO, Pause::Not, true),
                };
                if !counted {
                    self.tries[at] = self.tries[at].saturating_sub(1);
                }
                if wait.is_zero() || self.tries[at] >= TRIES {
                    self.states[at] = State::Refused(*status);
                } else {
                    self.states[at] = State::Waiting;
                    return Next::Again { segment, wait, pause };
                }
            }
            (Some(State::Sent), SubmitResult::TimedOut) => return self.doubt(segment, resend),
            (Some(_), SubmitResult::Rejected { .. } | SubmitResult::TimedOut) => return Next::Wait,
        }
        self.next()
    }

    /// A segment was sent and nobody knows whether it was taken.
    pub(super) fn doubt(&mut self, segment: u8, resend: bool) -> Next {
        let at = usize::from(segment);
        if self.states.get(at) != Some(&State::Sent) {
            return Next::Wait;
        }
        self.doubtful[at] = true;
        if resend && self.tries[at] < TRIES {
            self.flags |= FLAG_POSSIBLE_DUP;
            self.states[at] = State::Waiting;
            return Next::Again { segment, wait: std::time::Duration::ZERO, pause: Pause::Not };
        }
        self.flags |= FLAG_IN_DOUBT;
        self.states[at] = State::Unknown;
        self.next()
    }

    /// A segment that was taken for sending did not reach a line.
    pub(super) fn unsend(&mut self, segment: u8) {
        let at = usize::from(segment);
        if self.states.get(at) == Some(&State::Sent) {
            self.states[at] = State::Waiting;
            self.tries[at] = self.tries[at].saturating_sub(1);
        }
    }

    /// Its time has run out: segments that wait are not sent any more, those under way are waited for. Of one whose
    /// earlier copy was never answered nobody knows whether the carrier took it, and charges for it.
    pub(super) fn expire(&mut self) -> Next {
        self.expired = true;
        let last = self.last_status.unwrap_or(0);
        let segments = self.states.iter_mut().zip(&self.doubtful);
        for (state, doubtful) in segments.filter(|(state, _)| **state == State::Waiting) {
            if *doubtful {
                self.flags |= FLAG_IN_DOUBT;
            }
            *state = if *doubtful { State::Unknown } else { State::Refused(last) };
        }
        self.next()
    }

    fn next(&self) -> Next {
        let open = self.states.iter().any(|state| matches!(state, State::Waiting | State::Sent));
        if open { Next::Wait } else { Next::Settle }
    }

    /// The settlement, as far as the segments have got.
    pub(super) fn settlement(
        &self,
        carrier: &CarrierId,
        stream: Stream,
        now: Micros,
        receipts: bool,
        marked: bool,
    ) -> SettlementRow {
        let taken = self.states.iter().filter(|state| matches!(state, State::Taken(_))).count();
        let unknown = self.states.iter().any(|state| matches!(state, State::Unknown | State::Sent));
        let result = if taken == self.states.len() && taken > 0 {
            SettlementResult::Accepted
        } else if unknown {
            SettlementResult::Unknown
        } else if self.expired {
            SettlementResult::Expired
        } else {
            SettlementResult::Rejected
        };
        let ids = self.states.iter().map(|state| match state {
            State::Taken(id) => id.clone(),
            State::Waiting | State::Sent | State::Refused(_) | State::Unknown => String::new(),
        });
        SettlementRow {
            exchange: self.reply.key,
            carrier: carrier.clone(),
            stream,
            line: self.line.map(LineNo::row),
            submitted_at: self.submitted_at,
            settled_at: now,
            result,
            planned: self.count(),
            accepted: taken as u8,
            status: self.last_status.filter(|_| result != SettlementResult::Accepted),
            message_ids: ids.collect(),
            flags: self.flags,
            receipts,
            marked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Alphabet, Masked, RawAddress};

    fn live(length: usize, inherited: bool) -> Live {
        let content = Content {
            destination: RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() },
            source: RawAddress { ton: 0, npi: 1, octets: b"9999".to_vec() },
            alphabet: Alphabet::Gsm7,
            reference: 1,
            text: Masked::new("x".repeat(length)),
        };
        Live::new(Outgoing { key: RowKey(1), expires_at: Micros(9), content: Arc::new(content), inherited })
    }

    fn accepted(id: &str) -> SubmitResult {
        SubmitResult::Accepted { message_id: id.into() }
    }

    fn settled(live: &Live) -> SettlementRow {
        live.settlement(&CarrierId::parse("vtl").unwrap(), Stream::Test, Micros(5), false, false)
    }

    #[test]
    fn a_reply_is_settled_when_every_segment_has_its_answer() {
        let mut live = live(200, false);
        for segment in 0..2 {
            assert!(live.send(segment, LineNo(0), Micros(2)).is_some());
            assert!(live.send(segment, LineNo(0), Micros(3)).is_none(), "a segment is not sent twice");
        }
        assert_eq!(live.result(1, &accepted("b"), true), Next::Wait);
        assert_eq!(
            live.result(1, &SubmitResult::Rejected { status: 8, reason: None }, true),
            Next::Wait,
            "the first answer stands"
        );
        assert_eq!(live.result(0, &accepted("a"), true), Next::Settle);
        let row = settled(&live);
        assert_eq!((row.result, row.planned, row.accepted, row.flags), (SettlementResult::Accepted, 2, 2, 0));
        assert_eq!((row.message_ids, row.submitted_at), (vec!["a".to_owned(), "b".to_owned()], Some(Micros(2))));
    }

    #[test]
    fn refusals_are_tried_again_or_given_up_by_their_status() {
        let mut live = live(10, false);
        live.send(0, LineNo(0), Micros(1));
        assert!(matches!(
            live.result(0, &SubmitResult::Rejected { status: 0x58, reason: None }, true),
            Next::Again { pause: Pause::Busy, .. }
        ));
        live.send(0, LineNo(0), Micros(1));
        assert_eq!(live.result(0, &SubmitResult::Rejected { status: 0x0b, reason: None }, true), Next::Settle);
        assert_eq!((settled(&live).result, settled(&live).status), (SettlementResult::Rejected, Some(0x0b)));
    }

    #[test]
    fn a_status_that_is_tried_again_ends_after_its_tries() {
        let mut live = live(10, false);
        for attempt in 1..=TRIES {
            assert!(live.send(0, LineNo(0), Micros(1)).is_some());
            let next = live.result(0, &SubmitResult::Rejected { status: 0x08, reason: None }, true);
            assert_eq!(matches!(next, Next::Settle), attempt == TRIES, "{attempt}");
        }
    }

    #[test]
    fn doubt_is_sent_again_and_flagged_or_held_and_recorded_as_unknown() {
        let mut resend = live(10, false);
        resend.send(0, LineNo(0), Micros(1));
        assert!(matches!(resend.doubt(0, true), Next::Again { .. }));
        resend.send(0, LineNo(0), Micros(1));
        assert_eq!(resend.result(0, &accepted("a"), true), Next::Settle);
        assert_eq!(settled(&resend).flags, FLAG_POSSIBLE_DUP);
        let mut hold = live(10, false);
        hold.send(0, LineNo(0), Micros(1));
        assert_eq!(hold.doubt(0, false), Next::Settle);
        assert_eq!((settled(&hold).result, settled(&hold).flags), (SettlementResult::Unknown, FLAG_IN_DOUBT));
    }

    #[test]
    fn a_reply_that_expires_is_unknown_when_a_copy_of_it_may_have_been_taken() {
        let mut fresh = live(10, false);
        assert_eq!(fresh.expire(), Next::Settle);
        assert_eq!((settled(&fresh).result, settled(&fresh).flags), (SettlementResult::Expired, 0));
        let mut doubtful = live(10, false);
        doubtful.send(0, LineNo(0), Micros(1));
        assert!(matches!(doubtful.result(0, &SubmitResult::TimedOut, true), Next::Again { .. }));
        assert_eq!(doubtful.expire(), Next::Settle);
        let row = settled(&doubtful);
        assert_eq!((row.result, row.flags), (SettlementResult::Unknown, FLAG_POSSIBLE_DUP | FLAG_IN_DOUBT));
    }

    #[test]
    fn what_an_earlier_process_may_have_sent_is_flagged() {
        let mut live = live(10, true);
        live.send(0, LineNo(0), Micros(1));
        live.result(0, &accepted("a"), true);
        assert_eq!(settled(&live).flags, FLAG_POSSIBLE_DUP);
    }
}
