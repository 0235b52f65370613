//! What must hold after every run, whatever went wrong: the SMSCs' books against the store and the billing files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tracuu::{
    billing,
    clock::Micros,
    db::Db,
    ledger::{
        FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, Keys,
        read::store::{MoRow, MtRow, RecordKind, Span, balance, high_water, mo_rows, mt_rows},
    },
    message::{Msisdn, RowKey},
    service,
};

use crate::{
    books::{Books, State},
    plan::Plan,
    scene::BEGIN,
    site::Site,
};

/// More rows than any run has.
const ALL: i64 = 1_000_000;

/// Compares everything, and adds what does not fit to the findings.
pub(crate) async fn judge(site: &Site, plan: &Plan, books: &mut Books) {
    let config = &site.configs[0];
    let (db, keys) = service::open_store(config).await.expect("the store can be opened");
    let carrier = config.carriers.values().next().expect("a carrier");
    let span = |kind| Span::all(kind, &carrier.id, carrier.stream);
    let mo = mo_rows(&db, span(RecordKind::Mo), ALL).await.expect("questions can be read");
    let mt = mt_rows(&db, span(RecordKind::Mt), ALL).await.expect("replies can be read");
    let mut found = Vec::new();
    acknowledged(books, &mut found);
    balanced(&db, books, &mut found).await;
    left(&db, &mut found).await;
    keyed(&db, &mo, &mt, &mut found).await;
    let senders = senders(&db, &keys, books).await;
    asked(books, &mo, &senders, &mut found);
    replied(plan, books, &mt, &senders, &mut found);
    billed(&db, &keys, config, (&mo, &mt), &mut found).await;
    db.close().await;
    books.findings.append(&mut found);
}

/// Nobody was sent away for good, and nobody waits.
fn acknowledged(books: &Books, found: &mut Vec<String>) {
    for (at, message) in books.messages.iter().enumerate() {
        if message.state != State::Taken {
            found.push(format!("message {at} ({:?}) is {:?}", message.about, message.state));
        }
    }
}

async fn balanced(db: &Db, books: &Books, found: &mut Vec<String>) {
    let stored = balance(db).await.expect("the store can be counted");
    let questions = books.questions.len() as i64;
    for (what, counted, expected) in [
        ("exchanges", stored.exchanges, questions),
        ("exchanges without a reply", stored.silences, 0),
        ("replies settled", stored.settled, stored.with_reply),
        ("replies waiting", stored.waiting, 0),
        ("replies settled twice", stored.doubled, 0),
        ("replies lost", stored.lost, 0),
        ("parts left over", stored.parts, 0),
    ] {
        if counted != expected {
            found.push(format!("{what}: {counted}, not {expected}; {stored:?}"));
        }
    }
}

/// Parts that wait for others for ever.
async fn left(db: &Db, found: &mut Vec<String>) {
    let left: Vec<(i64, i64, i64, i64)> = rows(db, "select key, received_at, part_index, concat_ref from part").await;
    for (key, received, index, reference) in left {
        let at = Micros(received).since(BEGIN) as f64 / 1e6;
        found.push(format!("part {index} of text {reference}, {:?}, received at {at} s, is left over", RowKey(key)));
    }
}

/// Keys lie below their epoch's mark and in order, and the audit chain ends where its epoch does.
async fn keyed(db: &Db, mo: &[MoRow], mt: &[MtRow], found: &mut Vec<String>) {
    let marks: HashMap<i64, (i64, i64)> = high_water(db)
        .await
        .expect("the marks can be read")
        .into_iter()
        .map(|mark| (mark.epoch, (mark.exchange_high, mark.settlement_high)))
        .collect();
    let mut last: HashMap<i64, i64> = HashMap::new();
    for key in mo.iter().map(|row| RowKey(row.key)) {
        if last.insert(key.epoch(), key.n()).is_some_and(|before| before >= key.n()) {
            found.push(format!("exchange {key:?} is out of order"));
        }
    }
    for (epoch, (exchange_high, _)) in &marks {
        let highest = last.get(epoch).copied().unwrap_or(0);
        if *exchange_high != highest {
            found.push(format!(
                "epoch {epoch} says that it has come to exchange {exchange_high}, its last is {highest}"
            ));
        }
    }
    for key in mt.iter().map(|row| RowKey(row.key)) {
        if marks.get(&key.epoch()).is_none_or(|(_, high)| !(1..=*high).contains(&key.n())) {
            found.push(format!("settlement {key:?} lies above its epoch's mark"));
        }
    }
    let loose = "select count(*) from writer w where w.exchange_high > 0 and not exists (select 1 from exchange e
                 where e.key = (w.epoch << 40) + w.exchange_high and e.audit_hash = w.audit_head)";
    let (loose,): (i64,) = rows(db, loose).await[0];
    if loose != 0 {
        found.push(format!("{loose} audit chains do not end with their epoch's last exchange"));
    }
}

/// Who asked each exchange.
async fn senders(db: &Db, keys: &Keys, books: &Books) -> HashMap<i64, u64> {
    let phones: BTreeSet<u64> = books.questions.iter().map(|question| question.phone).collect();
    let tokens: HashMap<Vec<u8>, u64> =
        phones.into_iter().map(|phone| (keys.sender(Msisdn::from_canonical(phone)).to_vec(), phone)).collect();
    let exchanges: Vec<(i64, Vec<u8>)> = rows(db, "select key, sender_token from exchange").await;
    exchanges.into_iter().filter_map(|(key, token)| Some((key, *tokens.get(&token)?))).collect()
}

