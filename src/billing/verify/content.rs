//! The lines of a file against each other: order, numbers, hashes, sums.

use uuid::Uuid;

use super::{Findings, reading::RawLine};
use crate::billing::{
    calendar,
    file::{FORMAT, Head, Totals},
    line::{NAMES, cut_hash, fields, link, names},
};

/// Columns that are looked at, by their places in [`NAMES`].
mod column {
    pub(super) const SEQ: usize = 1;
    pub(super) const RECORD_ID: usize = 2;
    pub(super) const EXCHANGE_ID: usize = 3;
    pub(super) const KIND: usize = 4;
    pub(super) const ACTION: usize = 5;
    pub(super) const STREAM: usize = 8;
    pub(super) const CARRIER: usize = 9;
    pub(super) const EVENT_TIME: usize = 19;
    pub(super) const ACCEPT_TIME: usize = 20;
    pub(super) const FINAL_TIME: usize = 21;
    pub(super) const PERIOD: usize = 22;
    pub(super) const LATE: usize = 23;
    pub(super) const SEGMENTS: [usize; 4] = [27, 28, 29, 30];
    pub(super) const AMOUNT: usize = 38;
    pub(super) const CURRENCY: usize = 39;
}

/// What has been read so far.
#[derive(Default)]
pub(super) struct Content {
    /// The header.
    pub(super) head: Head,
    /// What the records sum up to; none before the first record or trailer.
    pub(super) totals: Option<Totals>,
    /// Whether a header and a trailer were read.
    pub(super) headed: bool,
    /// The hash that the last line states, and the trailer's `last_seq`: what the next file goes on from.
    pub(super) last_hash: String,
    ended: bool,
    number: u64,
    expected_seq: Option<i64>,
    /// Hashes that the next line may stand behind: the last line's as stated and, where that was wrong, as computed.
    before: Vec<String>,
}

impl Content {
    /// Takes the next line.
    pub(super) fn take(&mut self, line: &RawLine, findings: &mut Findings) {
        self.number += 1;
        let number = self.number;
        let text = match line {
            RawLine::Text(text) => text,
            RawLine::Unended(text) => {
                findings.add(number, "ends without a line feed: the file was cut");
                text
            }
            RawLine::NotText | RawLine::TooLong => {
                let why =
                    if *line == RawLine::NotText { "is not UTF-8 text" } else { "is longer than any line can be" };
                findings.add(number, format!("{why}: it was changed"));
                // What it stated is not known, so the next line's predecessor is not, either.
                self.before.clear();
                return;
            }
        };
        if number == 1 {
            if *text != names() {
                findings.add(1, "is not the line of names that this format begins with");
            }
            return;
        }
        if self.ended {
            findings.add(number, "stands behind the trailer");
        }
        let fields = fields(text).unwrap_or_default();
        match (fields.first().map(String::as_str), number) {
            (Some("H"), 2) => self.header(&fields, findings),
            (_, 2) => findings.add(2, "is not the header (H)"),
            (Some("R"), _) => self.record(&fields, findings),
            (Some("T"), _) => self.trailer(&fields, findings),
            (Some(_), _) => findings.add(number, "is neither a record (R) nor the trailer (T)"),
            (None, _) => findings.add(number, "has wrong quotes: it was changed"),
        }
        self.chain(text, findings);
    }

    /// Ends the reading: what is missing.
    pub(super) fn end(&self, findings: &mut Findings) {
        if self.number == 0 {
            findings.whole("is empty");
        } else if !self.ended {
            findings.whole("has no trailer (T): it was cut, or is not complete yet");
        }
    }

    /// Compares a line's hash. After a wrong one both its readings may be gone on from, so that one changed line is one
    /// finding.
    fn chain(&mut self, text: &str, findings: &mut Findings) {
        let Some((covered, stated)) = cut_hash(text) else {
            findings.add(self.number, "has no hash");
            return self.before.clear();
        };
        let computed: Vec<String> = self.before.iter().map(|before| link(before, covered)).collect();
        self.before = vec![stated.to_owned()];
        if !computed.is_empty() && !computed.iter().any(|hash| hash == stated) {
            let why = "has a hash that does not fit: the line was changed, or a line before it was changed, removed or put in";
            findings.add(self.number, why);
            self.before.extend(computed);
        }
        stated.clone_into(&mut self.last_hash);
    }

    fn header(&mut self, fields: &[String], findings: &mut Findings) {
        let (head, wrong) = Head::read(fields.get(1..fields.len() - 1).unwrap_or_default());
        for why in wrong {
            findings.add(self.number, why);
        }
        if head.format != FORMAT {
            findings.add(self.number, format!("names the format \"{}\"; this program reads {FORMAT}", head.format));
        }
        self.before = vec![head.prev_line_hash.clone()];
        self.headed = true;
        self.head = head;
    }

