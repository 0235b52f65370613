//! From physical messages to questions: parts joined, messages sent again recognised, strangers' codes refused.
//!
//! The state is that of one desk, in memory, and rebuilt from the ledger at start; nothing here is lost with it.

mod again;
mod beside;
mod closed;
mod join;
mod odd;
mod open;
mod part;
mod queue;
mod start;
mod wire;

use std::sync::Arc;

pub use again::Again;
pub use join::OpenTexts;
pub use odd::Met;

use crate::{
    clock::Micros,
    config::{Carrier, Codings},
    ledger::{Entry, Ledger, PartRow, Table, Token, Unheard},
    message::{
        AnswerStatus, CarrierId, Concat, ConcatKind, LineNo, Msisdn, Octets, Odd, Part, RawAddress, RowKey, Sender,
        ShortCode, Ticket,
    },
    sms::{self, Form, Piece},
};

/// One citizen's message, whole, ready to be decided on.
#[derive(Debug)]
pub struct Inbound {
    /// The key of the exchange it begins.
    pub key: RowKey,
    /// Whose line.
    pub carrier: CarrierId,
    /// Which line.
    pub line: LineNo,
    /// Who answers its last part; none when it was closed by time.
    pub ticket: Option<Arc<Ticket>>,
    /// Who sent it.
    pub sender: Sender,
    /// Its source address as it came, for the reply's destination.
    pub source: RawAddress,
    /// The code texted to.
    pub short_code: ShortCode,
    /// The text, or why it is none.
    pub text: Text,
    /// Physical messages it came in.
    pub parts: u8,
    /// The parts' reference.
    pub concat_ref: Option<u16>,
    /// data_coding of the first part.
    pub data_coding: u8,
    /// Fingerprints of its parts.
    pub fingerprints: Vec<Token>,
    /// Stored parts it uses up.
    pub consumes: Vec<RowKey>,
    /// When its first part arrived.
    pub received_at: Micros,
}

/// What an inbound message says.
#[derive(Debug)]
pub enum Text {
    /// A text.
    Read(crate::message::Masked),
    /// Not text, or in an alphabet that cannot be read.
    NotText,
    /// A part never came.
    PartMissing,
}

/// What to do with a physical message.
#[derive(Debug)]
pub enum Taken {
    /// It is a question, or completes one: decide on it.
    Whole(Box<Inbound>),
    /// Store this, then answer.
    Store(Entry),
    /// It was sent again, with this fingerprint: store that, then answer.
    Again(Entry, Token),
    /// It cannot be taken: put it aside, then answer with its status.
    Aside(Box<Odd>),
    /// Answer this at once; nothing is stored.
    Answer(AnswerStatus),
}

/// The desk's memory.
pub struct Intake {
    again: Again,
    texts: OpenTexts,
    ledger: Arc<Ledger>,
    /// What was met since it was last asked for.
    met: Vec<Met>,
    /// Texts that others took the place of since they were last asked for.
    superseded: Vec<Inbound>,
    /// What the ledger is to note of messages that may come again, since it was last asked for.
    unheard: Vec<Unheard>,
}

/// How long before a session break an answer may have been lost, in seconds (law 2).
pub const BREAK_MARGIN_SECONDS: i64 = 30;

/// Open long texts at most; a part that would open one more gets a temporary error.
const OPEN_TEXTS: usize = 20_000;

/// Messages remembered as possibly sent again, at most; the oldest are forgotten first.
const REMEMBERED: usize = 1_000_000;

