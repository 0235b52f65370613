//! What we sent and await an answer to: sequence numbers, the submits that are open, and those whose time ran out.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::message::SubmitId;

/// The greatest sequence_number; the next is 1 (SMPP 3.4, 5.1.4).
pub(super) const LAST_SEQUENCE: u32 = 0x7FFF_FFFF;

/// How many submits without a timely response are remembered, so that a late one still settles its reply.
const LATE_KEPT: usize = 10_000;
/// And for how long.
const LATE_FOR: Duration = Duration::from_hours(24);
/// How many settled numbers are remembered, to tell a second response from one to nothing.
const SETTLED_KEPT: usize = 1_024;

/// A submit that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Which.
    pub(super) id: SubmitId,
    /// It asked for a receipt.
    pub(super) wants_receipt: bool,
}

/// What a response belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    /// An open submit; its place is free again.
    Open(Sent),
    /// One whose time had run out.
    Late(Sent),
    /// One that is settled already.
    Again,
    /// Nothing of ours.
    Nothing,
}

/// The submits of one session.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    timeout: Duration,
    last: u32,
    open: BTreeMap<u32, (Sent, Instant)>,
    /// Deadlines in the order of sending; entries whose submit is answered are skipped.
    due: VecDeque<(Instant, u32)>,
    late: BTreeMap<u32, (Sent, Instant)>,
    late_order: VecDeque<(u32, Instant)>,
    settled: VecDeque<u32>,
}

impl Window {
    /// An empty window for at most `size` submits of at most `timeout` each.
    pub(super) fn new(size: u32, timeout: Duration) -> Self {
        Self {
            size: usize::try_from(size).unwrap_or(usize::MAX),
            timeout,
            last: 0,
            open: BTreeMap::new(),
            due: VecDeque::new(),
            late: BTreeMap::new(),
            late_order: VecDeque::new(),
            settled: VecDeque::new(),
        }
    }

