//! Delivery receipts: each is acknowledged, and those that name a reply of ours are noted on it.

use std::time::Duration;

use tracuu::{
    db::Db,
    registry::cast,
    sim::{Deliver, Receipts, SmscSettings},
};

use crate::{
    harness::{CODE, CarrierSetup, PATIENCE, Setup, TestGateway, soon},
    logs,
};

fn with_receipts() -> Setup {
    Setup::with("receipts = true", SmscSettings { receipts: Receipts::Delivered, ..SmscSettings::default() })
}

/// Result and exchange of each receipt that was stored.
async fn receipts(gateway: &TestGateway) -> Vec<(String, Option<i64>)> {
    let db = gateway.open_store().await;
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let rows = sqlx::query_as("select result, exchange_key from settlement where kind = 2 order by key");
    let rows = rows.fetch_all(readers).await.unwrap();
    db.close().await;
    rows
}

async fn until_receipts(gateway: &TestGateway, count: u64) {
    let taken = tokio::time::timeout(PATIENCE, async {
        while gateway.smsc().counts().receipts_taken < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(taken.await.is_ok(), "{:?}", gateway.smsc().counts());
}

/// A receipt for a message, as most SMSCs write it (SMPP 3.4, appendix B).
fn receipt(phone: u64, id: &str, state: &str) -> Deliver {
    let dates = "submit date:2601010000 done date:2601010000";
    let text = format!("id:{id} sub:001 dlvrd:001 {dates} stat:{state} err:000 text:");
    Deliver { esm_class: 0x04, ..Deliver::new(&phone.to_string(), CODE, 0, text) }
}

/// Past the gateway's own count: a receipt is no question.
async fn deliver(gateway: &TestGateway, receipt: Deliver) {
    let answer = soon("the receipt is answered", gateway.smsc().deliver(receipt)).await;
    assert_eq!(answer.unwrap().status, 0);
}

async fn ask_long(gateway: &TestGateway) {
    let every = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD THUONGTRU";
    let reply = gateway.ask(cast::LONG.phone, &format!("TTCD {} {every}", cast::LONG.short_key())).await;
    assert_eq!(reply.segments, 3);
}

async fn ask_short(gateway: &TestGateway) {
    let reply = gateway.ask(cast::ADULT.phone, &format!("TTCD {} HT", cast::ADULT.short_key())).await;
    assert_eq!(reply.segments, 1);
}

#[tokio::test]
async fn each_segments_receipt_is_noted_on_its_reply() {
    let gateway = TestGateway::start_with(Setup::carrier("receipts = true")).await;
    ask_long(&gateway).await;
    ask_short(&gateway).await;
    let (questions, replies) = gateway.settled().await;
    assert!(replies.iter().all(|record| record.result == "ACCEPTED"));
    for (record, phone) in replies.iter().zip([cast::LONG.phone, cast::ADULT.phone]) {
        for id in record.message_ids.as_deref().unwrap().split(';') {
            // Padded, as some SMSCs write in receipts what they wrote plain before.
            deliver(&gateway, receipt(phone, &format!("{id:0>10}"), "DELIVRD")).await;
        }
    }
    let delivered = |at: usize| ("DELIVERED".to_owned(), Some(questions[at].key));
    assert_eq!(receipts(&gateway).await, [delivered(0), delivered(0), delivered(0), delivered(1)]);
    gateway.finish().await;
}

#[tokio::test]
async fn the_form_of_receipts_is_learned_from_those_that_came_unless_a_setting_says_it() {
    let usual = "text (id, sub, dlvrd, submit date, done date of 10 digits, stat, err, text)";
    for (settings, shown) in [("receipts = true", Some(usual)), ("receipts = true\nreceipt_form = \"text\"", None)] {
        let gateway = TestGateway::start_with(Setup::carrier(settings)).await;
        let learned = || gateway.board().view().carriers[0].learned.get("receipt_form").cloned();
        for _ in 0..4 {
            ask_long(&gateway).await;
        }
        let (_, replies) = gateway.settled().await;
        for record in &replies {
            for id in record.message_ids.as_deref().unwrap().split(';') {
                deliver(&gateway, receipt(cast::LONG.phone, id, "DELIVRD")).await;
            }
        }
        assert_eq!(learned().as_deref(), shown, "{settings}");
        let list = "02,2601010000,2601010000,,84520000001,9999,4001";
        deliver(&gateway, Deliver { esm_class: 0x04, ..Deliver::new("84520000001", CODE, 0, list) }).await;
        let shows_csv = learned().is_some_and(|form| form.starts_with("csv"));
        assert_eq!(shows_csv, shown.is_some(), "{settings}: {:?}", learned());
        gateway.finish().await;
    }
}

#[tokio::test]
async fn receipts_that_come_with_the_responses_are_all_acknowledged() {
    let gateway = TestGateway::start_with(with_receipts()).await;
    ask_long(&gateway).await;
    ask_short(&gateway).await;
    until_receipts(&gateway, 4).await;
    let (_, replies) = gateway.settled().await;
    assert!(replies.iter().all(|record| record.result == "ACCEPTED"), "a receipt closes no billing record");
    let noted = receipts(&gateway).await;
    assert!(noted.len() == 4 && noted.iter().all(|(result, _)| result == "DELIVERED"), "{noted:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_receipt_for_an_unknown_message_is_acknowledged_and_kept() {
    let gateway = TestGateway::start_with(with_receipts()).await;
    for (state, result) in [("DELIVRD", "DELIVERED"), ("UNDELIV", "UNDELIVERED")] {
        deliver(&gateway, receipt(cast::ADULT.phone, "77", state)).await;
        assert_eq!(receipts(&gateway).await.last(), Some(&(result.to_owned(), None)));
    }
    ask_short(&gateway).await;
    until_receipts(&gateway, 1).await;
    assert_eq!(gateway.finish().await.exchanges, 1);
}

#[tokio::test]
async fn messages_marked_as_receipts_that_are_none_are_told_once_counted_and_over_after_a_day() {
    // A name of its own, by which its lines in the log are found.
    let carrier = CarrierSetup { name: "marks", ..CarrierSetup::default() };
    let gateway = TestGateway::start_with(Setup { carriers: vec![carrier], ..Setup::default() }).await;
    for n in 1..=3 {
        let question = Deliver::new("84520000001", CODE, 0, format!("TTCD {n}"));
        deliver(&gateway, Deliver { esm_class: 0x04, ..question }).await;
    }
    let (board, name) = (gateway.carrier_board("marks"), "flagged_but_a_question");
    assert_eq!((board.counted(name), board.alarmed(name)), (3, true));
    let log = logs::so_far();
    let of_it = log.lines().filter(|line| line.contains("carrier.name=marks") && line.contains(name));
    assert_eq!(of_it.filter(|line| line.contains("WARN") || line.contains("ERROR")).count(), 1, "one line for all");
    gateway.clock.advance(24 * 3_600 * 1_000_000);
    assert!(!board.alarmed(name), "none came for a day");
    gateway.finish().await;
}
