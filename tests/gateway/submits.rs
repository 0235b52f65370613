//! What becomes of replies when the SMSC is slow, refuses, or loses its line.

use tracuu::{
    ledger::FLAG_POSSIBLE_DUP,
    registry::cast,
    sim::{Smsc, SmscSettings, SubmitAnswer},
};

use crate::harness::{Setup, TestGateway, soon};

const THROTTLED: SubmitAnswer = SubmitAnswer::Refuse(0x58);

async fn asked(setup: Setup) -> TestGateway {
    let gateway = TestGateway::start_with(setup).await;
    gateway.text(cast::ADULT.phone, &question()).await;
    gateway
}

fn question() -> String {
    format!("TTCD {} HOTEN", cast::ADULT.short_key())
}

fn answering(submits: SubmitAnswer) -> Setup {
    Setup::with("", SmscSettings { submits, ..SmscSettings::default() })
}

async fn submits(smsc: &Smsc, count: u64) {
    let some = async {
        while smsc.counts().submits < count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    soon("submits reach the SMSC", some).await;
}

async fn reply(gateway: &TestGateway) {
    let reply = soon("the reply", gateway.phone(cast::ADULT.phone).reply()).await;
    assert!(reply.text.expose().contains("Nguyen Van An"));
}

#[tokio::test]
async fn a_throttled_reply_is_sent_again_and_delivered_once() {
    let gateway = asked(answering(THROTTLED)).await;
    submits(gateway.smsc(), 2).await;
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    reply(&gateway).await;
    let refused = gateway.smsc().counts().submits - 1;
    let (_, replies) = gateway.settled().await;
    // Some carriers deliver what they throttled, and then charge twice.
    let record = &replies[0];
    assert_eq!((record.result.as_str(), record.seg_accepted, record.flags), ("ACCEPTED", 1, FLAG_POSSIBLE_DUP));
    assert!(refused >= 2, "{refused}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_refused_reply_is_not_sent_again_and_recorded() {
    let gateway = asked(answering(SubmitAnswer::Refuse(0x0B))).await;
    let (_, replies) = gateway.settled().await;
    let record = &replies[0];
    assert_eq!((record.result.as_str(), record.seg_accepted, record.status), ("REJECTED", 0, Some(0x0B)));
    assert_eq!(gateway.smsc().counts().submits, 1);
    gateway.finish().await;
}

#[tokio::test]
async fn a_reply_that_cannot_be_sent_in_its_time_expires() {
    let gateway = asked(answering(THROTTLED)).await;
    submits(gateway.smsc(), 1).await;
    gateway.clock.advance(601_000_000);
    let (_, replies) = gateway.settled().await;
    assert_eq!((replies[0].result.as_str(), replies[0].seg_accepted), ("EXPIRED", 0));
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    gateway.text(cast::ADULT.phone, &question()).await;
    reply(&gateway).await;
    assert_eq!(gateway.finish().await.exchanges, 2);
}

#[tokio::test]
async fn submits_that_are_open_when_the_line_is_lost_are_sent_again_and_marked() {
    let gateway = asked(answering(SubmitAnswer::Silence)).await;
    submits(gateway.smsc(), 1).await;
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    gateway.smsc().cut();
    reply(&gateway).await;
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.settled, counted.possible_dups), (1, 1, 1));
}

#[tokio::test]
async fn submits_without_a_response_are_sent_again_and_marked() {
    let gateway = asked(Setup::with(
        "submit_timeout_ms = 200",
        SmscSettings { submits: SubmitAnswer::Silence, ..SmscSettings::default() },
    ))
    .await;
    submits(gateway.smsc(), 1).await;
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    reply(&gateway).await;
    assert_eq!(gateway.finish().await.possible_dups, 1);
}

#[tokio::test]
async fn a_carrier_that_asks_for_it_gets_no_reply_in_doubt_a_second_time() {
    let gateway = asked(Setup::with(
        "in_doubt = \"hold\"",
        SmscSettings { submits: SubmitAnswer::Silence, ..SmscSettings::default() },
    ))
    .await;
    submits(gateway.smsc(), 1).await;
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    // Long enough for the same question to be a new one after the break.
    gateway.clock.advance(60_000_000);
    gateway.smsc().cut();
    let (_, replies) = gateway.settled().await;
    assert_eq!((replies[0].result.as_str(), replies[0].seg_accepted, replies[0].flags), ("UNKNOWN", 0, 2));
    soon("the line is bound again", gateway.smsc().bound()).await;
    gateway.text(cast::ADULT.phone, &question()).await;
    reply(&gateway).await;
    assert_eq!(gateway.smsc().counts().submits, 2);
    gateway.finish().await;
}

#[tokio::test]
async fn replies_that_wait_at_a_stop_are_sent_after_the_next_start() {
    let mut gateway = asked(answering(SubmitAnswer::Silence)).await;
    submits(gateway.smsc(), 1).await;
    gateway.smsc().cut();
    gateway.stop_service().await;
    assert_eq!(gateway.balance().await.waiting, 1);
    gateway.smsc().answer_submits(SubmitAnswer::Accept);
    gateway.start_service().await;
    reply(&gateway).await;
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.settled, counted.possible_dups), (1, 1, 1));
}
