//! The requests of one session that wait for their response, in the order of their sequence_numbers.

use std::{collections::VecDeque, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use super::{message::DeliverAnswer, wire};

/// The greatest sequence_number (SMPP 3.4, 5.1.4); the next one is 1.
const GREATEST: u32 = 0x7FFF_FFFF;

/// The greatest distance between the oldest unanswered request and the newest.
pub(super) const MAX_OPEN: usize = 65_536;

/// Who waits for a response.
pub(super) enum Waiting {
    /// A question of the load: the place of its phone.
    Question(u32),
    /// A caller of `deliver`.
    Caller(oneshot::Sender<DeliverAnswer>),
    /// A delivery receipt.
    Receipt,
    /// An enquire_link.
    Enquiry,
    /// An unbind.
    Unbind,
}

impl Waiting {
    fn answered_by(&self, response: u32) -> bool {
        response == wire::GENERIC_NACK
            || response
                == wire::RESPONSE
                    | match self {
                        Self::Question(_) | Self::Caller(_) | Self::Receipt => wire::DELIVER_SM,
                        Self::Enquiry => wire::ENQUIRE_LINK,
                        Self::Unbind => wire::UNBIND,
                    }
    }
}

/// The open requests. Sequence numbers ascend, so the queue's place is the number: nothing is hashed on the load path.
pub(super) struct OpenRequests {
    /// The sequence_number of the first place.
    first: u32,
    places: VecDeque<Option<(Waiting, Instant)>>,
    questions: u32,
}

impl OpenRequests {
    pub(super) fn new() -> Self {
        Self { first: 1, places: VecDeque::new(), questions: 0 }
    }

    /// How many questions of the load are open.
    pub(super) fn questions(&self) -> u32 {
        self.questions
    }

    /// Whether one more request may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.places.len() < MAX_OPEN
    }

    /// Opens a request and gives it its sequence_number.
    pub(super) fn open(&mut self, waiting: Waiting, at: Instant) -> u32 {
        let sequence = (u64::from(self.first) - 1 + self.places.len() as u64) % u64::from(GREATEST) + 1;
        self.questions += u32::from(matches!(waiting, Waiting::Question(_)));
        self.places.push_back(Some((waiting, at)));
        sequence as u32
    }

    /// Closes the request that a response belongs to; `None` when there is none of that number and kind.
    pub(super) fn close(&mut self, response: u32, sequence: u32) -> Option<(Waiting, Instant)> {
        if !(1..=GREATEST).contains(&sequence) {
            return None;
        }
        let at = (u64::from(sequence) + u64::from(GREATEST) - u64::from(self.first)) % u64::from(GREATEST);
        let place = self.places.get_mut(usize::try_from(at).ok()?)?;
        if !place.as_ref()?.0.answered_by(response) {
            return None;
        }
        let closed = place.take();
        self.questions -= u32::from(matches!(closed, Some((Waiting::Question(_), _))));
        self.trim();
        closed
    }

    /// Gives up the questions that have waited longer than `patience`; a later answer to them is stray.
    pub(super) fn give_up(&mut self, now: Instant, patience: Duration, mut given_up: impl FnMut(u32)) {
        for place in &mut self.places {
            let Some((waiting, at)) = place else { continue };
            if now.duration_since(*at) < patience {
                break;
            }
            if let Waiting::Question(phone) = waiting {
                given_up(*phone);
                self.questions -= 1;
                *place = None;
            }
        }
        self.trim();
    }

    /// The questions that never got a response, in the order they were sent; the session has ended.
    pub(super) fn unanswered(&mut self) -> Vec<u32> {
        self.questions = 0;
        let open = std::mem::take(&mut self.places);
        open.into_iter()
            .flatten()
            .filter_map(|(waiting, _)| match waiting {
                Waiting::Question(phone) => Some(phone),
                Waiting::Caller(_) | Waiting::Receipt | Waiting::Enquiry | Waiting::Unbind => None,
            })
            .collect()
    }

    /// Forgets the questions: their load has ended, and a later answer to them is stray.
    pub(super) fn forget_questions(&mut self) {
        for place in &mut self.places {
            if matches!(place, Some((Waiting::Question(_), _))) {
                *place = None;
            }
        }
        self.questions = 0;
        self.trim();
    }

    fn trim(&mut self) {
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first = self.first % GREATEST + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: u32 = wire::DELIVER_SM | wire::RESPONSE;

    #[test]
    fn responses_find_their_request_in_any_order_and_once() {
        let mut open = OpenRequests::new();
        let at = Instant::now();
        let sequences: Vec<u32> = (0..4).map(|phone| open.open(Waiting::Question(phone), at)).collect();
        assert_eq!((sequences.as_slice(), open.questions()), (&[1, 2, 3, 4][..], 4));
        for (sequence, phone) in [(3, 2), (1, 0), (4, 3), (2, 1)] {
            assert!(matches!(open.close(ANSWER, sequence), Some((Waiting::Question(p), _)) if p == phone));
            assert!(open.close(ANSWER, sequence).is_none(), "{sequence} twice");
        }
        assert_eq!((open.questions(), open.places.len()), (0, 0));
        assert_eq!(open.open(Waiting::Enquiry, at), 5);
    }

    #[test]
    fn a_response_of_another_kind_or_number_closes_nothing() {
        let mut open = OpenRequests::new();
        let enquiry = open.open(Waiting::Enquiry, Instant::now());
        for (label, response, sequence) in [
            ("another kind", ANSWER, enquiry),
            ("number 0", wire::GENERIC_NACK, 0),
            ("a number never sent", wire::ENQUIRE_LINK | wire::RESPONSE, 9),
            ("a number out of range", wire::GENERIC_NACK, u32::MAX),
        ] {
            assert!(open.close(response, sequence).is_none(), "{label}");
        }
        assert!(open.close(wire::GENERIC_NACK, enquiry).is_some());
    }

    #[test]
    fn sequence_numbers_wrap_to_one() {
        let mut open = OpenRequests { first: GREATEST - 1, places: VecDeque::new(), questions: 0 };
        let at = Instant::now();
        let sequences: Vec<u32> = (0..4).map(|phone| open.open(Waiting::Question(phone), at)).collect();
        assert_eq!(sequences, [GREATEST - 1, GREATEST, 1, 2]);
        for (phone, sequence) in sequences.into_iter().enumerate() {
            assert!(matches!(open.close(ANSWER, sequence), Some((Waiting::Question(p), _)) if p as usize == phone));
        }
    }

    #[test]
    fn old_questions_are_given_up_and_the_unanswered_come_out_in_order() {
        let mut open = OpenRequests::new();
        let at = Instant::now();
        for phone in 0..5 {
            open.open(Waiting::Question(phone), at + Duration::from_secs(u64::from(phone)));
        }
        open.close(ANSWER, 4).unwrap();
        let mut given_up = Vec::new();
        open.give_up(at + Duration::from_secs(6), Duration::from_secs(5), |phone| given_up.push(phone));
        assert_eq!((given_up, open.questions()), (vec![0, 1], 2));
        assert!(open.close(ANSWER, 1).is_none());
        let caller = open.open(Waiting::Enquiry, at);
        open.forget_questions();
        assert_eq!(open.questions(), 0);
        assert!(open.close(wire::ENQUIRE_LINK | wire::RESPONSE, caller).is_some());
        for phone in [7, 8] {
            open.open(Waiting::Question(phone), at);
        }
        assert_eq!(open.unanswered(), [7, 8]);
    }
}
