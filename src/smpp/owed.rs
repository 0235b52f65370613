//! Whether a carrier still hands over receipts. One watch for all of its lines, because a receipt may come over any of
//! them: replies that were taken since the last one, for too long, say that none comes any more. What becomes of a single
//! reply is not asked here: a phone may be off for days, while others' receipts go on coming.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Between the lines of a carrier that bind anew for its receipts: so one of them always listens.
const TURNS: Duration = Duration::from_secs(60);

/// The receipts that one carrier owes to this process.
#[derive(Debug, Default)]
pub struct Owed(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// When a reply was taken whose receipt was wanted, the first since a receipt came.
    since: Option<Instant>,
    is_told: bool,
    /// How often receipts have come again.
    comings: u64,
    /// When a line bound anew last.
    turn: Option<Instant>,
}

impl Owed {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reply was taken whose receipt was wanted.
    pub(super) fn taken(&self, now: Instant) {
        self.inner().since.get_or_insert(now);
    }

    /// A receipt came. `true` when it had been told that none does.
    pub(super) fn came(&self) -> bool {
        let mut inner = self.inner();
        if inner.since.take().is_some() {
            inner.comings += 1;
        }
        std::mem::take(&mut inner.is_told)
    }

    /// Since when none has come for replies that were taken, and the number of this want.
    pub(super) fn since(&self) -> Option<(Instant, u64)> {
        let inner = self.inner();
        inner.since.map(|since| (since, inner.comings))
    }

    /// It is told that none comes. `true` the first time.
    pub(super) fn tell(&self) -> bool {
        !std::mem::replace(&mut self.inner().is_told, true)
    }

    /// Whether a line may bind anew for it now.
    pub(super) fn turn(&self, now: Instant) -> bool {
        let mut inner = self.inner();
        let free = inner.turn.is_none_or(|last| now >= last + TURNS);
        if free {
            inner.turn = Some(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_owed_from_the_first_reply_that_was_taken_after_the_last_receipt() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let owed = Owed::default();
        assert!(owed.since().is_none() && !owed.came());
        owed.taken(at(1));
        owed.taken(at(2));
        assert_eq!(owed.since(), Some((at(1), 0)));
        assert!(!owed.came() && owed.since().is_none(), "any receipt proves that they come");
        owed.taken(at(3));
        assert_eq!(owed.since(), Some((at(3), 1)));
        assert!(owed.tell() && !owed.tell() && owed.came() && !owed.came());
        assert_eq!(owed.since(), None);
    }

    #[test]
    fn lines_bind_anew_for_it_one_after_the_other() {
        let start = Instant::now();
        let owed = Owed::default();
        assert!(owed.turn(start) && !owed.turn(start + Duration::from_secs(59)));
        assert!(owed.turn(start + Duration::from_secs(60)));
    }
}
