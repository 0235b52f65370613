//! What passes between a line and the rest of the service.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use super::{RawAddress, ReceiptForm, RowKey, Segment};
use crate::clock::Micros;

/// A session slot's number in this process: the carrier's place in its upper octet, [`super::LineId::row`] in the lower.
/// Its [`super::LineId`] is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineNo(pub u16);

impl LineNo {
    /// The number of a carrier's line; `carrier` counts the carriers of this process from 0.
    pub fn new(carrier: u8, line: &super::LineId) -> Self {
        Self(u16::from(carrier) << 8 | line.row())
    }

    /// What stands in rows: which of the carrier's lines.
    pub fn row(self) -> u16 {
        self.0 & 0xFF
    }
}

/// How a part says to which long text it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConcatKind {
    /// User data header, information element 00: 8-bit reference (3GPP TS 23.040, 9.2.3.24.1).
    Udh8,
    /// Information element 08: 16-bit reference (9.2.3.24.8).
    Udh16,
    /// The TLVs sar_msg_ref_num, sar_total_segments, sar_segment_seqnum (SMPP 3.4, 5.3.2.22-24).
    Sar,
}

/// The place of a part in its long text. `1 <= index <= total`, `total >= 2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// Which scheme; references of different schemes never mix.
    pub kind: ConcatKind,
    /// The reference that the parts share.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is.
    pub index: u8,
}

impl Concat {
    /// Whether there can be such a place (3GPP TS 23.040, 9.2.3.24.1).
    pub fn is_possible(self) -> bool {
        (1..=self.total).contains(&self.index)
    }
}

/// Who answers a `deliver_sm`: the line by its deadline, or the service after the commit. Shared by both.
///
/// The line may give up waiting ([`Ticket::give_up`]) only while nobody has begun to store the message for good; the
/// store claims it first ([`Ticket::claim`]). Whoever comes second learns it and acts on it.
#[derive(Debug, Default)]
pub struct Ticket(AtomicU8);

const WAITING: u8 = 0;
const CLAIMED: u8 = 1;
const GIVEN_UP: u8 = 2;
const GIVEN_UP_LATE: u8 = 3;
const ANSWERED: u8 = 4;

