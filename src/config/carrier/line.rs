//! One SMPP session as a carrier asks for it: where, who, how it is bound, its windows and its waits.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::{
    super::{reader::Section, secret},
    receipts::ReceiptsBy,
};
use crate::{
    message::Role,
    sms::{BinaryText, ByteOrder, Codings, DefaultAlphabet},
};

/// What a `deliver_sm` is answered with when it cannot be stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemporaryStatus {
    /// ESME_RTHROTTLED, 0x58.
    Throttled,
    /// ESME_RMSGQFUL, 0x14.
    QueueFull,
    /// ESME_RSYSERR, 0x08.
    SystemError,
    /// ESME_RX_T_APPN, 0x64: final at some carriers.
    TemporaryApp,
}

/// How a line is bound (SMPP 3.4, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindForm {
    /// One session for both ways.
    Transceiver,
    /// Two sessions, a transmitter and a receiver.
    Pair,
    /// Replies only: questions come over other lines.
    Transmitter,
    /// Questions only: replies leave over other lines.
    Receiver,
}

impl BindForm {
    /// The sessions that make one line of this form.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Transceiver => &[Role::Transceiver],
            Self::Pair => &[Role::Transmitter, Role::Receiver],
            Self::Transmitter => &[Role::Transmitter],
            Self::Receiver => &[Role::Receiver],
        }
    }
}

/// Whether optional parameters are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tlvs {
    /// When the bind response names an interface version of 3.4 or later (SMPP 5.0, 2.11.2).
    Auto,
    /// Whatever the bind response says.
    Always,
    /// Never.
    Never,
}

/// The body of our answers to `deliver_sm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// A message_id of one NUL, with any status (SMPP 3.4, 4.6.2).
    Always,
    /// No body with an error status.
    NotOnError,
    /// Never a body.
    Never,
}

/// TLS to an SMSC.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Certificates to trust instead of the system's, as PEM.
    pub ca: Option<PathBuf>,
    /// The name the certificate must be for, when it is not the host's.
    pub name: Option<String>,
    /// Our certificate chain and key, as PEM, when the SMSC asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// One SMPP session's settings.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a yes or no of the carrier's guide, and none depends on another"
)]
#[derive(Clone, Debug)]
pub struct Line {
    /// `host:port` of the SMSC; several are tried in turn.
    pub addresses: Vec<String>,
    /// system_id, at most 15 characters (SMPP 3.4, 5.2.1).
    pub system_id: String,
    /// password; 8 characters by the standard, longer ones are sent as they are.
    pub password: SecretString,
    /// system_type, at most 12 characters.
    pub system_type: String,
    /// How it is bound.
    pub bind: BindForm,
    /// interface_version in the bind: 0x34 or 0x50.
    pub interface_version: u8,
    /// addr_ton, addr_npi and address_range of the bind.
    pub address_range: (u8, u8, String),
    /// TLS, when the SMSC wants it.
    pub tls: Option<Tls>,
    /// Whether optional parameters are sent.
    pub tlvs: Tlvs,
    /// Submits open at a time.
    pub window: u32,
    /// Questions undecided at a time; beyond that the socket is not read.
    pub inbound_window: u32,
    /// Temporary error after this, when the store has not committed.
    pub answer_deadline: Duration,
    /// The temporary error.
    pub temporary_status: TemporaryStatus,
    /// After temporary errors alone for this long the socket is not read any more until the store takes again.
    pub temporary_at_most: Duration,
    /// The body of our answers.
    pub answer_body: AnswerBody,
    /// Give a `deliver_sm`'s receipted_message_id back as message_id of its answer.
    pub echo_deliver_id: bool,
    /// Answers leave in the order of the questions.
    pub ordered_answers: bool,
    /// Wait for the bind response.
    pub bind_timeout: Duration,
    /// Silence before we send enquire_link.
    pub enquire_after: Duration,
    /// Wait for its response; two misses close the line.
    pub enquire_timeout: Duration,
    /// Wait for a submit response.
    pub submit_timeout: Duration,
    /// The SMSC must take something of what is written, and end a PDU it began, within this.
    pub write_timeout: Duration,
    /// A line without a session for this long raises an alarm; `None`: not watched.
    pub down_after: Option<Duration>,
    /// No message from a receiving session for this long raises an alarm; `None`: not watched.
    pub mute_after: Option<Duration>,
    /// Replies that were taken so long ago, and no receipt since, raise an alarm; `None`: not watched.
    pub unreceipted_after: Option<Duration>,
    /// Bind anew once when it is mute, or without receipts.
    pub rebind_when_mute: bool,
    /// First wait before connecting again; doubles up to `reconnect_max`, each moved by 20 % by chance.
    pub reconnect_min: Duration,
    /// Longest wait before connecting again.
    pub reconnect_max: Duration,
    /// How the carrier codes texts.
    pub codings: Codings,
    /// Where receipts say what they say.
    pub receipts_by: ReceiptsBy,
    /// Receipts may come without the mark in esm_class.
    pub receipt_flag_may_be_missing: bool,
    /// `stat:0` in a receipt means delivered.
    pub receipt_zero_is_delivered: bool,
    /// How far the clock of receipts is ahead of UTC, in minutes.
    pub receipt_offset_minutes: i32,
    /// service_type of replies: at most 5 characters.
    pub service_type: String,
    /// The optional parameter in which a reply carries its billing record's id: 0x060B or a vendor's.
    pub billing_tag: Option<u16>,
}

