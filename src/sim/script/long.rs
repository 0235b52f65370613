//! Scripts: long texts to us, in parts.

use std::time::Duration;

use super::{Deliver, Done, Peer, Script, Stage, Want, script};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t106_parts_out_of_order, "parts 3, 1 and 2"),
    script!(t107_part_missing, "a part that never comes").counts(&["part_missing"]),
    script!(t108_part_doubled, "a part twice, and once more with other octets, and once more after the text was whole")
        .counts(&["part_doubled"]),
    script!(t109_parts_over_lines, "one part on each line").settings("lines = 2"),
    script!(t110_reference_16_bit, "parts with a 16-bit reference, between parts with the same one of 8 bits"),
    script!(t111_several_ies, "headers with other elements before and after the reference"),
    script!(t112_udhi_without_concat, "a header without a reference").counts(&["udhi_without_concat"]),
    script!(t113_udh_past_end, "a header longer than the message").counts(&["udh_past_end"]),
    script!(t114_absurd_index, "total 0, index 0, index above total").counts(&["absurd_index"]),
    script!(t115_reference_reused, "a text asked twice under one reference, another, and one that takes over from it")
        .counts(&["reference_reused"]),
    script!(t116_reference_zero, "reference 0"),
    script!(t118_sar_tlvs, "parts by the SAR parameters, and one with index 0").counts(&["absurd_index"]),
    script!(t119_sar_and_udh, "a header and SAR parameters that say something else").counts(&["sar_and_udh"]),
    script!(t120_odd_totals, "one reference with totals 2 and 3, and a total of 1"),
];

/// The parts of a question of its own, one a piece of its text.
fn parts(peer: &mut Peer, count: usize) -> (Deliver, Vec<Deliver>) {
    let question = peer.question();
    let text = &question.text;
    let piece = |at: usize| text[at * text.len() / count..(at + 1) * text.len() / count].to_vec();
    let pieces: Vec<Vec<u8>> = (0..count).map(piece).collect();
    let parts = pieces.into_iter().map(|piece| question.clone().sequence(peer.sequence()).text(piece)).collect();
    (question, parts)
}

/// The same with 8-bit references.
fn referred(peer: &mut Peer, count: u8, reference: u8) -> (Deliver, Vec<Deliver>) {
    let (question, parts) = parts(peer, count.into());
    let parts = (1..).zip(parts).map(|(index, part)| part.part(reference, count, index));
    (question, parts.collect())
}

/// A header of these elements before the text.
fn headed(part: Deliver, elements: &[u8]) -> Deliver {
    let text = [&[elements.len() as u8], elements, part.text.as_slice()].concat();
    Deliver { esm_class: part.esm_class | 0x40, text, ..part }
}

/// Sends a message that is acknowledged.
async fn send(peer: &mut Peer, part: &Deliver) -> Done {
    peer.send(part).await?;
    peer.expect(Want::answer(part.sequence, 0)).await.map(drop)
}

/// The same message under a new number.
async fn again(peer: &mut Peer, part: &Deliver) -> Done {
    let copy = part.clone().sequence(peer.sequence());
    send(peer, &copy).await
}

/// Sends parts in this order; then the reply comes.
async fn in_order(peer: &mut Peer, question: &Deliver, parts: &[Deliver], order: &[usize]) -> Done {
    for index in order {
        send(peer, &parts[index - 1]).await?;
    }
    peer.reply_to(question).await.map(drop)
}

async fn t106_parts_out_of_order(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, parts) = referred(&mut peer, 3, 42);
    in_order(&mut peer, &question, &parts, &[3, 1, 2]).await
}

async fn t107_part_missing(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, parts) = referred(&mut peer, 3, 42);
    send(&mut peer, &parts[0]).await?;
    send(&mut peer, &parts[2]).await?;
    stage.pass(Duration::from_secs(601)).await;
    peer.reply_to(&question).await.map(drop)
}

async fn t108_part_doubled(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, parts) = referred(&mut peer, 3, 42);
    send(&mut peer, &parts[0]).await?;
    send(&mut peer, &parts[1]).await?;
    again(&mut peer, &parts[1]).await?;
    let other = peer.question().from(1, 1, question.source.address.clone()).text("other").part(42, 3, 2);
    send(&mut peer, &other).await?;
    send(&mut peer, &parts[2]).await?;
    again(&mut peer, &parts[2]).await?;
    peer.reply_to(&question).await?;
    // Nothing of it has begun another text, which would end by time.
    stage.pass(Duration::from_secs(601)).await;
    peer.converse().await.map(drop)
}

async fn t109_parts_over_lines(stage: &mut Stage) -> Done {
    let (mut one, mut two) = (stage.bound().await?, stage.bound().await?);
    let (_, parts) = referred(&mut one, 2, 42);
    send(&mut one, &parts[0]).await?;
    send(&mut two, &parts[1]).await
}

