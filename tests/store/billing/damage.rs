//! Every kind of damage to a file is found, and the line is named.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tracuu::billing::{Finding, verify};

use super::ledger::{Shop, records};
use crate::support::databases::sqlite;

/// Two files that follow each other, in a folder of their own; the second has four records on its lines 3 to 6.
async fn files() -> (TempDir, PathBuf, PathBuf) {
    let database = sqlite();
    let shop = Shop::open(&database).await;
    let running = shop.start().await;
    running.ask_many(1).await;
    let first = shop.close().await;
    let keys = running.ask_many(2).await;
    running.settle_many(&keys).await;
    let second = shop.close().await;
    running.stop().await;
    assert_eq!(records(&second.path).len(), 4);
    let folder = tempfile::tempdir().unwrap();
    let copy = |path: &Path| {
        let to = folder.path().join(path.file_name().unwrap());
        std::fs::copy(path, &to).unwrap();
        to
    };
    let paths = [&first, &second].map(|file| {
        copy(&file.manifest_path);
        copy(&file.path)
    });
    let [first, second] = paths;
    (folder, first, second)
}

/// A change to the lines of a file.
type Change = fn(&mut Vec<String>);

fn manifest(path: &Path) -> PathBuf {
    format!("{}.manifest.json", path.display()).into()
}

fn findings(path: &Path) -> Vec<Finding> {
    verify(path).expect_err("the damage was not found")
}

/// Changes the lines of a file, and says what is found.
fn with_lines(path: &Path, change: impl FnOnce(&mut Vec<String>)) -> Vec<Finding> {
    let whole = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = whole.split_inclusive('\n').map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(path, lines.concat()).unwrap();
    let found = findings(path);
    std::fs::write(path, whole).unwrap();
    found
}

fn lines_of(found: &[Finding]) -> Vec<u64> {
    let mut lines: Vec<u64> = found.iter().filter_map(|finding| finding.line).collect();
    lines.dedup();
    lines
}

/// One octet changed: in its lowest bit, in the bit that tells capital letters, or so that it is no ASCII.
fn changed(whole: &[u8], at: usize) -> Vec<u8> {
    let mut changed = whole.to_vec();
    changed[at] ^= [0x01, 0x20, 0x80][at % 3];
    changed
}

#[tokio::test]
async fn any_changed_octet_is_found_and_its_line_is_named() {
    let (_folder, _, path) = files().await;
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        std::fs::write(&path, changed(&whole, at)).unwrap();
        let line = whole[..at].split(|octet| *octet == b'\n').count() as u64;
        let found = findings(&path);
        assert!(lines_of(&found).contains(&line), "octet {at} of line {line}: {found:?}");
    }
}

#[tokio::test]
async fn any_changed_octet_of_the_manifest_is_found() {
    let (_folder, _, path) = files().await;
    let whole = std::fs::read(manifest(&path)).unwrap();
    for at in 0..whole.len() {
        std::fs::write(manifest(&path), changed(&whole, at)).unwrap();
        let found = findings(&path);
        assert!(found.iter().all(|finding| finding.what.contains("manifest")), "octet {at}: {found:?}");
    }
}

#[tokio::test]
async fn one_changed_field_is_one_line_of_findings_without_the_manifest_too() {
    let (_folder, _, path) = files().await;
    let found = with_lines(&path, |lines| lines[3] = lines[3].replacen(",9999,", ",9998,", 1));
    assert_eq!(lines_of(&found), [4], "{found:?}");
    // Its hash made to fit would need the hashes of all lines behind it made to fit.
    let found = with_lines(&path, |lines| {
        let end = lines[3].len() - 17;
        lines[3].replace_range(end.., "0123456789abcdef\n");
    });
    assert_eq!(lines_of(&found), [4], "{found:?}");
}

