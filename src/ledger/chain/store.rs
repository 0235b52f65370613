//! The SQL of reading the audit chain.

use sqlx::FromRow;

use crate::{
    clock::Micros,
    db::{Db, DbError, reading},
    ledger::{ExchangeRow, ReplyMeasure, Token, start::store::bad},
    message::{CarrierId, ChargeClass, Lang, Outcome, Reason, RowKey, Service, Stream},
};

/// The columns of a row that the chain is made of, then the stored hash.
#[derive(FromRow)]
pub(super) struct Linked {
    pub(super) key: i64,
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
    pub(super) audit_hash: Vec<u8>,
}

/// Why a stored row cannot be read back: the column.
type Column = &'static str;

fn small<T: TryFrom<i64>>(number: i64, column: Column) -> Result<T, Column> {
    T::try_from(number).map_err(|_| column)
}

fn token(octets: Option<Vec<u8>>, column: Column) -> Result<Option<Token>, Column> {
    octets.map(|octets| octets.try_into().map_err(|_| column)).transpose()
}

impl Linked {
    /// The row as it was handed over, as far as the chain reads it.
    fn row(self) -> Result<ExchangeRow, Column> {
        let measure = |template_version| -> Result<ReplyMeasure, Column> {
            Ok(ReplyMeasure {
                segments: small(self.reply_segments, "reply_segments")?,
                data_coding: small(self.reply_coding.unwrap_or(-1), "reply_coding")?,
                chars: small(self.reply_chars.unwrap_or(-1), "reply_chars")?,
                template_version,
            })
        };
        let reply = self.template_version.map(measure).transpose()?;
        let code = |number: i64, column: Column| small::<i16>(number, column);
        Ok(ExchangeRow {
            key: RowKey(self.key),
            received_at: Micros(self.received_at),
            carrier: CarrierId::parse(&self.carrier).ok_or("carrier")?,
            stream: Stream::from_letter(&self.stream).ok_or("stream")?,
            line: small(self.line, "line")?,
            short_code: self.short_code,
            sender_token: token(self.sender_token, "sender_token")?,
            subject_token: token(self.subject_token, "subject_token")?,
            key_token: token(self.key_token, "key_token")?,
            outcome: Outcome::from_code(code(self.outcome, "outcome")?).ok_or("outcome")?,
            reason: Reason::from_code(code(self.reason, "reason")?).ok_or("reason")?,
            service: Service::from_code(code(self.service, "service")?).ok_or("service")?,
            lang: Lang::ALL.into_iter().find(|lang| lang.code() == self.lang).ok_or("lang")?,
            fields: small(self.fields, "fields")?,
            parts: small(self.parts, "parts")?,
            concat_ref: self.concat_ref.map(|reference| small(reference, "concat_ref")).transpose()?,
            data_coding: small(self.data_coding, "data_coding")?,
            chars: small(self.chars, "chars")?,
            charge_class: ChargeClass::from_code(code(self.charge_class, "charge_class")?).ok_or("charge_class")?,
            fingerprints: Vec::new(),
            reply,
            sealed: None,
        })
    }

    /// The head that follows from the one before and this row; the column that cannot be read otherwise.
    pub(super) fn follow(self, before: &[u8; 32]) -> Result<[u8; 32], Column> {
        self.row().map(|row| row.chain(before))
    }
}

/// Rows of one epoch behind a key, in order, up to a key, at most `limit`.
pub(super) async fn links(db: &Db, after: RowKey, to: RowKey, limit: i64) -> Result<Vec<Linked>, DbError> {
    let rows = reading!(db, pool => sqlx::query_as(
        "select key, received_at, carrier, stream, line, short_code, sender_token, subject_token, key_token, outcome,
                reason, service, lang, fields, parts, concat_ref, data_coding, chars, charge_class, template_version,
                reply_segments, reply_coding, reply_chars, audit_hash
         from exchange where key > $1 and key <= $2 order by key limit $3",
    ).bind(after.0).bind(to.0).bind(limit).fetch_all(pool).await);
    rows.map_err(|error| db.fault(&error))
}

/// The first exchange at or behind a key.
pub(super) async fn first_behind(db: &Db, key: RowKey) -> Result<Option<i64>, DbError> {
    let row = reading!(db, pool => sqlx::query_scalar(
        "select key from exchange where key >= $1 order by key limit 1",
    ).bind(key.0).fetch_optional(pool).await);
    row.map_err(|error| db.fault(&error))
}

/// Where an epoch's chain ends.
pub(super) struct Head {
    pub(super) epoch: i64,
    pub(super) exchange_high: i64,
    pub(super) hash: [u8; 32],
}

/// The heads of all epochs, in order.
pub(super) async fn heads(db: &Db) -> Result<Vec<Head>, DbError> {
    let rows: Result<Vec<(i64, i64, Vec<u8>)>, sqlx::Error> = reading!(db, pool => sqlx::query_as(
        "select epoch, exchange_high, audit_head from writer order by epoch",
    ).fetch_all(pool).await);
    let head = |(epoch, exchange_high, head): (i64, i64, Vec<u8>)| {
        let hash = head.try_into().map_err(|_| bad(db, "writer", "audit_head", epoch))?;
        Ok(Head { epoch, exchange_high, hash })
    };
    rows.map_err(|error| db.fault(&error))?.into_iter().map(head).collect()
}
