//! What a command_status of a `submit_sm_resp` means for the segment. One table; carriers' own readings come above it.

use std::time::Duration;

/// What to do with a segment that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send it again after this; it counts as a try.
    Retry(Duration),
    /// The carrier is busy: pause, send again, count no try.
    Slow(Duration),
    /// It will never be taken.
    GiveUp,
    /// The carrier refuses our settings, not this message: wait and raise the alarm; the citizen is not at fault.
    OurFault(Duration),
}

/// Tries of one segment at most, before it is given up.
pub(super) const TRIES: u8 = 5;

/// Reads a status (SMPP 3.4, 5.1.3; SMPP 5.0, 4.7.6).
pub(super) fn action(status: u32) -> Action {
    let retry = |seconds| Action::Retry(Duration::from_secs(seconds));
    match status {
        // ESME_RTHROTTLED.
        0x58 => Action::Slow(Duration::from_secs(1)),
        // ESME_RMSGQFUL.
        0x14 => Action::Slow(Duration::from_secs(5)),
        // ESME_RINVBNDSTS: the session is about to end; the next one takes it.
        0x04 => retry(1),
        // ESME_RSYSERR.
        0x08 => retry(5),
        // ESME_RX_T_APPN, ESME_RSUBMITFAIL, ESME_RUNKNOWNERR.
        0x64 | 0x45 | 0xff => retry(30),
        // ESME_RINVMSGLEN, ESME_RINVCMDLEN, ESME_RINVDSTADR, ESME_RX_P_APPN, ESME_RX_R_APPN, ESME_RDELIVERYFAILURE.
        0x01 | 0x02 | 0x0b | 0x65 | 0x66 | 0xfe => Action::GiveUp,
        // Source address, addressing, service type, classes, times, optional parameters: our configuration.
        0x03
        | 0x06
        | 0x07
        | 0x0a
        | 0x15
        | 0x33
        | 0x34
        | 0x40..=0x44
        | 0x48..=0x55
        | 0x61..=0x63
        | 0xc0..=0xc4
        | 0x100
        | 0x101
        | 0x103..=0x106 => Action::OurFault(Duration::from_secs(60)),
        // ESME_RSERTYPUNAVAIL (5.0), vendors' own (0x400 to 0x4ff), and whatever nobody has documented.
        _ => retry(60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_statuses_mean_what_carriers_mean() {
        for (status, expected) in [
            (0x58, Action::Slow(Duration::from_secs(1))),
            (0x08, Action::Retry(Duration::from_secs(5))),
            (0x0b, Action::GiveUp),
            (0x0a, Action::OurFault(Duration::from_secs(60))),
            (0x55f, Action::Retry(Duration::from_secs(60))),
            (0x400, Action::Retry(Duration::from_secs(60))),
            (0x22, Action::Retry(Duration::from_secs(60))),
        ] {
            assert_eq!(action(status), expected, "{status:#x}");
        }
    }
}
