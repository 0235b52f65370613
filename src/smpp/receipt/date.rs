//! The forms in which SMSCs write when a message was done.

use jiff::{civil::DateTime, tz::TimeZone};

use crate::clock::Micros;

/// Reads a time: `yyMMddHHmm`, `yyMMddHHmmss` or `yyyyMMddHHmm`, `yyyyMMddHHmmss`, all by the SMSC's clock, which is
/// `offset` minutes ahead of UTC; or an absolute time of SMPP (3.4, 7.1.1), which names its own distance. `None` for
/// zeros and for what is no time.
pub(super) fn read(value: &str, offset: i32) -> Option<Micros> {
    let octets = value.as_bytes();
    if let [digits @ .., sign @ (b'+' | b'-')] = octets
        && octets.len() == 16
    {
        let [year, month, day, hour, minute, second] = pairs(&digits[..12])?;
        let quarters = two(&digits[13..])?;
        let ahead = i32::from(quarters) * 15;
        return micros([20, year, month, day, hour, minute, second], if *sign == b'+' { ahead } else { -ahead });
    }
    let full = match octets.len() {
        10 => {
            let [year, month, day, hour, minute] = pairs(octets)?;
            [20, year, month, day, hour, minute, 0]
        }
        12 => match pairs(octets)? {
            [year, month @ 1..=12, day @ 1..=31, hour, minute, second] => [20, year, month, day, hour, minute, second],
            [century, year, month, day, hour, minute] => [century, year, month, day, hour, minute, 0],
        },
        14 => pairs(octets)?,
        _ => return None,
    };
    micros(full, offset)
}

/// So many pairs of digits.
fn pairs<const N: usize>(octets: &[u8]) -> Option<[i8; N]> {
    let mut read = [0; N];
    let (given, rest) = octets.as_chunks::<2>();
    if given.len() != N || !rest.is_empty() {
        return None;
    }
    for (into, pair) in read.iter_mut().zip(given) {
        *into = two(pair)?;
    }
    Some(read)
}

fn two(pair: &[u8]) -> Option<i8> {
    match pair {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(((tens - b'0') * 10 + ones - b'0') as i8),
        _ => None,
    }
}

fn micros([century, year, month, day, hour, minute, second]: [i8; 7], ahead: i32) -> Option<Micros> {
    let year = i16::from(century) * 100 + i16::from(year);
    let local = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let utc = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Micros(utc.as_microsecond()).plus_seconds(-60 * i64::from(ahead)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t157_receipt_dates() {
        for (label, value, offset, expected) in [
            ("10 digits", "2610031011", 0, Some("2026-10-03T10:11:00Z")),
            ("10 digits, local time", "2610031011", 420, Some("2026-10-03T03:11:00Z")),
            ("12 digits with seconds", "261003101112", 0, Some("2026-10-03T10:11:12Z")),
            ("12 digits with the century", "202610031011", 0, Some("2026-10-03T10:11:00Z")),
            ("14 digits", "20261003101112", 0, Some("2026-10-03T10:11:12Z")),
            ("absolute, ahead", "261003101112028+", 420, Some("2026-10-03T03:11:12Z")),
            ("absolute, behind", "261003101112004-", 0, Some("2026-10-03T11:11:12Z")),
            ("zeros", "0000000000", 0, None),
            ("12 zeros", "000000000000", 0, None),
            ("month 13", "2613031011", 0, None),
            ("the 31st of February", "2602311011", 0, None),
            ("minute 60", "2610031060", 0, None),
            ("empty", "", 0, None),
            ("9 digits", "261003101", 0, None),
            ("11 digits", "26100310111", 0, None),
            ("no digits", "26-10-0310", 0, None),
            ("relative", "000000001000000R", 0, None),
            ("half a letter", "26100310é", 0, None),
        ] {
            let expected: Option<jiff::Timestamp> = expected.map(|at| at.parse().unwrap());
            assert_eq!(read(value, offset), expected.map(|at| Micros(at.as_microsecond())), "{label}");
        }
    }
}
