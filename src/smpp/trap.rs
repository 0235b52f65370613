//! The oddities of SMSCs that the line met and coped with, each under its own name.

use crate::message::LineId;

/// Something that a well-behaved SMSC does not do, or that few of them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trap {
    /// A command_id nobody knows.
    UnknownCommand,
    /// A request that carries a command_status.
    StatusInRequest,
    /// `sm_length` beyond the end of the PDU.
    TextPastEnd,
    /// One to three octets behind the text that no length counts.
    StrayOctets,
    /// The mandatory part of a message cannot be read.
    Unreadable,
    /// An optional parameter that runs past the end of the PDU.
    TlvPastEnd,
    /// An optional parameter of a length it cannot have.
    TlvLength,
    /// receipted_message_id without its NUL, with several, or padded.
    TlvTerminator,
    /// An optional parameter that SMPP does not have.
    TlvUnknown,
    /// Optional parameters from an SMSC that does not say that it knows any.
    TlvFromOlderPeer,
    /// An optional parameter given twice.
    TlvRepeated,
    /// An address longer than 20 octets, or a service_type longer than 5.
    FieldTooLong,
    /// A time in a message that is none.
    BadTime,
    /// The text stands in message_payload alone.
    PayloadOnly,
    /// Both short_message and message_payload are filled.
    PayloadAndShort,
    /// The user data header stands in message_payload.
    PayloadWithHeader,
    /// A user data header longer than what came.
    HeaderPastEnd,
    /// No text at all.
    EmptyText,
    /// A short_message of 255 octets.
    ShortOf255,
    /// A `data_sm`.
    DataSm,
    /// A source address with octets beyond ASCII.
    SourceNotAscii,
    /// A USSD dialogue on the line.
    Ussd,
    /// A text for a port.
    PortAddressed,
    /// A data_coding of data.
    Binary,
    /// UTF-16 with the wrong octet first.
    LittleEndian,
    /// UTF-16 with an octet too many.
    OddLength,
    /// A data_coding that names a class or a waiting indication.
    ClassOrIndication,
    /// Octets beyond seven bits under the GSM alphabet or ASCII.
    EighthBit,
    /// The text's alphabet has a national language's table.
    ShiftTables,
    /// A user data header that names no place in a long text.
    HeaderWithoutPlace,
    /// A place in a long text that cannot be.
    AbsurdPlace,
    /// A receipt by `data_sm`.
    ReceiptAsDataSm,
    /// A status message that esm_class marks otherwise than by 0x04.
    ReceiptFlagForms,
    /// A receipt that esm_class does not mark.
    ReceiptFlagMissing,
    /// Marked as a receipt, yet without id and state.
    ReceiptWithoutContent,
    /// receipted_message_id in a question.
    QuestionWithReceiptTlv,
    /// A receipt's state without its label.
    ReceiptLabelMissing,
    /// A date in a receipt that is none.
    ReceiptDates,
    /// A state that nobody knows.
    ReceiptStateWords,
    /// A receipt without text.
    ReceiptTlvsOnly,
    /// A receipt's text and its parameters say different things.
    ReceiptSidesDisagree,
    /// A receipt in another coding than it says.
    ReceiptInWrongCoding,
    /// A receipt's text in message_payload, or behind a user data header.
    ReceiptInPayloadOrHeader,
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
    /// More submits than the window and its queue hold.
    WindowOverrun,
    /// A body where none belongs.
    BodyOnBodyless,
    /// A bind response without a body.
    BindBodyMissing,
    /// A command_length no PDU can have.
    LengthTooSmall,
    /// A command_length beyond what is read.
    LengthTooGreat,
    /// The peer is no SMSC.
    NotSmpp,
    /// A PDU that begins and does not end.
    InPieces,
    /// One broken message again and again.
    Poison,
    /// A bind that nobody answers.
    BindUnanswered,
    /// The SMSC holds a session that is lost.
    AlreadyBound,
    /// A session too many.
    SessionLimit,
    /// The account is refused.
    CredentialsRefused,
    /// The SMSC ends the session.
    UnbindFromSmsc,
    /// Our unbind is left unanswered.
    OurUnbindUnanswered,
    /// A message behind our unbind.
    DeliverAfterUnbind,
    /// The end of the connection with submits open.
    SubmitsOpenAtEnd,
    /// Bound, and no message comes.
    HalfDead,
    /// One session of a pair is lost, the other stands.
    PairHalfLost,
    /// A connection that is closed before it is bound.
    ConnectThenClose,
    /// An enquire_link while messages wait.
    EnquireWhileBusy,
    /// An enquire_link of ours without any sign of life.
    EnquireUnanswered,
    /// A response ahead of those to earlier submits.
    OutOfOrder,
    /// A second response to one submit.
    ResponseTwice,
    /// A submit_sm_resp for a request of another kind.
    WrongKind,
    /// A request with a sequence_number that cannot be.
    OddSequence,
    /// A generic_nack for a submit.
    NackWithSequence,
    /// The SMSC does not read.
    SlowReader,
    /// Dropped again and again while the window was full.
    FullWindowDrop,
    /// A submit that is not answered in time.
    SlotLeak,
    /// A response that says how full the SMSC is.
    Congestion,
    /// More messages than are taken in at a time.
    Backlog,
}

