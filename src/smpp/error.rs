//! Why a line is down, in words for the person who reads the log or runs `check`.

use std::{fmt, io, path::PathBuf, time::Duration};

use super::{frame::BadLength, pdu::status, tls::Complaint, trap::Trap};

/// Why a connection could not be made, or a session ended.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The name has no address: correct the setting, or wait for the name service.
    #[error("the host of \"{address}\" is not found: {why}")]
    NoSuchHost {
        /// The setting.
        address: String,
        /// What the resolver says.
        why: io::Error,
    },
    /// No address of the host takes a connection: the SMSC or the way to it is down.
    #[error("no connection to \"{address}\": {why}")]
    NoConnection {
        /// The setting.
        address: String,
        /// What the last address said.
        why: io::Error,
    },
    /// None of several addresses takes a connection.
    #[error("no address takes a connection: {}{last}", listed(before))]
    Nowhere {
        /// Why not the first ones.
        before: Vec<LineError>,
        /// Why not the last.
        last: Box<LineError>,
    },
    /// A file of the settings cannot be used.
    #[error("the file {} cannot be used: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// TLS could not be had: a name, a certificate, a version.
    #[error("no TLS with the SMSC: {0}")]
    Tls(String),
    /// A bind cannot be written from these settings.
    #[error("{0}")]
    Settings(&'static str),
    /// The connection stands, the bind response does not come.
    #[error("the SMSC did not answer the bind within {}", in_words(*.0))]
    BindUnanswered(Duration),
    /// The SMSC refused the bind; the status says whose turn it is.
    #[error("the SMSC refused the bind with status {status:#04x}: {}", meaning(*.status))]
    Refused {
        /// command_status, as received.
        status: u32,
    },
    /// Something else than an SMSC listens there: correct the address.
    #[error("the peer does not speak SMPP: it sent {0}")]
    NotSmpp(Looks),
    /// End of stream.
    #[error("the SMSC closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// Nothing came for the time the operator allows.
    #[error("no message has come for {}, so it is bound anew once", in_words(*.0))]
    Mute(Duration),
    /// No receipt came for the time the operator allows.
    #[error("replies are taken and no receipt has come for {}, so it is bound anew once", in_words(*.0))]
    Unreceipted(Duration),
    /// The SMSC sent unbind.
    #[error("the SMSC ended the session with unbind")]
    Unbound,
    /// Two enquire_link without any sign of life.
    #[error("the SMSC fell silent and left two enquire_link unanswered")]
    Silent,
    /// The SMSC answers that the session is not bound.
    #[error("the SMSC says that the session is not bound any more")]
    NotBound,
    /// The stream is out of step.
    #[error("the SMSC sent a PDU that cannot be: {0}")]
    OutOfStep(BadLength),
    /// A PDU began and did not end.
    #[error("the rest of a PDU did not come within {}", in_words(*.0))]
    HalfPdu(Duration),
    /// The SMSC does not read.
    #[error("the SMSC has taken nothing of what was written for {}", in_words(*.0))]
    Unread(Duration),
}

/// What a peer that is no SMSC seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// A TLS record: the port wants TLS.
    Tls,
    /// A web server.
    Http,
    /// Lines of text.
    Text,
    /// Nothing known.
    Unknown,
}

impl Looks {
    /// Guesses from the first octets that came.
    pub(super) fn guess(octets: &[u8]) -> Self {
        match octets {
            [0x14..=0x17, 0x03, ..] => Self::Tls,
            [b'H', b'T', b'T', b'P', ..] => Self::Http,
            [first, ..] if first.is_ascii_graphic() || first.is_ascii_whitespace() => Self::Text,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "a TLS record, so this port wants TLS",
            Self::Http => "a web page",
            Self::Text => "a line of text",
            Self::Unknown => "octets that are no PDU",
        })
    }
}

