//! What a command_status of a `submit_sm_resp` means for the segment. One table; carriers' own readings come above it.

use std::{collections::BTreeMap, time::Duration};

use crate::config::StatusRule;

/// ESME_RTHROTTLED.
pub(super) const THROTTLED: u32 = 0x58;
/// ESME_RMSGQFUL.
pub(super) const QUEUE_FULL: u32 = 0x14;
/// ESME_RSYSERR.
pub(super) const SYSTEM_ERROR: u32 = 0x08;
/// delivery_failure_reason (SMPP 5.0, 4.8.4.19): a temporary fault of the network.
const TEMPORARY: u8 = 3;

/// How long a refused segment waits, refusal by refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// These seconds, the last of them again and again.
    Steps(&'static [u64]),
    /// Two times these seconds; then it is given up.
    Twice(u64),
    /// Always the same.
    Every(Duration),
}

impl Waits {
    /// The wait after so many tries, from 1; `None` when it is given up.
    pub(super) fn after(self, tries: u8) -> Option<Duration> {
        let at = usize::from(tries.max(1)) - 1;
        match self {
            Self::Steps(seconds) => seconds.get(at).or(seconds.last()).map(|seconds| Duration::from_secs(*seconds)),
            Self::Twice(seconds) => (at < 2).then_some(Duration::from_secs(seconds)),
            Self::Every(wait) => Some(wait),
        }
    }
}

/// What is done once to a reply that was refused for its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Cut anew, each segment within 140 octets.
    InOctets,
    /// Folded to the GSM alphabet and cut anew.
    Folded,
    /// Sent without something.
    Without(Manner),
}

/// What a segment is sent without, or otherwise than agreed: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner(u8);

impl Manner {
    /// No receipt is asked for.
    pub(super) const NO_RECEIPT: Self = Self(1);
    /// No validity_period.
    pub(super) const NO_VALIDITY: Self = Self(2);
    /// No optional parameter but those that hold the text.
    pub(super) const BARE: Self = Self(4);
    /// The same, because the carrier said that a parameter is not allowed: it will not be for others either.
    pub(super) const BARE_FOR_GOOD: Self = Self(8);
    /// The citizen's number in its other form.
    pub(super) const OTHER_NUMBER: Self = Self(16);

    /// Whether it has all of another.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it has anything.
    pub(super) fn any(self) -> bool {
        self.0 != 0
    }
}

/// What to do with a segment that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send it again after a wait; it counts as a try.
    Retry(Waits),
    /// Nobody has documented it: tried again, and an operator should hear of it.
    Unknown(Waits),
    /// The carrier is busy: everything pauses so long, it goes again first, and no try is counted.
    Slow(Duration),
    /// The queue is full: of this number, or of everybody.
    QueueFull,
    /// It will never be taken.
    GiveUp,
    /// The frame could not be read.
    BadFrame,
    /// The session is worth nothing any more.
    Rebind,
    /// The carrier refuses our settings, not this message: it waits and the alarm is raised; the citizen is not at fault.
    Ours,
    /// Once otherwise; where that has been done or cannot be, the last word.
    Once(Change, Last),
}

/// What follows when a change has not helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// [`Action::GiveUp`].
    GiveUp,
    /// [`Action::GiveUp`], and the alarm: the form is a setting.
    GiveUpOurs,
    /// [`Action::Ours`].
    Ours,
}

/// Whether a refusal for our settings is about how the citizen's number is written, which may be right for all others:
/// ESME_RINVDSTTON, ESME_RINVDSTNPI, ESME_RINVDSTADDRSUBUNIT.
pub(super) fn is_about_the_number(status: u32) -> bool {
    matches!(status, 0x50 | 0x51 | 0x106)
}