/// One exchange for each question, of as many parts.
fn asked(books: &Books, mo: &[MoRow], senders: &HashMap<i64, u64>, found: &mut Vec<String>) {
    let mut asked: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for question in &books.questions {
        asked.entry(question.phone).or_default().push(question.parts);
    }
    let mut stored: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for row in mo {
        match senders.get(&row.key) {
            Some(phone) => stored.entry(*phone).or_default().push(row.parts as usize),
            None => found.push(format!("exchange {:?} is of nobody who asked", RowKey(row.key))),
        }
    }
    asked.values_mut().chain(stored.values_mut()).for_each(|parts| parts.sort_unstable());
    for (phone, parts) in &asked {
        if stored.get(phone) != Some(parts) {
            found.push(format!(
                "{phone} asked questions of {parts:?} parts and has exchanges of {:?}",
                stored.get(phone)
            ));
        }
    }
}

/// Each reply was taken as it is recorded: once, or flagged as one that may have been taken twice, and that only when
/// something happened that may have left it in doubt.
fn replied(plan: &Plan, books: &Books, mt: &[MtRow], senders: &HashMap<i64, u64>, found: &mut Vec<String>) {
    let mut recorded: BTreeMap<u64, (u64, bool)> = BTreeMap::new();
    for row in mt {
        let Some(phone) = senders.get(&row.exchange_key) else { continue };
        let received = books.received.get(phone).cloned().unwrap_or_default();
        let who = format!("{:?} to {phone} ({}, flags {})", RowKey(row.exchange_key), row.result, row.flags);
        let (doubtful, inherited) = (row.flags != 0, RowKey(row.key).epoch() != RowKey(row.exchange_key).epoch());
        let disrupted = books.disruptions.iter().any(|at| (row.received_at..=row.settled_at).contains(&at.0));
        match row.result.as_str() {
            "ACCEPTED" if row.seg_accepted == row.seg_planned && row.seg_planned > 0 => {}
            "REJECTED" if received.refused > 0 => {}
            "UNKNOWN" if plan.hold && row.flags & FLAG_IN_DOUBT != 0 => {}
            _ => found.push(format!("reply {who} took {} segments of {}", row.seg_accepted, row.seg_planned)),
        }
        // Eight seconds of silence, with the pieces of both ways up to a second each, outlast `submit_timeout_ms`.
        let slow = plan.net.silent > 0 && plan.net.delay_ms >= 1_000;
        if doubtful && !disrupted && !slow && !inherited && received.refused_for_now == 0 {
            found.push(format!("reply {who} is flagged, and nothing happened to it"));
        }
        if inherited && !plan.hold && row.flags & FLAG_POSSIBLE_DUP == 0 {
            found.push(format!("reply {who} may have been sent by an earlier start, and is not flagged"));
        }
        let (accepted, doubt) = recorded.entry(*phone).or_default();
        *accepted += row.seg_accepted as u64;
        *doubt |= doubtful;
    }
    for (phone, (accepted, doubtful)) in &recorded {
        let taken = books.received.get(phone).map_or(0, crate::books::Received::all);
        if taken < *accepted || (taken > *accepted && !doubtful) {
            found.push(format!("{phone} was sent {taken} segments, {accepted} are recorded (in doubt: {doubtful})"));
        }
    }
    for phone in books.received.keys().filter(|phone| !recorded.contains_key(phone)) {
        found.push(format!("{phone} was sent something that is not recorded"));
    }
}

/// All records in the files, numbered without a gap, each question and each reply once.
async fn billed(
    db: &Db,
    keys: &Keys,
    config: &tracuu::config::Config,
    (mo, mt): (&[MoRow], &[MtRow]),
    found: &mut Vec<String>,
) {
    let carrier = config.carriers.values().next().expect("a carrier");
    let now =
        Micros(mt.iter().map(|row| row.settled_at).chain(mo.iter().map(|row| row.received_at)).max().unwrap_or(0));
    let closed = billing::close(db, keys, carrier, &config.billing, now.plus_seconds(1), billing::CloseReason::Manual);
    let closed = match closed.await {
        Ok(closed) => closed,
        Err(error) => return found.push(format!("no billing file: {error}")),
    };
    if (closed.mo, closed.mt) != (mo.len() as u64, mt.len() as u64) || closed.more {
        found.push(format!(
            "billed {} questions and {} replies of {} and {}",
            closed.mo,
            closed.mt,
            mo.len(),
            mt.len()
        ));
    }
    if closed.first_seq != 1 || closed.last_seq != closed.records as i64 {
        found.push(format!("{} records are numbered {} to {}", closed.records, closed.first_seq, closed.last_seq));
    }
    if let Err(faults) = billing::verify(&closed.path) {
        found.extend(faults.iter().map(ToString::to_string));
    }
}

async fn rows<T>(db: &Db, text: &'static str) -> Vec<T>
where
    T: Send + Unpin + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
{
    match db {
        Db::Sqlite { readers, .. } => sqlx::query_as(text).fetch_all(readers).await.expect("the store can be read"),
        Db::Postgres { .. } => unreachable!("the simulation's store is a SQLite file"),
    }
}
