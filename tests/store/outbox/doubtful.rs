//! Submits whose response was lost: sent again and flagged, or held back and recorded as unknown.

use tracuu::{
    config::{Carrier, InDoubtRule},
    ledger::{Entry, FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, Fate},
    message::SubmitResult,
};

use super::hall::{Hall, only};
use crate::book::{books, carrier};

fn hold() -> Carrier {
    Carrier { in_doubt: InDoubtRule::Hold, ..carrier("vtl") }
}

#[tokio::test]
async fn what_was_in_doubt_when_a_session_ended_is_sent_again_with_possible_dup_and_nothing_else_is() {
    for book in books().await {
        let running = book.start().await;
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(running.exchange(&book.clock).await);
        }
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.up(0).await;
        let (answered, lost, unsent) = (hall.next(0).await, hall.next(0).await, hall.next(0).await);
        hall.accept(0, &answered).await;
        // The third never left: the line hands it back by itself, after the end of the session.
        hall.down(0, &[&lost]).await;
        hall.respond(0, &unsent, SubmitResult::Unsent).await;
        hall.up(0).await;
        let (again, later) = (hall.next(0).await, hall.next(0).await);
        assert_eq!((again.id.place(), later.id.place()), (lost.id.place(), unsent.id.place()), "{}", book.label);
        hall.accept(0, &again).await;
        hall.accept(0, &later).await;
        book.until("all settled", |balance| balance.settled == 3).await;
        let flags: Vec<_> = book.mt("vtl").await.iter().map(|row| (row.exchange_key, row.flags)).collect();
        let expected = [(keys[0].0, 0), (keys[1].0, FLAG_POSSIBLE_DUP), (keys[2].0, 0)];
        assert_eq!(flags, expected, "{}", book.label);
        assert!(hall.lying(0).is_empty(), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_refusal_from_the_line_it_left_by_before_does_not_count_for_the_one_it_is_on_now() {
    for book in books().await {
        let running = book.start().await;
        running.exchange(&book.clock).await;
        let mut hall = Hall::open(&book, &running, Carrier { lines: 2, ..carrier("vtl") });
        hall.up(0).await;
        let first = hall.next(0).await;
        hall.down(0, &[&first]).await;
        hall.up(1).await;
        let second = hall.next(1).await;
        // For good, if it counted.
        hall.respond(0, &first, SubmitResult::Rejected { status: 0x0b, reason: None }).await;
        hall.accept(1, &second).await;
        book.until("settled", |balance| balance.settled == 1).await;
        let mt = book.mt("vtl").await;
        assert_eq!((mt[0].result.as_str(), mt[0].line), ("ACCEPTED", Some(1)), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn after_a_restart_what_waits_is_sent_once_more_with_possible_dup() {
    for book in books().await {
        let first = book.start().await;
        let key = first.exchange(&book.clock).await;
        let mut hall = Hall::open(&book, &first, carrier("vtl"));
        hall.up(0).await;
        // Taken by the SMSC, and nobody here will ever know.
        assert_eq!(hall.next(0).await.id.place(), only(key));
        hall.kill().await;
        first.kill().await;
        let second = book.start().await;
        let mut hall = Hall::open(&book, &second, carrier("vtl"));
        hall.up(0).await;
        let again = hall.next(0).await;
        assert_eq!(again.id.place(), only(key), "{}", book.label);
        hall.accept(0, &again).await;
        book.until("settled", |balance| balance.settled == 1).await;
        assert_eq!(book.mt("vtl").await[0].flags, FLAG_POSSIBLE_DUP, "{}", book.label);
        hall.ended().await;
        second.end().await;
    }
}

#[tokio::test]
async fn a_carrier_with_hold_has_each_reply_marked_on_disk_before_it_leaves() {
    for book in books().await {
        let running = book.start().await;
        let keys = [running.exchange(&book.clock).await, running.exchange(&book.clock).await];
        let mut hall = Hall::open(&book, &running, hold());
        hall.up(0).await;
        for key in keys {
            let submit = hall.next(0).await;
            assert_eq!(submit.id.place(), only(key), "{}", book.label);
            let marked = format!("select count(*) from sending where key = {}", key.0);
            assert_eq!(book.number(&marked).await, 1, "{}: it left without its mark", book.label);
            hall.accept(0, &submit).await;
        }
        book.until("settled", |balance| balance.settled == 2).await;
        assert_eq!(book.number("select count(*) from sending").await, 0, "{}", book.label);
        assert!(book.mt("vtl").await.iter().all(|row| row.flags == 0), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_carrier_with_hold_gets_nothing_that_could_not_be_marked() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        book.refuse("sending").await;
        let mut hall = Hall::open(&book, &running, hold());
        hall.up(0).await;
        // A mark of our own fails behind the outbox's, so that one has failed for certain.
        hall.settle_down().await;
        assert_eq!(running.store(Entry::Sending(key)).await, Fate::Failed, "{}", book.label);
        assert!(hall.lying(0).is_empty(), "{}", book.label);
        book.relent("sending").await;
        assert_eq!(hall.next(0).await.id.place(), only(key), "{}", book.label);
        hall.kill().await;
        running.end().await;
    }
}

#[tokio::test]
async fn with_hold_a_lost_response_is_recorded_as_unknown_and_not_sent_again() {
    for book in books().await {
        let running = book.start().await;
        let (lost, slow) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        let mut hall = Hall::open(&book, &running, hold());
        hall.up(0).await;
        let (first, second) = (hall.next(0).await, hall.next(0).await);
        hall.respond(0, &second, SubmitResult::TimedOut).await;
        hall.down(0, &[&first]).await;
        hall.up(0).await;
        book.until("both settled", |balance| balance.settled == 2).await;
        let mut mt = book.mt("vtl").await;
        mt.sort_by_key(|row| row.exchange_key);
        let results: Vec<_> = mt.iter().map(|row| (row.exchange_key, row.result.as_str(), row.flags)).collect();
        let expected = [(lost.0, "UNKNOWN", FLAG_IN_DOUBT), (slow.0, "UNKNOWN", FLAG_IN_DOUBT)];
        assert_eq!(results, expected, "{}", book.label);
        hall.settle_down().await;
        assert!(hall.lying(0).is_empty(), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn with_hold_a_restart_records_what_was_marked_as_unknown_and_sends_what_was_not() {
    for book in books().await {
        let first = book.start().await;
        let (marked, unmarked) = (first.exchange(&book.clock).await, first.exchange(&book.clock).await);
        assert_eq!(first.store(Entry::Sending(marked)).await, Fate::Stored);
        first.kill().await;
        let second = book.start().await;
        let mut hall = Hall::open(&book, &second, hold());
        hall.up(0).await;
        let submit = hall.next(0).await;
        assert_eq!(submit.id.place(), only(unmarked), "{}", book.label);
        hall.accept(0, &submit).await;
        book.until("both settled", |balance| balance.settled == 2).await;
        let mut mt = book.mt("vtl").await;
        mt.sort_by_key(|row| row.exchange_key);
        let results: Vec<_> = mt.iter().map(|row| (row.result.as_str(), row.flags, row.seg_planned)).collect();
        assert_eq!(results, [("UNKNOWN", FLAG_IN_DOUBT, 1), ("ACCEPTED", 0, 1)], "{}", book.label);
        assert_eq!(book.number("select count(*) from sending").await, 0, "{}", book.label);
        hall.ended().await;
        second.end().await;
    }
}
