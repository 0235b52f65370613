//! Operators edit the reply texts while the service runs.

use std::{fs, time::Duration};

use tracuu::registry::cast;

use crate::{
    harness::{PATIENCE, TestGateway},
    logs,
};

async fn contact(gateway: &TestGateway) -> String {
    gateway.ask(cast::ADULT.phone, "LH").await.text.expose().to_owned()
}

async fn until_contact(gateway: &TestGateway, fragment: &str) {
    let changed = tokio::time::timeout(PATIENCE, async {
        while !contact(gateway).await.contains(fragment) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(changed.await.is_ok(), "no reply with \"{fragment}\"");
}

#[tokio::test]
async fn changed_texts_are_taken_and_broken_ones_refused_until_they_are_mended() {
    let gateway = TestGateway::start().await;
    assert!(contact(&gateway).await.contains("Dau moi ho tro"));
    fs::write(gateway.template("vi/contact.txt"), "Xin goi {{ name }}, {{ phone }}.\n").unwrap();
    until_contact(&gateway, "Xin goi Nguyen Thi Mau, 0520 000 000.").await;

    // One file of the set is broken: nothing of the set is taken, a right change of another file neither.
    fs::write(gateway.template("vi/contact.txt"), "Lien he {{ name }}, {{ phone }}.\n").unwrap();
    fs::write(gateway.template("vi/refused.txt"), "{{ nobody_knows_this }}\n").unwrap();
    logs::until(&["vi/refused.txt", "nobody_knows_this"]).await;
    logs::until(&["refused", "last good set stays"]).await;
    assert!(contact(&gateway).await.contains("Xin goi Nguyen Thi Mau"));
    assert!(gateway.ask(cast::ADULT.phone, "TTCD 999999").await.text.expose().contains("Khong cung cap"));

    fs::write(gateway.template("vi/refused.txt"), "Khong duoc. Goi {{ phone }}.\n").unwrap();
    until_contact(&gateway, "Lien he Nguyen Thi Mau").await;
    let refusal = gateway.ask(cast::ADULT.phone, "TTCD 999999").await;
    assert_eq!(refusal.text.expose(), "Khong duoc. Goi 0520 000 000.");
    gateway.finish().await;
}
