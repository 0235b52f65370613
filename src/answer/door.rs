//! The carriers' doors: one bounded channel each, drained in turn, so that a carrier's flood does not keep another's
//! questions waiting (law 7).

use std::task::Poll;

use tokio::sync::mpsc;

use crate::message::LineEvent;

/// All doors of a desk.
pub struct Doors {
    channels: Vec<mpsc::Receiver<Vec<LineEvent>>>,
    /// Taken from a channel but not yet handed on, by door.
    rest: Vec<Vec<LineEvent>>,
    first: usize,
}

impl Doors {
    /// One receiver a carrier.
    pub fn new(channels: Vec<mpsc::Receiver<Vec<LineEvent>>>) -> Self {
        let rest = channels.iter().map(|_| Vec::new()).collect();
        Self { channels, rest, first: 0 }
    }

    /// Takes what waits, at most `limit` events, an equal share from each door that has any; waits when none has.
    /// `None` when every door is closed and empty.
    pub async fn take(&mut self, limit: usize) -> Option<Vec<LineEvent>> {
        std::future::poll_fn(|context| {
            let count = self.channels.len().max(1);
            let share = (limit / count).max(1);
            let mut taken = Vec::new();
            let mut closed = 0;
            for step in 0..self.channels.len() {
                let at = (self.first + step) % count;
                while self.rest[at].len() < share {
                    match self.channels[at].poll_recv(context) {
                        Poll::Ready(Some(events)) => self.rest[at].extend(events),
                        Poll::Ready(None) => {
                            closed += 1;
                            break;
                        }
                        Poll::Pending => break,
                    }
                }
                let some = self.rest[at].len().min(share);
                taken.extend(self.rest[at].drain(..some));
            }
            self.first = (self.first + 1) % count;
            if !taken.is_empty() {
                Poll::Ready(Some(taken))
            } else if closed == self.channels.len() {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Micros, message::LineNo};

    fn events(line: u16, count: usize) -> Vec<LineEvent> {
        vec![LineEvent::Up { line: LineNo(line), session: 1, at: Micros(0) }; count]
    }

    fn of(taken: &[LineEvent], wanted: u16) -> usize {
        taken.iter().filter(|event| matches!(event, LineEvent::Up { line, .. } if line.0 == wanted)).count()
    }

    #[tokio::test]
    async fn a_flood_at_one_door_leaves_the_other_its_share() {
        let (flood, a) = mpsc::channel(8);
        let (quiet, b) = mpsc::channel(8);
        let mut doors = Doors::new(vec![a, b]);
        for _ in 0..8 {
            flood.send(events(0, 50)).await.unwrap();
        }
        quiet.send(events(1, 3)).await.unwrap();
        let first = doors.take(64).await.unwrap();
        assert_eq!((of(&first, 0), of(&first, 1)), (32, 3));
        drop((flood, quiet));
        let mut left = 0;
        while let Some(taken) = doors.take(64).await {
            left += taken.len();
        }
        assert_eq!(left, 400 - 32);
    }
}
