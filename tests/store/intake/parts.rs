//! Long texts: out of order, doubled, over a restart, given up by time; and their parts sent again.

use tracuu::message::{Concat, ConcatKind, LineNo, Part};

use super::desk::{Desk, Heard, copy, in_session, part, question, sar};
use crate::book::{BEGIN, books};

const SECOND: i64 = 1_000_000;
/// A little more than the parts may be apart.
const WINDOW: i64 = 601 * SECOND;

fn new(text: &str) -> Heard {
    Heard::Question(text.to_owned())
}

#[tokio::test]
async fn parts_out_of_order_doubled_and_over_two_lines_become_one_question() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 3, 3, "C")).await, Heard::Part);
        book.clock.advance(SECOND);
        assert_eq!(desk.take(Part { line: LineNo(1), ..part(7, 3, 1, "A") }).await, Heard::Part);
        for twice in [part(7, 3, 3, "C"), part(7, 3, 1, "other octets in its place")] {
            assert_eq!(desk.take(twice).await, Heard::Again, "{}", book.label);
        }
        // The same reference of another kind, and of another sender, is another text.
        let tlvs = Concat { kind: ConcatKind::Sar, reference: 7, total: 3, index: 2 };
        assert_eq!(desk.take(sar(tlvs, "x")).await, Heard::Part, "{}", book.label);
        let stranger = Part { source: crate::book::phone("84520000002"), ..part(7, 3, 2, "y") };
        assert_eq!(desk.take(stranger).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.take(part(7, 3, 2, "B")).await, new("ABC"), "{}", book.label);

        let (balance, mo) = (book.balance().await, book.mo("vtl").await);
        assert_eq!((balance.exchanges, balance.parts, balance.repeats), (1, 2, 2), "{}", book.label);
        assert_eq!((mo[0].parts, mo[0].concat_ref, mo[0].received_at), (3, Some(7), BEGIN.0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_restart_between_parts_loses_none_and_knows_each() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 3, 2, "B")).await, Heard::Part);
        desk.kill().await;
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.intake.sizes().0, 1, "{}", book.label);
        assert_eq!(desk.take(part(7, 3, 2, "B")).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(part(7, 3, 3, "C")).await, Heard::Part, "{}", book.label);
        desk.end().await;
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 3, 1, "A")).await, new("ABC"), "{}", book.label);
        assert_eq!((book.balance().await.parts, desk.intake.sizes().0), (0, 0), "{}", book.label);
        desk.kill().await;
        // After a crash each part of the whole text is known by its exchange.
        let mut desk = Desk::start(&book).await;
        for (index, text) in [(1, "A"), (2, "B"), (3, "C")] {
            assert_eq!(desk.take(part(7, 3, index, text)).await, Heard::Again, "{}: {index}", book.label);
        }
        assert_eq!((book.balance().await.exchanges, book.balance().await.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn parts_sent_again_after_their_text_was_answered_count_on_its_exchange() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        assert_eq!(desk.take(part(7, 2, 2, "B")).await, new("AB"));
        desk.lose_session(1).await;
        for (index, text) in [(1, "A"), (2, "B")] {
            let again = desk.take(in_session(2, part(7, 2, index, text))).await;
            assert_eq!(again, Heard::Again, "{}: part {index}", book.label);
        }
        book.clock.advance(WINDOW);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts, balance.repeats), (1, 0, 2), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_sent_again_while_its_exchange_is_being_stored_counts_on_it() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let first = desk.ask(part(7, 2, 1, "A")).await.ok().unwrap();
        let last = desk.ask(part(7, 2, 2, "B")).await.ok().unwrap();
        let again = desk.ask(part(7, 2, 1, "A")).await.ok().unwrap();
        let other = desk.ask(part(7, 2, 1, "other octets in its place")).await.ok().unwrap();
        assert_eq!(desk.answer(first).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.answer(last).await, new("AB"), "{}", book.label);
        assert_eq!(desk.answer(again).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.answer(other).await, Heard::Again, "{}", book.label);
        assert_eq!((book.balance().await.exchanges, desk.intake.sizes().0), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_last_part_that_could_not_be_stored_completes_its_text_when_it_comes_again() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        let late = part(7, 2, 2, "B");
        assert!(late.ticket.give_up());
        assert_eq!(desk.take(late).await, Heard::Nothing, "{}", book.label);
        desk.lose_session(1).await;
        // Its text is open again, and so the first part stands for itself.
        assert_eq!(desk.take(in_session(2, part(7, 2, 1, "A"))).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(in_session(2, part(7, 2, 2, "B"))).await, new("AB"), "{}", book.label);
        assert_eq!(desk.take(in_session(2, copy(&part(7, 2, 1, "A")))).await, Heard::Again, "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_given_up_by_its_line_after_its_exchange_took_it_counts_on_that() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let first = part(7, 2, 1, "A");
        let ticket = std::sync::Arc::clone(&first.ticket);
        let first = desk.ask(first).await.ok().unwrap();
        let last = desk.ask(part(7, 2, 2, "B")).await.ok().unwrap();
        // Before the writer comes to either.
        assert!(ticket.give_up());
        assert_eq!(desk.answer(first).await, Heard::Nothing, "{}", book.label);
        assert_eq!(desk.answer(last).await, new("AB"), "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Again, "{}", book.label);
        book.clock.advance(WINDOW);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.parts), (1, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_text_whose_parts_do_not_come_in_time_is_given_up_once_over_restarts_too() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 3, 1, "A")).await, Heard::Part);
        book.clock.advance(300 * SECOND);
        assert_eq!(desk.take(part(7, 3, 3, "C")).await, Heard::Part);
        assert_eq!(desk.take(part(8, 2, 1, "D")).await, Heard::Part);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        desk.kill().await;

        book.clock.advance(301 * SECOND);
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.overdue().await, [("<a part is missing>".to_owned(), 2)], "{}", book.label);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.parts), (1, 1), "{}", book.label);
        // The part whose answer the crash may have swallowed is known, should it come again.
        assert_eq!(desk.take(in_session(2, part(7, 3, 3, "C"))).await, Heard::Again, "{}", book.label);
        desk.kill().await;
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.intake.sizes().0, 1, "{}: the other text waits still", book.label);
        assert_eq!(desk.take(part(8, 2, 2, "E")).await, new("DE"), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_that_comes_while_its_text_is_being_given_up_must_come_again() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        book.clock.advance(WINDOW);
        let given_up = desk.intake.overdue(book.clock.now(), 64);
        assert_eq!(given_up.len(), 1);
        let heard = desk.take(part(7, 2, 2, "B")).await;
        assert_eq!(heard, Heard::Status(tracuu::message::AnswerStatus::Temporary), "{}", book.label);
        assert_eq!(book.balance().await.parts, 1, "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn an_impossible_place_in_a_text_makes_it_a_text_of_its_own() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        for (total, index) in [(0, 1), (2, 0), (2, 3), (1, 1)] {
            assert_eq!(desk.take(part(9, total, index, "HD")).await, new("HD"), "{}: {index}/{total}", book.label);
        }
        assert_eq!(desk.take(question("HD")).await, new("HD"), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_sent_once_more_after_its_text_was_whole_begins_no_other_text() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        assert_eq!(desk.take(part(7, 2, 2, "B")).await, new("AB"));
        book.clock.advance(45 * SECOND);
        for (index, text) in [(2, "B"), (1, "A")] {
            assert_eq!(desk.take(part(7, 2, index, text)).await, Heard::Again, "{}: {index}", book.label);
        }
        // Another text under the same reference is another text.
        assert_eq!(desk.take(part(7, 2, 2, "D")).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 1, "C")).await, new("CD"), "{}", book.label);
        book.clock.advance(WINDOW);
        assert!(desk.overdue().await.is_empty(), "{}", book.label);
        assert_eq!(desk.intake.sizes().0, 0, "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.repeats), (2, 2), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn the_same_long_text_a_minute_later_under_the_same_reference_is_another_question() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        for round in 0..3 {
            assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part, "{}: {round}", book.label);
            assert_eq!(desk.take(part(7, 2, 2, "B")).await, new("AB"), "{}: {round}", book.label);
            book.clock.advance(61 * SECOND);
        }
        // Not so what the SMSC sends again because a session broke before it can have heard our answers.
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 2, "B")).await, new("AB"), "{}", book.label);
        desk.lose_session(1).await;
        book.clock.advance(61 * SECOND);
        for (index, text) in [(1, "A"), (2, "B")] {
            let again = desk.take(in_session(2, part(7, 2, index, text))).await;
            assert_eq!(again, Heard::Again, "{}: {index}", book.label);
        }
        assert_eq!((book.balance().await.exchanges, book.balance().await.repeats), (4, 2), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_part_that_was_acknowledged_long_before_a_restart_is_not_sent_again_for_it() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        book.clock.advance(31 * SECOND);
        assert_eq!(desk.take(part(8, 2, 1, "C")).await, Heard::Part);
        desk.end().await;
        let mut desk = Desk::start(&book).await;
        // While its text is open each is known.
        assert_eq!(desk.take(in_session(2, part(7, 2, 1, "A"))).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(in_session(2, part(7, 2, 2, "B"))).await, new("AB"), "{}", book.label);
        assert_eq!(desk.take(in_session(2, part(8, 2, 2, "D"))).await, new("CD"), "{}", book.label);
        book.clock.advance(WINDOW);
        assert_eq!(desk.take(in_session(2, part(7, 2, 1, "A"))).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.take(in_session(2, part(7, 2, 2, "B"))).await, new("AB"), "{}: asked anew", book.label);
        assert_eq!(desk.take(in_session(2, part(8, 2, 1, "C"))).await, Heard::Again, "{}: perhaps unheard", book.label);
        assert_eq!(book.balance().await.exchanges, 3, "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_text_that_was_given_up_is_taken_when_the_citizen_sends_it_anew() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        book.clock.advance(WINDOW);
        let given_up = desk.overdue().await;
        assert_eq!(given_up, [("<a part is missing>".to_owned(), 1)], "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 2, "B")).await, new("AB"), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_reference_used_again_ends_the_text_before_and_begins_another() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(part(7, 2, 1, "A")).await, Heard::Part);
        book.clock.advance(60 * SECOND);
        assert_eq!(desk.take(part(7, 2, 1, "B")).await, Heard::Again, "{}: too soon for another", book.label);
        book.clock.advance(SECOND);
        assert_eq!(desk.take(part(7, 2, 1, "C")).await, Heard::Part, "{}", book.label);
        assert_eq!(desk.overdue().await, [("<a part is missing>".to_owned(), 1)], "{}", book.label);
        assert_eq!(desk.take(part(7, 2, 2, "D")).await, new("CD"), "{}", book.label);
        let met: Vec<_> = desk.intake.met().into_iter().map(|met| met.trap).collect();
        assert_eq!(met, ["part_doubled", "reference_reused"], "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.parts), (2, 0), "{}", book.label);
        desk.end().await;
    }
}
