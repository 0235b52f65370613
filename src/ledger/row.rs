//! The rows of the ledger as the rest of the service hands them over, and what comes back.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::seal::Token;
use crate::{
    clock::Micros,
    message::{CarrierId, ChargeClass, Lang, Outcome, Reason, ReceiptTlvs, RowKey, Service, Stream, Ticket},
};

/// The head of an empty audit chain.
pub(super) const CHAIN_START: [u8; 32] = [0; 32];

/// One citizen's message and what was decided, sealed and ready to be stored.
#[derive(Clone, Debug)]
pub struct ExchangeRow {
    /// Its key, allotted by [`super::Ledger::next_key`] in the order of handing over.
    pub key: RowKey,
    /// When its first part arrived.
    pub received_at: Micros,
    /// Whose line.
    pub carrier: CarrierId,
    /// Chargeable or test.
    pub stream: Stream,
    /// Which line, from 0.
    pub line: u16,
    /// The code texted to.
    pub short_code: String,
    /// Token of the sender's number; none when the sender is no phone.
    pub sender_token: Option<Token>,
    /// Token of the person whose record was read.
    pub subject_token: Option<Token>,
    /// Token of the key as typed.
    pub key_token: Option<Token>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why; for the audit.
    pub reason: Reason,
    /// Class of the question.
    pub service: Service,
    /// Language of the answer.
    pub lang: Lang,
    /// The fields given, as a set of [`crate::message::Field::bit`].
    pub fields: i32,
    /// Physical messages it came in.
    pub parts: u8,
    /// The parts' reference.
    pub concat_ref: Option<u16>,
    /// data_coding of the first part.
    pub data_coding: u8,
    /// Characters of the text.
    pub chars: u16,
    /// What the carrier shall do with the message price.
    pub charge_class: ChargeClass,
    /// Fingerprints of all its parts, 16 octets each.
    pub fingerprints: Vec<u8>,
    /// Its reply's measure; none when silenced.
    pub reply: Option<ReplyMeasure>,
    /// The sender's number, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// What is known of a reply for billing before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyMeasure {
    /// Physical messages planned.
    pub segments: u8,
    /// data_coding.
    pub data_coding: u8,
    /// Characters.
    pub chars: u16,
    /// Version of the template set.
    pub template_version: i64,
}

impl ExchangeRow {
    /// The next head of the audit chain: SHA-256 over the head before and every field of this row that billing or an
    /// inspection reads. What is sealed stands in it by its token.
    pub fn chain(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(before);
        sha.update(self.key.0.to_be_bytes());
        sha.update(self.received_at.0.to_be_bytes());
        for text in [self.carrier.as_str(), self.stream.letter(), &self.short_code, self.lang.code()] {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text);
        }
        for token in [self.sender_token, self.subject_token, self.key_token] {
            sha.update(token.unwrap_or_default());
        }
        let reply = self.reply;
        let numbers = [
            i64::from(self.line),
            i64::from(self.outcome.code()),
            i64::from(self.reason.code()),
            i64::from(self.service.code()),
            i64::from(self.fields),
            i64::from(self.parts),
            self.concat_ref.map_or(-1, i64::from),
            i64::from(self.data_coding),
            i64::from(self.chars),
            i64::from(self.charge_class.code()),
            reply.map_or(0, |reply| reply.template_version),
            reply.map_or(0, |reply| reply.segments.into()),
            reply.map_or(-1, |reply| reply.data_coding.into()),
            reply.map_or(-1, |reply| reply.chars.into()),
        ];
        for number in numbers {
            sha.update(number.to_be_bytes());
        }
        sha.finalize().into()
    }
}

/// A reply waiting to be sent.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// The exchange's key.
    pub key: RowKey,
    /// Whose line.
    pub carrier: CarrierId,
    /// When it was decided.
    pub created_at: Micros,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Destination, source and text, sealed.
    pub sealed: Vec<u8>,
}

/// A part of a long text.
#[derive(Clone, Debug)]
pub struct PartRow {
    /// Its key.
    pub key: RowKey,
    /// When it was read.
    pub received_at: Micros,
    /// Whose line.
    pub carrier: CarrierId,
    /// Which line, from 0.
    pub line: u16,
    /// Token of what its parts share.
    pub set_token: Token,
    /// From 1.
    pub index: u8,
    /// At least 2.
    pub total: u8,
    /// The parts' reference.
    pub reference: u16,
    /// data_coding.
    pub data_coding: u8,
    /// Fingerprint of the physical message.
    pub fingerprint: Token,
    /// Sender, short code and octets, sealed.
    pub sealed: Vec<u8>,
}

/// A message that is put aside.
#[derive(Clone, Debug)]
pub struct QuarantineRow {
    /// Its key.
    pub key: RowKey,
    /// When it was read.
    pub at: Micros,
    /// Whose line.
    pub carrier: CarrierId,
    /// Which line, from 0.
    pub line: u16,
    /// What is odd about it: the name of the trap.
    pub trap: &'static str,
    /// The command_status it is answered with.
    pub status: u32,
    /// Octets of the whole PDU.
    pub octets: usize,
    /// The PDU, or its beginning, sealed.
    pub sealed: Vec<u8>,
}

