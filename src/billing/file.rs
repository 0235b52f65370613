//! What stands around the records: the header, the trailer, the file's name and its manifest. Each is made by one
//! function, from the rows when a file is rendered and from the file itself when it is verified.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{calendar::compact_utc, line::Line};

/// The format of files and manifests.
pub(super) const FORMAT: &str = "tracuu-cdr/1";

/// The ending of a manifest's name, behind the whole name of its file.
pub(super) const MANIFEST: &str = ".manifest.json";

/// The header of a file, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) format: String,
    pub(super) operator: String,
    pub(super) carrier: String,
    pub(super) stream: String,
    pub(super) file_seq: String,
    pub(super) period: String,
    pub(super) opened: String,
    pub(super) closed: String,
    pub(super) zone: String,
    pub(super) close_reason: String,
    pub(super) lost: String,
    pub(super) prev_sha256: String,
    pub(super) prev_line_hash: String,
    pub(super) tariffs: String,
}

impl Head {
    /// Each field with its name, in the order of the file.
    fn cells(&mut self) -> [(&'static str, &mut String); 14] {
        [
            ("format", &mut self.format),
            ("operator", &mut self.operator),
            ("carrier", &mut self.carrier),
            ("stream", &mut self.stream),
            ("file_seq", &mut self.file_seq),
            ("period", &mut self.period),
            ("opened", &mut self.opened),
            ("closed", &mut self.closed),
            ("zone", &mut self.zone),
            ("close_reason", &mut self.close_reason),
            ("lost", &mut self.lost),
            ("prev_sha256", &mut self.prev_sha256),
            ("prev_line_hash", &mut self.prev_line_hash),
            ("tariffs", &mut self.tariffs),
        ]
    }

    /// The header's line, without its hash.
    pub(super) fn line(&self) -> Line {
        let mut line = Line::new("H");
        for (name, value) in self.clone().cells() {
            line.named(name, value);
        }
        line
    }

    /// Reads the fields behind `H`; what is missing stays empty. The second value says what is wrong with them.
    pub(super) fn read(fields: &[String]) -> (Self, Vec<String>) {
        let mut head = Self::default();
        let mut wrong = Vec::new();
        let mut given = fields.iter();
        for (name, value) in head.cells() {
            match given.next().and_then(|field| field.strip_prefix(name)?.strip_prefix('=')) {
                Some(text) => text.clone_into(value),
                None => wrong.push(format!("the header's field \"{name}\" is missing or not in its place")),
            }
        }
        if given.next().is_some() {
            wrong.push("the header has more fields than the format knows".to_owned());
        }
        (head, wrong)
    }

    /// The file's name; `None` when a number or time in the header cannot be read.
    pub(super) fn name(&self) -> Option<String> {
        let (carrier, stream) = (&self.carrier, &self.stream);
        let seq: u64 = self.file_seq.parse().ok()?;
        let closed: Timestamp = self.closed.parse().ok()?;
        let month: String = self.period.chars().filter(|c| *c != '-').collect();
        Some(format!("tracuu_{carrier}_{stream}_{month}_{seq:08}_{}.csv", compact_utc(closed)))
    }
}

/// The number of segments of a record or a file: planned, accepted, delivered, billed.
pub(super) type Segments = [i64; 4];

/// The names of the four numbers of segments, as in the columns.
const SEGMENTS: [&str; 4] = ["seg_planned", "seg_accepted", "seg_delivered", "seg_billed"];

/// What a trailer sums up.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub(super) records: i64,
    pub(super) first_seq: i64,
    counts: BTreeMap<(String, String), i64>,
    segments: Segments,
    amounts: BTreeMap<String, i128>,
    earliest: Option<(Timestamp, String)>,
    latest: Option<(Timestamp, String)>,
}

impl Totals {
    /// Nothing yet, in a file that begins with this number.
    pub(super) fn new(first_seq: i64) -> Self {
        let counts = ["MO", "MT"].map(|kind| ((kind.to_owned(), "ORIG".to_owned()), 0)).into();
        Self { records: 0, first_seq, counts, segments: [0; 4], amounts: BTreeMap::new(), earliest: None, latest: None }
    }

    /// Adds one record.
    pub(super) fn add(&mut self, kind: &str, action: &str, segments: Segments, amount: i64, currency: &str) {
        self.records += 1;
        *self.counts.entry((kind.to_owned(), action.to_owned())).or_default() += 1;
        for (sum, more) in self.segments.iter_mut().zip(segments) {
            *sum += more;
        }
        *self.amounts.entry(currency.to_owned()).or_default() += i128::from(amount);
    }

