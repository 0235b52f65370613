//! Delivery receipts: each is acknowledged, and those that name a reply of ours are noted on it.

use std::time::Duration;

use tracuu::{
    db::Db,
    registry::cast,
    sim::{Deliver, Receipts, SmscSettings},
};

use crate::harness::{CODE, PATIENCE, Setup, TestGateway, soon};

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

#[tokio::test]
async fn each_segments_receipt_is_acknowledged_and_noted_on_its_reply() {
    let gateway = TestGateway::start_with(with_receipts()).await;
    let every = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD THUONGTRU";
    let reply = gateway.ask(cast::LONG.phone, &format!("TTCD {} {every}", cast::LONG.short_key())).await;
    assert_eq!(reply.segments, 3);
    gateway.ask(cast::ADULT.phone, &format!("TTCD {} HT", cast::ADULT.short_key())).await;
    until_receipts(&gateway, 4).await;
    let (questions, replies) = gateway.settled().await;
    assert!(replies.iter().all(|record| record.result == "ACCEPTED"), "a receipt closes no billing record");
    let [long, short] = [questions[0].key, questions[1].key];
    let noted = receipts(&gateway).await;
    assert!(noted.iter().all(|(result, _)| result == "DELIVERED"), "{noted:?}");
    let of = |key| noted.iter().filter(|(_, exchange)| *exchange == Some(key)).count();
    assert_eq!((of(long), of(short)), (3, 1), "{noted:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_receipt_for_an_unknown_message_is_acknowledged_and_kept() {
    let gateway = TestGateway::start_with(with_receipts()).await;
    for (text, result) in [
        ("id:77 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:", "DELIVERED"),
        (
            "id:78 sub:001 dlvrd:000 submit date:2601010000 done date:2601010000 stat:UNDELIV err:011 text:",
            "UNDELIVERED",
        ),
    ] {
        let phone = cast::ADULT.phone.to_string();
        let receipt = Deliver { esm_class: 0x04, ..Deliver::new(&phone, CODE, 0, text) };
        // Past the gateway's own count: a receipt is no question.
        let answer = soon("the receipt is answered", gateway.smsc().deliver(receipt)).await.unwrap();
        assert_eq!(answer.status, 0);
        assert_eq!(receipts(&gateway).await.last(), Some(&(result.to_owned(), None)));
    }
    gateway.ask(cast::ADULT.phone, &format!("TTCD {} HT", cast::ADULT.short_key())).await;
    until_receipts(&gateway, 1).await;
    assert_eq!(gateway.finish().await.exchanges, 1);
}
