//! A ledger on a fresh database for one test, rows to put into it, and a look at what became of them.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tracuu::{
    board::CarrierBoard,
    clock::{Clock, Micros},
    config::Carrier,
    db::{Db, OpenDb},
    ledger::{
        Entry, ExchangeRow, Fate, Keys, Ledger, OutboxRow, PartRow, ReplyMeasure, SettlementResult, SettlementRow,
        Table, Writer, WriterEnd,
        read::store::{Balance, MoRow, MtRow, RecordKind, Span, balance, mo_rows, mt_rows},
    },
    message::{
        Alphabet, CarrierId, ChargeClass, Lang, Masked, Msisdn, Outcome, RawAddress, Reason, RowKey, Service,
        ShortCode, Stream, Ticket,
    },
    outbox::{Content, Urgency},
};

use crate::support::databases::{TestDatabase, databases};

/// The moment at which every test begins.
pub(crate) const BEGIN: Micros = Micros(1_790_000_000_000_000);

/// Longer than anything here takes; whoever waits this long waits for ever.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A store that outlives the starts of the service on it.
pub(crate) struct Book {
    pub(crate) label: &'static str,
    pub(crate) db: Db,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Clock,
    database: TestDatabase,
}

/// One empty store on each database.
pub(crate) async fn books() -> Vec<Book> {
    let mut books = Vec::new();
    for database in databases().await {
        books.push(Book::on(database).await);
    }
    books
}

impl Book {
    pub(crate) async fn on(database: TestDatabase) -> Self {
        let db = database.open().await;
        Self { label: database.label, db, keys: keys(), clock: Clock::fixed(BEGIN), database }
    }

    /// Starts the instance `one`.
    pub(crate) async fn start(&self) -> Running {
        self.start_as("one").await
    }

    pub(crate) async fn start_as(&self, instance: &str) -> Running {
        self.start_over(self.db.clone(), instance).await
    }

    pub(crate) async fn start_over(&self, db: Db, instance: &str) -> Running {
        let keys = Arc::clone(&self.keys);
        let (ledger, writer) = Ledger::open(db, keys, instance, self.clock.clone()).await.unwrap();
        Running::over(ledger, writer)
    }

    /// Starts the instance `one` with this carrier, and the board on which it is told what comes.
    pub(crate) async fn start_with(&self, carrier: &Carrier) -> (Running, Arc<CarrierBoard>) {
        let opened = Ledger::open(self.db.clone(), Arc::clone(&self.keys), "one", self.clock.clone()).await;
        let (ledger, mut writer) = opened.unwrap();
        let board = Arc::new(CarrierBoard::new(carrier.id.clone(), Vec::new(), self.clock.clone()));
        writer.know(carrier, Arc::clone(&board));
        (Running::over(ledger, writer), board)
    }

    /// The same database, opened once more, by somebody who waits no longer than this.
    pub(crate) async fn open_again(&self, wait: Duration) -> Db {
        let url = self.database.url.clone().into();
        Db::open(&OpenDb { name: "test", url, read_only: false, readers: 2, wait }).await.unwrap()
    }

    /// Where the SQLite file lies; none for PostgreSQL.
    pub(crate) fn file(&self) -> Option<&str> {
        self.database.url.strip_prefix("sqlite:")
    }

    /// One whole number from a statement.
    pub(crate) async fn number(&self, select: &str) -> i64 {
        let select = sqlx::AssertSqlSafe(select.to_owned());
        let (number,): (i64,) = match &self.db {
            Db::Sqlite { readers, .. } => sqlx::query_as(select).fetch_one(readers).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(select).fetch_one(pool).await.unwrap(),
        };
        number
    }

    pub(crate) async fn run(&self, statement: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
        match &self.db {
            Db::Sqlite { writer, .. } => statement.execute(writer).await.map(drop).unwrap(),
            Db::Postgres { pool, .. } => statement.execute(pool).await.map(drop).unwrap(),
        }
    }

