//! One process writes under one instance name; each start has an epoch of its own.

use tokio::task::JoinSet;
use tracuu::{
    clock::Clock,
    ledger::{Fate, Ledger},
};

use crate::book::{BEGIN, books, exchange};

#[tokio::test]
async fn a_writer_whose_place_was_taken_stores_nothing_more_and_ends() {
    for book in books().await {
        let mut first = book.start().await;
        first.exchange(&book.clock).await;
        let second = book.start().await;
        let key = first.ledger.next_key();
        let fate = first.store(exchange(&first.ledger, key, "vtl", BEGIN)).await;
        assert_eq!(fate, Fate::Failed, "{}", book.label);
        assert!(first.ended().await.is_err(), "{}", book.label);
        let key = first.ledger.next_key();
        assert_eq!(first.store(exchange(&first.ledger, key, "vtl", BEGIN)).await, Fate::Failed, "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 1, "{}", book.label);

        second.exchange(&book.clock).await;
        assert_eq!(book.balance().await.exchanges, 2, "{}", book.label);
        assert_eq!(second.ledger.ended().len(), 1, "{}", book.label);
        assert!(!second.ledger.ended()[0].orderly, "{}: it did not end by itself", book.label);
        second.end().await;
    }
}

#[tokio::test]
async fn another_instance_beside_it_does_not_end_a_writer() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        assert_ne!(one.ledger.epoch(), two.ledger.epoch(), "{}", book.label);
        let first = one.exchange(&book.clock).await;
        two.exchange(&book.clock).await;
        assert_eq!(book.balance().await.exchanges, 2, "{}", book.label);
        let own = one.ledger.waiting(&crate::book::carrier_id("vtl"), tracuu::message::RowKey(0), 9).await.unwrap();
        assert_eq!(
            own.iter().map(|reply| reply.key).collect::<Vec<_>>(),
            [first],
            "{}: each sends its own",
            book.label
        );
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn instances_that_start_together_take_different_epochs() {
    for book in books().await {
        // The schema first: a store is made once, by one.
        book.start_as("first").await.end().await;
        let mut starting = JoinSet::new();
        for n in 0..8 {
            let db = book.open_again(std::time::Duration::from_secs(10)).await;
            let keys = book.keys.clone();
            starting.spawn(async move {
                let opened = Ledger::open(db, keys, &format!("instance {n}"), Clock::fixed(BEGIN)).await;
                opened.map(|(ledger, _)| ledger.epoch())
            });
        }
        let mut epochs: Vec<i64> = starting.join_all().await.into_iter().map(|epoch| epoch.unwrap()).collect();
        epochs.sort_unstable();
        assert_eq!(epochs, (2..10).collect::<Vec<_>>(), "{}", book.label);
    }
}

#[tokio::test]
async fn an_orderly_end_is_told_from_a_crash() {
    for book in books().await {
        book.start().await.end().await;
        let crashed = book.start().await;
        assert!(crashed.ledger.ended().last().unwrap().orderly, "{}", book.label);
        crashed.kill().await;
        let next = book.start().await;
        assert!(!next.ledger.ended().last().unwrap().orderly, "{}", book.label);
        next.end().await;
    }
}

#[tokio::test]
async fn the_processes_that_write_are_counted_until_they_end_or_their_lease_runs_out() {
    for book in books().await {
        let one = book.start_as("one").await;
        assert_eq!(one.ledger.live_instances(book.clock.now()).await.unwrap(), 1, "{}", book.label);
        let (two, three) = (book.start_as("two").await, book.start_as("three").await);
        assert_eq!(one.ledger.live_instances(book.clock.now()).await.unwrap(), 3, "{}", book.label);
        two.end().await;
        assert_eq!(one.ledger.live_instances(book.clock.now()).await.unwrap(), 2, "{}", book.label);
        three.kill().await;
        assert_eq!(one.ledger.live_instances(book.clock.now()).await.unwrap(), 2, "{}: it may live", book.label);
        let later = book.clock.now().plus_seconds(60);
        assert_eq!(one.ledger.live_instances(later).await.unwrap(), 1, "{}: whoever asks lives", book.label);
        one.end().await;
    }
}
