//! The parts of one text on several instances that live: each finds the others' in the store. Of all that have some, the one
//! whose row is the oldest brings the text to its end, unless the last part comes to another one first.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Intake, OpenTexts, part::Held};
use crate::{
    config::Carrier,
    ledger::{LedgerError, OpenPart, Token},
    message::{CarrierId, RowKey},
};

/// Texts looked for in one go at most.
const TEXTS: usize = 500;

/// Rows read in one go at most.
const ROWS: i64 = 20_000;

impl Intake {
    /// Looks for parts of the open texts that came to other instances, and lets go of those that another has used up.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing is known of them; the call may be repeated.
    pub async fn look_beside(&mut self, carriers: &HashMap<CarrierId, Arc<Carrier>>) -> Result<(), LedgerError> {
        let sets = self.texts.some_sets(TEXTS);
        let rows = self.ledger.parts_of_texts(&sets, ROWS).await?;
        // Cut off, the answer does not say what is gone.
        let whole = (rows.len() as i64) < ROWS;
        let own = self.ledger.epoch();
        let mut there: HashMap<Token, Vec<OpenPart>> = HashMap::new();
        for row in rows {
            there.entry(row.set_token).or_default().push(row);
        }
        for set in sets {
            let rows = there.remove(&set).unwrap_or_default();
            if whole {
                let keys: HashSet<RowKey> = rows.iter().map(|row| row.key).collect();
                self.texts.keep_only(&set, &keys);
            }
            for row in rows.into_iter().filter(|row| row.key.epoch() != own) {
                if let Some(carrier) = carriers.get(&row.carrier) {
                    self.texts.see(row, carrier);
                }
            }
        }
        Ok(())
    }
}

impl OpenTexts {
    /// Some of the open texts, others each time when there are many.
    fn some_sets(&mut self, limit: usize) -> Vec<Token> {
        let count = self.open.len();
        let begin = if count > limit { self.looked_at % count } else { 0 };
        self.looked_at = begin + limit;
        let open = self.open.iter().skip(begin).take(limit).filter(|(_, open)| open.closing.is_none());
        open.map(|(set, _)| *set).collect()
    }

    /// Lets go of parts that were on disk and are there no more: another instance has used them up.
    fn keep_only(&mut self, set: &Token, there: &HashSet<RowKey>) {
        let Some(open) = self.open.get_mut(set) else { return };
        let gone = |key: &RowKey| !there.contains(key) && !self.under_way.contains_key(key);
        let used = open.parts.extract_if(.., |_, part| gone(&part.key));
        self.octets -= used.map(|(_, part)| part.weight()).sum::<usize>();
        open.doubled.retain(|key| !gone(key));
        open.foreign.retain(|key| !gone(key));
        if open.parts.is_empty() {
            self.open.remove(set);
        }
    }

    /// A part that another instance has.
    fn see(&mut self, part: OpenPart, carrier: &Carrier) {
        let (set, key) = (part.set_token, part.key);
        let known = |open: &super::open::Open| {
            open.parts.values().any(|held: &Held| held.key == key) || open.doubled.contains(&key)
        };
        // Its text may have come to its end, or the part be ours by now.
        if self.open.get(&set).is_none_or(|open| open.closing.is_some() || known(open)) {
            return;
        }
        self.restore(part, carrier);
        if let Some(open) = self.open.get_mut(&set).filter(|open| known(open)) {
            open.foreign.push(key);
        }
    }
}
