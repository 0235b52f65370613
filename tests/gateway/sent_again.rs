//! Messages that the SMSC sends again are recognised by what it did not hear; the same text asked twice is two.

use std::time::Duration;

use tokio::task::JoinSet;
use tracuu::{
    registry::cast,
    sim::{Deliver, SimError},
};

use crate::harness::{CODE, PATIENCE, Setup, TestGateway, soon};

fn question() -> Deliver {
    let text = format!("TTCD {} HOTEN", cast::ADULT.short_key());
    Deliver::new(&cast::ADULT.phone.to_string(), CODE, 0, text)
}

async fn cut_and_bound_again(gateway: &TestGateway) {
    gateway.smsc().cut();
    soon("the session ends", gateway.smsc().unbound()).await;
    soon("the line is bound again", gateway.smsc().bound()).await;
}

async fn reply(gateway: &TestGateway) {
    let reply = soon("the reply", gateway.phone(cast::ADULT.phone).reply()).await;
    assert!(reply.text.expose().contains("Nguyen Van An"));
}

#[tokio::test]
async fn a_question_whose_session_was_cut_before_the_answer_is_one_question() {
    let gateway = TestGateway::start().await;
    let lock = gateway.lock_store().await;
    let smsc = gateway.smsc().clone();
    let mut asking = JoinSet::new();
    asking.spawn(async move { smsc.deliver(question()).await });
    // The line reads in order: an enquire_link that is answered came after the question.
    while gateway.smsc().counts().enquiries_answered == 0 {
        tokio::task::yield_now().await;
        gateway.smsc().enquire();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gateway.smsc().cut();
    let lost = soon("the question is lost", asking.join_next()).await.unwrap().unwrap();
    assert!(matches!(lost, Err(SimError::SessionLost)), "{lost:?}");
    drop(lock);
    soon("the session ends", gateway.smsc().unbound()).await;
    soon("the line is bound again", gateway.smsc().bound()).await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    reply(&gateway).await;
    let counted = gateway.until("the reply is settled", |counted| counted.waiting == 0).await;
    assert_eq!((counted.exchanges, gateway.smsc().counts().submits), (1, 1), "{counted:?}");
    // Whether the first copy was stored before its session was lost is a matter of luck: `repeats` is 0 or 1.
    gateway.heard_less(1);
    gateway.finish().await;
}

#[tokio::test]
async fn a_question_whose_answer_was_lost_with_its_session_is_recognised() {
    let gateway = TestGateway::start().await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    reply(&gateway).await;
    gateway.clock.advance(29_000_000);
    cut_and_bound_again(&gateway).await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.with_reply, counted.repeats), (1, 1, 1));
}

#[tokio::test]
async fn a_question_is_recognised_after_a_restart() {
    let mut gateway = TestGateway::start().await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    reply(&gateway).await;
    gateway.stop_service().await;
    gateway.start_service().await;
    soon("the line is bound", gateway.smsc().bound()).await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.with_reply, counted.repeats), (1, 1, 1));
}

#[tokio::test]
async fn the_same_text_twice_on_a_healthy_line_is_two_questions() {
    let gateway = TestGateway::start().await;
    for _ in 0..2 {
        assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
        reply(&gateway).await;
    }
    // And a break long after the answer makes no third one a repeat.
    gateway.clock.advance(31_000_000);
    cut_and_bound_again(&gateway).await;
    assert_eq!(gateway.deliver(question()).await.unwrap().status, 0);
    reply(&gateway).await;
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.repeats), (3, 0));
}

/// The store is locked for longer than the line waits; the SMSC keeps its question and sends it until it is taken. What
/// was tried in vain is no loop.
async fn locked_store(setup: Setup) {
    let gateway = TestGateway::start_with(setup).await;
    let lock = gateway.lock_store().await;
    let answer = gateway.deliver(question()).await.unwrap();
    assert_eq!(answer.status, 0x58, "the store is locked: a temporary error");
    assert!(answer.waited < Duration::from_secs(10), "{:?}", answer.waited);
    drop(lock);
    let taken = tokio::time::timeout(PATIENCE, async {
        while gateway.deliver(question()).await.unwrap().status != 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    taken.await.expect("the question is taken in the end");
    reply(&gateway).await;
    let counted = gateway.until("the reply is settled", |counted| counted.waiting == 0).await;
    assert_eq!((counted.exchanges, gateway.smsc().counts().submits), (1, 1), "{counted:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_store_that_waits_longer_than_the_line_gives_a_temporary_error_and_one_exchange() {
    locked_store(Setup::carrier("answer_deadline_ms = 300\nequal_replies = 1")).await;
}

#[tokio::test]
async fn a_store_that_gives_up_before_the_line_gives_a_temporary_error_and_one_exchange() {
    locked_store(Setup { store_wait_ms: Some(400), ..Setup::carrier("equal_replies = 1") }).await;
}
