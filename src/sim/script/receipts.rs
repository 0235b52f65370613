//! Scripts: receipts.

use super::{Deliver, Done, Peer, Script, Stage, Want, pdu::tlv, script};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t148_receipt_flag_forms, "receipts under every mark in esm_class that means one")
        .settings("receipts = true")
        .counts(&["receipt_flag_forms"]),
    script!(t149_receipt_flag_missing, "a receipt that nothing but its parameters tells")
        .settings("receipts = true")
        .counts(&["receipt_flag_missing"]),
    script!(t152_question_with_receipt_tlv, "a question with receipted_message_id is a question")
        .settings("receipts = true")
        .counts(&["question_with_receipt_tlv"]),
    script!(t153_receipt_fields_missing, "receipts with few of their fields").settings("receipts = true"),
    script!(t154_receipt_label_missing, "a receipt whose state has no label")
        .settings("receipts = true")
        .counts(&["receipt_label_missing"]),
    script!(t155_receipt_order_case_space, "receipts with their fields in any order, case and spacing")
        .settings("receipts = true"),
    script!(t156_receipt_text_forges_fields, "a receipt that repeats a text with fields in it")
        .settings("receipts = true"),
    script!(t157_receipt_dates, "receipts with dates of every form, and of none")
        .settings("receipts = true")
        .counts(&["receipt_dates"]),
    script!(t158_receipt_clock, "receipts by a clock seven hours ahead")
        .settings("receipts = true\nreceipt_offset_minutes = 420"),
    script!(t159_receipt_state_words, "receipts that say it in every word there is")
        .settings("receipts = true")
        .counts(&["receipt_state_words"]),
    script!(t160_receipt_err_forms, "receipts with every form of an error code").settings("receipts = true"),
    script!(t161_receipt_tlvs_only, "a receipt without a text")
        .settings("receipts = true")
        .counts(&["receipt_tlvs_only"]),
    script!(t162_receipt_sides_disagree, "a receipt whose text says something else than its parameters")
        .settings("receipts = true")
        .counts(&["receipt_sides_disagree"]),
    script!(t163_receipt_in_wrong_coding, "a receipt in ASCII that says it is UCS-2, and one that is")
        .settings("receipts = true")
        .counts(&["receipt_in_wrong_coding"]),
    script!(t164_receipt_in_payload_or_udh, "receipts in message_payload, and behind a user data header")
        .settings("receipts = true")
        .counts(&["receipt_in_payload_or_udh"]),
];

/// Asks and accepts the reply, then sends a receipt for its first segment, which is taken. The form makes it of the usual
/// one, which names the id in its text alone, and of that id.
async fn settle(stage: &Stage, peer: &mut Peer, form: impl Fn(Deliver, &str) -> Deliver) -> Done {
    let question = peer.ask().await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    let first = peer.submit_for(&question).await?;
    let id = peer.accept(&first).await?;
    for _ in 1..first.segment().1 {
        let next = peer.submit_for(&question).await?;
        peer.accept(&next).await?;
    }
    // A receipt that is faster than the response waits for it, which is another trap.
    stage.cue("see the reply settled").await;
    let usual = peer.question().receipt_text(&first, &id, "DELIVRD");
    let receipt = form(usual, &id);
    peer.send(&receipt).await?;
    peer.expect(Want::answer(receipt.sequence, 0)).await.map(drop)
}

/// The same for receipts that are a text, in which `{id}` stands for the id.
async fn settle_by(stage: &Stage, peer: &mut Peer, texts: &[&str]) -> Done {
    for text in texts {
        settle(stage, peer, |receipt, id| receipt.text(text.replace("{id}", id))).await?;
    }
    Ok(())
}

fn parameters(id: &str, state: u8) -> Vec<u8> {
    [tlv(0x001E, &[id.as_bytes(), b"\0"].concat()), tlv(0x0427, &[state])].concat()
}

async fn t148_receipt_flag_forms(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for esm_class in [0x04, 0x24, 0x20, 0x08, 0x10, 0x84] {
        settle(stage, &mut peer, |receipt, _| receipt.esm(esm_class)).await?;
    }
    settle(stage, &mut peer, |receipt, _| {
        let text = [b"\0".as_slice(), &receipt.text].concat();
        receipt.esm(0x44).text(text)
    })
    .await
}

async fn t149_receipt_flag_missing(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle(stage, &mut peer, |receipt, id| receipt.esm(0).text("").tail(&parameters(id, 2))).await?;
    settle(stage, &mut peer, |receipt, id| receipt.esm(0).tail(&parameters(id, 2))).await
}