    /// Makes the database fail at each row of a table, until [`Book::relent`].
    pub(crate) async fn refuse(&self, table: &str) {
        let statement = match &self.db {
            Db::Sqlite { .. } => {
                format!("create trigger refuse before insert on {table} begin select raise(abort, 'no'); end")
            }
            Db::Postgres { .. } => format!(
                "create or replace function refuse() returns trigger language plpgsql as
                 'begin raise exception ''no''; end';
                 create trigger refuse before insert on {table} for each row execute function refuse()"
            ),
        };
        self.run(&statement).await;
    }

    pub(crate) async fn relent(&self, table: &str) {
        match &self.db {
            Db::Sqlite { .. } => self.run("drop trigger refuse").await,
            Db::Postgres { .. } => self.run(&format!("drop trigger refuse on {table}")).await,
        }
    }

    pub(crate) async fn balance(&self) -> Balance {
        balance(&self.db).await.unwrap()
    }

    /// Waits until the counts are as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Balance) -> bool) -> Balance {
        let begun = std::time::Instant::now();
        loop {
            let balance = self.balance().await;
            if wanted(&balance) {
                return balance;
            }
            assert!(begun.elapsed() < LONG, "{what} on {}: still {balance:?}", self.label);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a statement gives at least this number.
    pub(crate) async fn until_number(&self, what: &str, select: &str, least: i64) {
        let begun = std::time::Instant::now();
        while self.number(select).await < least {
            assert!(begun.elapsed() < LONG, "{what} on {}", self.label);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All MO records of a carrier.
    pub(crate) async fn mo(&self, name: &str) -> Vec<MoRow> {
        mo_rows(&self.db, Span::all(RecordKind::Mo, &carrier_id(name), Stream::Test), 10_000).await.unwrap()
    }

    /// All MT records of a carrier.
    pub(crate) async fn mt(&self, name: &str) -> Vec<MtRow> {
        mt_rows(&self.db, Span::all(RecordKind::Mt, &carrier_id(name), Stream::Test), 10_000).await.unwrap()
    }
}

/// One start of the service, as far as the ledger knows it.
pub(crate) struct Running {
    pub(crate) ledger: Arc<Ledger>,
    tasks: JoinSet<Result<(), WriterEnd>>,
}

impl Running {
    fn over(ledger: Arc<Ledger>, writer: Writer) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run());
        Self { ledger, tasks }
    }

    /// Ends in order.
    pub(crate) async fn end(self) {
        let Self { ledger, tasks } = self;
        drop(ledger);
        let ended = tokio::time::timeout(LONG, tasks.join_all()).await.unwrap();
        assert!(matches!(ended[..], [Ok(())]), "{ended:?}");
    }

    /// Ends as a killed process does: the writer is gone in the middle of whatever it did.
    pub(crate) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }

    /// What the writer ended with.
    pub(crate) async fn ended(&mut self) -> Result<(), WriterEnd> {
        tokio::time::timeout(LONG, self.tasks.join_next()).await.unwrap().unwrap().unwrap()
    }

    /// Stores one entry.
    pub(crate) async fn store(&self, entry: Entry) -> Fate {
        self.ledger.store(vec![entry]).await[0]
    }

    /// Stores an exchange of `vtl` with a reply and gives its key.
    pub(crate) async fn exchange(&self, clock: &Clock) -> RowKey {
        self.exchange_of("vtl", clock).await
    }

    pub(crate) async fn exchange_of(&self, carrier: &str, clock: &Clock) -> RowKey {
        let key = self.ledger.next_key();
        assert_eq!(self.store(exchange(&self.ledger, key, carrier, clock.now())).await, Fate::Stored);
        key
    }
}

fn keys() -> Arc<Keys> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Keys::new_file(&[7; 64]).as_bytes()).unwrap();
    Arc::new(Keys::read(file.path()).unwrap())
}

pub(crate) fn carrier_id(name: &str) -> CarrierId {
    CarrierId::parse(name).unwrap()
}

pub(crate) fn phone(digits: &str) -> RawAddress {
    RawAddress { ton: 1, npi: 1, octets: digits.as_bytes().to_vec() }
}

