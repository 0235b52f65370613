//! What a start finds: the epoch it takes, what earlier starts left unsent or unjoined, and what may be sent again.

pub(super) mod store;

use crate::{
    clock::Micros,
    db::Db,
    ledger::{
        LedgerError, read,
        seal::{Keys, SealError, Table, Token},
    },
    message::{CarrierId, RowKey},
};

/// Rows that are tried with the keys. One alone may be damaged.
const TRIED: i64 = 3;

/// Whether the keys open the newest rows of a store. With those of another store every waiting reply would be unreadable
/// and be given up, and every message sent again would be taken for a new one, so a start must not go on.
///
/// # Errors
/// [`SealError::OtherStore`] when none of the rows opens that were sealed with a key of these numbers;
/// [`LedgerError::Db`] when they cannot be read. Nothing is changed.
pub async fn try_keys(db: &Db, keys: &Keys) -> Result<(), LedgerError> {
    let newest = store::newest_sealed(db, TRIED).await?;
    let epochs = read::epoch_keys(db, keys).await?;
    let mut tried = newest.iter().filter_map(|(key, sealed)| {
        let (row, epoch) = (RowKey(*key), epochs.get(&RowKey(*key).epoch())?);
        Some(epoch.open(Table::Exchange, row, sealed).is_ok())
    });
    // A key that is missing from the file can be put back; one that does not fit never will.
    match tried.next() {
        Some(false) if !tried.any(|opens| opens) => Err(SealError::OtherStore.into()),
        Some(_) | None => Ok(()),
    }
}

/// An epoch that belonged to this instance before.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its number.
    pub epoch: i64,
    /// Its last sign of life: its orderly end, else its last commit.
    pub last_seen: Micros,
    /// n of its last exchange.
    pub exchange_high: i64,
    /// Whether it ended in order. Only the start that comes next knows a crash.
    pub orderly: bool,
}

/// A session break that lies within the time in which messages may be sent again.
#[derive(Clone, Debug)]
pub struct Break {
    /// Whose session; none for the end of a whole process.
    pub carrier: Option<CarrierId>,
    /// When.
    pub at: Micros,
    /// The last exchange before it.
    pub high: RowKey,
}

/// An exchange that may be sent again by its SMSC.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Its key.
    pub key: RowKey,
    /// Whose line.
    pub carrier: CarrierId,
    /// When it was committed.
    pub committed_at: Micros,
    /// Fingerprints of its parts.
    pub fingerprints: Vec<Token>,
}

/// A part whose text is not whole, as it was stored. Not to be printed: its content stands open in it.
#[derive(Clone)]
pub struct OpenPart {
    /// Its key.
    pub key: RowKey,
    /// When it was read.
    pub received_at: Micros,
    /// Whose line.
    pub carrier: CarrierId,
    /// Which line, from 0.
    pub line: u16,
    /// What its parts share.
    pub set_token: Token,
    /// From 1.
    pub index: u8,
    /// At least 2.
    pub total: u8,
    /// The parts' reference.
    pub reference: u16,
    /// data_coding.
    pub data_coding: u8,
    /// Fingerprint of the physical message.
    pub fingerprint: Token,
    /// Sender, short code and octets, opened.
    pub content: zeroize::Zeroizing<Vec<u8>>,
}
