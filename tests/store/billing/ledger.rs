//! A ledger with rows of one's own making, and the settings that billing needs.

use std::{path::Path, sync::Arc};

use tempfile::TempDir;
use tokio::task::JoinSet;
use tracuu::{
    billing::{BillingError, CloseReason, ClosedFile, close, verify},
    clock::{Clock, Micros},
    config::{BillingSettings, Carrier},
    db::Db,
    ledger::{Entry, ExchangeRow, Fate, Keys, Ledger, OutboxRow, ReplyMeasure, SettlementResult, SettlementRow, Table},
    message::{CarrierId, ChargeClass, Lang, Msisdn, Outcome, Reason, RowKey, Service, ShortCode, Stream},
};

use crate::support::databases::TestDatabase;

/// 2026-11-23T15:45:00.123+07:00.
pub(super) const NOW: Micros = Micros(1_795_423_500_123_000);

/// A store, its keys, and a drop folder.
pub(super) struct Shop {
    pub(super) db: Db,
    pub(super) keys: Arc<Keys>,
    pub(super) settings: BillingSettings,
    pub(super) label: &'static str,
    _folder: TempDir,
}

/// A start of the service: the ledger, and its writer at work.
pub(super) struct Running {
    pub(super) ledger: Arc<Ledger>,
    writer: JoinSet<()>,
}

impl Shop {
    pub(super) async fn open(database: &TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("keys");
        std::fs::write(&key_file, Keys::new_file(&[9; 64]).as_bytes()).unwrap();
        let settings = BillingSettings {
            dir: folder.path().join("billing"),
            zone: "Asia/Ho_Chi_Minh".into(),
            operator: "Trung tâm A, B".into(),
        };
        let keys = Arc::new(Keys::read(&key_file).unwrap());
        Self { db: database.open().await, keys, settings, label: database.label, _folder: folder }
    }

    /// Starts the ledger: the next epoch.
    pub(super) async fn start(&self) -> Running {
        let (ledger, writer) =
            Ledger::open(self.db.clone(), Arc::clone(&self.keys), "one", Clock::fixed(NOW)).await.unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { writer.run().await.unwrap() });
        Running { ledger, writer: tasks }
    }

    /// Closes the next file of the carrier `vtl`.
    pub(super) async fn close(&self) -> ClosedFile {
        self.try_close(&carrier("vtl"), NOW).await.unwrap()
    }

    pub(super) async fn try_close(&self, carrier: &Carrier, now: Micros) -> Result<ClosedFile, BillingError> {
        close(&self.db, &self.keys, carrier, &self.settings, now, CloseReason::Manual).await
    }

    /// Runs a statement past the ledger, as a hand in the database would.
    pub(super) async fn meddle(&self, statement: &'static str) {
        match &self.db {
            Db::Sqlite { writer, .. } => drop(sqlx::raw_sql(statement).execute(writer).await.unwrap()),
            Db::Postgres { pool, .. } => drop(sqlx::raw_sql(statement).execute(pool).await.unwrap()),
        }
    }
}

impl Running {
    /// Ends this start in order.
    pub(super) async fn stop(self) {
        drop(self.ledger);
        self.writer.join_all().await;
    }

    /// Stores questions with replies that wait.
    pub(super) async fn ask(&self, carrier: &str, stream: Stream, at: &[Micros]) -> Vec<RowKey> {
        let entries: Vec<Entry> = at.iter().map(|at| self.question(carrier, stream, *at)).collect();
        let keys = entries.iter().filter_map(key_of).collect();
        assert!(self.ledger.store(entries).await.iter().all(|fate| *fate == Fate::Stored));
        keys
    }

    /// The same for `count` chargeable questions of `vtl`.
    pub(super) async fn ask_many(&self, count: usize) -> Vec<RowKey> {
        self.ask("vtl", Stream::Chargeable, &vec![NOW; count]).await
    }

    /// Settles replies as taken.
    pub(super) async fn settle(&self, carrier: &str, stream: Stream, keys: &[RowKey], at: Micros) {
        let row = |key: &RowKey| Entry::Settlement(settlement(carrier, stream, *key, at));
        self.store(keys.iter().map(row).collect()).await;
    }

    pub(super) async fn settle_many(&self, keys: &[RowKey]) {
        self.settle("vtl", Stream::Chargeable, keys, NOW).await;
    }

    pub(super) async fn store(&self, entries: Vec<Entry>) {
        assert!(self.ledger.store(entries).await.iter().all(|fate| *fate == Fate::Stored));
    }

    fn question(&self, carrier: &str, stream: Stream, at: Micros) -> Entry {
        let key = self.ledger.next_key();
        let sender = Msisdn::from_canonical(84_520_000_000 + key.n() as u64);
        let carrier = CarrierId::parse(carrier).unwrap();
        let row = ExchangeRow {
            key,
            received_at: at,
            carrier: carrier.clone(),
            stream,
            line: 4,
            short_code: "9999".into(),
            sender_token: None,
            subject_token: None,
            key_token: None,
            outcome: Outcome::Answered,
            reason: Reason::None,
            service: Service::Record,
            lang: Lang::Vi,
            fields: 31,
            parts: 2,
            concat_ref: Some(77),
            data_coding: 8,
            chars: 90,
            charge_class: ChargeClass::Charge,
            fingerprints: vec![3; 16],
            reply: Some(ReplyMeasure { segments: 3, data_coding: 0, chars: 400, template_version: 1 }),
            sealed: Some(self.ledger.seal(Table::Exchange, key, &sender.expose().to_be_bytes())),
        };
        let sealed = self.ledger.seal(Table::Outbox, key, b"x");
        let outbox = OutboxRow { key, carrier, created_at: at, expires_at: at.plus_seconds(600), sealed };
        Entry::Exchange { row: Box::new(row), outbox: Some(outbox), consumes: Vec::new(), ticket: None }
    }
}

fn key_of(entry: &Entry) -> Option<RowKey> {
    let Entry::Exchange { row, .. } = entry else { return None };
    Some(row.key)
}

pub(super) fn settlement(carrier: &str, stream: Stream, exchange: RowKey, at: Micros) -> SettlementRow {
    SettlementRow {
        exchange,
        carrier: CarrierId::parse(carrier).unwrap(),
        stream,
        line: Some(0),
        submitted_at: Some(at),
        settled_at: Micros(at.0 + 250_000),
        result: SettlementResult::Accepted,
        planned: 3,
        accepted: 3,
        status: None,
        message_ids: vec!["00AB".into(), "00AC".into(), "00AD".into()],
        flags: 0,
        receipts: false,
        marked: false,
    }
}

/// A chargeable carrier with a contract key.
pub(super) fn carrier(name: &str) -> Carrier {
    let mut carrier = Carrier::with_defaults(name, "127.0.0.1:1");
    carrier.stream = Stream::Chargeable;
    carrier.short_codes = vec![ShortCode::parse("9999").unwrap()];
    carrier.lines = 2;
    carrier.contract_key = Some("agreed on paper".into());
    carrier
}

/// A verified file's records: one map of names and values a line, read by a CSV reader that is not ours.
pub(super) fn records(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    if let Err(findings) = verify(path) {
        panic!("{}: {findings:#?}", path.display());
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(Result::unwrap).filter(|row| &row[0] == "R");
    rows.map(|row| names.iter().cloned().zip(row.iter().map(str::to_owned)).collect()).collect()
}

/// The numbers and ids of a file's records.
pub(super) fn numbers(path: &Path) -> Vec<(i64, String)> {
    records(path).iter().map(|record| (record["seq"].parse().unwrap(), record["record_id"].clone())).collect()
}
