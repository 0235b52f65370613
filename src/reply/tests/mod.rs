//! The shipped texts, exactly as they are sent: a changed text shows here.

mod answers;
mod broken;
mod running;

use super::{
    Facts, ReplyRequest, Settings, TemplateSet,
    samples::{self, SHORT_CODE, USUAL},
};
use crate::{
    config::{Contact, ReplySettings},
    message::{Alphabet, Lang, OldId, Reply},
    sms::{Split, WireForm, measure},
};

pub(super) fn settings() -> Settings {
    Settings::new(&ReplySettings::default(), &Contact::made_up())
}

pub(super) fn shipped() -> TemplateSet {
    TemplateSet::shipped(&settings()).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(super) fn compose(set: &TemplateSet, lang: Lang, marks: bool, facts: Facts<'_>) -> Reply {
    set.try_compose(&ReplyRequest { lang, marks, form: WireForm::USUAL, short_code: SHORT_CODE, facts }).unwrap()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of every text")]
fn every_outcome_in_both_languages_reads_as_written_here() {
    let set = shipped();
    let person = samples::ordinary();
    let old = OldId::parse("990000456").unwrap();
    let record = Facts::Answered { person: &person, fields: &USUAL, full_number_typed: false };
    let same = Facts::OldCardMatches { person: &person, old: &old, full_number_typed: false };
    let other = Facts::OldCardDiffers { person: &person, old: &old, full_number_typed: false };
    let full = Facts::FullNumberNeeded { form: "TTCD <12 so dinh danh>" };
    let misread = Facts::Misread { form: "TTCD <6 so cuoi so dinh danh>" };
    let full_en = Facts::FullNumberNeeded { form: "INFO <12 digits of your ID number>" };
    let misread_en = Facts::Misread { form: "INFO <last 6 digits of your ID number>" };
    let (vi, en) = (Lang::Vi, Lang::En);
    let table: &[(Lang, Facts<'_>, usize, &str)] = &[
        (
            vi,
            record,
            2,
            "So dinh danh *********345. Ho ten: Nguyen Thi Mau; Ngay sinh: 15/03/1985; Gioi tinh: Nu; Que quan: Xa Mau, tinh Mau; Thuong tru: 12 pho Mau, phuong Mau, tinh Mau",
        ),
        (vi, same, 1, "Ket qua doi chieu: so CMND ******456 khop voi so dinh danh ca nhan *********345."),
        (
            vi,
            other,
            1,
            "Ket qua doi chieu: so CMND ******456 khong khop voi so dinh danh ca nhan *********345. Vui long kiem tra lai so CMND hoac goi 0520000000.",
        ),
        (
            vi,
            Facts::Refused,
            1,
            "Khong cung cap duoc thong tin theo yeu cau. Vui long kiem tra lai so da nhap, nhan tin tu so dien thoai chinh chu hoac goi 0520000000 de duoc ho tro.",
        ),
        (
            vi,
            full,
            1,
            "Vui long nhap du 12 so dinh danh ca nhan: soan TTCD <12 so dinh danh> gui 000000. Can ho tro, goi 0520000000.",
        ),
        (
            vi,
            misread,
            1,
            "Tin nhan chua dung cu phap. Vui long soan TTCD <6 so cuoi so dinh danh> gui 000000. Can huong dan, soan HD gui 000000 hoac goi 0520000000.",
        ),
        (
            vi,
            Facts::HowTo,
            2,
            "Xem thong tin cua minh: soan TTCD <6 so cuoi so dinh danh> gui 000000. Hoi tung muc: them HOTEN, QUEQUAN... sau so. Doi chieu CMND: soan CMND <9 so CMND> <6 so cuoi>. Ho tro: 0520000000.",
        ),
        (
            vi,
            Facts::Contact,
            1,
            "Dau moi ho tro: Nguyen Van Mau, can bo truc, phu trach huong dan tra cuu. Dien thoai: 0520000000. Email: lienhe@mau.example",
        ),
        (
            vi,
            Facts::Unavailable,
            1,
            "He thong tam thoi gian doan, chua tra cuu duoc thong tin. Mong ong/ba thong cam, nhan lai sau 30 phut hoac goi 0520000000 de duoc ho tro.",
        ),
        (
            en,
            record,
            1,
            "ID *********345. Name: Nguyen Thi Mau; Born: 15/03/1985; Sex: Female; Hometown: Xa Mau, tinh Mau; Permanent residence: 12 pho Mau, phuong Mau, tinh Mau",
        ),
        (en, same, 1, "Result: old card number ******456 matches ID number *********345."),
        (
            en,
            other,
            1,
            "Result: old card number ******456 does not match ID number *********345. Please check the old number or call 0520000000.",
        ),
        (
            en,
            Facts::Refused,
            1,
            "The information cannot be given. Please check the number you typed, text from your own registered phone or call 0520000000 for help.",
        ),
        (
            en,
            full_en,
            1,
            "Please type all 12 digits of your ID number: text INFO <12 digits of your ID number> to 000000. For help call 0520000000.",
        ),
        (
            en,
            misread_en,
            1,
            "We could not read your message. Please text INFO <last 6 digits of your ID number> to 000000. For instructions text HELP to 000000 or call 0520000000.",
        ),
        (
            en,
            Facts::HowTo,
            2,
            "Your own record: text INFO <last 6 digits of your ID number> to 000000. Single items: add words such as NAME, HOMETOWN after the number. Old card: text CARD <old 9 digits> <last 6 digits>. Help: 0520000000.",
        ),
        (
            en,
            Facts::Contact,
            1,
            "Contact: Nguyen Van Mau, duty officer, look-up help. Phone: 0520000000. Email: lienhe@mau.example",
        ),
        (
            en,
            Facts::Unavailable,
            1,
            "Sorry, the look-up is not working at the moment. Please text again in 30 minutes or call 0520000000 for help.",
        ),
    ];
    for (lang, facts, segments, expected) in table {
        let reply = compose(&set, *lang, false, *facts);
        let label = format!("{} {facts:?}", lang.code());
        assert_eq!(reply.text.expose(), *expected, "{label}");
        assert_eq!((reply.alphabet, usize::from(reply.segments)), (Alphabet::Gsm7, *segments), "{label}");
        assert_eq!(usize::from(reply.chars), expected.chars().count(), "{label}");
        assert_eq!(reply.template_version, set.version(), "{label}");
    }
}

#[test]
fn marks_are_kept_where_the_carrier_wants_them_and_the_template_lets_them() {
    let set = shipped();
    let person = samples::ordinary();
    let facts = Facts::Answered { person: &person, fields: &USUAL[..2], full_number_typed: false };
    let vi = compose(&set, Lang::Vi, true, facts);
    assert_eq!(vi.text.expose(), "Số định danh *********345. Họ tên: Nguyễn Thị Mẫu; Ngày sinh: 15/03/1985");
    assert_eq!((vi.alphabet, vi.segments), (Alphabet::Ucs2, 2));
    let en = compose(&set, Lang::En, true, facts);
    assert_eq!(en.text.expose(), "ID *********345. Name: Nguyen Thi Mau; Born: 15/03/1985");
    assert_eq!(en.alphabet, Alphabet::Gsm7);
}

#[test]
fn a_reply_is_planned_in_the_segments_that_go_out_in_the_carriers_form() {
    let (set, person) = (shipped(), samples::ordinary());
    let every = Facts::Answered { person: &person, fields: &USUAL, full_number_typed: true };
    let mut counts = std::collections::BTreeSet::new();
    for facts in [every, Facts::Refused, Facts::HowTo, Facts::Contact] {
        for (marks, split, slack) in [
            (false, Split::Udh8, 0),
            (false, Split::Udh16, 20),
            (false, Split::None, 0),
            (true, Split::Sar, 0),
            (true, Split::Udh8, 3),
            (true, Split::Payload, 0),
        ] {
            let form = WireForm { split, slack, ..WireForm::USUAL };
            let request = ReplyRequest { lang: Lang::Vi, marks, form, short_code: SHORT_CODE, facts };
            let reply = set.try_compose(&request).unwrap();
            let sent = crate::sms::split(reply.text.expose(), reply.alphabet, &form, 1).unwrap();
            let cut = if sent[0].payload { measure(reply.text.expose(), &form).segments } else { sent.len() };
            assert_eq!(usize::from(reply.segments), cut, "{facts:?} {form:?}");
            counts.insert((facts.outcome() as u8, marks, reply.segments));
        }
    }
    assert!(counts.len() > 8, "the form makes a difference");
}

#[test]
fn the_refusal_takes_one_segment_and_names_the_phone_and_the_next_step() {
    let reply = compose(&shipped(), Lang::Vi, false, Facts::Refused);
    assert_eq!(reply.segments, 1);
    assert!(reply.text.expose().contains("goi 0520000000"));
}

#[test]
fn the_same_files_have_the_same_version_and_other_files_another() {
    let dir = tempfile::tempdir().unwrap();
    super::Shipped::write_to(dir.path()).unwrap();
    let load = || TemplateSet::load(dir.path(), &settings()).unwrap();
    assert_eq!(load().version(), shipped().version());
    assert_eq!(load().version_hex().len(), 16);
    let path = dir.path().join("vi/unavailable.txt");
    std::fs::write(&path, format!("{} ", std::fs::read_to_string(&path).unwrap())).unwrap();
    assert_ne!(load().version(), shipped().version());
}

#[test]
fn every_sample_of_the_shipped_set_is_rendered_for_the_operator() {
    let set = shipped();
    let renders = super::render_samples(&set);
    for lang in Lang::ALL {
        for outcome in super::source::outcomes() {
            let file = super::source::file_name(lang, outcome);
            for marks in [false, true] {
                assert!(renders.iter().any(|r| r.file == file && r.marks == marks && !r.text.is_empty()), "{file}");
            }
        }
    }
    for render in &renders {
        assert!((1..=3).contains(&render.segments), "{render:?}");
        assert!(!render.text.contains('?'), "{render:?}");
    }
}
