//! Answers: masking, what the registry does not have, and what happens when there is no room.

use proptest::prelude::*;

use super::{compose, settings, shipped};
use crate::{
    message::{Alphabet, Field, Lang, OldId, Person},
    reply::{
        Facts, ReplyRequest, TemplateSet,
        samples::{self, person},
    },
    sms::WireForm,
};

fn answer(set: &TemplateSet, lang: Lang, marks: bool, person: &Person, fields: &[Field]) -> (String, u8) {
    let reply = compose(set, lang, marks, Facts::Answered { person, fields, full_number_typed: false });
    (reply.text.expose().to_owned(), reply.segments)
}

/// A value of `words` words of eight letters.
fn long(words: usize) -> String {
    vec!["abcdefgh"; words].join(" ")
}

#[test]
fn the_personal_number_is_masked_unless_it_was_typed_whole() {
    let set = shipped();
    let person = samples::ordinary();
    let old = OldId::parse("990000456").unwrap();
    let fields = [Field::FullName];
    for lang in Lang::ALL {
        for full_number_typed in [false, true] {
            for facts in [
                Facts::Answered { person: &person, fields: &fields, full_number_typed },
                Facts::OldCardMatches { person: &person, old: &old, full_number_typed },
                Facts::OldCardDiffers { person: &person, old: &old, full_number_typed },
            ] {
                let reply = compose(&set, lang, false, facts);
                assert_eq!(reply.text.expose().contains("901185000345"), full_number_typed, "{facts:?}");
                assert_eq!(reply.text.expose().contains("*********345"), !full_number_typed, "{facts:?}");
                assert!(!reply.text.expose().contains("990000456"), "{facts:?}");
            }
        }
    }
}

#[test]
fn fields_come_in_the_order_asked_and_what_is_not_recorded_is_said() {
    let set = shipped();
    let person = person(&[(Field::Sex, "Nữ", Some("Female")), (Field::Religion, "", None)]);
    let fields = [Field::Religion, Field::Sex, Field::OtherName];
    let (vi, _) = answer(&set, Lang::Vi, false, &person, &fields);
    assert_eq!(
        vi,
        "So dinh danh *********345. Ton giao: chua co thong tin; Gioi tinh: Nu; Ten goi khac: chua co thong tin"
    );
    let (en, _) = answer(&set, Lang::En, false, &person, &fields);
    assert_eq!(en, "ID *********345. Religion: none recorded; Sex: Female; Other name: none recorded");
}

#[test]
fn a_value_is_never_taken_for_a_template_or_for_a_line_of_its_own() {
    let set = shipped();
    for (label, value, expected) in [
        ("expression", "{{ 7*7 }}", "Ho ten: {{ 7*7 }}"),
        ("block", "{% if more %}x{% endif %}", "Ho ten: {% if more %}x{% endif %}"),
        ("variable", "{{ phone }} {# x #}", "Ho ten: {{ phone }} {# x #}"),
        ("line breaks and controls", "Mau\r\nTen\u{7}", "Ho ten: Mau Ten"),
        ("markup", "<b>&amp;\"'", "Ho ten: <b>&amp;\"'"),
    ] {
        let (text, _) = answer(&set, Lang::Vi, false, &person(&[(Field::FullName, value, None)]), &[Field::FullName]);
        assert_eq!(text, format!("So dinh danh *********345. {expected}"), "{label}");
    }
}

#[test]
fn fields_drop_from_the_end_whole_and_the_text_says_how_to_ask_for_them() {
    let set = shipped();
    let value = long(15);
    let fields = [Field::FullName, Field::Hometown, Field::BirthPlace, Field::Ethnicity, Field::Religion];
    let person = person(&fields.map(|field| (field, value.as_str(), None)));
    let (text, segments) = answer(&set, Lang::Vi, false, &person, &fields);
    assert_eq!(
        text,
        format!(
            "So dinh danh *********345. Ho ten: {value}; Que quan: {value}; con nua: soan TTCD <so da nhap> \
             NOISINH DANTOC TONGIAO gui 000000"
        )
    );
    assert_eq!(segments, 3);
    let (rest, _) = answer(&set, Lang::Vi, false, &person, &fields[3..]);
    assert!(rest.ends_with(&value), "the last two fit: {rest}");
}

