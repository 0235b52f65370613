//! Since when a line has had no session, and when somebody must hear of it. Most outages end by themselves within
//! minutes; what lasts longer is an alarm, whatever its reason is, until the next bind.

use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::time::Instant;

use super::error::in_words;
use crate::{clock::Micros, message::LineId};

/// The alarm of a line that has not been bound for long.
pub(super) const LINE_DOWN: &str = "line_down";

/// The watch over one line.
#[derive(Debug, Default)]
pub(super) struct Down {
    after: Option<Duration>,
    since: Option<(Instant, Micros)>,
    why: String,
    is_told: bool,
}

impl Down {
    /// It is down from now on, unless it was already. `after` so long it is told; `None`: never.
    pub(super) fn begins(&mut self, after: Option<Duration>, now: Instant, at: Micros) {
        self.after = after;
        self.since.get_or_insert((now, at));
    }

    /// Why the last try came to nothing.
    pub(super) fn because(&mut self, why: String) {
        self.why = why;
    }

    /// It is bound. `true` when it had been told.
    pub(super) fn ends(&mut self) -> bool {
        std::mem::take(self).is_told
    }

    /// Since when.
    pub(super) fn since(&self) -> Option<Micros> {
        self.since.map(|(_, at)| at)
    }

    /// When it is to be told, unless it has been.
    pub(super) fn due(&self) -> Option<Instant> {
        let (since, _) = self.since?;
        self.after.filter(|_| !self.is_told).map(|after| since + after)
    }

    /// The words of the alarm, when it is time for it, and from then on each time they may have changed.
    pub(super) fn told(&mut self, label: &LineId, now: Instant) -> Option<String> {
        let ((since, at), after) = (self.since?, self.after?);
        if now < since + after {
            return None;
        }
        self.is_told = true;
        let why = if self.why.is_empty() { "the first connection is still being made" } else { &self.why };
        // A moment, and not a length of time: the words stand for as long as the alarm does.
        let moment = at.in_zone(&TimeZone::UTC).map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let moment = moment.unwrap_or_else(|| in_words(now - since) + " ago");
        Some(format!("{label} has not been bound since {moment}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{CarrierId, Role};

    #[test]
    fn what_lasts_is_told_once_it_is_due_with_the_moment_it_began() {
        let label = LineId { carrier: CarrierId::parse("vtl").unwrap(), index: 2, role: Role::Transceiver };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let (after, moment) = (Some(Duration::from_secs(300)), Micros(1_000_000));
        let mut down = Down::default();
        assert_eq!((down.due(), down.told(&label, at(9_999))), (None, None), "bound");
        down.begins(after, at(0), moment);
        down.because("refused".to_owned());
        down.begins(after, at(200), Micros(200_000_000));
        assert_eq!((down.due(), down.since()), (Some(at(300)), Some(moment)), "tries that fail begin nothing anew");
        assert_eq!(down.told(&label, at(299)), None);
        let words = down.told(&label, at(300)).unwrap();
        assert_eq!(words, "vtl/2 has not been bound since 1970-01-01T00:00:01Z: refused");
        assert_eq!(down.due(), None);
        down.because("closed".to_owned());
        assert!(down.told(&label, at(400)).unwrap().ends_with("01Z: closed"));
        assert!(down.ends() && !down.ends());
        down.begins(None, at(500), moment);
        assert_eq!((down.due(), down.told(&label, at(9_999))), (None, None), "not watched");
    }
}
