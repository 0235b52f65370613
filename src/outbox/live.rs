//! A reply on its way: its segments, and what came back for each.

use std::{sync::Arc, time::Duration};

use super::{
    content::Content,
    status::{Change, Manner},
};
use crate::{
    clock::Micros,
    ledger::{FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, SettlementResult, SettlementRow},
    message::{CarrierId, LineNo, RowKey, Segment, Stream},
    sms::{Split, WireForm},
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
    /// Refused for its form, with this status: the text is cut anew once nothing of it is on its way.
    Held(Change, u32),
    Taken(String),
    Refused(u32),
    Unknown,
}

/// One segment.
struct Piece {
    segment: Segment,
    state: State,
    tries: u8,
    /// Which copy was sent last.
    copy: u32,
    /// Whether a copy of it may have been taken although nobody said so.
    doubtful: bool,
    /// How it was last sent.
    manner: Manner,
    asks_receipt: bool,
}

impl Piece {
    /// Whether its octets are more than go over the air: septets are packed there.
    fn is_long(&self) -> bool {
        self.segment.octets.len() > ON_THE_AIR || self.segment.payload
    }

    fn new(segment: Segment) -> Self {
        Self {
            segment,
            state: State::Waiting,
            tries: 0,
            copy: 0,
            doubtful: false,
            manner: Manner::default(),
            asks_receipt: false,
        }
    }
}

/// Octets of a message on the air.
const ON_THE_AIR: usize = 140;

/// What is to be done after news about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: others are still open.
    Wait,
    /// Send this segment again after the wait.
    Again {
        /// Which segment.
        segment: u8,
        /// How long.
        wait: Duration,
    },
    /// The text was cut anew: send all of it.
    Anew,
    /// Every segment has its end: settle.
    Settle,
}

/// A reply in memory.
pub(super) struct Live {
    pub(super) reply: Outgoing,
    pieces: Vec<Piece>,
    /// Messages on the air.
    planned: u8,
    form: WireForm,
    reference: u16,
    /// Segments sent, each time they were.
    copies: u32,
    cut_anew: bool,
    /// How it is sent from now on.
    manner: Manner,
    submitted_at: Option<Micros>,
    line: Option<LineNo>,
    last_status: Option<u32>,
    flags: i64,
    expired: bool,
}

impl Live {
    pub(super) fn new(reply: Outgoing, form: WireForm, reference: u16) -> Self {
        let (segments, planned) = reply.content.segments(form, reference);
        let flags = if reply.inherited { FLAG_POSSIBLE_DUP } else { 0 };
        Self {
            pieces: segments.into_iter().map(Piece::new).collect(),
            planned,
            form,
            reference,
            copies: 0,
            cut_anew: false,
            manner: Manner::default(),
            reply,
            submitted_at: None,
            line: None,
            last_status: None,
            flags,
            expired: false,
        }
    }

    /// How many submits it is.
    pub(super) fn count(&self) -> u8 {
        self.pieces.len() as u8
    }

    fn piece(&mut self, segment: u8) -> Option<&mut Piece> {
        self.pieces.get_mut(usize::from(segment))
    }

    /// Whether a segment's answer is awaited.
    pub(super) fn awaits(&self, segment: u8) -> bool {
        self.pieces.get(usize::from(segment)).is_some_and(|piece| piece.state == State::Sent)
    }

