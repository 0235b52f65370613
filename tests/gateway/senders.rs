//! Who is heard, and who is not: numbers in all their forms, names, and codes that are not ours.

use sqlx::{Connection as _, SqliteConnection};
use tracuu::{
    message::{Outcome, RawAddress},
    registry::cast,
    sim::Deliver,
};

use crate::harness::{CODE, Setup, TestGateway, soon};

fn from(ton: u8, source: &str, to: &str) -> Deliver {
    let text = format!("TTCD {} HOTEN", cast::ADULT.short_key());
    let source = RawAddress { ton, npi: 1, octets: source.as_bytes().to_vec() };
    Deliver { source, ..Deliver::new("", to, 0, text) }
}

#[tokio::test]
async fn every_form_of_a_number_is_one_person_and_is_answered_as_it_was_written() {
    let gateway = TestGateway::prepare(Setup::default()).await;
    // A number from before the change of 2018 still stands in messages of old equipment: 0186 became 056.
    let mut registry =
        SqliteConnection::connect(&format!("sqlite:{}", gateway.folder().join("registry.db").display())).await.unwrap();
    let number = sqlx::query("insert into phone select 84560000001, person_id from person where personal_id = $1");
    number.bind(cast::ADULT.personal_id).execute(&mut registry).await.unwrap();
    registry.close().await.unwrap();
    let gateway = gateway.run().await;
    soon("the line is bound", gateway.smsc().bound()).await;
    let forms = [
        (1, "84520000001"),
        (1, "+84520000001"),
        (0, "84520000001"),
        (0, "+84520000001"),
        (0, "0084520000001"),
        (2, "0520000001"),
        (0, "0520000001"),
        (2, "520000001"),
        (1, "84560000001"),
        (0, "01860000001"),
        (1, "841860000001"),
    ];
    for (ton, source) in forms {
        let asked = from(ton, source, CODE);
        assert_eq!(gateway.deliver(asked).await.unwrap().status, 0, "{source}");
        let reply = soon("the reply", gateway.smsc().next_submit()).await;
        let text = String::from_utf8_lossy(&reply.octets.0).into_owned();
        assert!(text.contains("Nguyen Van An"), "{source} as type {ton}: {text}");
        // Some SMSCs refuse a plus; the type of number says it.
        let (sent, ton) = source.strip_prefix('+').map_or((source, ton), |digits| (digits, 1));
        assert_eq!(reply.destination, RawAddress { ton, npi: 1, octets: sent.as_bytes().to_vec() }, "{source}");
    }
    assert_eq!(gateway.finish().await.exchanges, forms.len() as i64);
}

#[tokio::test]
async fn who_is_no_phone_is_recorded_and_never_answered() {
    let gateway = TestGateway::start().await;
    let strangers = [(5, "SHOP"), (5, "84520000001"), (0, "Viettel"), (3, "9999"), (0, "")];
    for (ton, source) in strangers {
        assert_eq!(gateway.deliver(from(ton, source, CODE)).await.unwrap().status, 0, "\"{source}\" as type {ton}");
    }
    // Whatever had been sent to them would have come before this.
    let reply = gateway.ask(cast::ADULT.phone, "LH").await;
    assert_eq!(gateway.smsc().counts().submits, reply.segments as u64);
    let (questions, _) = gateway.records("sim").await;
    let silenced = questions.iter().filter(|record| record.outcome == i64::from(Outcome::Silenced.code()));
    assert_eq!(silenced.count(), strangers.len());
    assert_eq!(gateway.finish().await.silences, strangers.len() as i64);
}

#[tokio::test]
async fn a_code_that_is_not_ours_is_refused_and_put_aside() {
    let gateway = TestGateway::start_with(Setup::carrier("short_codes = [\"9999\", \"997\"]")).await;
    for (code, status) in [
        ("8888", 0x0B),
        ("", 0x0B),
        ("999900000", 0x0B),
        ("9999", 0),
        ("997", 0),
        ("849999", 0),
        ("+84997", 0),
        ("04997", 0),
    ] {
        let answer = gateway.deliver(from(1, "84520000001", code)).await.unwrap();
        assert_eq!(answer.status, status, "\"{code}\"");
    }
    assert_eq!(gateway.finish().await.exchanges, 5);
}
