//! Replies that another instance left: sent by the outbox of the one that took them over, and flagged.

use tracuu::{
    config::{Carrier, InDoubtRule},
    ledger::{Entry, FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, Fate},
    message::{LineEvent, LineNo, RowKey},
};

use super::hall::{Hall, only};
use crate::{
    book::{Book, Running, books, carrier, exchange},
    heirs::take_over,
};

/// What memory holds of another instance's replies in one go.
const AT_ONCE: usize = 1_024;

/// `two` takes over what `one` left with `vtl`, and its outbox is told.
async fn inherit(book: &Book, heir: &Running, hall: &Hall) {
    for taken in take_over(book, heir, &["one"], &["vtl"]).await.taken {
        hall.door.as_ref().unwrap().take_over(taken.epoch);
    }
}

#[tokio::test]
async fn replies_of_a_dead_instance_are_sent_flagged_whether_their_keys_are_smaller_or_greater() {
    for book in books().await {
        // Of two instances each dies once: the one that started first, and the one that started last.
        for heir_first in [false, true] {
            let (mut one, mut two) = (None, None);
            for first in [heir_first, !heir_first] {
                let place = if first { &mut two } else { &mut one };
                *place = Some(book.start_as(if first { "two" } else { "one" }).await);
            }
            let (one, two) = (one.unwrap(), two.unwrap());
            let left = [one.exchange(&book.clock).await, one.exchange(&book.clock).await];
            let own = two.exchange(&book.clock).await;
            let mut hall = Hall::open(&book, &two, carrier("vtl"));
            hall.up(0).await;
            let submit = hall.next(0).await;
            assert_eq!(submit.id.place(), only(own), "{}", book.label);
            hall.accept(0, &submit).await;
            one.kill().await;
            inherit(&book, &two, &hall).await;
            for key in left {
                let submit = hall.next(0).await;
                assert_eq!(submit.id.place(), only(key), "{}", book.label);
                hall.accept(0, &submit).await;
            }
            book.until("all settled", |balance| balance.waiting == 0).await;
            let later = two.exchange(&book.clock).await;
            hall.push(&[later]);
            let submit = hall.next(0).await;
            assert_eq!(submit.id.place(), only(later), "{}: our own go on", book.label);
            hall.accept(0, &submit).await;
            book.until("all settled", |balance| balance.waiting == 0).await;
            for row in book.mt("vtl").await {
                let flag = if left.contains(&RowKey(row.exchange_key)) { FLAG_POSSIBLE_DUP } else { 0 };
                assert_eq!(row.flags, flag, "{}: {row:?}", book.label);
            }
            assert!(hall.lying(0).is_empty(), "{}", book.label);
            hall.ended().await;
            two.end().await;
            book.run("delete from outbox").await;
            book.run("delete from settlement").await;
        }
    }
}

#[tokio::test]
async fn more_than_memory_holds_is_sent_once_each_in_order_beside_our_own() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        let left = store(&book, &one, 2 * AT_ONCE + 300).await;
        let own = store(&book, &two, 3 * AT_ONCE).await;
        one.kill().await;
        // Both at once: its own outbox is behind, as after any start.
        let mut hall = Hall::open(&book, &two, carrier("vtl"));
        inherit(&book, &two, &hall).await;
        hall.up(0).await;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        while theirs.len() + ours.len() < left.len() + own.len() {
            let submit = hall.next(0).await;
            let key = submit.id.exchange;
            if key.epoch() == two.ledger.epoch() {
                ours.push(key);
            } else {
                theirs.push(key);
            }
            hall.accept(0, &submit).await;
        }
        assert!(theirs == left && ours == own, "{}: not in order, or not each once", book.label);
        let balance = book.until("all settled", |balance| balance.waiting == 0).await;
        assert_eq!((balance.doubled, balance.possible_dups), (0, left.len() as i64), "{}", book.label);
        hall.ended().await;
        two.end().await;
    }
}

/// Stores so many replies, for the outbox to find.
async fn store(book: &Book, running: &Running, count: usize) -> Vec<RowKey> {
    let keys: Vec<RowKey> = (0..count).map(|_| running.ledger.next_key()).collect();
    for group in keys.chunks(256) {
        let now = book.clock.now();
        let entries = group.iter().map(|key| exchange(&running.ledger, *key, "vtl", now)).collect();
        assert!(running.ledger.store(entries).await.iter().all(|fate| *fate == Fate::Stored), "{}", book.label);
    }
    keys
}

#[tokio::test]
async fn with_hold_what_the_dead_had_marked_is_recorded_as_unknown_and_the_rest_is_sent() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        let (marked, unmarked) = (one.exchange(&book.clock).await, one.exchange(&book.clock).await);
        assert_eq!(one.store(Entry::Sending(marked)).await, Fate::Stored);
        one.kill().await;
        let hold = Carrier { in_doubt: InDoubtRule::Hold, ..carrier("vtl") };
        let mut hall = Hall::open(&book, &two, hold);
        hall.up(0).await;
        inherit(&book, &two, &hall).await;
        let submit = hall.next(0).await;
        assert_eq!(submit.id.place(), only(unmarked), "{}", book.label);
        hall.accept(0, &submit).await;
        book.until("both settled", |balance| balance.settled == 2).await;
        let mut mt = book.mt("vtl").await;
        mt.sort_by_key(|row| row.exchange_key);
        let results: Vec<_> = mt.iter().map(|row| (row.result.as_str(), row.flags)).collect();
        assert_eq!(results, [("UNKNOWN", FLAG_IN_DOUBT), ("ACCEPTED", 0)], "{}", book.label);
        hall.ended().await;
        two.end().await;
    }
}

#[tokio::test]
async fn the_outbox_of_a_fenced_process_ends_at_once_and_sends_nothing_more() {
    for book in books().await {
        let (mut one, two) = (book.start_as("one").await, book.start_as("two").await);
        let mut hall = Hall::open(&book, &one, carrier("vtl"));
        one.exchange(&book.clock).await;
        while take_over(&book, &two, &["one"], &["vtl"]).await.fenced.is_empty() {}
        assert!(one.ended().await.is_err(), "{}", book.label);
        // Its desk still stands, and a line comes up.
        let up = LineEvent::Up { line: LineNo(0), session: 1, at: book.clock.now() };
        let _ = hall.events.send(vec![up]).await;
        hall.over().await;
        assert!(hall.lying(0).is_empty(), "{}", book.label);
        two.end().await;
    }
}
