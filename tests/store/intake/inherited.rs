//! Parts of long texts that another instance left: joined with those that came here.

use tracuu::message::Part;

use super::desk::{Desk, Heard, part};
use crate::{
    book::{Book, books},
    heirs::take_over,
};

const SECOND: i64 = 1_000_000;
/// A little more than the parts may be apart.
const WINDOW: i64 = 601 * SECOND;

/// The desk of `two` takes the parts that `one` left.
pub(super) async fn inherit(book: &Book, heir: &mut Desk) {
    for taken in take_over(book, &heir.running, &["one"], &["vtl"]).await.taken {
        let parts = heir.running.ledger.parts_of(taken.epoch, &taken.carrier, 100).await.unwrap();
        heir.intake.take_over(parts, &heir.carriers);
    }
}

/// A first desk takes these, a second one those more than a minute later, when they count as others; the first dies, and the
/// second inherits.
async fn two_desks(book: &Book, before: Vec<Part>, beside: Vec<Part>) -> Desk {
    let (mut one, mut two) = (Desk::start(book).await, Desk::start_as(book, "two").await);
    for part in before {
        assert_eq!(one.take(part).await, Heard::Part, "{}", book.label);
    }
    book.clock.advance(61 * SECOND);
    for part in beside {
        assert_eq!(two.take(part).await, Heard::Part, "{}", book.label);
    }
    one.kill().await;
    inherit(book, &mut two).await;
    two
}

#[tokio::test]
async fn a_text_is_joined_whose_first_part_another_instance_had() {
    for book in books().await {
        let mut desk = two_desks(&book, vec![part(7, 3, 1, "A")], vec![part(7, 3, 3, "C")]).await;
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        assert_eq!(desk.take(part(7, 3, 2, "B")).await, Heard::Question("ABC".to_owned()), "{}", book.label);
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_text_that_is_whole_only_with_what_was_taken_over_is_ended_at_once() {
    for book in books().await {
        let mut desk = two_desks(&book, vec![part(7, 2, 1, "A")], vec![part(7, 2, 2, "B")]).await;
        assert_eq!(desk.overdue().await, [("AB".to_owned(), 2)], "{}", book.label);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_that_came_to_both_is_one_part_and_leaves_no_row() {
    for book in books().await {
        let first = || part(7, 2, 1, "A");
        let mut desk = two_desks(&book, vec![first()], vec![first()]).await;
        assert_eq!(desk.take(first()).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 2, "B")).await, Heard::Question("AB".to_owned()), "{}", book.label);
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn what_stays_without_its_other_parts_is_given_up_by_the_heir_in_time() {
    for book in books().await {
        let mut desk = two_desks(&book, vec![part(7, 2, 1, "A")], Vec::new()).await;
        book.clock.advance(WINDOW);
        assert_eq!(desk.overdue().await, [("<a part is missing>".to_owned(), 1)], "{}", book.label);
        assert_eq!(book.balance().await.parts, 0, "{}", book.label);
        desk.end().await;
    }
}
