//! Messages that cannot be taken for what they are sent as: put aside, sealed, before they are answered with their final
//! status, so that an SMSC's fault can be shown to it and no message goes unseen.

pub(in crate::ledger) mod store;

use super::{Ledger, QuarantineRow, Table};
use crate::message::{CarrierId, Odd};

/// Octets of a PDU that are kept; its beginning tells what is wrong with it.
const KEPT: usize = 4_096;

impl Ledger {
    /// Makes the row of a message that is put aside.
    pub fn put_aside(&self, carrier: &CarrierId, odd: &Odd) -> QuarantineRow {
        let key = self.next_key();
        let frame = &odd.frame.0;
        QuarantineRow {
            key,
            at: odd.received_at,
            carrier: carrier.clone(),
            line: odd.line.row(),
            trap: odd.trap,
            status: odd.status,
            octets: frame.len(),
            sealed: self.seal(Table::Quarantine, key, &frame[..frame.len().min(KEPT)]),
        }
    }
}