/// What became of a reply, in billing's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettlementResult {
    /// All segments taken by the SMSC.
    Accepted,
    /// Refused for good, or not taken within its tries.
    Rejected,
    /// Its time ran out before it could be sent.
    Expired,
    /// Sent, and never answered.
    Unknown,
    /// A receipt said delivered.
    Delivered,
    /// A receipt said it will not be delivered.
    Undelivered,
    /// A receipt said something in between.
    InHand,
}

impl SettlementResult {
    /// The word in rows and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
            Self::Unknown => "UNKNOWN",
            Self::Delivered => "DELIVERED",
            Self::Undelivered => "UNDELIVERED",
            Self::InHand => "IN_HAND",
        }
    }

    /// Reads the word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        let all = [
            Self::Accepted,
            Self::Rejected,
            Self::Expired,
            Self::Unknown,
            Self::Delivered,
            Self::Undelivered,
            Self::InHand,
        ];
        all.into_iter().find(|result| result.as_str() == word)
    }
}

/// A settlement's flag: the reply may have been sent twice.
pub const FLAG_POSSIBLE_DUP: i64 = 1;
/// A settlement's flag: the carrier's answer to at least one segment is not known.
pub const FLAG_IN_DOUBT: i64 = 2;

/// What became of a reply.
#[derive(Clone, Debug)]
pub struct SettlementRow {
    /// The exchange whose reply it is.
    pub exchange: RowKey,
    /// Whose line.
    pub carrier: CarrierId,
    /// Chargeable or test.
    pub stream: Stream,
    /// The line it left by, from 0.
    pub line: Option<u16>,
    /// When its first segment was first sent.
    pub submitted_at: Option<Micros>,
    /// When the last answer came, or it was given up.
    pub settled_at: Micros,
    /// In billing's words.
    pub result: SettlementResult,
    /// Segments planned.
    pub planned: u8,
    /// Segments taken.
    pub accepted: u8,
    /// The last command_status that was no success.
    pub status: Option<u32>,
    /// Message ids as received, one a segment, in order; empty where none came.
    pub message_ids: Vec<String>,
    /// [`FLAG_POSSIBLE_DUP`], [`FLAG_IN_DOUBT`].
    pub flags: i64,
    /// Keep the message ids for receipts.
    pub receipts: bool,
    /// It was marked as being sent: the mark goes with its settlement.
    pub marked: bool,
}

/// One thing to be stored. All entries handed over together are committed together.
#[derive(Debug)]
pub enum Entry {
    /// An exchange, its reply, and the parts it uses up.
    Exchange {
        /// The exchange.
        row: Box<ExchangeRow>,
        /// Its reply.
        outbox: Option<OutboxRow>,
        /// The stored parts it was joined from.
        consumes: Vec<RowKey>,
        /// Who answers its last part; none when it was closed by time.
        ticket: Option<Arc<Ticket>>,
    },
    /// A part that completes nothing yet.
    Part {
        /// The part.
        row: PartRow,
        /// Who answers it.
        ticket: Arc<Ticket>,
    },
    /// A message sent again: counted on the row it repeats, which must be there.
    Repeat {
        /// A key of its own.
        key: RowKey,
        /// The exchange or part it repeats.
        of: RowKey,
        /// Whose line.
        carrier: CarrierId,
        /// When.
        received_at: Micros,
        /// Who answers it.
        ticket: Arc<Ticket>,
    },
    /// A reply is about to be sent to a carrier whose rule for lost responses is `hold`.
    Sending(RowKey),
    /// What became of a reply.
    Settlement(SettlementRow),
    /// A message that cannot be taken for what it was sent as, put aside.
    Odd {
        /// Its row.
        row: QuarantineRow,
        /// Who answers it.
        ticket: Arc<Ticket>,
    },
    /// A receipt, to be matched with a settled reply.
    Receipt {
        /// Whose line.
        carrier: CarrierId,
        /// Chargeable or test.
        stream: Stream,
        /// Which line, from 0.
        line: u16,
        /// What it says.
        receipt: ReceiptTlvs,
        /// When.
        received_at: Micros,
        /// Who answers it.
        ticket: Arc<Ticket>,
    },
}

impl Entry {
    /// Who answers the message, if one waits.
    pub fn ticket(&self) -> Option<&Arc<Ticket>> {
        match self {
            Self::Exchange { ticket, .. } => ticket.as_ref(),
            Self::Part { ticket, .. }
            | Self::Repeat { ticket, .. }
            | Self::Receipt { ticket, .. }
            | Self::Odd { ticket, .. } => Some(ticket),
            Self::Sending(_) | Self::Settlement(_) => None,
        }
    }
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// On disk.
    Stored,
    /// Not stored: the line had answered "temporary error" before the transaction began.
    GivenUp,
    /// Not stored: what it repeats is not there, or a part that it uses up.
    Orphan,
    /// Not stored: another instance has taken the same message of late, and whether this is that one sent again is not known
    /// yet.
    Elsewhere,
    /// Not stored: the transaction failed, or the writer has ended.
    Failed,
}

impl Fate {
    /// Whether the entry is not to be stored, as is known before.
    pub(super) fn is_left_out(self) -> bool {
        match self {
            Self::GivenUp | Self::Orphan | Self::Elsewhere => true,
            Self::Stored | Self::Failed => false,
        }
    }
}
