//! The batches of a run, kind by kind. Each gives how many rows went, or none when nothing more of it may go.

use std::collections::HashMap;

use super::{
    Mark, Pair, PruneError, Pruner,
    store::{self, Aged, Marked, OldExchange, OldSettlement},
};
use crate::{
    clock::Micros,
    db::DbError,
    ledger::{
        read::store::{RecordKind, high_water},
        start::store::bad,
    },
    message::RowKey,
};

/// Settlements read in one go while those in no published file are looked through.
const PAGE: i64 = 10_000;

impl Pruner {
    pub(super) async fn exchanges(&mut self, epoch: i64, before: Micros) -> Result<Option<u64>, PruneError> {
        let mark = self.marks.get(&epoch).cloned().unwrap_or_default();
        let after = RowKey::new(epoch, mark.exchange_n);
        let rows = store::exchanges(self.seat.db(), after, self.batch).await?;
        let mut count = 0_usize;
        for row in &rows {
            match self.holds(row, before).await? {
                Some(why) => {
                    self.removed.held.extend(Some(why).filter(|why| !why.is_empty()));
                    break;
                }
                None => count += 1,
            }
        }
        let Some(last) = count.checked_sub(1).and_then(|at| rows.get(at)).map(|row| row.key) else {
            return Ok(None);
        };
        let db = self.seat.db();
        let hash = store::audit_hash(db, last).await?.ok_or(PruneError::Elsewhere)?;
        let audit_hash = hash.try_into().map_err(|_| bad(db, "exchange", "audit_hash", last))?;
        let moved =
            Mark { exchange_n: RowKey(last).n(), exchanges: mark.exchanges + count as i64, audit_hash, ..mark.clone() };
        self.remove(Marked::Exchange, (mark, moved), (after, RowKey(last)), count as u64).await.map(Some)
    }

    /// Why an exchange stays; an empty text when it is only not old enough.
    async fn holds(&mut self, row: &OldExchange, before: Micros) -> Result<Option<String>, PruneError> {
        if row.committed_at >= before.0 {
            return Ok(Some(String::new()));
        }
        let (key, pair) = (RowKey(row.key), row.pair());
        let whose = format!("carrier {}, stream {}", pair.carrier, pair.stream);
        if key.n() > self.published.up_to(&pair, key.epoch(), RecordKind::Mo) {
            return Ok(Some(format!("old questions of {whose}, are in no published billing file: close one")));
        }
        if let Some((_, carrier)) = self.waiting.get(&key.epoch()).filter(|(first, _)| *first <= row.key) {
            return Ok(Some(format!("an old reply of carrier {carrier} still waits to be sent: is the carrier gone?")));
        }
        if !self.unpublished.contains_key(&pair) {
            let found = self.unpublished(&pair).await?;
            self.unpublished.insert(pair.clone(), found);
        }
        let first = self.unpublished.get(&pair).and_then(|known| known.get(&key.epoch()));
        Ok(first
            .filter(|first| **first <= row.key)
            .map(|_| format!("old replies of {whose}, are in no published billing file: close one")))
    }

    /// The first exchange of each epoch that is named by a settlement in no published file.
    async fn unpublished(&self, pair: &Pair) -> Result<HashMap<i64, i64>, DbError> {
        let (db, mut first) = (self.seat.db(), HashMap::new());
        for mark in high_water(db).await? {
            let pruned = self.marks.get(&mark.epoch).map_or(0, |mark| mark.settlement_n);
            let published = self.published.up_to(pair, mark.epoch, RecordKind::Mt);
            let mut after = RowKey::new(mark.epoch, published.max(pruned));
            let to = RowKey::new(mark.epoch, mark.settlement_high);
            loop {
                let rows = store::closing(db, pair, after, to, PAGE).await?;
                for exchange in rows.iter().filter_map(|(_, exchange)| *exchange) {
                    let known = first.entry(RowKey(exchange).epoch()).or_insert(exchange);
                    *known = exchange.min(*known);
                }
                match rows.last() {
                    Some((last, _)) if rows.len() as i64 == PAGE => after = RowKey(*last),
                    Some(_) | None => break,
                }
            }
        }
        Ok(first)
    }

