//! A message that comes to one instance and was taken by another of late: sent again, or asked anew.

use std::{sync::Arc, time::Instant};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracuu::{
    answer::{FromOthers, Heir, Known},
    board::Pulse,
    db::{Db, DbError},
    message::Part,
};

use super::desk::{Desk, Heard, copy, part, question};
use crate::{
    book::{Book, LONG, books},
    heirs::take_over,
};

const SECOND: i64 = 1_000_000;

/// What looks after the others for a desk.
struct Ears {
    heard: mpsc::Receiver<FromOthers>,
    tasks: JoinSet<Result<(), DbError>>,
    stop: CancellationToken,
}

impl Ears {
    fn of(book: &Book, desk: &Desk) -> Self {
        let (sender, heard) = mpsc::channel(1);
        let heir = Heir {
            ledger: Arc::clone(&desk.running.ledger),
            clock: book.clock.clone(),
            doors: std::collections::BTreeMap::new(),
            desk: sender,
            carriers: desk.carriers.clone(),
            pulse: Pulse::default(),
            known: Known::default(),
        };
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(heir.run(stop.clone()));
        Self { heard, tasks, stop }
    }

    /// Sends a message until it is stored, as an SMSC does that is told to come again.
    async fn send(&mut self, desk: &mut Desk, message: &Part) -> Heard {
        let begun = Instant::now();
        loop {
            while let Ok(FromOthers::Unheard(messages)) = self.heard.try_recv() {
                desk.intake.may_come_again(messages, &desk.carriers);
            }
            let heard = desk.take(copy(message)).await;
            if heard != Heard::Elsewhere {
                return heard;
            }
            assert!(begun.elapsed() < LONG, "nobody says what it is");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.heard.close();
        assert!(self.tasks.join_all().await.iter().all(Result::is_ok));
    }
}

/// Exchanges, repeats and open parts in the store.
async fn counts(book: &Book) -> (i64, i64, i64) {
    let balance = book.balance().await;
    (balance.exchanges, balance.repeats, balance.parts)
}

#[tokio::test]
async fn a_question_whose_answer_was_lost_with_its_instance_is_known_at_another() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let asked = question("TTCD 1");
        assert_eq!(one.take(copy(&asked)).await, Heard::Question("TTCD 1".to_owned()), "{}", book.label);
        one.kill().await;
        assert_eq!(two.take(copy(&asked)).await, Heard::Elsewhere, "{}: nobody knows yet", book.label);
        assert_eq!(counts(&book).await, (1, 0, 0), "{}", book.label);
        let one = Desk::start_as(&book, "one").await;
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Again, "{}", book.label);
        assert_eq!(counts(&book).await, (1, 1, 0), "{}", book.label);
        ears.end().await;
        one.end().await;
        two.end().await;
    }
}

