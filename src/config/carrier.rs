//! `[carriers.<name>]`: one carrier, its lines, and what was agreed with it.

use std::time::Duration;

use secrecy::SecretString;

use super::{reader::Section, secret};
use crate::{
    message::{CarrierId, ShortCode, Stream},
    sms::DefaultAlphabet,
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

/// What to do with a reply whose `submit_sm` got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDoubtRule {
    /// Send it again; the record carries `possible_dup`.
    Resend,
    /// Keep it back: the record says unknown.
    Hold,
}

/// One carrier.
#[derive(Clone, Debug)]
pub struct Carrier {
    /// The section's name.
    pub id: CarrierId,
    /// The code in billing files.
    pub code: String,
    /// Chargeable or test records.
    pub stream: Stream,
    /// The codes citizens text to over this carrier.
    pub short_codes: Vec<ShortCode>,
    /// The connection.
    pub line: Line,
    /// How many sessions of the same kind to hold.
    pub lines: u16,
    /// Send replies with Vietnamese marks (UCS-2) unless a template says otherwise.
    pub marks: bool,
    /// Ask for delivery receipts.
    pub receipts: bool,
    /// Submits without a response.
    pub in_doubt: InDoubtRule,
    /// Type of number of the short code as source of replies.
    pub source_ton: u8,
    /// Numbering plan of the short code as source of replies.
    pub source_npi: u8,
    /// How long an equal message may be a redelivery.
    pub redelivery: Duration,
    /// How long the SMSC waits for our answer before it sends again.
    pub smsc_response: Duration,
    /// How long parts of one long text may be apart.
    pub parts_window: Duration,
    /// A reply older than this is not sent any more.
    pub reply_ttl: Duration,
    /// Key of the number tokens in this carrier's files, agreed with the carrier.
    pub contract_key: Option<SecretString>,
}

/// One SMPP session's settings.
#[derive(Clone, Debug)]
pub struct Line {
    /// `host:port` of the SMSC.
    pub address: String,
    /// system_id, at most 15 characters (SMPP 3.4, 5.2.1).
    pub system_id: String,
    /// password; 8 characters by the standard, longer ones are sent as they are.
    pub password: SecretString,
    /// system_type, at most 12 characters.
    pub system_type: String,
    /// interface_version in the bind: 0x34.
    pub interface_version: u8,
    /// Submits open at a time.
    pub window: u32,
    /// Questions undecided at a time; beyond that the socket is not read.
    pub inbound_window: u32,
    /// Temporary error after this, when the store has not committed.
    pub answer_deadline: Duration,
    /// The temporary error.
    pub temporary_status: TemporaryStatus,
    /// Wait for the bind response.
    pub bind_timeout: Duration,
    /// Silence before we send enquire_link.
    pub enquire_after: Duration,
    /// Wait for its response; two misses close the line.
    pub enquire_timeout: Duration,
    /// Wait for a submit response.
    pub submit_timeout: Duration,
    /// First wait before connecting again; doubles up to `reconnect_max`, each moved by 20 % by chance.
    pub reconnect_min: Duration,
    /// Longest wait before connecting again.
    pub reconnect_max: Duration,
    /// Alphabet of data_coding 0.
    pub default_alphabet: DefaultAlphabet,
}

impl Carrier {
    /// Reads one carrier's section; `defaults` are the service's short codes.
    pub(super) fn read(name: &str, mut s: Section, defaults: &[ShortCode]) -> Option<Self> {
        let id = CarrierId::parse(name);
        if id.is_none() {
            s.fault("code", "a carrier's section is named by 1 to 16 of a-z, 0-9 and -");
        }
        let code = s.text("code", &name.to_ascii_uppercase());
        if code.is_empty() || code.len() > 8 || !code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            s.fault("code", format!("must be 1 to 8 capital letters or digits, got \"{code}\""));
        }
        let stream = s.choice("stream", Stream::Test, &[("test", Stream::Test), ("chargeable", Stream::Chargeable)]);
        let lines = s.number("lines", 1_u16, 1..=32);
        let short_codes = short_codes(&mut s, "short_codes", defaults);
        let line = Line::read(&mut s);
        let carrier = Self {
            code,
            stream,
            short_codes,
            line,
            lines,
            marks: s.flag("marks", false),
            receipts: s.flag("receipts", false),
            in_doubt: s.choice(
                "in_doubt",
                InDoubtRule::Resend,
                &[("resend", InDoubtRule::Resend), ("hold", InDoubtRule::Hold)],
            ),
            source_ton: s.number("source_ton", 0, 0..=6),
            source_npi: s.number("source_npi", 1, 0..=18),
            redelivery: Duration::from_secs(3_600 * s.number("redelivery_hours", 24, 1..=168)),
            smsc_response: Duration::from_secs(s.number("smsc_response_s", 10, 1..=600)),
            parts_window: Duration::from_secs(60 * s.number("parts_minutes", 10, 1..=120)),
            reply_ttl: Duration::from_secs(s.number("reply_ttl_s", 600, 10..=86_400)),
            contract_key: secret(&mut s, "contract_key"),
            id: id.clone().unwrap_or_else(fallback_id),
        };
        s.finish();
        id.map(|_| carrier)
    }
}

