//! The conversation that every foreign SMSC has with the service: a bind refused and binds taken, short and long questions
//! with and without marks, long replies, receipts, an unbind from its side, its end and new start in mid-traffic, and an
//! orderly end. Then the store's balance must be that of the conversation.

use std::collections::{BTreeMap, BTreeSet};

use tracuu::registry::cast;

use crate::{
    peer::{Deliver, Event, Order, Peer, Program, Submit},
    service::Site,
};

/// Where citizens text to.
pub(crate) const CODE: &str = "9999";

/// Submits that the service has open at a time on a session.
const WINDOW: usize = 10;

/// Questions that were all sent, and such that may not have left, when the SMSC is ended in mid-traffic.
const SENT: u64 = 40;
const LEAVING: u64 = 20;

/// How the service is told to bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Transceiver,
    /// Two lines: parts of one text and receipts come over either, replies leave by either.
    TwoTransceivers,
    Pair,
}

impl Form {
    fn settings(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Transceiver => [("BIND", "transceiver"), ("LINES", "1")],
            Self::TwoTransceivers => [("BIND", "transceiver"), ("LINES", "2")],
            Self::Pair => [("BIND", "pair"), ("LINES", "1")],
        }
    }

    /// Replies in flight when every window is full.
    fn in_flight(self) -> usize {
        match self {
            Self::Transceiver | Self::Pair => WINDOW,
            Self::TwoTransceivers => 2 * WINDOW,
        }
    }

    fn sessions(self) -> &'static [&'static str] {
        match self {
            Self::Transceiver => &["transceiver"],
            Self::TwoTransceivers => &["transceiver", "transceiver"],
            Self::Pair => &["receiver", "transmitter"],
        }
    }
}

/// A reply as the foreign program read it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) coding: i32,
    pub(crate) ids: Vec<String>,
}

/// A foreign SMSC, and what was asked through it.
pub(crate) struct Talk {
    pub(crate) peer: Peer,
    pub(crate) form: Form,
    /// Whether it hears the service's answers to its messages.
    hears: bool,
    delivered: u32,
    pub(crate) asked: i64,
}

impl Talk {
    pub(crate) fn new(program: Program, form: Form, hears: bool) -> Self {
        Self { peer: Peer::start(program), form, hears, delivered: 0, asked: 0 }
    }

    /// Waits until every session of the line is refused.
    pub(crate) fn refused(&mut self) {
        for _ in self.form.sessions() {
            self.peer.wait("a refused bind", |event| matches!(event, Event::Refused).then_some(()));
        }
    }

    /// Waits until every session of the line is bound.
    pub(crate) fn bound(&mut self) {
        for wanted in self.form.sessions() {
            let is_it = |event: &Event| matches!(event, Event::Bound { form } if form == wanted).then_some(());
            self.peer.wait(&format!("a bind as {wanted}"), is_it);
        }
    }

    /// Sends without waiting; gives what names it.
    fn send(&mut self, message: Deliver) -> u32 {
        self.delivered += 1;
        let to = CODE.to_owned();
        self.peer.tell(&Order::Deliver(Deliver { n: self.delivered, to, ..message }));
        self.delivered
    }

    /// Sends a question whole, for a program that codes and parts it itself and tells no answer.
    pub(crate) fn send_plain(&mut self, phone: u64, text: &str) {
        self.send(Deliver { from: phone.to_string(), text: text.to_owned(), ..Deliver::default() });
    }

    /// From now on the SMSC takes replies without answering them.
    pub(crate) fn hold(&mut self) {
        self.peer.tell(&Order::Hold);
    }

    /// Sends, and the service must take it.
    fn deliver(&mut self, message: Deliver) {
        let n = self.send(message);
        self.taken(n);
    }

    fn taken(&mut self, wanted: u32) {
        if !self.hears {
            return;
        }
        let is_it = |event: &Event| event.answer().filter(|(n, _)| *n == wanted).map(|(_, status)| status);
        assert_eq!(self.peer.wait("an answer to a message", is_it), Some(0), "a message was not taken");
    }

    /// Asks in as many parts as the text needs, the last of them first, and takes the whole reply.
    pub(crate) fn ask(&mut self, phone: u64, text: &str) -> Reply {
        let (coding, parts) = parts(text);
        let total = u8::try_from(parts.len()).unwrap();
        for (index, text) in (1..).zip(parts).collect::<Vec<(u8, String)>>().into_iter().rev() {
            let udh = (total > 1).then_some([7, total, index]);
            self.deliver(Deliver { from: phone.to_string(), coding, text, udh, ..Deliver::default() });
        }
        self.asked += 1;
        self.reply(phone)
    }

