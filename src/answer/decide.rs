//! One group of questions: read, looked up together, decided, composed, and made into ledger entries.

use std::{collections::HashMap, sync::Arc};

use tokio::time::Instant;

use super::{
    Loops,
    begun::Begun,
    undecided::{People, Undecided, look_up},
};
use crate::{
    access::{self, Verdict},
    board::DeskBoard,
    clock::{Clock, Micros},
    config::{Carrier, QueryKind},
    intake::{Inbound, Text},
    ledger::{Entry, ExchangeRow, Ledger, OutboxRow, ReplyMeasure, Table},
    message::{
        CarrierId, ChargeClass, Field, Fields, Lang, Msisdn, Outcome, Person, Query, RawAddress, Reason, Reply, Sender,
        Service, Why,
    },
    outbox::{Content, Outgoing, Urgency},
    query::Grammar,
    registry::Registry,
    reply::{Facts, ReplyRequest, Templates},
};

/// What is needed to decide.
pub struct Decider {
    /// Reads texts.
    pub grammar: Grammar,
    /// The fields given when none is named.
    pub default_fields: Vec<Field>,
    /// The looked-up truth.
    pub registry: Arc<Registry>,
    /// Makes replies.
    pub templates: Arc<Templates>,
    /// Seals rows and allots keys.
    pub ledger: Arc<Ledger>,
    /// All carriers.
    pub carriers: HashMap<CarrierId, Arc<Carrier>>,
    /// The time of day.
    pub clock: Clock,
}

/// A decided question: its entry for the ledger, and its reply for the outbox once the entry is on disk.
pub struct Decided {
    /// For the ledger.
    pub entry: Entry,
    /// For the outbox.
    pub outgoing: Option<Outgoing>,
}

/// What was concluded about one question, before its reply is made. Also shown step by step by the `ask` command.
pub struct Conclusion<'a> {
    /// How it ends.
    pub outcome: Outcome,
    /// Why; for the audit.
    pub reason: Reason,
    /// Class of the question.
    pub service: Service,
    /// Language of the answer.
    pub lang: Lang,
    /// Whose record is read.
    pub person: Option<&'a Person>,
    /// The fields given.
    pub fields: Vec<Field>,
    /// The form to show, for outcomes that show one.
    pub form: String,
}

impl Decider {
    /// Reads a group and begins to look its senders up. One look-up serves all of it, and goes on while something else is
    /// done.
    pub fn begin(&self, group: Vec<Inbound>) -> Undecided {
        let read: Vec<Result<Query, Conclusion<'static>>> =
            group.iter().map(|inbound| self.read(&inbound.text)).collect();
        let questions = group.iter().zip(&read).filter_map(|(inbound, query)| Some((inbound, query.as_ref().ok()?)));
        let wanted = |(inbound, query): (&Inbound, &Query)| {
            query.key()?;
            Some((phone(&inbound.sender)?, self.wanted(query)))
        };
        let mut asked: Vec<(Msisdn, Fields)> = questions.filter_map(wanted).collect();
        asked.sort_unstable_by_key(|(phone, _)| *phone);
        asked.dedup_by(|(phone, more), (same, fields)| {
            let again = phone == same;
            if again {
                *fields = fields.and(*more);
            }
            again
        });
        let registry = Arc::clone(&self.registry);
        let people = Begun::begin(async move {
            let asked_at = (!asked.is_empty()).then(Instant::now);
            let people = look_up(&registry, &asked).await;
            (people, asked_at.map(|at| at.elapsed()))
        });
        Undecided { group, read, people }
    }

    /// Decides on a group whose look-up is done, or waits until it is. `loops` remembers what went to whom.
    pub async fn decide(&self, undecided: Undecided, loops: &mut Loops, board: &DeskBoard) -> Vec<Decided> {
        let Undecided { group, read, people } = undecided;
        let (people, took) = people.end().await.unwrap_or_default();
        if let Some(took) = took {
            board.looked_up(took.as_micros() as u64, people.is_some());
        }
        let now = self.clock.now();
        let decide = |(inbound, query)| self.conclude_one(inbound, query, people.as_ref(), loops, now);
        group.into_iter().zip(read).map(decide).collect()
    }

