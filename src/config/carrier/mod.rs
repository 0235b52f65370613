//! `[carriers.<name>]`: one carrier, its lines, and what was agreed with it.

mod flow;
mod line;
mod receipts;

use std::time::Duration;

use secrecy::SecretString;

pub use flow::{Flow, NumberForm, StatusRule, Validity};
pub use line::{AnswerBody, BindForm, Line, TemporaryStatus, Tls, Tlvs};
pub use receipts::{IdForm, ReceiptRules, ReceiptSegments, ReceiptsBy};

use super::{reader::Section, secret};
use crate::message::{CarrierId, ShortCode, Stream};

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
    /// How many lines of the same kind to hold; a pair counts once.
    pub lines: u16,
    /// How replies leave.
    pub flow: Flow,
    /// Delivery receipts.
    pub receipts: ReceiptRules,
    /// Send replies with Vietnamese marks (UCS-2) unless a template says otherwise.
    pub marks: bool,
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
    /// The same reply to one sender is sent this often within `equal_window`, and then no more: a loop.
    pub equal_replies: u32,
    /// See `equal_replies`.
    pub equal_window: Duration,
    /// Key of the number tokens in this carrier's files, agreed with the carrier.
    pub contract_key: Option<SecretString>,
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
        let flow = Flow::read(&mut s, line.codings.default);
        let receipts = ReceiptRules::read(&mut s, line.receipts_by);
        if receipts.wanted && line.bind == BindForm::Transmitter {
            s.fault("receipts", "a transmitter alone gets no receipts: bind a pair or a transceiver");
        }
        if line.unreceipted_after.is_some() && !receipts.wanted {
            s.fault("unreceipted_after_s", "no receipt ever comes that is not asked for: set receipts = true as well");
        }
        let carrier = Self {
            code,
            stream,
            short_codes,
            line,
            lines,
            flow,
            receipts,
            marks: s.flag("marks", false),
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
            equal_replies: s.number("equal_replies", 10, 1..=10_000),
            equal_window: Duration::from_secs(60 * s.number("equal_minutes", 10, 1..=1_440)),
            contract_key: secret(&mut s, "contract_key"),
            id: id.clone().unwrap_or_else(fallback_id),
        };
        s.finish();
        id.map(|_| carrier)
    }

    /// A carrier's section with an address, an account, and every other setting as it is without a word.
    ///
    /// # Panics
    /// When `name` is no name of a carrier.
    pub fn with_defaults(name: &str, address: &str) -> Self {
        let text = format!("address = \"{address}\"\nsystem_id = \"tracuu\"\npassword = \"secret08\"\n");
        let file = config::File::from_str(&text, config::FileFormat::Toml);
        let merged = config::Config::builder().add_source(file).build().and_then(|read| read.cache.into_table());
        #[expect(clippy::expect_used, reason = "a text that is written right above")]
        let (section, _) = Section::root(merged.expect("the text is TOML"), "defaults");
        #[expect(clippy::expect_used, reason = "told in the documentation")]
        Self::read(name, section, &[]).expect("a carrier's name")
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