    /// Notes when a record's event was.
    pub(super) fn event(&mut self, at: Timestamp, text: &str) {
        if self.earliest.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
            self.earliest = Some((at, text.to_owned()));
        }
        if self.latest.as_ref().is_none_or(|(latest, _)| at > *latest) {
            self.latest = Some((at, text.to_owned()));
        }
    }

    /// The number of the last record; that before the first, when there is none.
    pub(super) fn last_seq(&self) -> i64 {
        self.first_seq.saturating_add(self.records).saturating_sub(1)
    }

    /// How many records of a kind there are, whatever their action.
    pub(super) fn of_kind(&self, kind: &str) -> u64 {
        let sum: i64 = self.counts.iter().filter(|((each, _), _)| each == kind).map(|(_, count)| count).sum();
        u64::try_from(sum).unwrap_or(0)
    }

    /// The trailer's fields, each as `name=value`.
    pub(super) fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            format!("records={}", self.records),
            format!("first_seq={}", self.first_seq),
            format!("last_seq={}", self.last_seq()),
        ];
        cells.extend(self.counts.iter().map(|((kind, action), count)| format!("{kind}_{action}={count}")));
        cells.extend(SEGMENTS.iter().zip(self.segments).map(|(name, sum)| format!("{name}={sum}")));
        cells.extend(self.amounts.iter().map(|(currency, sum)| format!("amount_micro_{currency}={sum}")));
        let text = |at: &Option<(Timestamp, String)>| at.as_ref().map_or_else(String::new, |(_, text)| text.clone());
        cells.push(format!("earliest={}", text(&self.earliest)));
        cells.push(format!("latest={}", text(&self.latest)));
        cells
    }

    /// The trailer's line, without its hash.
    pub(super) fn line(&self) -> Line {
        let mut line = Line::new("T");
        for cell in self.cells() {
            line.field(&cell);
        }
        line
    }
}

/// A manifest's text. Its signature and the id of the key that made it are not given yet, so both are null.
pub(super) fn manifest(head: &Head, totals: &Totals, name: &str, sha256: &str, bytes: u64) -> String {
    #[derive(Serialize)]
    struct Sums<'a> {
        #[serde(rename = "MO")]
        mo: u64,
        #[serde(rename = "MT")]
        mt: u64,
        seg_billed: i64,
        amount_micro: &'a BTreeMap<String, i128>,
    }
    #[derive(Serialize)]
    struct Manifest<'a> {
        format: &'a str,
        file: &'a str,
        sha256: &'a str,
        bytes: u64,
        carrier: &'a str,
        stream: &'a str,
        period: &'a str,
        file_seq: u64,
        prev_sha256: &'a str,
        opened: &'a str,
        closed: &'a str,
        close_reason: &'a str,
        records: i64,
        first_seq: i64,
        last_seq: i64,
        totals: Sums<'a>,
        lost: &'a str,
        zone: &'a str,
        key_id: Option<&'a str>,
        signature: Option<&'a str>,
    }
    let manifest = Manifest {
        format: &head.format,
        file: name,
        sha256,
        bytes,
        carrier: &head.carrier,
        stream: &head.stream,
        period: &head.period,
        file_seq: head.file_seq.parse().unwrap_or(0),
        prev_sha256: &head.prev_sha256,
        opened: &head.opened,
        closed: &head.closed,
        close_reason: &head.close_reason,
        records: totals.records,
        first_seq: totals.first_seq,
        last_seq: totals.last_seq(),
        totals: Sums {
            mo: totals.of_kind("MO"),
            mt: totals.of_kind("MT"),
            seg_billed: totals.segments[3],
            amount_micro: &totals.amounts,
        },
        lost: &head.lost,
        zone: &head.zone,
        key_id: None,
        signature: None,
    };
    // Texts and whole numbers always have a JSON form.
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::line::fields;

    #[test]
    fn a_header_reads_back_and_names_its_file() {
        let head = Head {
            format: FORMAT.into(),
            operator: "Trung tâm \"A\", B".into(),
            carrier: "VTL".into(),
            stream: "P".into(),
            file_seq: "1234".into(),
            period: "2026-11".into(),
            closed: "2026-11-23T15:45:00.999+07:00".into(),
            ..Head::default()
        };
        let mut out = Vec::new();
        crate::billing::line::Chain::behind("").close(&head.line(), "", &mut out);
        let line = String::from_utf8(out).unwrap();
        let all = fields(line.trim_end().rsplit_once(',').unwrap().0).unwrap();
        assert_eq!(Head::read(&all[1..]), (head.clone(), Vec::new()));
        assert_eq!(head.name().unwrap(), "tracuu_VTL_P_202611_00001234_20261123T084500Z.csv");
        assert_eq!(Head::read(&all[2..]).1.len(), 14, "all fields stand one place too early");
    }

    #[test]
    fn totals_sum_up_and_know_their_edges() {
        let mut totals = Totals::new(11);
        assert_eq!((totals.last_seq(), totals.of_kind("MO")), (10, 0));
        totals.add("MO", "ORIG", [1, 1, 0, 1], 5, "VND");
        totals.add("MT", "ORIG", [3, 2, 0, 2], 7, "VND");
        for (second, text) in [(20, "b"), (10, "a"), (20, "c"), (15, "d")] {
            totals.event(Timestamp::from_second(second).unwrap(), text);
        }
        let cells = totals.cells().join(" ");
        let expected = "records=2 first_seq=11 last_seq=12 MO_ORIG=1 MT_ORIG=1 seg_planned=4 seg_accepted=3 \
                        seg_delivered=0 seg_billed=3 amount_micro_VND=12 earliest=a latest=b";
        assert_eq!(cells, expected);
    }
}
