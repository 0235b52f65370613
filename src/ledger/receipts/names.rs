//! The names that settlements give to replies: the message ids of responses and, where those say nothing, the citizen's
//! number. Receipts that came before their names are brought back.

use std::collections::HashMap;

use super::{
    Memory, early,
    group::{Heard, to_key},
    ids::{receipt_key, storable},
    reply::{AWAITED, NAMELESS, NOT_TAKEN, Reply},
    store::{self, NewName},
};
use crate::{
    config::IdForm,
    db::{DbError, Tx},
    ledger::{FLAG_IN_DOUBT, row::SettlementRow},
    message::CarrierId,
};

/// Keeps the names that settlements give to their replies, and gives back the receipts that came before them.
pub(in crate::ledger) async fn keep(
    tx: &mut Tx<'_>,
    rows: &[&SettlementRow],
    memory: &mut Memory,
) -> Result<Vec<Heard>, DbError> {
    let sent = |row: &&&SettlementRow| row.receipts && (row.accepted > 0 || row.flags & FLAG_IN_DOUBT != 0);
    let rows: Vec<&SettlementRow> = rows.iter().filter(sent).copied().collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let destinations = store::destinations(tx, &rows.iter().map(|row| row.exchange.0).collect::<Vec<_>>()).await?;
    let mut names: Vec<NewName> = Vec::new();
    let mut replies: HashMap<i64, (CarrierId, Reply)> = HashMap::new();
    for row in rows {
        let key = row.exchange.0;
        let known = memory.of(&row.carrier);
        let ids: Vec<String> = row.message_ids.iter().map(|id| stored(id)).collect();
        let named = ids.iter().filter(|id| !id.is_empty()).count();
        let unnamed =
            if usize::from(row.accepted) > named || row.flags & FLAG_IN_DOUBT != 0 { NAMELESS } else { NOT_TAKEN };
        let letter = |id: &String| if id.is_empty() { unnamed } else { AWAITED };
        let segments: Vec<u8> = ids.iter().map(letter).collect();
        let mut add = |message_id, segment: usize, raw: &str| {
            names.push(NewName {
                carrier: row.carrier.clone(),
                message_id,
                exchange: key,
                segment: segment as i64,
                at: row.settled_at,
                raw: raw.to_owned(),
            });
        };
        for (segment, id) in ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
            known.named(id, key, row.settled_at);
            add(receipt_key(id), segment, id);
        }
        let destination = destinations.get(&key).copied();
        let by_number = known.unusable || known.rules.id_form == IdForm::Unusable || segments.contains(&NAMELESS);
        if let Some(destination) = destination.filter(|_| by_number) {
            add(to_key(&destination), 0, "");
        }
        let reply = Reply {
            stream: row.stream,
            line: row.line.map(i64::from),
            at: row.settled_at,
            destination,
            segments,
            result: None,
            changed: false,
        };
        replies.entry(key).or_insert_with(|| (row.carrier.clone(), reply));
    }
    store::add(tx, &names, &replies).await?;
    early::take(tx, &names, &replies, memory).await
}

/// A message id as it is stored; empty when it says nothing.
fn stored(id: &str) -> String {
    if receipt_key(id).is_empty() { String::new() } else { storable(id) }
}
