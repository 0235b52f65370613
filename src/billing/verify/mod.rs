//! Checks a file as a carrier would: with nothing but the file, its manifest and the files beside it.

mod content;
mod neighbours;
mod reading;

use std::{
    fmt,
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
};

use content::Content;
use reading::Lines;
use serde_json::Value;

use super::file::{MANIFEST, manifest};

/// Findings told in full; of more only the number is told.
const TOLD: usize = 1_000;

/// The longest manifest that is read.
const LONGEST_MANIFEST: u64 = 1 << 20;

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which line, from 1; none when it is not about one line.
    pub line: Option<u64>,
    /// What is wrong, in words for a person.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// A file with nothing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The carrier's code.
    pub carrier: String,
    /// `P` or `T`.
    pub stream: String,
    /// The month it belongs to.
    pub period: String,
    /// Its number.
    pub file_seq: i64,
    /// Its records.
    pub records: u64,
    /// Its questions.
    pub mo: u64,
    /// Its replies.
    pub mt: u64,
    /// The number of its first record.
    pub first_seq: i64,
    /// The number of its last record; `first_seq - 1` when it has none.
    pub last_seq: i64,
    /// Of the file, in hex.
    pub sha256: String,
    /// Whether the file before it lies beside it and was compared.
    pub previous: bool,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { carrier, stream, period, file_seq, records, mo, mt, first_seq, last_seq, sha256, previous } = self;
        write!(f, "file {file_seq} of {carrier} ({stream}), {period}: {records} records ({mo} MO, {mt} MT), ")?;
        if *records > 0 {
            write!(f, "numbers {first_seq} to {last_seq}, ")?;
        }
        write!(f, "SHA-256 {sha256}")?;
        if *file_seq > 1 {
            f.write_str(if *previous { ", goes on from the file before" } else { ", the file before is not here" })?;
        }
        Ok(())
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    told: Vec<Finding>,
    more: usize,
}

impl Findings {
    fn push(&mut self, finding: Finding) {
        if self.told.len() < TOLD {
            self.told.push(finding);
        } else {
            self.more += 1;
        }
    }

    fn add(&mut self, line: u64, what: impl Into<String>) {
        self.push(Finding { line: Some(line), what: what.into() });
    }

    fn whole(&mut self, what: impl fmt::Display) {
        self.push(Finding { line: None, what: format!("the file {what}") });
    }

    fn manifest(&mut self, what: impl fmt::Display) {
        self.push(Finding { line: None, what: format!("the manifest {what}") });
    }
}

/// Checks a file: its lines, sums, numbers and hashes, its name, the manifest beside it, and that it goes on from the file
/// before, when that lies in the same folder.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn verify(path: &Path) -> Result<Verified, Vec<Finding>> {
    let mut findings = Findings::default();
    let verified = check(path, &mut findings);
    if findings.more > 0 {
        let what = format!("{} more findings", findings.more);
        findings.told.push(Finding { line: None, what });
    }
    match verified {
        Some(verified) if findings.told.is_empty() => Ok(verified),
        _ => Err(findings.told),
    }
}

fn check(path: &Path, findings: &mut Findings) -> Option<Verified> {
    let (content, lines) = match read(path, findings) {
        Ok(read) => read,
        Err(error) => {
            findings.whole(format!("cannot be read: {error}"));
            return None;
        }
    };
    content.end(findings);
    let given = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Content { head, totals: Some(totals), headed: true, .. } = &content else {
        findings.whole("cannot be compared with its manifest, because its header or trailer is missing");
        return None;
    };
    match head.name() {
        Some(name) if name == given => {}
        Some(name) => findings.whole(format!("is called \"{given}\", but by its header it is \"{name}\"")),
        None => findings.add(2, "holds a number or a time that cannot be read"),
    }
    let (sha256, bytes) = (lines.sha256(), lines.bytes);
    compare_manifest(path, &manifest(head, totals, &given, &sha256, bytes), findings);
    let previous = neighbours::compare(path, &content, findings);
    Some(Verified {
        carrier: head.carrier.clone(),
        stream: head.stream.clone(),
        period: head.period.clone(),
        file_seq: head.file_seq.parse().unwrap_or(0),
        records: u64::try_from(totals.records).unwrap_or(0),
        mo: totals.of_kind("MO"),
        mt: totals.of_kind("MT"),
        first_seq: totals.first_seq,
        last_seq: totals.last_seq(),
        sha256,
        previous,
    })
}

/// Reads a whole file.
fn read(path: &Path, findings: &mut Findings) -> std::io::Result<(Content, Lines<BufReader<File>>)> {
    let mut lines = Lines::new(BufReader::with_capacity(1 << 16, File::open(path)?));
    let mut content = Content::default();
    while let Some(line) = lines.next()? {
        content.take(&line, findings);
    }
    Ok((content, lines))
}

/// The manifest must be, octet for octet, the one that the file gives.
fn compare_manifest(path: &Path, expected: &str, findings: &mut Findings) {
    let mut place = path.as_os_str().to_owned();
    place.push(MANIFEST);
    let mut octets = Vec::new();
    let read = File::open(Path::new(&place)).and_then(|file| file.take(LONGEST_MANIFEST).read_to_end(&mut octets));
    if let Err(error) = read {
        return findings.manifest(format!("cannot be read: {error}; without it the file is not ready to be used"));
    }
    if octets == expected.as_bytes() {
        return;
    }
    let (stated, given) = (serde_json::from_slice(&octets), serde_json::from_str(expected));
    let (Ok(Value::Object(stated)), Ok(Value::Object(given))) = (stated, given) else {
        return findings.manifest("is not JSON: it was changed");
    };
    let before = findings.told.len();
    for (name, value) in &given {
        match stated.get(name) {
            Some(stated) if stated == value => {}
            Some(stated) => findings.manifest(format!("says {name} is {stated}, but the file gives {value}")),
            None => findings.manifest(format!("does not say {name}, which is {value}")),
        }
    }
    for name in stated.keys().filter(|name| !given.contains_key(*name)) {
        findings.manifest(format!("says {name:?}, which the format does not know"));
    }
    if findings.told.len() == before {
        findings.manifest("says the right things, but is not written as the format says: it was changed");
    }
}
