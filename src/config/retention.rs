//! `[retention]`: how long the store keeps what is done with. What no published billing file holds yet, a reply that waits
//! and a text whose parts are not all there stay for as long as they are so, whatever is set here.

use jiff::civil::Time;

use super::reader::Section;

/// How long rows are kept. `None`: for ever.
#[derive(Clone, Debug)]
pub struct RetentionSettings {
    /// Questions with their audit entries and billing parts, and what became of their replies; ended starts.
    pub exchange_days: Option<u32>,
    /// Notes that an SMSC sent a message again.
    pub repeat_days: Option<u32>,
    /// Messages put aside.
    pub quarantine_days: Option<u32>,
    /// Notes that a session ended.
    pub break_days: Option<u32>,
    /// When the running service removes what is older, in the zone of `[billing]`; none: only `tracuu store prune` does.
    pub nightly: Option<Time>,
}

impl RetentionSettings {
    /// Reads `[retention]`.
    pub fn read(mut s: Section) -> Self {
        // Longer than receipts may come (60 days) and a month is reconciled; longer than an SMSC sends again (7 days).
        let exchange_days = days(&mut s, "exchange_days", 730, 90);
        let repeat_days = days(&mut s, "repeat_days", 90, 8);
        let quarantine_days = days(&mut s, "quarantine_days", 90, 1);
        let break_days = days(&mut s, "break_days", 30, 8);
        let text = s.text("nightly", "02:30");
        let nightly = Time::strptime("%H:%M", &text).ok();
        if nightly.is_none() && !text.is_empty() {
            s.fault("nightly", format!("must be a time of day such as \"02:30\", or \"\" for never, got \"{text}\""));
        }
        s.finish();
        Self { exchange_days, repeat_days, quarantine_days, break_days, nightly }
    }
}

/// A number of days, 0 for ever.
fn days(s: &mut Section, key: &str, default: u32, least: u32) -> Option<u32> {
    let days = s.number(key, default, 0..=36_500);
    if days > 0 && days < least {
        s.fault(key, format!("must be 0 (for ever) or at least {least}, got {days}"));
    }
    (days > 0).then_some(days)
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn read(toml: &str) -> (RetentionSettings, Vec<String>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        let (root, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
        let settings = RetentionSettings::read(root);
        let keys = findings.borrow().faults.iter().map(|fault| fault.key.clone()).collect();
        (settings, keys)
    }

    #[test]
    fn nothing_is_kept_for_less_than_is_still_asked_for() {
        let (settings, faults) = read("exchange_days = 0\nnightly = \"\"");
        assert!(faults.is_empty() && settings.exchange_days.is_none() && settings.nightly.is_none(), "{faults:?}");
        assert_eq!(settings.repeat_days, Some(90));
        let (_, faults) = read("exchange_days = 89\nrepeat_days = 7\nbreak_days = 7\nnightly = \"25:00\"");
        assert_eq!(faults, ["exchange_days", "repeat_days", "break_days", "nightly"]);
        assert_eq!(read("nightly = \"23:05\"").0.nightly, Some(jiff::civil::time(23, 5, 0, 0)));
    }
}
