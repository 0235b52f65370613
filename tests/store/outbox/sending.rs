//! The usual way: windows, responses, time, and the end.

use tracuu::{
    config::Carrier,
    ledger::{Entry, Fate, Table},
    message::{LineCommand, SubmitResult},
    outbox::{Content, Urgency},
};

use super::hall::{Hall, only, said};
use crate::book::{books, carrier, content, exchange, phone, sender};

const SECOND: i64 = 1_000_000;

fn windowed(window: u32, lines: u16) -> Carrier {
    let mut carrier = Carrier { lines, ..carrier("vtl") };
    carrier.line.window = window;
    carrier
}

#[tokio::test]
async fn each_lines_window_is_kept_and_every_reply_is_settled_once() {
    for book in books().await {
        let running = book.start().await;
        let mut keys = Vec::new();
        for _ in 0..20 {
            keys.push(running.exchange(&book.clock).await);
        }
        let mut hall = Hall::open(&book, &running, windowed(3, 2));
        hall.up(0).await;
        let mut open: Vec<(u16, _)> = vec![(0, hall.next(0).await)];
        open.extend(hall.lying(0).into_iter().map(|submit| (0, submit)));
        assert_eq!(open.len(), 3, "{}: one line is bound", book.label);
        hall.up(1).await;
        open.push((1, hall.next(1).await));
        open.extend(hall.lying(1).into_iter().map(|submit| (1, submit)));
        assert_eq!(open.len(), 6, "{}: both are", book.label);
        let mut sent = Vec::new();
        while sent.len() < keys.len() {
            let (line, submit) = open.remove(0);
            assert_eq!(submit.destination, phone(&sender(submit.id.exchange).expose().to_string()));
            assert_eq!((said(&submit), submit.id.segment), (format!("reply {}", submit.id.exchange.0), 0));
            hall.accept(line, &submit).await;
            sent.push(submit.id.exchange);
            // An answer makes room for one, on that line.
            if sent.len() + open.len() < keys.len() {
                open.push((line, hall.next(line).await));
            }
            let more = hall.lying(0).len() + hall.lying(1).len();
            assert_eq!((more, open.len() <= 6), (0, true), "{}", book.label);
        }
        sent.sort();
        assert_eq!(sent, keys, "{}: each once", book.label);
        let balance = book.until("all settled", |balance| balance.settled == 20).await;
        assert_eq!((balance.waiting, balance.doubled, balance.possible_dups), (0, 0, 0), "{}", book.label);
        let mt = book.mt("vtl").await;
        assert!(mt.iter().all(|row| row.result == "ACCEPTED" && row.flags == 0), "{}: {mt:?}", book.label);
        assert!(mt.iter().all(|row| row.message_ids == Some(format!("m{}-0", row.exchange_key))), "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn what_was_refused_for_good_is_settled_as_rejected_and_for_now_is_sent_again() {
    for book in books().await {
        let running = book.start().await;
        let (bad, busy) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        hall.up(0).await;
        let (first, second) = (hall.next(0).await, hall.next(0).await);
        assert_eq!((first.id.place(), second.id.place()), (only(bad), only(busy)), "{}", book.label);
        hall.respond(0, &first, SubmitResult::Rejected { status: 0x0b, reason: None }).await;
        // ESME_RTHROTTLED: a second later.
        hall.respond(0, &second, SubmitResult::Rejected { status: 0x58, reason: None }).await;
        let again = hall.next(0).await;
        assert_eq!(again.id.place(), only(busy), "{}", book.label);
        hall.accept(0, &again).await;
        book.until("both settled", |balance| balance.settled == 2).await;
        let mt = book.mt("vtl").await;
        let results: Vec<_> = mt.iter().map(|row| (row.exchange_key, row.result.as_str(), row.status)).collect();
        assert_eq!(results, [(bad.0, "REJECTED", Some(0x0b)), (busy.0, "ACCEPTED", None)], "{}", book.label);
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_reply_whose_time_has_run_out_is_settled_as_expired_and_never_sent() {
    for book in books().await {
        let running = book.start().await;
        let old = running.exchange(&book.clock).await;
        book.clock.advance(300 * SECOND);
        let young = running.exchange(&book.clock).await;
        let mut hall = Hall::open(&book, &running, carrier("vtl"));
        book.clock.advance(301 * SECOND);
        book.until("the old one settled", |balance| balance.settled == 1).await;
        hall.up(0).await;
        assert_eq!(hall.next(0).await.id.place(), only(young), "{}", book.label);
        let mt = book.mt("vtl").await;
        assert_eq!((mt[0].exchange_key, mt[0].result.as_str()), (old.0, "EXPIRED"), "{}", book.label);
        assert_eq!((mt[0].submitted_at, mt[0].seg_planned), (None, 1), "{}", book.label);
        hall.kill().await;
        running.end().await;
    }
}

#[tokio::test]
async fn replies_leave_before_notices_from_the_ledgers_rows_too() {
    for book in books().await {
        let running = book.start().await;
        let notice = running.ledger.next_key();
        let mut entry = exchange(&running.ledger, notice, "vtl", book.clock.now());
        if let Entry::Exchange { outbox: Some(row), .. } = &mut entry {
            let content = Content { urgency: Urgency::Notice, ..content(notice) };
            row.sealed = running.ledger.seal(Table::Outbox, notice, &content.to_octets());
        }
        assert_eq!(running.store(entry).await, Fate::Stored, "{}", book.label);
        let reply = running.exchange(&book.clock).await;
        let mut hall = Hall::open(&book, &running, windowed(1, 1));
        hall.up(0).await;
        for key in [reply, notice] {
            let submit = hall.next(0).await;
            assert_eq!(submit.id.place(), only(key), "{}", book.label);
            hall.accept(0, &submit).await;
        }
        book.until("both settled", |balance| balance.settled == 2).await;
        hall.ended().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_stop_finishes_what_waits_before_it_ends() {
    for book in books().await {
        let running = book.start().await;
        let mut hall = Hall::open(&book, &running, windowed(1, 1));
        hall.settle_down().await;
        let keys = [running.exchange(&book.clock).await, running.exchange(&book.clock).await];
        hall.push(&keys);
        hall.up(0).await;
        let first = hall.next(0).await;
        drop(hall.door.take());
        hall.accept(0, &first).await;
        let second = hall.next(0).await;
        assert_eq!([first.id.place(), second.id.place()], keys.map(only), "{}", book.label);
        hall.accept(0, &second).await;
        hall.ended().await;
        let balance = book.balance().await;
        assert_eq!((balance.settled, balance.waiting), (2, 0), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_stop_without_a_line_does_not_wait_for_one_and_leaves_the_replies_in_the_ledger() {
    for book in books().await {
        let running = book.start().await;
        running.exchange(&book.clock).await;
        let hall = Hall::open(&book, &running, carrier("vtl"));
        hall.settle_down().await;
        assert!(hall.ended().await.as_secs() < 5, "{}", book.label);
        assert_eq!(book.balance().await.waiting, 1, "{}", book.label);
        running.end().await;
    }
}

/// The desk's answers go the same way, and may fill it for a moment.
#[tokio::test]
async fn a_line_that_takes_no_orders_for_a_moment_is_not_gone() {
    for book in books().await {
        let running = book.start().await;
        let first = running.exchange(&book.clock).await;
        let mut hall = Hall::with_room(&book, &running, carrier("vtl"), 1);
        hall.up(0).await;
        assert_eq!(hall.next(0).await.id.place(), only(first), "{}", book.label);
        let second = running.exchange(&book.clock).await;
        hall.desk[0].try_send(LineCommand::Answers(Vec::new())).unwrap();
        hall.push(&[second]);
        hall.settle_down().await;
        assert_eq!(hall.next(0).await.id.place(), only(second), "{}", book.label);
        hall.kill().await;
        running.end().await;
    }
}

#[tokio::test]
async fn a_stored_reply_that_cannot_be_read_is_settled_and_those_behind_it_are_sent() {
    for book in books().await {
        let first = book.start().await;
        let (bad, good) = (first.exchange(&book.clock).await, first.exchange(&book.clock).await);
        first.kill().await;
        let nothing = if book.file().is_some() { "x'00'" } else { "'\\x00'" };
        book.run(&format!("update outbox set sealed = {nothing} where key = {}", bad.0)).await;
        let second = book.start().await;
        let mut hall = Hall::open(&book, &second, carrier("vtl"));
        hall.up(0).await;
        assert_eq!(hall.next(0).await.id.place(), only(good), "{}", book.label);
        book.until("the bad one settled", |balance| balance.settled == 1).await;
        assert_eq!(book.mt("vtl").await[0].result, "REJECTED", "{}", book.label);
        hall.kill().await;
        second.end().await;
    }
}
