//! The billing files of a service that was killed: closed by the command, one while the service runs and is killed, and
//! read as a carrier reads them.

use std::{collections::HashSet, path::PathBuf};

use crate::{site::Site, stored::Stored};

/// Closes the next file, as a timer would, whatever the service is doing.
pub(crate) async fn close(site: &Site) {
    site.command(&["billing", "close", "--carrier", "sim"]).await;
}

/// Closes what is left and compares all files with the store: no gap, nothing twice, nothing missing.
pub(crate) async fn judge(site: &Site, stored: &Stored, line: &str) {
    close(site).await;
    let mut files: Vec<PathBuf> = std::fs::read_dir(site.folder.path().join("billing/sim"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "csv"))
        .collect();
    files.sort();
    let (mut seq, mut records, mut asked, mut replied, mut flagged) =
        (0, HashSet::new(), HashSet::new(), HashSet::new(), 0);
    for file in &files {
        site.command(&["billing", "verify", &file.display().to_string()]).await;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(file).unwrap();
        let mut names = csv::StringRecord::new();
        for row in reader.records() {
            let row = row.unwrap();
            let value = |name: &str| {
                let place = names.iter().position(|known| known == name);
                row.get(place.unwrap_or_else(|| panic!("no column {name}"))).unwrap_or_default().to_owned()
            };
            match row.get(0) {
                Some("line") => names = row,
                Some("R") => {
                    seq += 1;
                    assert_eq!(value("seq"), seq.to_string(), "{line}: a gap in {}", file.display());
                    assert!(records.insert(value("record_id")), "{line}: record {seq} is there twice");
                    let side = match value("kind").as_str() {
                        "MO" => &mut asked,
                        "MT" => &mut replied,
                        other => panic!("{line}: record {seq} is of kind {other}"),
                    };
                    assert!(side.insert(value("exchange_id")), "{line}: record {seq} bills an exchange twice");
                    flagged += i64::from(value("flags").split(';').any(|flag| flag == "possible_dup"));
                }
                Some(_) | None => {}
            }
        }
    }
    assert_eq!((asked.len(), replied.len()), (stored.mo.len(), stored.mt.len()), "{line}: records and rows differ");
    assert!(replied.is_subset(&asked), "{line}: a reply without its question");
    assert_eq!(flagged, stored.balance.possible_dups, "{line}: replies that may have been sent twice");
}