/// Stands in for a name that was refused, so that the rest of its section is still read.
fn fallback_id() -> CarrierId {
    #[expect(clippy::expect_used, reason = "a constant that is a right name")]
    CarrierId::parse("x").expect("x is a right name")
}

/// Reads a list of short codes.
pub(super) fn short_codes(s: &mut Section, key: &str, defaults: &[ShortCode]) -> Vec<ShortCode> {
    let default: Vec<&str> = defaults.iter().map(ShortCode::as_str).collect();
    let typed = s.list(key, &default);
    let codes: Vec<ShortCode> = typed.iter().filter_map(|code| ShortCode::parse(code)).collect();
    if codes.len() != typed.len() {
        s.fault(key, "a short code is 3 to 15 digits");
    }
    codes
}

impl Line {
    fn read(s: &mut Section) -> Self {
        let address = s.required("address", "host:port of the carrier's SMSC");
        let port =
            address.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok()));
        if !address.is_empty() && port.flatten().is_none() {
            s.fault("address", format!("must be host:port, got \"{address}\""));
        }
        let system_id = s.required("system_id", "the name the carrier gave you");
        if system_id.len() > 15 || !system_id.is_ascii() {
            s.fault("system_id", "at most 15 ASCII characters (SMPP 3.4, 5.2.1)");
        }
        let password = secret(s, "password").unwrap_or_default();
        let length = secrecy::ExposeSecret::expose_secret(&password).len();
        if length > 64 {
            s.fault("password", "at most 64 characters (the standard says 8)");
        }
        let system_type = s.text("system_type", "");
        if system_type.len() > 12 || !system_type.is_ascii() {
            s.fault("system_type", "at most 12 ASCII characters (SMPP 3.4, 5.2.3)");
        }
        let statuses = [
            ("throttled", TemporaryStatus::Throttled),
            ("queue_full", TemporaryStatus::QueueFull),
            ("system_error", TemporaryStatus::SystemError),
            ("temporary_app", TemporaryStatus::TemporaryApp),
        ];
        let alphabets =
            [("gsm", DefaultAlphabet::Gsm), ("latin1", DefaultAlphabet::Latin1), ("ascii", DefaultAlphabet::Ascii)];
        let reconnect_min = s.number("reconnect_min_ms", 5_000, 50..=600_000);
        let reconnect_max = s.number("reconnect_max_ms", 60_000, 50..=3_600_000);
        if reconnect_max < reconnect_min {
            s.fault("reconnect_max_ms", "must not be below reconnect_min_ms");
        }
        Self {
            address,
            system_id,
            password,
            system_type,
            interface_version: 0x34,
            window: s.number("window", 10, 1..=5_000),
            inbound_window: s.number("inbound_window", 256, 1..=5_000),
            answer_deadline: Duration::from_millis(s.number("answer_deadline_ms", 1_500, 100..=60_000)),
            temporary_status: s.choice("temporary_status", TemporaryStatus::Throttled, &statuses),
            bind_timeout: Duration::from_millis(s.number("bind_timeout_ms", 30_000, 100..=300_000)),
            enquire_after: Duration::from_millis(s.number("enquire_after_ms", 20_000, 100..=600_000)),
            enquire_timeout: Duration::from_millis(s.number("enquire_timeout_ms", 10_000, 100..=600_000)),
            submit_timeout: Duration::from_millis(s.number("submit_timeout_ms", 30_000, 100..=600_000)),
            reconnect_min: Duration::from_millis(reconnect_min),
            reconnect_max: Duration::from_millis(reconnect_max),
            default_alphabet: s.choice("default_alphabet", DefaultAlphabet::Gsm, &alphabets),
        }
    }
}
