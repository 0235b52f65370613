//! Messages put aside: sealed, counted by trap, bounded.

use tracuu::{
    ledger::{
        Entry, Fate, Table,
        read::{put_aside, sealed_frame, trap_counts},
    },
    message::{LineNo, Octets, Odd, RowKey, Ticket},
};

use crate::book::{BEGIN, Running, books, carrier_id};

fn odd(trap: &'static str, frame: &[u8]) -> Odd {
    Odd {
        line: LineNo(4),
        session: 1,
        sequence: 1,
        ticket: Ticket::new(),
        trap,
        status: 1,
        frame: Octets(frame.to_vec()),
        received_at: BEGIN,
    }
}

fn entry(running: &Running, odd: &Odd) -> Entry {
    Entry::Odd { row: running.ledger.put_aside(&carrier_id("vtl"), odd), ticket: std::sync::Arc::clone(&odd.ticket) }
}

#[tokio::test]
async fn a_message_put_aside_is_sealed_and_listed_without_its_content() {
    for book in books().await {
        let running = book.start().await;
        let frame = b"84520000001 TTCD 012345".repeat(300);
        let odd = [odd("sm_length_past_end", &frame), odd("udh_past_end", b"x"), odd("udh_past_end", b"y")];
        for one in &odd {
            assert_eq!(running.store(entry(&running, one)).await, Fate::Stored, "{}", book.label);
        }
        let counts = trap_counts(&book.db).await.unwrap();
        let counts: Vec<_> = counts.iter().map(|one| (one.carrier.as_str(), one.trap.as_str(), one.messages)).collect();
        assert_eq!(counts, [("vtl", "sm_length_past_end", 1), ("vtl", "udh_past_end", 2)], "{}", book.label);
        let all = put_aside(&book.db, None, 9).await.unwrap();
        assert_eq!((all.len(), put_aside(&book.db, Some("udh_past_end"), 1).await.unwrap().len()), (3, 1));
        let first = &all[2];
        assert_eq!((first.octets, first.status, first.line), (frame.len() as i64, 1, 4), "{}", book.label);
        let sealed = sealed_frame(&book.db, first.key).await.unwrap().unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"84520"), "{}", book.label);
        let opened = running.ledger.unseal(Table::Quarantine, RowKey(first.key), &sealed).await.unwrap();
        assert_eq!(opened.as_slice(), &frame[..4_096], "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn one_whose_line_has_given_up_is_not_put_aside() {
    for book in books().await {
        let running = book.start().await;
        let late = odd("udh_past_end", b"x");
        assert!(late.ticket.give_up());
        assert_eq!(running.store(entry(&running, &late)).await, Fate::GivenUp, "{}", book.label);
        assert!(trap_counts(&book.db).await.unwrap().is_empty(), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn the_oldest_go_when_there_are_too_many() {
    for book in books().await {
        let running = book.start().await;
        for _ in 0..102 {
            let many = (0..100).map(|_| entry(&running, &odd("udh_past_end", b"x"))).collect();
            assert_eq!(running.ledger.store(many).await, vec![Fate::Stored; 100], "{}", book.label);
        }
        let kept = trap_counts(&book.db).await.unwrap()[0].messages;
        assert!((10_000..10_100).contains(&kept), "{}: {kept}", book.label);
        let lowest = book.number("select min(key) from quarantine").await;
        assert!(RowKey(lowest).n() > 100, "{}: the first hundred went", book.label);
        running.end().await;
    }
}
