//! The receipts of one group of entries, brought to their replies; and what is done about those that do not come.

use std::collections::HashMap;

use super::{
    Memory, News,
    choose::{Asked, Found, choose},
    early::{self, EARLY_SECONDS, Early},
    ids::{keys, storable},
    reply::{Effect, Reply, letter},
    store,
};
use crate::{
    clock::Micros,
    config::{IdForm, ReceiptRules},
    db::{Db, DbError, Tx},
    ledger::{
        Keys, Token, hex,
        row::SettlementResult,
        settling::store::{Note, Settled},
        writer::Mark,
    },
    message::{CarrierId, ReceiptForm, ReceiptState, ReceiptTlvs, Sender, Stream},
};

/// Replies given up, or forgotten, in one go at most.
const TENDED: i64 = 256;

/// A receipt on its way to its reply.
#[derive(Clone, Debug)]
pub(in crate::ledger) struct Heard {
    pub(super) carrier: CarrierId,
    pub(super) stream: Stream,
    pub(super) line: i64,
    pub(super) at: Micros,
    pub(super) letter: u8,
    pub(super) result: SettlementResult,
    pub(super) error: String,
    pub(super) ids: Vec<String>,
    pub(super) destination: Option<Token>,
    pub(super) form: ReceiptForm,
    /// It was kept until its id is known, under this settlement key.
    pub(super) kept: Option<i64>,
}

impl Heard {
    /// Reads what a receipt says under the rules of its carrier.
    pub(in crate::ledger) fn new(
        memory: &mut Memory,
        keys: &Keys,
        (carrier, stream, line): (&CarrierId, Stream, u16),
        receipt: &ReceiptTlvs,
        at: Micros,
    ) -> Self {
        let rules = memory.of(carrier).rules;
        let ids = [Some(&receipt.message_id), receipt.other_id.as_ref()];
        Self {
            carrier: carrier.clone(),
            stream,
            line: line.into(),
            at,
            letter: letter(receipt.state, receipt.intermediate, rules.accepted_is_delivered),
            result: result_of(receipt.state, receipt.intermediate),
            error: storable(&receipt.error),
            ids: ids.into_iter().flatten().map(|id| storable(id)).collect(),
            destination: destination(keys, receipt),
            form: receipt.form,
            kept: None,
        }
    }

