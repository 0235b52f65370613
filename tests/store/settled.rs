//! What became of a reply is appended, and one row of it is the billing record; receipts find their message.

use tracuu::{
    ledger::{Entry, FLAG_POSSIBLE_DUP, Fate, SettlementResult},
    message::{CarrierId, ReceiptState, ReceiptTlvs, RowKey, Stream, Ticket},
};

use crate::book::{BEGIN, Book, books, carrier_id, settlement};

fn receipt(carrier: CarrierId, message_id: &str, state: ReceiptState) -> Entry {
    let receipt =
        ReceiptTlvs { message_id: message_id.to_owned(), state, error: "000".to_owned(), ..ReceiptTlvs::default() };
    Entry::Receipt { carrier, stream: Stream::Test, line: 0, receipt, received_at: BEGIN, ticket: Ticket::new() }
}

/// How many receipts were matched with this exchange.
async fn receipts_of(book: &Book, exchange: RowKey) -> i64 {
    book.number(&format!("select count(*) from settlement where kind = 2 and exchange_key = {}", exchange.0)).await
}

#[tokio::test]
async fn a_reply_settled_twice_has_one_billing_record_and_one_note() {
    for book in books().await {
        let label = book.label;
        let running = book.start().await;
        let (one, two) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        // Once in two groups, once in one, as after a commit whose answer was lost.
        for _ in 0..2 {
            assert_eq!(running.store(Entry::Settlement(settlement(one, "a1", BEGIN))).await, Fate::Stored, "{label}");
        }
        let twice = ["b1", "b2"].map(|id| Entry::Settlement(settlement(two, id, BEGIN))).into();
        assert_eq!(running.ledger.store(twice).await, [Fate::Stored; 2], "{label}");

        let mt = book.mt("vtl").await;
        let records: Vec<_> = mt.iter().map(|row| (row.exchange_key, row.message_ids.as_deref())).collect();
        assert_eq!(records, [(one.0, Some("a1")), (two.0, Some("b1"))], "{label}");
        assert_eq!(book.number("select count(*) from settlement where closes = 0").await, 2, "{label}");
        let balance = book.balance().await;
        assert_eq!((balance.settled, balance.waiting, balance.doubled, balance.lost), (2, 0, 0, 0), "{label}");
        running.end().await;
    }
}