    /// Reads a text. A text that is no question is concluded already.
    pub fn read(&self, text: &Text) -> Result<Query, Conclusion<'static>> {
        let misread = match text {
            Text::Read(text) => match self.grammar.read(text.expose()) {
                Ok(query) => return Ok(query),
                Err(misread) => misread,
            },
            Text::NotText => self.grammar.misread(Why::NotText),
            Text::PartMissing => self.grammar.misread(Why::PartMissing),
        };
        let reason = match misread.why {
            Why::Empty => Reason::Empty,
            Why::Keyword => Reason::NoKeyword,
            Why::Key => Reason::BadKey,
            Why::FieldWord => Reason::BadFieldWord,
            Why::NotText => Reason::NotText,
            Why::PartMissing => Reason::PartMissing,
            Why::TooLong => Reason::TooLong,
        };
        Err(Conclusion {
            outcome: Outcome::Misread,
            reason,
            service: Service::None,
            lang: misread.lang,
            person: None,
            fields: Vec::new(),
            form: misread.form,
        })
    }

    /// The fields that an answer to this may show.
    pub fn wanted(&self, query: &Query) -> Fields {
        match query {
            Query::Record { fields, .. } if fields.is_empty() => self.default_fields.iter().copied().collect(),
            Query::Record { fields, .. } => fields.iter().copied().collect(),
            Query::OldCard { .. } | Query::HowTo { .. } | Query::Contact { .. } => Fields::NONE,
        }
    }

    /// Looks numbers up, with the fields wanted of each; `None` when the registry cannot be asked.
    pub async fn people(&self, asked: &[(Msisdn, Fields)]) -> Option<People> {
        look_up(&self.registry, asked).await
    }

    /// Concludes on a question, given what the registry knows of its sender (`None`: it cannot be asked).
    pub fn conclude<'a>(&self, sender: &Sender, query: &Query, people: Option<&'a People>) -> Conclusion<'a> {
        let lang = query.lang();
        let of = |outcome, reason, service| Conclusion {
            outcome,
            reason,
            service,
            lang,
            person: None,
            fields: Vec::new(),
            form: String::new(),
        };
        let (service, key) = match query {
            Query::Record { key, .. } => (Service::Record, key),
            Query::OldCard { key, .. } => (Service::OldCard, key),
            Query::HowTo { .. } => return of(Outcome::HowTo, Reason::None, Service::HowTo),
            Query::Contact { .. } => return of(Outcome::Contact, Reason::None, Service::Contact),
        };
        let Some(people) = people else { return of(Outcome::Unavailable, Reason::RegistryDown, service) };
        let own = phone(sender).and_then(|number| people.get(&number)).map_or(&[][..], Vec::as_slice);
        let person = match access::verdict(own, key) {
            Verdict::Granted(person) => person,
            Verdict::Refused(reason) => return of(Outcome::Refused, reason, service),
            Verdict::FullNumberNeeded => {
                let kind = if service == Service::OldCard { QueryKind::OldCard } else { QueryKind::Record };
                let form = self.grammar.full_form(kind, lang).to_owned();
                return Conclusion { form, ..of(Outcome::FullNumberNeeded, Reason::None, service) };
            }
        };
        match query {
            Query::Record { fields, .. } => {
                let fields = if fields.is_empty() { self.default_fields.clone() } else { fields.clone() };
                Conclusion { person: Some(person), fields, ..of(Outcome::Answered, Reason::None, service) }
            }
            Query::OldCard { old, .. } => {
                let same = person.old_id.as_ref().is_some_and(|own| own.same(old));
                let outcome = if same { Outcome::OldCardMatches } else { Outcome::OldCardDiffers };
                Conclusion { person: Some(person), ..of(outcome, Reason::None, service) }
            }
            Query::HowTo { .. } | Query::Contact { .. } => of(Outcome::HowTo, Reason::None, service),
        }
    }

    /// Makes the reply of a conclusion; none for a silence.
    pub fn reply(
        &self,
        done: &Conclusion<'_>,
        query: Option<&Query>,
        short_code: &str,
        carrier: Option<&Carrier>,
    ) -> Option<Reply> {
        let full_number_typed = query.and_then(Query::key).is_some_and(crate::message::TypedKey::is_full);
        let old = match query {
            Some(Query::OldCard { old, .. }) => Some(old),
            Some(Query::Record { .. } | Query::HowTo { .. } | Query::Contact { .. }) | None => None,
        };
        let facts = match (done.outcome, done.person, old) {
            (Outcome::Answered, Some(person), _) => Facts::Answered { person, fields: &done.fields, full_number_typed },
            (Outcome::OldCardMatches, Some(person), Some(old)) => {
                Facts::OldCardMatches { person, old, full_number_typed }
            }
            (Outcome::OldCardDiffers, Some(person), Some(old)) => {
                Facts::OldCardDiffers { person, old, full_number_typed }
            }
            (Outcome::FullNumberNeeded, ..) => Facts::FullNumberNeeded { form: &done.form },
            (Outcome::Misread, ..) => Facts::Misread { form: &done.form },
            (Outcome::HowTo, ..) => Facts::HowTo,
            (Outcome::Contact, ..) => Facts::Contact,
            (Outcome::Unavailable, ..) => Facts::Unavailable,
            (Outcome::Silenced, ..) => return None,
            (Outcome::Refused | Outcome::Answered | Outcome::OldCardMatches | Outcome::OldCardDiffers, ..) => {
                Facts::Refused
            }
        };
        let marks = carrier.is_some_and(|carrier| carrier.marks);
        let form = carrier.map(|carrier| carrier.flow.wire).unwrap_or_default();
        Some(self.templates.compose(&ReplyRequest { lang: done.lang, marks, form, short_code, facts }))
    }

    fn conclude_one(
        &self,
        inbound: Inbound,
        query: Result<Query, Conclusion<'static>>,
        people: Option<&People>,
        loops: &mut Loops,
        now: Micros,
    ) -> Decided {
        let (query, done) = match query {
            Ok(query) => {
                let done = self.conclude(&inbound.sender, &query, people);
                (Some(query), done)
            }
            Err(done) => (None, done),
        };
        let done = match inbound.sender {
            Sender::Phone(_) => done,
            Sender::NotAPhone => silenced(done, self.not_a_phone(&inbound.source)),
        };
        let carrier = self.carriers.get(&inbound.carrier);
        let reply = self.reply(&done, query.as_ref(), inbound.short_code.as_str(), carrier.map(Arc::as_ref));
        let again_and_again = match (&reply, phone(&inbound.sender), carrier) {
            (Some(reply), Some(to), Some(carrier)) => {
                let rule = (carrier.equal_replies, carrier.equal_window);
                !loops.may_send(to, reply.text.expose(), now, rule)
            }
            (Some(_) | None, ..) => false,
        };
        let (done, reply) = if again_and_again { (silenced(done, Reason::Loop), None) } else { (done, reply) };
        self.entries(inbound, query.as_ref(), &done, reply, now)
    }

    /// Why a sender that is no phone gets no reply.
    fn not_a_phone(&self, source: &RawAddress) -> Reason {
        let source = String::from_utf8_lossy(&source.octets);
        let mut codes = self.carriers.values().flat_map(|carrier| &carrier.short_codes);
        if codes.any(|code| code.suffix(&source).is_some()) { Reason::Echo } else { Reason::NotAPhone }
    }

    fn entries(
        &self,
        inbound: Inbound,
        query: Option<&Query>,
        done: &Conclusion<'_>,
        reply: Option<Reply>,
        now: Micros,
    ) -> Decided {
        let (key, keys) = (inbound.key, self.ledger.keys());
        let carrier = self.carriers.get(&inbound.carrier);
        let number = phone(&inbound.sender);
        let ttl = carrier.map_or(600, |carrier| carrier.reply_ttl.as_secs());
        let expires_at = now.plus_seconds(i64::try_from(ttl).unwrap_or(600));
        let chars = match &inbound.text {
            Text::Read(text) => text.expose().chars().count(),
            Text::NotText | Text::PartMissing => 0,
        };
        let row = ExchangeRow {
            key,
            received_at: inbound.received_at,
            carrier: inbound.carrier.clone(),
            stream: carrier.map_or(crate::message::Stream::Test, |carrier| carrier.stream),
            line: inbound.line.row(),
            short_code: inbound.short_code.as_str().to_owned(),
            sender_token: number.map(|number| keys.sender(number)),
            subject_token: done.person.map(|person| keys.subject(&person.personal_id)),
            key_token: query.and_then(Query::key).map(|typed| keys.typed(typed)),
            outcome: done.outcome,
            reason: done.reason,
            service: done.service,
            lang: done.lang,
            fields: done.fields.iter().copied().collect::<Fields>().bits(),
            parts: inbound.parts,
            concat_ref: inbound.concat_ref,
            data_coding: inbound.data_coding,
            chars: u16::try_from(chars).unwrap_or(u16::MAX),
            charge_class: charge_class(done.outcome),
            fingerprints: inbound.fingerprints.iter().flatten().copied().collect(),
            reply: reply.as_ref().map(|reply| ReplyMeasure {
                segments: reply.segments,
                data_coding: reply.alphabet.data_coding(),
                chars: reply.chars,
                template_version: reply.template_version,
            }),
            sealed: number.map(|n| self.ledger.seal(Table::Exchange, key, &n.expose().to_be_bytes())),
        };
        let outgoing = reply.map(|reply| {
            let source = RawAddress {
                ton: carrier.map_or(0, |carrier| carrier.source_ton),
                npi: carrier.map_or(1, |carrier| carrier.source_npi),
                octets: inbound.short_code.as_str().as_bytes().to_vec(),
            };
            // Nobody waits for the answer to a text whose parts did not come in their time.
            let urgency = if matches!(inbound.text, Text::PartMissing) { Urgency::Notice } else { Urgency::Reply };
            let content = Content {
                destination: inbound.source,
                source,
                alphabet: reply.alphabet,
                urgency,
                asked_at: inbound.received_at,
                text: reply.text,
            };
            Outgoing { key, expires_at, content: Arc::new(content), inherited: false }
        });
        let outbox = outgoing.as_ref().map(|outgoing| OutboxRow {
            key,
            carrier: inbound.carrier,
            created_at: now,
            expires_at,
            sealed: self.ledger.seal(Table::Outbox, key, &outgoing.content.to_octets()),
        });
        let entry = Entry::Exchange { row: Box::new(row), outbox, consumes: inbound.consumes, ticket: inbound.ticket };
        Decided { entry, outgoing }
    }
}

fn silenced(done: Conclusion<'_>, reason: Reason) -> Conclusion<'_> {
    Conclusion { outcome: Outcome::Silenced, reason, person: None, ..done }
}

fn phone(sender: &Sender) -> Option<Msisdn> {
    match sender {
        Sender::Phone(number) => Some(*number),
        Sender::NotAPhone => None,
    }
}

/// A badly formed question is given back, as is one we could not answer; every other is charged.
pub fn charge_class(outcome: Outcome) -> ChargeClass {
    match outcome {
        Outcome::Misread | Outcome::Unavailable | Outcome::Silenced => ChargeClass::Refund,
        Outcome::Answered
        | Outcome::OldCardMatches
        | Outcome::OldCardDiffers
        | Outcome::Refused
        | Outcome::FullNumberNeeded
        | Outcome::HowTo
        | Outcome::Contact => ChargeClass::Charge,
    }
}