    fn asked<'a>(&self, ids: &'a [&'a str], rules: &ReceiptRules, unusable: bool) -> Asked<'a> {
        Asked {
            ids,
            destination: self.destination,
            form: rules.id_form,
            unusable,
            at: self.at,
            awaited_seconds: seconds(rules.awaited),
        }
    }

    fn keys(&self) -> Vec<String> {
        let by_id = self.ids.iter().filter(|id| !id.is_empty()).flat_map(|id| keys(id));
        by_id.chain(self.destination.as_ref().map(to_key)).collect()
    }

    fn raw_id(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }
}

fn result_of(state: ReceiptState, intermediate: bool) -> SettlementResult {
    match state {
        ReceiptState::Delivered if !intermediate => SettlementResult::Delivered,
        ReceiptState::Failed if !intermediate => SettlementResult::Undelivered,
        ReceiptState::Accepted => SettlementResult::Accepted,
        ReceiptState::Delivered | ReceiptState::Failed | ReceiptState::InHand => SettlementResult::InHand,
        ReceiptState::Unknown => SettlementResult::Unknown,
    }
}

/// Whom a receipt names as its message's receiver.
fn destination(keys: &Keys, receipt: &ReceiptTlvs) -> Option<Token> {
    match Sender::read(&receipt.source) {
        Sender::Phone(number) => Some(keys.sender(number)),
        Sender::NotAPhone => None,
    }
}

/// The name under which a reply is found by whom it went to.
pub(super) fn to_key(destination: &Token) -> String {
    format!("to:{}", hex(destination))
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Brings receipts to their replies: one look-up a carrier, whatever their number.
pub(in crate::ledger) async fn listen(
    tx: &mut Tx<'_>,
    heard: Vec<Heard>,
    settled: &mut Settled,
    mark: &mut Mark,
    memory: &mut Memory,
) -> Result<Vec<(CarrierId, News)>, DbError> {
    let mut carriers: Vec<(CarrierId, Vec<Heard>)> = Vec::new();
    for one in heard {
        match carriers.iter_mut().find(|(carrier, _)| *carrier == one.carrier) {
            Some((_, all)) => all.push(one),
            None => carriers.push((one.carrier.clone(), vec![one])),
        }
    }
    // All instances that share a store lock in one order.
    carriers.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    let mut news = Vec::new();
    for (carrier, heard) in carriers {
        let known = memory.of(&carrier);
        let (rules, unusable) = (known.rules, known.unusable);
        let keys: Vec<String> = heard.iter().flat_map(Heard::keys).collect();
        let newest = heard.iter().map(|one| one.at).max().unwrap_or_default();
        let since = newest.plus_seconds(-seconds(rules.ids_kept));
        let (names, mut replies) = store::names(tx, &carrier, &keys, since).await?;
        let mut orphans = Vec::new();
        for one in heard {
            let ids: Vec<&str> = one.ids.iter().map(String::as_str).collect();
            let told = match choose(&one.asked(&ids, &rules, unusable), &names.of(&one.keys()), &replies) {
                Some(found) => matched(&one, found, &rules, &mut replies, settled, mark),
                None => orphan(one, rules.id_form == IdForm::Unusable || unusable, settled, mark, &mut orphans),
            };
            news.extend(told.into_iter().map(|news| (carrier.clone(), news)));
        }
        early::store::keep(tx, &carrier, &orphans).await?;
        store::update(tx, &carrier, &replies).await?;
    }
    Ok(news)
}

fn matched(
    one: &Heard,
    found: Found,
    rules: &ReceiptRules,
    replies: &mut HashMap<i64, Reply>,
    settled: &mut Settled,
    mark: &mut Mark,
) -> Vec<News> {
    let Some(reply) = replies.get_mut(&found.exchange) else { return Vec::new() };
    let effect = reply.take(found.segment, one.letter, rules.segments);
    let mut news = vec![News::Hit(found.rule, one.form)];
    let met = match effect {
        Effect::Twice => Some("receipt_twice"),
        Effect::AfterFinal => Some("receipt_after_final"),
        Effect::Behind => Some("intermediate_then_final"),
        Effect::Moved | Effect::Ended(_) => None,
    };
    news.extend(met.map(News::Met));
    news.extend(found.reused.then_some(News::Met("id_reused")));
    news.extend(one.kept.map(|_| News::Met("receipt_before_submit_resp")));
    if one.result == SettlementResult::Accepted && !rules.accepted_is_delivered {
        news.push(News::Met("accepted_is_not_delivered"));
    }
    if effect != Effect::Twice {
        settled.note(&note(one, Some(found.exchange)), mark);
    }
    if let Effect::Ended(result) = effect {
        settled.note(&outcome(&one.carrier, found.exchange, reply, result, one.at), mark);
    }
    news
}

fn orphan(one: Heard, by_number: bool, settled: &mut Settled, mark: &mut Mark, orphans: &mut Vec<Early>) -> Vec<News> {
    // One that was kept stands in the book already.
    let (settlement_key, news) = match one.kept {
        Some(key) => (key, Vec::new()),
        None => (settled.note(&note(&one, None), mark).0, vec![News::Met("receipt_unknown_id")]),
    };
    orphans.push(Early::new(one, settlement_key, by_number));
    news
}

fn note(one: &Heard, exchange: Option<i64>) -> Note<'_> {
    Note {
        derived: false,
        carrier: &one.carrier,
        stream: one.stream,
        line: Some(one.line),
        at: one.at,
        exchange,
        result: one.result,
        error: Some(&one.error),
        raw_id: Some(one.raw_id()),
        segments: (0, i64::from(one.result == SettlementResult::Delivered)),
    }
}

/// What the receipts of a reply come to.
fn outcome<'a>(carrier: &'a CarrierId, exchange: i64, reply: &Reply, result: SettlementResult, at: Micros) -> Note<'a> {
    let (taken, delivered) = reply.counts();
    Note {
        derived: true,
        carrier,
        stream: reply.stream,
        line: reply.line,
        at,
        exchange: Some(exchange),
        result,
        error: None,
        raw_id: None,
        segments: (taken as i64, delivered as i64),
    }
}

