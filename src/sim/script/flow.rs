//! Scripts: window, throttling, congestion.

use std::{collections::HashSet, time::Duration};

use tokio::time::Instant;

use super::{
    Deliver, Done, Peer, Script, Seen, Stage, Submit, SubmitResp, Unmet, Want, hold,
    pdu::{
        bare,
        command::{ENQUIRE_LINK, SUBMIT_SM},
    },
    script,
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
    script!(
        t61_slow_reader,
        "the SMSC reads little, and the line waits for it; then it reads nothing, and the line is closed and bound anew"
    )
    .settings("write_timeout_ms = 2000")
    .receive_buffer(4_096)
    .counts(&["slow_reader"]),
    script!(
        t62_window_overrun_drop,
        "the SMSC drops the line three times while the window is full: it may allow fewer, and that is said"
    )
    .settings("window = 4")
    .counts(&["eof_with_submits_open", "window_overrun_drop"])
    .alarms(&["window_overrun_drop"]),
    script!(t63_window_slot_leak, "two submits are never answered; their places are free again after a while")
        .settings("window = 2\nsubmit_timeout_ms = 300")
        .counts(&["window_slot_leak"]),
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

async fn t61_slow_reader(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let enquiry = bare(ENQUIRE_LINK, 0, 7);
    peer.stop_reading();
    peer.write(&enquiry.repeat(8_000)).await?;
    // Longer than the deadline in all: it is for no progress, not for little.
    peer.read_slowly(1_024, Duration::from_millis(100), 30).await?;
    peer.is_alive(2 * peer.patience()).await?;
    peer.converse().await?;
    // More than the sockets hold: the service is stuck with its answers until it has had enough.
    let began = Instant::now();
    let taken = peer.write(&enquiry.repeat(1_000_000)).await;
    let closed = taken.is_err() && began.elapsed() < peer.patience();
    hold(closed, "the connection is closed", format!("it is open after {:?}", began.elapsed()))?;
    peer.close();
    stage.bound().await?.converse().await.map(drop)
}

async fn t62_window_overrun_drop(stage: &mut Stage) -> Done {
    for session in 0..3 {
        let mut peer = stage.bound().await?;
        for _ in 0..if session == 0 { 8 } else { 0 } {
            peer.ask().await?;
        }
        for _ in 0..4 {
            peer.submit().await?;
        }
        let fifth = Duration::from_millis(200);
        peer.expect_none("fifth submit_sm", fifth, |seen| seen.command_id == SUBMIT_SM).await?;
        peer.close();
    }
    let mut peer = stage.bound().await?;
    let question = peer.ask().await?;
    loop {
        let submit = peer.submit().await?;
        peer.accept(&submit).await?;
        let (index, total) = submit.segment();
        if submit.destination.address == question.source.address && index == total {
            return Ok(());
        }
    }
}

async fn t63_window_slot_leak(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let mut open = HashSet::new();
    for _ in 0..6 {
        open.insert(peer.ask().await?.source.address);
    }
    let (first, second) = (peer.submit().await?, peer.submit().await?);
    while !open.is_empty() {
        let submit = peer.submit().await?;
        if submit.sequence != first.sequence && submit.sequence != second.sequence {
            peer.accept(&submit).await?;
            open.remove(&submit.destination.address);
        }
    }
    Ok(())
}