impl Intake {
    /// Takes one physical message of a carrier.
    pub fn accept(&mut self, carrier: &Arc<Carrier>, part: Part) -> Taken {
        let destination = String::from_utf8_lossy(&part.destination.octets).into_owned();
        let Some(code) = ShortCode::find(&carrier.short_codes, &destination) else {
            self.meet(carrier, part.line, odd::NOT_OURS, Some(odd::not_ours(&destination)));
            return Taken::Aside(Box::new(odd::refused(part, odd::NOT_OURS)));
        };
        let code = &code;
        let sender = Sender::read(&part.source);
        let print = self.fingerprint(carrier, &sender, code, &part);
        if let Some(of) = self.again.repeats(&print, came_at(&part), part.received_at) {
            let why = self.again.why(&print, part.line);
            self.meet(carrier, part.line, why, None);
            let key = self.ledger.next_key();
            let carrier = carrier.id.clone();
            let entry = Entry::Repeat { key, of, carrier, received_at: part.received_at, ticket: part.ticket };
            return Taken::Again(entry, print);
        }
        let (concat, form, body) = match header(&part) {
            Ok(read) => read,
            Err(sms::BadUdh::Missing | sms::BadUdh::PastEnd { .. }) => {
                self.meet(carrier, part.line, odd::BAD_HEADER, None);
                return Taken::Aside(Box::new(odd::refused(part, odd::BAD_HEADER)));
            }
        };
        let body = Octets(body.to_vec());
        if part.sar.is_some_and(|by_tlvs| concat != Some(by_tlvs)) {
            self.meet(carrier, part.line, "sar_and_udh", None);
        }
        let Some(concat) = concat else {
            let key = self.ledger.next_key();
            self.again.pending(print, key, part.line, part.session, came_at(&part));
            let text =
                read_text(&[Piece { data_coding: part.data_coding, form, octets: &body.0 }], carrier.line.codings);
            return Taken::Whole(Box::new(Inbound {
                key,
                carrier: carrier.id.clone(),
                line: part.line,
                ticket: Some(part.ticket),
                sender,
                source: part.source,
                short_code: code.clone(),
                text,
                parts: 1,
                concat_ref: None,
                data_coding: part.data_coding,
                fingerprints: vec![print],
                consumes: Vec::new(),
                received_at: part.received_at,
            }));
        };
        let code = code.clone();
        self.accept_part(carrier, part, sender, &code, concat, (form, body), print)
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one part, each read once by the only caller")]
    fn accept_part(
        &mut self,
        carrier: &Arc<Carrier>,
        part: Part,
        sender: Sender,
        code: &ShortCode,
        concat: Concat,
        (form, body): (Form, Octets),
        print: Token,
    ) -> Taken {
        let set = self.set_token(carrier, &sender, code, &part, concat);
        if let Some(of) = self.texts.closed(&set, &print, part.received_at) {
            // Its text is whole, or was given up, and this part came a moment ago: it is not the first of another.
            self.meet(carrier, part.line, "part_doubled", None);
            let key = self.ledger.next_key();
            let carrier = carrier.id.clone();
            let entry = Entry::Repeat { key, of, carrier, received_at: part.received_at, ticket: part.ticket };
            return Taken::Again(entry, print);
        }
        if self.texts.is_another(&set, concat.index, &print, part.received_at) {
            // Another text under a reference used again: the one before comes to its end with what it has.
            self.meet(carrier, part.line, "reference_reused", None);
            let given_up = self.texts.supersede(&set, self.ledger.next_key());
            self.superseded.extend(given_up);
        }
        if let Some(of) = self.texts.holds(&set, concat.index) {
            // The same place twice: the first stands, whatever the second says.
            self.meet(carrier, part.line, "part_doubled", None);
            let key = self.ledger.next_key();
            let carrier = carrier.id.clone();
            let entry = Entry::Repeat { key, of, carrier, received_at: part.received_at, ticket: part.ticket };
            return Taken::Again(entry, print);
        }
        if self.texts.full(&set) && !self.texts.would_complete(&set, concat.total) {
            self.meet(carrier, part.line, "set_table_full", None);
            return Taken::Answer(AnswerStatus::Temporary);
        }
        let key = self.ledger.next_key();
        self.again.pending(print, key, part.line, part.session, came_at(&part));
        let held = part::Held {
            key,
            index: concat.index,
            data_coding: part.data_coding,
            form,
            body,
            fingerprint: print,
            received_at: part.received_at,
        };
        let head = part::Head {
            carrier: carrier.id.clone(),
            line: part.line,
            source: part.source,
            short_code: code.clone(),
            reference: concat.reference,
            expires_at: part.received_at.plus_seconds(seconds(carrier.parts_window)),
            codings: carrier.line.codings,
        };
        if self.texts.would_complete(&set, concat.total) {
            let ticket = part.ticket;
            let inbound = self.texts.complete(set, head, held, sender);
            self.use_up(key);
            return Taken::Whole(Box::new(Inbound { ticket: Some(ticket), ..inbound }));
        }
        let content = wire::write(&head.source, code, form, &held.body.0);
        let row = PartRow {
            key,
            received_at: part.received_at,
            carrier: carrier.id.clone(),
            line: part.line.row(),
            set_token: set,
            index: concat.index,
            total: concat.total,
            reference: concat.reference,
            data_coding: part.data_coding,
            fingerprint: print,
            sealed: self.ledger.seal(Table::Part, key, &content),
        };
        self.texts.hold(set, head, held);
        Taken::Store(Entry::Part { row, ticket: part.ticket })
    }

    /// Texts whose parts did not all come in time, at most `limit`: each becomes one exchange that asks to send again.
    pub fn overdue(&mut self, now: Micros, limit: usize) -> Vec<Inbound> {
        let given_up = self.texts.overdue(now, limit, || self.ledger.next_key());
        for inbound in &given_up {
            self.use_up(inbound.key);
        }
        for inbound in given_up.iter().filter(|inbound| matches!(inbound.text, Text::PartMissing)) {
            self.met.push(Met::new(&inbound.carrier, inbound.line, "part_missing"));
        }
        given_up
    }

    /// Texts whose reference another text took over since this was last asked: each becomes one exchange that asks to
    /// send again, and is to be stored no later than what was taken since.
    pub fn superseded(&mut self) -> Vec<Inbound> {
        let given_up = std::mem::take(&mut self.superseded);
        for inbound in &given_up {
            self.use_up(inbound.key);
        }
        given_up
    }

    /// What was met since this was last asked.
    pub fn met(&mut self) -> Vec<Met> {
        std::mem::take(&mut self.met)
    }

    fn meet(&mut self, carrier: &Carrier, line: LineNo, trap: &'static str, alarm: Option<String>) {
        self.met.push(Met { alarm, ..Met::new(&carrier.id, line, trap) });
    }

    /// Repeats of the parts of an exchange count on it.
    fn use_up(&mut self, exchange: RowKey) {
        for (print, part) in self.texts.used_by(exchange) {
            self.again.joined(&print, part, exchange);
        }
    }

    /// A part or an exchange with this key is on disk. `answered`: its acknowledgement leaves (false: the line had
    /// given up meanwhile).
    pub fn stored(&mut self, carrier: &Carrier, key: RowKey, answered: bool, now: Micros) {
        self.texts.stored(key);
        let until = now.plus_seconds(seconds(carrier.redelivery));
        self.unheard.extend(self.again.stored(key, answered, now, seconds(carrier.smsc_response), until));
    }

    /// Messages on disk since this was last asked whose line had given up, or whose answer may have come later than their
    /// SMSC waits: fingerprint and row. They may come again.
    pub fn unheard(&mut self) -> Vec<Unheard> {
        std::mem::take(&mut self.unheard)
    }

    /// A part or an exchange with this key was not stored. `doubtful`: nobody knows whether it was.
    pub fn not_stored(&mut self, carrier: &Carrier, key: RowKey, doubtful: bool, now: Micros) {
        for (print, part) in self.texts.used_by(key) {
            self.again.joined(&print, part, part);
        }
        self.texts.not_stored(key);
        self.unheard.extend(self.again.not_stored(key, doubtful, now.plus_seconds(seconds(carrier.redelivery))));
    }

    /// What a repeat with this fingerprint named is not there after all: it will be taken as new when it comes again.
    pub fn orphaned(&mut self, print: &Token, of: RowKey) {
        self.again.forget(print, of);
    }

    /// A session ended: what was answered shortly before, or not at all, may come again.
    pub fn session_ended(&mut self, carrier: &Carrier, line: LineNo, session: u32, at: Micros) {
        self.again.session_ended(line, session, at, at.plus_seconds(seconds(carrier.redelivery)));
    }

    /// Open long texts, and messages remembered.
    pub fn sizes(&self) -> (usize, usize) {
        (self.texts.len(), self.again.len())
    }

    /// What makes two messages the same: carrier, sender in one form, short code, coding and octets.
    fn fingerprint(&self, carrier: &Carrier, sender: &Sender, code: &ShortCode, part: &Part) -> Token {
        let flags = [part.data_coding, u8::from(part.udhi)];
        let sar = part.sar.map_or([0; 5], |c| {
            let [high, low] = c.reference.to_be_bytes();
            [1, high, low, c.total, c.index]
        });
        let id = carrier.id.as_str().as_bytes();
        let pieces: [&[u8]; 6] =
            [id, &sender_octets(sender, &part.source), code.as_str().as_bytes(), &flags, &sar, &part.octets.0];
        self.ledger.keys().token(b"question", &pieces)
    }

    fn set_token(&self, carrier: &Carrier, sender: &Sender, code: &ShortCode, part: &Part, concat: Concat) -> Token {
        let kind = match concat.kind {
            ConcatKind::Udh8 => 8,
            ConcatKind::Udh16 => 16,
            ConcatKind::Sar => 1,
        };
        let [high, low] = concat.reference.to_be_bytes();
        let id = carrier.id.as_str().as_bytes();
        let head = [kind, high, low, concat.total];
        let pieces: [&[u8]; 4] = [id, &sender_octets(sender, &part.source), code.as_str().as_bytes(), &head];
        self.ledger.keys().token(b"text", &pieces)
    }
}

fn sender_octets(sender: &Sender, source: &RawAddress) -> Vec<u8> {
    match sender {
        Sender::Phone(number) => Msisdn::expose(*number).to_be_bytes().to_vec(),
        Sender::NotAPhone => source.octets.clone(),
    }
}

fn header(part: &Part) -> Result<(Option<Concat>, Form, &[u8]), sms::BadUdh> {
    if !part.udhi {
        return Ok((part.sar, Form::default(), &part.octets.0));
    }
    let header = sms::read_udh(&part.octets.0)?;
    // A header's own reference stands above SAR TLVs (SMPP 3.4, 5.2.12 forbids both).
    Ok((header.concat.or(part.sar), header.form, header.body))
}

/// Reads the bodies of a whole text.
fn read_text(bodies: &[Piece<'_>], codings: Codings) -> Text {
    sms::join(bodies, codings).map_or(Text::NotText, |text| Text::Read(crate::message::Masked::new(text)))
}

/// The earliest moment at which its SMSC can have sent it.
fn came_at(part: &Part) -> Micros {
    part.received_at.plus_seconds(-seconds(part.waited))
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
