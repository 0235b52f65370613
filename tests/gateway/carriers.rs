//! What carriers have agreed with us, one row each: a section of the configuration and the ways of its SMSC. Adding a
//! carrier to the service is adding its section; adding it to this table tries that section.
//!
//! Each row asks a short question, one in several parts, and one whose reply has several segments, all over that
//! carrier, and looks for one delivered receipt a segment where the section asks for receipts.

use std::time::Duration;

use tracuu::{
    db::Db,
    registry::cast,
    sim::{Dialect, Ids, Receipts, SmscSettings},
    sms::DefaultAlphabet,
};

use crate::harness::{PATIENCE, Setup, TestGateway};

/// One carrier.
struct Row {
    label: &'static str,
    /// Its section, beyond address and account.
    section: &'static str,
    dialect: Dialect,
    /// Segments of the long reply.
    segments: usize,
}

const PLAIN: Dialect = Dialect {
    alphabet: DefaultAlphabet::Gsm,
    response_ids: Ids::Decimal,
    receipt_ids: Ids::Decimal,
    plain_receipts: false,
    ids_after: 0x0F9F,
};

const ROWS: &[Row] = &[
    Row { label: "the usual", section: "", dialect: PLAIN, segments: 3 },
    Row {
        label: "transmitter and receiver, ids padded on one side",
        section: "bind = \"pair\"\nreceipts = true",
        dialect: Dialect { receipt_ids: Ids::PaddedDecimal, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "hexadecimal in responses, decimal in receipts",
        section: "receipts = true",
        dialect: Dialect { response_ids: Ids::Hex, plain_receipts: true, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "decimal in responses, hexadecimal in receipts, told by the setting",
        section: "receipts = true\nid_form = \"dec_to_hex\"",
        dialect: Dialect { receipt_ids: Ids::SmallHex, plain_receipts: true, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "ids in the form of UUIDs",
        section: "receipts = true",
        dialect: Dialect { response_ids: Ids::Uuid, receipt_ids: Ids::Uuid, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "Latin-1",
        section: "default_alphabet = \"latin1\"",
        dialect: Dialect { alphabet: DefaultAlphabet::Latin1, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "packed septets",
        section: "default_alphabet = \"packed\"",
        dialect: Dialect { alphabet: DefaultAlphabet::Packed, ..PLAIN },
        segments: 3,
    },
    Row {
        label: "UTF-8 under data_coding 0",
        section: "default_alphabet = \"utf8\"",
        dialect: Dialect { alphabet: DefaultAlphabet::Utf8, ..PLAIN },
        segments: 3,
    },
    Row { label: "16-bit references", section: "split = \"udh16\"", dialect: PLAIN, segments: 3 },
    Row { label: "segments by parameters", section: "split = \"sar\"", dialect: PLAIN, segments: 3 },
    Row { label: "the SMSC cuts", section: "split = \"payload\"", dialect: PLAIN, segments: 1 },
    Row {
        label: "two lines, a rate, a short life, SMPP 5.0",
        section: "lines = 2\nrate = 200\nvalidity = \"relative\"\nversion = \"5.0\"\nbilling_tag = 0x060B",
        dialect: PLAIN,
        segments: 3,
    },
    Row {
        label: "numbers as in the country, a source of another type",
        section: "number_form = \"national\"\nsource_ton = 3\nsource_npi = 0",
        dialect: PLAIN,
        segments: 3,
    },
];

/// A reply of three segments.
fn long() -> String {
    let every = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD THUONGTRU";
    format!("TTCD {} {every}", cast::LONG.short_key())
}

/// A question of two parts.
fn in_parts() -> String {
    format!("TTCD {} HOTEN{}", cast::ADULT.short_key(), " NGAYSINH GIOITINH".repeat(10))
}

/// Receipts that say delivered, on a reply of ours.
async fn delivered(gateway: &TestGateway) -> i64 {
    let db = gateway.open_store().await;
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let count = "select count(*) from settlement where kind = 2 and result = 'DELIVERED' and exchange_key is not null";
    let (count,): (i64,) = sqlx::query_as(count).fetch_one(readers).await.unwrap();
    db.close().await;
    count
}

#[tokio::test]
async fn every_carrier_of_the_table_is_served() {
    for row in ROWS {
        println!("carrier: {}", row.label);
        let receipts = if row.section.contains("receipts = true") { Receipts::Delivered } else { Receipts::None };
        let smsc = SmscSettings { receipts, dialect: row.dialect, ..SmscSettings::default() };
        let gateway = TestGateway::start_with(Setup::with(row.section, smsc)).await;
        let short = gateway.ask(cast::ADULT.phone, &format!("TTCD {} HT", cast::ADULT.short_key())).await;
        assert!(short.text.expose().contains("Nguyen Van An"), "{}: {}", row.label, short.text.expose());
        let parts = gateway.ask(cast::ADULT.phone, &in_parts()).await;
        assert!(parts.text.expose().contains("05/02/1998"), "{}", row.label);
        let long = gateway.ask(cast::LONG.phone, &long()).await;
        assert!(long.text.expose().contains("Cong Tang Ton Nu"), "{}", row.label);
        assert_eq!(long.segments, row.segments, "{}", row.label);
        let (_, replies) = gateway.settled().await;
        let segments: i64 = replies.iter().map(|record| record.seg_accepted).sum();
        let planned: i64 = replies.iter().map(|record| record.seg_planned).sum();
        assert_eq!(segments, planned, "{}", row.label);
        if receipts == Receipts::Delivered {
            let all = tokio::time::timeout(PATIENCE, async {
                while delivered(&gateway).await < segments {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
            assert!(all.await.is_ok(), "{}: {} of {segments} receipts", row.label, delivered(&gateway).await);
        }
        gateway.finish().await;
    }
}
