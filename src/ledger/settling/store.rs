//! The SQL of settlements.

use std::collections::HashSet;

use crate::{
    clock::Micros,
    db::{Column, DbError, Insert, Tx, delete_keys, push_word},
    ledger::{
        receipts::storable,
        row::{SettlementResult, SettlementRow},
        writer::Mark,
    },
    message::{CarrierId, RowKey, Stream},
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
/// Rows of `settlement` being gathered.
pub(in crate::ledger) struct Settled {
    columns: Vec<Column>,
}

impl Default for Settled {
    fn default() -> Self {
        let (int, text) = (|| Column::Int(Vec::new()), || Column::Text(Vec::new()));
        let word = || Column::Word(Vec::new());
        let columns = vec![
            int(),
            int(),
            int(),
            int(),
            word(),
            word(),
            int(),
            int(),
            int(),
            word(),
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
        tx: &mut Tx<'_>,
        rows: &[&SettlementRow],
        mark: &mut Mark,
    ) -> Result<(), DbError> {
        let keys: Vec<i64> = rows.iter().map(|row| row.exchange.0).collect();
        // The row that takes the reply out of the outbox closes its billing record; any other is only noted.
        let mut closing: HashSet<i64> = delete_keys(tx, "outbox", &keys).await?.into_iter().collect();
        let marked: Vec<i64> = rows.iter().filter(|row| row.marked).map(|row| row.exchange.0).collect();
        delete_keys(tx, "sending", &marked).await?;
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
        }
        Ok(())
    }

    /// Stores the rows that were gathered.
    pub(in crate::ledger) async fn write(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        SETTLEMENT.run(tx, self.columns).await
    }

    fn push(columns: &mut [Column], ints: &[Option<i64>], texts: &[Option<&str>]) {
        let (mut ints, mut texts) = (ints.iter(), texts.iter());
        for column in columns {
            match column {
                Column::Int(values) => values.push(ints.next().copied().flatten()),
                Column::Text(values) => values.push(texts.next().copied().flatten().map(storable)),
                Column::Word(values) => push_word(values, texts.next().copied().flatten()),
                Column::Bytes(values) => values.push(None),
            }
        }
    }

    /// Gathers the row of a receipt, or of what the receipts of a reply come to.
    pub(in crate::ledger) fn note(&mut self, note: &Note<'_>, mark: &mut Mark) -> RowKey {
        let key = mark.next_settlement();
        let (accepted, delivered) = note.segments;
        Self::push(
            &mut self.columns,
            &[
                Some(key.0),
                note.exchange,
                Some(if note.derived { KIND_DERIVED } else { KIND_RECEIPT }),
                Some(0),
                note.line,
                None,
                Some(note.at.0),
                Some(accepted),
                Some(accepted),
                Some(delivered),
                None,
                Some(0),
            ],
            &[
                Some(note.carrier.as_str()),
                Some(note.stream.letter()),
                Some(note.result.as_str()),
                note.error,
                note.raw_id,
            ],
        );
        key
    }
}

/// What is noted beside the settlement of a reply.
pub(in crate::ledger) struct Note<'a> {
    /// What the receipts of the reply come to; else one receipt.
    pub(in crate::ledger) derived: bool,
    /// Whose line.
    pub(in crate::ledger) carrier: &'a CarrierId,
    /// Chargeable or test.
    pub(in crate::ledger) stream: Stream,
    /// Which line.
    pub(in crate::ledger) line: Option<i64>,
    /// When.
    pub(in crate::ledger) at: Micros,
    /// Whose reply; none when nobody knows the message id.
    pub(in crate::ledger) exchange: Option<i64>,
    /// What it says.
    pub(in crate::ledger) result: SettlementResult,
    /// The carrier's error code.
    pub(in crate::ledger) error: Option<&'a str>,
    /// The message id as received.
    pub(in crate::ledger) raw_id: Option<&'a str>,
    /// Segments taken, and delivered.
    pub(in crate::ledger) segments: (i64, i64),
}

/// `settlement.kind`: the carrier's answers, or giving up.
const KIND_RESPONSE: i64 = 1;
/// `settlement.kind`: a receipt. Without an exchange: nobody knows the message id.
const KIND_RECEIPT: i64 = 2;
/// `settlement.kind`: what the receipts of a reply come to, once.
const KIND_DERIVED: i64 = 3;
