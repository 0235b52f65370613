//! The clauses of the second law: what counts as sent again, and what is a new question.

use std::time::Duration;

use tracuu::message::{AnswerStatus, LineNo, Octets, Part, RawAddress};

use super::desk::{Desk, Heard, copy, in_session, question};
use crate::book::{books, phone};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

fn new(text: &str) -> Heard {
    Heard::Question(text.to_owned())
}

#[tokio::test]
async fn the_same_question_on_a_healthy_line_or_the_next_day_is_another_one() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        for advance in [0, SECOND, 40 * SECOND, 25 * HOUR] {
            book.clock.advance(advance);
            assert_eq!(desk.take(question("TTCD 012345")).await, new("TTCD 012345"), "{}", book.label);
        }
        assert_eq!((book.balance().await.exchanges, book.balance().await.repeats), (4, 0), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn while_the_first_copy_is_unanswered_it_is_a_repeat_on_any_line_of_its_carrier() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let first = desk.ask(question("HD")).await.ok().unwrap();
        let second = desk.ask(Part { line: LineNo(1), session: 7, ..question("HD") }).await.ok().unwrap();
        let other = desk.ask(Part { line: LineNo(2), ..question("HD") }).await.ok().unwrap();
        assert_eq!(desk.answer(first).await, new("HD"), "{}", book.label);
        assert_eq!(desk.answer(second).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.answer(other).await, new("HD"), "{}: another carrier's is another question", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.repeats), (2, 1), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn a_session_lost_within_thirty_seconds_of_the_answer_makes_it_a_repeat() {
    for book in books().await {
        for (lost_after, expected) in [(0, Heard::Again), (30, Heard::Again), (31, new("HD"))] {
            let mut desk = Desk::start(&book).await;
            book.clock.advance(1_000 * SECOND);
            assert_eq!(desk.take(question("HD")).await, new("HD"));
            book.clock.advance(lost_after * SECOND);
            desk.lose_session(1).await;
            book.clock.advance(HOUR);
            let again = desk.take(in_session(2, question("HD"))).await;
            assert_eq!(again, expected, "{}: lost {lost_after} s after it", book.label);
            // Past the time in which it can be sent again.
            book.clock.advance(25 * HOUR);
            assert_eq!(desk.take(in_session(2, question("HD"))).await, new("HD"), "{}", book.label);
            book.clock.advance(31 * SECOND);
            desk.end().await;
        }
    }
}

#[tokio::test]
async fn a_question_stored_after_its_session_was_lost_is_a_repeat() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let asked = desk.ask(question("HD")).await.ok().unwrap();
        desk.lose_session(1).await;
        assert_eq!(desk.answer(asked).await, new("HD"), "{}", book.label);
        book.clock.advance(HOUR);
        assert_eq!(desk.take(in_session(2, question("HD"))).await, Heard::Again, "{}", book.label);
        // It is so for the next start, too.
        desk.end().await;
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(in_session(1, question("HD"))).await, Heard::Again, "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 1, "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn an_answer_later_than_the_smsc_waits_makes_it_a_repeat() {
    for book in books().await {
        // How long it took, and how long it had waited before it was read.
        for (late, waited, expected) in
            [(10, 0, new("HD")), (11, 0, Heard::Again), (0, 10, new("HD")), (1, 10, Heard::Again)]
        {
            let mut desk = Desk::start(&book).await;
            let part = Part { waited: Duration::from_secs(waited), ..question("HD") };
            let asked = desk.ask(part).await.ok().unwrap();
            book.clock.advance(late * SECOND);
            assert_eq!(desk.answer(asked).await, new("HD"));
            book.clock.advance(60 * SECOND);
            assert_eq!(desk.take(question("HD")).await, expected, "{}: {late} s, {waited} s", book.label);
            // It is so for the next start, too, long after it was stored.
            book.clock.advance(31 * SECOND);
            desk.end().await;
            let mut desk = Desk::start(&book).await;
            assert_eq!(desk.take(question("HD")).await, expected, "{}: {late} s, {waited} s", book.label);
            book.clock.advance(48 * HOUR);
            desk.end().await;
        }
    }
}

#[tokio::test]
async fn a_message_that_its_copy_has_overtaken_is_a_repeat() {
    for book in books().await {
        for (waited, expected) in [(12, Heard::Again), (5, Heard::Again), (2, new("HD"))] {
            let mut desk = Desk::start(&book).await;
            book.clock.advance(60 * SECOND);
            // The copy is answered at once. The first one stands in line 1 until two seconds later.
            assert_eq!(desk.take(question("HD")).await, new("HD"));
            book.clock.advance(2 * SECOND);
            let first = Part { line: LineNo(1), session: 7, waited: Duration::from_secs(waited), ..question("HD") };
            assert_eq!(desk.take(first).await, expected, "{}: {waited} s", book.label);
            book.clock.advance(48 * HOUR);
            desk.end().await;
        }
    }
}

#[tokio::test]
async fn a_temporary_error_that_left_although_the_row_was_stored_makes_it_a_repeat() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let part = question("HD");
        let ticket = std::sync::Arc::clone(&part.ticket);
        // The line gives up between the claim and the answer.
        let asked = desk.ask(part).await.ok().unwrap();
        book.until("the row", |balance| balance.exchanges == 1).await;
        assert!(ticket.give_up());
        assert_eq!(desk.answer(asked).await, new("HD"), "{}", book.label);
        book.clock.advance(60 * SECOND);
        assert_eq!(desk.take(question("HD")).await, Heard::Again, "{}", book.label);
        // It is so for the next start, too, long after it was stored.
        desk.end().await;
        book.clock.advance(HOUR);
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(question("HD")).await, Heard::Again, "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 1, "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn what_was_not_stored_is_taken_as_new_when_it_comes_again() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let late = question("HD");
        assert!(late.ticket.give_up());
        assert_eq!(desk.take(late).await, Heard::Nothing, "{}", book.label);
        assert_eq!(desk.take(question("HD")).await, new("HD"), "{}", book.label);

        book.refuse("exchange").await;
        let first = question("LH");
        assert_eq!(desk.take(copy(&first)).await, Heard::Failed, "{}", book.label);
        book.relent("exchange").await;
        // Nobody was sure, so it is asked for first, and then new.
        assert_eq!(desk.take(copy(&first)).await, Heard::Orphan, "{}", book.label);
        assert_eq!(desk.take(copy(&first)).await, new("LH"), "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 2, "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn after_a_crash_what_was_committed_shortly_before_it_is_a_repeat_and_older_is_new() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(question("old")).await, new("old"));
        book.clock.advance(31 * SECOND);
        assert_eq!(desk.take(question("last")).await, new("last"));
        let unanswered = desk.ask(question("unanswered")).await.ok().unwrap();
        book.until("the row", |balance| balance.exchanges == 3).await;
        drop(unanswered);
        desk.kill().await;

        book.clock.advance(HOUR);
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(question("last")).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(question("unanswered")).await, Heard::Again, "{}", book.label);
        assert_eq!(desk.take(question("old")).await, new("old"), "{}", book.label);
        assert_eq!((book.balance().await.exchanges, book.balance().await.repeats), (4, 2), "{}", book.label);
        desk.kill().await;
        // Twice restarted, still within its time.
        book.clock.advance(20 * HOUR);
        let mut desk = Desk::start(&book).await;
        assert_eq!(desk.take(question("last")).await, Heard::Again, "{}", book.label);
        book.clock.advance(4 * HOUR);
        assert_eq!(desk.take(question("last")).await, new("last"), "{}", book.label);
        desk.end().await;
    }
}