    /// The next sequence_number for any request of ours; numbers that still name a submit are skipped.
    pub(super) fn next_sequence(&mut self) -> u32 {
        loop {
            self.last = if self.last >= LAST_SEQUENCE { 1 } else { self.last + 1 };
            if !self.open.contains_key(&self.last) && !self.late.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    /// Whether one more submit may leave.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < self.size
    }

    /// Whether nothing awaits an answer.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Remembers a submit that leaves now under `sequence`.
    pub(super) fn opened(&mut self, sequence: u32, sent: Sent, now: Instant) {
        let deadline = now + self.timeout;
        self.open.insert(sequence, (sent, deadline));
        self.due.push_back((deadline, sequence));
        // One submit that is never answered would keep the deadlines of all behind it: drop the settled ones in time.
        if self.due.len() > 2 * self.open.len() + 64 {
            let open = &self.open;
            self.due.retain(|(deadline, sequence)| open.get(sequence).is_some_and(|(_, own)| own == deadline));
        }
    }

    /// Whether the response with this number is due before others that were sent earlier.
    pub(super) fn overtakes(&self, sequence: u32) -> bool {
        self.open.contains_key(&sequence) && self.open.keys().next() != Some(&sequence)
    }

    /// A response with this number came.
    pub(super) fn settle(&mut self, sequence: u32) -> Matched {
        let matched = if let Some((sent, _)) = self.open.remove(&sequence) {
            Matched::Open(sent)
        } else if let Some((sent, _)) = self.late.remove(&sequence) {
            Matched::Late(sent)
        } else if self.settled.contains(&sequence) {
            return Matched::Again;
        } else {
            return Matched::Nothing;
        };
        if self.settled.len() == SETTLED_KEPT {
            self.settled.pop_front();
        }
        self.settled.push_back(sequence);
        matched
    }

    /// When the next open submit runs out of time.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        while let Some((deadline, sequence)) = self.due.front() {
            if self.open.get(sequence).is_some_and(|(_, own)| own == deadline) {
                return Some(*deadline);
            }
            self.due.pop_front();
        }
        None
    }

    /// Takes the next submit whose time has run out; its place is free again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<SubmitId> {
        if self.next_due()? > now {
            return None;
        }
        let (_, sequence) = self.due.pop_front()?;
        let (sent, _) = self.open.remove(&sequence)?;
        self.late.insert(sequence, (sent, now));
        self.late_order.push_back((sequence, now));
        while let Some(&(oldest, at)) = self.late_order.front()
            && (self.late_order.len() > LATE_KEPT || now >= at + LATE_FOR)
        {
            self.late_order.pop_front();
            if self.late.get(&oldest).is_some_and(|(_, own)| *own == at) {
                self.late.remove(&oldest);
            }
        }
        Some(sent.id)
    }

    /// Ends the session: what is open, in the order of sequence numbers.
    pub(super) fn close(&mut self) -> Vec<SubmitId> {
        std::mem::take(&mut self.open).into_values().map(|(sent, _)| sent.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::RowKey;

    fn id(n: u8) -> SubmitId {
        SubmitId { exchange: RowKey(1), segment: n, copy: 1 }
    }

    fn sent(n: u8) -> Sent {
        Sent { id: id(n), wants_receipt: n.is_multiple_of(2) }
    }

    fn window(last: u32) -> Window {
        Window { last, ..Window::new(3, Duration::from_secs(30)) }
    }

    #[test]
    fn t51_our_wrap() {
        let now = Instant::now();
        let mut window = window(LAST_SEQUENCE - 2);
        window.opened(1, sent(1), now);
        window.opened(2, sent(2), now);
        window.expire(now + Duration::from_secs(30)).unwrap();
        let drawn: Vec<u32> = (0..4).map(|_| window.next_sequence()).collect();
        assert_eq!(drawn, [LAST_SEQUENCE - 1, LAST_SEQUENCE, 3, 4]);
    }

    #[test]
    fn a_response_settles_its_submit_once_in_any_order() {
        let now = Instant::now();
        let mut window = window(0);
        for n in 1..=3 {
            assert!(window.has_room());
            window.opened(u32::from(n), sent(n), now);
        }
        assert!(!window.has_room() && window.overtakes(3) && !window.overtakes(1) && !window.overtakes(99));
        assert_eq!(window.settle(3), Matched::Open(sent(3)));
        assert_eq!(window.settle(3), Matched::Again);
        assert_eq!(window.settle(99), Matched::Nothing);
        assert_eq!(window.settle(1), Matched::Open(sent(1)));
        assert_eq!((window.close(), window.is_empty()), (vec![id(2)], true));
    }

    #[test]
    fn a_submit_without_response_frees_its_place_and_may_be_answered_late() {
        let now = Instant::now();
        let late = now + Duration::from_secs(30);
        let mut window = window(0);
        window.opened(1, sent(1), now);
        window.opened(2, sent(2), now + Duration::from_secs(5));
        assert_eq!(window.expire(late - Duration::from_millis(1)), None);
        assert_eq!((window.expire(late), window.expire(late)), (Some(id(1)), None));
        assert_eq!(window.next_due(), Some(late + Duration::from_secs(5)));
        assert_eq!((window.settle(1), window.settle(1)), (Matched::Late(sent(1)), Matched::Again));
        let later = late + Duration::from_secs(5);
        assert_eq!(window.expire(later), Some(id(2)));
        window.opened(3, sent(3), later);
        assert!(window.late.contains_key(&2));
        assert_eq!(window.expire(later + LATE_FOR), Some(id(3)), "a day later");
        assert_eq!(window.settle(2), Matched::Nothing);
    }

    #[test]
    fn memory_stays_bounded_behind_a_submit_that_is_never_answered() {
        let now = Instant::now();
        let mut window = window(0);
        window.opened(1, sent(1), now);
        for sequence in 2..50_000 {
            window.opened(sequence, sent(2), now);
            window.settle(sequence);
        }
        assert!(window.due.len() < 200, "{}", window.due.len());
        for sequence in 50_000..50_000 + 2 * LATE_KEPT as u32 {
            window.opened(sequence, sent(3), now);
            window.expire(now + Duration::from_mins(1)).unwrap();
        }
        assert!(window.late.len() <= LATE_KEPT && window.late_order.len() <= LATE_KEPT);
    }
}