    pub(super) async fn settlements(&mut self, epoch: i64, before: Micros) -> Result<Option<u64>, PruneError> {
        let mark = self.marks.get(&epoch).cloned().unwrap_or_default();
        let after = RowKey::new(epoch, mark.settlement_n);
        let rows = store::settlements(self.seat.db(), after, self.batch).await?;
        let count = rows.iter().take_while(|row| self.is_done_with(row, before)).count();
        let Some(last) = count.checked_sub(1).and_then(|at| rows.get(at)).map(|row| row.key) else {
            return Ok(None);
        };
        let moved =
            Mark { settlement_n: RowKey(last).n(), settlements: mark.settlements + count as i64, ..mark.clone() };
        self.remove(Marked::Settlement, (mark, moved), (after, RowKey(last)), count as u64).await.map(Some)
    }

    /// Whether a settlement may go: it is old, published where it is billed, and its exchange has gone.
    fn is_done_with(&self, row: &OldSettlement, before: Micros) -> bool {
        let exchange_gone = row.exchange_key.is_none_or(|exchange| {
            let exchange = RowKey(exchange);
            self.marks.get(&exchange.epoch()).is_some_and(|mark| exchange.n() <= mark.exchange_n)
        });
        let key = RowKey(row.key);
        let billed = row.closes == 0 || key.n() <= self.published.up_to(&row.pair(), key.epoch(), RecordKind::Mt);
        row.settled_at < before.0 && exchange_gone && billed
    }

    async fn remove(
        &mut self,
        table: Marked,
        (mark, moved): (Mark, Mark),
        (after, last): (RowKey, RowKey),
        count: u64,
    ) -> Result<u64, PruneError> {
        let epoch = after.epoch();
        if !self.dry {
            let seal = moved.seal(epoch, &self.keys);
            let (marks, rows) = ((&mark, &moved), (after, last, count));
            if !store::remove_marked(&mut self.seat, table, marks, rows, (self.now.0, &seal)).await? {
                return Err(PruneError::Elsewhere);
            }
        }
        self.marks.insert(epoch, moved);
        Ok(count)
    }

    pub(super) async fn aged(&mut self, table: Aged, epoch: i64, before: Micros) -> Result<Option<u64>, PruneError> {
        let after = self.cursor.unwrap_or(RowKey::new(epoch, 0));
        let rows = store::aged(self.seat.db(), table, after, self.batch).await?;
        let count = rows.iter().take_while(|(_, at)| *at < before.0).count();
        let Some((last, _)) = count.checked_sub(1).and_then(|at| rows.get(at)) else { return Ok(None) };
        let last = RowKey(*last);
        self.cursor = Some(last);
        if self.dry {
            return Ok(Some(count as u64));
        }
        Ok(Some(store::remove_aged(&mut self.seat, table, after, last).await?))
    }

    pub(super) async fn breaks(&mut self, before: Micros) -> Result<Option<u64>, PruneError> {
        let gone = if !self.dry {
            store::remove_breaks(&mut self.seat, before.0, self.batch).await?
        } else if self.removed.breaks == 0 {
            store::count_breaks(self.seat.db(), before.0).await?.unsigned_abs()
        } else {
            0
        };
        Ok(Some(gone).filter(|gone| *gone > 0))
    }

    pub(super) async fn starts(&mut self, before: Micros) -> Result<Option<u64>, PruneError> {
        let gone = if !self.dry {
            store::remove_starts(&mut self.seat, before.0).await?
        } else if self.removed.starts == 0 {
            store::count_starts(self.seat.db(), before.0).await?.unsigned_abs()
        } else {
            0
        };
        Ok(Some(gone).filter(|gone| *gone > 0))
    }
}

impl OldExchange {
    fn pair(&self) -> Pair {
        Pair { carrier: self.carrier.clone(), stream: self.stream.clone() }
    }
}

impl OldSettlement {
    fn pair(&self) -> Pair {
        Pair { carrier: self.carrier.clone(), stream: self.stream.clone() }
    }
}
