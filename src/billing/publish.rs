//! From a claimed file to a file on the shelf: rows in pages, lines, hashes, then file and manifest in their places.

use secrecy::ExposeSecret as _;

use super::{
    BillingError, ClosedFile,
    calendar::Calendar,
    file::{MANIFEST, Totals, manifest},
    line::{Chain, NAMED_HASH, names},
    record::Recorder,
    shelf::{Draft, Shelf},
    store::{self, ClaimRow, FileRow},
};
use crate::{
    config::Carrier,
    db::{Db, DbError},
    ledger::{
        Keys, LedgerError, contract_token,
        read::{
            self,
            store::{RecordKind, Span, mo_rows, mt_rows},
        },
    },
    message::{RowKey, Stream},
};

/// Rows read at a time. A page's lines, less than a megabyte, are all that is held in memory.
const PAGE: i64 = 2_000;

/// What a contract's key makes of a constant. Stored with each file, so that a file is never made again with another key.
pub(super) fn token_check(carrier: &Carrier) -> Option<String> {
    carrier.contract_key.as_ref().map(|key| contract_token(key.expose_secret().as_bytes(), b"tracuu billing file"))
}

/// Renders a claimed file, publishes it and records that. May be done again at any time: the same rows give the same
/// octets.
pub(super) async fn publish(
    db: &Db,
    keys: &Keys,
    carrier: &Carrier,
    shelf: &Shelf,
    file: &FileRow,
) -> Result<ClosedFile, BillingError> {
    if file.token_check.is_some() && file.token_check != token_check(carrier) {
        return Err(BillingError::ContractKey { carrier: carrier.id.to_string(), name: file.name.clone() });
    }
    let unwritable = |error: std::io::Error| unwritable(shelf, file, &error);
    let mut draft = shelf.draft(&file.name).await.map_err(unwritable)?;
    let rendered = match render(db, keys, carrier, shelf, file, &mut draft).await {
        Ok(rendered) => rendered,
        Err(error) => {
            shelf.discard(draft).await;
            return Err(error);
        }
    };
    let (sha256, bytes) = (draft.sha256(), draft.bytes);
    let expected = match &file.sha256 {
        Some(recorded) => Some(recorded.clone()),
        // Not recorded, but perhaps seen by the carrier: with a manifest beside it a file counts as given away.
        None if shelf.holds(&format!("{}{MANIFEST}", file.name)).await => {
            super::shelf::sha256_of(&shelf.path(&file.name)).await.map_err(unwritable)?
        }
        None => None,
    };
    if expected.is_some_and(|expected| expected != sha256) {
        shelf.discard(draft).await;
        return Err(BillingError::Differs { name: file.name.clone() });
    }
    shelf.place(draft, &file.name).await.map_err(unwritable)?;
    let Rendered { head, totals, line_hash } = rendered;
    let manifest_name = format!("{}{MANIFEST}", file.name);
    let text = manifest(&head, &totals, &file.name, &sha256, bytes);
    let mut draft = shelf.draft(&manifest_name).await.map_err(unwritable)?;
    if let Err(error) = draft.write(text.as_bytes()).await {
        shelf.discard(draft).await;
        return Err(unwritable(error));
    }
    shelf.place(draft, &manifest_name).await.map_err(unwritable)?;
    if !store::published(db, file, &sha256, &line_hash).await? {
        return Err(BillingError::Differs { name: file.name.clone() });
    }
    shelf.sweep(&file.name).await.map_err(unwritable)?;
    Ok(ClosedFile {
        path: shelf.path(&file.name),
        manifest_path: shelf.path(&manifest_name),
        file_seq: file.file_seq,
        period: file.period.clone(),
        records: totals.of_kind("MO") + totals.of_kind("MT"),
        mo: totals.of_kind("MO"),
        mt: totals.of_kind("MT"),
        first_seq: totals.first_seq,
        last_seq: totals.last_seq(),
        bytes,
        sha256,
        more: false,
    })
}

fn unwritable(shelf: &Shelf, file: &FileRow, error: &std::io::Error) -> BillingError {
    let path = shelf.path(&file.name).display().to_string();
    BillingError::Unwritable { file_seq: file.file_seq, path, why: error.to_string() }
}

