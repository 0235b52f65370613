//! One record: a question (MO) or a reply (MT) as a line of the file. A pure function of its row and of the file's.
//!
//! The look-up is free and the carrier charges the citizen its own message price, which we do not know: amounts are 0
//! and say why. What only a receipt or a tariff could tell stays blank.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{BillingError, calendar::Calendar, file::Totals, line::Line, store::FileRow};
use crate::{
    clock::Micros,
    db::DbError,
    ledger::{
        EpochKeys, FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, SettlementResult, Table, contract_token,
        read::store::{MoRow, MtRow, RecordKind},
        receipt_key,
    },
    message::{CarrierId, ChargeClass, LineId, RowKey, Service, Stream},
};

/// The currency of amounts (ISO 4217).
const CURRENCY: &str = "VND";

/// How far the clocks of two machines may be apart, in microseconds: an event later than that after the closing of its file
/// has a suspect time.
const CLOCKS_APART: i64 = 60_000_000;

/// What turns rows into records.
pub(super) struct Recorder<'a> {
    /// What the database is called, for faults of rows.
    pub(super) database: &'static str,
    /// The file the records stand in.
    pub(super) file: &'a FileRow,
    /// Whose file it is.
    pub(super) carrier: &'a CarrierId,
    /// The contract's zone.
    pub(super) calendar: Calendar,
    /// What opens the numbers.
    pub(super) epochs: HashMap<i64, EpochKeys>,
    /// The contract's key for tokens of numbers.
    pub(super) token_key: Option<&'a [u8]>,
}

struct Record<'a> {
    kind: RecordKind,
    exchange: RowKey,
    received_at: Micros,
    line: Option<i64>,
    short_code: &'a str,
    service: i64,
    sealed: Option<&'a [u8]>,
    message_ids: &'a str,
    concat_ref: Option<i64>,
    event_at: Micros,
    accepted_at: Option<Micros>,
    coding: Option<i64>,
    chars: Option<i64>,
    planned: i64,
    accepted: i64,
    result: &'a str,
    status: Option<i64>,
    payer: &'a str,
    free_reason: &'a str,
    charge: ChargeClass,
    flags: i64,
}

