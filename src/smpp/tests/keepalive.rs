//! Signs of life.

use tokio::time::Instant;

use super::peer::Bench;
use crate::message::LineEvent;

#[tokio::test(start_paused = true)]
async fn silence_is_asked_about_and_two_misses_end_the_session() {
    let (mut bench, mut peer) = Bench::usual().await;
    let began = Instant::now();
    assert_eq!(peer.next().await, (0x15, 0, 2));
    assert_eq!(began.elapsed().as_secs(), 20);
    assert_eq!(peer.next().await, (0x15, 0, 3));
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(peer.next_or_end().await.is_none());
    assert_eq!(began.elapsed().as_secs(), 40);
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
}

#[tokio::test(start_paused = true)]
async fn any_pdu_is_a_sign_of_life() {
    let (_bench, mut peer) = Bench::usual().await;
    for _ in 0..4 {
        assert_eq!(peer.next().await.0, 0x15);
        assert_eq!(peer.next().await.0, 0x15, "one miss");
        peer.send(0x77, 0, 1, b"").await;
        assert_eq!(peer.next().await.0, 0x8000_0000);
    }
}

#[tokio::test(start_paused = true)]
async fn an_smsc_without_enquire_link_is_not_asked_again() {
    let (mut bench, mut peer) = Bench::usual().await;
    let (id, _, sequence) = peer.next().await;
    assert_eq!(id, 0x15);
    peer.send(0x8000_0000, 3, sequence, b"").await;
    let heard = Instant::now();
    let silence = tokio::time::timeout(std::time::Duration::from_mins(10), peer.next_or_end()).await;
    assert!(silence.is_err(), "{silence:?} after {:?}", heard.elapsed());
    assert!(bench.desk.try_recv().is_err(), "still bound");
}

#[tokio::test(start_paused = true)]
async fn an_enquire_link_answered_with_not_bound_ends_the_session() {
    let (mut bench, mut peer) = Bench::usual().await;
    let (_, _, sequence) = peer.next().await;
    peer.send(0x8000_0015, 4, sequence, b"").await;
    assert!(peer.next_or_end().await.is_none());
    assert!(matches!(bench.desk_event().await, LineEvent::Down { .. }));
}
