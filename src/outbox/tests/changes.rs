//! What a submit looks like, and how it is sent otherwise once a carrier has refused its form.

use std::time::Duration;

use super::{Bench, carrier, refused, taken};
use crate::{
    clock::Micros,
    config::{Carrier, NumberForm, Validity},
    ledger::SettlementResult,
    message::{self, RowKey},
};

#[tokio::test]
async fn a_submit_carries_what_was_agreed() {
    let agreed = |carrier: &mut Carrier| {
        carrier.flow.validity = Validity::Relative;
        carrier.flow.number_form = NumberForm::National;
        carrier.line.billing_tag = Some(0x060B);
        carrier.receipts.wanted = true;
    };
    let mut bench = Bench::new(carrier(agreed)).await;
    let key = bench.reply("x");
    bench.wait(100_000);
    let submit = bench.sent(0).remove(0);
    assert_eq!((submit.destination.octets, submit.destination.ton), (b"0520000001".to_vec(), 2));
    let left = message::Validity::Relative(Duration::from_micros(499_999_999));
    assert_eq!(submit.validity, Some(left), "what is left of its life");
    let record = RowKey(key).uuid(Micros(1_790_000_000_000_000), 2);
    let octets = submit.billing.unwrap().0;
    assert_eq!((octets[0], &octets[1..]), (0x80, &record.as_bytes()[..]));
    assert!(submit.receipt && !submit.bare);
}

#[tokio::test]
async fn a_vendors_parameter_carries_the_records_id_alone_and_without_an_agreement_there_is_nothing() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.billing_tag = Some(0x1401))).await;
    bench.reply("x");
    assert_eq!(bench.sent(0)[0].billing.as_ref().map(|octets| octets.0.len()), Some(16));
    let mut bench = Bench::new(carrier(|_| {})).await;
    bench.reply("x");
    let submit = bench.sent(0).remove(0);
    assert!(submit.billing.is_none() && submit.validity.is_none() && !submit.receipt);
}

#[tokio::test]
async fn what_is_refused_once_is_left_out_and_for_all_once_that_has_helped() {
    let wants = |carrier: &mut Carrier| {
        carrier.flow.validity = Validity::Absolute;
        carrier.line.billing_tag = Some(0x060B);
        carrier.receipts.wanted = true;
    };
    for (status, alarm, trap) in [
        (0x07, "no_receipts", Some("receipt_refused")),
        (0x62, "no_validity", Some("validity_refused")),
        (0xC1, "no_billing_tag", None),
    ] {
        let mut bench = Bench::new(carrier(wants)).await;
        let key = bench.reply("x");
        bench.left();
        bench.answer(key, 0, refused(status));
        let again = bench.sent(0).remove(0);
        let left = |submit: &message::Submit| match status {
            0x07 => !submit.receipt,
            0x62 => submit.validity.is_none(),
            _ => submit.bare || submit.billing.is_none(),
        };
        assert!(left(&again), "{status:#x}");
        assert!(!bench.alarmed(alarm), "{status:#x}: it may be about something else");
        bench.take(key);
        assert!(bench.alarmed(alarm), "{status:#x}");
        let settled = bench.settled();
        assert_eq!(settled[0].result, SettlementResult::Accepted);
        bench.reply("x");
        assert!(left(&bench.sent(0)[0]), "{status:#x}");
        assert_eq!(bench.counted(trap.unwrap_or("status_unknown")), u64::from(trap.is_some()), "{status:#x}");
    }
}

#[tokio::test]
async fn a_reply_that_went_without_a_receipt_does_not_wait_for_one() {
    let mut bench = Bench::new(carrier(|carrier| carrier.receipts.wanted = true)).await;
    let (a, b) = (bench.reply("x"), bench.reply("x"));
    bench.left();
    bench.take(a);
    bench.answer(b, 0, refused(0x07));
    bench.left();
    bench.take(b);
    let c = bench.reply("x");
    bench.left();
    bench.take(c);
    let receipts: Vec<bool> = bench.settled().iter().map(|row| row.receipts).collect();
    assert_eq!(receipts, [true, false, false]);
}

#[tokio::test]
async fn parameters_that_are_refused_are_left_out_of_that_reply_once() {
    let mut bench = Bench::new(carrier(|carrier| carrier.line.billing_tag = Some(0x1500))).await;
    let key = bench.reply("x");
    bench.left();
    bench.answer(key, 0, refused(0xC4));
    assert!(bench.sent(0)[0].bare);
    bench.answer(key, 0, refused(0xC4));
    assert!(bench.left().is_empty(), "then it is our configuration: it waits");
    bench.wait(60_100);
    assert_eq!(bench.left(), [(key, 0)]);
    bench.take(key);
    bench.reply("x");
    assert!(!bench.sent(0)[0].bare);
}

#[tokio::test]
async fn the_other_form_of_a_number_is_tried_once_where_that_is_wanted() {
    let mut bench = Bench::new(carrier(|carrier| carrier.flow.retry_number_form = true)).await;
    let key = bench.reply("x");
    assert_eq!(bench.sent(0)[0].destination.octets, b"84520000001");
    bench.answer(key, 0, refused(0x0B));
    assert_eq!(bench.sent(0)[0].destination.octets, b"0520000001");
    bench.answer(key, 0, refused(0x0B));
    assert_eq!(bench.settled()[0].status, Some(0x0B));
    let mut bench = Bench::new(carrier(|_| {})).await;
    let key = bench.reply("x");
    bench.left();
    bench.answer(key, 0, refused(0x0B));
    assert_eq!(bench.settled()[0].status, Some(0x0B));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_anew_and_one_in_a_refused_coding_is_folded() {
    let mut bench = Bench::new(carrier(|_| {})).await;
    let long = bench.reply(&"x".repeat(160));
    bench.left();
    bench.answer(long, 0, refused(0x01));
    let again = bench.sent(0);
    assert!(again.len() == 2 && again.iter().all(|submit| submit.segment.octets.len() <= 140));
    bench.answer(long, 0, taken("a"));
    bench.answer(long, 1, taken("b"));
    let settled = bench.settled();
    assert_eq!((settled[0].planned, settled[0].accepted, settled[0].message_ids.len()), (2, 2, 2));
    let short = bench.reply("x");
    bench.left();
    bench.answer(short, 0, refused(0x01));
    assert_eq!(bench.settled()[0].result, SettlementResult::Rejected);
    assert!(bench.alarmed("too_long"));
    for status in [0x104, 0x433] {
        let marked = bench.reply("Họ tên: Nguyễn Văn An");
        bench.left();
        bench.answer(marked, 0, refused(status));
        let folded = bench.sent(0).remove(0);
        assert_eq!(folded.segment.octets, b"Ho ten: Nguyen Van An");
        bench.take(marked);
    }
    assert_eq!((bench.counted("too_long"), bench.counted("coding_refused")), (2, 2));
    assert!(bench.outbox.pacer.paused(bench.now + Duration::ZERO).is_none());
}