impl Recorder<'_> {
    /// The line of a question.
    pub(super) fn question(&self, seq: i64, row: &MoRow, totals: &mut Totals) -> Result<Line, BillingError> {
        let charge = i16::try_from(row.charge_class).ok().and_then(ChargeClass::from_code);
        let record = Record {
            kind: RecordKind::Mo,
            exchange: RowKey(row.key),
            received_at: Micros(row.received_at),
            line: Some(row.line),
            short_code: &row.short_code,
            service: row.service,
            sealed: row.sealed.as_deref(),
            message_ids: "",
            concat_ref: row.concat_ref,
            event_at: Micros(row.received_at),
            accepted_at: None,
            coding: Some(row.data_coding),
            chars: Some(row.chars),
            planned: row.parts,
            accepted: row.parts,
            result: "RECEIVED",
            status: None,
            payer: "CITIZEN",
            free_reason: self.free_reason("LOOKUP_FREE"),
            charge: charge.ok_or_else(|| self.bad("charge_class", row.key))?,
            flags: 0,
        };
        self.line(seq, &record, totals)
    }

    /// The line of a reply.
    pub(super) fn reply(&self, seq: i64, row: &MtRow, totals: &mut Totals) -> Result<Line, BillingError> {
        let taken = row.result == SettlementResult::Accepted.as_str();
        let record = Record {
            kind: RecordKind::Mt,
            exchange: RowKey(row.exchange_key),
            received_at: Micros(row.received_at),
            line: row.line,
            short_code: &row.short_code,
            service: row.service,
            sealed: row.sealed.as_deref(),
            message_ids: row.message_ids.as_deref().unwrap_or_default(),
            concat_ref: None,
            event_at: Micros(row.submitted_at.unwrap_or(row.settled_at)),
            accepted_at: taken.then_some(Micros(row.settled_at)),
            coding: row.reply_coding,
            chars: row.reply_chars,
            planned: row.seg_planned,
            accepted: row.seg_accepted,
            result: &row.result,
            status: row.status.or(taken.then_some(0)),
            payer: "NONE",
            free_reason: self.free_reason(if taken { "LOOKUP_FREE" } else { "REJECTED" }),
            charge: if taken { ChargeClass::Charge } else { ChargeClass::Refund },
            flags: row.flags,
        };
        self.line(seq, &record, totals)
    }

    /// Records of the test stream say so before anything else.
    fn free_reason(&self, reason: &'static str) -> &'static str {
        if self.file.stream == Stream::Test.letter() { "TEST" } else { reason }
    }

    fn line(&self, seq: i64, record: &Record, totals: &mut Totals) -> Result<Line, BillingError> {
        let key = record.exchange.0;
        let id = |kind: u8| record.exchange.uuid(record.received_at, kind);
        let text = |at| self.calendar.text(at).ok_or_else(|| self.bad("settled_at", key));
        let (event, period) =
            self.calendar.text_and_period(record.event_at).ok_or_else(|| self.bad("received_at", key))?;
        let accepted_at = record.accepted_at.map(text).transpose()?.unwrap_or_default();
        let service = i16::try_from(record.service).ok().and_then(Service::from_code);
        let service = service.ok_or_else(|| self.bad("service", key))?;
        let (number, token) = self.number(record)?;
        let (planned, billed) = (record.planned, record.accepted);
        totals.add(record.kind.as_str(), "ORIG", [planned, billed, 0, billed], 0, CURRENCY);
        if let Ok(at) = Timestamp::from_millisecond(record.event_at.0.div_euclid(1_000)) {
            totals.event(at, &event);
        }
        let kind = match record.kind {
            RecordKind::Mo => 1,
            RecordKind::Mt => 2,
        };
        let mut buffer = Uuid::encode_buffer();
        let mut line = Line::new("R");
        line.number(seq)
            .field(id(kind).hyphenated().encode_lower(&mut buffer))
            .field(id(0).hyphenated().encode_lower(&mut buffer))
            .field(record.kind.as_str())
            .field("ORIG")
            .blank()
            .blank()
            .field(&self.file.stream)
            .field(&self.file.code)
            .field(&record.line.map_or_else(String::new, |line| self.line_name(line)))
            .field(record.short_code)
            .field(service.as_str())
            .field(&number)
            .field(&token)
            .field(record.message_ids)
            .field(&normal(record.message_ids))
            .blank()
            .maybe(record.concat_ref)
            .field(&event)
            .field(&accepted_at)
            .blank()
            .field(&period)
            .number(i64::from(period < self.file.period))
            .maybe(record.coding)
            .field(record.coding.map_or("", encoding))
            .maybe(record.chars)
            .number(planned)
            .number(record.accepted)
            .blank()
            .number(billed)
            .field(record.result)
            .field(&record.status.map_or_else(String::new, |status| format!("0x{status:08x}")))
            .blank()
            .field(&self.file.charge_basis)
            .field(record.payer)
            .blank()
            .number(0_i64)
            .number(0_i64)
            .field(CURRENCY)
            .field(record.free_reason)
            .field(record.charge.as_str())
            .field(&self.flags(record));
        Ok(line)
    }

    /// Our name of the line, as operators know it.
    fn line_name(&self, line: i64) -> String {
        LineId::from_row(self.carrier.clone(), u16::try_from(line).unwrap_or_default()).to_string()
    }

    /// The number's digits, and its token under the contract's key.
    fn number(&self, record: &Record) -> Result<(String, String), BillingError> {
        let Some(sealed) = record.sealed else { return Ok((String::new(), String::new())) };
        let epoch = record.exchange.epoch();
        let keys = self.epochs.get(&epoch).ok_or(BillingError::EpochKey { epoch })?;
        let opened = keys.open(Table::Exchange, record.exchange, sealed)?;
        let octets: [u8; 8] = opened.as_slice().try_into().map_err(|_| self.bad("sealed", record.exchange.0))?;
        let digits = u64::from_be_bytes(octets).to_string();
        let token = self.token_key.map_or_else(String::new, |key| contract_token(key, digits.as_bytes()));
        Ok((digits, token))
    }

    /// The words of a record's flags, joined by `;`.
    fn flags(&self, record: &Record) -> String {
        let ahead = record.event_at.since(Micros(self.file.closed_at)) > CLOCKS_APART;
        let flags = [
            ("possible_dup", record.flags & FLAG_POSSIBLE_DUP != 0),
            ("in_doubt", record.flags & FLAG_IN_DOUBT != 0),
            ("clock_suspect", ahead),
        ];
        let raised: Vec<&str> = flags.into_iter().filter_map(|(name, raised)| raised.then_some(name)).collect();
        raised.join(";")
    }

    fn bad(&self, column: &'static str, row: i64) -> BillingError {
        DbError::Inconsistent { database: self.database, table: "exchange", column, row }.into()
    }
}

/// Message ids in the form in which they are compared, one a segment.
fn normal(ids: &str) -> String {
    ids.split(';').map(receipt_key).collect::<Vec<_>>().join(";")
}

/// The alphabet that a data_coding stands for: 00 to 0F are SMPP's own (SMPP 3.4, 5.2.19), the rest 3GPP TS 23.038, 4.
fn encoding(data_coding: i64) -> &'static str {
    match data_coding {
        0x08 | 0xe0..=0xef => "UCS2",
        0x01..=0x0f => "8BIT",
        0x10..=0x7f if data_coding & 0x0c == 0x08 => "UCS2",
        0x10..=0x7f if data_coding & 0x0c == 0x04 => "8BIT",
        0xf0..=0xff if data_coding & 0x04 != 0 => "8BIT",
        _ => "GSM7",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_codings_stand_for_their_alphabets() {
        for (coding, expected) in [
            (0x00, "GSM7"),
            (0x01, "8BIT"),
            (0x03, "8BIT"),
            (0x04, "8BIT"),
            (0x08, "UCS2"),
            (0x11, "GSM7"),
            (0x14, "8BIT"),
            (0x18, "UCS2"),
            (0xe0, "UCS2"),
            (0xf0, "GSM7"),
            (0xf4, "8BIT"),
        ] {
            assert_eq!(encoding(coding), expected, "{coding:#04x}");
        }
    }

    #[test]
    fn ids_are_brought_to_one_form_segment_by_segment() {
        assert_eq!(normal("00AB;;7"), "ab;;7");
        assert_eq!(normal(""), "");
    }
}