#[tokio::test]
async fn a_settlement_reads_back_as_it_was_handed_over() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        let row = tracuu::ledger::SettlementRow {
            line: Some(2),
            submitted_at: Some(BEGIN),
            settled_at: BEGIN.plus_seconds(7),
            result: SettlementResult::Rejected,
            planned: 3,
            accepted: 2,
            status: Some(0x8000_000b),
            message_ids: vec!["x".to_owned(), String::new(), "y".to_owned()],
            flags: FLAG_POSSIBLE_DUP,
            ..settlement(key, "", BEGIN)
        };
        assert_eq!(running.store(Entry::Settlement(row)).await, Fate::Stored);
        let mt = book.mt("vtl").await.remove(0);
        assert_eq!((mt.exchange_key, mt.line, mt.short_code.as_str()), (key.0, Some(2), "9999"), "{}", book.label);
        assert_eq!((mt.received_at, mt.submitted_at, mt.settled_at), (BEGIN.0, Some(BEGIN.0), BEGIN.0 + 7_000_000));
        assert_eq!((mt.result.as_str(), mt.seg_planned, mt.seg_accepted), ("REJECTED", 3, 2), "{}", book.label);
        assert_eq!((mt.status, mt.message_ids.as_deref(), mt.flags), (Some(0x8000_000b), Some("x;;y"), 1));
        assert_eq!((mt.reply_coding, mt.reply_chars, mt.service), (Some(0), Some(20), 1), "{}", book.label);
        assert_eq!(book.balance().await.possible_dups, 1, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn receipts_find_their_message_however_the_carrier_writes_its_id() {
    for book in books().await {
        let label = book.label;
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        assert_eq!(running.store(Entry::Settlement(settlement(key, "00B8BE19", BEGIN))).await, Fate::Stored, "{label}");
        for (written, state, found) in [
            ("b8be19", ReceiptState::InHand, 1),
            ("B8BE19", ReceiptState::Unknown, 2),
            (" 00b8be19 ", ReceiptState::Delivered, 3),
            ("0b8be190", ReceiptState::Delivered, 3),
            ("", ReceiptState::Delivered, 3),
        ] {
            let fate = running.store(receipt(carrier_id("vtl"), written, state)).await;
            assert_eq!((fate, receipts_of(&book, key).await), (Fate::Stored, found), "{label}: \"{written}\"");
        }
        // Another carrier's message of the same id is another message.
        running.store(receipt(carrier_id("vnp"), "b8be19", ReceiptState::Delivered)).await;
        assert_eq!(receipts_of(&book, key).await, 3, "{label}");
        let orphans = "select count(*) from settlement where kind = 2 and exchange_key is null and closes = 0";
        assert_eq!(book.number(orphans).await, 3, "{label}");
        assert_eq!(book.mt("vtl").await.len(), 1, "{label}: a receipt is no billing record");
        running.end().await;
    }
}

#[tokio::test]
async fn a_receipt_committed_together_with_its_settlement_finds_it() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        let entries = vec![
            receipt(carrier_id("vtl"), "77", ReceiptState::Failed),
            Entry::Settlement(settlement(key, "77", BEGIN)),
        ];
        assert_eq!(running.ledger.store(entries).await, [Fate::Stored; 2], "{}", book.label);
        assert_eq!(receipts_of(&book, key).await, 1, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_nul_in_what_a_carrier_sends_keeps_nobody_from_being_stored() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        let entries = vec![
            Entry::Settlement(settlement(key, "a\0b", BEGIN)),
            receipt(carrier_id("vtl"), "A\0B\0", ReceiptState::InHand),
        ];
        assert_eq!(running.ledger.store(entries).await, [Fate::Stored; 2], "{}", book.label);
        assert_eq!(receipts_of(&book, key).await, 1, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_mark_before_sending_may_be_set_again_and_goes_with_its_settlement() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        for _ in 0..2 {
            assert_eq!(running.store(Entry::Sending(key)).await, Fate::Stored, "{}", book.label);
        }
        let waiting = running.ledger.waiting(&carrier_id("vtl"), RowKey(0), 9).await.unwrap();
        assert!(waiting[0].marked, "{}", book.label);
        let row = tracuu::ledger::SettlementRow { marked: true, ..settlement(key, "1", BEGIN) };
        assert_eq!(running.store(Entry::Settlement(row)).await, Fate::Stored, "{}", book.label);
        assert_eq!(book.number("select count(*) from sending").await, 0, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_response_is_matched_when_its_id_comes() {
    for book in books().await {
        let running = book.start().await;
        let key = running.exchange(&book.clock).await;
        let early = receipt(carrier_id("vtl"), "0A00ff", ReceiptState::Delivered);
        assert_eq!(running.store(early).await, Fate::Stored);
        assert_eq!(receipts_of(&book, key).await, 0, "{}: nobody knows the id yet", book.label);
        assert_eq!(running.store(Entry::Settlement(settlement(key, "a00FF", BEGIN))).await, Fate::Stored);
        assert_eq!(receipts_of(&book, key).await, 1, "{}", book.label);
        assert_eq!(book.number("select count(*) from early_receipt").await, 0, "{}", book.label);
        running.end().await;
    }
}

/// Carriers use their message ids again.
#[tokio::test]
async fn a_receipt_without_a_message_is_not_taken_for_one_that_gets_its_id_days_later() {
    for book in books().await {
        let running = book.start().await;
        let (soon, late) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        for id in ["1", "2"] {
            let early = receipt(carrier_id("vtl"), id, ReceiptState::Delivered);
            assert_eq!(running.store(early).await, Fate::Stored, "{}", book.label);
        }
        let day = 24 * 3_600;
        for (key, id, settled_at) in [(soon, "1", BEGIN.plus_seconds(day)), (late, "2", BEGIN.plus_seconds(day + 1))] {
            let row = tracuu::ledger::SettlementRow { settled_at, ..settlement(key, id, BEGIN) };
            assert_eq!(running.store(Entry::Settlement(row)).await, Fate::Stored, "{}", book.label);
        }
        assert_eq!((receipts_of(&book, soon).await, receipts_of(&book, late).await), (1, 0), "{}", book.label);
        running.end().await;
    }
}