/// Reads a status (SMPP 3.4, 5.1.3; SMPP 5.0, 4.7.6), the carrier's own table first; `reason` is the
/// delivery_failure_reason that came with it.
pub(super) fn action(own: &BTreeMap<u32, StatusRule>, status: u32, reason: Option<u8>) -> Action {
    if own.is_empty() {
        return usual(status, reason);
    }
    match own.get(&status) {
        None => usual(status, reason),
        Some(StatusRule::Retry(wait)) => Action::Retry(Waits::Every(*wait)),
        Some(StatusRule::Slow(wait)) => Action::Slow(*wait),
        Some(StatusRule::GiveUp) => Action::GiveUp,
        Some(StatusRule::Rebind) => Action::Rebind,
        Some(StatusRule::Ours) => Action::Ours,
    }
}

fn usual(status: u32, reason: Option<u8>) -> Action {
    use Action::{BadFrame, GiveUp, Once, Ours, QueueFull, Rebind, Retry, Slow, Unknown};
    match status {
        // ESME_RINVMSGLEN.
        0x01 => Once(Change::InOctets, Last::GiveUpOurs),
        // ESME_RINVCMDLEN.
        0x02 => BadFrame,
        // ESME_RINVBNDSTS.
        0x04 => Rebind,
        // ESME_RINVREGDLVFLG.
        0x07 => Once(Change::Without(Manner::NO_RECEIPT), Last::Ours),
        SYSTEM_ERROR => Retry(Waits::Steps(&[5, 15, 45])),
        // ESME_RINVDSTADR.
        0x0B => Once(Change::Without(Manner::OTHER_NUMBER), Last::GiveUp),
        QUEUE_FULL => QueueFull,
        // ESME_RSUBMITFAIL, ESME_RUNKNOWNERR.
        0x45 | 0xFF => Retry(Waits::Twice(30)),
        THROTTLED => Slow(Duration::from_secs(1)),
        // ESME_RINVEXPIRY.
        0x62 => Once(Change::Without(Manner::NO_VALIDITY), Last::Ours),
        // ESME_RX_T_APPN.
        0x64 => Retry(Waits::Steps(&[30, 120, 300])),
        // ESME_RINVTLVSTREAM, ESME_RINVTLVLEN, ESME_RINVTLVVAL.
        0xC0 | 0xC2 | 0xC4 => Once(Change::Without(Manner::BARE), Last::Ours),
        // ESME_RTLVNOTALLWD.
        0xC1 => Once(Change::Without(Manner::BARE_FOR_GOOD), Last::Ours),
        // ESME_RDELIVERYFAILURE: the answer to a delivery that was tried at once.
        0xFE if reason == Some(TEMPORARY) => Retry(Waits::Every(Duration::from_secs(60))),
        // So is ESME_RX_P_APPN, and ESME_RX_R_APPN.
        0xFE | 0x65 | 0x66 => GiveUp,
        // ESME_RSERTYPUNAVAIL (5.0).
        0x102 => Retry(Waits::Every(Duration::from_secs(60))),
        // ESME_RINVDCS (5.0), and what one vendor has for it.
        0x104 | 0x433 => Once(Change::Folded, Last::Ours),
        // Addresses, service type, classes, times, parameters: our configuration. ESME_RINVCMDID, ESME_RINVPRTFLG,
        // ESME_RINVSRCADR, ESME_RINVSERTYP, those of submit_multi, ESME_RINVSUBREP, ESME_RINVESMCLASS, ESME_RINVSRCTON to
        // ESME_RINVDSTNPI, ESME_RINVSYSTYP, ESME_RINVREPFLAG, ESME_RINVNUMMSGS, ESME_RINVSCHED, ESME_RINVDFTMSGID,
        // ESME_RMISSINGTLV, and of 5.0 ESME_RSERTYPUNAUTH, ESME_RPROHIBITED, ESME_RSERTYPDENIED, and the subunits.
        0x03
        | 0x06
        | 0x0A
        | 0x15
        | 0x33
        | 0x34
        | 0x40
        | 0x42
        | 0x43
        | 0x44
        | 0x48..=0x51
        | 0x53..=0x55
        | 0x61
        | 0x63
        | 0xC3
        | 0x100
        | 0x101
        | 0x103
        | 0x105
        | 0x106 => Ours,
        // Vendors' own (0x400 to 0x4FF), reserved ones, and those of requests that are never made.
        _ => Unknown(Waits::Twice(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u32) -> Action {
        action(&BTreeMap::new(), status, None)
    }

    #[test]
    fn the_usual_statuses_mean_what_carriers_mean() {
        let twice = |seconds| Action::Retry(Waits::Twice(seconds));
        for (status, expected) in [
            (0x01, Action::Once(Change::InOctets, Last::GiveUpOurs)),
            (0x04, Action::Rebind),
            (0x07, Action::Once(Change::Without(Manner::NO_RECEIPT), Last::Ours)),
            (0x08, Action::Retry(Waits::Steps(&[5, 15, 45]))),
            (0x0A, Action::Ours),
            (0x0B, Action::Once(Change::Without(Manner::OTHER_NUMBER), Last::GiveUp)),
            (0x14, Action::QueueFull),
            (0x43, Action::Ours),
            (0x45, twice(30)),
            (0x48, Action::Ours),
            (0x51, Action::Ours),
            (0x58, Action::Slow(Duration::from_secs(1))),
            (0x61, Action::Ours),
            (0x62, Action::Once(Change::Without(Manner::NO_VALIDITY), Last::Ours)),
            (0x64, Action::Retry(Waits::Steps(&[30, 120, 300]))),
            (0x65, Action::GiveUp),
            (0x66, Action::GiveUp),
            (0xC0, Action::Once(Change::Without(Manner::BARE), Last::Ours)),
            (0xC1, Action::Once(Change::Without(Manner::BARE_FOR_GOOD), Last::Ours)),
            (0xC3, Action::Ours),
            (0xFE, Action::GiveUp),
            (0xFF, twice(30)),
            (0x102, Action::Retry(Waits::Every(Duration::from_secs(60)))),
            (0x104, Action::Once(Change::Folded, Last::Ours)),
            (0x433, Action::Once(Change::Folded, Last::Ours)),
        ] {
            assert_eq!(read(status), expected, "{status:#x}");
        }
        for status in [0x05, 0x09, 0x0C, 0x22, 0x52, 0x5A, 0x94, 0xBF, 0xFD, 0x107, 0x112, 0x400, 0x55F, u32::MAX] {
            assert_eq!(read(status), Action::Unknown(Waits::Twice(60)), "{status:#x}");
        }
    }

    #[test]
    fn a_failed_delivery_is_tried_again_only_when_the_fault_was_temporary() {
        let own = BTreeMap::new();
        assert_eq!(action(&own, 0xFE, Some(3)), Action::Retry(Waits::Every(Duration::from_secs(60))));
        assert_eq!(action(&own, 0xFE, Some(1)), Action::GiveUp);
    }

    #[test]
    fn a_carriers_own_reading_stands_above_the_table() {
        let minute = Duration::from_secs(60);
        let own = BTreeMap::from([
            (0x45, StatusRule::GiveUp),
            (0x14, StatusRule::Ours),
            (0x94, StatusRule::Retry(minute)),
            (0x401, StatusRule::Slow(minute)),
            (0x55F, StatusRule::Rebind),
        ]);
        for (status, expected) in [
            (0x45, Action::GiveUp),
            (0x14, Action::Ours),
            (0x94, Action::Retry(Waits::Every(minute))),
            (0x401, Action::Slow(minute)),
            (0x55F, Action::Rebind),
            (0x0B, read(0x0B)),
        ] {
            assert_eq!(action(&own, status, None), expected, "{status:#x}");
        }
    }

    #[test]
    fn waits_go_on_or_end() {
        let seconds = |waits: Waits| -> Vec<Option<u64>> {
            (1..=5).map(|tries| waits.after(tries).map(|wait| wait.as_secs())).collect()
        };
        assert_eq!(seconds(Waits::Steps(&[5, 15, 45])), [Some(5), Some(15), Some(45), Some(45), Some(45)]);
        assert_eq!(seconds(Waits::Twice(30)), [Some(30), Some(30), None, None, None]);
        assert_eq!(seconds(Waits::Every(Duration::from_secs(7)))[4], Some(7));
    }
}
