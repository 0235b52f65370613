//! Numbers on the air side: who sent, and which short code was asked.

use std::fmt;

/// A mobile number in one form: country code and number, digits only, no `+` (`84901234567`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Msisdn(u64);

/// The Vietnamese country code (ITU-T E.164).
const COUNTRY: &str = "84";

/// The change of 11-digit mobile numbers to 10 digits of 2018-09-15: old national prefix without its 0, new one.
/// The last seven digits stayed. Old numbers ended on 2019-07-01 but still stand in old records.
const CHANGE_OF_2018: [(&str, &str); 21] = [
    ("120", "70"),
    ("121", "79"),
    ("122", "77"),
    ("126", "76"),
    ("128", "78"),
    ("123", "83"),
    ("124", "84"),
    ("125", "85"),
    ("127", "81"),
    ("129", "82"),
    ("162", "32"),
    ("163", "33"),
    ("164", "34"),
    ("165", "35"),
    ("166", "36"),
    ("167", "37"),
    ("168", "38"),
    ("169", "39"),
    ("186", "56"),
    ("188", "58"),
    ("199", "59"),
];

impl Msisdn {
    /// Brings any of the forms SMSCs and registries use to one: `+84..`, `84..`, `0084..`, `0..`, bare nine digits,
    /// and the 11-digit numbers from before 2018. Spaces, dots and dashes are dropped. Numbers of other countries are
    /// kept as they are when they come with `+`, `00` or type of number `international`.
    pub fn parse(typed: &str, international: bool) -> Option<Self> {
        let mut digits = String::with_capacity(15);
        let mut plus = international;
        for (at, c) in typed.trim().chars().enumerate() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if at == 0 => plus = true,
                ' ' | '.' | '-' => {}
                _ => return None,
            }
        }
        if let Some(rest) = digits.strip_prefix("00") {
            plus = true;
            digits = rest.to_owned();
        }
        if let Some(national) = Self::vietnamese(&digits) {
            return format!("{COUNTRY}{national}").parse().ok().map(Self);
        }
        // E.164: at most 15 digits, country codes do not begin with 0.
        (plus && (7..=15).contains(&digits.len()) && !digits.starts_with('0') && !digits.starts_with(COUNTRY))
            .then(|| digits.parse().ok().map(Self))
            .flatten()
    }

    /// The nine national digits, when the digits are a Vietnamese number in any form.
    fn vietnamese(digits: &str) -> Option<String> {
        let national = match digits.len() {
            10 | 11 if digits.starts_with('0') => &digits[1..],
            12 | 13 if digits.starts_with("840") => &digits[3..],
            11 | 12 if digits.starts_with(COUNTRY) => &digits[2..],
            9 if !digits.starts_with('0') => digits,
            10 if digits.starts_with('1') => digits,
            _ => return None,
        };
        match national.len() {
            9 if !national.starts_with('0') => Some(national.to_owned()),
            10 => CHANGE_OF_2018
                .iter()
                .find_map(|(old, new)| national.strip_prefix(old).map(|rest| format!("{new}{rest}"))),
            _ => None,
        }
    }

    /// The number as an integer, for keys and parameters. Each call is a place where a number leaves its wrapping.
    pub fn expose(self) -> u64 {
        self.0
    }

    /// Takes back what [`Msisdn::expose`] gave.
    pub fn from_canonical(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Msisdn(*{:02})", self.0 % 100)
    }
}

/// The code that citizens text to, in the form the configuration gives it (`1414`, never `841414`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortCode(Box<str>);

impl ShortCode {
    /// Takes 3 to 15 digits.
    pub fn parse(digits: &str) -> Option<Self> {
        ((3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then(|| Self(digits.into()))
    }

    /// The digits. A short code is public.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an address on the wire is this code: as it is, or behind `+`, `84`, `0`, `04`, `084` as carriers write it.
    pub fn matches(&self, wire: &str) -> bool {
        self.suffix(wire) == Some("")
    }

    /// What follows this code in an address on the wire that begins with it, in any of the forms that carriers write: at
    /// most four digits, by which a content provider's codes are told apart.
    pub fn suffix<'a>(&self, wire: &'a str) -> Option<&'a str> {
        let wire = wire.trim_start_matches('+');
        let behind = |head: &str| wire.strip_prefix(head).and_then(|rest| rest.strip_prefix(self.as_str()));
        let fits = |rest: &&str| rest.len() <= 4 && rest.bytes().all(|octet| octet.is_ascii_digit());
        ["", "84", "0", "04", "084"].into_iter().filter_map(behind).filter(fits).min_by_key(|rest| rest.len())
    }