    fn reply(&mut self, phone: u64) -> Reply {
        let to = phone.to_string();
        let (mut texts, mut ids) = (BTreeMap::new(), Vec::new());
        loop {
            let is_it = |event: &Event| event.submit().filter(|submit| submit.to == to).cloned();
            let submit: Submit = self.peer.wait("a reply", is_it);
            assert_eq!((submit.from.as_str(), submit.registered), (CODE, 1));
            let (total, index) = submit.udh.map_or((1, 1), |[_, total, index]| (total, index));
            ids.push(submit.id);
            assert!(texts.insert(index, submit.text).is_none(), "segment {index} came twice");
            if texts.len() == usize::from(total) {
                return Reply { text: texts.into_values().collect(), coding: submit.coding, ids };
            }
        }
    }

    /// The receipts for every segment of these replies, in the text and in the parameters; they come when a phone was
    /// reached, which is long after the response. Gives how many, and of how many replies.
    fn receipts(&mut self, site: &Site, replies: &[(u64, Reply)]) -> (i64, i64) {
        site.until_settled(self.asked);
        let segments = replies.iter().flat_map(|(phone, reply)| reply.ids.iter().map(move |id| (phone, id)));
        let ids: BTreeSet<&String> = segments.clone().map(|(_, id)| id).collect();
        for (phone, id) in segments {
            let dates = "submit date:2601010000 done date:2601010000";
            let text = format!("id:{id} sub:001 dlvrd:001 {dates} stat:DELIVRD err:000 text:");
            let (from, receipted) = (phone.to_string(), Some(id.clone()));
            self.deliver(Deliver { from, esm_class: 4, text, receipted, ..Deliver::default() });
        }
        (ids.len() as i64, replies.len() as i64)
    }

    /// Unbinds from the SMSC's side; the service must bind again.
    pub(crate) fn unbind(&mut self) {
        self.peer.tell(&Order::Unbind);
        for _ in self.form.sessions() {
            let is_it = |event: &Event| matches!(event, Event::UnbindAnswered).then_some(());
            self.peer.wait("an answer to the unbind", is_it);
        }
        self.bound();
    }

    /// The service unbinds every session.
    pub(crate) fn unbound(&mut self) {
        for _ in self.form.sessions() {
            self.peer.wait("the unbind", |event| matches!(event, Event::Unbound).then_some(()));
        }
    }

    /// Ends the SMSC with replies in flight, replies that wait and questions that may not have been taken, and starts it
    /// again. It sends again what it has no answer to; every phone gets its reply. Gives how many were in flight.
    fn die_in_mid_traffic(&mut self) -> usize {
        self.hold();
        let ask = |phone: u64| Deliver { from: phone.to_string(), text: "LH".to_owned(), ..Deliver::default() };
        let phones: Vec<u64> = (84_520_100_000..84_520_100_000 + SENT + LEAVING).collect();
        let (sent, leaving) = phones.split_at(SENT as usize);
        let mut open: BTreeMap<u32, u64> = sent.iter().map(|&phone| (self.send(ask(phone)), phone)).collect();
        let is_it = |event: &Event| matches!(event, Event::Submit(_)).then_some(());
        for _ in 0..self.form.in_flight() {
            self.peer.wait("full windows of replies", is_it);
        }
        open.extend(leaving.iter().map(|&phone| (self.send(ask(phone)), phone)));
        for event in self.peer.kill() {
            match event.answer() {
                Some((n, Some(0))) => drop(open.remove(&n)),
                Some((_, None)) if !self.hears => {}
                _ => panic!("with a full window nothing comes but answers: {event:?}"),
            }
        }

        self.peer.start_again();
        self.bound();
        let again: Vec<u32> = open.values().map(|&phone| self.send(ask(phone))).collect();
        for n in again {
            self.taken(n);
        }
        for phone in &phones {
            assert!(self.reply(*phone).text.contains("0520 000 000"));
        }
        self.asked += phones.len() as i64;
        self.form.in_flight()
    }
}

/// data_coding and the parts of a text, each of a size that leaves room for a user data header when there are several.
fn parts(text: &str) -> (u8, Vec<String>) {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (coding, whole, each) = if text.is_ascii() { (0, 160, 153) } else { (8, 70, 67) };
    let size = if units.len() <= whole { whole } else { each };
    (coding, units.chunks(size).map(|part| String::from_utf16(part).unwrap()).collect())
}

