//! The audit chain can be made again from the rows, and shows when one was altered.

use tracuu::{
    clock::Micros,
    db::Db,
    ledger::{ExchangeRow, ReplyMeasure, Token},
    message::{CarrierId, ChargeClass, Lang, Outcome, Reason, RowKey, Service, Stream},
};

use crate::book::{BEGIN, Book, Running, books, exchange, exchange_row};

/// The columns of a row that the chain is made of, then the stored hash.
#[derive(sqlx::FromRow)]
struct Stored {
    key: i64,
    received_at: i64,
    carrier: String,
    stream: String,
    line: i64,
    short_code: String,
    sender_token: Option<Vec<u8>>,
    subject_token: Option<Vec<u8>>,
    key_token: Option<Vec<u8>>,
    outcome: i64,
    reason: i64,
    service: i64,
    lang: String,
    fields: i64,
    parts: i64,
    concat_ref: Option<i64>,
    data_coding: i64,
    chars: i64,
    charge_class: i64,
    template_version: Option<i64>,
    reply_segments: i64,
    reply_coding: Option<i64>,
    reply_chars: Option<i64>,
    audit_hash: Vec<u8>,
}

fn token(octets: Option<Vec<u8>>) -> Option<Token> {
    octets.map(|octets| octets.try_into().unwrap())
}

impl Stored {
    /// The row as it was handed over, as far as the chain reads it.
    fn row(self) -> ExchangeRow {
        let reply = self.template_version.map(|template_version| ReplyMeasure {
            segments: self.reply_segments as u8,
            data_coding: self.reply_coding.unwrap() as u8,
            chars: self.reply_chars.unwrap() as u16,
            template_version,
        });
        ExchangeRow {
            key: RowKey(self.key),
            received_at: Micros(self.received_at),
            carrier: CarrierId::parse(&self.carrier).unwrap(),
            stream: Stream::from_letter(&self.stream).unwrap(),
            line: self.line as u16,
            short_code: self.short_code,
            sender_token: token(self.sender_token),
            subject_token: token(self.subject_token),
            key_token: token(self.key_token),
            outcome: Outcome::from_code(self.outcome as i16).unwrap(),
            reason: Reason::from_code(self.reason as i16).unwrap(),
            service: Service::from_code(self.service as i16).unwrap(),
            lang: Lang::ALL.into_iter().find(|lang| lang.code() == self.lang).unwrap(),
            fields: self.fields as i32,
            parts: self.parts as u8,
            concat_ref: self.concat_ref.map(|reference| reference as u16),
            data_coding: self.data_coding as u8,
            chars: self.chars as u16,
            charge_class: ChargeClass::from_code(self.charge_class as i16).unwrap(),
            fingerprints: Vec::new(),
            reply,
            sealed: None,
        }
    }
}

/// How many rows of an epoch the chain made again agrees with, and its head.
async fn agree(book: &Book, epoch: i64) -> (usize, [u8; 32]) {
    let select = "select * from exchange where key >> 40 = $1 order by key";
    let rows: Vec<Stored> = match &book.db {
        Db::Sqlite { readers, .. } => sqlx::query_as(select).bind(epoch).fetch_all(readers).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(select).bind(epoch).fetch_all(pool).await.unwrap(),
    };
    let (mut head, mut agreeing) = ([0; 32], 0);
    for mut stored in rows {
        let hash = std::mem::take(&mut stored.audit_hash);
        head = stored.row().chain(&head);
        agreeing += usize::from(head[..] == hash[..]);
    }
    (agreeing, head)
}

/// Four rows in two groups: an answer, a silence of a stranger, a text of three parts, and another answer.
async fn write(running: &Running) {
    let ledger = &running.ledger;
    let answer = |row: ExchangeRow| tracuu::ledger::Entry::Exchange {
        row: Box::new(row),
        outbox: None,
        consumes: Vec::new(),
        ticket: None,
    };
    let silence = ExchangeRow {
        sender_token: None,
        subject_token: None,
        outcome: Outcome::Silenced,
        reason: Reason::NotAPhone,
        service: Service::None,
        reply: None,
        sealed: None,
        ..exchange_row(ledger, ledger.next_key(), "vnp", BEGIN)
    };
    let long = ExchangeRow {
        key_token: Some([8; 16]),
        parts: 3,
        concat_ref: Some(65_535),
        charge_class: ChargeClass::Refund,
        lang: Lang::En,
        ..exchange_row(ledger, ledger.next_key(), "vtl", BEGIN)
    };
    ledger.store(vec![answer(silence), answer(long)]).await;
    let (one, two) = (ledger.next_key(), ledger.next_key());
    ledger.store(vec![exchange(ledger, one, "vtl", BEGIN), exchange(ledger, two, "vtl", BEGIN)]).await;
}

#[tokio::test]
async fn the_chain_made_again_from_the_rows_is_the_stored_one_in_each_epoch() {
    for book in books().await {
        for _ in 0..2 {
            let running = book.start().await;
            write(&running).await;
            let (agreeing, head) = agree(&book, running.ledger.epoch()).await;
            assert_eq!(agreeing, 4, "{}", book.label);
            let heads = "select count(*) from writer w join exchange e on e.audit_hash = w.audit_head
                         and e.key >> 40 = w.epoch where w.ended_at is null";
            assert_eq!(book.number(heads).await, 1, "{}: the mark has the last hash", book.label);
            assert_ne!(head, [0; 32]);
            running.end().await;
        }
        assert_eq!(book.number("select count(distinct audit_hash) from exchange").await, 8, "{}", book.label);
    }
}

#[tokio::test]
async fn an_altered_row_breaks_the_chain_from_there_on() {
    for book in books().await {
        let running = book.start().await;
        write(&running).await;
        let epoch = running.ledger.epoch();
        // The second of four.
        let key = RowKey::new(epoch, 2).0;
        for change in [
            "received_at = received_at + 1",
            "carrier = 'vms'",
            "stream = 'P'",
            "line = 1",
            "short_code = '999'",
            "sender_token = subject_token",
            "subject_token = null",
            "key_token = subject_token",
            "outcome = 4",
            "reason = 2",
            "service = 2",
            "lang = 'vi'",
            "fields = fields + 1",
            "parts = 1",
            "concat_ref = 1",
            "data_coding = 8",
            "chars = 1",
            "charge_class = 1",
            "template_version = 1",
            "reply_segments = 2",
            "reply_chars = 1",
        ] {
            let columns =
                "received_at, carrier, stream, line, short_code, sender_token, subject_token, key_token, outcome,
                           reason, service, lang, fields, parts, concat_ref, data_coding, chars, charge_class,
                           template_version, reply_segments, reply_chars";
            book.run(&format!("create table before_it as select * from exchange where key = {key}")).await;
            book.run(&format!("update exchange set {change} where key = {key}")).await;
            assert_eq!(agree(&book, epoch).await.0, 1, "{}: {change}", book.label);
            let restore =
                format!("update exchange set ({columns}) = (select {columns} from before_it) where key = {key}");
            book.run(&restore).await;
            book.run("drop table before_it").await;
            assert_eq!(agree(&book, epoch).await.0, 4, "{}: {change} undone", book.label);
        }
        book.run(&format!("delete from exchange where key = {key}")).await;
        assert_eq!(agree(&book, epoch).await.0, 1, "{}: a row is gone", book.label);
        running.end().await;
    }
}
