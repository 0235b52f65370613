//! Parts of one text that come to two instances which live.

use super::desk::{Desk, Heard, part};
use crate::book::{Book, LONG, books};

const SECOND: i64 = 1_000_000;
/// A little more than the parts may be apart.
const WINDOW: i64 = 601 * SECOND;

async fn desks(book: &Book) -> (Desk, Desk) {
    (Desk::start_as(book, "one").await, Desk::start_apart(book, "two").await)
}

/// Exchanges and open parts in the store.
async fn counts(book: &Book) -> (i64, i64) {
    let balance = book.balance().await;
    (balance.exchanges, balance.parts)
}

async fn end(one: Desk, two: Desk) {
    one.end().await;
    two.end().await;
}

#[tokio::test]
async fn the_one_with_the_oldest_part_ends_the_text_and_the_other_lets_go_of_its_own() {
    for book in books().await {
        let (mut one, mut two) = desks(&book).await;
        assert_eq!(two.take(part(7, 2, 2, "B")).await, Heard::Part, "{}", book.label);
        assert_eq!(one.take(part(7, 2, 1, "A")).await, Heard::Part, "{}", book.label);
        for desk in [&mut one, &mut two] {
            desk.look_beside().await;
        }
        assert!(two.overdue().await.is_empty(), "{}: the other's part is older", book.label);
        assert_eq!(one.overdue().await, [("AB".to_owned(), 2)], "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0), "{}", book.label);
        two.look_beside().await;
        book.clock.advance(WINDOW);
        assert!(two.overdue().await.is_empty() && one.overdue().await.is_empty(), "{}", book.label);
        assert_eq!((two.intake.sizes().0, counts(&book).await), (0, (1, 0)), "{}", book.label);
        end(one, two).await;
    }
}

#[tokio::test]
async fn the_last_part_ends_the_text_wherever_it_comes() {
    for book in books().await {
        let (mut one, mut two) = desks(&book).await;
        assert_eq!(one.take(part(7, 3, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(two.take(part(7, 3, 3, "C")).await, Heard::Part, "{}", book.label);
        two.look_beside().await;
        assert_eq!(two.take(part(7, 3, 2, "B")).await, Heard::Question("ABC".to_owned()), "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0), "{}", book.label);
        one.look_beside().await;
        assert_eq!(one.intake.sizes().0, 0, "{}", book.label);
        end(one, two).await;
    }
}

#[tokio::test]
async fn what_stays_without_a_part_is_given_up_once_with_all_that_came() {
    for book in books().await {
        let (mut one, mut two) = desks(&book).await;
        assert_eq!(one.take(part(7, 3, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(two.take(part(7, 3, 3, "C")).await, Heard::Part, "{}", book.label);
        for desk in [&mut one, &mut two] {
            desk.look_beside().await;
        }
        book.clock.advance(WINDOW);
        assert!(two.overdue().await.is_empty(), "{}", book.label);
        assert_eq!(one.overdue().await, [("<a part is missing>".to_owned(), 2)], "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0), "{}", book.label);
        end(one, two).await;
    }
}

/// What the second has not seen yet it may not use up: the text would be answered twice.
#[tokio::test]
async fn of_two_that_end_one_text_the_second_stores_nothing() {
    for book in books().await {
        let (mut one, mut two) = desks(&book).await;
        assert_eq!(one.take(part(7, 3, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(two.take(part(7, 3, 3, "C")).await, Heard::Part, "{}", book.label);
        for desk in [&mut one, &mut two] {
            desk.look_beside().await;
        }
        book.clock.advance(WINDOW);
        assert_eq!(one.overdue().await.len(), 1, "{}", book.label);
        // No more known by its fingerprints either.
        book.clock.advance(61 * SECOND);
        assert_eq!(two.take(part(7, 3, 2, "B")).await, Heard::Failed, "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0), "{}", book.label);
        end(one, two).await;
    }
}

#[tokio::test]
async fn what_was_seen_of_another_is_taken_over_when_that_one_dies_and_joined_once() {
    for book in books().await {
        let (mut one, mut two) = desks(&book).await;
        assert_eq!(one.take(part(7, 2, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(two.take(part(7, 2, 2, "B")).await, Heard::Part, "{}", book.label);
        two.look_beside().await;
        assert!(two.overdue().await.is_empty(), "{}: it is the other's", book.label);
        one.kill().await;
        super::inherited::inherit(&book, &mut two).await;
        assert_eq!(two.overdue().await, [("AB".to_owned(), 2)], "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0), "{}", book.label);
        tokio::time::timeout(LONG, two.end()).await.unwrap();
    }
}
