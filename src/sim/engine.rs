//! The load at work: which question goes out next, on which session, and when. Driven by the sessions, one call a
//! batch; nothing here waits.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;

use super::{
    SimError,
    accounting::{Accounts, Answered, Replied, Sending},
    histogram::Histogram,
    load::{Limit, LoadPlan, LoadProgress},
    message::Deliver,
    open::{MAX_OPEN, OpenRequests, Waiting},
    wire,
};

/// More octets than this are never laid up for one socket.
pub(super) const MAX_OUT: usize = 1 << 20;

/// How far behind its rate a load may catch up at once, after a pause.
const CATCH_UP: Duration = Duration::from_millis(100);

/// How soon a session with a free window looks again for a question that another session has freed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

struct AskedPhone {
    /// Its questions: a range of `bodies`.
    questions: std::ops::Range<u32>,
    /// The one asked now or last.
    current: u32,
}

pub(super) struct Engine {
    pub(super) books: Accounts,
    pub(super) histogram: Histogram,
    plan: Pace,
    by_number: HashMap<u64, u32>,
    phones: Vec<AskedPhone>,
    bodies: Vec<Box<[u8]>>,
    /// Phones that may be asked, the one that waits longest first.
    ready: VecDeque<u32>,
    /// Phones touched by a break, until a doubled reply would have come.
    resting: VecDeque<u32>,
    rest_until: Instant,
    /// Questions to be sent again at once, and at their time.
    again: VecDeque<(u32, Sending)>,
    later: BinaryHeap<Reverse<(Instant, u32)>>,
    open: u64,
    next_slot: Instant,
    pub(super) first_sent: Option<Instant>,
    pub(super) last_written: Option<Instant>,
    asking_ended: Option<Instant>,
    /// When a session was bound or lost last.
    line_at: Instant,
    /// The last question taken or refused, or first reply.
    progress_at: Instant,
    /// When the last question with a temporary error was or will be sent again.
    retry_at: Instant,
    pub(super) answered: u64,
    pub(super) segments: u64,
    pub(super) strangers: u64,
}

/// The numbers of the plan.
struct Pace {
    window: u32,
    outstanding: u64,
    limit: Limit,
    slot: Duration,
    grace: Duration,
    linger: Duration,
    patience: Duration,
    rest: Duration,
    answer_timeout: Duration,
}

