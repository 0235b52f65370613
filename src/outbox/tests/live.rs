//! One reply: how its segments' answers make its settlement.

use std::{sync::Arc, time::Duration};

use super::{content, outgoing};
use crate::{
    clock::Micros,
    ledger::{FLAG_IN_DOUBT, FLAG_POSSIBLE_DUP, SettlementResult, SettlementRow},
    message::{Alphabet, CarrierId, LineNo, Stream},
    outbox::{
        Content, Outgoing,
        live::{Live, Next},
        status::{Change, Manner},
    },
    sms::{Split, WireForm},
};

const TRIES: u8 = 5;

fn live(text: &str) -> Live {
    Live::new(outgoing(1, content(1, text)), WireForm::USUAL, 7)
}

fn settled(live: &Live) -> SettlementRow {
    live.settlement(&CarrierId::parse("vtl").unwrap(), Stream::Test, Micros(5), false)
}

fn send(live: &mut Live, segment: u8) -> Vec<u8> {
    live.send(segment, LineNo(0), Micros(2)).unwrap().0.octets
}

#[test]
fn a_reply_is_settled_when_every_segment_has_its_answer() {
    let mut live = live(&"x".repeat(200));
    for segment in 0..2 {
        assert!(live.send(segment, LineNo(0), Micros(i64::from(segment) + 2)).is_some());
        assert!(live.send(segment, LineNo(0), Micros(9)).is_none(), "a segment is not sent twice");
    }
    assert_eq!(live.accepted(1, 1, "b").0, Next::Wait);
    assert!(!live.awaits(1), "the first answer stands");
    assert_eq!(live.accepted(1, 1, "c"), (Next::Wait, None));
    assert_eq!(live.accepted(0, 1, "a").0, Next::Settle);
    let row = settled(&live);
    assert_eq!((row.result, row.planned, row.accepted, row.flags), (SettlementResult::Accepted, 2, 2, 0));
    assert_eq!((row.message_ids, row.submitted_at), (vec!["a".to_owned(), "b".to_owned()], Some(Micros(2))));
}

#[test]
fn what_is_sent_again_counts_its_tries_unless_it_is_not_to() {
    let mut live = live("x");
    for (counted, tries) in [(true, 1), (false, 1), (true, 2)] {
        send(&mut live, 0);
        let wait = Duration::from_secs(3);
        assert_eq!(live.again(0, 8, wait, counted), Next::Again { segment: 0, wait });
        assert_eq!(live.tries(0), tries);
    }
    send(&mut live, 0);
    assert_eq!(live.give_up(0, 0x0B), Next::Settle);
    assert_eq!((settled(&live).result, settled(&live).status), (SettlementResult::Rejected, Some(0x0B)));
}

#[test]
fn doubt_is_sent_again_and_flagged_or_held_and_recorded_as_unknown() {
    let mut resend = live("x");
    send(&mut resend, 0);
    assert!(matches!(resend.doubt(0, true, TRIES), Next::Again { .. }));
    send(&mut resend, 0);
    assert_eq!(resend.accepted(0, 1, "a").0, Next::Settle);
    assert_eq!(settled(&resend).flags, FLAG_POSSIBLE_DUP);
    let mut hold = live("x");
    send(&mut hold, 0);
    assert_eq!(hold.doubt(0, false, TRIES), Next::Settle);
    assert_eq!((settled(&hold).result, settled(&hold).flags), (SettlementResult::Unknown, FLAG_IN_DOUBT));
}

#[test]
fn doubt_ends_after_the_carriers_tries() {
    let mut live = live("x");
    for attempt in 1..=TRIES {
        send(&mut live, 0);
        assert_eq!(live.doubt(0, true, TRIES) == Next::Settle, attempt == TRIES, "{attempt}");
    }
}

#[test]
fn a_reply_that_expires_is_unknown_when_a_copy_of_it_may_have_been_taken() {
    let mut fresh = live("x");
    assert_eq!(fresh.expire(), Next::Settle);
    assert_eq!((settled(&fresh).result, settled(&fresh).flags), (SettlementResult::Expired, 0));
    let mut doubtful = live("x");
    send(&mut doubtful, 0);
    assert!(matches!(doubtful.doubt(0, true, TRIES), Next::Again { .. }));
    assert_eq!(doubtful.expire(), Next::Settle);
    let row = settled(&doubtful);
    assert_eq!((row.result, row.flags), (SettlementResult::Unknown, FLAG_POSSIBLE_DUP | FLAG_IN_DOUBT));
}

#[test]
fn what_an_earlier_process_may_have_sent_is_flagged() {
    let inherited = Outgoing { inherited: true, ..outgoing(1, content(1, "x")) };
    let mut live = Live::new(inherited, WireForm::USUAL, 7);
    send(&mut live, 0);
    live.accepted(0, 1, "a");
    assert_eq!(settled(&live).flags, FLAG_POSSIBLE_DUP);
}

