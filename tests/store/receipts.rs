//! Receipts find their replies in whatever form their carrier writes ids, and replies come to an end by them.

use std::time::Duration;

use tracuu::{
    config::{Carrier, IdForm, ReceiptSegments},
    ledger::{Entry, FLAG_IN_DOUBT, Fate, SettlementResult, SettlementRow},
    message::{RawAddress, ReceiptState, ReceiptTlvs, RowKey, Stream, Ticket},
};

use crate::book::{BEGIN, Book, Running, books, carrier, carrier_id, phone, sender, settlement};

const HOUR: i64 = 3_600;

/// Where rows about receipts stand.
const TABLES: [&str; 3] = ["receipt_id", "awaited_receipt", "early_receipt"];

/// The carrier `vtl`, that gives receipts.
fn vtl(change: impl FnOnce(&mut Carrier)) -> Carrier {
    let mut vtl = carrier("vtl");
    vtl.receipts.wanted = true;
    change(&mut vtl);
    vtl
}

fn says(message_id: &str, state: ReceiptState) -> ReceiptTlvs {
    ReceiptTlvs { message_id: message_id.to_owned(), state, error: "000".to_owned(), ..ReceiptTlvs::default() }
}

/// Whom a reply went to.
fn of(key: RowKey) -> RawAddress {
    phone(&sender(key).expose().to_string())
}

/// A receipt comes, now.
async fn hear(book: &Book, running: &Running, receipt: ReceiptTlvs) {
    let received_at = book.clock.now();
    let (carrier, ticket) = (carrier_id("vtl"), Ticket::new());
    let entry = Entry::Receipt { carrier, stream: Stream::Test, line: 0, receipt, received_at, ticket };
    assert_eq!(running.store(entry).await, Fate::Stored, "{}", book.label);
}

/// A reply is taken under these ids, one a segment, now.
async fn taken(book: &Book, running: &Running, ids: &[&str]) -> RowKey {
    let key = running.exchange(&book.clock).await;
    take(book, running, key, ids).await;
    key
}

async fn take(book: &Book, running: &Running, key: RowKey, ids: &[&str]) {
    let count = ids.len() as u8;
    let message_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let row = SettlementRow { planned: count, accepted: count, message_ids, ..settlement(key, "", book.clock.now()) };
    assert_eq!(running.store(Entry::Settlement(row)).await, Fate::Stored, "{}", book.label);
}

/// What the receipts of a reply come to: how often that was said, and how often receipts were noted.
async fn ended(book: &Book, key: RowKey, result: &str) -> (i64, i64) {
    let count = |kind: &str| format!("select count(*) from settlement where exchange_key = {} and {kind}", key.0);
    let derived = book.number(&count(&format!("kind = 3 and closes = 0 and result = '{result}'"))).await;
    (derived, book.number(&count("kind = 2")).await)
}

async fn orphans(book: &Book) -> i64 {
    book.number("select count(*) from settlement where kind = 2 and exchange_key is null").await
}

