//! A part of a long text as the desk holds it, and what all parts of one text share.

use crate::{
    clock::Micros,
    config::Codings,
    ledger::Token,
    message::{CarrierId, LineNo, Octets, RawAddress, RowKey, ShortCode},
    sms::{Form, Piece},
};

/// What the parts of one text share.
pub(super) struct Head {
    /// Whose line.
    pub(super) carrier: CarrierId,
    /// The line of the part that came last.
    pub(super) line: LineNo,
    /// Source address.
    pub(super) source: RawAddress,
    /// The code texted to.
    pub(super) short_code: ShortCode,
    /// Their reference.
    pub(super) reference: u16,
    /// Given up then.
    pub(super) expires_at: Micros,
    /// How its carrier codes texts.
    pub(super) codings: Codings,
}

/// One part.
pub(super) struct Held {
    /// Its row.
    pub(super) key: RowKey,
    /// From 1.
    pub(super) index: u8,
    /// data_coding.
    pub(super) data_coding: u8,
    /// What its header said about its coding.
    pub(super) form: Form,
    /// Without its header.
    pub(super) body: Octets,
    /// Of the physical message.
    pub(super) fingerprint: Token,
    /// When it was read.
    pub(super) received_at: Micros,
}

impl Held {
    pub(super) fn piece(&self) -> Piece<'_> {
        Piece { data_coding: self.data_coding, form: self.form, octets: &self.body.0 }
    }

    /// What it counts towards the octets of open texts: its text and what surrounds it in memory.
    pub(super) fn weight(&self) -> usize {
        self.body.0.len() + 256
    }
}
