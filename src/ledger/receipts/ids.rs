//! Message ids as carriers write them: hexadecimal or decimal, padded or not, in either case, signed by mistake. One id is
//! looked up under one form; which of the ways to compare fits is decided on what was found.

use crate::config::IdForm;

/// A carrier's text as every database takes it, without control characters: PostgreSQL knows no NUL in a text, and one
/// such text would keep all that is stored with it from being stored; names stand one a line where they are listed.
pub(in crate::ledger) fn storable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The form in which message ids are compared: without control characters and blanks around it, lower case, no leading zeros unless it is a UUID.
pub(crate) fn receipt_key(id: &str) -> String {
    let id = trimmed(id);
    let bare = id.trim_start_matches('0');
    if id.contains('-') || bare.is_empty() { id } else { bare.to_owned() }
}

fn trimmed(id: &str) -> String {
    storable(id).trim().to_ascii_lowercase()
}

/// A way to find the id of a response in that of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::ledger) enum Rule {
    /// Octet for octet.
    Exact,
    /// Without regard to case and blanks.
    CaseBlind,
    /// And to leading zeros.
    Padding,
    /// Hexadecimal in the response, decimal in the receipt.
    HexToDec,
    /// Decimal in the response, hexadecimal in the receipt.
    DecToHex,
    /// By the citizen's number and time, whatever the ids say.
    Destination,
}

impl Rule {
    /// The setting that makes it the only one, in words for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::CaseBlind => "case_blind",
            Self::Padding => "auto (the ids differ in leading zeros)",
            Self::HexToDec => "hex_to_dec",
            Self::DecToHex => "dec_to_hex",
            Self::Destination => "unusable",
        }
    }

    /// The oddity that a match by this rule is.
    pub(super) fn trap(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::CaseBlind => Some("id_case"),
            Self::Padding => Some("id_padding"),
            Self::HexToDec | Self::DecToHex => Some("id_base_differs"),
            Self::Destination => Some("ids_unusable"),
        }
    }

    /// Whether the id of a response and that of a receipt are one by this rule.
    pub(super) fn fits(self, response: &str, receipt: &str) -> bool {
        match self {
            Self::Exact => storable(response) == storable(receipt),
            Self::CaseBlind => trimmed(response) == trimmed(receipt),
            Self::Padding => receipt_key(response) == receipt_key(receipt),
            Self::HexToDec => same(hexadecimal(response), decimal(receipt)),
            Self::DecToHex => same(decimal(response), hexadecimal(receipt)),
            Self::Destination => false,
        }
    }
}

fn same(one: Option<u128>, other: Option<u128>) -> bool {
    one.is_some() && one == other
}

/// The rules of a setting, in the order in which they are tried. Those of one step are tried together: what fits several
/// is nobody's.
pub(super) fn rules(form: IdForm) -> &'static [&'static [Rule]] {
    match form {
        IdForm::Auto => &[&[Rule::Exact], &[Rule::CaseBlind], &[Rule::Padding], &[Rule::HexToDec, Rule::DecToHex]],
        IdForm::Exact => &[&[Rule::Exact]],
        IdForm::CaseBlind => &[&[Rule::Exact], &[Rule::CaseBlind]],
        IdForm::HexToDec => &[&[Rule::HexToDec]],
        IdForm::DecToHex => &[&[Rule::DecToHex]],
        IdForm::Unusable => &[],
    }
}

/// A 32-bit value that was printed as signed is that much too small.
const SIGNED: u128 = 1 << 32;

/// The value of up to 39 decimal digits. A negative one is a 32-bit value printed as signed.
fn decimal(id: &str) -> Option<u128> {
    let id = trimmed(id);
    if let Some(digits) = id.strip_prefix('-') {
        let value = decimal(digits)?;
        return (1..=SIGNED / 2).contains(&value).then(|| SIGNED - value);
    }
    let digits = (1..=39).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| id.parse().ok()).flatten()
}

/// The value of up to 32 hexadecimal digits.
fn hexadecimal(id: &str) -> Option<u128> {
    let id = trimmed(id);
    let digits = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(&id, 16).ok()).flatten()
}