    /// Whether some of its segments were taken and others were not yet.
    pub(super) fn is_half_taken(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.state, State::Taken(_)))
    }

    /// Tries of a segment so far.
    pub(super) fn tries(&self, segment: u8) -> u8 {
        self.pieces.get(usize::from(segment)).map_or(0, |piece| piece.tries)
    }

    /// Takes a segment for sending over a line: with which copy this is, and how it is to be sent. `None` when it has its
    /// end already.
    pub(super) fn send(&mut self, segment: u8, line: LineNo, now: Micros) -> Option<(Segment, u32, Manner)> {
        let (copy, manner) = (self.copies.saturating_add(1), self.manner);
        let piece = self.piece(segment)?;
        if piece.state != State::Waiting {
            return None;
        }
        (piece.state, piece.copy, piece.manner) = (State::Sent, copy, manner);
        piece.tries = piece.tries.saturating_add(1);
        let sent = piece.segment.clone();
        self.copies = copy;
        self.submitted_at.get_or_insert(now);
        self.line = Some(line);
        Some((sent, copy, manner))
    }

    /// A segment is sent with this wish for a receipt.
    pub(super) fn asks(&mut self, segment: u8, receipt: bool) {
        if let Some(piece) = self.piece(segment) {
            piece.asks_receipt = receipt;
        }
    }

    /// A copy of a segment was taken. A late answer after it was given up as unknown, or sent again, still says so. With how
    /// it was sent, if that is known of this copy and none had been taken before.
    pub(super) fn accepted(&mut self, segment: u8, copy: u32, message_id: &str) -> (Next, Option<Manner>) {
        match self.piece(segment) {
            Some(piece) if !matches!(piece.state, State::Taken(_)) => {
                piece.state = State::Taken(message_id.to_owned());
                let manner = (piece.copy == copy).then_some(piece.manner);
                (self.next(), manner)
            }
            _ => (Next::Wait, None),
        }
    }

    /// A segment was refused and goes again after a wait; `counted` as a try, or not.
    pub(super) fn again(&mut self, segment: u8, status: u32, wait: Duration, counted: bool) -> Next {
        self.last_status = Some(status);
        let Some(piece) = self.piece(segment).filter(|piece| piece.state == State::Sent) else { return Next::Wait };
        piece.state = State::Waiting;
        if !counted {
            piece.tries = piece.tries.saturating_sub(1);
        }
        Next::Again { segment, wait }
    }

    /// The carrier refused it, and may have taken it all the same.
    pub(super) fn may_be_double(&mut self) {
        self.flags |= FLAG_POSSIBLE_DUP;
    }

    /// A segment was refused for good.
    pub(super) fn give_up(&mut self, segment: u8, status: u32) -> Next {
        self.last_status = Some(status);
        if let Some(piece) = self.piece(segment).filter(|piece| piece.state == State::Sent) {
            piece.state = State::Refused(status);
        }
        self.next()
    }

    /// Nothing of it is sent: as things are, it would be refused with this status.
    pub(super) fn turn_away(&mut self, status: u32) {
        self.last_status = Some(status);
        for piece in &mut self.pieces {
            piece.state = State::Refused(status);
        }
    }

    /// A segment was refused for its form and is to go otherwise, once. `None` when that has been done or cannot be.
    pub(super) fn change(&mut self, segment: u8, status: u32, change: Change) -> Option<Next> {
        let manner = self.manner;
        let at = usize::from(segment);
        let piece = self.pieces.get(at).filter(|piece| piece.state == State::Sent)?;
        match change {
            Change::Without(without) if piece.manner.has(without) => return None,
            Change::Without(without) => {
                self.manner = manner.and(without);
                return Some(self.again(segment, status, Duration::ZERO, false));
            }
            Change::InOctets if !self.pieces.iter().any(Piece::is_long) => return None,
            Change::Folded if piece.segment.data_coding != self.form.ucs2_coding => return None,
            Change::InOctets | Change::Folded => {}
        }
        // A phone would put a new first part together with an old second one.
        let whole =
            |piece: &Piece| !piece.doubtful && matches!(piece.state, State::Waiting | State::Sent | State::Held(..));
        if self.cut_anew || !self.pieces.iter().all(whole) {
            return None;
        }
        self.last_status = Some(status);
        self.pieces[at].state = State::Held(change, status);
        Some(self.next())
    }

    /// A segment was sent and nobody knows whether it was taken.
    pub(super) fn doubt(&mut self, segment: u8, resend: bool, most_tries: u8) -> Next {
        let Some(piece) = self.piece(segment).filter(|piece| piece.state == State::Sent) else { return Next::Wait };
        piece.doubtful = true;
        if resend && piece.tries < most_tries {
            piece.state = State::Waiting;
            self.flags |= FLAG_POSSIBLE_DUP;
            return Next::Again { segment, wait: Duration::ZERO };
        }
        piece.state = State::Unknown;
        self.flags |= FLAG_IN_DOUBT;
        self.next()
    }

    /// A segment that was taken for sending did not reach a line.
    pub(super) fn unsend(&mut self, segment: u8) {
        if let Some(piece) = self.piece(segment).filter(|piece| piece.state == State::Sent) {
            piece.state = State::Waiting;
            piece.tries = piece.tries.saturating_sub(1);
        }
    }

    /// Its time has run out: segments that wait are not sent any more, those under way are waited for. Of one whose
    /// earlier copy was never answered nobody knows whether the carrier took it, and charges for it.
    pub(super) fn expire(&mut self) -> Next {
        self.expired = true;
        let last = self.last_status.unwrap_or(0);
        for piece in &mut self.pieces {
            if piece.state == State::Waiting {
                if piece.doubtful {
                    self.flags |= FLAG_IN_DOUBT;
                }
                piece.state = if piece.doubtful { State::Unknown } else { State::Refused(last) };
            }
        }
        self.next()
    }

    fn next(&mut self) -> Next {
        if self.pieces.iter().any(|piece| piece.state == State::Sent) {
            return Next::Wait;
        }
        let held = self.pieces.iter().find_map(|piece| match piece.state {
            State::Held(change, _) => Some(change),
            State::Waiting | State::Sent | State::Taken(_) | State::Refused(_) | State::Unknown => None,
        });
        if let Some(change) = held {
            if self.cut_anew(change) {
                return Next::Anew;
            }
            for piece in &mut self.pieces {
                if let State::Held(_, status) = piece.state {
                    piece.state = State::Refused(status);
                }
            }
        }
        let open = self.pieces.iter().any(|piece| piece.state == State::Waiting);
        if open { Next::Wait } else { Next::Settle }
    }

    /// Cuts the whole text anew, once, if nothing of it may have been taken.
    fn cut_anew(&mut self, change: Change) -> bool {
        let untaken = |piece: &Piece| !piece.doubtful && matches!(piece.state, State::Waiting | State::Held(..));
        if self.expired || !self.pieces.iter().all(untaken) {
            return false;
        }
        self.cut_anew = true;
        let form = match (change, self.form.split) {
            (Change::InOctets, Split::Payload) => WireForm { split: Split::Udh8, ..self.form }.in_140_octets(),
            (Change::InOctets, _) => self.form.in_140_octets(),
            (Change::Folded | Change::Without(_), _) => self.form,
        };
        let cut = match change {
            Change::InOctets => Some(self.reply.content.segments(form, self.reference)),
            Change::Folded => self.reply.content.folded(form, self.reference),
            Change::Without(_) => None,
        };
        let Some((segments, planned)) = cut.filter(|(segments, _)| !segments.is_empty()) else { return false };
        self.pieces = segments.into_iter().map(Piece::new).collect();
        self.planned = planned;
        true
    }

    /// The settlement, as far as the segments have got.
    pub(super) fn settlement(&self, carrier: &CarrierId, stream: Stream, now: Micros, marked: bool) -> SettlementRow {
        let states = || self.pieces.iter().map(|piece| &piece.state);
        let taken = states().filter(|state| matches!(state, State::Taken(_))).count();
        let all = taken == self.pieces.len() && taken > 0;
        let result = if all {
            SettlementResult::Accepted
        } else if states().any(|state| matches!(state, State::Unknown | State::Sent)) {
            SettlementResult::Unknown
        } else if self.expired {
            SettlementResult::Expired
        } else {
            SettlementResult::Rejected
        };
        let ids = states().map(|state| match state {
            State::Taken(id) => id.clone(),
            State::Waiting | State::Sent | State::Held(..) | State::Refused(_) | State::Unknown => String::new(),
        });
        SettlementRow {
            exchange: self.reply.key,
            carrier: carrier.clone(),
            stream,
            line: self.line.map(LineNo::row),
            submitted_at: self.submitted_at,
            settled_at: now,
            result,
            planned: self.planned,
            accepted: if all { self.planned } else { taken as u8 },
            status: self.last_status.filter(|_| !all),
            message_ids: ids.collect(),
            flags: self.flags,
            receipts: self.pieces.iter().any(|piece| piece.asks_receipt && !matches!(piece.state, State::Refused(_))),
            marked,
        }
    }
}