    /// The code among these that an address on the wire names, with the suffix it has there: the longest that fits, and
    /// one that fits without a suffix before all others.
    pub fn find(codes: &[Self], wire: &str) -> Option<Self> {
        let fitting = codes.iter().filter_map(|code| Some((code, code.suffix(wire)?)));
        let (code, suffix) = fitting.max_by_key(|(code, suffix)| (suffix.is_empty(), code.0.len()))?;
        if suffix.is_empty() { Some(code.clone()) } else { Self::parse(&format!("{code}{suffix}")) }
    }
}

impl fmt::Debug for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address as it stood in a PDU. Octets, because carriers put names in any coding there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RawAddress {
    /// Type of number (SMPP 3.4, 5.2.5).
    pub ton: u8,
    /// Numbering plan indicator (SMPP 3.4, 5.2.6).
    pub npi: u8,
    /// The address without its NUL.
    pub octets: Vec<u8>,
}

impl fmt::Debug for RawAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawAddress(ton {}, npi {}, <{} octets>)", self.ton, self.npi, self.octets.len())
    }
}

/// Who a message comes from, once read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A phone, that can be answered.
    Phone(Msisdn),
    /// A name, a short code, nothing, or anything else that must not be answered (it could answer back for ever).
    NotAPhone,
}

impl Sender {
    /// Reads a source address.
    pub fn read(address: &RawAddress) -> Self {
        // Type of number 5 is alphanumeric; 1 is international.
        if address.ton == 5 {
            return Self::NotAPhone;
        }
        std::str::from_utf8(&address.octets)
            .ok()
            .and_then(|text| Msisdn::parse(text, address.ton == 1))
            .map_or(Self::NotAPhone, Self::Phone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_one_number() {
        for (typed, international, expected) in [
            ("+84520000001", false, Some(84_520_000_001)),
            ("84520000001", true, Some(84_520_000_001)),
            ("84520000001", false, Some(84_520_000_001)),
            ("0084520000001", false, Some(84_520_000_001)),
            ("0520000001", false, Some(84_520_000_001)),
            ("520000001", false, Some(84_520_000_001)),
            ("0520 000 001", false, Some(84_520_000_001)),
            ("840520000001", false, Some(84_520_000_001)),
            // Before and after 2018.
            ("01860000001", false, Some(84_560_000_001)),
            ("841860000001", true, Some(84_560_000_001)),
            ("1860000001", false, Some(84_560_000_001)),
            ("01200000001", false, Some(84_700_000_001)),
            ("01690000001", false, Some(84_390_000_001)),
            ("01990000001", false, Some(84_590_000_001)),
            // A prefix that was never changed, too short, too long, other signs.
            ("01110000001", false, None),
            ("12345", false, None),
            ("", false, None),
            ("Viettel", false, None),
            ("000000000", false, None),
            ("1234567890123456", true, None),
            // Another country, only when it says so.
            ("+12025550100", false, Some(12_025_550_100)),
            ("12025550100", true, Some(12_025_550_100)),
        ] {
            let read = Msisdn::parse(typed, international).map(Msisdn::expose);
            assert_eq!(read, expected, "{typed}");
        }
    }

    #[test]
    fn the_table_of_2018_has_no_prefix_twice() {
        for (at, (old, _)) in CHANGE_OF_2018.iter().enumerate() {
            assert!(CHANGE_OF_2018[at + 1..].iter().all(|(other, _)| other != old));
        }
    }

    #[test]
    fn short_codes_are_known_in_the_forms_carriers_write() {
        let code = ShortCode::parse("997").unwrap();
        for wire in ["997", "84997", "04997", "0997", "+84997"] {
            assert!(code.matches(wire), "{wire}");
        }
        for wire in ["1997", "9970", "", "84998"] {
            assert!(!code.matches(wire), "{wire}");
        }
    }

    #[test]
    fn t85_destination_forms() {
        let codes = ["997", "99712", "1900"].map(|code| ShortCode::parse(code).unwrap());
        for (wire, expected) in [
            ("997", Some("997")),
            ("84997", Some("997")),
            ("+84997", Some("997")),
            ("0997", Some("997")),
            ("04997", Some("997")),
            ("9971", Some("9971")),
            ("849971234", Some("9971234")),
            ("99712", Some("99712")),
            ("997123", Some("997123")),
            ("0841900", Some("1900")),
            ("99712345678", None),
            ("84997abc", None),
            ("1997", None),
            ("1234", None),
            ("", None),
        ] {
            let found = ShortCode::find(&codes, wire);
            assert_eq!(found.as_ref().map(ShortCode::as_str), expected, "{wire}");
        }
    }

    #[test]
    fn names_and_nothing_are_not_phones() {
        for (ton, octets) in [(5, b"Viettel".as_slice()), (0, b""), (0, b"997"), (1, b"V\xe9"), (0, b"000000000")] {
            let address = RawAddress { ton, npi: 0, octets: octets.to_vec() };
            assert_eq!(Sender::read(&address), Sender::NotAPhone);
        }
    }
}