impl Ticket {
    /// A ticket nobody has taken.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The store is about to commit this message. `false`: the line has answered "temporary error" already, so the
    /// message must not be stored; the SMSC keeps it.
    pub fn claim(&self) -> bool {
        self.0.compare_exchange(WAITING, CLAIMED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The line's deadline has passed: it will answer "temporary error". `false`: an answer was given already.
    pub fn give_up(&self) -> bool {
        self.0.compare_exchange(WAITING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire).is_ok()
            || self.0.compare_exchange(CLAIMED, GIVEN_UP_LATE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The commit is done, or has failed for good, and an answer leaves. `false`: the line gave up in between, and its
    /// temporary error stands although the row may be there.
    pub fn answer(&self) -> bool {
        self.0.compare_exchange(CLAIMED, ANSWERED, Ordering::AcqRel, Ordering::Acquire).is_ok()
            || self.0.compare_exchange(WAITING, ANSWERED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// One physical message from a carrier: a `deliver_sm` (or `data_sm`) that is no receipt.
#[derive(Clone, Debug)]
pub struct Part {
    /// Over which line.
    pub line: LineNo,
    /// Which session of that line, from 1; a rebind starts the next.
    pub session: u32,
    /// Its sequence_number, mirrored in the answer and used for nothing else.
    pub sequence: u32,
    /// Who answers.
    pub ticket: Arc<Ticket>,
    /// source_addr.
    pub source: RawAddress,
    /// destination_addr.
    pub destination: RawAddress,
    /// data_coding.
    pub data_coding: u8,
    /// Whether `octets` begin with a user data header (esm_class bit 0x40).
    pub udhi: bool,
    /// Place in a long text by SAR TLVs, when they are there and make sense.
    pub sar: Option<Concat>,
    /// short_message, or message_payload when that is not empty.
    pub octets: Octets,
    /// What it would say as a receipt, at a carrier whose receipts may come without their mark.
    pub unmarked_receipt: Option<Box<ReceiptTlvs>>,
    /// When it was taken in.
    pub received_at: Micros,
    /// How long it may have waited for that, on the socket or behind it.
    pub waited: std::time::Duration,
}

/// Octets of a text; never printed.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Octets(pub Vec<u8>);

impl std::fmt::Debug for Octets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} octets>", self.0.len())
    }
}

/// What became of a message we sent, as a receipt says (SMPP 3.4, 5.2.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReceiptState {
    /// On its way.
    InHand,
    /// Accepted, without a word about the phone. Delivered only where the carrier's contract says so.
    Accepted,
    /// Delivered to the phone.
    Delivered,
    /// Will not be delivered.
    Failed,
    /// The SMSC does not know, or says a word nobody knows.
    #[default]
    Unknown,
}

impl ReceiptState {
    /// The word in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InHand => "IN_HAND",
            Self::Accepted => "ACCEPTED",
            Self::Delivered => "DELIVERED",
            Self::Failed => "UNDELIVERED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A delivery receipt, read from its TLVs and its text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReceiptTlvs {
    /// The message id as received: receipted_message_id, else the text's `id:`; of at most 255 octets.
    pub message_id: String,
    /// The state: message_state, else the text's `stat:`.
    pub state: ReceiptState,
    /// The carrier's error code, up to 16 characters; empty when there is none.
    pub error: String,
    /// The id in the text, when the parameter names another one.
    pub other_id: Option<String>,
    /// Whom the reply went to: source_addr of the receipt.
    pub source: RawAddress,
    /// The SMSC only says how far it is; a final word will follow.
    pub intermediate: bool,
    /// When it was done, as the receipt says, in UTC.
    pub done_at: Option<Micros>,
    /// In which form it came.
    pub form: ReceiptForm,
}

/// A message that cannot be taken for what it is sent as. Its frame is put aside, sealed, and then it is answered.
#[derive(Clone, Debug)]
pub struct Odd {
    /// Over which line.
    pub line: LineNo,
    /// Which session of that line.
    pub session: u32,
    /// Its sequence_number.
    pub sequence: u32,
    /// Who answers.
    pub ticket: Arc<Ticket>,
    /// What is odd about it: the name of the trap.
    pub trap: &'static str,
    /// The command_status it is answered with once it is put aside.
    pub status: u32,
    /// The whole PDU as it came.
    pub frame: Octets,
    /// When it was read.
    pub received_at: Micros,
}

/// Names a segment on its way to a carrier: the exchange, the segment's index from 0, and which sending of it this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubmitId {
    /// The exchange whose reply it is.
    pub exchange: RowKey,
    /// Which segment.
    pub segment: u8,
    /// Each sending of any segment of a reply has a greater one than those before: what comes late for an earlier copy is
    /// not taken for the word about a later one.
    pub copy: u32,
}

impl SubmitId {
    /// Which segment of which reply, whatever copy of it.
    pub fn place(self) -> (RowKey, u8) {
        (self.exchange, self.segment)
    }
}

/// How long the SMSC shall try (SMPP 3.4, 5.2.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For so long from the submit on; whole seconds, at least one.
    Relative(std::time::Duration),
    /// Until then.
    Absolute(Micros),
}

/// One `submit_sm` to be sent.
#[derive(Clone, Debug)]
pub struct Submit {
    /// Comes back with the result.
    pub id: SubmitId,
    /// source_addr: the short code.
    pub source: RawAddress,
    /// destination_addr: the citizen.
    pub destination: RawAddress,
    /// What is sent.
    pub segment: Segment,
    /// Ask for a delivery receipt.
    pub receipt: bool,
    /// The reply's useful life, for the validity_period; none is sent without it.
    pub validity: Option<Validity>,
    /// What the carrier's billing parameter holds: the billing record's id.
    pub billing: Option<Octets>,
    /// Leave out every optional parameter that is not part of the text's form.
    pub bare: bool,
}

/// What came back for a [`Submit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitResult {
    /// command_status ESME_ROK; the message id as received (may be empty).
    Accepted {
        /// message_id of the response.
        message_id: String,
    },
    /// Any other command_status.
    Rejected {
        /// The status, as received.
        status: u32,
        /// delivery_failure_reason (0x0425) of the response: 3 is a temporary network error.
        reason: Option<u8>,
    },
    /// No response within its deadline; the session goes on.
    TimedOut,
    /// It never left: the line has no session, or no room. No word of the carrier's.
    Unsent,
}

