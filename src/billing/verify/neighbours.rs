//! A file among the others of its folder: none with the same number, and the one before it goes before it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Findings, content::Content, read};
use crate::billing::line::{FIRST_HASH, FIRST_SHA256};

/// Compares a file with those beside it; says whether the file before it was there.
pub(super) fn compare(path: &Path, content: &Content, findings: &mut Findings) -> bool {
    let head = &content.head;
    let Ok(seq) = head.file_seq.parse::<u64>() else { return false };
    for other in numbered(path, content, seq).iter().filter(|other| other.file_name() != path.file_name()) {
        findings
            .whole(format!("has the same number as \"{}\" beside it", other.file_name().unwrap_or_default().display()));
    }
    if seq <= 1 {
        if head.prev_sha256 != FIRST_SHA256 || head.prev_line_hash != FIRST_HASH {
            findings.add(2, "names a file before the first");
        }
        return false;
    }
    // A folder with two files before it has the finding above, once the one before is verified itself.
    let Some(previous) = numbered(path, content, seq - 1).into_iter().next() else { return false };
    // What is wrong inside the file before is not this file's fault.
    let Ok((before, lines)) = read(&previous, &mut Findings::default()) else {
        findings.whole(format!("cannot be compared with the file before it, {}", previous.display()));
        return false;
    };
    if lines.sha256() != head.prev_sha256 {
        findings
            .add(2, "prev_sha256 is not that of the file before it, which lies beside it: one of the two was changed");
    }
    if before.last_hash != head.prev_line_hash {
        findings.add(2, "prev_line_hash is not the last hash of the file before it");
    }
    if let (Some(before), Some(here)) = (&before.totals, &content.totals) {
        let (last, first) = (before.last_seq(), here.first_seq);
        if last.saturating_add(1) != first {
            findings.whole(format!("begins with number {first}, but the file before it ends with {last}"));
        }
    }
    true
}

/// The files of the same carrier and stream with this number, sorted by name.
fn numbered(path: &Path, content: &Content, seq: u64) -> Vec<PathBuf> {
    let begin = format!("tracuu_{}_{}_", content.head.carrier, content.head.stream);
    let number = format!("{seq:08}");
    let fits = |name: &str| {
        let rest = name.strip_prefix(&begin).and_then(|rest| rest.strip_suffix(".csv"));
        rest.and_then(|rest| rest.split('_').nth(1)).is_some_and(|found| found == number)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(fits))
        .collect();
    found.sort();
    found
}
