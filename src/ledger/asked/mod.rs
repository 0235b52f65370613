//! Several instances on one store: a message that comes to one and was taken by another of late. Whether it was sent again,
//! or asked anew by the citizen, nobody knows at first: it is not stored and its SMSC asked to send it once more, until
//! the other has ended or lost the session, or has shown that it has not.

pub(super) mod store;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    Break, Ledger, LedgerError, Recent, Token,
    row::{Entry, Fate},
    seal::TOKEN,
    start, writer,
};
use crate::{
    clock::Micros,
    db::{DbError, Tx, step},
    message::{CarrierId, RowKey},
};

/// Messages in doubt at most; those beyond are asked for again, and then weighed.
const DOUBTS: usize = 10_000;

/// A message that another instance has taken of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// Its fingerprint.
    pub print: Token,
    /// What it became there.
    pub of: RowKey,
}

/// A message that its SMSC may send again although it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// Its fingerprint.
    pub print: Token,
    /// The row it became.
    pub key: RowKey,
    /// The exchange that uses it up, if it is a part and that one is stored; else the same row.
    pub of: RowKey,
}

/// What is known of the first copy of a message in doubt.
#[derive(Clone, Debug)]
pub struct FirstCopy {
    /// Whose line it came by.
    pub carrier: CarrierId,
    /// When it was read.
    pub received_at: Micros,
    /// When it was stored.
    pub committed_at: Micros,
    /// Its answer may have been lost: its session broke soon after, or its process ended, or a temporary error had left.
    pub unheard: bool,
    /// The start that took it has ended.
    pub ended: bool,
    /// How often that start has committed.
    pub commits: i64,
}

/// Messages in doubt, as the writer met them.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    met: Mutex<VecDeque<Doubt>>,
    shared: AtomicBool,
}

impl Doubts {
    pub(super) fn add(&self, doubts: impl IntoIterator<Item = Doubt>) {
        let mut known = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        for doubt in doubts {
            if known.len() < DOUBTS && !known.contains(&doubt) {
                known.push_back(doubt);
            }
        }
    }

    /// Whether other instances run, or did of late.
    pub(super) fn is_shared(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
    }

    fn take(&self) -> Vec<Doubt> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// What one transaction may not store, by the places of the entries.
#[derive(Debug, Default)]
pub(super) struct Unfit {
    pub(super) fates: Vec<(usize, Fate)>,
    pub(super) doubts: Vec<Doubt>,
}

impl Unfit {
    pub(super) fn is_empty(&self) -> bool {
        self.fates.is_empty()
    }
}

/// Says for all instances which messages these entries are. Gives those that another has taken of late.
pub(super) async fn claim(tx: &mut Tx<'_>, entries: &[(usize, &Entry)], now: Micros) -> Result<Unfit, DbError> {
    let mut wishes: BTreeMap<Token, Vec<usize>> = BTreeMap::new();
    for (at, (_, entry)) in entries.iter().enumerate() {
        let prints = match entry {
            Entry::Exchange { row, .. } => row.fingerprints.as_slice(),
            Entry::Part { row, .. } => row.fingerprint.as_slice(),
            Entry::Repeat { .. }
            | Entry::Sending(_)
            | Entry::Settlement(_)
            | Entry::Odd { .. }
            | Entry::Receipt { .. } => continue,
        };
        for print in prints.chunks_exact(TOKEN).filter_map(|print| Token::try_from(print).ok()) {
            wishes.entry(print).or_default().push(at);
        }
    }
    // A part and the exchange that uses it up may come together: the last one counts. In the order of the fingerprints, so
    // that two instances never wait for each other.
    let last = |places: &Vec<usize>| places.last().and_then(|at| entries.get(*at)).map(|(_, entry)| *entry);
    let wished: Vec<(Token, RowKey)> =
        wishes.iter().filter_map(|(print, places)| Some((*print, key_of(last(places)?)?))).collect();
    let mut unfit = Unfit::default();
    for (print, of) in store::claim(tx, &wished, now).await? {
        let Some(places) = wishes.get(&print) else { continue };
        if let Some(Entry::Exchange { row, consumes, .. }) = last(places)
            && consumes.contains(&of)
        {
            // A part that another instance had taken, and that is being used up here.
            store::reclaim(tx, &print, row.key, now).await?;
            continue;
        }
        let elsewhere = places.iter().filter_map(|at| entries.get(*at)).map(|(place, _)| (*place, Fate::Elsewhere));
        unfit.fates.extend(elsewhere);
        unfit.doubts.push(Doubt { print, of });
    }
    Ok(unfit)
}

fn key_of(entry: &Entry) -> Option<RowKey> {
    match entry {
        Entry::Exchange { row, .. } => Some(row.key),
        Entry::Part { row, .. } => Some(row.key),
        Entry::Repeat { .. } | Entry::Sending(_) | Entry::Settlement(_) | Entry::Odd { .. } | Entry::Receipt { .. } => {
            None
        }
    }
}

impl Ledger {
    /// Whether other instances run, or did of late, as of the last commit.
    pub fn is_shared(&self) -> bool {
        self.doubts.shared.load(Ordering::Relaxed)
    }