/// Submits without a response when a session ended: they may or may not have been taken.
pub type InDoubt = Vec<SubmitId>;

/// What a line hands up.
#[derive(Clone, Debug)]
pub enum LineEvent {
    /// The session is bound; `session` counts from 1.
    Up {
        /// Which line.
        line: LineNo,
        /// Which session of it.
        session: u32,
        /// When.
        at: Micros,
    },
    /// The session ended, for whatever reason; the line goes on trying.
    Down {
        /// Which line.
        line: LineNo,
        /// Which session of it.
        session: u32,
        /// When.
        at: Micros,
        /// What was sent without a response.
        in_doubt: InDoubt,
    },
    /// A question, or a part of one.
    Question(Part),
    /// A message that is put aside.
    Odd(Odd),
    /// congestion_state of a response (SMPP 5.0, 4.8.4.18): 0 idle to 100 congested.
    Congestion {
        /// Which line.
        line: LineNo,
        /// The state.
        level: u8,
    },
    /// A delivery receipt. It is answered after its settlement is stored.
    Receipt {
        /// Which line.
        line: LineNo,
        /// Which session of it.
        session: u32,
        /// Its sequence_number.
        sequence: u32,
        /// Who answers.
        ticket: Arc<Ticket>,
        /// What it says.
        receipt: ReceiptTlvs,
        /// When it was read.
        received_at: Micros,
    },
    /// What came back for a submit.
    Response {
        /// Which line.
        line: LineNo,
        /// Which submit.
        id: SubmitId,
        /// What came.
        result: SubmitResult,
        /// When.
        at: Micros,
    },
}

/// How a `deliver_sm` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerStatus {
    /// ESME_ROK: all it meant is on disk.
    Stored,
    /// The carrier's temporary status: send it again later.
    Temporary,
    /// ESME_RINVDSTADR: the destination is no code of ours.
    NotOurs,
    /// ESME_RINVESMCLASS: a user data header that cannot be read.
    BadHeader,
    /// This command_status: the message is put aside.
    Final(u32),
}

/// One answer to one `deliver_sm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The session it belongs to; an answer for an ended session is dropped.
    pub session: u32,
    /// The sequence_number to mirror.
    pub sequence: u32,
    /// The status.
    pub status: AnswerStatus,
}

/// What a line is told.
#[derive(Debug)]
pub enum LineCommand {
    /// Answer these messages, in one write.
    Answers(Vec<Answer>),
    /// Send these, in one write. Never more than the line's window allows are open at a time.
    Submits(Vec<Submit>),
    /// The SMSC says that the session is not bound any more: close it and bind anew.
    Rebind {
        /// The session it said so of; another one of the line is left alone.
        session: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_answered_once() {
        let stored = Ticket::new();
        assert!(stored.claim() && stored.answer() && !stored.give_up() && !stored.answer());
        let late = Ticket::new();
        assert!(late.give_up() && !late.claim() && !late.answer() && !late.give_up());
        let both = Ticket::new();
        assert!(both.claim() && both.give_up() && !both.answer());
    }
}
