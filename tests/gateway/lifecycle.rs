//! Starts, stops and reconnections.

use std::time::Duration;

use tokio::net::TcpListener;
use tracuu::{
    registry::cast,
    sim::{Deliver, SmscSettings, SubmitAnswer},
};

use crate::{
    harness::{CODE, CarrierSetup, Setup, TestGateway, listen, soon},
    logs,
};

fn question() -> Deliver {
    let text = format!("TTCD {} HOTEN", cast::ADULT.short_key());
    Deliver::new(&cast::ADULT.phone.to_string(), CODE, 0, text)
}

async fn answers(gateway: &TestGateway) {
    let reply = gateway.ask(cast::LONG.phone, &format!("TTCD {} GT", cast::LONG.short_key())).await;
    assert!(reply.text.expose().contains("Gioi tinh: Nu"));
}

#[tokio::test]
async fn a_stop_sends_what_is_stored_takes_nothing_new_and_unbinds() {
    let settings = SmscSettings { submits: SubmitAnswer::Refuse(0x58), ..SmscSettings::default() };
    let mut gateway = TestGateway::start_with(Setup::with("", settings)).await;
    for _ in 0..5 {
        assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    }
    gateway.begin_stop();
    let refused = async {
        while gateway.deliver(question()).await.unwrap().status == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("new questions get a temporary error", refused).await;
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    gateway.stop_service().await;
    soon("no session is left", gateway.smsc().unbound()).await;
    let counted = gateway.balance().await;
    assert!(counted.exchanges >= 5, "{counted:?}");
    assert_eq!((counted.waiting, counted.settled), (0, counted.exchanges), "all was sent before the end");

    // What was refused for now is sent again to the next process, as a question of its own.
    gateway.clock.advance(60_000_000);
    gateway.start_service().await;
    soon("the line is bound", gateway.smsc().bound()).await;
    answers(&gateway).await;
    assert_eq!(gateway.finish().await.exchanges, counted.exchanges + 1);
}

#[tokio::test]
async fn an_smsc_that_unbinds_finds_the_line_bound_again() {
    let gateway = TestGateway::start().await;
    answers(&gateway).await;
    // Long enough for the same question to be a new one.
    gateway.clock.advance(60_000_000);
    gateway.smsc().unbind().await;
    soon("the line is bound again", gateway.smsc().bound()).await;
    answers(&gateway).await;
    assert_eq!(gateway.smsc().counts().binds, 2);
    gateway.finish().await;
}

#[tokio::test]
async fn a_line_waits_for_an_smsc_that_starts_later() {
    let carrier = CarrierSetup { name: "late", ..CarrierSetup::default() };
    let mut gateway = TestGateway::prepare(Setup { carriers: vec![carrier], ..Setup::default() }).await;
    let address = gateway.smsc().address();
    gateway.smscs.remove(0).stop().await;
    let mut gateway = gateway.run().await;
    logs::until(&["late", "not bound, trying again"]).await;
    gateway.smscs.push(listen(address, SmscSettings::default(), &gateway.clock).await);
    soon("the line is bound", gateway.smsc().bound()).await;
    answers(&gateway).await;
    gateway.finish().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_again_until_it_is_right() {
    let settings = SmscSettings { password: Some("another".to_owned()), ..SmscSettings::default() };
    let gateway = TestGateway::prepare(Setup::with("", settings)).await.run().await;
    let refused = async {
        while gateway.smsc().counts().refused_binds < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("binds are refused", refused).await;
    assert_eq!(gateway.smsc().counts().binds, 0);
    assert_eq!(gateway.finish().await.exchanges, 0);
}

#[tokio::test]
async fn a_carrier_that_never_answers_keeps_nobody_elses_citizens_waiting() {
    // One answers no submit, one takes the connection and says nothing at all, one is well.
    let silent = SmscSettings { submits: SubmitAnswer::Silence, ..SmscSettings::default() };
    let carriers = vec![
        CarrierSetup { name: "silent", smsc: silent, ..CarrierSetup::default() },
        CarrierSetup { name: "dead", ..CarrierSetup::default() },
        CarrierSetup { name: "well", ..CarrierSetup::default() },
    ];
    let mut gateway = TestGateway::prepare(Setup { carriers, ..Setup::default() }).await;
    let dead = gateway.smscs.remove(1);
    let address = dead.address();
    dead.stop().await;
    let unanswered = TcpListener::bind(address).await.unwrap();
    let gateway = gateway.run().await;
    let [silent, well] = [gateway.smscs[0].clone(), gateway.smscs[1].clone()];
    for smsc in [&silent, &well] {
        soon("the line is bound", smsc.bound()).await;
    }
    // Many more than the window, so that replies pile up.
    for _ in 0..100 {
        assert_eq!(gateway.deliver_at(&silent, question()).await.unwrap().status, 0);
    }
    for _ in 0..20 {
        let answer = gateway.deliver_at(&well, question()).await.unwrap();
        assert_eq!(answer.status, 0);
        let reply = tokio::time::timeout(Duration::from_secs(10), well.next_submit()).await;
        assert!(reply.is_ok(), "the citizens of the carrier that is well wait");
    }
    gateway.until("all of the carrier that is well is settled", |counted| counted.settled == 20).await;
    assert_eq!(gateway.balance().await.waiting, 100);
    silent.answer_submits(SubmitAnswer::Accept);
    silent.cut();
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.possible_dups), (120, 10), "the window is 10");
    drop(unanswered);
}
