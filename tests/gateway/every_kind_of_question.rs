//! Each kind of question gets its kind of answer, on either database.

use tracuu::{
    message::{Alphabet, Outcome},
    registry::cast,
    sim::PhoneReply,
};

use crate::{
    harness::{Setup, TestGateway},
    support::postgres,
};

/// Label, phone, text, outcome, what stands in the reply.
type Case = (&'static str, u64, String, Outcome, &'static [&'static str]);

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    use Outcome::{
        Answered, Contact, FullNumberNeeded, HowTo, Misread, OldCardDiffers, OldCardMatches, Refused,
    };
    let adult = cast::ADULT;
    let (me, key, id) = (adult.phone, adult.short_key(), adult.personal_id);
    let old = adult.old_id.unwrap();
    let grouped = format!("{} {} {}", &id[..3], &id[3..6], &id[6..]);
    let parent = cast::PARENT;
    vec![
        ("usual fields", me, format!("TTCD {key}"), Answered,
            &["Nguyen Van An", "05/02/1998", "Nam", "Que quan", "Thuong tru"]),
        ("chosen fields in the order asked", me, format!("ttcd {key} ns ht"), Answered,
            &["Ngay sinh: 05/02/1998; Ho ten: Nguyen Van An"]),
        ("full number in groups, copied brackets", me, format!("TTCD_[{grouped}]_[HOTEN]"), Answered,
            &["901098012345", "Nguyen Van An"]),
        ("marks and line breaks", me, format!("ttcd {key}\nngày sinh,\nhọ tên"), Answered,
            &["05/02/1998", "Nguyen Van An"]),
        ("full-width digits", me, "TTCD ０１２３４５ HOTEN".to_owned(), Answered, &["Nguyen Van An"]),
        ("in English", me, format!("INFO {key} NAME SEX"), Answered, &["Nguyen Van An", "Male"]),
        ("old card that matches", me, format!("CMND {old} {key}"), OldCardMatches, &["khop voi"]),
        ("old card that differs", me, format!("CMND 990000009 {key}"), OldCardDiffers, &["khong khop"]),
        ("old card in English", me, format!("CARD {old} {key}"), OldCardMatches, &[]),
        ("how to use", me, "HD".to_owned(), HowTo, &["TTCD", "CMND", "9999"]),
        ("help in English", me, "help".to_owned(), HowTo, &["INFO", "CARD", "9999"]),
        ("contact", me, "LH".to_owned(), Contact, &["Nguyen Thi Mau", "0520 000 000", "dau-moi@example.invalid"]),
        ("contact in English", me, "Contact".to_owned(), Contact, &["Nguyen Thi Mau", "0520 000 000"]),
        ("wrong key", me, "TTCD 999999".to_owned(), Refused, &["0520 000 000"]),
        ("old card with a wrong key", me, format!("CMND {old} 999999"), Refused, &["0520 000 000"]),
        ("unknown phone", cast::NOBODYS_PHONE, format!("TTCD {key}"), Refused, &["0520 000 000"]),
        ("unknown phone asks how", cast::NOBODYS_PHONE, "HD".to_owned(), HowTo, &["TTCD"]),
        ("two people of one short key", parent.phone, format!("TTCD {}", parent.short_key()), FullNumberNeeded,
            &["12 so"]),
        ("the same with the full number", parent.phone, format!("TTCD {} HOTEN", parent.personal_id), Answered,
            &["Le Huu Phuc"]),
        ("a child on the parent's phone", cast::CHILD.phone, format!("TTCD {} HOTEN", cast::CHILD.short_key()),
            Answered, &["Le Gia Bao"]),
        ("birth year alone", cast::SPARSE.phone, format!("TTCD {} NS HT", cast::SPARSE.short_key()), Answered,
            &["1950", "Sen"]),
        ("born abroad", cast::BORN_ABROAD.phone, format!("INFO {} BIRTHPLACE", cast::BORN_ABROAD.short_key()), Answered,
            &["Leipzig", "Germany"]),
        ("misspelt field", me, format!("TTCD {key} NGAYSIHN"), Misread, &["TTCD", "0520 000 000"]),
        ("no key", me, "TTCD".to_owned(), Misread, &["TTCD"]),
        ("something else", me, "Xin chao, may gio lam viec".to_owned(), Misread, &["TTCD", "HD"]),
        ("nothing", me, String::new(), Misread, &["TTCD"]),
    ]
}

#[tokio::test]
async fn every_kind_of_question_is_answered_from_sqlite() {
    round(TestGateway::start().await).await;
}

#[tokio::test]
async fn every_kind_of_question_is_answered_from_postgresql() {
    let Some(server) = postgres::server() else { return };
    let store = Some(server.fresh_database().await);
    let registry = Some(server.fresh_database().await);
    round(TestGateway::start_with(Setup { store, registry, ..Setup::default() }).await).await;
}

async fn round(gateway: TestGateway) {
    let cases = cases();
    for (label, phone, text, _, fragments) in &cases {
        let reply = gateway.ask(*phone, text).await;
        for fragment in *fragments {
            assert!(reply.text.expose().contains(fragment), "{label}: no \"{fragment}\" in {:?}", reply.text.expose());
        }
        assert_plain(label, &reply);
    }
    gateway.until("all are settled", |counted| counted.waiting == 0).await;
    let (questions, replies) = gateway.records("sim").await;
    for (record, (label, .., outcome, _)) in questions.iter().zip(&cases) {
        assert_eq!(record.outcome, i64::from(outcome.code()), "{label}");
    }
    assert!(replies.iter().all(|record| record.result == "ACCEPTED"), "{:?}", replies.first());
    let counted = gateway.finish().await;
    assert_eq!((counted.exchanges, counted.silences, counted.repeats), (cases.len() as i64, 0, 0));
}

fn assert_plain(label: &str, reply: &PhoneReply) {
    assert_eq!(reply.alphabet, Alphabet::Gsm7, "{label}");
    assert!((1..=3).contains(&reply.segments), "{label}: {} segments", reply.segments);
}
