//! The carriers' doors: one bounded channel each, drained in turn, so that a carrier's flood does not keep another's
//! questions waiting (law 7).

use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc;

use crate::message::LineEvent;

/// Of what a door may hand on in one go, one part in so many is kept for receipts.
const FOR_RECEIPTS: usize = 8;

/// Receipts that wait here at most, door by door: beyond it nothing is taken from its channel, which is bounded (law 6).
const WAITING: usize = 4_096;

/// All doors of a desk.
pub struct Doors {
    channels: Vec<mpsc::Receiver<Vec<LineEvent>>>,
    /// Taken from a channel but not yet handed on, by door.
    rest: Vec<Rest>,
    first: usize,
}

/// What was taken from one door and waits. A citizen waits for an answer, nobody for a receipt: those yield, after a pause
/// of the SMSC too, when they all come at once.
#[derive(Default)]
struct Rest {
    receipts: Vec<LineEvent>,
    others: Vec<LineEvent>,
}

impl Rest {
    fn put(&mut self, events: Vec<LineEvent>) {
        for event in events {
            if matches!(event, LineEvent::Receipt { .. }) {
                self.receipts.push(event);
            } else {
                self.others.push(event);
            }
        }
    }

    /// Hands on at most `share` events.
    fn hand_on(&mut self, share: usize, into: &mut Vec<LineEvent>) {
        let kept = self.receipts.len().min((share / FOR_RECEIPTS).max(1));
        let others = self.others.len().min(share.saturating_sub(kept).max(1));
        into.extend(self.others.drain(..others));
        let receipts = self.receipts.len().min(share.saturating_sub(others));
        into.extend(self.receipts.drain(..receipts));
    }
}

impl Doors {
    /// One receiver a carrier.
    pub fn new(channels: Vec<mpsc::Receiver<Vec<LineEvent>>>) -> Self {
        let rest = channels.iter().map(|_| Rest::default()).collect();
        Self { channels, rest, first: 0 }
    }

    /// Takes what waits, at most `limit` events, an equal share from each door that has any; waits when none has.
    /// `None` when every door is closed and empty.
    pub async fn take(&mut self, limit: usize) -> Option<Vec<LineEvent>> {
        std::future::poll_fn(|context| self.poll_take(context, limit)).await
    }

    /// The same of what waits now, if anything does.
    pub fn take_now(&mut self, limit: usize) -> Option<Vec<LineEvent>> {
        match self.poll_take(&mut Context::from_waker(Waker::noop()), limit) {
            Poll::Ready(taken) => taken,
            Poll::Pending => None,
        }
    }

    fn poll_take(&mut self, context: &mut Context<'_>, limit: usize) -> Poll<Option<Vec<LineEvent>>> {
        let count = self.channels.len().max(1);
        let share = (limit / count).max(1);
        let mut taken = Vec::new();
        let mut closed = 0;
        for step in 0..self.channels.len() {
            let at = (self.first + step) % count;
            while self.rest[at].others.len() < share && self.rest[at].receipts.len() < WAITING {
                match self.channels[at].poll_recv(context) {
                    Poll::Ready(Some(events)) => self.rest[at].put(events),
                    Poll::Ready(None) => {
                        closed += 1;
                        break;
                    }
                    Poll::Pending => break,
                }
            }
            self.rest[at].hand_on(share, &mut taken);
        }
        self.first = (self.first + 1) % count;
        if !taken.is_empty() {
            Poll::Ready(Some(taken))
        } else if closed == self.channels.len() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Micros, message::LineNo};

    fn events(line: u16, count: usize) -> Vec<LineEvent> {
        vec![LineEvent::Up { line: LineNo(line), session: 1, at: Micros(0) }; count]
    }

    fn receipts(count: usize) -> Vec<LineEvent> {
        let receipt = LineEvent::Receipt {
            line: LineNo(0),
            session: 1,
            sequence: 1,
            ticket: crate::message::Ticket::new(),
            receipt: crate::message::ReceiptTlvs::default(),
            received_at: Micros(0),
        };
        vec![receipt; count]
    }

    #[tokio::test]
    async fn t172_long_pause_then_all() {
        let (door, a) = mpsc::channel(8);
        let mut doors = Doors::new(vec![a]);
        door.send(receipts(200)).await.unwrap();
        door.send(events(0, 100)).await.unwrap();
        drop(door);
        let mut groups = Vec::new();
        while let Some(taken) = doors.take(64).await {
            groups.push((of(&taken, 0), taken.len()));
        }
        assert_eq!(groups[..2], [(56, 64), (44, 64)], "questions first, receipts in what is left");
        assert_eq!(groups.iter().map(|(_, all)| all).sum::<usize>(), 300);
    }

    #[tokio::test]
    async fn receipts_that_come_faster_than_they_go_wait_outside() {
        let (door, a) = mpsc::channel(100);
        let mut doors = Doors::new(vec![a]);
        for _ in 0..3 * WAITING / 256 {
            door.send(receipts(256)).await.unwrap();
        }
        let mut taken = 0;
        for _ in 0..3 {
            taken += doors.take(64).await.unwrap().len();
            assert!(doors.rest[0].receipts.len() <= WAITING + 256, "{}", doors.rest[0].receipts.len());
        }
        drop(door);
        while let Some(more) = doors.take(64).await {
            taken += more.len();
        }
        assert_eq!(taken, 3 * WAITING);
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
