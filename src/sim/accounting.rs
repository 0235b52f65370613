//! The books of a load: what was asked, taken, refused and replied, phone by phone. They judge whether a service lost
//! or doubled anything, so they know nothing of sockets and can be tried event by event.

use std::time::Duration;

use tokio::time::Instant;

/// How many session losses are remembered; the oldest is forgotten first.
const BREAKS_KEPT: usize = 1_024;

/// The answers that ask for the same message again later: ESME_RTHROTTLED, ESME_RMSGQFUL, ESME_RSYSERR,
/// ESME_RX_T_APPN (SMPP 3.4, 5.1.3).
const TEMPORARY: [u32; 4] = [0x58, 0x14, 0x08, 0x64];

/// Why a deliver_sm is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// For the first time.
    First,
    /// Again, because its session ended without an answer.
    AfterBreak,
    /// Again, because the answer was a temporary error.
    AfterTemporary,
    /// Again, because no answer came in time on a living session.
    AfterSilence,
}

/// What a response means for its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// The service has taken it.
    Taken,
    /// The service refuses it for good.
    Refused,
    /// Send it again after this wait.
    Again(Duration),
    /// It was settled before.
    Settled,
}

/// What a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replied {
    /// The first reply to a question that was first sent at this moment.
    First(Instant),
    /// One reply more than the phone has questions.
    Doubled,
}

/// The counters of the books. A sum of `u64`s that only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) questions: u64,
    pub(super) sent: u64,
    pub(super) after_break: u64,
    pub(super) after_temporary: u64,
    pub(super) after_silence: u64,
    pub(super) acknowledged: u64,
    pub(super) temporary: u64,
    pub(super) refused: u64,
    pub(super) replies: u64,
    pub(super) doubled: u64,
    pub(super) doubled_after_break: u64,
    pub(super) breaks: u64,
}

/// What is left open when the books are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Remains {
    /// Acknowledged, but no reply came.
    pub(super) lost: u64,
    /// Neither taken nor refused.
    pub(super) unanswered: u64,
}

/// The last question of one phone.
struct Turn {
    asked_at: Instant,
    ended_at: Option<Instant>,
    tries: u32,
    acknowledged: bool,
    refused: bool,
    replied: bool,
}

/// The books. A phone has at most one question open, so a reply is matched by its destination.
pub(super) struct Accounts {
    turns: Vec<Option<Turn>>,
    breaks: Vec<Instant>,
    in_doubt: Duration,
    pub(super) totals: Totals,
}

impl Accounts {
    /// Books for this many phones. A reply that ended a turn at most `in_doubt` before a session loss may be sent
    /// again by a service that never read our response.
    pub(super) fn new(phones: usize, in_doubt: Duration) -> Self {
        let turns = std::iter::repeat_with(|| None).take(phones).collect();
        Self { turns, breaks: Vec::new(), in_doubt, totals: Totals::default() }
    }

    /// Opens a phone's next question. `false`, and nothing done, while the last one is open.
    pub(super) fn ask(&mut self, phone: u32, now: Instant) -> bool {
        let Some(turn) = self.turns.get_mut(phone as usize) else { return false };
        if turn.as_ref().is_some_and(|turn| turn.ended_at.is_none()) {
            return false;
        }
        *turn =
            Some(Turn { asked_at: now, ended_at: None, tries: 0, acknowledged: false, refused: false, replied: false });
        self.totals.questions += 1;
        true
    }

    /// Counts a deliver_sm written for the phone's open question. `false`, and nothing counted, when that question was
    /// taken or refused meanwhile and must not be sent.
    pub(super) fn send(&mut self, phone: u32, why: Sending) -> bool {
        if self.turn(phone).is_none_or(|turn| turn.acknowledged || turn.refused) {
            return false;
        }
        self.totals.sent += 1;
        match why {
            Sending::First => {}
            Sending::AfterBreak => self.totals.after_break += 1,
            Sending::AfterTemporary => self.totals.after_temporary += 1,
            Sending::AfterSilence => self.totals.after_silence += 1,
        }
        true
    }

