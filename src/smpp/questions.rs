//! The messages of the SMSC that await our answer, and the deadline by which it leaves in any case.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::pdu::Answered;
use crate::{config::Line, message::Ticket};

/// An answer that was promised in time and then does not come frees its place after this.
const PROMISED: Duration = Duration::from_secs(10);

/// A sequence_number and an order of arrival: SMSCs have been seen to use one number for everything.
pub(super) type Place = (u32, u64);

#[derive(Debug)]
struct Open {
    command_id: u32,
    ticket: Arc<Ticket>,
    promised: bool,
    /// The status of an answer that waits for those before it.
    status: Option<u32>,
    id: Box<[u8]>,
}

/// The undecided messages of one session.
#[derive(Debug)]
pub(super) struct Questions {
    most: usize,
    deadline: Duration,
    ordered: bool,
    arrived: u64,
    open: BTreeMap<Place, Open>,
    due: VecDeque<(Instant, Place)>,
    /// In the order of arrival, where answers leave in it.
    order: VecDeque<Place>,
    ready: VecDeque<Answered>,
}

impl Questions {
    /// None yet.
    pub(super) fn new(settings: &Line) -> Self {
        Self {
            most: usize::try_from(settings.inbound_window).unwrap_or(usize::MAX),
            deadline: settings.answer_deadline,
            ordered: settings.ordered_answers,
            arrived: 0,
            open: BTreeMap::new(),
            due: VecDeque::new(),
            order: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }

    /// Whether one more may be taken in.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < self.most
    }

    /// Whether all are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a message in and gives it its place and its ticket. `id` goes back as message_id of its answer.
    pub(super) fn opened(
        &mut self,
        command_id: u32,
        sequence: u32,
        id: Box<[u8]>,
        now: Instant,
    ) -> (Place, Arc<Ticket>) {
        let ticket = Ticket::new();
        self.arrived += 1;
        let place = (sequence, self.arrived);
        let open = Open { command_id, ticket: Arc::clone(&ticket), promised: false, status: None, id };
        self.open.insert(place, open);
        self.due.push_back((now + self.deadline, place));
        if self.due.len() > 2 * self.open.len() + 64 {
            let open = &self.open;
            self.due.retain(|(_, place)| open.contains_key(place));
        }
        if self.ordered {
            self.order.push_back(place);
        }
        (place, ticket)
    }

    /// The message that an answer for this number is for: the oldest of several, and none when it has been answered.
    pub(super) fn find(&self, sequence: u32) -> Option<Place> {
        let mut with_number = self.open.range((sequence, 0)..=(sequence, u64::MAX));
        with_number.find(|(_, open)| open.status.is_none()).map(|(place, _)| *place)
    }

    /// This message has its answer, which is ready to leave, at once or after those before it.
    pub(super) fn settle(&mut self, place: Place, status: u32) {
        let Some(open) = self.open.get_mut(&place) else { return };
        open.status = Some(status);
        if self.ordered {
            return self.release();
        }
        self.leaves(place);
    }

    /// This message is not answered at all.
    pub(super) fn forget(&mut self, place: Place) {
        self.open.remove(&place);
        self.release();
    }

    /// The next answer that may leave.
    pub(super) fn next_answer(&mut self) -> Option<Answered> {
        self.ready.pop_front()
    }

    /// Whatever its turn is now.
    fn release(&mut self) {
        while let Some(&place) = self.order.front() {
            if self.open.get(&place).is_some_and(|open| open.status.is_none()) {
                return;
            }
            self.order.pop_front();
            self.leaves(place);
        }
    }

    fn leaves(&mut self, place: Place) {
        if let Some(Open { command_id, status: Some(status), id, .. }) = self.open.remove(&place) {
            self.ready.push_back(Answered { command_id, sequence: place.0, status, id });
        }
    }

