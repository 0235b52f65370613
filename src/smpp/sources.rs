//! Since when what is read now may have waited: on the socket, or behind it in what was read and not taken yet. An SMSC whose
//! message waits too long sends it again.

use tokio::time::Instant;

/// The socket, and what was read from it.
#[derive(Debug)]
pub(super) struct Sources {
    /// When nothing was left on the socket last.
    socket: Instant,
    /// What was read, and waits, has not come before then.
    buffer: Instant,
    /// Whole PDUs wait in what was read.
    left: bool,
}

impl Sources {
    /// Nothing waits.
    pub(super) fn new(now: Instant) -> Self {
        Self { socket: now, buffer: now, left: false }
    }

    /// What is taken now has not come before then.
    pub(super) fn since(&self) -> Instant {
        self.buffer
    }

    /// The socket had nothing.
    pub(super) fn nothing_came(&mut self, now: Instant) {
        self.socket = now;
        self.left(self.left);
    }

    /// Octets were read: `all` that were there, or as many as there was room for.
    pub(super) fn took(&mut self, all: bool, now: Instant) {
        // Behind what waits already they count as come with it.
        self.left = true;
        if all {
            self.socket = now;
        }
    }

    /// What was read was looked through, and whole PDUs are left in it or not.
    pub(super) fn left(&mut self, left: bool) {
        self.left = left;
        if !left {
            self.buffer = self.socket;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_read_has_come_since_nothing_was_left_or_with_what_waits_before_it() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut sources = Sources::new(at(0));
        sources.nothing_came(at(1));
        assert_eq!(sources.since(), at(1));
        // All of it is taken at once, again and again: the socket is never found empty, but read empty.
        for second in 2..9 {
            sources.took(true, at(second));
            assert_eq!(sources.since(), at(second - 1));
            sources.left(false);
        }
        // Some of it is left, and more is read behind it.
        sources.took(true, at(9));
        sources.left(true);
        sources.took(true, at(10));
        sources.nothing_came(at(11));
        assert_eq!(sources.since(), at(8));
        sources.left(false);
        assert_eq!(sources.since(), at(11));
        // More is there than there is room for.
        sources.took(false, at(12));
        sources.left(false);
        sources.took(false, at(13));
        assert_eq!(sources.since(), at(11));
    }
}
