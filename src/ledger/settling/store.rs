//! The SQL of settlements and of the message ids that receipts name.

use std::collections::HashSet;

use crate::{
    clock::Micros,
    db::{Column, DbError, Insert, Tx, delete_keys, in_tx},
    ledger::{
        row::{SettlementResult, SettlementRow},
        writer::Mark,
    },
    message::{CarrierId, ReceiptState, ReceiptTlvs, RowKey, Stream},
};

static SETTLEMENT: Insert = Insert::into(
    "settlement",
    &[
        "key",
        "exchange_key",
        "kind",
        "closes",
        "carrier",
        "stream",
        "line",
        "submitted_at",
        "settled_at",
        "result",
        "seg_planned",
        "seg_accepted",
        "seg_delivered",
        "status",
        "error",
        "message_ids",
        "flags",
    ],
);
/// A settlement that is handed over again brings its message ids again: they stand already.
static RECEIPT_ID: Insert =
    Insert::unless_there("receipt_id", &["carrier", "message_id", "exchange_key", "segment", "at"]);

/// A receipt overtakes its response by at most this. Carriers use their ids again, so that an older receipt of the same
/// id is another message's.
const EARLY_SECONDS: i64 = 24 * 3_600;

/// A message id that a response has named, its exchange, and when that was settled.
type NamedId = (String, i64, Micros);

/// Message ids of one carrier that responses have named.
type Named = (CarrierId, Stream, Vec<NamedId>);

/// Rows of `settlement` being gathered.
pub(in crate::ledger) struct Settled {
    columns: Vec<Column>,
}

impl Default for Settled {
    fn default() -> Self {
        let (int, text) = (|| Column::Int(Vec::new()), || Column::Text(Vec::new()));
        let columns = vec![
            int(),
            int(),
            int(),
            int(),
            text(),
            text(),
            int(),
            int(),
            int(),
            text(),
            int(),
            int(),
            int(),
            int(),
            text(),
            text(),
            int(),
        ];
        Self { columns }
    }
}

impl Settled {
    /// Gathers settlements; their replies leave the outbox.
    pub(in crate::ledger) async fn settle(
        &mut self,
        tx: &mut Tx,
        rows: &[&SettlementRow],
        mark: &mut Mark,
    ) -> Result<(), DbError> {
        let keys: Vec<i64> = rows.iter().map(|row| row.exchange.0).collect();
        // The row that takes the reply out of the outbox closes its billing record; any other is only noted.
        let mut closing: HashSet<i64> = delete_keys(tx, "outbox", &keys).await?.into_iter().collect();
        let marked: Vec<i64> = rows.iter().filter(|row| row.marked).map(|row| row.exchange.0).collect();
        delete_keys(tx, "sending", &marked).await?;
        let (int, text) = (|| Column::Int(Vec::new()), || Column::Text(Vec::new()));
        let mut named = vec![text(), text(), int(), int(), int()];
        let mut asked: Vec<Named> = Vec::new();
        for row in rows {
            let closes = closing.remove(&row.exchange.0);
            let ids = row.message_ids.join(";");
            Self::push(
                &mut self.columns,
                &[
                    Some(mark.next_settlement().0),
                    Some(row.exchange.0),
                    Some(KIND_RESPONSE),
                    Some(closes.into()),
                    row.line.map(i64::from),
                    row.submitted_at.map(|at| at.0),
                    Some(row.settled_at.0),
                    Some(row.planned.into()),
                    Some(row.accepted.into()),
                    None,
                    row.status.map(i64::from),
                    Some(row.flags),
                ],
                &[
                    Some(row.carrier.as_str()),
                    Some(row.stream.letter()),
                    Some(row.result.as_str()),
                    None,
                    Some(&ids).filter(|ids| !ids.is_empty()).map(String::as_str),
                ],
            );
            let ids = row.message_ids.iter().enumerate().filter(|(_, id)| row.receipts && !id.is_empty());
            for (segment, id) in ids {
                let named_id = (receipt_key(id), row.exchange.0, row.settled_at);
                match asked.iter_mut().find(|(carrier, stream, _)| (carrier, *stream) == (&row.carrier, row.stream)) {
                    Some((.., ids)) => ids.push(named_id),
                    None => asked.push((row.carrier.clone(), row.stream, vec![named_id])),
                }
                Self::push(
                    &mut named,
                    &[Some(row.exchange.0), Some(segment as i64), Some(row.settled_at.0)],
                    &[Some(row.carrier.as_str()), Some(&receipt_key(id))],
                );
            }
        }
        // At once, so that a receipt in the same group finds its message.
        RECEIPT_ID.run(tx, named).await?;
        for (carrier, stream, ids) in asked {
            self.match_early(tx, &carrier, stream, &ids, mark).await?;
        }
        Ok(())
    }