async fn t152_question_with_receipt_tlv(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let question = peer.question().tlv(0x001E, b"4001\0");
    peer.send(&question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    peer.reply_to(&question).await.map(drop)
}

async fn t153_receipt_fields_missing(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let texts = ["id:{id} stat:DELIVRD", "stat:DELIVRD id:{id}", "id:{id} done date:2601010001 stat:DELIVRD err:000"];
    settle_by(stage, &mut peer, &texts).await
}

async fn t154_receipt_label_missing(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let text = "id:{id} sub:000 dlvrd:000 submit date:260101000000 done date:260101000100 DELIVRD err:000 Text:";
    settle_by(stage, &mut peer, &[text]).await
}

async fn t155_receipt_order_case_space(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let texts = [
        "sub:001 dlvrd:001 err:000 submit date:2601010000 done date:2601010001 id:{id} stat:DELIVRD",
        "Id:{id} Sub:001 Dlvrd:001 Submit Date:2601010000 Done Date:2601010001 Stat:Delivrd Err:000 Text:hello",
        "ID:  {id}  STAT:  delivrd  ERR: 0",
        "id:{id}, stat:DELIVRD, err:000",
        "id:{id}\r\nstat:DELIVRD\r\nerr:000\r\n",
    ];
    settle_by(stage, &mut peer, &texts).await
}

async fn t156_receipt_text_forges_fields(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let texts = ["id:{id} stat:DELIVRD err:000 text:id:7 stat:UNDELIV", "id:{id} stat:DELIVRD Text:stat:UNDELIV id:7"];
    settle_by(stage, &mut peer, &texts).await
}

async fn t157_receipt_dates(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for date in ["2601010001", "260101000100", "202601010001", "20260101000100", "0000000000", "", "never"] {
        let text = format!("id:{{id}} submit date:{date} done date:{date} stat:DELIVRD err:000 text:");
        settle_by(stage, &mut peer, &[&text]).await?;
    }
    Ok(())
}

async fn t158_receipt_clock(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle_by(stage, &mut peer, &["id:{id} submit date:2601010700 done date:2601010701 stat:DELIVRD err:000 text:"])
        .await
}

async fn t159_receipt_state_words(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for word in
        ["DELIVRD", "DELIVERED", "2", "UNDELIV", "REJECTD", "EXPIRED", "5", "ENROUTE", "UNKNOWN", "DND_REJECTED"]
    {
        settle_by(stage, &mut peer, &[&format!("id:{{id}} stat:{word} err:000")]).await?;
    }
    Ok(())
}

async fn t160_receipt_err_forms(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    for error in ["000", "0000", "21b", "075", "-1", "DNC"] {
        settle_by(stage, &mut peer, &[&format!("id:{{id}} stat:DELIVRD err:{error} text:")]).await?;
    }
    Ok(())
}

async fn t161_receipt_tlvs_only(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle(stage, &mut peer, |receipt, id| receipt.text("").tail(&parameters(id, 2))).await
}

async fn t162_receipt_sides_disagree(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle(stage, &mut peer, |receipt, id| receipt.text(format!("id:{id} stat:UNDELIV")).tail(&parameters(id, 2)))
        .await?;
    settle(stage, &mut peer, |receipt, id| receipt.text("id:ours stat:DELIVRD").tail(&parameters(id, 2))).await?;
    settle(stage, &mut peer, |receipt, id| receipt.text(format!("id:{id} stat:DELIVRD")).tail(&parameters("theirs", 2)))
        .await
}

async fn t163_receipt_in_wrong_coding(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle(stage, &mut peer, |receipt, _| receipt.coding(8)).await?;
    settle(stage, &mut peer, |receipt, id| {
        let wide: Vec<u8> = format!("id:{id} stat:DELIVRD").bytes().flat_map(|octet| [0, octet]).collect();
        receipt.coding(8).text(wide)
    })
    .await
}

async fn t164_receipt_in_payload_or_udh(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    settle(stage, &mut peer, |receipt, _| {
        let text = receipt.text.clone();
        receipt.text("").tlv(0x0424, &text)
    })
    .await?;
    settle(stage, &mut peer, |receipt, _| {
        let text = [&[5, 0, 3, 7, 2, 1], receipt.text.as_slice()].concat();
        receipt.esm(0x44).text(text)
    })
    .await
}
