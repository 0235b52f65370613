//! For how long this process may act for its instance. Others that see no sign of life of it for longer take it for dead
//! and take over what it has not sent; a process that was paused must have stopped sending by then.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// A sign of life is good for so long, counted from the beginning of the commit that gave it. Others wait a second longer
/// ([`Lease::OTHERS_WAIT`]), and count from the moment at which they saw the commit, which is later.
const HOLDS: Duration = Duration::from_secs(5);

/// Whoever holds it counts on no other process.
const UNLIMITED: u64 = u64::MAX;
/// Another process took this one's place.
const REVOKED: u64 = u64::MAX - 1;

/// This process's signs of life, on its own steady clock: given by the ledger's writer, looked at before anything is sent.
#[derive(Debug)]
pub struct Lease {
    begin: Instant,
    /// Microseconds from `begin` to the beginning of the last commit that succeeded.
    renewed: AtomicU64,
    failures: AtomicU64,
}

impl Lease {
    /// Others take an instance for dead that has shown no sign of life for so long.
    pub const OTHERS_WAIT: Duration = Duration::from_secs(6);

    /// A lease that begins with a commit that began then.
    pub fn since(commit: Instant) -> Self {
        Self { begin: commit, renewed: AtomicU64::new(0), failures: AtomicU64::new(0) }
    }

    /// A lease that never runs out, for whoever shares no store.
    pub fn unlimited() -> Self {
        Self { renewed: AtomicU64::new(UNLIMITED), ..Self::since(Instant::now()) }
    }

    /// A commit that began then has succeeded.
    pub fn renew(&self, commit: Instant) {
        let since = commit.saturating_duration_since(self.begin).as_micros() as u64;
        self.renewed.store(since, Ordering::Release);
    }

    /// A commit has failed, because the database could not be used.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
    }

    /// Commits that failed so far.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// Another process took this one's place: it never holds again.
    pub fn revoke(&self) {
        self.renewed.store(REVOKED, Ordering::Release);
    }

    /// Whether another process took this one's place.
    pub fn is_revoked(&self) -> bool {
        self.renewed.load(Ordering::Acquire) == REVOKED
    }

    /// How long ago the last commit that succeeded began; none once the lease is revoked.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        match self.renewed.load(Ordering::Acquire) {
            UNLIMITED => Some(Duration::ZERO),
            REVOKED => None,
            renewed => Some(now.saturating_duration_since(self.begin + Duration::from_micros(renewed))),
        }
    }

    /// Whether this process may send.
    pub fn holds(&self, now: Instant) -> bool {
        self.age(now).is_some_and(|age| age < HOLDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_a_while_after_the_beginning_of_a_commit_and_never_again_once_revoked() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let lease = Lease::since(begin);
        assert!(lease.holds(at(0)) && lease.holds(at(4_999)) && !lease.holds(at(5_000)));
        lease.renew(at(4_000));
        assert!(lease.holds(at(8_999)) && !lease.holds(at(9_000)));
        assert!(HOLDS < Lease::OTHERS_WAIT, "it must have run out before others count on that");
        lease.revoke();
        assert!(lease.is_revoked() && !lease.holds(at(4_000)));
        assert!(Lease::unlimited().holds(at(86_400_000)));
    }
}
