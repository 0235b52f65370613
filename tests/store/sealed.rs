//! Nothing personal stands in clear in the store: not in a value, not in a file.

use std::sync::Arc;

use tracuu::{
    db::Db,
    intake::{Intake, Taken},
    ledger::{Entry, ExchangeRow, Fate, OutboxRow, SettlementRow, Table},
    message::{Alphabet, LineNo, Masked, Msisdn, Octets, Part, PersonalId, RawAddress, Ticket, TypedKey},
    outbox::{Content, Urgency},
};

use crate::book::{BEGIN, Book, books, carrier, exchange_row, outbox_row, phone, settlement};

const NUMBER: u64 = 84_520_123_456;
const PERSON: &str = "901098012345";
const TEXT: &str = "CANARYTEXT";
const NAME: &str = "Nguyễn Thị Mẫu";

/// Every form in which one of them could stand in a file: text, UTF-16, number of either end.
fn canaries() -> Vec<(String, Vec<u8>)> {
    let mut forms = Vec::new();
    for text in ["84520123456", "520123456", PERSON, "012345", TEXT, NAME, "Mẫu"] {
        forms.push((text.to_owned(), text.as_bytes().to_vec()));
        forms.push((format!("{text} in UTF-16"), text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
    }
    // Databases drop leading zero octets.
    forms.push(("the number".to_owned(), NUMBER.to_be_bytes()[3..].to_vec()));
    forms.push(("the number, low octet first".to_owned(), NUMBER.to_le_bytes()[..5].to_vec()));
    forms
}

fn found_in(octets: &[u8]) -> Vec<String> {
    let stands = |form: &[u8]| octets.windows(form.len()).any(|window| window == form);
    canaries().into_iter().filter(|(_, form)| stands(form)).map(|(name, _)| name).collect()
}

/// Every value of every table, and on SQLite every octet of its files.
async fn all_there_is(book: &Book) -> Vec<u8> {
    let mut all = Vec::new();
    match &book.db {
        Db::Sqlite { .. } => {
            let file = book.file().unwrap();
            for ending in ["", "-wal", "-shm"] {
                let octets = std::fs::read(format!("{file}{ending}")).unwrap();
                assert!(!octets.is_empty(), "{ending}");
                all.extend(octets);
            }
        }
        Db::Postgres { pool, .. } => {
            let tables: Vec<(String,)> =
                sqlx::query_as("select tablename::text from pg_tables where schemaname = 'public'")
                    .fetch_all(pool)
                    .await
                    .unwrap();
            assert!(tables.len() > 8, "{tables:?}");
            for (table,) in tables {
                // The binary form of each row holds the octets of its values as they are.
                let select = format!("select record_send(t) from \"{table}\" t");
                let rows: Vec<(Vec<u8>,)> = sqlx::query_as(sqlx::AssertSqlSafe(select)).fetch_all(pool).await.unwrap();
                for (row,) in rows {
                    all.extend(row);
                }
            }
        }
    }
    all
}

fn content() -> Content {
    Content {
        destination: phone("84520123456"),
        source: RawAddress { ton: 0, npi: 1, octets: b"9999".to_vec() },
        alphabet: Alphabet::Ucs2,
        urgency: Urgency::Reply,
        asked_at: BEGIN,
        text: Masked::new(format!("{NAME} {PERSON} {TEXT}")),
    }
}

fn question(octets: Vec<u8>, udhi: bool) -> Part {
    Part {
        line: LineNo(0),
        session: 1,
        sequence: 1,
        ticket: Ticket::new(),
        source: phone("84520123456"),
        destination: phone("9999"),
        data_coding: 0,
        udhi,
        sar: None,
        unmarked_receipt: None,
        octets: Octets(octets),
        received_at: BEGIN,
        waited: std::time::Duration::ZERO,
    }
}

#[tokio::test]
async fn numbers_names_and_texts_stand_nowhere_in_the_store() {
    for book in books().await {
        let label = book.label;
        let running = book.start().await;
        let ledger = &running.ledger;
        let (number, person) = (Msisdn::from_canonical(NUMBER), PersonalId::parse(PERSON).unwrap());
        let carriers = [(carrier("vtl").id, Arc::new(carrier("vtl")))].into();
        let mut intake = Intake::rebuild(&carriers, Arc::clone(ledger), BEGIN).await.unwrap();
        let vtl = &carriers[&carrier("vtl").id];
        let body = format!("TTCD {PERSON} {TEXT}");

        // A part that waits, a question and its repeat.
        let part = intake.accept(vtl, question([&[5, 0, 3, 7, 2, 1], body.as_bytes()].concat(), true));
        let Taken::Store(part) = part else { panic!("{label}: {part:?}") };
        let Taken::Whole(whole) = intake.accept(vtl, question(body.clone().into_bytes(), false)) else { panic!() };
        let again = intake.accept(vtl, question(body.into_bytes(), false));
        let Taken::Again(again, _) = again else { panic!("{label}: {again:?}") };
        let fingerprints = whole.fingerprints.concat();
        let row = ExchangeRow {
            sender_token: Some(ledger.keys().sender(number)),
            subject_token: Some(ledger.keys().subject(&person)),
            key_token: Some(ledger.keys().typed(&TypedKey::parse("012345").unwrap())),
            fingerprints,
            sealed: Some(ledger.seal(Table::Exchange, whole.key, &NUMBER.to_be_bytes())),
            ..exchange_row(ledger, whole.key, "vtl", BEGIN)
        };
        let sealed = ledger.seal(Table::Outbox, whole.key, &content().to_octets());
        let outbox = Some(OutboxRow { sealed, ..outbox_row(ledger, whole.key, "vtl", BEGIN) });
        let exchange = Entry::Exchange { row: Box::new(row), outbox, consumes: Vec::new(), ticket: whole.ticket };
        assert_eq!(ledger.store(vec![part, exchange, again]).await, [Fate::Stored; 3], "{label}");
        assert_eq!(found_in(&all_there_is(&book).await), Vec::<String>::new(), "{label}");

        // It is there, for whoever has the keys.
        let waiting = ledger.waiting(&vtl.id, tracuu::message::RowKey(0), 9).await.unwrap();
        assert_eq!(Content::from_octets(&waiting[0].content), Some(content()), "{label}");
        assert!(found_in(&ledger.open_parts(9).await.unwrap()[0].content).contains(&TEXT.to_owned()), "{label}");

        let settled = SettlementRow { receipts: true, ..settlement(whole.key, "id-1", BEGIN) };
        assert_eq!(running.store(Entry::Settlement(settled)).await, Fate::Stored, "{label}");
        assert_eq!(found_in(&all_there_is(&book).await), Vec::<String>::new(), "{label}: after it is settled");
        drop(intake);
        running.end().await;
    }
}

/// The test above would prove nothing if it could not find what it looks for.
#[tokio::test]
async fn the_search_finds_what_stands_there_in_clear() {
    for book in books().await {
        book.start().await.end().await;
        let kind = if book.file().is_some() { "blob" } else { "bytea" };
        book.run(&format!("create table clear (text text, number bigint, octets {kind})")).await;
        let hex: String = tracuu::ledger::hex(&NAME.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
        let octets = if book.file().is_some() { format!("x'{hex}'") } else { format!("'\\x{hex}'") };
        book.run(&format!("insert into clear values ('{TEXT}', {NUMBER}, {octets})")).await;
        let found = found_in(&all_there_is(&book).await);
        for wanted in [TEXT, "the number", "Nguyễn Thị Mẫu in UTF-16"] {
            assert!(found.iter().any(|name| name == wanted), "{}: {wanted} in {found:?}", book.label);
        }
    }
}
