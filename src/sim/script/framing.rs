//! Scripts: framing and malformed PDUs.

use super::{Done, Script, Stage, Want, script};

pub(super) const SCRIPTS: &[Script] = &[script!(
    t09_sm_length_past_end,
    "a question whose sm_length runs past its end is refused for good; the next PDU is unharmed"
)
.counts(&["sm_length_past_end"])];

async fn t09_sm_length_past_end(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let broken = peer.question().sm_length(200);
    peer.send(&broken).await?;
    peer.expect(Want::answer(broken.sequence, 0x01)).await?;
    peer.is_alive(peer.patience()).await?;
    peer.converse().await.map(drop)
}
