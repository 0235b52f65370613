//! How fast replies may leave, how they are coded, and what a refusal means at this carrier.

use std::{collections::BTreeMap, time::Duration};

use super::super::reader::Section;
use crate::sms::{Split, WireForm};

/// The validity_period of replies (SMPP 3.4, 5.2.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// None is sent.
    None,
    /// From the submit on: `000000001000000R`.
    Relative,
    /// A moment in UTC.
    Absolute,
}

/// How the citizen is addressed in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberForm {
    /// As the question's source_addr had it, without a `+`.
    AsReceived,
    /// Country code and number, type of number 1.
    International,
    /// `0` and the national number, type of number 2.
    National,
}

/// What a refusal means for a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// Send it again after this; counts as a try.
    Retry(Duration),
    /// The carrier is busy: slow down, send again after this, count no try.
    Slow(Duration),
    /// It will never be taken.
    GiveUp,
    /// The session is worth nothing any more: bind anew, then send again.
    Rebind,
    /// The carrier refuses our settings, not this message: pause and raise the alarm.
    Ours,
}

/// How replies leave.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Messages (segments) a second over all lines of all instances; `None`: as fast as the windows allow.
    pub rate: Option<u32>,
    /// Tries of one segment before it is given up.
    pub tries: u8,
    /// What refusals mean here, above the service's own table.
    pub statuses: BTreeMap<u32, StatusRule>,
    /// The validity_period.
    pub validity: Validity,
    /// How the citizen is addressed.
    pub number_form: NumberForm,
    /// Try the other form of the number once when the destination is refused.
    pub retry_number_form: bool,
    /// How texts are coded and cut.
    pub wire: WireForm,
}

impl Flow {
    pub(super) fn read(s: &mut Section, default: crate::sms::DefaultAlphabet) -> Self {
        let rate: u32 = s.number("rate", 0, 0..=100_000);
        let splits = [
            ("udh8", Split::Udh8),
            ("udh16", Split::Udh16),
            ("sar", Split::Sar),
            ("payload", Split::Payload),
            ("none", Split::None),
        ];
        let validities = [("none", Validity::None), ("relative", Validity::Relative), ("absolute", Validity::Absolute)];
        let forms = [
            ("as_received", NumberForm::AsReceived),
            ("international", NumberForm::International),
            ("national", NumberForm::National),
        ];
        Self {
            rate: (rate > 0).then_some(rate),
            tries: s.number("submit_tries", 5, 1..=50),
            statuses: statuses(s),
            validity: s.choice("validity", Validity::None, &validities),
            number_form: s.choice("number_form", NumberForm::AsReceived, &forms),
            retry_number_form: s.flag("retry_number_form", false),
            wire: WireForm {
                default,
                split: s.choice("split", Split::Udh8, &splits),
                slack: s.number("segment_slack", 0, 0..=20),
                gsm_coding: s.number("gsm_coding", 0x00, 0..=255),
                ucs2_coding: s.number("ucs2_coding", 0x08, 0..=255),
            },
        }
    }
}

/// `statuses = { "0x45" = "give_up", "0x14" = "retry 60" }`.
fn statuses(s: &mut Section) -> BTreeMap<u32, StatusRule> {
    let mut table = s.table("statuses");
    let mut rules = BTreeMap::new();
    for name in table.names() {
        let written = table.text(&name, "");
        let code = name.strip_prefix("0x").map_or_else(|| name.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
        match (code.filter(|code| *code != 0), rule(&written)) {
            (Some(code), Some(rule)) => {
                rules.insert(code, rule);
            }
            (None, _) => table.fault(&name, "a command_status is a number such as 0x45, and not 0"),
            (_, None) => table.fault(
                &name,
                format!(
                    "must be retry, slow (each with seconds: \"retry 30\"), give_up, rebind or ours, got \"{written}\""
                ),
            ),
        }
    }
    table.finish();
    rules
}

fn rule(written: &str) -> Option<StatusRule> {
    let (word, seconds) = match written.split_once(' ') {
        Some((word, seconds)) => (word, Some(seconds.trim().parse::<u64>().ok().filter(|s| (1..=3_600).contains(s))?)),
        None => (written, None),
    };
    let wait = |default| Duration::from_secs(seconds.unwrap_or(default));
    match (word, seconds) {
        ("retry", _) => Some(StatusRule::Retry(wait(30))),
        ("slow", _) => Some(StatusRule::Slow(wait(1))),
        ("give_up", None) => Some(StatusRule::GiveUp),
        ("rebind", None) => Some(StatusRule::Rebind),
        ("ours", None) => Some(StatusRule::Ours),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_words_with_seconds_where_they_wait() {
        let seconds = Duration::from_secs;
        for (written, expected) in [
            ("retry", Some(StatusRule::Retry(seconds(30)))),
            ("retry 60", Some(StatusRule::Retry(seconds(60)))),
            ("slow 5", Some(StatusRule::Slow(seconds(5)))),
            ("give_up", Some(StatusRule::GiveUp)),
            ("rebind", Some(StatusRule::Rebind)),
            ("ours", Some(StatusRule::Ours)),
            ("give_up 3", None),
            ("retry never", None),
            ("retry 0", None),
            ("drop", None),
            ("", None),
        ] {
            assert_eq!(rule(written), expected, "{written}");
        }
    }
}