#[tokio::test]
async fn ids_are_matched_in_another_base_with_padding_and_in_another_case() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|_| {})).await;
        for (response, receipt) in [
            ("0FA1", "4001"),
            ("5001", "00001389"),
            ("812FC7470000001B", "9308878062554710043"),
            ("00B8BE29", "B8BE29"),
            ("1101c1-00", "1101C1-00"),
            ("0a5f33b4-0af2-4c3e-9d5e-1b2c3d4e5f60", "0a5f33b4-0af2-4c3e-9d5e-1b2c3d4e5f60"),
            ("SAR-841-2-1", "SAR-841-2-1"),
            ("80000001", "-2147483647"),
        ] {
            let key = taken(&book, &running, &[response]).await;
            hear(&book, &running, says(receipt, ReceiptState::Delivered)).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}: {response} and {receipt}", book.label);
        }
        assert_eq!((board.counted("id_base_differs"), board.counted("id_case")), (4, 1), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_setting_overrides_what_would_be_found() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|vtl| vtl.receipts.id_form = IdForm::HexToDec)).await;
        let (hex, decimal) = (taken(&book, &running, &["0FA1"]).await, taken(&book, &running, &["4001"]).await);
        hear(&book, &running, says("4001", ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, hex, "DELIVERED").await, (1, 1), "{}", book.label);
        assert_eq!(ended(&book, decimal, "DELIVERED").await, (0, 0), "{}", book.label);
        assert_eq!(board.counted("receipt_unknown_id"), 0, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_reply_ends_once_by_all_its_segments_and_the_first_end_stands() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|_| {})).await;
        let key = taken(&book, &running, &["a1", "a2"]).await;
        hear(&book, &running, says("a2", ReceiptState::InHand)).await;
        hear(&book, &running, says("a2", ReceiptState::Delivered)).await;
        hear(&book, &running, says("a2", ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, key, "DELIVERED").await, (0, 2), "{}", book.label);
        hear(&book, &running, says("a1", ReceiptState::Delivered)).await;
        hear(&book, &running, says("a1", ReceiptState::InHand)).await;
        assert_eq!(ended(&book, key, "DELIVERED").await, (1, 4), "{}", book.label);

        let failed = taken(&book, &running, &["b1"]).await;
        hear(&book, &running, says("b1", ReceiptState::Failed)).await;
        hear(&book, &running, says("b1", ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, failed, "UNDELIVERED").await, (1, 2), "{}: the later word is noted", book.label);
        assert_eq!(ended(&book, failed, "DELIVERED").await.0, 0, "{}", book.label);
        assert_eq!((board.counted("receipt_twice"), board.counted("receipt_after_final")), (1, 2), "{}", book.label);
        assert_eq!(book.mt("vtl").await.len(), 2, "{}: billing has one record a reply", book.label);
        let delivered = "select sum(seg_delivered) from settlement where kind = 3 and result = 'DELIVERED'";
        assert_eq!(book.number(&format!("select cast(({delivered}) as bigint)")).await, 2, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn one_receipt_speaks_for_all_segments_where_the_carrier_sends_one() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|vtl| vtl.receipts.segments = ReceiptSegments::One)).await;
        let key = taken(&book, &running, &["a1", "a2", "a3"]).await;
        hear(&book, &running, says("a1", ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn accepted_is_delivered_only_by_contract() {
    for (contract, expected) in [(false, (0, 1)), (true, (1, 1))] {
        for book in books().await {
            let (running, board) = book.start_with(&vtl(|vtl| vtl.receipts.accepted_is_delivered = contract)).await;
            let key = taken(&book, &running, &["a1"]).await;
            hear(&book, &running, says("a1", ReceiptState::Accepted)).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, expected, "{}", book.label);
            assert_eq!(board.counted("accepted_is_not_delivered"), u64::from(!contract), "{}", book.label);
            running.end().await;
        }
    }
}

#[tokio::test]
async fn a_receipt_before_its_response_in_another_base_is_matched_when_the_response_comes() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|_| {})).await;
        let key = running.exchange(&book.clock).await;
        hear(&book, &running, says("4001", ReceiptState::Delivered)).await;
        assert_eq!(orphans(&book).await, 1, "{}", book.label);
        take(&book, &running, key, &["0FA1"]).await;
        assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}", book.label);
        assert_eq!(board.counted("receipt_before_submit_resp"), 1, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_receipt_before_its_response_is_found_under_each_of_its_ids_and_noted_once() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|_| {})).await;
        let both = |one: &str, other: &str| ReceiptTlvs {
            other_id: Some(other.to_owned()),
            ..says(one, ReceiptState::Delivered)
        };
        for (receipt, response) in
            [(both("smsc-1", "4001"), "0FA1"), (both("4002", "smsc-2"), "4002"), (both("4003", "0FA3"), "4003")]
        {
            let key = running.exchange(&book.clock).await;
            hear(&book, &running, receipt).await;
            take(&book, &running, key, &[response]).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}: {response}", book.label);
        }
        assert_eq!(board.counted("receipt_before_submit_resp"), 3, "{}", book.label);
        assert_eq!(book.number("select count(*) from early_receipt").await, 0, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_receipt_waits_on_when_another_name_could_mean_it_and_does_not() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|vtl| vtl.receipts.id_form = IdForm::Exact)).await;
        let (other, own) = (running.exchange(&book.clock).await, running.exchange(&book.clock).await);
        hear(&book, &running, says("4001", ReceiptState::Delivered)).await;
        take(&book, &running, other, &["0FA1"]).await;
        take(&book, &running, own, &["4001"]).await;
        assert_eq!(ended(&book, other, "DELIVERED").await, (0, 0), "{}", book.label);
        assert_eq!(ended(&book, own, "DELIVERED").await, (1, 1), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn control_characters_in_ids_make_no_difference_and_leave_no_rows_behind() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|_| {})).await;
        for (response, receipt) in [("40\n01", "40\n01"), ("\n40\u{2}02", "4002"), ("4003", "40\r\n03")] {
            let key = taken(&book, &running, &[response]).await;
            hear(&book, &running, says(receipt, ReceiptState::Delivered)).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}: {response:?}", book.label);
        }
        let nameless = taken(&book, &running, &["\n"]).await;
        let receipt = ReceiptTlvs { source: of(nameless), ..says("anything", ReceiptState::Delivered) };
        hear(&book, &running, receipt).await;
        assert_eq!(ended(&book, nameless, "DELIVERED").await, (1, 1), "{}: found by its number", book.label);
        book.clock.advance(8 * 24 * HOUR * 1_000_000);
        running.exchange(&book.clock).await;
        for table in TABLES {
            assert_eq!(book.number(&format!("select count(*) from {table}")).await, 0, "{}: {table}", book.label);
        }
        running.end().await;
    }
}