/// Fenced by this one itself, the other runs no more; what it took is heard of a moment later.
#[tokio::test]
async fn what_a_dead_instance_took_is_not_taken_for_new_before_it_is_heard_of() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let asked = question("TTCD 1");
        assert!(matches!(one.take(copy(&asked)).await, Heard::Question(_)), "{}", book.label);
        one.kill().await;
        assert_eq!(two.take(copy(&asked)).await, Heard::Elsewhere, "{}", book.label);
        assert_eq!(take_over(&book, &two.running, &["one"], &["vtl"]).await.fenced, ["one"], "{}", book.label);
        for _ in 0..3 {
            assert_eq!(two.take(copy(&asked)).await, Heard::Elsewhere, "{}", book.label);
        }
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Again, "{}", book.label);
        assert_eq!(counts(&book).await, (1, 1, 0), "{}", book.label);
        ears.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn a_question_whose_session_broke_at_a_living_instance_is_known_at_another_for_hours() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let (asked, later) = (question("TTCD 1"), question("TTCD 2"));
        for question in [&asked, &later] {
            assert!(matches!(one.take(copy(question)).await, Heard::Question(_)), "{}", book.label);
        }
        book.clock.advance(20 * SECOND);
        one.lose_session(1).await;
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Again, "{}", book.label);
        book.clock.advance(3_600 * SECOND);
        assert_eq!(ears.send(&mut two, &later).await, Heard::Again, "{}", book.label);
        assert_eq!(counts(&book).await, (2, 2, 0), "{}", book.label);
        ears.end().await;
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn a_question_that_got_a_temporary_error_and_was_stored_is_known_at_another_for_hours() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let asked = question("TTCD 1");
        // Once the first knows that it is not alone.
        assert!(matches!(one.take(question("TTCD 0")).await, Heard::Question(_)), "{}", book.label);
        let late = one.ask(copy(&asked)).await.ok().unwrap();
        book.until_number("the commit", "select count(*) from exchange", 2).await;
        assert!(late.give_up(), "{}: the line's deadline passed while it was committed", book.label);
        one.answer(late).await;
        book.until_number("others to be told", "select count(*) from asked where unheard = 1", 1).await;
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Again, "{}", book.label);
        ears.end().await;
        two.end().await;
        book.clock.advance(3_600 * SECOND);
        let mut two = Desk::start_apart(&book, "two").await;
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Again, "{}: an hour later", book.label);
        assert_eq!(counts(&book).await, (2, 2, 0), "{}", book.label);
        ears.end().await;
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn asked_twice_at_two_healthy_instances_it_is_two_questions() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let (asked, later) = (question("TTCD 1"), question("TTCD 2"));
        for question in [&asked, &later] {
            assert!(matches!(one.take(copy(question)).await, Heard::Question(_)), "{}", book.label);
        }
        let mut ears = Ears::of(&book, &two);
        assert_eq!(ears.send(&mut two, &asked).await, Heard::Question("TTCD 1".to_owned()), "{}", book.label);
        book.clock.advance(61 * SECOND);
        assert_eq!(two.take(copy(&later)).await, Heard::Question("TTCD 2".to_owned()), "{}: at once", book.label);
        assert_eq!(counts(&book).await, (4, 0, 0), "{}", book.label);
        ears.end().await;
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn a_start_knows_what_another_took_that_was_alone_until_then() {
    for book in books().await {
        let mut one = Desk::start_as(&book, "one").await;
        let (asked, half) = (question("TTCD 1"), part(7, 2, 1, "TTCD"));
        assert!(matches!(one.take(copy(&asked)).await, Heard::Question(_)), "{}", book.label);
        assert_eq!(one.take(copy(&half)).await, Heard::Part, "{}", book.label);
        assert_eq!(book.number("select count(*) from asked").await, 0, "{}: nobody to tell it", book.label);
        let mut two = Desk::start_apart(&book, "two").await;
        assert_eq!(two.take(copy(&asked)).await, Heard::Elsewhere, "{}", book.label);
        assert_eq!(two.take(copy(&half)).await, Heard::Elsewhere, "{}", book.label);
        assert_eq!(counts(&book).await, (1, 0, 1), "{}", book.label);
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn a_part_of_a_text_that_another_ended_begins_no_second_text() {
    for book in books().await {
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let (first, second) = (part(7, 2, 1, "A"), part(7, 2, 2, "B"));
        assert_eq!(one.take(copy(&first)).await, Heard::Part, "{}", book.label);
        assert_eq!(one.take(copy(&second)).await, Heard::Question("AB".to_owned()), "{}", book.label);
        one.kill().await;
        let one = Desk::start_as(&book, "one").await;
        let mut ears = Ears::of(&book, &two);
        for message in [&first, &second] {
            assert_eq!(ears.send(&mut two, message).await, Heard::Again, "{}", book.label);
        }
        assert_eq!(counts(&book).await, (1, 2, 0), "{}", book.label);
        ears.end().await;
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn after_a_minute_only_what_an_smsc_was_told_to_send_again_is_kept() {
    for book in books().await {
        let (mut one, two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        for text in ["TTCD 0", "TTCD 1", "TTCD 2"] {
            assert!(matches!(one.take(question(text)).await, Heard::Question(_)), "{}", book.label);
        }
        book.run("update asked set unheard = 1 where key = (select max(key) from asked)").await;
        let kept = "select count(*) from asked";
        for (seconds, expected) in [(59, 3), (2, 1), (86_400, 1), (7 * 86_400, 0)] {
            book.clock.advance(seconds * SECOND);
            two.running.ledger.prune_asked(book.clock.now()).await.unwrap();
            assert_eq!(book.number(kept).await, expected, "{}: {seconds} s later", book.label);
        }
        one.end().await;
        two.end().await;
    }
}

/// PostgreSQL alone: two never write a SQLite file at the same time.
#[tokio::test]
async fn a_copy_waits_for_the_commit_of_the_first_that_is_under_way() {
    for book in books().await {
        let Db::Postgres { pool, .. } = &book.db else { continue };
        let (mut one, mut two) = (Desk::start_as(&book, "one").await, Desk::start_apart(&book, "two").await);
        let asked = question("TTCD 1");
        assert!(matches!(one.take(copy(&asked)).await, Heard::Question(_)));
        // As if the first one's commit had been asked for, and nothing heard of it yet.
        let taken = "delete from asked returning print, key, at";
        let (print, key, at): (Vec<u8>, i64, i64) = sqlx::query_as(taken).fetch_one(pool).await.unwrap();
        let mut first = pool.begin().await.unwrap();
        let noted = sqlx::query("insert into asked values ($1, $2, $3)").bind(print).bind(key).bind(at);
        noted.execute(&mut *first).await.unwrap();
        let second = two.ask(copy(&asked)).await.ok().unwrap();
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        book.until_number("the copy to wait", waiting, 1).await;
        first.commit().await.unwrap();
        assert_eq!(two.answer(second).await, Heard::Elsewhere);
        one.end().await;
        two.end().await;
    }
}