impl Line {
    pub(super) fn read(s: &mut Section) -> Self {
        let addresses = addresses(s);
        let system_id = s.required("system_id", "the name the carrier gave you");
        if system_id.len() > 15 || !system_id.is_ascii() {
            s.fault("system_id", "at most 15 ASCII characters (SMPP 3.4, 5.2.1)");
        }
        let password = secret(s, "password").unwrap_or_default();
        let length = secrecy::ExposeSecret::expose_secret(&password).len();
        if length > 64 {
            s.fault("password", "at most 64 characters (the standard says 8)");
        }
        let reconnect_min = s.number("reconnect_min_ms", 5_000, 50..=600_000);
        let reconnect_max = s.number("reconnect_max_ms", 60_000, 50..=3_600_000);
        if reconnect_max < reconnect_min {
            s.fault("reconnect_max_ms", "must not be below reconnect_min_ms");
        }
        let down: u64 = s.number("down_after_s", 300, 0..=86_400);
        let mute: u64 = s.number("mute_after_s", 0, 0..=86_400);
        let unreceipted: u64 = s.number("unreceipted_after_s", 0, 0..=86_400);
        Self {
            addresses,
            system_id,
            password,
            system_type: ascii(s, "system_type", 12, "SMPP 3.4, 5.2.3"),
            bind: s.choice("bind", BindForm::Transceiver, &BINDS),
            interface_version: s.choice("version", 0x34, &[("3.4", 0x34), ("5.0", 0x50)]),
            address_range: (
                s.number("address_ton", 0, 0..=6),
                s.number("address_npi", 0, 0..=18),
                ascii(s, "address_range", 40, "SMPP 3.4, 5.2.7"),
            ),
            tls: tls(s),
            tlvs: s.choice(
                "tlvs",
                Tlvs::Auto,
                &[("auto", Tlvs::Auto), ("always", Tlvs::Always), ("never", Tlvs::Never)],
            ),
            window: s.number("window", 10, 1..=5_000),
            inbound_window: s.number("inbound_window", 256, 1..=5_000),
            answer_deadline: millis(s, "answer_deadline_ms", 1_500, 60_000),
            temporary_status: s.choice("temporary_status", TemporaryStatus::Throttled, &STATUSES),
            temporary_at_most: Duration::from_secs(s.number("temporary_at_most_s", 30, 1..=3_600)),
            answer_body: s.choice("answer_body", AnswerBody::Always, &BODIES),
            echo_deliver_id: s.flag("echo_deliver_id", false),
            ordered_answers: s.flag("ordered_answers", false),
            bind_timeout: millis(s, "bind_timeout_ms", 30_000, 300_000),
            enquire_after: millis(s, "enquire_after_ms", 20_000, 600_000),
            enquire_timeout: millis(s, "enquire_timeout_ms", 10_000, 600_000),
            submit_timeout: millis(s, "submit_timeout_ms", 30_000, 600_000),
            write_timeout: millis(s, "write_timeout_ms", 30_000, 600_000),
            down_after: (down > 0).then_some(Duration::from_secs(down)),
            mute_after: (mute > 0).then_some(Duration::from_secs(mute)),
            unreceipted_after: (unreceipted > 0).then_some(Duration::from_secs(unreceipted)),
            rebind_when_mute: s.flag("rebind_when_mute", false),
            reconnect_min: Duration::from_millis(reconnect_min),
            reconnect_max: Duration::from_millis(reconnect_max),
            codings: codings(s),
            receipts_by: ReceiptsBy::read(s),
            receipt_flag_may_be_missing: s.choice(
                "receipt_flag",
                false,
                &[("required", false), ("may_be_missing", true)],
            ),
            receipt_zero_is_delivered: s.flag("receipt_zero_is_delivered", false),
            receipt_offset_minutes: s.number("receipt_offset_minutes", 0, -840..=840),
            service_type: ascii(s, "service_type", 5, "SMPP 3.4, 5.2.11"),
            billing_tag: billing_tag(s),
        }
    }
}

