//! More replies than memory may hold: they wait in the ledger, and each is sent once, in the order of keys.

use tracuu::{
    ledger::Fate,
    message::{RowKey, SubmitResult},
};

use super::hall::Hall;
use crate::book::{Book, Running, books, carrier, exchange};

/// What the outbox may hold in memory, and what its door may (one batch each here).
const RING: usize = 4_096;
const DOOR: usize = 64;

/// Stores so many replies and hands them over as the desk does, in groups.
async fn flood(book: &Book, running: &Running, hall: &Hall, count: usize) -> Vec<RowKey> {
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let group: Vec<RowKey> = (0..50.min(count - keys.len())).map(|_| running.ledger.next_key()).collect();
        let now = book.clock.now();
        let entries = group.iter().map(|key| exchange(&running.ledger, *key, "vtl", now)).collect();
        assert!(running.ledger.store(entries).await.iter().all(|fate| *fate == Fate::Stored), "{}", book.label);
        hall.push(&group);
        hall.settle_down().await;
        keys.extend(group);
    }
    keys
}

#[tokio::test]
async fn replies_beyond_what_memory_holds_are_sent_once_each_in_the_order_of_their_keys() {
    for book in books().await {
        let running = book.start().await;
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.settle_down().await;
        let mut keys = flood(&book, &running, &hall, RING + DOOR + 500).await;
        hall.up(0).await;
        let mut sent = Vec::with_capacity(keys.len());
        while sent.len() < keys.len() {
            // More come while it catches up.
            if sent.len() == 2_000 {
                keys.extend(flood(&book, &running, &hall, 100).await);
            }
            let submit = hall.next(0).await;
            sent.push(submit.id.exchange);
            hall.accept(0, &submit).await;
        }
        assert!(sent == keys, "{}: not in the order of keys, or not each once", book.label);
        let all = keys.len() as i64;
        let balance = book.until("all settled", |balance| balance.settled == all).await;
        assert_eq!((balance.waiting, balance.doubled, balance.possible_dups), (0, 0, 0), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn memory_is_bounded_while_no_line_is_up() {
    for book in books().await {
        let running = book.start().await;
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.settle_down().await;
        let keys = flood(&book, &running, &hall, RING + 2 * DOOR + 200).await;
        // What is sent now although its row is gone was in memory.
        let bound = keys[RING + 2 * DOOR - 1];
        book.run(&format!("delete from outbox where key > {}", bound.0)).await;
        hall.up(0).await;
        let mut last = RowKey(0);
        while last < bound {
            let submit = hall.next(0).await;
            last = submit.id.exchange;
            hall.accept(0, &submit).await;
        }
        book.until("all settled", |balance| balance.waiting == 0).await;
        assert!(hall.lying(0).is_empty(), "{}: more was in memory than may be", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn nothing_more_is_sent_while_the_ledger_takes_no_settlements_beyond_what_memory_holds() {
    for book in books().await {
        let running = book.start().await;
        let mut carrier = carrier("vtl");
        carrier.line.window = 50;
        let mut hall = Hall::open(&book, &running, carrier);
        hall.settle_down().await;
        let keys = flood(&book, &running, &hall, RING + 700).await;
        book.refuse("settlement").await;
        hall.up(0).await;
        let mut sent = 0;
        while let Some(submit) = hall.soon(0).await {
            hall.accept(0, &submit).await;
            sent += 1;
        }
        // One group of settlements is on its way, and one window full was.
        assert!((RING..=RING + 256 + 50).contains(&sent), "{}: {sent}", book.label);
        book.relent("settlement").await;
        while sent < keys.len() {
            let submit = hall.next(0).await;
            hall.accept(0, &submit).await;
            sent += 1;
        }
        let balance = book.until("all settled", |balance| balance.waiting == 0).await;
        assert_eq!((balance.settled, balance.doubled), (keys.len() as i64, 0), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_stop_with_a_full_memory_ends_and_the_next_start_sends_the_rest() {
    for book in books().await {
        let first = book.start().await;
        let hall = Hall::open(&book, &first, carrier("vtl"));
        hall.settle_down().await;
        let keys = flood(&book, &first, &hall, RING + DOOR + 100).await;
        assert!(hall.ended().await.as_secs() < 5, "{}", book.label);
        first.end().await;
        let second = book.start().await;
        let mut hall = Hall::open(&book, &second, carrier("vtl"));
        hall.up(0).await;
        for key in &keys[..1_500] {
            let submit = hall.next(0).await;
            assert_eq!(submit.id.exchange, *key, "{}", book.label);
            hall.respond(0, &submit, SubmitResult::Accepted { message_id: String::new() }).await;
        }
        hall.kill().await;
        second.end().await;
    }
}
