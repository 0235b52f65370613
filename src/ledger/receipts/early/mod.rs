//! Receipts that overtake the responses which name their messages. Each is kept under every id that it may be asked for
//! by, until one of them is named.

pub(super) mod store;

use std::collections::{HashMap, HashSet};

use super::{
    Memory,
    group::{Heard, to_key},
    ids::{keys, receipt_key, rules},
    reply::{Reply, letter},
    store::NewName,
};
use crate::{
    clock::Micros,
    config::ReceiptRules,
    db::{DbError, Tx},
    ledger::row::SettlementResult,
    message::{CarrierId, ReceiptForm, ReceiptState, Stream},
};

/// A receipt overtakes its response by at most this. Carriers use their ids again, so that an older receipt of the same
/// id is another message's.
pub(super) const EARLY_SECONDS: i64 = 24 * 3_600;
/// The same where only the citizen's number tells to which reply it belongs.
const EARLY_NAMELESS_SECONDS: i64 = 60;

/// A receipt as it is kept until it is named.
pub(super) struct Early {
    /// What it is kept under, or was.
    pub(super) names: Vec<String>,
    pub(super) settlement_key: i64,
    pub(super) line: i64,
    pub(super) at: i64,
    pub(super) result: String,
    pub(super) error: String,
    /// Its ids, the first first.
    pub(super) ids: Vec<String>,
    pub(super) destination: Option<Vec<u8>>,
}

impl Early {
    /// One that stands in the book under this key and names no reply of ours yet. `by_number`: its ids say nothing.
    pub(super) fn new(one: Heard, settlement_key: i64, by_number: bool) -> Self {
        let by_number = by_number || one.ids.iter().all(String::is_empty);
        let names = match one.destination.filter(|_| by_number) {
            Some(destination) => vec![to_key(&destination)],
            None => names_of(&one.ids),
        };
        Self {
            names,
            settlement_key,
            line: one.line,
            at: one.at.0,
            result: one.result.as_str().to_owned(),
            error: one.error,
            ids: one.ids,
            destination: one.destination.map(|token| token.to_vec()),
        }
    }

    /// Whether it is that of a name which has come now.
    fn is_for(&self, name: &NewName, rules_of: &ReceiptRules) -> bool {
        let within = |seconds: i64| self.at >= name.at.plus_seconds(-seconds).0;
        if name.raw.is_empty() {
            return self.names.contains(&name.message_id) && within(EARLY_NAMELESS_SECONDS);
        }
        let steps = rules(rules_of.id_form).iter().copied().flatten();
        let mut ids = self.ids.iter().filter(|id| !id.is_empty());
        within(EARLY_SECONDS) && ids.any(|id| steps.clone().any(|rule| rule.fits(&name.raw, id)))
    }

    /// As it was heard.
    fn heard(self, carrier: &CarrierId, stream: Stream, rules: &ReceiptRules) -> Heard {
        Heard {
            carrier: carrier.clone(),
            stream,
            line: self.line,
            at: Micros(self.at),
            letter: letter_of(&self.result, rules.accepted_is_delivered),
            result: SettlementResult::from_word(&self.result).unwrap_or(SettlementResult::Unknown),
            error: self.error,
            ids: self.ids,
            destination: self.destination.and_then(|token| token.try_into().ok()),
            form: ReceiptForm::default(),
            kept: Some(self.settlement_key),
        }
    }
}

/// The forms under which ids are kept, each once.
fn names_of(ids: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in ids.iter().map(|id| receipt_key(id)).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Takes out the receipts that were waiting for these names. What an id may mean in another base, and does not under the
/// carrier's rules, goes on waiting.
pub(super) async fn take(
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
        let (mut back, mut rest) = (Vec::new(), Vec::new());
        for kept in store::take(tx, carrier, &keys).await? {
            let mut of = names.iter().filter(|name| name.carrier == *carrier);
            let Some(name) = of.find(|name| kept.is_for(name, &rules)) else {
                back.push(kept);
                continue;
            };
            let taken: HashSet<&String> = kept.names.iter().collect();
            let others = names_of(&kept.ids).into_iter().filter(|name| !taken.contains(name));
            rest.extend(others.map(|name| (name, kept.settlement_key)));
            let stream = replies.get(&name.exchange).map_or(Stream::Test, |(_, reply)| reply.stream);
            heard.push(kept.heard(carrier, stream, &rules));
        }
        store::keep(tx, carrier, &back).await?;
        store::remove(tx, carrier, &rest).await?;
    }
    // As they came.
    heard.sort_by_key(|one| one.kept);
    Ok(heard)
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
