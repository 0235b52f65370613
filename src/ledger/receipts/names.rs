//! The names that settlements give to replies: the message ids of responses and, where those say nothing, the citizen's
//! number. Receipts that came before their names are brought back.

use std::collections::HashMap;

use super::{
    Memory,
    group::{Heard, to_key},
    ids::{keys, receipt_key, rules, storable},
    reply::{AWAITED, NAMELESS, NOT_TAKEN, Reply, letter},
    store::{self, Early, NewName},
};
use crate::{
    clock::Micros,
    config::{IdForm, ReceiptRules},
    db::{DbError, Tx},
    ledger::{
        FLAG_IN_DOUBT,
        row::{SettlementResult, SettlementRow},
    },
    message::{CarrierId, ReceiptState, Stream},
};

/// A receipt overtakes its response by at most this. Carriers use their ids again, so that an older receipt of the same
/// id is another message's.
pub(super) const EARLY_SECONDS: i64 = 24 * 3_600;
/// The same where only the citizen's number tells to which reply it belongs.
const EARLY_NAMELESS_SECONDS: i64 = 60;
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
        let named = row.message_ids.iter().filter(|id| !id.is_empty()).count();
        let unnamed =
            if usize::from(row.accepted) > named || row.flags & FLAG_IN_DOUBT != 0 { NAMELESS } else { NOT_TAKEN };
        let letter = |id: &String| if id.is_empty() { unnamed } else { AWAITED };
        let segments: Vec<u8> = row.message_ids.iter().map(letter).collect();
        let mut add = |message_id, segment: usize, raw: &str| {
            let (carrier, raw) = (row.carrier.clone(), storable(raw));
            names.push(NewName {
                carrier,
                message_id,
                exchange: key,
                segment: segment as i64,
                at: row.settled_at,
                raw,
            });
        };
        for (segment, id) in row.message_ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
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
    early(tx, &names, &replies, memory).await
}

/// Takes out the receipts that were waiting for these names.
async fn early(
    tx: &mut Tx<'_>,
    names: &[NewName],
    replies: &HashMap<i64, (CarrierId, Reply)>,
    memory: &mut Memory,
) -> Result<Vec<Heard>, DbError> {
    let mut asked: HashMap<&CarrierId, Vec<String>> = HashMap::new();
    for name in names {
        let keys = if name.raw.is_empty() { vec![name.message_id.clone()] } else { keys(&name.raw) };
        asked.entry(&name.carrier).or_default().extend(keys);
    }
    let mut heard = Vec::new();
    for (carrier, keys) in asked {
        let rules = memory.of(carrier).rules;
        for kept in store::take_early(tx, carrier, &keys).await? {
            let of = names.iter().filter(|name| name.carrier == *carrier);
            let of: Vec<&NewName> = of.filter(|name| is_for(&kept, name, &rules)).collect();
            let Some(name) = of.first() else { continue };
            heard.push(Heard {
                carrier: carrier.clone(),
                stream: replies.get(&name.exchange).map_or(Stream::Test, |(_, reply)| reply.stream),
                line: kept.line,
                at: Micros(kept.at),
                letter: letter_of(&kept.result, rules.accepted_is_delivered),
                result: SettlementResult::from_word(&kept.result).unwrap_or(SettlementResult::Unknown),
                error: kept.error,
                ids: vec![kept.raw_id],
                destination: kept.destination.and_then(|token| token.try_into().ok()),
                kept: Some(kept.settlement_key),
            });
        }
    }
    // As they came.
    heard.sort_by_key(|one| one.kept);
    Ok(heard)
}

/// Whether a receipt that was kept is that of a name which has come now.
fn is_for(kept: &Early, name: &NewName, rules_of: &ReceiptRules) -> bool {
    if name.raw.is_empty() {
        return kept.message_id == name.message_id && kept.at >= name.at.plus_seconds(-EARLY_NAMELESS_SECONDS).0;
    }
    let mut steps = rules(rules_of.id_form).iter().copied().flatten();
    kept.at >= name.at.plus_seconds(-EARLY_SECONDS).0 && steps.any(|rule| rule.fits(&name.raw, &kept.raw_id))
}

fn letter_of(result: &str, accepted_is_delivered: bool) -> u8 {
    let state = match SettlementResult::from_word(result) {
        Some(SettlementResult::Delivered) => ReceiptState::Delivered,
        Some(SettlementResult::Undelivered) => ReceiptState::Failed,
        Some(SettlementResult::Accepted) => ReceiptState::Accepted,
        Some(SettlementResult::InHand) => ReceiptState::InHand,
        Some(SettlementResult::Unknown | SettlementResult::Rejected | SettlementResult::Expired) | None => {
            ReceiptState::Unknown
        }
    };
    letter(state, false, accepted_is_delivered)
}