/// The forms under which the other side of an id may stand: its own, and its value in the other base.
pub(super) fn keys(id: &str) -> Vec<String> {
    let mut keys = vec![receipt_key(id)];
    let mut add = |key: String| {
        let key = receipt_key(&key);
        if !keys.contains(&key) {
            keys.push(key);
        }
    };
    if let Some(value) = decimal(id) {
        add(format!("{value:x}"));
    }
    if let Some(value) = hexadecimal(id) {
        add(value.to_string());
        if (SIGNED / 2..SIGNED).contains(&value) {
            add(format!("-{}", SIGNED - value));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_compare_without_case_blanks_and_leading_zeros() {
        for (raw, expected) in [
            ("00B8BE19", "b8be19"),
            ("4001\0", "4001"),
            (" 4001 ", "4001"),
            ("\n 40\u{2}\r\n01\u{85}\t", "4001"),
            ("\n\t", ""),
            ("0000", "0000"),
            ("01ab-2C", "01ab-2c"),
            ("", ""),
        ] {
            assert_eq!(receipt_key(raw), expected);
        }
    }

    /// The first rule of `auto` that finds the response's id in the receipt's, and whether a look-up meets it.
    fn first(response: &str, receipt: &str) -> Option<Rule> {
        let met = keys(receipt).contains(&receipt_key(response));
        let rule = rules(IdForm::Auto).concat().into_iter().find(|rule| rule.fits(response, receipt));
        assert!(rule.is_none() || met, "{response} is found by {rule:?}, yet never looked up for {receipt}");
        rule
    }

    #[test]
    fn the_pairs_that_carriers_write_are_found_and_strangers_are_not() {
        for (response, receipt, expected) in [
            ("4001", "4001", Some(Rule::Exact)),
            ("1101C1-a", "1101c1-A", Some(Rule::CaseBlind)),
            (" 4001", "4001 ", Some(Rule::CaseBlind)),
            ("00B8BE19", "b8be19", Some(Rule::Padding)),
            ("0000004001", "4001", Some(Rule::Padding)),
            ("0FA1", "4001", Some(Rule::HexToDec)),
            ("0FA1", "0000004001", Some(Rule::HexToDec)),
            ("4001", "00000fa1", Some(Rule::DecToHex)),
            ("812FC7470000001B", "9308878062554710043", Some(Rule::HexToDec)),
            ("9308878062554710043", "812fc7470000001b", Some(Rule::DecToHex)),
            ("80000001", "-2147483647", Some(Rule::HexToDec)),
            ("-2147483647", "80000001", Some(Rule::DecToHex)),
            ("ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455", Some(Rule::HexToDec)),
            ("012ab-1", "12ab-1", None),
            ("4001", "4002", None),
            ("40\n01", "40\n01", Some(Rule::Exact)),
            ("40\n01", "4001", Some(Rule::Exact)),
            ("", "", Some(Rule::Exact)),
            ("SAR-12-2-1", "sar-12-2-1", Some(Rule::CaseBlind)),
            ("340282366920938463463374607431768211456", "0", None),
        ] {
            assert_eq!(first(response, receipt), expected, "{response} and {receipt}");
        }
    }

    #[test]
    fn a_setting_tries_its_own_rules_alone() {
        let finds =
            |form, response, receipt| rules(form).concat().into_iter().any(|rule: Rule| rule.fits(response, receipt));
        assert!(!finds(IdForm::Exact, "AB", "ab") && finds(IdForm::CaseBlind, "AB", "ab"));
        assert!(!finds(IdForm::CaseBlind, "0AB", "ab") && finds(IdForm::Auto, "0AB", "ab"));
        assert!(finds(IdForm::HexToDec, "0FA1", "4001") && !finds(IdForm::HexToDec, "4001", "4001"));
        assert!(finds(IdForm::DecToHex, "4001", "0FA1") && !finds(IdForm::DecToHex, "0FA1", "4001"));
        assert!(!finds(IdForm::Unusable, "1", "1"));
    }
}