    /// When the next deadline passes.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        while let Some((at, place)) = self.due.front() {
            if self.open.get(place).is_some_and(|open| open.status.is_none()) {
                return Some(*at);
            }
            self.due.pop_front();
        }
        None
    }

    /// Gives up the next message that nobody answered by its deadline: it is to be settled or forgotten now. One whose
    /// answer was promised in time stays for a while.
    pub(super) fn expire(&mut self, now: Instant) -> Option<(Place, Arc<Ticket>)> {
        loop {
            if self.next_due()? > now {
                return None;
            }
            let (_, place) = self.due.pop_front()?;
            let Some(open) = self.open.get_mut(&place) else { continue };
            if open.ticket.give_up() {
                return Some((place, Arc::clone(&open.ticket)));
            }
            if open.promised {
                self.forget(place);
                continue;
            }
            open.promised = true;
            let at = now + PROMISED;
            let behind = self.due.partition_point(|(due, _)| *due <= at);
            self.due.insert(behind, (at, place));
        }
    }

    /// Gives up all that is undecided, in the order of arrival: the session ends, the SMSC keeps these messages unless
    /// they are settled now. Answers that were promised do not come any more.
    pub(super) fn close(&mut self) -> Vec<(Place, Arc<Ticket>)> {
        let undecided = self.open.iter().filter(|(_, open)| open.status.is_none());
        let mut undecided: Vec<_> = undecided.map(|(place, open)| (*place, Arc::clone(&open.ticket))).collect();
        undecided.sort_unstable_by_key(|((_, arrived), _)| *arrived);
        let (given_up, promised): (Vec<_>, Vec<_>) = undecided.into_iter().partition(|(_, ticket)| ticket.give_up());
        for (place, _) in promised {
            self.forget(place);
        }
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smpp::tests::settings;

    fn questions(now: Instant, sequences: &[u32], ordered: bool) -> (Questions, Vec<Arc<Ticket>>) {
        let settings = Line { inbound_window: 3, ordered_answers: ordered, ..settings("unused:1") };
        let mut questions = Questions::new(&settings);
        let tickets = sequences.iter().map(|&sequence| questions.opened(5, sequence, Box::default(), now).1).collect();
        (questions, tickets)
    }

    /// What an answer for this number sets free, in order.
    fn answered(questions: &mut Questions, sequence: u32) -> Vec<u32> {
        if let Some(place) = questions.find(sequence) {
            questions.settle(place, 0);
        }
        std::iter::from_fn(|| questions.next_answer()).map(|answer| answer.sequence).collect()
    }

    #[test]
    fn one_number_for_several_messages_answers_the_oldest_first() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[0, 0, 7], false);
        assert!(!questions.has_room());
        assert!(tickets[0].answer());
        assert_eq!(answered(&mut questions, 0), [0]);
        let (_, given_up) = questions.expire(now + Duration::from_secs(2)).unwrap();
        assert!(Arc::ptr_eq(&given_up, &tickets[1]), "the second of number 0 is still open");
        assert_eq!(answered(&mut questions, 0), [0]);
        assert!(answered(&mut questions, 0).is_empty());
        assert_eq!((answered(&mut questions, 7), answered(&mut questions, 7)), (vec![7], vec![]));
    }

    #[test]
    fn the_deadline_gives_up_what_nobody_answered() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[1, 2, 3], false);
        assert!(tickets[1].claim() && tickets[2].answer());
        let late = now + Duration::from_millis(1_500);
        assert!(questions.expire(late - Duration::from_millis(1)).is_none());
        let given_up: Vec<u32> = std::iter::from_fn(|| questions.expire(late)).map(|((number, _), _)| number).collect();
        assert_eq!(given_up, [1, 2]);
        assert!(!tickets[0].claim() && !tickets[1].answer());
        assert_eq!(answered(&mut questions, 3), [3], "its answer was promised in time");
    }

    #[test]
    fn a_promise_that_is_not_kept_frees_its_place() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[1], false);
        assert!(tickets[0].answer());
        assert!(questions.expire(now + Duration::from_secs(2)).is_none() && !questions.is_empty());
        assert!(questions.expire(now + Duration::from_secs(12)).is_none() && questions.is_empty());
    }

    #[test]
    fn where_order_is_wanted_an_answer_waits_for_those_before_it() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[4, 9, 4], true);
        assert!(answered(&mut questions, 9).is_empty());
        assert_eq!(answered(&mut questions, 4), [4, 9]);
        questions.opened(5, 6, Box::default(), now);
        assert!(answered(&mut questions, 6).is_empty(), "the second of number 4 is still undecided");
        assert!(tickets[2].answer(), "its answer was promised, and never comes");
        assert!(questions.expire(now + Duration::from_secs(2)).is_none());
        assert!(questions.expire(now + Duration::from_secs(12)).is_none());
        assert_eq!(questions.next_answer().map(|answer| answer.sequence), Some(6));
        assert!(questions.is_empty());
    }

    #[test]
    fn the_end_gives_up_all() {
        let (mut questions, tickets) = questions(Instant::now(), &[9, 2, 4], true);
        assert!(tickets[1].answer());
        let given_up = questions.close();
        let sequences: Vec<u32> = given_up.iter().map(|((number, _), _)| *number).collect();
        assert_eq!(sequences, [9, 4]);
        for (place, _) in given_up {
            questions.settle(place, 0x58);
        }
        let left: Vec<u32> = std::iter::from_fn(|| questions.next_answer()).map(|answer| answer.sequence).collect();
        assert_eq!(left, [9, 4]);
        assert!(!tickets[0].claim() && questions.is_empty());
    }
}