    /// Stores the rows that were gathered.
    pub(in crate::ledger) async fn write(self, tx: &mut Tx) -> Result<(), DbError> {
        SETTLEMENT.run(tx, self.columns).await
    }

    fn push(columns: &mut [Column], ints: &[Option<i64>], texts: &[Option<&str>]) {
        let (mut ints, mut texts) = (ints.iter(), texts.iter());
        for column in columns {
            match column {
                Column::Int(values) => values.push(ints.next().copied().flatten()),
                Column::Text(values) => values.push(texts.next().copied().flatten().map(storable)),
                Column::Bytes(values) => values.push(None),
            }
        }
    }

    /// Receipts that came before the responses of these message ids are matched now.
    async fn match_early(
        &mut self,
        tx: &mut Tx,
        carrier: &CarrierId,
        stream: Stream,
        ids: &[NamedId],
        mark: &mut Mark,
    ) -> Result<(), DbError> {
        for early in Received::take(tx, carrier, ids).await? {
            let fits = |(id, _, settled): &&NamedId| {
                *id == early.message_id && early.at >= settled.plus_seconds(-EARLY_SECONDS).0
            };
            if let Some((_, exchange, _)) = ids.iter().find(fits) {
                self.receipt_row(carrier, stream, &early, Some(*exchange), mark);
            }
        }
        Ok(())
    }

    /// The row of a receipt; without an exchange nobody knows its message id yet.
    fn receipt_row(
        &mut self,
        carrier: &CarrierId,
        stream: Stream,
        receipt: &Received,
        exchange: Option<i64>,
        mark: &mut Mark,
    ) -> RowKey {
        let key = mark.next_settlement();
        let delivered = i64::from(receipt.result == SettlementResult::Delivered.as_str());
        Self::push(
            &mut self.columns,
            &[
                Some(key.0),
                exchange,
                Some(KIND_RECEIPT),
                Some(0),
                Some(receipt.line),
                None,
                Some(receipt.at),
                Some(0),
                Some(0),
                Some(delivered),
                None,
                Some(0),
            ],
            &[
                Some(carrier.as_str()),
                Some(stream.letter()),
                Some(&receipt.result),
                Some(&receipt.error),
                Some(&receipt.raw_id),
            ],
        );
        key
    }