#[tokio::test]
async fn ids_that_say_nothing_are_given_up_for_the_citizens_number() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|_| {})).await;
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(taken(&book, &running, &["not_implemented"]).await);
        }
        assert!(board.alarmed("ids_unusable"), "{}", book.label);
        for key in [keys[1], keys[0], keys[2]] {
            let receipt = ReceiptTlvs { source: of(key), ..says("not_implemented", ReceiptState::Delivered) };
            hear(&book, &running, receipt).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}", book.label);
        }
        hear(&book, &running, says("not_implemented", ReceiptState::Delivered)).await;
        assert_eq!(orphans(&book).await, 1, "{}: nobody knows whose it is", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_carrier_without_usable_ids_is_matched_by_number_and_time() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|vtl| vtl.receipts.id_form = IdForm::Unusable)).await;
        let key = taken(&book, &running, &["x"]).await;
        let receipt = |state| ReceiptTlvs { source: of(key), ..says("", state) };
        book.clock.advance(73 * HOUR * 1_000_000);
        hear(&book, &running, receipt(ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, key, "DELIVERED").await, (0, 0), "{}: after its time", book.label);
        let early = running.exchange(&book.clock).await;
        let receipt = ReceiptTlvs { source: of(early), ..says("", ReceiptState::Failed) };
        hear(&book, &running, receipt).await;
        take(&book, &running, early, &["x"]).await;
        assert_eq!(ended(&book, early, "UNDELIVERED").await, (1, 1), "{}: before its response", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_reply_in_doubt_and_one_without_an_id_are_found_by_their_number() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|_| {})).await;
        let nameless = taken(&book, &running, &[""]).await;
        let doubtful = running.exchange(&book.clock).await;
        let row = SettlementRow {
            result: SettlementResult::Unknown,
            accepted: 0,
            flags: FLAG_IN_DOUBT,
            ..settlement(doubtful, "", BEGIN)
        };
        assert_eq!(running.store(Entry::Settlement(row)).await, Fate::Stored, "{}", book.label);
        for key in [nameless, doubtful] {
            let receipt = ReceiptTlvs { source: of(key), ..says("anything", ReceiptState::Delivered) };
            hear(&book, &running, receipt).await;
            assert_eq!(ended(&book, key, "DELIVERED").await, (1, 1), "{}", book.label);
        }
        running.end().await;
    }
}

