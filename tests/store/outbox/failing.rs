//! The store fails for a moment: what happened at the carrier is settled all the same, once.

use std::time::Duration;

use tracuu::{
    db::Db,
    ledger::{Entry, Fate},
};

use super::hall::Hall;
use crate::book::{BEGIN, books, carrier, exchange, settlement};

#[tokio::test]
async fn a_settlement_that_could_not_be_stored_is_stored_when_it_can_be() {
    for book in books().await {
        let running = book.start().await;
        let (key, other) = (running.exchange(&book.clock).await, running.exchange_of("vnp", &book.clock).await);
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.up(0).await;
        let submit = hall.next(0).await;
        book.refuse("settlement").await;
        hall.accept(0, &submit).await;
        hall.settle_down().await;
        // One of our own fails behind it, so that it has failed for certain.
        let own = Entry::Settlement(settlement(other, "x", BEGIN));
        assert_eq!(running.store(own).await, Fate::Failed, "{}", book.label);
        book.relent("settlement").await;
        book.until("settled", |balance| balance.settled == 1).await;
        let mt = book.mt("vtl").await;
        assert_eq!((mt.len(), mt[0].exchange_key, mt[0].flags), (1, key.0, 0), "{}", book.label);
        assert!(hall.lying(0).is_empty(), "{}: it was not sent again", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_lock_held_by_another_process_delays_settlements_and_loses_none() {
    for book in books().await {
        // Only SQLite has one lock for all.
        let Db::Sqlite { .. } = &book.db else { continue };
        let hasty = book.open_again(Duration::from_millis(500)).await;
        let running = book.start_over(hasty, "one").await;
        let mut keys = Vec::new();
        for _ in 0..5 {
            keys.push(running.exchange(&book.clock).await);
        }
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.up(0).await;
        let mut sent = Vec::new();
        for _ in 0..5 {
            sent.push(hall.next(0).await);
        }
        let lock = book.db.begin().await.unwrap();
        for submit in &sent {
            hall.accept(0, submit).await;
        }
        hall.settle_down().await;
        let late = running.ledger.next_key();
        assert_eq!(running.store(exchange(&running.ledger, late, "vtl", BEGIN)).await, Fate::Failed);
        drop(lock);
        let balance = book.until("all settled", |balance| balance.settled == 5).await;
        assert_eq!((balance.waiting, balance.doubled, balance.exchanges), (0, 0, 5));
        let settled: Vec<i64> = book.mt("vtl").await.iter().map(|row| row.exchange_key).collect();
        assert_eq!(settled, keys.iter().map(|key| key.0).collect::<Vec<_>>());
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_stop_while_the_store_fails_goes_on_until_what_happened_is_stored() {
    for book in books().await {
        let running = book.start().await;
        running.exchange(&book.clock).await;
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.up(0).await;
        let submit = hall.next(0).await;
        book.refuse("settlement").await;
        hall.accept(0, &submit).await;
        hall.settle_down().await;
        drop(hall.door.take());
        book.relent("settlement").await;
        hall.ended().await;
        assert_eq!(book.balance().await.settled, 1, "{}", book.label);
        running.end().await;
    }
}