#[test]
fn a_text_is_cut_anew_only_when_all_of_it_is_back_and_none_of_it_was_taken() {
    let mut both = live(&"x".repeat(300));
    let before = [send(&mut both, 0), send(&mut both, 1)];
    assert!(before.iter().any(|octets| octets.len() > 140));
    assert_eq!(both.change(0, 1, Change::InOctets), Some(Next::Wait), "the other may have been taken");
    assert_eq!(both.change(1, 1, Change::InOctets), Some(Next::Anew));
    let after: Vec<Vec<u8>> = (0..both.count()).map(|segment| send(&mut both, segment)).collect();
    assert!(after.len() == 3 && after.iter().all(|octets| octets.len() <= 140 && octets[3] == 7));
    for segment in 0..3 {
        assert_eq!(both.change(segment, 1, Change::InOctets), None, "once");
    }
    let mut half = live(&"x".repeat(300));
    send(&mut half, 0);
    send(&mut half, 1);
    assert_eq!(half.change(0, 1, Change::InOctets), Some(Next::Wait));
    assert_eq!(half.accepted(1, 1, "a").0, Next::Settle);
    let row = settled(&half);
    assert_eq!((row.result, row.planned, row.accepted), (SettlementResult::Rejected, 2, 1));
    let mut short = live("x");
    send(&mut short, 0);
    assert_eq!(short.change(0, 1, Change::InOctets), None, "it is short enough already");
}

#[test]
fn a_text_with_marks_is_folded_once() {
    let mut live = live(&"ế".repeat(80));
    send(&mut live, 0);
    send(&mut live, 1);
    assert_eq!(live.change(0, 0x104, Change::Folded), Some(Next::Wait));
    assert_eq!(live.change(1, 0x104, Change::Folded), Some(Next::Anew));
    assert_eq!((live.count(), send(&mut live, 0)), (1, b"e".repeat(80)));
    assert_eq!(live.change(0, 0x104, Change::Folded), None);
}

#[test]
fn a_segment_goes_without_something_once_each_and_so_do_its_fellows() {
    let mut live = live(&"x".repeat(200));
    let manner = |live: &mut Live, segment| live.send(segment, LineNo(0), Micros(2)).unwrap().2;
    assert!(!manner(&mut live, 0).any() && !manner(&mut live, 1).any());
    let without = Change::Without(Manner::NO_RECEIPT);
    let now = |segment| Some(Next::Again { segment, wait: Duration::ZERO });
    assert_eq!(live.change(0, 7, without), now(0));
    assert_eq!(live.change(1, 7, without), now(1), "it was sent before that was known");
    assert!(manner(&mut live, 0).has(Manner::NO_RECEIPT) && manner(&mut live, 1).has(Manner::NO_RECEIPT));
    assert_eq!(live.change(0, 7, without), None, "it was sent without");
    assert_eq!(live.change(0, 0x62, Change::Without(Manner::NO_VALIDITY)), now(0));
    assert_eq!(live.tries(0), 0);
    let both = manner(&mut live, 0);
    assert!(both.has(Manner::NO_RECEIPT) && both.has(Manner::NO_VALIDITY));
    assert_eq!(live.accepted(0, 5, "a"), (Next::Wait, Some(both)));
    assert_eq!(live.accepted(1, 2, "b"), (Next::Settle, None), "the first copy of it, which was sent otherwise");
}

#[test]
fn a_text_handed_over_whole_is_settled_as_the_messages_it_makes() {
    let form = WireForm { split: Split::Payload, ..WireForm::USUAL };
    let mut whole = Live::new(outgoing(1, content(1, &"x".repeat(400))), form, 7);
    assert_eq!(whole.count(), 1);
    assert_eq!(send(&mut whole, 0).len(), 400);
    whole.accepted(0, 1, "a");
    assert_eq!((settled(&whole).planned, settled(&whole).accepted), (3, 3));
    let mut refused = Live::new(outgoing(1, content(1, &"x".repeat(400))), form, 7);
    send(&mut refused, 0);
    assert_eq!(refused.change(0, 1, Change::InOctets), Some(Next::Anew));
    assert_eq!((refused.count(), send(&mut refused, 0).len() <= 140), (4, true));
}

#[test]
fn a_text_that_cannot_be_coded_as_planned_is_sent_folded() {
    let planned = Content { alphabet: Alphabet::Gsm7, ..content(1, "nữ") };
    let reply = Outgoing { content: Arc::new(planned), ..outgoing(1, content(1, "x")) };
    assert_eq!(send(&mut Live::new(reply, WireForm::USUAL, 7), 0), b"nu");
}