/// Phone, text, what stands in the reply.
fn questions() -> [(u64, String, &'static str); 10] {
    let (adult, long) = (cast::ADULT, cast::LONG);
    let old = adult.old_id.unwrap();
    let own = |one: cast::Member, words: &str| (one.phone, format!("TTCD {} {words}", one.short_key()));
    let ask = |(phone, text): (u64, String), fragment| (phone, text, fragment);
    let many =
        "HO VA TEN, TEN GOI KHAC, NGAY THANG NAM SINH, GIOI TINH, NOI SINH, NOI DANG KY KHAI SINH, QUE QUAN, DAN TOC,
                TON GIAO, NOI THUONG TRU, NOI TAM TRU, NOI O HIEN NAY, TINH TRANG HON NHAN, CHU HO";
    [
        ask(own(adult, "HOTEN"), "Nguyen Van An"),
        ask(own(adult, "NS GT"), "05/02/1998"),
        ask(own(cast::CHILD, "HOTEN"), "Le Gia Bao"),
        ask(own(cast::SPARSE, "HOTEN"), "Sen"),
        ask(own(long, many), "Cong Tang Ton Nu"),
        ask((adult.phone, format!("CMND {old} {}", adult.short_key())), "khop voi"),
        ask((adult.phone, "HD".to_owned()), "TTCD"),
        ask((adult.phone, "LH".to_owned()), "0520 000 000"),
        ask((adult.phone, "TTCD 999999".to_owned()), "Khong cung cap"),
        ask((adult.phone, format!("INFO {} NAME", adult.short_key())), "Nguyen Van An"),
    ]
}

/// The same with marks.
fn marked_questions() -> [(u64, String, &'static str); 2] {
    let (adult, long) = (cast::ADULT, cast::LONG);
    let many = "họ và tên, tên gọi khác, ngày tháng năm sinh, giới tính, nơi sinh, quê quán, dân tộc, nơi thường trú";
    [
        (adult.phone, format!("ttcd {} họ tên, quê quán", adult.short_key()), adult.name),
        (long.phone, format!("Ttcd {} {many}", long.short_key()), "Nguyễn Phước Hoàng Minh Nguyệt"),
    ]
}

/// Has the whole conversation with a program that can do all of it, but for hearing the answers to its own messages: one
/// that does not (`hears` is false) sends all of them again after its end. `settings` of the carrier are added to the usual.
pub(crate) fn have(program: Program, form: Form, hears: bool, settings: &[(&str, &str)]) {
    let site = Site::new();
    let mut talk = Talk::new(program, form, hears);
    // Where the SMSC hears an answer, what it sent is in the store by then.
    let noted = |talk: &Talk, receipts| {
        if !talk.hears {
            site.until("all receipts are noted", |(_, noted)| noted == receipts);
        }
    };
    let port = talk.peer.port;
    let service = site.serve(port, &[&form.settings()[..], &[("PASSWORD", "mistyped")], settings].concat());
    talk.refused();
    service.terminate();

    let window = WINDOW.to_string();
    let settings = [&form.settings()[..], &[("RECEIPTS", "true"), ("WINDOW", &window)], settings].concat();
    let service = site.serve(port, &settings);
    talk.bound();
    let plain: Vec<(u64, Reply)> = questions().iter().map(|question| answered(&mut talk, question, 0)).collect();
    assert!(plain.iter().any(|(_, reply)| reply.ids.len() == 3), "one reply has several segments");
    let plain = talk.receipts(&site, &plain);
    noted(&talk, plain);

    talk.unbind();
    let text = format!("TTCD {} GT", cast::LONG.short_key());
    answered(&mut talk, &(cast::LONG.phone, text, "Gioi tinh: Nu"), 0);
    site.until_settled(talk.asked);
    let in_doubt = talk.die_in_mid_traffic();
    service.terminate();
    talk.unbound();

    let service = site.serve(port, &[&settings[..], &[("MARKS", "true")]].concat());
    talk.bound();
    let marked: Vec<(u64, Reply)> =
        marked_questions().iter().map(|question| answered(&mut talk, question, 8)).collect();
    assert!(marked.iter().any(|(_, reply)| reply.ids.len() > 1), "one reply with marks has several segments");
    let marked = talk.receipts(&site, &marked);
    let receipts = (plain.0 + marked.0, plain.1 + marked.1);
    noted(&talk, receipts);
    service.terminate();
    talk.unbound();
    let more: Vec<Event> = talk.peer.kill().into_iter().filter(|event| matches!(event, Event::Submit(_))).collect();
    assert!(more.is_empty(), "replies that nobody waited for: {more:?}");

    let (counted, receipts_there) = site.books();
    assert_eq!((counted.exchanges, counted.settled), (talk.asked, talk.asked), "{counted:?}");
    assert_eq!((counted.waiting, counted.lost, counted.doubled, counted.parts), (0, 0, 0, 0), "{counted:?}");
    assert_eq!(counted.possible_dups, in_doubt as i64, "{counted:?}");
    assert_eq!(receipts_there, receipts, "receipts, and replies that they belong to");
}

fn answered(talk: &mut Talk, (phone, text, fragment): &(u64, String, &str), coding: i32) -> (u64, Reply) {
    let reply = talk.ask(*phone, text);
    assert!(reply.text.contains(fragment), "\"{text}\": no \"{fragment}\" in {}", reply.text);
    assert_eq!(reply.coding, coding);
    (*phone, reply)
}