/// How soon trying again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The usual growing wait.
    Usual,
    /// The SMSC still holds the session that was lost.
    AlreadyBound,
    /// The account has as many sessions as it may, by others of ours.
    SessionLimit,
    /// The SMSC is busy.
    Busy,
    /// Nothing changes until somebody corrects a setting, here or at the carrier.
    Configuration,
    /// Something else listens there.
    WrongPeer,
}

impl LineError {
    /// A connection that broke: of itself, or because TLS found fault with the peer.
    pub(super) fn broken(why: io::Error) -> Self {
        match complaint(&why) {
            Some(words) => Self::Tls(words),
            None => Self::Broken(why),
        }
    }

    /// A connection that could not be made.
    pub(super) fn unreached(address: &str, why: io::Error) -> Self {
        match complaint(&why) {
            Some(words) => Self::Tls(format!("\"{address}\": {words}")),
            None => Self::NoConnection { address: address.to_owned(), why },
        }
    }

    /// How soon trying again makes sense, when other lines of the carrier are bound and when none is: with the same
    /// account they are, so a refusal that does not name the account is one session too many. Statuses nobody knows are
    /// taken for a failed bind (SMPP 3.4, 5.1.3: 0x0D), and that, with no line bound, for a matter of configuration.
    pub(super) fn pace(&self, others_are_bound: bool) -> Pace {
        match self {
            Self::Refused { status: status::SYSTEM_ERROR | status::THROTTLED | status::QUEUE_FULL } => Pace::Busy,
            Self::Refused { status } if others_are_bound && !names_the_account(*status) => Pace::SessionLimit,
            Self::Refused { status: status::ALREADY_BOUND } => Pace::AlreadyBound,
            Self::Nowhere { last, .. } => last.pace(others_are_bound),
            Self::Refused { .. } | Self::Settings(_) | Self::File { .. } | Self::Tls(_) => Pace::Configuration,
            Self::NotSmpp(_) => Pace::WrongPeer,
            Self::NoSuchHost { .. }
            | Self::NoConnection { .. }
            | Self::BindUnanswered(_)
            | Self::Closed
            | Self::Broken(_)
            | Self::Unbound
            | Self::Mute(_)
            | Self::Unreceipted(_)
            | Self::Silent
            | Self::NotBound
            | Self::OutOfStep(_)
            | Self::HalfPdu(_)
            | Self::Unread(_) => Pace::Usual,
        }
    }
}

fn complaint(error: &io::Error) -> Option<String> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Complaint>()).map(ToString::to_string)
}

fn listed(errors: &[LineError]) -> String {
    errors.iter().fold(String::new(), |all, error| all + &error.to_string() + "; ")
}

/// Whether a refusal of a bind says what is wrong with the account, or with the moment.
fn names_the_account(command_status: u32) -> bool {
    matches!(
        command_status,
        status::INVALID_BIND_STATUS
            | status::INVALID_PASSWORD
            | status::INVALID_SYSTEM_ID
            | status::INVALID_SYSTEM_TYPE
    )
}

impl LineError {
    /// Which of the known oddities it is.
    pub(super) fn traps(&self, was_bound: bool, others_are_bound: bool) -> &'static [Trap] {
        match self {
            Self::OutOfStep(BadLength(..16)) => &[Trap::LengthTooSmall],
            Self::OutOfStep(_) => &[Trap::LengthTooGreat],
            Self::NotSmpp(_) => &[Trap::NotSmpp],
            Self::HalfPdu(_) => &[Trap::InPieces],
            Self::BindUnanswered(_) => &[Trap::BindUnanswered],
            // With others bound it may be either: a session that the SMSC has not let go of, or one too many.
            Self::Refused { status: status::ALREADY_BOUND } if others_are_bound => {
                &[Trap::AlreadyBound, Trap::SessionLimit]
            }
            Self::Refused { status: status::ALREADY_BOUND } => &[Trap::AlreadyBound],
            Self::Refused { .. } if self.pace(others_are_bound) == Pace::SessionLimit => &[Trap::SessionLimit],
            Self::Refused { .. } if self.pace(others_are_bound) == Pace::Configuration => &[Trap::CredentialsRefused],
            Self::Unread(_) => &[Trap::SlowReader],
            Self::Unbound if was_bound => &[Trap::UnbindFromSmsc],
            Self::Closed if !was_bound => &[Trap::ConnectThenClose],
            Self::NoSuchHost { .. }
            | Self::NoConnection { .. }
            | Self::Nowhere { .. }
            | Self::File { .. }
            | Self::Tls(_)
            | Self::Settings(_)
            | Self::Refused { .. }
            | Self::Closed
            | Self::Broken(_)
            | Self::Mute(_)
            | Self::Unreceipted(_)
            | Self::Unbound
            | Self::Silent
            | Self::NotBound => &[],
        }
    }
}

