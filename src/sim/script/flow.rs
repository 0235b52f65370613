//! Scripts: window, throttling, congestion.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Deliver, Done, Peer, Script, Seen, Stage, Submit, SubmitResp, Unmet, Want, hold, pdu::command::SUBMIT_SM, script,
};

/// What must be over before a carrier that throttles is sent anything.
const PAUSE: Duration = Duration::from_millis(800);

/// Longer than a reply is worth sending.
const LIFE: Duration = Duration::from_secs(601);

/// congestion_state (SMPP 5.0, 4.8.4.18).
const CONGESTION_STATE: u16 = 0x0428;

/// Segments a second, as agreed.
const RATE: u32 = 10;

pub(super) const SCRIPTS: &[Script] = &[
    script!(t55_throttled, "one reply is throttled: a second's pause, then the same reply first")
        .counts(&["throttled"]),
    script!(t56_throttled_mid_text, "the second segment of a long reply is throttled")
        .settings("marks = true")
        .counts(&["throttled_mid_text"]),
    script!(t57_queue_full_one_number, "the queue of one number is full; everybody else's is not")
        .counts(&["queue_full_one_number"]),
    script!(t58_queue_full_all, "the queue is full for everybody, and then it is not").counts(&["queue_full_all"]),
    script!(t59_throttled_for_ever, "a reply is throttled until nobody waits for it any more")
        .counts(&["throttled", "throttled_for_ever"]),
    script!(t60_throttled_but_taken, "a throttled text is delivered all the same, and so is its second copy")
        .settings("receipts = true")
        .counts(&["throttled"]),
    script!(t64_account_limit_shared, "the account's rate counts over two instances").settings("rate = 10"),
    script!(t65_congestion_state, "responses say that the SMSC is nearly congested, and then that it is")
        .settings("version = \"5.0\"\nrate = 100")
        .counts(&["congestion_state"]),
];

/// A submit_sm, whatever is in it.
fn is_submit(seen: &Seen) -> bool {
    seen.command_id == SUBMIT_SM
}

/// Whether both are the same segment for the same phone, octet for octet.
fn same(one: &Submit, other: &Submit) -> bool {
    one.octets() == other.octets()
        && one.destination.address == other.destination.address
        && one.data_coding == other.data_coding
}

/// All segments of the reply to a question, unanswered.
async fn whole(peer: &mut Peer, question: &Deliver) -> Result<Vec<Submit>, Unmet> {
    let mut segments = vec![peer.submit_for(question).await?];
    while segments.len() < usize::from(segments[0].segment().1) {
        segments.push(peer.submit_for(question).await?);
    }
    Ok(segments)
}

/// Refuses a submit_sm.
async fn refuse(peer: &mut Peer, submit: &Submit, status: u32) -> Done {
    peer.respond(&SubmitResp::refused(submit.sequence, status)).await
}

async fn t55_throttled(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let first = peer.ask().await?;
    let segments = whole(&mut peer, &first).await?;
    refuse(&mut peer, &segments[0], 0x58).await?;
    for rest in &segments[1..] {
        peer.accept(rest).await?;
    }
    let later = peer.ask().await?;
    peer.expect_none("submit_sm in the pause of a second", PAUSE, is_submit).await?;
    let again = peer.submit().await?;
    hold(same(&segments[0], &again), "the throttled segment before all others", "another submit_sm")?;
    peer.accept(&again).await?;
    peer.reply_to(&later).await.map(drop)
}

async fn t56_throttled_mid_text(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    let first = peer.submit_for(&question).await?;
    let total = first.segment().1;
    hold(total >= 2, "a reply of several segments", total)?;
    peer.accept(&first).await?;
    let second = peer.submit_for(&question).await?;
    for _ in 2..total {
        let rest = peer.submit_for(&question).await?;
        peer.accept(&rest).await?;
    }
    refuse(&mut peer, &second, 0x58).await?;
    let again = peer.submit_for(&question).await?;
    hold(same(&second, &again), "the same segment with the same reference", "another submit_sm")?;
    hold(first.reference() == again.reference(), "the reference of the first segment", "another")?;
    peer.accept(&again).await?;
    peer.converse().await.map(drop)
}