impl Trap {
    /// The name in logs, counters and rows.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command_id",
            Self::StatusInRequest => "status_in_request",
            Self::TextPastEnd => "sm_length_past_end",
            Self::StrayOctets => "text_nul_not_counted",
            Self::Unreadable => "mandatory_part_unreadable",
            Self::TlvPastEnd => "tlv_past_end",
            Self::TlvLength => "tlv_wrong_length",
            Self::TlvTerminator => "tlv_string_terminator",
            Self::TlvUnknown => "tlv_unknown",
            Self::TlvFromOlderPeer => "tlv_from_33_peer",
            Self::TlvRepeated => "tlv_repeated",
            Self::FieldTooLong => "field_too_long",
            Self::BadTime => "bad_time_in_deliver",
            Self::PayloadOnly => "payload_only",
            Self::PayloadAndShort => "payload_and_short",
            Self::PayloadWithHeader => "payload_with_udh",
            Self::HeaderPastEnd => "udh_past_end",
            Self::EmptyText => "empty_text",
            Self::ShortOf255 => "short_of_255",
            Self::DataSm => "data_sm_message",
            Self::SourceNotAscii => "source_not_ascii",
            Self::Ussd => "ussd_on_the_line",
            Self::PortAddressed => "port_addressed",
            Self::Binary => "binary",
            Self::LittleEndian => "ucs2_little_endian",
            Self::OddLength => "ucs2_odd_length",
            Self::ClassOrIndication => "class_flash_mwi",
            Self::EighthBit => "utf8_in_dc0",
            Self::ShiftTables => "shift_tables",
            Self::HeaderWithoutPlace => "udhi_without_concat",
            Self::AbsurdPlace => "absurd_index",
            Self::ReceiptAsDataSm => "receipt_as_data_sm",
            Self::ReceiptFlagForms => "receipt_flag_forms",
            Self::ReceiptFlagMissing => "receipt_flag_missing",
            Self::ReceiptWithoutContent => "flagged_but_a_question",
            Self::QuestionWithReceiptTlv => "question_with_receipt_tlv",
            Self::ReceiptLabelMissing => "receipt_label_missing",
            Self::ReceiptDates => "receipt_dates",
            Self::ReceiptStateWords => "receipt_state_words",
            Self::ReceiptTlvsOnly => "receipt_tlvs_only",
            Self::ReceiptSidesDisagree => "receipt_sides_disagree",
            Self::ReceiptInWrongCoding => "receipt_in_wrong_coding",
            Self::ReceiptInPayloadOrHeader => "receipt_in_payload_or_udh",
            Self::BeforeBound => "deliver_before_bind_resp",
            Self::LowerVersion => "version_lower",
            Self::Outbind => "outbind",
            Self::Alert => "alert_notification",
            Self::NoEnquireLink => "enquire_resp_error",
            Self::UnknownResponse => "response_unknown",
            Self::LateResponse => "response_late",
            Self::NackOfNothing => "nack_sequence_zero",
            Self::WindowOverrun => "window_overrun",
            Self::BodyOnBodyless => "body_on_bodyless_pdu",
            Self::BindBodyMissing => "bind_resp_without_body",
            Self::LengthTooSmall => "length_below_16",
            Self::LengthTooGreat => "length_above_limit",
            Self::NotSmpp => "not_smpp_at_all",
            Self::InPieces => "pdu_in_pieces",
            Self::Poison => "poison_resent_for_days",
            Self::BindUnanswered => "bind_never_answered",
            Self::AlreadyBound => "already_bound",
            Self::SessionLimit => "session_limit",
            Self::CredentialsRefused => "credentials_refused",
            Self::UnbindFromSmsc => "unbind_from_smsc",
            Self::OurUnbindUnanswered => "our_unbind_unanswered",
            Self::DeliverAfterUnbind => "deliver_after_our_unbind",
            Self::SubmitsOpenAtEnd => "eof_with_submits_open",
            Self::HalfDead => "receiver_half_dead",
            Self::PairHalfLost => "tx_rx_pair_half_lost",
            Self::ConnectThenClose => "connect_then_close",
            Self::EnquireWhileBusy => "enquire_while_we_are_busy",
            Self::EnquireUnanswered => "enquire_unanswered",
            Self::OutOfOrder => "responses_out_of_order",
            Self::ResponseTwice => "response_twice",
            Self::WrongKind => "response_wrong_kind",
            Self::OddSequence => "sequence_zero_or_huge",
            Self::NackWithSequence => "nack_with_sequence",
            Self::SlowReader => "slow_reader",
            Self::FullWindowDrop => "window_overrun_drop",
            Self::SlotLeak => "window_slot_leak",
            Self::Congestion => "congestion_state",
            Self::Backlog => "backlog_burst",
        }
    }

    /// Notes that it happened. Each is coped with and counted, and may come with every message; what costs somebody
    /// something is an alarm besides, or told now and then.
    pub(super) fn note(self, line: &LineId) {
        tracing::debug!(
            carrier.name = %line.carrier, line = %line, trap = self.as_str(),
            "Line {line} coped with an oddity"
        );
    }
}
