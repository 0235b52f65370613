//! Billing: ledger rows to numbered, closed, hashed files that a carrier and the agency can both trust.
//!
//! A record is not written here: it came to be with the exchange and its settlement. [`close`] numbers what is committed
//! and in no file yet, in one transaction, and then renders it: a pure function of rows, so a crash in between is
//! repaired by rendering again, and a file made again years later is the same to the last octet. Numbers have no gaps,
//! files never change, and nothing to bill is a file, too.
//!
//! A file belongs to one month of the contract's zone. What came in after the month's end goes into the next file; a
//! record of a month whose files are closed keeps its own `period` and is marked `late`.
//!
//! A file is CSV (RFC 4180, UTF-8, line feeds): a line of names, the header `H`, the records `R`, the trailer `T`. Only the
//! records have the columns that are named; header and trailer hold fields of the form `name=value`. Every line but the
//! first ends in its hash, which hangs on the line before and, over the file's edge, on the file before.
//!
//! The folder of a carrier is `<dir>/<carrier>/`. A file is there in full once `<name>.manifest.json` is. The manifest's
//! `key_id` and `signature` are null: files are not signed yet.

mod calendar;
mod file;
mod line;
mod publish;
mod record;
mod shelf;
mod store;
mod verify;

use std::path::PathBuf;

use tracing::{info, warn};

pub use verify::{Finding, Verified, verify};

use crate::{
    clock::Micros,
    config::{BillingSettings, Carrier},
    db::{Db, DbError},
    ledger::{self, Keys, Pair, Published, SealError, read::store::RecordKind},
};

/// How often a close begins anew because another close was quicker.
const TRIES: usize = 64;

/// Files looked at together by [`repair`].
const BATCH: i64 = 500;

/// Why a file was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its time was up.
    Time,
    /// It had enough records.
    Records,
    /// It was large enough.
    Size,
    /// The month ended.
    Period,
    /// Someone asked for it.
    Manual,
    /// The tariff, the profile or the program changed.
    Change,
    /// The disk was filling up.
    Storage,
}

impl CloseReason {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Records => "records",
            Self::Size => "size",
            Self::Period => "period",
            Self::Manual => "manual",
            Self::Change => "change",
            Self::Storage => "storage",
        }
    }
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedFile {
    /// The file.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest_path: PathBuf,
    /// Its number, from 1, for its carrier and stream.
    pub file_seq: i64,
    /// The month it belongs to: `2026-11`.
    pub period: String,
    /// Its records, of all kinds.
    pub records: u64,
    /// Its questions.
    pub mo: u64,
    /// Its replies.
    pub mt: u64,
    /// The number of its first record; in an empty file that of the next record to come.
    pub first_seq: i64,
    /// The number of its last record; `first_seq - 1` in an empty file.
    pub last_seq: i64,
    /// Its length.
    pub bytes: u64,
    /// Of the file, in hex.
    pub sha256: String,
    /// Records of a later month were left for the next file: close again.
    pub more: bool,
}

impl ClosedFile {
    /// The file's name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Why there is no file. Running the same again after what the error asks for loses and doubles nothing.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// The store. A file that was numbered keeps its number and is made at the next try.
    #[error("{0}; run it again when the store can be used")]
    Store(#[from] DbError),
    /// A sealed number could not be opened.
    #[error(transparent)]
    Keys(#[from] SealError),
    /// The numbers sealed by one start of the service cannot be opened.
    #[error("start {epoch} of the service sealed with a key that is not in the key file; put it back, then run again")]
    EpochKey {
        /// The start.
        epoch: i64,
    },
    /// The carrier's folder cannot be written to.
    #[error("folder \"{path}\" cannot be used: {why}; no new file was numbered; allow writing there, then run again")]
    Folder {
        /// The folder.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The file is numbered, but could not be written.
    #[error(
        "\"{path}\" cannot be written: {why}; its number {file_seq} and its records are kept for it; make room or allow \
         writing there, then run again, and the same file will be made"
    )]
    Unwritable {
        /// Its number.
        file_seq: i64,
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A file made again came out otherwise than it was published.
    #[error(
        "\"{name}\" was published with another content than its rows give now; nothing was changed: find out whether the \
         file or the store was altered before anything else is billed"
    )]
    Differs {
        /// The file.
        name: String,
    },
    /// A file cannot be made again with another contract key.
    #[error(
        "\"{name}\" was numbered under another contract key of carrier {carrier}; put that key back, then run again"
    )]
    ContractKey {
        /// The carrier.
        carrier: String,
        /// The file.
        name: String,
    },
    /// The rows of a file are not those it claimed.
    #[error("\"{name}\" claims {claimed} records, but the store holds {found}: rows were removed or added by hand")]
    Miscounted {
        /// The file.
        name: String,
        /// Counted when it was numbered.
        claimed: i64,
        /// Found now.
        found: i64,
    },
    /// The zone is not known, or a time lies outside all calendars.
    #[error(
        "zone \"{zone}\" is not known to this program, or the clock is far off; correct `billing.zone` or the clock"
    )]
    Zone {
        /// The zone.
        zone: String,
    },
    /// Others close files of this carrier all the time.
    #[error("others are closing files of this carrier at the same time; run it again")]
    Busy,
}