async fn t110_reference_16_bit(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, short) = referred(&mut peer, 2, 7);
    let (_, pieces) = parts(&mut peer, 2);
    let source = question.source.address.clone();
    let wide = (1..).zip(pieces).map(|(index, part)| headed(part.from(1, 1, source.clone()), &[8, 4, 0, 7, 2, index]));
    let wide: Vec<Deliver> = wide.collect();
    send(&mut peer, &short[0]).await?;
    send(&mut peer, &wide[1]).await?;
    send(&mut peer, &wide[0]).await?;
    peer.reply_to(&question).await?;
    send(&mut peer, &short[1]).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t111_several_ies(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, pieces) = parts(&mut peer, 2);
    let [first, second]: [Deliver; 2] = pieces.try_into().unwrap_or_else(|_| unreachable!("two pieces"));
    send(&mut peer, &headed(first, &[5, 4, 0x0B, 0x84, 0, 0, 0, 3, 9, 2, 1])).await?;
    send(&mut peer, &headed(second, &[0, 3, 9, 2, 2, 0x25, 1, 0])).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t112_udhi_without_concat(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = headed(peer.question(), &[5, 4, 0x0B, 0x84, 0, 0]);
    send(&mut peer, &question).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t113_udh_past_end(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for text in [&[0xFF, 0, 3][..], &[]] {
        let broken = peer.question().esm(0x40).text(text);
        peer.send(&broken).await?;
        peer.expect(Want::answer(broken.sequence, 0x43)).await?;
    }
    peer.converse().await.map(drop)
}

async fn t114_absurd_index(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for (total, index) in [(0, 1), (2, 0), (2, 3)] {
        let question = peer.question().part(42, total, index);
        send(&mut peer, &question).await?;
        peer.reply_to(&question).await?;
    }
    Ok(())
}

async fn t115_reference_reused(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, first) = referred(&mut peer, 2, 7);
    let source = question.source.address.clone();
    in_order(&mut peer, &question, &first, &[1, 2]).await?;
    // The phone has one reference for all its texts, and its owner asks the same a minute later.
    stage.pass(Duration::from_secs(61)).await;
    for part in &first {
        again(&mut peer, part).await?;
    }
    peer.reply_to(&question).await?;
    let mut more = Vec::new();
    for _ in 0..2 {
        let (_, parts) = referred(&mut peer, 2, 7);
        more.push(parts.into_iter().map(|part| part.from(1, 1, source.clone())).collect::<Vec<_>>());
    }
    // Another text at once, which stays open, and one that takes its place.
    send(&mut peer, &more[0][1]).await?;
    stage.pass(Duration::from_secs(61)).await;
    send(&mut peer, &more[1][1]).await?;
    peer.reply_to(&question).await?;
    send(&mut peer, &more[1][0]).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t116_reference_zero(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, parts) = referred(&mut peer, 2, 0);
    in_order(&mut peer, &question, &parts, &[1, 2]).await
}

/// The SAR parameters (SMPP 3.4, 5.3.2.22-24).
fn sar(part: Deliver, reference: u16, total: u8, index: u8) -> Deliver {
    part.tlv(0x020C, &reference.to_be_bytes()).tlv(0x020E, &[total]).tlv(0x020F, &[index])
}

async fn t118_sar_tlvs(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, pieces) = parts(&mut peer, 3);
    let parts: Vec<Deliver> = (1..).zip(pieces).map(|(index, part)| sar(part, 300, 3, index)).collect();
    in_order(&mut peer, &question, &parts, &[2, 3, 1]).await?;
    let single = sar(peer.question(), 300, 3, 0);
    send(&mut peer, &single).await?;
    peer.reply_to(&single).await.map(drop)
}

async fn t119_sar_and_udh(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, parts) = referred(&mut peer, 2, 9);
    let parts: Vec<Deliver> = (1..).zip(parts).map(|(reference, part)| sar(part, reference, 5, 4)).collect();
    in_order(&mut peer, &question, &parts, &[1, 2]).await
}

async fn t120_odd_totals(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let (question, two) = referred(&mut peer, 2, 5);
    let (_, three) = referred(&mut peer, 3, 5);
    let source = question.source.address.clone();
    let three: Vec<Deliver> = three.into_iter().map(|part| part.from(1, 1, source.clone())).collect();
    send(&mut peer, &two[0]).await?;
    send(&mut peer, &three[1]).await?;
    send(&mut peer, &two[1]).await?;
    peer.reply_to(&question).await?;
    in_order(&mut peer, &question, &three, &[1, 3]).await?;
    let single = peer.question().part(5, 1, 1);
    send(&mut peer, &single).await?;
    peer.reply_to(&single).await.map(drop)
}
