//! The PyPI package smppy, 0.3.2: a toy, and a bad SMSC. It reads one PDU from whatever a read gives it and drops the rest,
//! so that an answer of ours takes the reply behind it along; it gives replies no id; it sends long texts with the
//! parameters of SAR. It has no transmitter, no receiver, no receipts and no unbind of its own, so none of these is tried.
//! Its end and new start is.

use tracuu::registry::cast;

use crate::{
    conversation::{Form, Talk},
    peer::{self, Event, Program},
    service::Site,
};

/// A reply that it dropped is sent again after so many milliseconds.
const PATIENCE_MS: &str = "500";

fn program() -> Option<Program> {
    let path = peer::installed("smppy/bin/python")?;
    let arguments = vec![peer::script("smppy/server.py")];
    Some(Program { name: "smppy", path, arguments, variable: ("PYTHONDONTWRITEBYTECODE", "1".into()) })
}

/// Takes segments of the reply to one phone until one of them ends it; they come one after the other.
fn reply(talk: &mut Talk, phone: u64, fragment: &str) {
    let (to, mut text) = (phone.to_string(), String::new());
    while !text.contains(fragment) {
        let is_it = |event: &Event| event.submit().filter(|submit| submit.to == to).map(|submit| submit.text.clone());
        text += &talk.peer.wait("a reply", is_it);
    }
}

#[test]
fn gets_every_answer_in_the_end() {
    let Some(program) = program() else { return };
    let site = Site::new();
    let mut talk = Talk::new(program, Form::Transceiver, false);
    let port = talk.peer.port;
    let service = site.serve(port, &[("PASSWORD", "mistyped")]);
    talk.refused();
    service.terminate();

    let settings = [("WINDOW", "1"), ("SUBMIT_TIMEOUT_MS", PATIENCE_MS), ("SUBMIT_TRIES", "50"), ("MARKS", "true")];
    let service = site.serve(port, &settings);
    talk.bound();
    let (adult, long) = (cast::ADULT, cast::LONG);
    let many = "họ và tên, ngày tháng năm sinh, giới tính, quê quán, dân tộc, tôn giáo, quốc tịch, nơi thường trú";
    let questions = [
        (adult.phone, format!("TTCD {} HOTEN", adult.short_key()), adult.name),
        (adult.phone, format!("TTCD {} HO VA TEN, {}", adult.short_key(), "GIOI TINH ".repeat(12)), "Nam"),
        (long.phone, format!("TTCD {} {many}", long.short_key()), "Quỳnh Hương"),
        (adult.phone, "LH".to_owned(), "0520 000 000"),
    ];
    for (asked, (phone, text, fragment)) in (1..).zip(&questions) {
        talk.send_plain(*phone, text);
        reply(&mut talk, *phone, fragment);
        site.until_settled(asked);
    }

    // In mid-traffic: one reply is in flight, the others wait, and which questions were taken this SMSC does not know. It
    // sends all of them again.
    talk.hold();
    let phones = 84_520_100_000..84_520_100_008;
    phones.clone().for_each(|phone| talk.send_plain(phone, "LH"));
    // One of these: a reply to an earlier question may have come twice.
    let is_it = |event: &Event| event.submit().filter(|submit| submit.to.starts_with("845201")).map(drop);
    talk.peer.wait("a reply", is_it);
    talk.peer.kill();
    talk.peer.start_again();
    talk.bound();
    phones.clone().for_each(|phone| talk.send_plain(phone, "LH"));
    phones.clone().for_each(|phone| reply(&mut talk, phone, "0520 000 000"));
    let asked = (questions.len() + phones.count()) as i64;
    site.until_settled(asked);
    service.terminate();
    talk.unbound();

    let (counted, _) = site.books();
    assert_eq!((counted.exchanges, counted.settled), (asked, asked), "{counted:?}");
    assert_eq!((counted.waiting, counted.lost, counted.doubled, counted.parts), (0, 0, 0, 0), "{counted:?}");
    assert!(counted.possible_dups >= 1, "the reply in flight: {counted:?}");
}