struct Rendered {
    head: super::file::Head,
    totals: Totals,
    line_hash: String,
}

/// Writes the whole file into a draft.
async fn render(
    db: &Db,
    keys: &Keys,
    carrier: &Carrier,
    shelf: &Shelf,
    file: &FileRow,
    draft: &mut Draft,
) -> Result<Rendered, BillingError> {
    let unfit = || BillingError::Zone { zone: file.zone.clone() };
    let calendar = Calendar::of(&file.zone).ok_or_else(unfit)?;
    let head = file.head(&calendar).ok_or_else(unfit)?;
    let epochs = read::epoch_keys(db, keys).await.map_err(|error| match error {
        LedgerError::Db(error) => BillingError::Store(error),
        LedgerError::Seal(error) => BillingError::Keys(error),
    })?;
    let token_key = carrier.contract_key.as_ref().filter(|_| file.token_check.is_some());
    let token_key = token_key.map(|key| key.expose_secret().as_bytes());
    let recorder = Recorder { database: db.name(), file, carrier: &carrier.id, calendar, epochs, token_key };
    let mut pages = Pages { db, carrier, file, recorder, totals: Totals::new(file.first_seq), lines: Vec::new() };
    let mut chain = Chain::behind(&file.prev_line_hash);
    pages.lines.extend_from_slice(names().as_bytes());
    pages.lines.push(b'\n');
    chain.close(&head.line(), NAMED_HASH, &mut pages.lines);
    for claim in store::claims(db, file).await? {
        let mut lo = claim.lo;
        while let Some(next) = pages.next(&claim, lo, &mut chain).await? {
            lo = next;
            draft.write(&pages.lines).await.map_err(|error| unwritable(shelf, file, &error))?;
            pages.lines.clear();
        }
    }
    let Pages { totals, mut lines, .. } = pages;
    if totals.records != file.records {
        let (claimed, found) = (file.records, totals.records);
        return Err(BillingError::Miscounted { name: file.name.clone(), claimed, found });
    }
    chain.close(&totals.line(), NAMED_HASH, &mut lines);
    draft.write(&lines).await.map_err(|error| unwritable(shelf, file, &error))?;
    Ok(Rendered { head, totals, line_hash: chain.head })
}

/// A claim's rows, page by page.
struct Pages<'a> {
    db: &'a Db,
    carrier: &'a Carrier,
    file: &'a FileRow,
    recorder: Recorder<'a>,
    totals: Totals,
    lines: Vec<u8>,
}

impl Pages<'_> {
    /// Adds the lines of the next page behind `lo`; gives the last n read, or none when the claim is at its end.
    async fn next(&mut self, claim: &ClaimRow, lo: i64, chain: &mut Chain) -> Result<Option<i64>, BillingError> {
        let bad = |column| BillingError::Store(self.bad(column));
        let kind = RecordKind::from_word(&claim.kind).ok_or_else(|| bad("kind"))?;
        let stream = Stream::from_letter(&self.file.stream).ok_or_else(|| bad("stream"))?;
        let (lo, hi) = (RowKey::new(claim.epoch, lo), RowKey::new(claim.epoch, claim.hi));
        let span = Span { kind, carrier: &self.carrier.id, stream, lo, hi };
        let last = match kind {
            RecordKind::Mo => {
                let rows = mo_rows(self.db, span, PAGE).await?;
                for row in &rows {
                    let line = self.recorder.question(self.totals.last_seq() + 1, row, &mut self.totals)?;
                    chain.close(&line, "", &mut self.lines);
                }
                rows.last().map(|row| row.key)
            }
            RecordKind::Mt => {
                let rows = mt_rows(self.db, span, PAGE).await?;
                for row in &rows {
                    let line = self.recorder.reply(self.totals.last_seq() + 1, row, &mut self.totals)?;
                    chain.close(&line, "", &mut self.lines);
                }
                rows.last().map(|row| row.key)
            }
        };
        Ok(last.map(|key| RowKey(key).n()))
    }

    fn bad(&self, column: &'static str) -> DbError {
        DbError::Inconsistent { database: self.db.name(), table: "billing_claim", column, row: self.file.file_seq }
    }
}
