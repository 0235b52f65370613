//! What arrives at the phone: whole replies in their order, marks where the carrier sends them, masked numbers, and
//! one text for every refusal.

use tracuu::{
    message::{Alphabet, Outcome},
    registry::cast,
    sim::Submitted,
};

use crate::harness::{Setup, TestGateway, soon};

const EVERY_FIELD: &str = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD \
                           THUONGTRU TAMTRU NOIO HONNHAN QHCH";

#[tokio::test]
async fn a_reply_of_three_segments_arrives_whole_and_in_order() {
    let gateway = TestGateway::start().await;
    let phone = gateway.text(cast::LONG.phone, &format!("TTCD {} {EVERY_FIELD}", cast::LONG.short_key())).await;
    let mut segments: Vec<Submitted> = Vec::new();
    for _ in 0..3 {
        segments.push(soon("a segment", gateway.smsc().next_submit()).await);
    }
    let headers: Vec<&[u8]> = segments.iter().map(|segment| &segment.octets.0[..6]).collect();
    let reference = headers[0][3];
    let expected = [1, 2, 3].map(|index| [5, 0, 3, reference, 3, index]);
    assert_eq!(headers, expected, "headers of 3GPP TS 23.040, 9.2.3.24.1");
    for segment in &segments {
        assert!(segment.udhi && segment.octets.0.len() <= 6 + 153, "{} octets", segment.octets.0.len());
        assert_eq!(segment.destination.octets, phone.number().as_bytes());
        assert_eq!(segment.source.octets, b"9999");
    }
    // Asked again, read as the phone reads it.
    let reply = gateway.ask(cast::LONG.phone, &format!("TTCD {} {EVERY_FIELD}", cast::LONG.short_key())).await;
    let text = reply.text.expose();
    assert_eq!(reply.segments, 3);
    assert!(text.contains("Cong Tang Ton Nu Nguyen Phuoc Hoang Minh Nguyet Quynh Huong"), "{text}");
    assert!(text.contains("con nua") && text.contains("TTCD"), "what did not fit is named: {text}");
    let (_, replies) = gateway.records("sim").await;
    assert_eq!(replies.first().map(|record| (record.seg_planned, record.seg_accepted)), Some((3, 3)));
    gateway.finish().await;
}

#[tokio::test]
async fn marks_are_kept_on_a_carrier_that_sends_them() {
    let gateway = TestGateway::start_with(Setup::carrier("marks = true")).await;
    let reply = gateway.ask(cast::ADULT.phone, &format!("TTCD {} HT GT", cast::ADULT.short_key())).await;
    assert_eq!(reply.alphabet, Alphabet::Ucs2);
    assert!(reply.text.expose().contains("Họ tên: Nguyễn Văn An; Giới tính: Nam"), "{}", reply.text.expose());
    gateway.finish().await;
}

#[tokio::test]
async fn the_personal_number_is_shown_only_to_who_typed_all_of_it() {
    let gateway = TestGateway::start().await;
    let adult = cast::ADULT;
    let old = adult.old_id.unwrap();
    for (text, shown) in [
        (format!("TTCD {} HOTEN", adult.short_key()), false),
        (format!("TTCD {} HOTEN", adult.personal_id), true),
        (format!("CMND {old} {}", adult.short_key()), false),
        (format!("CMND {old} {}", adult.personal_id), true),
        (format!("INFO {} NAME", adult.short_key()), false),
    ] {
        let reply = gateway.ask(adult.phone, &text).await;
        let reply = reply.text.expose();
        assert_eq!(reply.contains(adult.personal_id), shown, "{text}: {reply}");
        assert!(reply.contains(&adult.personal_id[9..]), "the last three digits name it in any case: {reply}");
        assert!(!reply.contains(old), "{reply}");
    }
    gateway.finish().await;
}

#[tokio::test]
async fn all_refusals_look_alike() {
    let gateway = TestGateway::start().await;
    let adult = cast::ADULT;
    let old = adult.old_id.unwrap();
    let cases = [
        ("unknown number", cast::NOBODYS_PHONE, format!("TTCD {}", adult.short_key())),
        ("wrong short key", adult.phone, "TTCD 999999".to_owned()),
        ("wrong full number", adult.phone, "TTCD 999999999999".to_owned()),
        ("another's full number", adult.phone, format!("TTCD {}", cast::LONG.personal_id)),
        ("wrong key with fields", adult.phone, "TTCD 999999 HOTEN QUEQUAN".to_owned()),
        ("own old card, wrong key", adult.phone, format!("CMND {old} 999999")),
        ("locked", cast::LOCKED.phone, format!("TTCD {}", cast::LOCKED.short_key())),
        (
            "locked, old card",
            cast::LOCKED.phone,
            format!("CMND {} {}", cast::LOCKED.old_id.unwrap(), cast::LOCKED.personal_id),
        ),
        ("deceased", cast::DECEASED.phone, format!("TTCD {}", cast::DECEASED.short_key())),
        ("deceased, full number", cast::DECEASED.phone, format!("TTCD {}", cast::DECEASED.personal_id)),
    ];
    let mut first: Option<Submitted> = None;
    for (label, phone, text) in &cases {
        gateway.text(*phone, text).await;
        let reply = soon(label, gateway.smsc().next_submit()).await;
        assert!(!reply.udhi, "{label}: more than one segment");
        let like = first.get_or_insert_with(|| reply.clone());
        assert_eq!(
            (&reply.octets.0, reply.data_coding, reply.registered_delivery, &reply.source),
            (&like.octets.0, like.data_coding, like.registered_delivery, &like.source),
            "{label}"
        );
    }
    let (questions, _) = gateway.records("sim").await;
    assert!(questions.iter().all(|record| record.outcome == i64::from(Outcome::Refused.code())));
    assert_eq!(gateway.smsc().counts().submits, cases.len() as u64, "one message each, and no other");
    gateway.finish().await;
}
