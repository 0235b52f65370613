//! The oddities of SMSCs that the line met and coped with, each under its own name.

use crate::message::LineId;

/// Something that a well-behaved SMSC does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// A command_id nobody knows.
    UnknownCommand,
    /// `sm_length` beyond the end of the PDU.
    TextPastEnd,
    /// The mandatory part of a message cannot be read.
    Unreadable,
    /// An address longer than 20 octets.
    AddressTooLong,
    /// The codec refused the PDU, a lenient reading did not.
    Repaired,
    /// A message ahead of the bind response.
    BeforeBound,
    /// The bind response names a lower version than the bind asked for.
    LowerVersion,
    /// An outbind, which has no meaning on a connection of ours.
    Outbind,
    /// An alert_notification, which has no answer.
    Alert,
    /// The SMSC has no enquire_link.
    NoEnquireLink,
    /// A response to nothing that is open.
    UnknownResponse,
    /// A response after its time.
    LateResponse,
    /// A generic_nack that names nothing of ours.
    NackOfNothing,
    /// A USSD dialogue on the line.
    Ussd,
    /// Marked as a receipt, yet without id and state.
    ReceiptWithoutContent,
    /// More submits than the window and its queue hold.
    WindowOverrun,
}

impl Trap {
    /// The name in logs, and later in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command_id",
            Self::TextPastEnd => "sm_length_past_end",
            Self::Unreadable => "mandatory_part_unreadable",
            Self::AddressTooLong => "field_too_long",
            Self::Repaired => "repaired",
            Self::BeforeBound => "deliver_before_bind_resp",
            Self::LowerVersion => "version_lower",
            Self::Outbind => "outbind",
            Self::Alert => "alert_notification",
            Self::NoEnquireLink => "enquire_resp_error",
            Self::UnknownResponse => "response_unknown",
            Self::LateResponse => "response_late",
            Self::NackOfNothing => "nack_sequence_zero",
            Self::Ussd => "ussd_on_the_line",
            Self::ReceiptWithoutContent => "flagged_but_a_question",
            Self::WindowOverrun => "window_overrun",
        }
    }

    /// Notes that it happened.
    pub(super) fn note(self, line: &LineId) {
        match self {
            // The text may have been a citizen's question, and nobody will answer it: someone must look.
            Self::ReceiptWithoutContent => tracing::warn!(
                carrier.name = %line.carrier, line = %line, trap = self.as_str(),
                "Line {line} acknowledged a message marked as receipt that says neither id nor state"
            ),
            Self::WindowOverrun => tracing::warn!(
                carrier.name = %line.carrier, line = %line, trap = self.as_str(),
                "Line {line} was given more submits than it can hold, and handed them back"
            ),
            Self::UnknownCommand
            | Self::TextPastEnd
            | Self::Unreadable
            | Self::AddressTooLong
            | Self::Repaired
            | Self::BeforeBound
            | Self::LowerVersion
            | Self::Outbind
            | Self::Alert
            | Self::NoEnquireLink
            | Self::UnknownResponse
            | Self::LateResponse
            | Self::NackOfNothing
            | Self::Ussd => tracing::debug!(
                carrier.name = %line.carrier, line = %line, trap = self.as_str(),
                "Line {line} coped with an oddity"
            ),
        }
    }
}
