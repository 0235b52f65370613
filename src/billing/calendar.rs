//! Times and months as they stand in files: RFC 3339 with milliseconds in the contract's zone, and half-open months.

use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date, tz::TimeZone};

use crate::clock::Micros;

/// A contract's zone.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    /// The zone of this name; `None` when the IANA database has no such zone.
    pub(super) fn of(zone: &str) -> Option<Self> {
        TimeZone::get(zone).ok().map(|zone| Self { zone })
    }

    /// A moment as it stands in a file. `None` outside the years that can be shown.
    pub(super) fn text(&self, at: Micros) -> Option<String> {
        at.in_zone(&self.zone).map(|at| text_of(&at))
    }

    /// The same, with the month it belongs to: `2026-11`.
    pub(super) fn text_and_period(&self, at: Micros) -> Option<(String, String)> {
        at.in_zone(&self.zone).map(|at| (text_of(&at), period_of(at.date())))
    }

    /// The month a moment belongs to.
    pub(super) fn period(&self, at: Micros) -> Option<String> {
        at.in_zone(&self.zone).map(|at| period_of(at.date()))
    }

    /// The first moment after a month.
    pub(super) fn end_of(&self, period: &str) -> Option<Micros> {
        let first: Date = format!("{period}-01").parse().ok()?;
        let next = first.checked_add(1.month()).ok()?.to_zoned(self.zone.clone()).ok()?;
        Some(Micros(next.timestamp().as_microsecond()))
    }
}

/// As it stands in file names: UTC, whole seconds.
pub(super) fn compact_utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn period_of(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

fn text_of(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Reads a moment as it stands in a file: the moment, and its month on the spot.
pub(super) fn read(text: &str) -> Option<(Timestamp, String)> {
    let at: Timestamp = text.parse().ok()?;
    let local: jiff::civil::DateTime = text.get(..23)?.parse().ok()?;
    Some((at, period_of(local.date())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_and_the_first_millisecond_of_a_month_lie_in_their_months() {
        let calendar = Calendar::of("Asia/Ho_Chi_Minh").unwrap();
        let end = calendar.end_of("2026-11").unwrap();
        // 2026-12-01T00:00+07:00
        assert_eq!(end, Micros(1_796_058_000_000_000));
        let (text, period) = calendar.text_and_period(Micros(end.0 - 1)).unwrap();
        assert_eq!((text.as_str(), period.as_str()), ("2026-11-30T23:59:59.999+07:00", "2026-11"));
        assert_eq!(calendar.period(end).unwrap(), "2026-12");
        assert_eq!(calendar.text(end).unwrap(), "2026-12-01T00:00:00.000+07:00");
        assert_eq!(calendar.period(calendar.end_of("2026-12").unwrap()).unwrap(), "2027-01");
    }

    #[test]
    fn what_is_written_reads_back() {
        for zone in ["Asia/Ho_Chi_Minh", "America/New_York", "UTC"] {
            let calendar = Calendar::of(zone).unwrap();
            let at = Micros(1_795_423_500_123_000);
            let (text, period) = calendar.text_and_period(at).unwrap();
            let (back, month) = read(&text).unwrap();
            assert_eq!((back.as_microsecond(), month), (at.0, period), "{text}");
        }
        assert!(Calendar::of("Asia/Nowhere").is_none());
        for wrong in ["", "2026-11-23", "2026-11-23T15:45:00.123", "2026-13-23T15:45:00.123+07:00"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        assert_eq!(compact_utc(Timestamp::from_second(1_795_423_500).unwrap()), "20261123T084500Z");
    }
}