async fn t57_queue_full_one_number(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let full = peer.ask().await?;
    let segments = whole(&mut peer, &full).await?;
    let refused = &segments[0];
    for rest in &segments[1..] {
        peer.accept(rest).await?;
    }
    refuse(&mut peer, refused, 0x14).await?;
    // The others go on at once, and that number is left alone.
    for _ in 0..3 {
        peer.converse().await?;
    }
    let number = refused.destination.address.clone();
    let to_it = |seen: &Seen| Submit::read(seen).is_some_and(|submit| submit.destination.address == number);
    peer.expect_none("submit_sm to that number", Duration::from_secs(3), to_it).await?;
    stage.pass(LIFE).await;
    Ok(())
}

async fn t58_queue_full_all(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut questions = Vec::new();
    for _ in 0..3 {
        questions.push(peer.ask().await?);
    }
    let mut refused = Vec::new();
    for question in &questions {
        refused.extend(whole(&mut peer, question).await?);
    }
    for submit in &refused {
        refuse(&mut peer, submit, 0x14).await?;
    }
    peer.expect_none("submit_sm in the pause of five seconds", Duration::from_millis(4_500), is_submit).await?;
    for _ in &refused {
        let again = peer.submit().await?;
        peer.accept(&again).await?;
    }
    peer.converse().await.map(drop)
}

async fn t59_throttled_for_ever(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    for _ in 0..3 {
        let submit = peer.submit_for(&question).await?;
        refuse(&mut peer, &submit, 0x58).await?;
    }
    stage.pass(LIFE).await;
    peer.expect_none("submit_sm after the reply's useful life", Duration::from_secs(3), is_submit).await
}

async fn t60_throttled_but_taken(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    let segments = whole(&mut peer, &question).await?;
    let submit = &segments[0];
    peer.respond(&SubmitResp::accepted(submit.sequence, "taken-1").status(0x58)).await?;
    for rest in &segments[1..] {
        peer.accept(rest).await?;
    }
    let receipt = peer.question().receipt_of(submit, "taken-1", "DELIVRD");
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await?;
    let again = peer.submit_for(&question).await?;
    hold(same(submit, &again), "the same segment once more", "another submit_sm")?;
    let id = peer.accept(&again).await?;
    let receipt = peer.question().receipt_of(&again, &id, "DELIVRD");
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await?;
    Ok(())
}

async fn t64_account_limit_shared(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    stage.cue("another instance lives").await;
    let mut questions = Vec::new();
    for _ in 0..RATE {
        questions.push(peer.ask().await?);
    }
    let first = peer.submit().await?;
    let begun = Instant::now();
    peer.accept(&first).await?;
    for _ in 1..RATE {
        let submit = peer.submit().await?;
        peer.accept(&submit).await?;
    }
    let took = begun.elapsed();
    // So many a second were agreed, and half of them are the other's.
    let least = Duration::from_millis(1_200);
    hold(took >= least, format!("{RATE} segments in no less than {least:?}"), format!("{took:?}"))
}

async fn t65_congestion_state(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for level in [95, 100] {
        let question = peer.ask().await?;
        for segment in whole(&mut peer, &question).await? {
            let response = SubmitResp::accepted(segment.sequence, "c").tlv(CONGESTION_STATE, &[level]);
            peer.respond(&response).await?;
        }
    }
    // A response is read before what comes behind it.
    peer.is_alive(peer.patience()).await?;
    let question = peer.ask().await?;
    peer.expect_none("submit_sm in the pause of a second", Duration::from_millis(500), is_submit).await?;
    peer.reply_to(&question).await.map(drop)
}