#[tokio::test]
async fn lines_removed_doubled_swapped_or_added_are_found_where_they_are() {
    let (_folder, _, path) = files().await;
    let cases: [(&str, Change, u64, &str); 9] = [
        ("removed", |lines| drop(lines.remove(3)), 4, "seq: is 4 where 3 must stand"),
        ("doubled", |lines| lines.insert(4, lines[3].clone()), 5, "seq: is 3 where 4 must stand"),
        ("swapped", |lines| lines.swap(3, 4), 4, "seq: is 4 where 3 must stand"),
        ("without header", |lines| drop(lines.remove(1)), 2, "is not the header"),
        ("header twice", |lines| lines.insert(2, lines[1].clone()), 3, "is neither a record"),
        ("behind the trailer", |lines| lines.push("R,1\n".into()), 8, "stands behind the trailer"),
        ("no last line feed", |lines| lines[6] = lines[6].replace('\n', ""), 7, "ends without a line feed"),
        ("with an empty line", |lines| lines.insert(3, "\n".into()), 4, "is neither a record"),
        ("from another system", |lines| lines[3] = lines[3].replace('\n', "\r\n"), 4, "a hash that does not fit"),
    ];
    for (label, change, line, what) in cases {
        let found = with_lines(&path, change);
        let told = found.iter().any(|finding| finding.line == Some(line) && finding.what.contains(what));
        assert!(told, "{label}: {found:#?}");
    }
    let whole = |found: &[Finding], what: &str| found.iter().any(|one| one.line.is_none() && one.what.contains(what));
    let found = with_lines(&path, |lines| drop(lines.pop()));
    assert!(whole(&found, "has no trailer"), "{found:#?}");
    let found = with_lines(&path, Vec::clear);
    assert!(whole(&found, "is empty"), "{found:#?}");
}

#[tokio::test]
async fn sums_that_the_lines_do_not_give_are_found_one_by_one() {
    let (_folder, _, path) = files().await;
    let found = with_lines(&path, |lines| {
        let trailer = lines[6].replace("records=4", "records=5").replace("MT_ORIG=2", "MT_ORIG=3");
        let trailer =
            trailer.replace("seg_billed=10", "seg_billed=11").replace("amount_micro_VND=0", "amount_micro_VND=1");
        lines[6] = trailer.replace("earliest=2026", "earliest=2025").replace("latest=2026", "latest=2027");
    });
    let told =
        found.iter().filter(|finding| finding.line == Some(7) && finding.what.contains("the lines give")).count();
    assert_eq!(told, 6, "{found:#?}");
}

#[tokio::test]
async fn a_file_under_another_name_without_its_manifest_or_twice_is_found() {
    let (folder, _, path) = files().await;
    let name = path.file_name().unwrap().to_str().unwrap();
    let other = folder.path().join(name.replace("_00000002_", "_00000003_"));
    std::fs::copy(&path, &other).unwrap();
    let told = |path: &Path, what: &str| {
        let found = findings(path);
        assert!(found.iter().any(|finding| finding.what.contains(what)), "{what}: {found:#?}");
    };
    told(&other, "by its header it is");
    told(&other, "the manifest cannot be read");
    let twice = folder.path().join(name.replace("2026112", "2026113"));
    std::fs::copy(&path, &twice).unwrap();
    told(&path, "has the same number as");
    std::fs::remove_file(&twice).unwrap();
    std::fs::write(manifest(&path), "{}").unwrap();
    told(&path, "does not say sha256");
    told(&folder.path().join("nothing.csv"), "cannot be read");
    assert!(verify(folder.path()).is_err());
}

#[tokio::test]
async fn a_file_must_go_on_from_the_one_beside_it() {
    let (_folder, first, second) = files().await;
    let verified = verify(&second).unwrap();
    assert!(verified.previous && verified.to_string().contains("goes on from the file before"));
    let text = std::fs::read_to_string(&first).unwrap();
    std::fs::write(&first, text.replacen("VTL", "VTM", 1)).unwrap();
    let found = findings(&second);
    assert!(found.iter().any(|finding| finding.what.contains("prev_sha256")), "{found:#?}");
    std::fs::remove_file(&first).unwrap();
    let verified = verify(&second).unwrap();
    assert!(!verified.previous && verified.to_string().contains("the file before is not here"));
}
