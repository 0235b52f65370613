//! The audit chain, made again from the rows: whether any was altered, put in, or taken away other than by pruning.

mod store;

use std::collections::HashMap;

use super::{
    Keys, LedgerError,
    prune::{Mark, store::marks},
};
use crate::{db::Db, message::RowKey};

/// Rows read in one go.
const PAGE: i64 = 2_000;

/// Breaks that are told; after the first of an epoch the others follow from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// Epochs with rows, or with rows that were pruned.
    pub epochs: usize,
    /// Rows whose hash was made again.
    pub rows: u64,
    /// Rows that were pruned, as the marks have it.
    pub pruned: u64,
    /// What is wrong, in words, at most one for an epoch.
    pub broken: Vec<String>,
}

/// Makes the chain of every epoch again. Reads all exchanges, in pages; what is committed meanwhile is left out.
/// `progress` is told how many rows are done, now and then.
///
/// # Errors
/// [`LedgerError`] when the rows cannot be read. What is wrong with them stands in the report.
pub async fn verify_chain(db: &Db, keys: &Keys, mut progress: impl FnMut(u64)) -> Result<ChainReport, LedgerError> {
    let mut report = ChainReport::default();
    // The marks first: what is pruned after this is seen as a mark that has moved.
    let mut pruned = read_marks(db, keys, &mut report).await?;
    let heads = store::heads(db).await?;
    let mut behind = RowKey(0);
    for head in &heads {
        if let Some(stray) = store::first_behind(db, behind).await?.map(RowKey)
            && stray.epoch() < head.epoch
        {
            report.broken.push(format!("rows of start {}, which is not known, stand in the store", stray.epoch()));
        }
        behind = RowKey::new(head.epoch + 1, 0);
        loop {
            let mark = pruned.get(&head.epoch).cloned();
            let before = report.rows;
            let broken = epoch(db, head, mark.as_ref(), &mut report.rows, &mut progress).await?;
            let Some(broken) = broken else { break };
            // Pruned from under the reading: go on from where the mark is now.
            let again = read_marks(db, keys, &mut ChainReport::default()).await?;
            if again.get(&head.epoch) == mark.as_ref() {
                report.broken.push(broken);
                break;
            }
            (pruned, report.rows) = (again, before);
        }
        report.epochs += usize::from(head.exchange_high > 0);
    }
    if let Some(stray) = store::first_behind(db, behind).await?.map(RowKey)
        && heads.last().is_none_or(|last| stray.epoch() <= last.epoch)
    {
        report.broken.push(format!("rows of start {}, which is not known, stand in the store", stray.epoch()));
    }
    let known = |epoch: &i64| heads.iter().any(|head| head.epoch == *epoch);
    report.epochs += pruned.keys().filter(|epoch| !known(epoch)).count();
    report.pruned = pruned.values().map(|mark| mark.exchanges.unsigned_abs()).sum();
    Ok(report)
}

async fn read_marks(db: &Db, keys: &Keys, report: &mut ChainReport) -> Result<HashMap<i64, Mark>, LedgerError> {
    let mut known = HashMap::new();
    for row in marks(db).await? {
        match Mark::read(&row, keys) {
            Some(mark) => drop(known.insert(row.epoch, mark)),
            None => report.broken.push(format!(
                "the mark to where start {} was pruned was not made with these keys: it was changed by hand",
                row.epoch
            )),
        }
    }
    Ok(known)
}

/// Makes one epoch's chain again; what is wrong with it.
async fn epoch(
    db: &Db,
    head: &store::Head,
    mark: Option<&Mark>,
    rows: &mut u64,
    progress: &mut impl FnMut(u64),
) -> Result<Option<String>, LedgerError> {
    let Mark { exchange_n, audit_hash: mut hash, .. } = mark.cloned().unwrap_or_default();
    let (mut after, to) = (RowKey::new(head.epoch, 0), RowKey::new(head.epoch, head.exchange_high));
    loop {
        let page = store::links(db, after, to, PAGE).await?;
        let last = page.last().map(|row| row.key);
        for row in page {
            let key = RowKey(row.key);
            let at = format!("exchange {} (start {}, number {})", key.0, key.epoch(), key.n());
            if key.n() <= exchange_n {
                return Ok(Some(format!("{at} stands where rows were pruned: it was put in")));
            }
            let stored = row.audit_hash.clone();
            match row.follow(&hash) {
                Err(column) => return Ok(Some(format!("{at} holds a {column} that cannot be: it was altered"))),
                Ok(made) if made[..] != stored[..] => {
                    return Ok(Some(format!("{at} does not follow: it was altered, or a row before it is gone")));
                }
                Ok(made) => hash = made,
            }
            *rows += 1;
        }
        progress(*rows);
        match last {
            Some(last) => after = RowKey(last),
            None => break,
        }
    }
    let fits = hash == head.hash;
    Ok((!fits).then(|| format!("the last rows of start {} are gone, or its end was altered", head.epoch)))
}