    #[expect(clippy::too_many_arguments, reason = "a receipt's facts, each once, from one call")]
    /// Gathers a receipt, matched with the reply whose message id it names.
    pub(in crate::ledger) async fn receipt(
        &mut self,
        tx: &mut Tx,
        carrier: &CarrierId,
        stream: Stream,
        line: u16,
        receipt: &ReceiptTlvs,
        at: Micros,
        mark: &mut Mark,
    ) -> Result<(), DbError> {
        let found: Result<Vec<(i64,)>, sqlx::Error> = in_tx!(&mut *tx, conn => sqlx::query_as(
            "select exchange_key from receipt_id where carrier = $1 and message_id = $2 order by at desc limit 1",
        ).bind(carrier.as_str()).bind(receipt_key(&receipt.message_id)).fetch_all(conn).await);
        let exchange = found.map_err(|error| tx.fault(&error))?.first().map(|(key,)| *key);
        let result = match receipt.state {
            ReceiptState::Delivered => SettlementResult::Delivered,
            ReceiptState::Failed => SettlementResult::Undelivered,
            ReceiptState::InHand | ReceiptState::Accepted => SettlementResult::InHand,
            ReceiptState::Unknown => SettlementResult::Unknown,
        };
        let row = Received {
            message_id: receipt_key(&receipt.message_id),
            line: line.into(),
            at: at.0,
            result: result.as_str().to_owned(),
            error: storable(&receipt.error),
            raw_id: storable(&receipt.message_id),
        };
        let key = self.receipt_row(carrier, stream, &row, exchange, mark);
        if exchange.is_none() {
            row.keep(tx, carrier, key).await?;
        }
        Ok(())
    }
}

/// A receipt as it is kept until its message id is known.
#[derive(sqlx::FromRow)]
struct Received {
    message_id: String,
    line: i64,
    at: i64,
    result: String,
    error: String,
    raw_id: String,
}

impl Received {
    async fn keep(&self, tx: &mut Tx, carrier: &CarrierId, key: RowKey) -> Result<(), DbError> {
        let done = in_tx!(&mut *tx, conn => sqlx::query(
            "insert into early_receipt (carrier, message_id, settlement_key, line, at, result, error, raw_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(carrier.as_str())
        .bind(&self.message_id)
        .bind(key.0)
        .bind(self.line)
        .bind(self.at)
        .bind(&self.result)
        .bind(&self.error)
        .bind(&self.raw_id)
        .execute(conn)
        .await
        .map(|_| ()));
        done.map_err(|error| tx.fault(&error))
    }

    /// Takes out those whose ids are known now.
    async fn take(tx: &mut Tx, carrier: &CarrierId, ids: &[NamedId]) -> Result<Vec<Self>, DbError> {
        let ids: Vec<&str> = ids.iter().map(|(id, ..)| id.as_str()).collect();
        let rows = match tx {
            Tx::Sqlite(_, conn) => {
                let list = serde_json::Value::from(ids).to_string();
                let text =
                    "delete from early_receipt where carrier = $1 and message_id in (select value from json_each($2))
                            returning message_id, line, at, result, error, raw_id";
                sqlx::query_as(text).bind(carrier.as_str()).bind(list).fetch_all(&mut **conn).await
            }
            Tx::Postgres(_, conn) => {
                let text = "delete from early_receipt where carrier = $1 and message_id = any($2)
                            returning message_id, line, at, result, error, raw_id";
                sqlx::query_as(text).bind(carrier.as_str()).bind(ids).fetch_all(&mut **conn).await
            }
        };
        rows.map_err(|error| tx.fault(&error))
    }
}

/// `settlement.kind`: the carrier's answers, or giving up.
const KIND_RESPONSE: i64 = 1;
/// `settlement.kind`: a receipt. Without an exchange: nobody knows the message id.
const KIND_RECEIPT: i64 = 2;

/// A carrier's text as every database takes it: PostgreSQL knows no NUL in a text, and one such text would keep all that
/// is stored with it from being stored.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

/// The form in which message ids are compared: NULs and blanks cut, lower case, no leading zeros unless it is a UUID.
pub(crate) fn receipt_key(id: &str) -> String {
    let id = storable(id).trim().to_ascii_lowercase();
    let bare = id.trim_start_matches('0');
    if id.contains('-') || bare.is_empty() { id } else { bare.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_compare_without_case_blanks_and_leading_zeros() {
        for (raw, expected) in [
            ("00B8BE19", "b8be19"),
            ("4001\0", "4001"),
            (" 4001 ", "4001"),
            ("0000", "0000"),
            ("01ab-2C", "01ab-2c"),
            ("", ""),
        ] {
            assert_eq!(receipt_key(raw), expected);
        }
    }
}
