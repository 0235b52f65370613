//! The SQL of settlements and of the message ids that receipts name.

use std::collections::HashSet;

use crate::{
    clock::Micros,
    db::{Column, DbError, Insert, Tx, delete_keys, in_tx},
    ledger::{
        row::{SettlementResult, SettlementRow},
        writer::Mark,
    },
    message::{CarrierId, ReceiptState, ReceiptTlvs, Stream},
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
                Self::push(
                    &mut named,
                    &[Some(row.exchange.0), Some(segment as i64), Some(row.settled_at.0)],
                    &[Some(row.carrier.as_str()), Some(&receipt_key(id))],
                );
            }
        }
        // At once, so that a receipt in the same group finds its message.
        RECEIPT_ID.run(tx, named).await
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
            ReceiptState::InHand => SettlementResult::InHand,
            ReceiptState::Unknown => SettlementResult::Unknown,
        };
        let delivered = i64::from(receipt.state == ReceiptState::Delivered);
        let key = mark.next_settlement();
        Self::push(
            &mut self.columns,
            &[
                Some(key.0),
                exchange,
                Some(KIND_RECEIPT),
                Some(0),
                Some(line.into()),
                None,
                Some(at.0),
                Some(0),
                Some(0),
                Some(delivered),
                None,
                Some(0),
            ],
            &[
                Some(carrier.as_str()),
                Some(stream.letter()),
                Some(result.as_str()),
                Some(&receipt.error),
                Some(&receipt.message_id),
            ],
        );
        Ok(())
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
