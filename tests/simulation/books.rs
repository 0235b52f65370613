//! The SMSC's books: what was asked, what was heard of it, and what was sent to whom.

use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::time::Instant;
use tracuu::clock::Micros;

use crate::{dice::Dice, pdu, plan::Plan, site};

/// One person's question, in one message or several.
pub(crate) struct Question {
    pub(crate) phone: u64,
    pub(crate) parts: usize,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A question, or the part of one.
    Question { phone: u64, question: usize, part: usize },
    /// A delivery receipt.
    Receipt,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Question { phone, question, part } => write!(f, "question {question}.{part} of {phone}"),
            Self::Receipt => f.write_str("receipt"),
        }
    }
}

/// How it stands with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// To be sent from then on.
    Waiting(Instant),
    /// Sent and not answered.
    Open,
    /// The service said that it has it.
    Taken,
    /// The service wants it never again.
    Refused(u32),
}

/// A message for the service.
pub(crate) struct Message {
    pub(crate) about: About,
    /// The instance whose SMSC has it.
    pub(crate) home: usize,
    pub(crate) body: Vec<u8>,
    pub(crate) state: State,
}

/// What a number was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Copies taken, by segment.
    pub(crate) taken: BTreeMap<u8, u64>,
    /// Copies refused for good.
    pub(crate) refused: u64,
    /// Copies refused for now: after some of these refusals a carrier may have taken one all the same.
    pub(crate) refused_for_now: u64,
}

impl Received {
    pub(crate) fn all(&self) -> u64 {
        self.taken.values().sum()
    }
}

/// All that the SMSCs know.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) questions: Vec<Question>,
    pub(crate) messages: Vec<Message>,
    pub(crate) received: BTreeMap<u64, Received>,
    /// When something happened that may leave a submit in doubt.
    pub(crate) disruptions: Vec<Micros>,
    /// What must not be.
    pub(crate) findings: Vec<String>,
    pub(crate) deliveries: u64,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    pub(crate) starts: u64,
    pub(crate) breaks: u64,
}

const LONG: &str = "HO VA TEN, NGAY THANG NAM SINH, GIOI TINH, NOI SINH, QUE QUAN, DAN TOC, TON GIAO, QUOC TICH, NHOM MAU, CHUNG \
                    MINH NHAN DAN, CAN CUOC CONG DAN, DIA CHI THUONG TRU";

impl Books {
    /// What is asked in a run.
    pub(crate) fn new(plan: &Plan, begin: Instant) -> Self {
        let dice = Dice::new(plan.seed, "questions");
        let mut books = Self::default();
        let people = site::people();
        for number in 0..plan.questions {
            let (phone, person) = &people[dice.between(0, people.len() as u64 / 2) as usize];
            let six = &person.expose()[6..];
            let text = match dice.between(0, 9) {
                0 => format!("TTCD {six}"),
                // Parts of a text are joined by one instance alone.
                1 | 2 if plan.instances > 1 => "HELP".to_owned(),
                1 => format!("TTCD {six} {LONG}"),
                2 => format!("TTCD {six} {LONG}, HO TEN, {LONG}"),
                3 => "TTCD 000000 NS".to_owned(),
                4 => "XIN CHAO".to_owned(),
                5 => "HD".to_owned(),
                6 => format!("INFO {six} NAME ADDRESS"),
                _ => format!("TTCD {six} NS DC QQ"),
            };
            // Each text of a phone is another one: the same octets may be the same question, sent again.
            let text = text + &" ".repeat(number as usize % 60) + ".";
            books.ask(plan, &dice, begin, phone.expose(), &text);
        }
        books
    }

    fn ask(&mut self, plan: &Plan, dice: &Dice, begin: Instant, phone: u64, text: &str) {
        let home = dice.between(0, plan.instances as u64 - 1) as usize;
        let from = phone.to_string();
        let texts: Vec<(u8, Vec<u8>)> = if text.len() <= 160 {
            vec![(0, text.as_bytes().to_vec())]
        } else {
            let (reference, chunks) = (dice.between(0, 255) as u8, text.as_bytes().chunks(153));
            let total = chunks.len() as u8;
            let part =
                |(at, chunk): (usize, &[u8])| (0x40, [&[5, 0, 3, reference, total, at as u8 + 1], chunk].concat());
            chunks.enumerate().map(part).collect()
        };
        let (question, asked_at) = (self.questions.len(), dice.millis(0, plan.asking.as_millis() as u64));
        self.questions.push(Question { phone, parts: texts.len() });
        for (part, (esm_class, text)) in texts.into_iter().enumerate() {
            let due = begin + asked_at + dice.millis(0, if part == 0 { 0 } else { 3_000 });
            let body = pdu::question(&from, site::CODE, esm_class, &text);
            let about = About::Question { phone, question, part };
            self.messages.push(Message { about, home, body, state: State::Waiting(due) });
        }
    }

    /// The service has said something final of every message.
    pub(crate) fn all_answered(&self) -> bool {
        self.messages.iter().all(|message| matches!(message.state, State::Taken | State::Refused(_)))
    }

    /// The next message of a home that is due, if there is one; else when the next one is.
    pub(crate) fn next(&self, home: usize, now: Instant) -> Result<usize, Option<Instant>> {
        let waiting = self.messages.iter().enumerate().filter(|(_, message)| message.home == home);
        let due = waiting.filter_map(|(at, message)| match message.state {
            State::Waiting(due) => Some((due, at)),
            State::Open | State::Taken | State::Refused(_) => None,
        });
        match due.min() {
            Some((due, at)) if due <= now => Ok(at),
            later => Err(later.map(|(due, _)| due)),
        }
    }

    /// A message is sent again, unless the service has it.
    pub(crate) fn again(&mut self, message: usize, after: Duration) {
        let state = &mut self.messages[message].state;
        if *state == State::Open {
            *state = State::Waiting(Instant::now() + after);
        }
    }
}