impl Engine {
    pub(super) fn new(plan: &LoadPlan, now: Instant) -> Result<Self, SimError> {
        if plan.questions.is_empty() || plan.window == 0 || plan.rate == Some(0) {
            return Err(SimError::EmptyPlan);
        }
        let mut by_number = HashMap::with_capacity(plan.questions.len());
        let mut grouped: Vec<Vec<Box<[u8]>>> = Vec::new();
        for question in &plan.questions {
            let deliver = Deliver::new(
                &question.from.to_string(),
                &plan.short_code,
                question.data_coding,
                question.text.as_ref(),
            );
            let phone = *by_number.entry(question.from).or_insert_with(|| {
                grouped.push(Vec::with_capacity(1));
                grouped.len() as u32 - 1
            });
            grouped[phone as usize].push(wire::deliver_body(&deliver)?.into_boxed_slice());
        }
        let mut bodies = Vec::with_capacity(plan.questions.len());
        let mut phones = Vec::with_capacity(grouped.len());
        for mut texts in grouped {
            let first = bodies.len() as u32;
            bodies.append(&mut texts);
            phones.push(AskedPhone { questions: first..bodies.len() as u32, current: bodies.len() as u32 - 1 });
        }
        Ok(Self {
            books: Accounts::new(phones.len(), plan.in_doubt),
            histogram: Histogram::new(),
            plan: Pace {
                window: plan.window.min(MAX_OPEN as u32 / 2),
                outstanding: plan.outstanding.map_or(u64::MAX, u64::from),
                limit: plan.limit,
                slot: plan.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate),
                grace: plan.grace,
                linger: plan.linger,
                patience: plan.patience,
                rest: plan.rest,
                answer_timeout: plan.answer_timeout,
            },
            by_number,
            ready: (0..phones.len() as u32).collect(),
            phones,
            bodies,
            resting: VecDeque::new(),
            rest_until: now,
            again: VecDeque::new(),
            later: BinaryHeap::new(),
            open: 0,
            next_slot: now,
            first_sent: None,
            last_written: None,
            asking_ended: None,
            line_at: now,
            progress_at: now,
            retry_at: now,
            answered: 0,
            segments: 0,
            strangers: 0,
        })
    }

    /// Writes as many questions as the window, the pace and the phones allow. Gives the moment to be asked again, when
    /// no event of the session will bring it.
    pub(super) fn fill(&mut self, open: &mut OpenRequests, out: &mut BytesMut, now: Instant) -> Option<Instant> {
        open.give_up(now, self.plan.answer_timeout, |phone| self.again.push_back((phone, Sending::AfterSilence)));
        if now >= self.rest_until {
            self.ready.append(&mut self.resting);
        }
        while open.questions() < self.plan.window && open.has_room() && out.len() < MAX_OUT {
            let Some((phone, why)) = self.next_again(now).or_else(|| self.next_new(now)) else { break };
            if self.books.send(phone, why) {
                self.first_sent.get_or_insert(now);
                let sequence = open.open(Waiting::Question(phone), now);
                let body = &self.bodies[self.phones[phone as usize].current as usize];
                wire::put_request(out, wire::DELIVER_SM, sequence, body);
            }
        }
        let timeout = self.plan.answer_timeout.clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut next = (open.questions() > 0).then(|| now + timeout);
        if open.questions() < self.plan.window {
            let due = self.later.peek().map(|Reverse((at, _))| *at);
            let slot = (self.next_slot > now).then_some(self.next_slot);
            next = [next, due, slot, Some(now + LOOK_AGAIN)].into_iter().flatten().min();
        }
        next
    }

    fn next_again(&mut self, now: Instant) -> Option<(u32, Sending)> {
        if let Some(again) = self.again.pop_front() {
            return Some(again);
        }
        let due = self.later.peek().is_some_and(|Reverse((at, _))| *at <= now);
        due.then(|| self.later.pop()).flatten().map(|Reverse((_, phone))| (phone, Sending::AfterTemporary))
    }

    /// Opens the next new question, when one may be asked.
    fn next_new(&mut self, now: Instant) -> Option<(u32, Sending)> {
        let over = match self.plan.limit {
            Limit::Count(count) => self.books.totals.questions >= count,
            Limit::Seconds(seconds) => self.first_sent.is_some_and(|first| now >= first + Duration::from_secs(seconds)),
        };
        if over {
            self.asking_ended.get_or_insert(now);
        }
        if self.asking_ended.is_some() || self.open >= self.plan.outstanding || self.next_slot > now {
            return None;
        }
        let phone = loop {
            let phone = self.ready.pop_front()?;
            if now < self.rest_until && self.books.touched_by_break(phone) {
                self.resting.push_back(phone);
            } else {
                break phone;
            }
        };
        if !self.books.ask(phone, now) {
            return None;
        }
        let asked = &mut self.phones[phone as usize];
        asked.current = if asked.current + 1 < asked.questions.end { asked.current + 1 } else { asked.questions.start };
        self.open += 1;
        self.next_slot = self.next_slot.max(now.checked_sub(CATCH_UP).unwrap_or(now)) + self.plan.slot;
        Some((phone, Sending::First))
    }

    /// A response to a question came.
    pub(super) fn answered(&mut self, phone: u32, status: u32, now: Instant) {
        match self.books.answered(phone, status, now) {
            Answered::Again(wait) => {
                self.retry_at = self.retry_at.max(now + wait);
                self.later.push(Reverse((now + wait, phone)));
            }
            Answered::Taken | Answered::Refused => {
                self.progress_at = now;
                self.free(phone);
            }
            Answered::Settled => {}
        }
    }

    /// A submit to this number came and is being accepted. Gives the moment its question was sent, for
    /// [`Engine::written`], when it is the first segment of a first reply.
    pub(super) fn replied(&mut self, number: Option<u64>, first_segment: bool, now: Instant) -> Option<Instant> {
        let Some(phone) = number.and_then(|number| self.by_number.get(&number).copied()) else {
            self.strangers += 1;
            return None;
        };
        self.segments += 1;
        if !first_segment {
            return None;
        }
        match self.books.replied(phone, now) {
            Replied::First(sent_at) => {
                self.progress_at = now;
                self.free(phone);
                Some(sent_at)
            }
            Replied::Doubled => None,
        }
    }

    fn free(&mut self, phone: u32) {
        if self.books.is_over(phone) {
            self.open -= 1;
            self.ready.push_back(phone);
        }
    }

    /// The responses to these replies have been handed to the socket.
    pub(super) fn written(&mut self, sent_at: &mut Vec<Instant>, now: Instant) {
        self.answered += sent_at.len() as u64;
        if !sent_at.is_empty() {
            self.last_written = Some(now);
        }
        for sent in sent_at.drain(..) {
            self.histogram.record(now.duration_since(sent));
        }
    }

    /// A session that may carry questions is bound.
    pub(super) fn bound(&mut self, now: Instant) {
        self.line_at = now;
        if self.books.totals.breaks > 0 {
            self.rest_until = now + self.plan.rest;
        }
    }

    /// A session ended with these questions unanswered: they go out again, the same octets, on the next one.
    pub(super) fn session_lost(&mut self, unanswered: Vec<u32>, now: Instant) {
        self.books.session_lost(now);
        self.line_at = now;
        self.rest_until = now + self.plan.rest;
        self.again.extend(unanswered.into_iter().map(|phone| (phone, Sending::AfterBreak)));
    }

    /// Asks no new question from now on.
    pub(super) fn stop_asking(&mut self, now: Instant) {
        self.asking_ended.get_or_insert(now);
    }

    /// Whether there is nothing left to wait for.
    pub(super) fn ended(&mut self, now: Instant, receiving: bool) -> bool {
        if let (Limit::Seconds(seconds), Some(first)) = (self.plan.limit, self.first_sent)
            && now >= first + Duration::from_secs(seconds)
        {
            self.asking_ended.get_or_insert(now);
        }
        if self.asking_ended.is_some() && self.open == 0 {
            // A surplus reply may still be on its way.
            let settled = self.progress_at + self.plan.linger;
            return now >= if self.books.totals.breaks > 0 { settled.max(self.rest_until) } else { settled };
        }
        if now >= self.progress_at + self.plan.grace + self.plan.patience {
            return true;
        }
        if !receiving {
            return now >= self.progress_at.max(self.line_at) + self.plan.patience;
        }
        let none_free = self.ready.is_empty() && self.resting.is_empty();
        let stuck = self.asking_ended.is_some() || none_free || self.open >= self.plan.outstanding;
        let since = [Some(self.line_at), self.asking_ended, Some(self.progress_at), Some(self.retry_at)];
        stuck && now >= since.into_iter().flatten().max().unwrap_or(now) + self.plan.grace
    }

    pub(super) fn progress(&self) -> LoadProgress {
        let totals = &self.books.totals;
        LoadProgress {
            questions: totals.questions,
            acknowledged: totals.acknowledged,
            temporary: totals.temporary,
            refused: totals.refused,
            replies: totals.replies,
            doubled: totals.doubled,
            breaks: totals.breaks,
        }
    }
}