#[tokio::test]
async fn only_the_same_carrier_sender_code_coding_and_octets_are_the_same_message() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        let asked = desk.ask(question("HD")).await.ok().unwrap();
        let changed: [(&str, Part); 5] = [
            ("octets", question("hd")),
            ("coding", Part { data_coding: 3, ..question("HD") }),
            ("sender", Part { source: phone("84520000002"), ..question("HD") }),
            ("no phone", Part { source: RawAddress { ton: 5, npi: 0, octets: b"Ten".to_vec() }, ..question("HD") }),
            ("carrier", Part { line: LineNo(2), ..question("HD") }),
        ];
        for (what, part) in changed {
            let heard = desk.take(part).await;
            assert!(matches!(heard, Heard::Question(_)), "{}: another {what} gave {heard:?}", book.label);
        }
        // The sender's number in another form, and the code as carriers write it, are the same.
        for (what, part) in [
            (
                "sender",
                Part { source: RawAddress { ton: 2, npi: 1, octets: b"0520000001".to_vec() }, ..question("HD") },
            ),
            ("code", Part { destination: phone("849999"), ..question("HD") }),
        ] {
            let heard = desk.ask(part).await.ok().unwrap();
            assert_eq!(desk.answer(heard).await, Heard::Again, "{}: the {what} in another form", book.label);
        }
        desk.answer(asked).await;
        desk.end().await;
    }
}

#[tokio::test]
async fn a_code_that_is_not_ours_and_a_header_that_cannot_be_read_are_put_aside_and_refused() {
    for book in books().await {
        let mut desk = Desk::start(&book).await;
        for (destination, expected) in [("1234", AnswerStatus::Final(0x0B)), ("", AnswerStatus::Final(0x0B))] {
            let heard = desk.take(Part { destination: phone(destination), ..question("HD") }).await;
            assert_eq!(heard, Heard::Status(expected), "{}: \"{destination}\"", book.label);
        }
        for octets in [&[][..], &[255, 0, 3], &[5, 0, 3, 7, 2]] {
            let octets = Octets(octets.to_vec());
            let heard = desk.take(Part { udhi: true, octets, ..question("") }).await;
            assert_eq!(heard, Heard::Status(AnswerStatus::Final(0x43)), "{}", book.label);
        }
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts, desk.intake.sizes()), (0, 0, (0, 0)), "{}", book.label);
        let counts = tracuu::ledger::read::trap_counts(&book.db).await.unwrap();
        let counts: Vec<_> = counts.iter().map(|one| (one.trap.as_str(), one.messages)).collect();
        assert_eq!(counts, [("destination_not_ours", 2), ("udh_past_end", 3)], "{}", book.label);
        let met = desk.intake.met();
        assert_eq!((met.len(), met[0].alarm.as_deref().unwrap().contains("1234")), (5, true), "{}", book.label);
        desk.end().await;
    }
}