#[test]
fn one_value_that_is_too_long_by_itself_is_cut_at_a_word() {
    let set = shipped();
    let value = long(54);
    let person = person(&[(Field::Hometown, value.as_str(), None), (Field::Sex, "Nu", None)]);
    let (alone, segments) = answer(&set, Lang::Vi, false, &person, &[Field::Hometown]);
    assert_eq!(segments, 3);
    assert!(alone.ends_with("abcdefgh abcdefgh..."), "{alone}");
    assert!((450..=459).contains(&alone.chars().count()), "the room is used: {}", alone.chars().count());
    let (first, segments) = answer(&set, Lang::Vi, false, &person, &[Field::Hometown, Field::Sex]);
    assert_eq!(segments, 3);
    assert!(first.ends_with("abcdefgh...; con nua: soan TTCD <so da nhap> GIOITINH gui 000000"), "{first}");
}

#[test]
fn with_marks_and_every_field_asked_for_the_reply_still_fits() {
    let set = shipped();
    let value = "Thượng ".repeat(60);
    let person = person(&Field::ALL.map(|field| (field, value.as_str(), None)));
    let (text, segments) = answer(&set, Lang::Vi, true, &person, &Field::ALL);
    assert_eq!(segments, 3);
    assert!(text.contains("Họ tên: Thượng") && text.contains("TENKHAC NGAYSINH"), "{text}");
    assert!(text.ends_with("... gửi 000000"), "{text}");
}

#[test]
fn renamed_words_of_the_grammar_stand_in_the_replies() {
    let mut settings = settings();
    settings.words[0].info = "HOI".into();
    settings.words[0].fields[Field::Hometown as usize] = "QUE".into();
    let set = TemplateSet::shipped(&settings).unwrap();
    let value = long(40);
    let fields = [Field::FullName, Field::Hometown];
    let person = person(&fields.map(|field| (field, value.as_str(), None)));
    let (text, _) = answer(&set, Lang::Vi, false, &person, &fields);
    assert!(text.ends_with("; con nua: soan HOI <so da nhap> QUE gui 000000"), "{text}");
}

#[test]
fn the_contact_takes_its_english_words_where_there_are_some() {
    let mut settings = settings();
    settings.contact.email.clear();
    settings.contact.post_en.clear();
    let set = TemplateSet::shipped(&settings).unwrap();
    let text = |lang| compose(&set, lang, false, Facts::Contact).text.expose().to_owned();
    assert_eq!(text(Lang::En), "Contact: Nguyen Van Mau, can bo truc, look-up help. Phone: 0520000000");
    assert!(text(Lang::Vi).ends_with("Dien thoai: 0520000000"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values_make_a_reply_within_three_segments(
        values in proptest::collection::vec(any::<String>(), 18),
        many in 0_usize..40,
        asked in 1_usize..=18,
        marks in any::<bool>(),
    ) {
        let set = shipped();
        let values: Vec<String> = values.iter().map(|value| format!("{value} ").repeat(many)).collect();
        let rows: Vec<_> = Field::ALL.iter().zip(&values).map(|(field, value)| (*field, value.as_str(), None)).collect();
        let person = person(&rows);
        for lang in Lang::ALL {
            let facts = Facts::Answered { person: &person, fields: &Field::ALL[..asked], full_number_typed: false };
            let reply = set.try_compose(&ReplyRequest { lang, marks, form: WireForm::USUAL, short_code: "000000", facts }).unwrap();
            prop_assert!((1..=3).contains(&reply.segments));
            prop_assert!(!reply.text.expose().contains('\n'));
            prop_assert!(marks && lang == Lang::Vi || reply.alphabet == Alphabet::Gsm7);
        }
    }
}