const BINDS: [(&str, BindForm); 4] = [
    ("transceiver", BindForm::Transceiver),
    ("pair", BindForm::Pair),
    ("transmitter", BindForm::Transmitter),
    ("receiver", BindForm::Receiver),
];

const STATUSES: [(&str, TemporaryStatus); 4] = [
    ("throttled", TemporaryStatus::Throttled),
    ("queue_full", TemporaryStatus::QueueFull),
    ("system_error", TemporaryStatus::SystemError),
    ("temporary_app", TemporaryStatus::TemporaryApp),
];

const BODIES: [(&str, AnswerBody); 3] =
    [("always", AnswerBody::Always), ("not_on_error", AnswerBody::NotOnError), ("never", AnswerBody::Never)];

fn millis(s: &mut Section, key: &str, default: u64, most: u64) -> Duration {
    Duration::from_millis(s.number(key, default, 100..=most))
}

fn ascii(s: &mut Section, key: &str, most: usize, source: &str) -> String {
    let text = s.text(key, "");
    if text.len() > most || !text.is_ascii() {
        s.fault(key, format!("at most {most} ASCII characters ({source})"));
    }
    text
}

fn addresses(s: &mut Section) -> Vec<String> {
    let addresses: Vec<String> = s.list("address", &[]).into_iter().filter(|address| !address.is_empty()).collect();
    if addresses.is_empty() {
        s.fault("address", "is missing: host:port of the carrier's SMSC, or a list of them");
    }
    for address in &addresses {
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            s.fault("address", format!("must be host:port, got \"{address}\""));
        }
    }
    addresses
}

fn tls(s: &mut Section) -> Option<Tls> {
    let wanted = s.flag("tls", false);
    let ca: Option<String> = s.optional("tls_ca", "the path of a PEM file");
    let name: Option<String> = s.optional("tls_name", "a host name");
    let cert: Option<String> = s.optional("tls_client_cert", "the path of a PEM file");
    let key: Option<String> = s.optional("tls_client_key", "the path of a PEM file");
    if cert.is_some() != key.is_some() {
        s.fault("tls_client_key", "tls_client_cert and tls_client_key belong together: give both or neither");
    }
    if !wanted && (ca.is_some() || name.is_some() || cert.is_some()) {
        s.fault("tls", "must be true where other tls settings are given");
    }
    let path = |written: String| s.path(&written);
    let client = cert.zip(key).map(|(cert, key)| (path(cert), path(key)));
    wanted.then(|| Tls { ca: ca.map(path), name, client })
}

fn codings(s: &mut Section) -> Codings {
    let alphabets = [
        ("gsm", DefaultAlphabet::Gsm),
        ("latin1", DefaultAlphabet::Latin1),
        ("ascii", DefaultAlphabet::Ascii),
        ("packed", DefaultAlphabet::Packed),
        ("utf8", DefaultAlphabet::Utf8),
    ];
    let binary = [
        ("not_text", BinaryText::NotText),
        ("gsm", BinaryText::Gsm),
        ("latin1", BinaryText::Latin1),
        ("ucs2", BinaryText::Ucs2),
    ];
    let orders = [("auto", ByteOrder::Auto), ("be", ByteOrder::Big), ("le", ByteOrder::Little)];
    Codings {
        default: s.choice("default_alphabet", DefaultAlphabet::Gsm, &alphabets),
        one_is_gsm: s.choice("coding_1", false, &[("ascii", false), ("gsm", true)]),
        binary: s.choice("binary_is", BinaryText::NotText, &binary),
        ucs2: s.choice("ucs2_order", ByteOrder::Auto, &orders),
        class_is_packed: s.flag("class_is_packed", false),
    }
}

fn billing_tag(s: &mut Section) -> Option<u16> {
    let tag: u16 = s.number("billing_tag", 0, 0..=0x3FFF);
    if tag != 0 && tag != 0x060B && !(0x1400..=0x3FFF).contains(&tag) {
        s.fault("billing_tag", "must be 0 (none), 0x060B (billing_identification) or a vendor's, 0x1400 to 0x3FFF");
    }
    (tag != 0).then_some(tag)
}