/// A carrier with one line and a wide window.
pub(crate) fn carrier(name: &str) -> Carrier {
    let mut carrier = Carrier::with_defaults(name, "127.0.0.1:0");
    carrier.short_codes = vec![ShortCode::parse("9999").unwrap()];
    carrier.line.window = 1_000;
    carrier.line.answer_deadline = Duration::from_secs(2);
    carrier
}

/// The sender of a row, another for each.
pub(crate) fn sender(key: RowKey) -> Msisdn {
    Msisdn::from_canonical(84_520_000_000 + key.n().unsigned_abs() % 1_000_000)
}

/// The reply of a row: one segment that names the row.
pub(crate) fn content(key: RowKey) -> Content {
    Content {
        destination: phone(&sender(key).expose().to_string()),
        source: RawAddress { ton: 0, npi: 1, octets: b"9999".to_vec() },
        alphabet: Alphabet::Gsm7,
        urgency: Urgency::Reply,
        asked_at: Micros(1),
        text: Masked::new(format!("reply {}", key.0)),
    }
}

/// The row of an answered question.
pub(crate) fn exchange_row(ledger: &Ledger, key: RowKey, carrier: &str, now: Micros) -> ExchangeRow {
    let sender = sender(key);
    ExchangeRow {
        key,
        received_at: now,
        carrier: carrier_id(carrier),
        stream: Stream::Test,
        line: 0,
        short_code: "9999".to_owned(),
        sender_token: Some(ledger.keys().sender(sender)),
        subject_token: Some([1; 16]),
        key_token: None,
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
        fingerprints: ledger.keys().token(b"test", &[&key.0.to_be_bytes()]).to_vec(),
        reply: Some(ReplyMeasure { segments: 1, data_coding: 0, chars: 20, template_version: -3 }),
        sealed: Some(ledger.seal(Table::Exchange, key, &sender.expose().to_be_bytes())),
    }
}

/// The reply's row; it may be sent for ten minutes.
pub(crate) fn outbox_row(ledger: &Ledger, key: RowKey, carrier: &str, now: Micros) -> OutboxRow {
    let sealed = ledger.seal(Table::Outbox, key, &content(key).to_octets());
    OutboxRow { key, carrier: carrier_id(carrier), created_at: now, expires_at: now.plus_seconds(600), sealed }
}

/// An answered question with its reply, nobody waiting for it.
pub(crate) fn exchange(ledger: &Ledger, key: RowKey, carrier: &str, now: Micros) -> Entry {
    let row = Box::new(exchange_row(ledger, key, carrier, now));
    Entry::Exchange { row, outbox: Some(outbox_row(ledger, key, carrier, now)), consumes: Vec::new(), ticket: None }
}

/// The first of two parts.
pub(crate) fn part(ledger: &Ledger, key: RowKey, now: Micros) -> Entry {
    let row = PartRow {
        key,
        received_at: now,
        carrier: carrier_id("vtl"),
        line: 12,
        set_token: [4; 16],
        index: 1,
        total: 2,
        reference: 300,
        data_coding: 8,
        fingerprint: [5; 16],
        sealed: ledger.seal(Table::Part, key, b"a part"),
    };
    Entry::Part { row, ticket: Ticket::new() }
}

/// A repeat of a row.
pub(crate) fn repeat(ledger: &Ledger, of: RowKey, now: Micros) -> Entry {
    let (key, carrier) = (ledger.next_key(), carrier_id("vtl"));
    Entry::Repeat { key, of, carrier, received_at: now, ticket: Ticket::new() }
}

/// A reply taken by its SMSC under a message id.
pub(crate) fn settlement(exchange: RowKey, message_id: &str, now: Micros) -> SettlementRow {
    SettlementRow {
        exchange,
        carrier: carrier_id("vtl"),
        stream: Stream::Test,
        line: Some(0),
        submitted_at: Some(now),
        settled_at: now,
        result: SettlementResult::Accepted,
        planned: 1,
        accepted: 1,
        status: None,
        message_ids: vec![message_id.to_owned()],
        flags: 0,
        receipts: true,
        marked: false,
    }
}