/// What a refusal of a bind means (SMPP 3.4, 5.1.3).
fn meaning(command_status: u32) -> &'static str {
    match command_status {
        status::INVALID_BIND_STATUS => "not the time for a bind",
        status::ALREADY_BOUND => "this account is bound already",
        status::SYSTEM_ERROR => "the SMSC has an error of its own",
        status::BIND_FAILED => "the bind failed",
        status::INVALID_PASSWORD => "the password is wrong",
        status::INVALID_SYSTEM_ID => "the system_id is wrong",
        status::QUEUE_FULL => "its queue is full",
        status::INVALID_SYSTEM_TYPE => "the system_type is wrong",
        status::THROTTLED => "too fast",
        _ => "a status that is not in the standard for a bind",
    }
}

/// A wait as people say it: `250 ms`, `8 s`, `15 min`.
pub(super) fn in_words(wait: Duration) -> String {
    let millis = wait.as_millis();
    if millis < 1_000 {
        format!("{millis} ms")
    } else if millis < 120_000 {
        format!("{} s", (millis + 500) / 1_000)
    } else {
        format!("{} min", (millis + 30_000) / 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_no_smsc_is_guessed_from_its_first_octets() {
        for (octets, expected) in [
            (b"\x16\x03\x01\x00".as_slice(), Looks::Tls),
            (b"\x15\x03\x03\x00\x02", Looks::Tls),
            (b"HTTP/1.1 400 Bad Request", Looks::Http),
            (b"\r\n", Looks::Text),
            (b"220 mail.example", Looks::Text),
            (b"\xff\xff\xff\xff", Looks::Unknown),
            (b"", Looks::Unknown),
        ] {
            assert_eq!(Looks::guess(octets), expected);
        }
    }

    #[test]
    fn waits_are_said_as_people_say_them() {
        for (millis, expected) in [(50, "50 ms"), (1_000, "1 s"), (7_600, "8 s"), (60_000, "60 s"), (900_000, "15 min")]
        {
            assert_eq!(in_words(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        let refused = LineError::Refused { status: 0x0E };
        assert_eq!(refused.to_string(), "the SMSC refused the bind with status 0x0e: the password is wrong");
    }

    #[test]
    fn a_refusal_means_something_else_while_other_lines_are_bound() {
        use Pace::{AlreadyBound, Busy, Configuration, SessionLimit};
        for (status, alone, among_others) in [
            (0x0D, Configuration, SessionLimit),
            (0x05, AlreadyBound, SessionLimit),
            (0x5A, Configuration, SessionLimit),
            (0x401, Configuration, SessionLimit),
            (0x0E, Configuration, Configuration),
            (0x0F, Configuration, Configuration),
            (0x53, Configuration, Configuration),
            (0x58, Busy, Busy),
            (0x08, Busy, Busy),
        ] {
            let refused = LineError::Refused { status };
            assert_eq!((refused.pace(false), refused.pace(true)), (alone, among_others), "{status:#x}");
        }
        assert_eq!((LineError::Closed.pace(false), LineError::Closed.pace(true)), (Pace::Usual, Pace::Usual));
    }
}
