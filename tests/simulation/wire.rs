//! The network: connections in memory whose octets take time, come in pieces, stop for a while, and are cut anywhere.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{dice::Dice, plan::NetFaults, trace::Trace};

/// Octets that one side may be ahead of the other.
const ROOM: usize = 64 * 1024;

/// One connection's fate.
struct Life {
    cut: CancellationToken,
    /// Octets until it is cut.
    left: AtomicI64,
    /// Nothing arrives before.
    silent_until: Mutex<Instant>,
    delay_ms: u64,
    splits: u64,
}

/// The network between the service and its SMSCs.
pub(crate) struct Wire {
    pub(crate) faults: NetFaults,
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    pub(crate) tasks: TaskTracker,
    pub(crate) calm_at: Instant,
}

impl Wire {
    /// A connection: the service's end and the SMSC's.
    ///
    /// # Errors
    /// It is refused.
    pub(crate) async fn connect(&self) -> io::Result<(DuplexStream, DuplexStream)> {
        sleep(self.dice.millis(0, self.faults.delay_ms)).await;
        let now = Instant::now();
        let calm = now >= self.calm_at;
        if !calm && self.dice.permille(self.faults.refused) {
            self.trace.say(|| "network: connection refused".to_owned());
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (cut_behind, cut_after, silent) = (
            self.dice.permille(self.faults.cut_behind).then(|| self.dice.between(1, 6_000) as i64),
            self.dice.permille(self.faults.cut_after).then(|| self.dice.millis(0, 30_000)),
            self.dice
                .permille(self.faults.silent)
                .then(|| (self.dice.millis(0, 20_000), self.dice.millis(1_000, 8_000))),
        );
        let life = Arc::new(Life {
            cut: CancellationToken::new(),
            left: AtomicI64::new(cut_behind.filter(|_| !calm).unwrap_or(i64::MAX)),
            silent_until: Mutex::new(now),
            delay_ms: self.faults.delay_ms,
            splits: self.faults.splits,
        });
        self.trace
            .say(|| format!("network: connected, cut behind {cut_behind:?}, after {cut_after:?}, silent {silent:?}"));
        let (ours, near) = duplex(ROOM);
        let (far, theirs) = duplex(ROOM);
        let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
        for (from, to) in [(near_in, far_out), (far_in, near_out)] {
            self.tasks.spawn(carry(from, to, Arc::clone(&life), self.dice.clone()));
        }
        let calm_at = self.calm_at;
        self.tasks.spawn(async move {
            let fated = async {
                if let Some((at, lasts)) = silent {
                    sleep_until((now + at).min(calm_at)).await;
                    if Instant::now() < calm_at {
                        *life.silent_until.lock().unwrap() = Instant::now() + lasts;
                    }
                }
                match cut_after {
                    Some(after) if now + after < calm_at => sleep_until(now + after).await,
                    Some(_) | None => std::future::pending().await,
                }
                life.cut.cancel();
            };
            life.cut.run_until_cancelled(fated).await;
        });
        Ok((ours, theirs))
    }
}

/// Carries octets one way.
async fn carry(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>, life: Arc<Life>, dice: Dice) {
    let mut buffer = vec![0; 4096];
    let carried = async {
        loop {
            let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
            let (mut rest, mut most) = (&buffer[..count], life.delay_ms * 1_000);
            while !rest.is_empty() {
                let cut = rest.len() > 1 && most > 0 && dice.permille(life.splits);
                let piece = if cut { dice.between(1, rest.len() as u64 - 1) as usize } else { rest.len() };
                let (now, later) = rest.split_at(piece);
                sleep(Duration::from_micros(dice.between(0, most))).await;
                // The pieces of one writing are not far behind each other.
                most /= 2;
                let silent_until = *life.silent_until.lock().unwrap();
                sleep_until(silent_until).await;
                let left = life.left.fetch_sub(piece as i64, Ordering::Relaxed);
                let arrives = now.len().min(left.max(0) as usize);
                if to.write_all(&now[..arrives]).await.is_err() || arrives < now.len() {
                    return;
                }
                rest = later;
            }
        }
    };
    life.cut.run_until_cancelled(carried).await;
    life.cut.cancel();
}
