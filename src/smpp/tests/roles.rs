//! The forms of the bind, and what each kind of session carries.

use super::{Body, peer::Bench, settings, submit, tlv};
use crate::{
    board::LineState,
    clock::Micros,
    config::{BindForm, Line},
    message::{AnswerStatus, LineEvent, SubmitResult},
};

fn form(bind: BindForm) -> Line {
    Line { bind, ..settings("unused:1") }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_hands_questions_up_and_gives_submits_back() {
    let mut bench = Bench::start(form(BindForm::Receiver), 8);
    let mut peer = bench.connect().await;
    peer.accept_bind_as(1).await;
    assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
    assert!(matches!(bench.outbox_event().await, LineEvent::Up { .. }));
    bench.submit(vec![submit(7, 0)]).await;
    let unsent = bench.outbox_event().await;
    let LineEvent::Response { result, .. } = unsent else { panic!("{unsent:?}") };
    assert_eq!(result, SubmitResult::Unsent);
    peer.send(5, 0, 9, &Body::default().octets()).await;
    let part = bench.question().await;
    bench.answer(&part, AnswerStatus::Stored).await;
    assert_eq!(peer.next().await, (0x8000_0005, 0, 9));
}

#[tokio::test(start_paused = true)]
async fn a_transmitter_sends_and_takes_no_response_of_another_bind_for_its_own() {
    let mut bench = Bench::start(form(BindForm::Transmitter), 8);
    let mut peer = bench.connect().await;
    assert_eq!(peer.next().await, (2, 0, 1));
    peer.send(0x8000_0009, 0, 1, b"SMSC\0").await;
    peer.send(0x8000_0002, 0, 1, b"SMSC\0").await;
    assert!(matches!(bench.outbox_event().await, LineEvent::Up { .. }));
    assert_eq!(bench.board.counted("response_unknown"), 1);
    bench.submit(vec![submit(7, 0)]).await;
    assert_eq!(peer.next().await, (4, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn the_board_shows_the_version_that_was_answered() {
    for (asked, body, version, lower) in [
        (0x34, [b"\0".to_vec(), tlv(0x0210, &[0x34])].concat(), Some(0x34), 0),
        (0x50, [b"\0".to_vec(), tlv(0x0210, &[0x34])].concat(), Some(0x34), 1),
        (0x34, b"\0".to_vec(), None, 0),
    ] {
        let mut bench = Bench::start(Line { interface_version: asked, ..settings("unused:1") }, 8);
        let mut peer = bench.connect().await;
        peer.next().await;
        peer.send(0x8000_0009, 0, 1, &body).await;
        assert!(matches!(bench.desk_event().await, LineEvent::Up { .. }));
        let bound = LineState::Bound { since: Micros(1_000_000), version };
        assert_eq!((bench.board.state(&bench.label), bench.board.counted("version_lower")), (Some(bound), lower));
        peer.is_answered(3).await;
    }
}
