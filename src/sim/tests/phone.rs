//! Phones: what they send, and what they show.

use rusmpp::Pdu;

use super::{
    esme::{Esme, submit},
    listening, soon,
};
use crate::{
    message::Alphabet,
    sim::{Phone, SimError, SmscSettings},
};

const NUMBER: &str = "84520000001";

/// Answers `count` messages and gives esm_class, data_coding and text of each.
async fn take(esme: &mut Esme, count: usize) -> Vec<(u8, u8, Vec<u8>)> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let read = esme.next().await.unwrap();
        esme.answer(read.sequence, 0).await;
        let Some(Pdu::DeliverSm(deliver)) = read.pdu else { panic!("no deliver_sm") };
        let text = deliver.short_message().as_ref().to_vec();
        taken.push((u8::from(deliver.esm_class), u8::from(deliver.data_coding), text));
    }
    taken
}

#[tokio::test]
async fn a_phone_chooses_its_coding_and_numbers_its_parts() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let phone = Phone::new(&smsc, NUMBER);
    let (sent, taken) = soon(async { tokio::join!(phone.text("TTCD 123456", "997"), take(&mut esme, 1)) }).await;
    assert_eq!((sent.unwrap().len(), taken), (1, vec![(0, 0, b"TTCD 123456".to_vec())]));
    let long = "x".repeat(200);
    let backwards = phone.text_parts_in_order(&long, "997", &[1, 0]);
    let (sent, taken) = soon(async { tokio::join!(backwards, take(&mut esme, 2)) }).await;
    assert_eq!(sent.unwrap().len(), 2);
    assert_eq!((taken[0].0, &taken[0].2[..6], taken[0].2.len()), (0x40, &[5, 0, 3, 2, 2, 2][..], 6 + 47));
    assert_eq!((taken[1].0, &taken[1].2[..6], taken[1].2.len()), (0x40, &[5, 0, 3, 2, 2, 1][..], 6 + 153));
    let (_, taken) = soon(async { tokio::join!(phone.text("hỏi", "997"), take(&mut esme, 1)) }).await;
    assert_eq!(taken, [(0, 8, vec![0, 0x68, 0x1E, 0xCF, 0, 0x69])]);
    let missing = phone.text_parts_in_order("short", "997", &[0, 1]).await;
    assert!(matches!(missing, Err(SimError::NoSuchPart { parts: 1 })));
}

#[tokio::test]
async fn segments_are_joined_in_their_order_and_other_phones_are_left_alone() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let (phone, other) = (Phone::new(&smsc, NUMBER), Phone::new(&smsc, "84520000002"));
    let part = |index: u8, text: &str| [&[5, 0, 3, 77, 3, index], text.as_bytes()].concat();
    for (to, udhi, octets) in [
        (NUMBER, true, part(2, "two ")),
        ("84520000002", false, b"for another".to_vec()),
        (NUMBER, true, part(3, "three")),
        (NUMBER, true, part(3, "three")),
        (NUMBER, false, b"later".to_vec()),
        (NUMBER, true, part(1, "one ")),
    ] {
        esme.request(submit(to, 0, udhi, &octets)).await;
        esme.next().await.unwrap();
    }
    let shown = soon(phone.reply()).await;
    assert_eq!((shown.text.expose(), shown.segments, shown.alphabet), ("one two three", 3, Alphabet::Gsm7));
    assert_eq!(soon(phone.reply()).await.text.expose(), "later");
    assert_eq!(soon(other.reply()).await.text.expose(), "for another");
    // The segment sent twice is still there; it makes no reply of its own.
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), phone.reply()).await;
    assert!(waiting.is_err());
    assert_eq!(soon(smsc.next_submit()).await.octets.0, part(3, "three"));
}

#[tokio::test]
async fn a_pair_cut_between_two_segments_is_read_whole() {
    let smsc = listening(SmscSettings::default()).await;
    let mut esme = Esme::bound(smsc.address()).await;
    let phone = Phone::new(&smsc, NUMBER);
    for octets in
        [[&[6, 8, 4, 1, 2, 2, 1][..], &[0xD8, 0x3D]].concat(), [&[6, 8, 4, 1, 2, 2, 2][..], &[0xDE, 0]].concat()]
    {
        esme.request(submit(&format!("+{NUMBER}"), 8, true, &octets)).await;
        esme.next().await.unwrap();
    }
    let shown = soon(phone.reply()).await;
    assert_eq!((shown.text.expose(), shown.segments, shown.alphabet), ("😀", 2, Alphabet::Ucs2));
}
