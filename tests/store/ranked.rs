//! Keys: their order is the order of commits, and marks never go back, whatever fails in between.

use tracuu::{
    ledger::{
        Entry, Fate,
        read::store::{HighWater, high_water},
    },
    message::RowKey,
};

use crate::book::{BEGIN, Book, Running, books, exchange, settlement};

async fn mark(book: &Book, running: &Running) -> HighWater {
    let marks = high_water(&book.db).await.unwrap();
    marks.into_iter().find(|mark| mark.epoch == running.ledger.epoch()).unwrap()
}

#[tokio::test]
async fn the_order_of_keys_is_the_order_of_commits() {
    for book in books().await {
        let running = book.start().await;
        let (mut high, mut fates) = (0, Vec::new());
        for group in 0..20 {
            let mut entries = Vec::new();
            for _ in 0..=group {
                entries.push(exchange(&running.ledger, running.ledger.next_key(), "vtl", BEGIN));
            }
            fates.push(running.ledger.hand_over(entries).await);
            book.clock.advance(1);
            if group % 5 == 4 {
                for fates in fates.drain(..) {
                    assert!(fates.await.unwrap().iter().all(|fate| *fate == Fate::Stored), "{}", book.label);
                }
                let mark = mark(&book, &running).await;
                assert!(mark.exchange_high > high, "{}", book.label);
                high = mark.exchange_high;
                let beyond =
                    format!("select count(*) from exchange where key > {}", (running.ledger.epoch() << 40) + high);
                assert_eq!(book.number(&beyond).await, 0, "{}", book.label);
            }
        }
        assert_eq!((high, book.balance().await.exchanges), (210, 210), "{}", book.label);
        let against =
            "select count(*) from exchange a join exchange b on b.key = a.key + 1 and b.committed_at < a.committed_at";
        assert_eq!(book.number(against).await, 0, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_failed_group_leaves_no_trace_and_the_next_goes_on_where_the_last_one_stood() {
    for book in books().await {
        let label = book.label;
        let running = book.start().await;
        let ledger = &running.ledger;
        let (one, two) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        assert_eq!(running.store(Entry::Settlement(settlement(one, "1", BEGIN))).await, Fate::Stored, "{label}");
        let before = mark(&book, &running).await;

        // The same row twice, with a settlement and another row that have nothing to do with it.
        let (twice, fine) = (ledger.next_key(), ledger.next_key());
        let mut group = vec![exchange(ledger, twice, "vtl", BEGIN), exchange(ledger, twice, "vtl", BEGIN)];
        group.push(exchange(ledger, fine, "vtl", BEGIN));
        group.push(Entry::Settlement(settlement(two, "2", BEGIN)));
        assert_eq!(ledger.store(group).await, [Fate::Failed; 4], "{label}");
        assert_eq!(mark(&book, &running).await, before, "{label}");
        assert_eq!((book.balance().await.exchanges, book.balance().await.settled), (2, 1), "{label}");

        let third = running.exchange(&book.clock).await;
        assert_eq!(running.store(Entry::Settlement(settlement(two, "2", BEGIN))).await, Fate::Stored, "{label}");
        assert_eq!(running.store(Entry::Settlement(settlement(third, "3", BEGIN))).await, Fate::Stored, "{label}");
        let settled: Vec<(i64, i64)> =
            book.mt("vtl").await.iter().map(|row| (RowKey(row.key).n(), row.exchange_key)).collect();
        assert_eq!(settled, [(1, one.0), (2, two.0), (3, third.0)], "{label}");
        let after = mark(&book, &running).await;
        assert_eq!((after.exchange_high, after.settlement_high), (third.n(), 3), "{label}");
        // The head went back: the third row's hash follows the second's, as `chained` makes it again.
        let linked = "select count(*) from writer w join exchange e on e.audit_hash = w.audit_head";
        assert_eq!(book.number(linked).await, 1, "{label}");
        running.end().await;
    }
}

#[tokio::test]
async fn a_group_that_is_refused_does_not_take_down_the_one_beside_it() {
    for book in books().await {
        let running = book.start().await;
        let ledger = &running.ledger;
        let there = running.exchange(&book.clock).await;
        // Both wait when the writer comes, so they share a transaction.
        let bad = ledger.hand_over(vec![exchange(ledger, there, "vtl", BEGIN)]).await;
        let good = ledger.hand_over(vec![exchange(ledger, ledger.next_key(), "vtl", BEGIN)]).await;
        assert_eq!(bad.await.unwrap(), [Fate::Failed], "{}", book.label);
        assert_eq!(good.await.unwrap(), [Fate::Stored], "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 2, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn settlement_numbers_go_on_in_each_epoch_from_one_without_a_gap() {
    for book in books().await {
        let mut expected = Vec::new();
        for _ in 0..2 {
            let running = book.start().await;
            for n in 1..=3 {
                let key = running.exchange(&book.clock).await;
                book.refuse("settlement").await;
                assert_eq!(running.store(Entry::Settlement(settlement(key, "x", BEGIN))).await, Fate::Failed);
                book.relent("settlement").await;
                assert_eq!(running.store(Entry::Settlement(settlement(key, "x", BEGIN))).await, Fate::Stored);
                expected.push((RowKey::new(running.ledger.epoch(), n).0, key.0));
            }
            running.end().await;
        }
        let settled: Vec<_> = book.mt("vtl").await.iter().map(|row| (row.key, row.exchange_key)).collect();
        assert_eq!(settled, expected, "{}", book.label);
    }
}
