//! Scripts: keep-alive.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Done, Script, Stage, Want, hold,
    pdu::{bare, command, nack},
    script,
};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t40_enquire_while_we_are_busy, "enquire_link while the service cannot store what it was asked")
        .settings("answer_deadline_ms = 1500\ninbound_window = 10\nenquire_after_ms = 600000"),
    script!(t41_enquire_unanswered, "no enquire_link is answered: anything else proves life, silence does not")
        .settings("enquire_after_ms = 300\nenquire_timeout_ms = 500")
        .counts(&["enquire_unanswered"]),
    script!(t42_enquire_resp_error, "enquire_link is answered with 'not bound', then with 'no such command'")
        .settings("enquire_after_ms = 200\nenquire_timeout_ms = 5000")
        .counts(&["enquire_resp_error"]),
    script!(t43_answer_read_late, "the answer is there, and the service too busy to read it in time")
        .settings("enquire_after_ms = 200\nenquire_timeout_ms = 400"),
    script!(t44_enquire_before_bound, "enquire_link is answered only after the bind, which takes a while")
        .settings("enquire_after_ms = 100\nenquire_timeout_ms = 100"),
];

async fn t40_enquire_while_we_are_busy(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    stage.cue("lock the store").await;
    let waiting: Vec<_> = {
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let question = peer.question();
            peer.send(&question).await?;
            waiting.push(question);
        }
        waiting
    };
    // What waits for the store is not waited for.
    peer.is_alive(Duration::from_secs(1)).await?;
    // More than may be undecided: reading pauses, at most until the first is given up.
    for _ in 0..10 {
        let question = peer.question();
        peer.send(&question).await?;
    }
    peer.is_alive(Duration::from_secs(4)).await?;
    stage.cue("unlock the store").await;
    for question in waiting {
        let want = Want::any(command::DELIVER_SM | command::RESPONSE);
        let answer = peer.expect(want).await?;
        hold(matches!(answer.status, 0 | 0x58), "an answer: taken, or later", format!("{answer}"))?;
        drop(question);
    }
    peer.is_alive(peer.patience()).await
}

async fn t41_enquire_unanswered(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.ignore_enquiries();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        // Two misses take 1.3 s.
        peer.converse().await?;
        let _ = peer.expect_within(Want::any(command::ENQUIRE_LINK), Duration::from_millis(400)).await;
    }
    hold(peer.enquiries() > 0, "enquire_links", "none")?;
    let silent = Instant::now();
    peer.expect_end(peer.patience()).await?;
    hold(silent.elapsed() >= Duration::from_millis(700), "two misses", "fewer")?;
    stage.bound().await?.converse().await.map(drop)
}

async fn t42_enquire_resp_error(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.ignore_enquiries();
    let asked = peer.expect(Want::any(command::ENQUIRE_LINK)).await?;
    peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0x04, asked.sequence)).await?;
    peer.expect_end(peer.patience()).await?;

    let mut peer = stage.bound().await?;
    peer.ignore_enquiries();
    let asked = peer.expect(Want::any(command::ENQUIRE_LINK)).await?;
    peer.send_pdu(&nack(0x03, asked.sequence)).await?;
    peer.is_alive(peer.patience()).await?;
    let enquiry = |seen: &super::Seen| seen.command_id == command::ENQUIRE_LINK;
    peer.expect_none("enquire_link", Duration::from_secs(1), enquiry).await?;
    peer.converse().await.map(drop)
}

async fn t43_answer_read_late(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    peer.converse().await?;
    peer.ignore_enquiries();
    for _ in 0..3 {
        let asked = peer.expect(Want::any(command::ENQUIRE_LINK)).await?;
        peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0, asked.sequence)).await?;
        stage.cue("hold the service up for 2 s").await;
    }
    peer.is_alive(peer.patience()).await
}

async fn t44_enquire_before_bound(stage: &mut Stage) -> Done {
    let mut peer = stage.accept().await?;
    peer.ignore_enquiries();
    let bind = peer.bind().await?;
    peer.expect_none("PDU before the bind response", Duration::from_secs(1), |_| true).await?;
    peer.answer_bind(&bind, 0, b"SIM\0").await?;
    let asked = peer.expect(Want::any(command::ENQUIRE_LINK)).await?;
    peer.send_pdu(&bare(command::ENQUIRE_LINK | command::RESPONSE, 0, asked.sequence)).await
}
