//! The store's work alone: exchanges through the ledger's one writer, without SMPP or templates. The ceiling for the whole
//! service.

use std::{sync::Arc, time::Instant};

use tracuu::{
    clock::{Clock, Micros},
    db::{Db, OpenDb},
    ledger::{Entry, ExchangeRow, Fate, Keys, Ledger, OutboxRow, ReplyMeasure, SettlementResult, SettlementRow, Table},
    message::{CarrierId, ChargeClass, Fields, Lang, Msisdn, Outcome, Reason, RowKey, Service, Stream},
    registry::Registry,
};

fn exchange(ledger: &Ledger, n: u64, now: Micros) -> Entry {
    let key = ledger.next_key();
    let sender = Msisdn::from_canonical(84_520_000_000 + n % 1_000_000);
    let carrier = CarrierId::parse("vtl").unwrap();
    let row = ExchangeRow {
        key,
        received_at: now,
        carrier: carrier.clone(),
        stream: Stream::Test,
        line: 0,
        short_code: "9999".into(),
        sender_token: Some(ledger.keys().sender(sender)),
        subject_token: Some([1; 16]),
        key_token: Some([2; 16]),
        outcome: Outcome::Answered,
        reason: Reason::None,
        service: Service::Record,
        lang: Lang::Vi,
        fields: 31,
        parts: 1,
        concat_ref: None,
        data_coding: 0,
        chars: 11,
        charge_class: ChargeClass::Charge,
        fingerprints: vec![3; 16],
        reply: Some(ReplyMeasure { segments: 1, data_coding: 0, chars: 150, template_version: 1 }),
        sealed: Some(ledger.seal(Table::Exchange, key, &sender.expose().to_be_bytes())),
    };
    let sealed = ledger.seal(Table::Outbox, key, &[b'x'; 180]);
    let outbox = OutboxRow { key, carrier, created_at: now, expires_at: now.plus_seconds(600), sealed };
    Entry::Exchange { row: Box::new(row), outbox: Some(outbox), consumes: Vec::new(), ticket: None }
}

fn settlement(exchange: RowKey, now: Micros) -> Entry {
    Entry::Settlement(SettlementRow {
        exchange,
        carrier: CarrierId::parse("vtl").unwrap(),
        stream: Stream::Test,
        line: Some(0),
        submitted_at: Some(now),
        settled_at: now,
        result: SettlementResult::Accepted,
        planned: 1,
        accepted: 1,
        status: None,
        message_ids: vec![exchange.0.to_string()],
        flags: 0,
        receipts: false,
        marked: false,
    })
}

/// The store's work and nothing else.
pub(crate) struct Work<'a> {
    /// An empty database; nothing: a SQLite file in a folder that goes away.
    pub(crate) url: &'a str,
    /// Exchanges in a group; two groups are under way at a time.
    pub(crate) group: u64,
    /// Exchanges in all.
    pub(crate) exchanges: u64,
    /// Whoever asks is looked up first, as the desk does, a group at a time.
    pub(crate) registry: Option<(&'a Registry, &'a [(Msisdn, Fields)])>,
}

/// Stores exchanges in groups, each with the settlements of the group before; exchanges a second.
pub(crate) async fn measure(work: &Work<'_>) -> f64 {
    let &Work { url, group, exchanges, registry } = work;
    let folder = tempfile::tempdir().unwrap();
    let url = if url.is_empty() { format!("sqlite:{}/store.db", folder.path().display()) } else { url.to_owned() };
    let wait = std::time::Duration::from_secs(10);
    let db =
        Db::open(&OpenDb { name: "store", url: url.clone().into(), read_only: false, readers: 2, wait }).await.unwrap();
    let key_file = folder.path().join("keys");
    std::fs::write(&key_file, Keys::new_file(&[9; 64]).as_bytes()).unwrap();
    let keys = Arc::new(Keys::read(&key_file).unwrap());
    let (ledger, mut writer) = Ledger::open(db, keys, "bench", Clock::System).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    // On a thread of its own, as in the service.
    if url.starts_with("sqlite:") {
        let runtime = tokio::runtime::Handle::current();
        tasks.spawn_blocking(move || runtime.block_on(async move { writer.run().await.unwrap() }));
    } else {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tasks.spawn_blocking(move || {
            runtime.block_on(async move {
                writer.connect_anew();
                writer.run().await.unwrap();
            });
        });
    }
    let started = Instant::now();
    let (mut n, mut before) = (0, Vec::new());
    let mut under_way = std::collections::VecDeque::new();
    while n < exchanges {
        let now = Clock::System.now();
        let mut entries: Vec<Entry> = before.drain(..).map(|key| settlement(key, now)).collect();
        if let Some((registry, phones)) = registry {
            let asked: Vec<_> = (0..group).map(|one| phones[((n + one) % phones.len() as u64) as usize]).collect();
            assert!(!registry.people(&asked).await.unwrap().is_empty());
        }
        for _ in 0..group.min(exchanges - n) {
            entries.push(exchange(&ledger, n, now));
            n += 1;
        }
        before.extend(entries.iter().filter_map(|entry| match entry {
            Entry::Exchange { row, .. } => Some(row.key),
            Entry::Part { .. }
            | Entry::Repeat { .. }
            | Entry::Sending(_)
            | Entry::Settlement(_)
            | Entry::Receipt { .. }
            | Entry::Odd { .. } => None,
        }));
        under_way.push_back(ledger.hand_over(entries).await);
        if under_way.len() >= 2 {
            let fates = under_way.pop_front().unwrap().await.unwrap();
            assert!(fates.iter().all(|fate| *fate == Fate::Stored));
        }
    }
    for receiver in under_way {
        receiver.await.unwrap();
    }
    let rate = exchanges as f64 / started.elapsed().as_secs_f64();
    drop(ledger);
    tasks.join_all().await;
    rate
}