    /// Notes a response to the phone's question.
    pub(super) fn answered(&mut self, phone: u32, status: u32, now: Instant) -> Answered {
        let Some(turn) = self.turns.get_mut(phone as usize).and_then(Option::as_mut) else { return Answered::Settled };
        if turn.acknowledged || turn.refused {
            return Answered::Settled;
        }
        if status == 0 {
            turn.acknowledged = true;
            self.totals.acknowledged += 1;
            if turn.replied {
                turn.ended_at = Some(now);
            }
            Answered::Taken
        } else if TEMPORARY.contains(&status) {
            let wait = Duration::from_millis(50) * 2_u32.pow(turn.tries.min(6));
            turn.tries += 1;
            self.totals.temporary += 1;
            Answered::Again(wait)
        } else {
            turn.refused = true;
            turn.ended_at = Some(now);
            self.totals.refused += 1;
            Answered::Refused
        }
    }

    /// Notes a reply (its first segment) to the phone.
    pub(super) fn replied(&mut self, phone: u32, now: Instant) -> Replied {
        match self.turns.get_mut(phone as usize).and_then(Option::as_mut) {
            Some(turn) if !turn.replied => {
                turn.replied = true;
                self.totals.replies += 1;
                if turn.acknowledged {
                    turn.ended_at = Some(now);
                }
                Replied::First(turn.asked_at)
            }
            _ => {
                self.totals.doubled += 1;
                self.totals.doubled_after_break += u64::from(self.touched_by_break(phone));
                Replied::Doubled
            }
        }
    }

    /// Notes that a session ended.
    pub(super) fn session_lost(&mut self, now: Instant) {
        if self.breaks.len() == BREAKS_KEPT {
            self.breaks.remove(0);
        }
        self.breaks.push(now);
        self.totals.breaks += 1;
    }

    /// Whether the phone's last question has ended and the next may be asked.
    pub(super) fn is_over(&self, phone: u32) -> bool {
        self.turn(phone).is_none_or(|turn| turn.ended_at.is_some())
    }

    /// Whether a session was lost while the phone's last question was in flight: open, or replied to so shortly before
    /// that the service may not know it.
    pub(super) fn touched_by_break(&self, phone: u32) -> bool {
        let Some(turn) = self.turn(phone) else { return false };
        self.breaks
            .iter()
            .any(|at| turn.asked_at <= *at && turn.ended_at.is_none_or(|ended| ended + self.in_doubt >= *at))
    }

    /// What is open now; at the end of a load, what is missing.
    pub(super) fn remains(&self) -> Remains {
        let mut remains = Remains::default();
        for turn in self.turns.iter().flatten() {
            remains.lost += u64::from(turn.acknowledged && !turn.replied);
            remains.unanswered += u64::from(!turn.acknowledged && !turn.refused);
        }
        remains
    }

