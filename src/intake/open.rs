//! One long text whose parts are still coming, as the desk holds it.

use std::collections::BTreeMap;

use super::{
    Inbound, Text,
    part::{Head, Held},
    read_text,
};
use crate::{
    clock::Micros,
    message::{RowKey, Sender},
    sms::Piece,
};

/// The text.
pub(super) struct Open {
    /// What its parts share.
    pub(super) head: Head,
    /// By their place.
    pub(super) parts: BTreeMap<u8, Held>,
    /// The exchange that uses these parts up, while it is on its way to the disk.
    pub(super) closing: Option<RowKey>,
    /// How many parts it has, where some were found in the ledger: they may make it whole without another message.
    pub(super) total: Option<u8>,
    /// Rows of parts whose place was taken: used up with the others.
    pub(super) doubled: Vec<RowKey>,
    /// Of all its rows those that belong to other instances which live.
    pub(super) foreign: Vec<RowKey>,
}

impl Open {
    /// None of its parts is here yet.
    pub(super) fn new(head: Head) -> Self {
        Self { head, parts: BTreeMap::new(), closing: None, total: None, doubled: Vec::new(), foreign: Vec::new() }
    }

    /// Whether parts from the ledger have made it whole.
    pub(super) fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| self.parts.len() >= usize::from(total))
    }

    /// Whether another instance is to bring it to its end: the oldest of its rows is not ours.
    pub(super) fn is_anothers(&self) -> bool {
        self.rows().into_iter().min().is_some_and(|oldest| self.foreign.contains(&oldest))
    }

    /// The stored rows that its exchange uses up.
    pub(super) fn rows(&self) -> Vec<RowKey> {
        self.parts.values().map(|part| part.key).chain(self.doubled.iter().copied()).collect()
    }

    /// Comes to its end with what it has.
    pub(super) fn give_up(&mut self, key: RowKey) -> Inbound {
        self.closing = Some(key);
        let consumes = self.rows();
        let received_at = self.parts.values().map(|part| part.received_at).min().unwrap_or_default();
        let sender = Sender::read(&self.head.source);
        let text = if self.is_whole() {
            let bodies: Vec<Piece<'_>> = self.parts.values().map(Held::piece).collect();
            read_text(&bodies, self.head.codings)
        } else {
            Text::PartMissing
        };
        self.inbound(key, sender, text, consumes, received_at)
    }

    /// The message that it becomes.
    pub(super) fn inbound(
        &self,
        key: RowKey,
        sender: Sender,
        text: Text,
        consumes: Vec<RowKey>,
        received_at: Micros,
    ) -> Inbound {
        Inbound {
            key,
            carrier: self.head.carrier.clone(),
            line: self.head.line,
            ticket: None,
            sender,
            source: self.head.source.clone(),
            short_code: self.head.short_code.clone(),
            text,
            parts: self.parts.len() as u8,
            concat_ref: Some(self.head.reference),
            data_coding: self.parts.values().next().map_or(0, |part| part.data_coding),
            fingerprints: self.parts.values().map(|part| part.fingerprint).collect(),
            consumes,
            received_at,
        }
    }
}