/// Gives up replies whose receipts did not come in time, and forgets what is too old to be asked for. Carriers that were
/// taken out of the configuration left rows, too.
pub(in crate::ledger) async fn tend(
    tx: &mut Tx<'_>,
    settled: &mut Settled,
    mark: &mut Mark,
    memory: &mut Memory,
    now: Micros,
) -> Result<Vec<(CarrierId, News)>, DbError> {
    for carrier in store::carriers(tx).await? {
        memory.of(&carrier);
    }
    let (mut news, mut full) = (Vec::new(), false);
    for (carrier, known) in &memory.carriers {
        let rules = known.rules;
        let late = store::overdue(tx, carrier, now.plus_seconds(-seconds(rules.awaited)), TENDED).await?;
        full |= late.len() as i64 == TENDED;
        for (exchange, reply) in &late {
            settled.note(&outcome(carrier, *exchange, reply, SettlementResult::Unknown, now), mark);
            news.push((carrier.clone(), News::Met("receipt_never_comes")));
        }
        store::update(tx, carrier, &late).await?;
        let forgotten = store::forget(tx, carrier, now.plus_seconds(-seconds(rules.ids_kept)), TENDED).await?;
        full |= forgotten as i64 == TENDED;
    }
    full |= early::store::forget(tx, now.plus_seconds(-EARLY_SECONDS), TENDED).await? as i64 == TENDED;
    memory.tended(now, full);
    Ok(news)
}

/// Which of these receipts without their mark name a reply of ours by their id, and have as their source whom that reply
/// went to. One look-up for all of them.
pub(in crate::ledger) async fn names_replies(
    db: &Db,
    keys_of: &Keys,
    (carrier, rules): (&CarrierId, &ReceiptRules),
    receipts: &[(&ReceiptTlvs, Micros)],
) -> Result<Vec<bool>, DbError> {
    let asked_by = |receipt: &ReceiptTlvs| -> Vec<String> {
        let ids = [Some(&receipt.message_id), receipt.other_id.as_ref()].into_iter().flatten();
        ids.filter(|id| !id.is_empty()).flat_map(|id| keys(id)).collect()
    };
    let wanted: Vec<String> = receipts.iter().flat_map(|(receipt, _)| asked_by(receipt)).collect();
    let newest = receipts.iter().map(|(_, at)| *at).max().unwrap_or_default();
    let since = newest.plus_seconds(-seconds(rules.ids_kept));
    let (names, replies) = store::names_to_read(db, carrier, &wanted, since).await?;
    let awaited_seconds = seconds(rules.awaited);
    let is_ours = |(receipt, at): &(&ReceiptTlvs, Micros)| {
        let Some(to) = destination(keys_of, receipt) else { return false };
        let ids = [Some(&receipt.message_id), receipt.other_id.as_ref()];
        let ids: Vec<&str> = ids.into_iter().flatten().map(String::as_str).collect();
        let (destination, form, at) = (Some(to), rules.id_form, *at);
        let asked = Asked { ids: &ids, destination, form, unusable: false, at, awaited_seconds };
        let found = choose(&asked, &names.of(&asked_by(receipt)), &replies);
        found.and_then(|found| replies.get(&found.exchange)).is_some_and(|reply| reply.destination == Some(to))
    };
    Ok(receipts.iter().map(is_ours).collect())
}