    /// Notes, for other instances and for the next start, that the SMSC was told to send these again although they are stored,
    /// or may not have heard the answer to them in time.
    pub async fn note_unheard(&self, messages: Vec<Unheard>) {
        if !messages.is_empty() {
            let _ = self.work.send(writer::Work::Unheard(messages)).await;
        }
    }

    /// What SMSCs may send again since a moment although it is stored and no session broke, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerError`]; a start must not go on without it.
    pub async fn told_again(&self, since: Micros, limit: usize) -> Result<Vec<Recent>, LedgerError> {
        Ok(store::told_again(&self.db, since, limit).await?)
    }

    /// Messages in doubt that were met since this was last asked.
    pub fn doubts(&self) -> Vec<Doubt> {
        self.doubts.take()
    }

    /// What is known of the first copy of a message in doubt; nothing when its row is there no more. `margin_seconds`: how
    /// long before a break an answer may have been lost.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing is known yet.
    pub async fn first_copy(&self, doubt: &Doubt, margin_seconds: i64) -> Result<Option<FirstCopy>, LedgerError> {
        Ok(store::first_copy(&self.db, doubt, margin_seconds).await?)
    }

    /// The other instance has heard nothing of a break: the next copy of this message is a new one.
    ///
    /// # Errors
    /// [`LedgerError`]: it is in doubt as before.
    pub async fn clear(&self, doubt: &Doubt) -> Result<(), LedgerError> {
        Ok(step::whole(Box::pin(store::forget(&self.db, doubt))).await?)
    }

    /// Lets go of what was taken too long ago to say anything.
    ///
    /// # Errors
    /// [`LedgerError`]; the call may be repeated.
    pub async fn prune_asked(&self, now: Micros) -> Result<(), LedgerError> {
        Ok(step::whole(Box::pin(store::prune(&self.db, now))).await?)
    }

    /// Session breaks and ends of the other instances since a moment.
    ///
    /// # Errors
    /// [`LedgerError`]; the call may be repeated.
    pub async fn breaks_of_others(&self, since: Micros) -> Result<Vec<Break>, LedgerError> {
        Ok(store::breaks_of_others(&self.db, &self.instance, since).await?)
    }

    /// What may be sent again because of one break, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerError`]; the call may be repeated.
    pub async fn unheard(&self, lost: &Break, margin_seconds: i64, limit: usize) -> Result<Vec<Recent>, LedgerError> {
        let since = lost.at.plus_seconds(-margin_seconds);
        let mut recent = start::store::recent(&self.db, lost.high, since, limit).await?;
        recent.retain(|one| lost.carrier.as_ref().is_none_or(|carrier| *carrier == one.carrier));
        Ok(recent)
    }
}
