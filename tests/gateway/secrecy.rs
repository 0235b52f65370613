//! Nothing of a citizen is in the log, at any level.

use tracuu::registry::cast;

use crate::{harness::TestGateway, logs};

#[tokio::test]
async fn numbers_names_and_texts_are_not_logged() {
    let gateway = TestGateway::start().await;
    let adult = cast::ADULT;
    for text in [
        format!("TTCD {}", adult.short_key()),
        format!("TTCD {} HOTEN QUEQUAN", adult.personal_id),
        format!("CMND {} {}", adult.old_id.unwrap(), adult.short_key()),
        "Toi ten la Canary Hoang Yen".to_owned(),
    ] {
        gateway.ask(adult.phone, &text).await;
    }
    gateway.smsc().cut();
    gateway.finish().await;
    let logged = logs::so_far();
    assert!(logged.contains("Service has stopped") && logged.contains("bound"), "something is logged: {logged}");
    let number = adult.phone.to_string();
    for secret in
        [&number, &number[2..], adult.personal_id, adult.old_id.unwrap(), "Nguyễn Văn", "Nguyen Van", "Canary"]
    {
        let line = logged.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "\"{secret}\" is in the log: {line:?}");
    }
}
