//! Octets that mean nothing, as texts and as PDUs: all are answered, and the line goes on.

use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;
use tracuu::{
    registry::cast,
    sim::{Deliver, SmscSettings},
};

use crate::harness::{CODE, Setup, TestGateway, soon};

const COUNT: usize = 10_000;

/// Messages or PDUs under way at a time.
const AT_ONCE: usize = 200;

fn octets(chance: &mut ChaCha8Rng, most: usize) -> Vec<u8> {
    let mut octets = vec![0; chance.random_range(0..=most)];
    chance.fill_bytes(&mut octets);
    octets
}

async fn still_answers(gateway: &TestGateway) {
    let key = cast::MINORITY.short_key();
    let reply = gateway.ask(cast::MINORITY.phone, &format!("TTCD {key} HOTEN")).await;
    assert!(reply.text.expose().contains("Giang A Pao"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_texts_are_all_acknowledged_on_one_session() {
    let gateway = TestGateway::start_with(Setup::carrier("window = 200\ninbound_window = 200")).await;
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let phones: Vec<u64> =
        cast::ALL.iter().map(|one| one.phone).filter(|phone| *phone != cast::MINORITY.phone).collect();
    let mut under_way = JoinSet::new();
    let (mut sent, mut answered) = (0, 0);
    while answered < COUNT {
        while sent < COUNT && under_way.len() < AT_ONCE {
            let most = if chance.random_ratio(1, 50) { 2_000 } else { 254 };
            let text = octets(&mut chance, most);
            let from = phones[chance.random_range(0..phones.len())].to_string();
            let message = Deliver::new(&from, CODE, chance.random(), text);
            let smsc = gateway.smsc().clone();
            under_way.spawn(async move { smsc.deliver(message).await });
            sent += 1;
        }
        let answer = soon("a random text is answered", under_way.join_next()).await.unwrap().unwrap();
        assert_eq!(answer.unwrap().status, 0);
        answered += 1;
    }
    gateway.heard_less(COUNT as i64);
    still_answers(&gateway).await;
    assert_eq!(gateway.smsc().counts().binds, 1, "the line stayed up");
    let counted = gateway.finish().await;
    // Very short texts are soon equal to one that is still on its way to the disk.
    assert_eq!(counted.exchanges + counted.repeats, COUNT as i64 + 1, "{counted:?}");
}

/// What an SMSC may send in good faith, and what only a broken one would.
const COMMANDS: [u32; 16] = [
    0x0000_0001,
    0x0000_0002,
    0x0000_0003,
    0x0000_0004,
    0x0000_0005,
    0x0000_0007,
    0x0000_0008,
    0x0000_0009,
    0x0000_000B,
    0x0000_0015,
    0x0000_0021,
    0x0000_0102,
    0x0000_0103,
    0x8000_0000,
    0x8000_0004,
    0x8000_0015,
];

/// A PDU with a right length and nothing else that is.
fn pdu(chance: &mut ChaCha8Rng, sequence: u32) -> Vec<u8> {
    let body = octets(chance, 120);
    let command = if chance.random_ratio(1, 2) {
        COMMANDS[chance.random_range(0..COMMANDS.len())]
    } else {
        // Unbind alone ends a session by right, and has a test of its own.
        Some(chance.next_u32()).filter(|command| *command != 0x06).unwrap_or(0x05)
    };
    // A status of 4 says that the session is not bound, which ends it by right.
    let status = Some(chance.next_u32() % 0x500).filter(|status| *status != 4).unwrap_or(0);
    let length = 16 + body.len() as u32;
    let header = [length, command, status, sequence].map(u32::to_be_bytes).concat();
    [header, body].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_random_pdus_leave_the_line_bound_and_in_step() {
    let settings = SmscSettings { enquire_after: None, ..SmscSettings::default() };
    let gateway = TestGateway::start_with(Setup::with("", settings)).await;
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    for at in 0..COUNT {
        let sequence = 0x4000_0000 + at as u32;
        gateway.smsc().write_raw(&pdu(&mut chance, sequence)).unwrap();
        if at % AT_ONCE == AT_ONCE - 1 {
            // In step: what is asked behind the noise is answered, and so is nothing else.
            let asked = gateway.smsc().counts().enquiries_answered;
            gateway.smsc().enquire();
            let answered = async {
                while gateway.smsc().counts().enquiries_answered == asked {
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            };
            soon("the line answers behind the noise", answered).await;
        }
    }
    assert_eq!(gateway.smsc().counts().binds, 1, "nothing of it ends a session by right");
    still_answers(&gateway).await;
    assert_eq!(gateway.finish().await.exchanges, 1);
}

#[tokio::test]
async fn a_stream_out_of_step_ends_the_session_and_no_more() {
    for length in [0_u32, 3, 15, 70_001, u32::MAX] {
        let gateway = TestGateway::start().await;
        let header = [length, 0x05, 0, 0x4000_0001].map(u32::to_be_bytes).concat();
        gateway.smsc().write_raw(&header).unwrap();
        let again = async {
            while gateway.smsc().counts().binds < 2 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        soon("the line is bound again", again).await;
        still_answers(&gateway).await;
        assert_eq!(gateway.finish().await.exchanges, 1, "after a length of {length}");
    }
}