#[tokio::test]
async fn a_reply_without_receipts_is_unknown_after_its_time_and_its_names_are_forgotten() {
    for book in books().await {
        let (running, board) = book.start_with(&vtl(|vtl| vtl.receipts.awaited = Duration::from_secs(7_200))).await;
        let silent = taken(&book, &running, &["a1"]).await;
        let told = taken(&book, &running, &["b1"]).await;
        hear(&book, &running, says("b1", ReceiptState::Delivered)).await;
        hear(&book, &running, says("stranger", ReceiptState::Delivered)).await;
        book.clock.advance(2 * HOUR * 1_000_000 + 1);
        running.exchange(&book.clock).await;
        assert_eq!(ended(&book, silent, "UNKNOWN").await, (1, 0), "{}", book.label);
        assert_eq!(ended(&book, told, "UNKNOWN").await.0, 0, "{}", book.label);
        assert_eq!(board.counted("receipt_never_comes"), 1, "{}", book.label);
        book.clock.advance(HOUR * 1_000_000);
        hear(&book, &running, says("a1", ReceiptState::Delivered)).await;
        assert_eq!(ended(&book, silent, "DELIVERED").await, (1, 1), "{}: it came after all", book.label);
        book.clock.advance(7 * 24 * HOUR * 1_000_000);
        running.exchange(&book.clock).await;
        for table in TABLES {
            assert_eq!(book.number(&format!("select count(*) from {table}")).await, 0, "{}: {table}", book.label);
        }
        running.end().await;
    }
}

#[tokio::test]
async fn a_carrier_taken_out_of_the_configuration_leaves_no_rows_behind() {
    for book in books().await {
        let (running, _) = book.start_with(&vtl(|_| {})).await;
        let silent = taken(&book, &running, &["a1"]).await;
        let told = taken(&book, &running, &["b1"]).await;
        hear(&book, &running, says("b1", ReceiptState::Delivered)).await;
        running.end().await;
        let (running, _) = book.start_with(&carrier("vnp")).await;
        book.clock.advance(719 * HOUR * 1_000_000);
        running.exchange(&book.clock).await;
        assert_eq!(ended(&book, silent, "UNKNOWN").await, (0, 0), "{}: its section may have said so", book.label);
        book.clock.advance(HOUR * 1_000_000 + 1);
        running.exchange(&book.clock).await;
        assert_eq!(ended(&book, silent, "UNKNOWN").await, (1, 0), "{}", book.label);
        assert_eq!(ended(&book, told, "UNKNOWN").await, (0, 1), "{}", book.label);
        book.clock.advance(30 * 24 * HOUR * 1_000_000);
        running.exchange(&book.clock).await;
        for table in TABLES {
            assert_eq!(book.number(&format!("select count(*) from {table}")).await, 0, "{}: {table}", book.label);
        }
        running.end().await;
    }
}

#[tokio::test]
async fn an_unmarked_receipt_is_one_when_its_id_is_ours_and_it_comes_from_whom_the_reply_went_to() {
    for book in books().await {
        let vtl = vtl(|_| {});
        let (running, _) = book.start_with(&vtl).await;
        let key = taken(&book, &running, &["77"]).await;
        let stranger = running.exchange(&book.clock).await;
        let of_all = [(key, "77"), (stranger, "77"), (key, "78"), (key, "077")];
        let receipt = |(source, id)| ReceiptTlvs { source: of(source), ..says(id, ReceiptState::Delivered) };
        let receipts = of_all.map(receipt);
        let asked: Vec<_> = receipts.iter().map(|receipt| (receipt, book.clock.now())).collect();
        let ours = running.ledger.names_replies(&vtl.id, &vtl.receipts, &asked).await;
        assert_eq!(ours.unwrap(), [true, false, false, true], "{}", book.label);
        running.end().await;
    }
}
