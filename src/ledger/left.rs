//! What is left to be done of what was stored before: replies that wait, and parts whose text is not whole.

use super::{Ledger, LedgerError, OpenPart, SealError, Table, Token, start};
use crate::{
    clock::Micros,
    message::{CarrierId, RowKey},
};

/// A reply that waits to be sent, as it was stored.
pub struct Waiting {
    /// The exchange's key.
    pub key: RowKey,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Destination, source and text, opened.
    pub content: zeroize::Zeroizing<Vec<u8>>,
    /// It was about to be sent when it was marked (carriers with `hold` only).
    pub marked: bool,
}

impl Ledger {
    /// The parts of this instance that wait for others, at most `limit`; without content where the sealed value is damaged.
    ///
    /// # Errors
    /// [`LedgerError`]; a start must not go on without them.
    pub async fn open_parts(&self, limit: i64) -> Result<Vec<OpenPart>, LedgerError> {
        self.opened(start::store::parts(&self.db, &self.instance, limit).await?).await
    }

    /// The parts that a start left with one carrier, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerError`]; the rows stay, the call may be repeated.
    pub async fn parts_of(&self, epoch: i64, carrier: &CarrierId, limit: i64) -> Result<Vec<OpenPart>, LedgerError> {
        self.opened(start::store::parts_of(&self.db, epoch, carrier, limit).await?).await
    }

    /// The parts of these texts, whoever they belong to, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerError`]; the rows stay, the call may be repeated.
    pub async fn parts_of_texts(&self, sets: &[Token], limit: i64) -> Result<Vec<OpenPart>, LedgerError> {
        self.opened(start::store::parts_of_texts(&self.db, sets, limit).await?).await
    }

    async fn opened(&self, rows: Vec<start::store::PartColumns>) -> Result<Vec<OpenPart>, LedgerError> {
        let mut parts = Vec::with_capacity(rows.len());
        for (key, received, carrier, line, set, index, total, reference, coding, print, sealed) in rows {
            let wrong = |column| start::store::bad(&self.db, "part", column, key);
            parts.push(OpenPart {
                key: RowKey(key),
                received_at: Micros(received),
                carrier: CarrierId::parse(&carrier).ok_or_else(|| wrong("carrier"))?,
                line: line.try_into().map_err(|_| wrong("line"))?,
                set_token: set.try_into().map_err(|_| wrong("set_token"))?,
                index: index.try_into().map_err(|_| wrong("part_index"))?,
                total: total.try_into().map_err(|_| wrong("part_total"))?,
                reference: reference.try_into().map_err(|_| wrong("concat_ref"))?,
                data_coding: coding.try_into().map_err(|_| wrong("data_coding"))?,
                fingerprint: print.try_into().map_err(|_| wrong("fingerprint"))?,
                content: self.unseal_or_nothing(Table::Part, RowKey(key), &sealed).await?,
            });
        }
        Ok(parts)
    }

    /// Replies of one carrier that wait behind a key, in order, opened, at most `limit`; without content where the
    /// sealed value is damaged. What this start took over from another instance is not among them: see
    /// [`Ledger::waiting_of`].
    ///
    /// # Errors
    /// [`LedgerError`]; the rows stay, the call may be repeated.
    pub async fn waiting(&self, carrier: &CarrierId, after: RowKey, limit: i64) -> Result<Vec<Waiting>, LedgerError> {
        let of = (self.epoch, self.instance.as_str());
        self.unsealed(start::store::waiting(&self.db, carrier, of, after, limit).await?).await
    }

    /// The same of the replies that one start left, for whoever took it over.
    ///
    /// # Errors
    /// [`LedgerError`]; the rows stay, the call may be repeated.
    pub async fn waiting_of(
        &self,
        epoch: i64,
        carrier: &CarrierId,
        after: RowKey,
        limit: i64,
    ) -> Result<Vec<Waiting>, LedgerError> {
        self.unsealed(start::store::waiting_of(&self.db, epoch, carrier, after, limit).await?).await
    }

    async fn unsealed(&self, rows: Vec<start::store::OutboxColumns>) -> Result<Vec<Waiting>, LedgerError> {
        let mut waiting = Vec::with_capacity(rows.len());
        for (key, expires, sealed, marked) in rows {
            let content = self.unseal_or_nothing(Table::Outbox, RowKey(key), &sealed).await?;
            waiting.push(Waiting { key: RowKey(key), expires_at: Micros(expires), content, marked: marked > 0 });
        }
        Ok(waiting)
    }

    /// Opens a sealed value; nothing when it is damaged. One bad row must not keep all behind it waiting, whereas a
    /// missing key can be put back.
    async fn unseal_or_nothing(
        &self,
        table: Table,
        row: RowKey,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, LedgerError> {
        match self.unseal(table, row, sealed).await {
            Err(LedgerError::Seal(SealError::Damaged(_))) => Ok(zeroize::Zeroizing::default()),
            opened => opened,
        }
    }
}