    fn turn(&self, phone: u32) -> Option<&Turn> {
        self.turns.get(phone as usize)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IN_DOUBT: Duration = Duration::from_secs(2);

    fn asked(phones: u32, at: Instant) -> Accounts {
        let mut books = Accounts::new(phones as usize, IN_DOUBT);
        for phone in 0..phones {
            assert!(books.ask(phone, at) && books.send(phone, Sending::First));
        }
        books
    }

    #[test]
    fn a_question_ends_when_it_is_taken_and_replied_in_either_order() {
        let now = Instant::now();
        let mut books = asked(2, now);
        assert_eq!(books.answered(0, 0, now), Answered::Taken);
        assert!(!books.is_over(0) && !books.ask(0, now));
        assert_eq!(books.replied(0, now), Replied::First(now));
        assert_eq!(books.replied(1, now), Replied::First(now));
        assert!(!books.is_over(1));
        assert_eq!(books.answered(1, 0, now), Answered::Taken);
        assert!(books.is_over(0) && books.is_over(1));
        assert_eq!(books.remains(), Remains::default());
    }

    #[test]
    fn acknowledged_without_reply_is_lost_and_silence_is_unanswered() {
        let now = Instant::now();
        let mut books = asked(4, now);
        books.answered(0, 0, now);
        books.answered(1, 0x0B, now);
        books.replied(2, now);
        assert_eq!(books.remains(), Remains { lost: 1, unanswered: 2 });
        assert_eq!((books.totals.acknowledged, books.totals.refused, books.totals.replies), (1, 1, 1));
    }

    #[test]
    fn temporary_errors_wait_longer_each_time_and_a_taken_question_is_not_sent_again() {
        let now = Instant::now();
        let mut books = asked(1, now);
        let waits: Vec<_> = TEMPORARY.iter().map(|status| books.answered(0, *status, now)).collect();
        let expected = [50, 100, 200, 400].map(|ms| Answered::Again(Duration::from_millis(ms)));
        assert_eq!(waits, expected);
        for _ in 0..40 {
            let again = books.answered(0, 0x58, now);
            assert!(matches!(again, Answered::Again(wait) if wait <= Duration::from_millis(3_200)), "{again:?}");
        }
        assert!(books.send(0, Sending::AfterTemporary));
        assert_eq!(books.answered(0, 0, now), Answered::Taken);
        assert_eq!(books.answered(0, 0x58, now), Answered::Settled);
        assert!(!books.send(0, Sending::AfterTemporary));
        assert_eq!((books.totals.sent, books.totals.after_temporary, books.totals.temporary), (2, 1, 44));
    }

    #[test]
    fn a_second_reply_is_doubled_and_after_a_break_it_is_said_so() {
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(tenths * 100);
        // label, the first reply at, the break at, whether the double counts as following the break
        for (label, ended, broke, expected) in [
            ("no break", 1, None, 0),
            ("break while open", 20, Some(10), 1),
            ("break shortly after the reply", 10, Some(25), 1),
            ("break long after the reply", 10, Some(31), 0),
        ] {
            let mut books = asked(1, start);
            books.answered(0, 0, at(1));
            if let Some(broke) = broke.filter(|broke| *broke < ended) {
                books.session_lost(at(broke));
            }
            books.replied(0, at(ended));
            if let Some(broke) = broke.filter(|broke| *broke >= ended) {
                books.session_lost(at(broke));
            }
            assert_eq!(books.replied(0, at(90)), Replied::Doubled, "{label}");
            assert_eq!((books.totals.replies, books.totals.doubled), (1, 1), "{label}");
            assert_eq!(books.totals.doubled_after_break, expected, "{label}");
        }
        let mut books = asked(0, start);
        books.session_lost(start);
        assert_eq!(books.replied(0, start), Replied::Doubled, "a phone that never asked");
        assert_eq!(books.totals.doubled_after_break, 0);
    }

    proptest! {
        #[test]
        fn the_books_balance_whatever_happens(events in prop::collection::vec((0_u32..4, 0_u8..7), 0..300)) {
            let mut now = Instant::now();
            let mut books = Accounts::new(4, IN_DOUBT);
            let (mut replies, mut open) = (0, [false; 4]);
            for (phone, event) in events {
                now += Duration::from_millis(100);
                match event {
                    0 => { let was_over = books.is_over(phone); prop_assert_eq!(books.ask(phone, now), was_over); }
                    1 => { books.answered(phone, 0, now); }
                    2 => { books.answered(phone, 0x58, now); }
                    3 => { books.answered(phone, 0x0B, now); }
                    4 | 5 => { books.replied(phone, now); replies += 1; }
                    _ => books.session_lost(now),
                }
                open[phone as usize] = !books.is_over(phone);
            }
            let (totals, remains) = (books.totals, books.remains());
            prop_assert_eq!(totals.acknowledged + totals.refused + remains.unanswered, totals.questions);
            prop_assert_eq!(totals.replies + totals.doubled, replies);
            prop_assert!(totals.replies <= totals.questions && totals.doubled_after_break <= totals.doubled);
            prop_assert!(remains.lost + remains.unanswered <= open.iter().filter(|open| **open).count() as u64);
            prop_assert!(remains.lost + totals.replies + totals.refused + remains.unanswered >= totals.questions);
        }
    }
}
