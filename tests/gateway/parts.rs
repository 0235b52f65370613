//! Long questions in several parts: out of order, doubled, missing, sent again, over a restart.

use tracuu::{message::Outcome, registry::cast, sim::Deliver};

use crate::harness::{CODE, TestGateway, soon};

/// A question of two parts, as one usual phone splits it.
fn question() -> String {
    let words = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD THUONGTRU \
                 TAMTRU NOIO HONNHAN QHCH HOTEN NGAYSINH GIOITINH NOISINH";
    format!("TTCD {} {words}", cast::MINORITY.short_key())
}

/// Its parts. Each call makes new ones, with the reference of a new message.
fn parts(gateway: &TestGateway) -> [Deliver; 2] {
    gateway.phone(cast::MINORITY.phone).parts(&question(), CODE).try_into().unwrap()
}

async fn deliver(gateway: &TestGateway, part: &Deliver) {
    assert_eq!(gateway.deliver(part.clone()).await.unwrap().status, 0);
}

async fn reply(gateway: &TestGateway) -> String {
    soon("the reply", gateway.phone(cast::MINORITY.phone).reply()).await.text.expose().to_owned()
}

#[tokio::test]
async fn two_parts_in_any_order_are_one_question() {
    let gateway = TestGateway::start().await;
    for order in [[0, 1], [1, 0]] {
        let parts = parts(&gateway);
        for at in order {
            deliver(&gateway, &parts[at]).await;
        }
        assert!(reply(&gateway).await.contains("Giang A Pao"), "{order:?}");
        // The phone of the next round begins to count its long messages anew, as another phone would.
        gateway.clock.advance(3_600_000_000);
    }
    let (questions, _) = gateway.records("sim").await;
    assert_eq!(questions.iter().map(|record| record.parts).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(gateway.finish().await.exchanges, 2);
}

#[tokio::test]
async fn parts_numbered_by_optional_parameters_are_one_question() {
    let gateway = TestGateway::start().await;
    let phone = cast::ADULT.phone.to_string();
    let part = |text: String, index| Deliver::new(&phone, CODE, 0, text).with_sar(77, 2, index);
    deliver(&gateway, &part(" HOTEN".to_owned(), 2)).await;
    deliver(&gateway, &part(format!("TTCD {}", cast::ADULT.short_key()), 1)).await;
    let reply = soon("the reply", gateway.phone(cast::ADULT.phone).reply()).await;
    assert!(reply.text.expose().contains("Nguyen Van An"));
    assert_eq!(gateway.finish().await.exchanges, 1);
}

#[tokio::test]
async fn a_part_that_comes_twice_is_counted_and_changes_nothing() {
    let gateway = TestGateway::start().await;
    let [first, second] = parts(&gateway);
    for part in [&first, &first, &second] {
        deliver(&gateway, part).await;
    }
    assert!(reply(&gateway).await.contains("Giang A Pao"));
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.repeats), (1, 1));
}

#[tokio::test]
async fn a_part_that_never_comes_is_given_up_and_the_citizen_is_told() {
    let gateway = TestGateway::start().await;
    let [first, _] = parts(&gateway);
    deliver(&gateway, &first).await;
    assert_eq!(gateway.balance().await.parts, 1);
    gateway.clock.advance(599_000_000);
    // The look at the parts is every second: a question in between shows that the service runs.
    assert!(gateway.ask(cast::ADULT.phone, "HD").await.text.expose().contains("TTCD"));
    assert_eq!(gateway.balance().await.parts, 1, "one second early");
    gateway.clock.advance(2_000_000);
    assert!(reply(&gateway).await.contains("TTCD"), "the reply shows a right form");
    let (questions, _) = gateway.records("sim").await;
    let last = questions.last().unwrap();
    assert_eq!((last.outcome, last.parts), (i64::from(Outcome::Misread.code()), 1));
    assert_eq!(gateway.finish().await.exchanges, 2);
}

#[tokio::test]
async fn a_part_waits_for_the_other_over_a_restart() {
    let mut gateway = TestGateway::start().await;
    let [first, second] = parts(&gateway);
    deliver(&gateway, &second).await;
    gateway.stop_service().await;
    gateway.start_service().await;
    soon("the line is bound", gateway.smsc().bound()).await;
    deliver(&gateway, &first).await;
    assert!(reply(&gateway).await.contains("Giang A Pao"));
    assert_eq!(gateway.finish().await.exchanges, 1);
}

#[tokio::test]
async fn a_part_sent_again_after_its_text_was_answered_asks_nothing_new() {
    for again in [0, 1] {
        let gateway = TestGateway::start().await;
        let parts = parts(&gateway);
        for part in &parts {
            deliver(&gateway, part).await;
        }
        reply(&gateway).await;
        gateway.smsc().cut();
        soon("the session ends", gateway.smsc().unbound()).await;
        soon("the line is bound again", gateway.smsc().bound()).await;
        deliver(&gateway, &parts[again]).await;
        gateway.clock.advance(3_600_000_000);
        assert!(gateway.ask(cast::ADULT.phone, "HD").await.text.expose().contains("TTCD"));
        let counted = gateway.finish().await;
        assert_eq!((counted.exchanges, counted.repeats), (2, 1), "part {again}: {counted:?}");
    }
}
