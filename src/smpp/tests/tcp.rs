//! The line over a real socket of this machine.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Body, pdu, settings};
use crate::{
    board::CarrierBoard,
    clock::{Chance, Clock},
    config::{BindForm, Line},
    message::{CarrierId, Lease, LineEvent, LineId, LineNo, Role},
    smpp::{LineError, Wiring, run, try_bind},
};

/// Takes one connection, answers the bind with `status`, and answers an unbind.
async fn smsc(listener: &TcpListener, status: u32, then: &[u8]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut octets = [0; 256];
    assert!(stream.read(&mut octets).await.unwrap() > 16);
    stream.write_all(&[pdu(0x8000_0009, status, 1, b""), then.to_vec()].concat()).await.unwrap();
    while let Ok(read @ 1..) = stream.read(&mut octets).await {
        if octets[..read].ends_with(&pdu(6, 0, 2, b"")) {
            stream.write_all(&pdu(0x8000_0006, 0, 2, b"")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_trial_bind_says_what_is_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let settings = settings(&address);
    let (tried, ()) = tokio::join!(try_bind(&settings), smsc(&listener, 0, b""));
    tried.unwrap();
    let (tried, ()) = tokio::join!(try_bind(&settings), smsc(&listener, 0x0E, b""));
    assert!(matches!(tried, Err(LineError::Refused { status: 0x0E })));
    drop(listener);
    let refused = try_bind(&settings).await.unwrap_err();
    assert!(matches!(refused, LineError::NoConnection { .. }), "{refused}");
    assert!(refused.to_string().contains(&address));
}

#[tokio::test]
async fn a_trial_bind_of_a_pair_tries_both_its_sessions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Line { bind: BindForm::Pair, ..settings(&listener.local_addr().unwrap().to_string()) };
    // Takes the transmitter, and refuses the receiver.
    let smsc = async {
        let mut asked = Vec::new();
        for status in [0, 0x0D] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut octets = [0; 256];
            while let Ok(16..) = stream.read(&mut octets).await {
                let (id, sequence) = (u32::from(octets[7]), u32::from(octets[15]));
                asked.push(id);
                stream.write_all(&pdu(0x8000_0000 | id, status, sequence, b"")).await.unwrap();
            }
        }
        asked
    };
    let (tried, asked) = tokio::join!(try_bind(&settings), smsc);
    assert!(matches!(tried, Err(LineError::Refused { status: 0x0D })));
    assert_eq!(asked, [2, 6, 1]);
}

#[tokio::test]
async fn a_line_binds_over_tcp_and_hands_a_question_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = settings(&listener.local_addr().unwrap().to_string());
    let (desk_sender, mut desk) = mpsc::channel(8);
    let (outbox_sender, _outbox) = mpsc::channel(8);
    let (commands, taken) = mpsc::channel(8);
    let wiring = Wiring {
        line: LineNo(0),
        desk: desk_sender,
        outbox: outbox_sender,
        commands: taken,
        quiesce: CancellationToken::new(),
        clock: Clock::System,
        chance: Chance::seeded(1),
        label: LineId { carrier: CarrierId::parse("vtl").unwrap(), index: 1, role: Role::Transceiver },
        board: Arc::new(CarrierBoard::new(CarrierId::parse("vtl").unwrap(), Vec::new(), Clock::System)),
        owed: Arc::default(),
        lease: Arc::new(Lease::unlimited()),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(run(settings, wiring));
    tasks.spawn(async move { smsc(&listener, 0, &pdu(5, 0, 1, &Body::default().octets())).await });
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(timeout(Duration::from_secs(10), desk.recv()).await.unwrap().unwrap());
    }
    assert!(matches!(events[..], [LineEvent::Up { .. }, LineEvent::Question(_)]));
    drop(commands);
    while let Some(ended) = timeout(Duration::from_secs(10), tasks.join_next()).await.unwrap() {
        ended.unwrap();
    }
}