    fn record(&mut self, fields: &[String], findings: &mut Findings) {
        let number = self.number;
        if fields.len() != NAMES.len() {
            findings.add(number, format!("has {} fields instead of {}", fields.len(), NAMES.len()));
            self.expected_seq = None;
            return;
        }
        let mut wrong = |at: usize, why: &str| findings.add(number, format!("{}: {why}", NAMES[at]));
        let seq = fields[column::SEQ].parse::<i64>().ok();
        match (seq, self.expected_seq) {
            (None, _) => wrong(column::SEQ, "is no number"),
            (Some(seq), Some(expected)) if seq != expected => {
                let why = format!("is {seq} where {expected} must stand: a record is missing, doubled or moved");
                wrong(column::SEQ, &why);
            }
            (Some(_), _) => {}
        }
        self.expected_seq = seq.or(self.expected_seq).map(|seq| seq.saturating_add(1));
        for at in [column::RECORD_ID, column::EXCHANGE_ID] {
            if Uuid::parse_str(&fields[at]).is_err() {
                wrong(at, "is no UUID");
            }
        }
        if !["MO", "MT", "NOTICE"].contains(&fields[column::KIND].as_str()) {
            wrong(column::KIND, "is not MO, MT or NOTICE");
        }
        if !["ORIG", "CORR", "VOID"].contains(&fields[column::ACTION].as_str()) {
            wrong(column::ACTION, "is not ORIG, CORR or VOID");
        }
        for (at, of_file) in [(column::STREAM, &self.head.stream), (column::CARRIER, &self.head.carrier)] {
            if fields[at] != *of_file {
                wrong(at, "is not that of the header");
            }
        }
        for at in [column::ACCEPT_TIME, column::FINAL_TIME] {
            if !fields[at].is_empty() && calendar::read(&fields[at]).is_none() {
                wrong(at, "is no time");
            }
        }
        let period = &fields[column::PERIOD];
        let event = calendar::read(&fields[column::EVENT_TIME]);
        match &event {
            None => wrong(column::EVENT_TIME, "is no time"),
            Some((_, month)) if month != period => wrong(column::PERIOD, "is not the month of event_time"),
            Some(_) => {}
        }
        if fields[column::LATE] != u8::from(*period < self.head.period).to_string() {
            wrong(column::LATE, "does not fit the periods of record and header");
        }
        let mut segments = [0; 4];
        for (sum, at) in segments.iter_mut().zip(column::SEGMENTS) {
            match fields[at].parse::<u32>() {
                Ok(count) => *sum = i64::from(count),
                Err(_) if fields[at].is_empty() => {}
                Err(_) => wrong(at, "is no number"),
            }
        }
        let amount = fields[column::AMOUNT].parse::<i64>().unwrap_or_else(|_| {
            wrong(column::AMOUNT, "is no number");
            0
        });
        let totals = self.totals.get_or_insert_with(|| Totals::new(seq.unwrap_or(0)));
        totals.add(&fields[column::KIND], &fields[column::ACTION], segments, amount, &fields[column::CURRENCY]);
        if let Some((at, _)) = event {
            totals.event(at, &fields[column::EVENT_TIME]);
        }
    }

    fn trailer(&mut self, fields: &[String], findings: &mut Findings) {
        self.ended = true;
        let stated = fields.get(1..fields.len() - 1).unwrap_or_default();
        let value = |name: &str| stated.iter().find_map(|cell| cell.strip_prefix(name)?.parse::<i64>().ok());
        let totals = self.totals.get_or_insert_with(|| Totals::new(value("first_seq=").unwrap_or(0)));
        let cells = totals.cells();
        for at in 0..cells.len().max(stated.len()) {
            match (stated.get(at), cells.get(at)) {
                (Some(stated), Some(summed)) if stated == summed => {}
                (Some(stated), Some(summed)) => {
                    findings.add(self.number, format!("says {stated}, but the lines give {summed}"));
                }
                (None, Some(summed)) => findings.add(self.number, format!("does not say {summed}")),
                (Some(stated), None) => {
                    findings.add(self.number, format!("says {stated}, which the lines do not give"));
                }
                (None, None) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_looked_at_are_where_their_names_are() {
        for (at, name) in [
            (column::SEQ, "seq"),
            (column::RECORD_ID, "record_id"),
            (column::EXCHANGE_ID, "exchange_id"),
            (column::KIND, "kind"),
            (column::ACTION, "action"),
            (column::STREAM, "stream"),
            (column::CARRIER, "carrier"),
            (column::EVENT_TIME, "event_time"),
            (column::ACCEPT_TIME, "accept_time"),
            (column::FINAL_TIME, "final_time"),
            (column::PERIOD, "period"),
            (column::LATE, "late"),
            (column::SEGMENTS[0], "seg_planned"),
            (column::SEGMENTS[3], "seg_billed"),
            (column::AMOUNT, "amount_micro"),
            (column::CURRENCY, "currency"),
        ] {
            assert_eq!(NAMES[at], name);
        }
    }
}
