//! What a start finds of what may be sent again: the last seconds before an end or a lost session, and nothing else.

use tracuu::{clock::Micros, ledger::Fate, message::RowKey};

use crate::book::{BEGIN, Running, books, carrier_id, exchange};

const SECOND: i64 = 1_000_000;
const DAY_AGO: Micros = Micros(BEGIN.0 - 86_400 * SECOND);

/// The exchanges that may come again, in order.
async fn found(running: &Running, since: Micros) -> Vec<RowKey> {
    let mut keys: Vec<RowKey> =
        running.ledger.may_come_again(since, 30, 100).await.unwrap().into_iter().map(|one| one.key).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn after_a_crash_what_was_committed_in_the_last_thirty_seconds_before_it_may_come_again() {
    for book in books().await {
        let first = book.start().await;
        let _old = first.exchange(&book.clock).await;
        book.clock.advance(SECOND);
        let just = first.exchange(&book.clock).await;
        book.clock.advance(30 * SECOND);
        let last = first.exchange_of("vnp", &book.clock).await;
        first.kill().await;
        book.clock.advance(3_600 * SECOND);
        let second = book.start().await;
        assert_eq!(found(&second, DAY_AGO).await, [just, last], "{}", book.label);
        let one = second.ledger.may_come_again(DAY_AGO, 30, 100).await.unwrap();
        let one = one.iter().find(|one| one.key == last).unwrap();
        let print = second.ledger.keys().token(b"test", &[&last.0.to_be_bytes()]);
        assert_eq!((one.carrier.as_str(), &one.fingerprints[..]), ("vnp", &[print][..]), "{}", book.label);
        // Later than it can be sent again, it is not looked for.
        assert!(found(&second, book.clock.now()).await.is_empty(), "{}", book.label);
        second.end().await;
    }
}

#[tokio::test]
async fn after_an_orderly_end_the_thirty_seconds_count_from_that_end() {
    for book in books().await {
        let first = book.start().await;
        let _old = first.exchange(&book.clock).await;
        book.clock.advance(20 * SECOND);
        let late = first.exchange(&book.clock).await;
        book.clock.advance(11 * SECOND);
        first.end().await;
        let second = book.start().await;
        assert_eq!(found(&second, DAY_AGO).await, [late], "{}", book.label);

        // Ends further back count as long as anything can be sent again.
        book.clock.advance(100 * SECOND);
        let later = second.exchange(&book.clock).await;
        second.kill().await;
        let third = book.start().await;
        assert_eq!(found(&third, DAY_AGO).await, [late, later], "{}", book.label);
        assert_eq!(found(&third, BEGIN.plus_seconds(60)).await, [later], "{}", book.label);
        third.end().await;
    }
}

#[tokio::test]
async fn before_a_lost_session_only_its_own_carriers_exchanges_count() {
    for book in books().await {
        let first = book.start().await;
        let _old = first.exchange_of("vtl", &book.clock).await;
        book.clock.advance(31 * SECOND);
        let (own, _other) = (first.exchange_of("vtl", &book.clock).await, first.exchange_of("vnp", &book.clock).await);
        book.clock.advance(10 * SECOND);
        first.ledger.note_break(carrier_id("vtl"), book.clock.now()).await;
        let _after = first.exchange_of("vtl", &book.clock).await;
        book.clock.advance(60 * SECOND);
        first.end().await;
        let second = book.start().await;
        assert_eq!(found(&second, DAY_AGO).await, [own], "{}", book.label);
        assert!(found(&second, BEGIN.plus_seconds(42)).await.is_empty(), "{}: the break is too old", book.label);
        second.end().await;
    }
}

/// Its answer cannot have been heard: the session it came over was gone before it left.
#[tokio::test]
async fn a_question_still_under_way_when_its_session_was_lost_may_come_again() {
    for book in books().await {
        let first = book.start().await;
        let (one, two) = (first.ledger.next_key(), first.ledger.next_key());
        let ahead = first.ledger.hand_over(vec![exchange(&first.ledger, one, "vtl", BEGIN)]).await;
        first.ledger.note_break(carrier_id("vtl"), book.clock.now()).await;
        assert_eq!(ahead.await.unwrap(), [Fate::Stored], "{}", book.label);
        // Decided only after the session was gone.
        assert_eq!(first.store(exchange(&first.ledger, two, "vtl", BEGIN)).await, Fate::Stored, "{}", book.label);
        let _next_session = first.exchange(&book.clock).await;
        book.clock.advance(60 * SECOND);
        first.end().await;
        let second = book.start().await;
        assert_eq!(found(&second, DAY_AGO).await, [one, two], "{}", book.label);
        second.end().await;
    }
}

#[tokio::test]
async fn a_lost_session_is_noted_even_when_the_database_fails_at_that_moment() {
    for book in books().await {
        let first = book.start().await;
        let key = first.exchange(&book.clock).await;
        book.refuse("session_break").await;
        first.ledger.note_break(carrier_id("vtl"), book.clock.now()).await;
        let refused = first.ledger.next_key();
        assert_eq!(first.store(exchange(&first.ledger, refused, "vtl", BEGIN)).await, Fate::Failed, "{}", book.label);
        book.relent("session_break").await;
        book.clock.advance(60 * SECOND);
        let _after = first.exchange(&book.clock).await;
        assert_eq!(book.number("select count(*) from session_break").await, 1, "{}", book.label);
        book.clock.advance(60 * SECOND);
        first.end().await;
        let second = book.start().await;
        assert_eq!(found(&second, DAY_AGO).await, [key], "{}", book.label);
        second.end().await;
    }
}

#[tokio::test]
async fn what_is_looked_for_is_bounded_and_the_latest_come_first() {
    for book in books().await {
        let first = book.start().await;
        let mut keys = Vec::new();
        for _ in 0..6 {
            keys.push(first.exchange(&book.clock).await);
        }
        first.kill().await;
        let second = book.start().await;
        let recent = second.ledger.may_come_again(DAY_AGO, 30, 2).await.unwrap();
        let mut recent: Vec<RowKey> = recent.iter().map(|one| one.key).collect();
        recent.sort();
        assert_eq!(recent, keys[4..], "{}", book.label);
        second.end().await;
    }
}