/// Closes the next file of a carrier's stream: numbers what is committed and in no file yet, renders it, publishes it.
/// Files that an earlier close could not finish are published first. An empty file is written when there is nothing.
///
/// # Errors
/// [`BillingError`] says what to do; then the same call goes on where it ended.
pub async fn close(
    db: &Db,
    keys: &Keys,
    carrier: &Carrier,
    settings: &BillingSettings,
    now: Micros,
    reason: CloseReason,
) -> Result<ClosedFile, BillingError> {
    let calendar = calendar::Calendar::of(&settings.zone);
    let calendar = calendar.ok_or_else(|| BillingError::Zone { zone: settings.zone.clone() })?;
    let shelf = open_shelf(carrier, settings).await?;
    // The service may have ended because the disk did not keep what it wrote, and nothing has started since.
    db.make_log_durable().await?;
    let order = store::Order {
        carrier: &carrier.id,
        stream: carrier.stream,
        code: &carrier.code,
        operator: &settings.operator,
        zone: &settings.zone,
        token_check: publish::token_check(carrier),
        reason,
    };
    for _ in 0..TRIES {
        finish(db, keys, carrier, &shelf).await?;
        if let store::Claimed::File { file, more } = store::claim(db, &order, &calendar, now).await? {
            let closed = publish::publish(db, keys, carrier, &shelf, &file).await?;
            info!(carrier.name = %carrier.id, file = file.name, records = closed.records, "Billing file closed");
            return Ok(ClosedFile { more, ..closed });
        }
    }
    Err(BillingError::Busy)
}

/// What stands in published files: only that may ever be removed from the store.
///
/// # Errors
/// [`DbError`] when it cannot be read.
pub async fn published(db: &Db) -> Result<Published, DbError> {
    let mut published = Published::default();
    for (carrier, stream, epoch, kind, hi) in store::published_claims(db).await? {
        if let Some(kind) = RecordKind::from_word(&kind) {
            published.add(Pair { carrier, stream }, epoch, kind, hi);
        }
    }
    Ok(published)
}

/// Publishes again what is numbered but not published, or is missing in the folder: each comes back as it was. A folder
/// that the carrier empties by moving files away is filled again, so this is for repairs, not for every day. A published
/// file whose rows were pruned cannot come back: that is logged.
///
/// # Errors
/// [`BillingError`] says what to do; then the same call goes on where it ended.
pub async fn repair(
    db: &Db,
    keys: &Keys,
    carrier: &Carrier,
    settings: &BillingSettings,
) -> Result<Vec<ClosedFile>, BillingError> {
    let shelf = open_shelf(carrier, settings).await?;
    let pruned = ledger::read::was_pruned(db).await?;
    let (mut repaired, mut after) = (Vec::new(), 0);
    loop {
        let files = store::files(db, &carrier.id, carrier.stream, after, true, BATCH).await?;
        let Some(last) = files.last() else { return Ok(repaired) };
        after = last.file_seq;
        for file in &files {
            let there = shelf.holds(&file.name).await && shelf.holds(&format!("{}{}", file.name, file::MANIFEST)).await;
            if file.sha256.is_none() || file.line_hash.is_none() || !there {
                match publish::publish(db, keys, carrier, &shelf, file).await {
                    Ok(made) => repaired.push(made),
                    Err(BillingError::Miscounted { .. }) if file.sha256.is_some() && pruned => {
                        warn!(
                            carrier.name = %carrier.id,
                            file = file.name,
                            "Billing file cannot be made again: its rows were pruned; take it from your archive"
                        );
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                warn!(carrier.name = %carrier.id, file = file.name, "Billing file was made again");
            }
        }
    }
}

/// Publishes what an earlier close numbered and could not finish.
async fn finish(db: &Db, keys: &Keys, carrier: &Carrier, shelf: &shelf::Shelf) -> Result<(), BillingError> {
    for file in store::files(db, &carrier.id, carrier.stream, 0, false, BATCH).await? {
        publish::publish(db, keys, carrier, shelf, &file).await?;
        warn!(carrier.name = %carrier.id, file = file.name, "Billing file of an unfinished close was published");
    }
    Ok(())
}

async fn open_shelf(carrier: &Carrier, settings: &BillingSettings) -> Result<shelf::Shelf, BillingError> {
    shelf::Shelf::open(settings.dir.join(carrier.id.as_str())).await
}
