//! The messages of the SMSC that await our answer, and the deadline by which it leaves in any case.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::message::Ticket;

/// An answer that was promised in time and then does not come frees its place after this.
const PROMISED: Duration = Duration::from_secs(10);

/// A sequence_number and an order of arrival: SMSCs have been seen to use one number for everything.
type Place = (u32, u64);

#[derive(Debug)]
struct Open {
    command_id: u32,
    ticket: Arc<Ticket>,
    promised: bool,
}

/// A message that nobody answered in time.
#[derive(Debug)]
pub(super) struct GivenUp {
    /// Which request it was.
    pub(super) command_id: u32,
    /// Its sequence_number.
    pub(super) sequence: u32,
    /// Its ticket, given up.
    pub(super) ticket: Arc<Ticket>,
}

/// The undecided messages of one session.
#[derive(Debug)]
pub(super) struct Questions {
    most: usize,
    deadline: Duration,
    arrived: u64,
    open: BTreeMap<Place, Open>,
    due: VecDeque<(Instant, Place)>,
}

impl Questions {
    /// Room for `most` messages of at most `deadline` each.
    pub(super) fn new(most: u32, deadline: Duration) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            deadline,
            arrived: 0,
            open: BTreeMap::new(),
            due: VecDeque::new(),
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

    /// Takes a message in and gives it its ticket.
    pub(super) fn opened(&mut self, command_id: u32, sequence: u32, now: Instant) -> Arc<Ticket> {
        let ticket = Ticket::new();
        self.arrived += 1;
        let place = (sequence, self.arrived);
        self.open.insert(place, Open { command_id, ticket: Arc::clone(&ticket), promised: false });
        self.due.push_back((now + self.deadline, place));
        if self.due.len() > 2 * self.open.len() + 64 {
            let open = &self.open;
            self.due.retain(|(_, place)| open.contains_key(place));
        }
        ticket
    }

    /// An answer for this number is there: which request it answers, or `None` when it has been answered. The oldest
    /// of several with one number comes first.
    pub(super) fn answered(&mut self, sequence: u32) -> Option<u32> {
        let (&place, _) = self.open.range((sequence, 0)..=(sequence, u64::MAX)).next()?;
        self.open.remove(&place).map(|open| open.command_id)
    }

    /// When the next deadline passes.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        while let Some((at, place)) = self.due.front() {
            if self.open.contains_key(place) {
                return Some(*at);
            }
            self.due.pop_front();
        }
        None
    }

    /// Takes the next message that nobody answered by its deadline. One whose answer was promised in time stays.
    pub(super) fn expire(&mut self, now: Instant) -> Option<GivenUp> {
        loop {
            if self.next_due()? > now {
                return None;
            }
            let (_, place) = self.due.pop_front()?;
            let Some(open) = self.open.get_mut(&place) else { continue };
            let given_up = open.ticket.give_up();
            if !given_up && !open.promised {
                open.promised = true;
                let at = now + PROMISED;
                let behind = self.due.partition_point(|(due, _)| *due <= at);
                self.due.insert(behind, (at, place));
                continue;
            }
            let open = self.open.remove(&place)?;
            if given_up {
                return Some(GivenUp { command_id: open.command_id, sequence: place.0, ticket: open.ticket });
            }
        }
    }

    /// Gives up all that is open, in the order of arrival: the session ends, the SMSC keeps these messages.
    pub(super) fn close(&mut self) -> Vec<GivenUp> {
        let mut open: Vec<(Place, Open)> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_unstable_by_key(|((_, arrived), _)| *arrived);
        let given_up = open.into_iter().filter(|(_, open)| open.ticket.give_up());
        given_up
            .map(|((sequence, _), open)| GivenUp { command_id: open.command_id, sequence, ticket: open.ticket })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(now: Instant, sequences: &[u32]) -> (Questions, Vec<Arc<Ticket>>) {
        let mut questions = Questions::new(3, Duration::from_millis(1_500));
        let tickets = sequences.iter().map(|&sequence| questions.opened(5, sequence, now)).collect();
        (questions, tickets)
    }

    #[test]
    fn one_number_for_several_messages_answers_the_oldest_first() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[0, 0, 7]);
        assert!(!questions.has_room());
        assert!(tickets[0].answer());
        assert_eq!(questions.answered(0), Some(5));
        let given_up = questions.expire(now + Duration::from_secs(2)).unwrap();
        assert!(Arc::ptr_eq(&given_up.ticket, &tickets[1]), "the second of number 0 is still open");
        assert_eq!((questions.answered(0), questions.answered(7), questions.answered(7)), (None, Some(5), None));
    }

    #[test]
    fn the_deadline_gives_up_what_nobody_answered() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[1, 2, 3]);
        assert!(tickets[1].claim() && tickets[2].answer());
        let late = now + Duration::from_millis(1_500);
        assert!(questions.expire(late - Duration::from_millis(1)).is_none());
        let given_up: Vec<u32> = std::iter::from_fn(|| questions.expire(late)).map(|open| open.sequence).collect();
        assert_eq!(given_up, [1, 2]);
        assert!(!tickets[0].claim() && !tickets[1].answer());
        assert_eq!(questions.answered(3), Some(5), "its answer was promised in time");
    }

    #[test]
    fn a_promise_that_is_not_kept_frees_its_place() {
        let now = Instant::now();
        let (mut questions, tickets) = questions(now, &[1]);
        assert!(tickets[0].answer());
        assert!(questions.expire(now + Duration::from_secs(2)).is_none() && !questions.is_empty());
        assert!(questions.expire(now + Duration::from_secs(12)).is_none() && questions.is_empty());
    }

    #[test]
    fn the_end_gives_up_all() {
        let (mut questions, tickets) = questions(Instant::now(), &[9, 2, 4]);
        assert!(tickets[1].answer());
        let sequences: Vec<u32> = questions.close().into_iter().map(|open| open.sequence).collect();
        assert_eq!(sequences, [9, 4]);
        assert!(!tickets[0].claim() && questions.is_empty());
    }
}
