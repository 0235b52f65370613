//! What was agreed with a carrier about delivery receipts.

use std::time::Duration;

use super::super::reader::Section;

/// How message ids of receipts are matched with those of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// As they are, then trimmed and case-blind, then without leading zeros, then hexadecimal against decimal.
    Auto,
    /// Octet for octet.
    Exact,
    /// Without regard to case and blanks.
    CaseBlind,
    /// Hexadecimal in the response, decimal in the receipt.
    HexToDec,
    /// Decimal in the response, hexadecimal in the receipt.
    DecToHex,
    /// The ids say nothing: matched by destination and time.
    Unusable,
}

/// Where receipts say what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptsBy {
    /// In optional parameters and in a text with labels; what the parameters say comes first.
    Auto,
    /// In optional parameters alone: the text is not read.
    Parameters,
    /// In a text with labels; the parameters fill in what it does not say.
    Text,
    /// In a text of values with commas, without labels.
    Csv,
}

impl ReceiptsBy {
    pub(super) fn read(s: &mut Section) -> Self {
        let forms = [("auto", Self::Auto), ("parameters", Self::Parameters), ("text", Self::Text), ("csv", Self::Csv)];
        s.choice("receipt_form", Self::Auto, &forms)
    }
}

/// Which receipts a reply of several segments gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptSegments {
    /// One for each segment.
    All,
    /// One alone speaks for all: some SMSCs send only the first, or only the last.
    One,
}

/// Receipts of one carrier.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptRules {
    /// Ask for them.
    pub wanted: bool,
    /// Where they say what they say.
    pub by: ReceiptsBy,
    /// How ids are matched.
    pub id_form: IdForm,
    /// Which receipts come.
    pub segments: ReceiptSegments,
    /// "Accepted" counts as delivered, by contract.
    pub accepted_is_delivered: bool,
    /// A reply without a receipt is "unknown" after this.
    pub awaited: Duration,
    /// An id names its reply for so long: SMSCs use them again.
    pub ids_kept: Duration,
}

/// The longest that receipts may be awaited, in hours.
const MOST_HOURS: u64 = 720;
/// The longest that ids may be kept, in days.
const MOST_DAYS: u64 = 60;

impl ReceiptRules {
    /// The rules for a carrier that the configuration does not name, or not any more. Nothing of it is given up or
    /// forgotten before its section could have said so: another process may have that section.
    pub const OF_NOBODY: Self = Self {
        wanted: true,
        by: ReceiptsBy::Auto,
        id_form: IdForm::Auto,
        segments: ReceiptSegments::All,
        accepted_is_delivered: false,
        awaited: Duration::from_secs(3_600 * MOST_HOURS),
        ids_kept: Duration::from_secs(86_400 * MOST_DAYS),
    };

    pub(super) fn read(s: &mut Section, by: ReceiptsBy) -> Self {
        let forms = [
            ("auto", IdForm::Auto),
            ("exact", IdForm::Exact),
            ("case_blind", IdForm::CaseBlind),
            ("hex_to_dec", IdForm::HexToDec),
            ("dec_to_hex", IdForm::DecToHex),
            ("unusable", IdForm::Unusable),
        ];
        Self {
            wanted: s.flag("receipts", false),
            by,
            id_form: s.choice("id_form", IdForm::Auto, &forms),
            segments: s.choice(
                "receipt_segments",
                ReceiptSegments::All,
                &[("all", ReceiptSegments::All), ("one", ReceiptSegments::One)],
            ),
            accepted_is_delivered: s.flag("accepted_is_delivered", false),
            awaited: Duration::from_secs(3_600 * s.number("receipt_hours", 72, 1..=MOST_HOURS)),
            ids_kept: Duration::from_secs(86_400 * s.number("receipt_days", 7, 1..=MOST_DAYS)),
        }
    }
}
