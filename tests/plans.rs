//! What a start, and the look after other instances, ask of the store: none of it may read a table through that grows
//! with the years. The statements are those that the service really runs, as the driver reports them.

#[cfg(test)]
mod support;

#[cfg(test)]
mod the_statements {
    use std::{
        collections::BTreeSet,
        fs,
        path::Path,
        sync::{Arc, Mutex},
        time::{Duration, Instant},
    };

    use tokio::task::JoinSet;
    use tokio_util::sync::CancellationToken;
    use tracing::{Event, Subscriber, field::Visit};
    use tracing_subscriber::{Layer, layer::Context, prelude::*};
    use tracuu::{
        billing::{CloseReason, close},
        clock::{Chance, Clock},
        config::Config,
        db::{Db, OpenDb},
        ledger::{Entry, ExchangeRow, Keys, Ledger, Table},
        message::{CarrierId, ChargeClass, Lang, Outcome, Reason, Service as Kind, Stream},
        service::Service,
    };

    use crate::support::cli::tracuu;

    /// Tables that grow with the years, or with the days: neither with what waits nor up to a fixed number of rows.
    const GROWING: [&str; 8] = [
        "exchange",
        "settlement",
        "repeat_question",
        "receipt_id",
        "awaited_receipt",
        "session_break",
        "billing_claim",
        "billing_file",
    ];

    /// What has been run since it was last emptied.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<BTreeSet<String>>>);

    impl<S: Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if event.metadata().target() == "sqlx::query" {
                let mut text = Text::default();
                event.record(&mut text);
                let text = if text.whole.trim().is_empty() { text.summary } else { text.whole };
                self.0.lock().unwrap().insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }

    #[derive(Default)]
    struct Text {
        summary: String,
        whole: String,
    }

    impl Visit for Text {
        fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
            match field.name() {
                "summary" => value.clone_into(&mut self.summary),
                "db.statement" => value.clone_into(&mut self.whole),
                _ => {}
            }
        }

        fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
    }

    impl Heard {
        fn all(&self) -> BTreeSet<String> {
            self.0.lock().unwrap().clone()
        }

        /// Waits until something with these words was run.
        async fn until(&self, words: &str) {
            let begun = Instant::now();
            while !self.all().iter().any(|text| text.contains(words)) {
                assert!(begun.elapsed() < Duration::from_secs(20), "nothing with \"{words}\" in {:#?}", self.all());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn store(folder: &Path) -> Db {
        let url = format!("sqlite:{}", folder.join("tracuu.db").display()).into();
        let wait = Duration::from_secs(10);
        Db::open(&OpenDb { name: "store", url, read_only: false, readers: 1, wait }).await.unwrap()
    }

    /// An instance of another name that lost a session, had an exchange, and died.
    async fn leave(folder: &Path) {
        let keys = Arc::new(Keys::read(&folder.join("tracuu.keys")).unwrap());
        for name in ["tracuu-1", "another"] {
            let opened = Ledger::open(store(folder).await, Arc::clone(&keys), name, Clock::System).await;
            let (ledger, writer) = opened.unwrap();
            let mut tasks = JoinSet::new();
            tasks.spawn(writer.run());
            let (key, now) = (ledger.next_key(), Clock::System.now());
            let carrier = CarrierId::parse("sim").unwrap();
            let row = ExchangeRow {
                key,
                received_at: now,
                carrier: carrier.clone(),
                stream: Stream::Test,
                line: 0,
                short_code: "9999".into(),
                sender_token: None,
                subject_token: None,
                key_token: None,
                outcome: Outcome::Silenced,
                reason: Reason::NotAPhone,
                service: Kind::None,
                lang: Lang::Vi,
                fields: 0,
                parts: 1,
                concat_ref: None,
                data_coding: 0,
                chars: 2,
                charge_class: ChargeClass::Charge,
                fingerprints: vec![1; 16],
                reply: None,
                sealed: Some(ledger.seal(Table::Exchange, key, &84_520_000_001_u64.to_be_bytes())),
            };
            ledger.note_break(carrier, now).await;
            ledger
                .store(vec![Entry::Exchange { row: Box::new(row), outbox: None, consumes: Vec::new(), ticket: None }])
                .await;
            tasks.shutdown().await;
        }
    }

    /// The steps of a statement's plan that read a growing table through, or one of its indexes.
    async fn scans(db: &Db, statement: &str) -> Vec<String> {
        let Db::Sqlite { readers, .. } = db else { panic!("it is SQLite") };
        let text = sqlx::AssertSqlSafe(format!("explain query plan {statement}"));
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(text).fetch_all(readers).await.unwrap();
        let scanned = |step: &String| {
            let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { return false };
            GROWING.iter().any(|table| {
                let renamed = [format!(" {table} {name} "), format!(" {table} as {name} ")];
                name == *table || renamed.iter().any(|words| format!("{statement} ").contains(words))
            })
        };
        steps.into_iter().map(|(_, _, _, step)| step).filter(scanned).collect()
    }

    #[tokio::test]
    async fn of_a_start_and_of_what_goes_on_beside_the_messages_search_and_never_scan_what_grows() {
        let heard = Heard::default();
        tracing_subscriber::registry().with(heard.clone()).init();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for arguments in [&["init"][..], &["registry", "generate", "--people", "20"]] {
            assert_eq!(tracuu(folder, arguments).code, Some(0));
        }
        let file = folder.join("tracuu.toml");
        let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:2775", "127.0.0.1:1");
        fs::write(&file, text).unwrap();
        let config = Config::load(&file).unwrap();
        leave(folder).await;

        heard.0.lock().unwrap().clear();
        let service = Service::build(&config, Clock::System, Chance::seeded(1)).await.unwrap();
        let stop = CancellationToken::new();
        let running = async {
            // The outbox looks for what waits, the writer for receipts that are overdue, the heir for the dead.
            let dead = "left join adopted a on a.epoch = w.epoch and a.carrier = $1";
            for words in ["from outbox", "from awaited_receipt", "early_receipt", "max(epoch)", dead] {
                heard.until(words).await;
            }
            stop.cancel();
        };
        tokio::join!(service.run(stop.clone()), running).0.unwrap();
        let db = store(folder).await;
        let keys = Keys::read(&folder.join("tracuu.keys")).unwrap();
        let carrier = config.carriers.values().next().unwrap();
        let now = Clock::System.now();
        close(&db, &keys, carrier, &config.billing, now, CloseReason::Manual).await.unwrap();

        let all = heard.all();
        let asked = |words: &str| all.iter().any(|text| text.contains(words));
        for words in [
            "where sealed is not null",
            "fingerprints from exchange",
            "from session_break",
            "from part p",
            "billing_claim c",
        ] {
            assert!(asked(words), "nothing with \"{words}\" was heard in {all:#?}");
        }
        let mut faults = Vec::new();
        for statement in all.iter().filter(|text| {
            let first = text.split(' ').next().unwrap_or_default().to_lowercase();
            ["select", "with", "update", "delete"].contains(&first.as_str()) && !text.contains("tracuu_")
        }) {
            // The registry's own and those of the driver are no statements on the store.
            if statement.contains("sqlite_") || statement.contains("pragma") || statement.contains("_sqlx_") {
                continue;
            }
            faults.extend(scans(&db, statement).await.into_iter().map(|step| format!("{step}: {statement}")));
        }
        assert!(faults.is_empty(), "{faults:#?}");
        // One that reads all is seen as such.
        for statement in [
            "select * from exchange where carrier = $1",
            "select 1 from settlement as s where s.exchange_key = 1",
            "select count(*) from session_break b",
        ] {
            assert_eq!(scans(&db, statement).await.len(), 1, "{statement}");
        }
    }
}
