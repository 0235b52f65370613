//! What a line hands up and has not been taken yet. The line never waits for the desk or the outbox; it keeps what they
//! do not take, and what it keeps is bounded by the two windows.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::message::{LineEvent, Ticket};

/// Events kept for the outbox beyond which no command is read any more. Far above what the windows allow.
const MOST_KEPT: usize = 50_000;

/// The two ways up, each with what waits for it.
#[derive(Debug)]
pub(super) struct Post {
    desk: mpsc::Sender<Vec<LineEvent>>,
    outbox: mpsc::Sender<Vec<LineEvent>>,
    for_desk: Vec<LineEvent>,
    for_outbox: Vec<LineEvent>,
}

impl Post {
    /// Nothing waits.
    pub(super) fn new(desk: mpsc::Sender<Vec<LineEvent>>, outbox: mpsc::Sender<Vec<LineEvent>>) -> Self {
        Self { desk, outbox, for_desk: Vec::new(), for_outbox: Vec::new() }
    }

    /// Puts an event in the desk's next batch.
    pub(super) fn for_desk(&mut self, event: LineEvent) {
        self.for_desk.push(event);
    }

    /// Puts an event in the outbox's next batch.
    pub(super) fn for_outbox(&mut self, event: LineEvent) {
        self.for_outbox.push(event);
    }

    /// Hands up what can be handed up without waiting. A side that is gone loses what was for it: its messages are
    /// answered by their deadlines.
    pub(super) fn hand_up(&mut self) {
        for (sender, waiting) in [(&self.desk, &mut self.for_desk), (&self.outbox, &mut self.for_outbox)] {
            if waiting.is_empty() {
                continue;
            }
            match sender.try_reserve() {
                Ok(permit) => permit.send(std::mem::take(waiting)),
                Err(mpsc::error::TrySendError::Full(())) => {}
                Err(mpsc::error::TrySendError::Closed(())) => waiting.clear(),
            }
        }
    }

    /// Whether something waits.
    pub(super) fn is_waiting(&self) -> bool {
        !self.for_desk.is_empty() || !self.for_outbox.is_empty()
    }

    /// Whether a command may be read: each may add to what waits.
    pub(super) fn has_room(&self) -> bool {
        self.for_outbox.len() < MOST_KEPT
    }

    /// Waits until a side that something waits for has room, and hands it up there; one that is gone loses it. Nothing is
    /// lost when the wait is dropped. The place is used as it comes: given back, it would go to another line that waits,
    /// which would give it back in turn, and so on for as long as the desk stands still.
    pub(super) async fn room(&mut self) {
        let Self { desk, outbox, for_desk, for_outbox } = self;
        let (place, waiting) = tokio::select! {
            biased;
            place = desk.reserve(), if !for_desk.is_empty() => (place, for_desk),
            place = outbox.reserve(), if !for_outbox.is_empty() => (place, for_outbox),
            else => return,
        };
        let events = std::mem::take(waiting);
        if let Ok(place) = place {
            place.send(events);
        }
    }

    /// Takes back the messages of these tickets, which were given up before the desk took them.
    pub(super) fn withdraw(&mut self, given_up: &[Arc<Ticket>]) {
        if self.for_desk.is_empty() || given_up.is_empty() {
            return;
        }
        let mut gone: Vec<*const Ticket> = given_up.iter().map(Arc::as_ptr).collect();
        gone.sort_unstable();
        self.for_desk.retain(|event| match event {
            LineEvent::Question(part) => gone.binary_search(&Arc::as_ptr(&part.ticket)).is_err(),
            LineEvent::Receipt { ticket, .. } => gone.binary_search(&Arc::as_ptr(ticket)).is_err(),
            LineEvent::Odd(odd) => gone.binary_search(&Arc::as_ptr(&odd.ticket)).is_err(),
            LineEvent::Congestion { .. }
            | LineEvent::Up { .. }
            | LineEvent::Down { .. }
            | LineEvent::Response { .. } => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use super::*;
    use crate::{clock::Micros, message::LineNo};

    #[tokio::test]
    async fn a_place_at_the_desk_is_used_by_the_line_it_comes_to_although_another_waits() {
        let (desk, mut taken) = mpsc::channel(1);
        let (outbox, _never_taken) = mpsc::channel(1);
        let up = |line| LineEvent::Up { line: LineNo(line), session: 1, at: Micros(0) };
        desk.try_send(vec![up(0)]).unwrap();
        let [mut one, mut other] = [1, 2].map(|line| {
            let mut post = Post::new(desk.clone(), outbox.clone());
            post.for_desk(up(line));
            post.hand_up();
            assert!(post.is_waiting());
            post
        });
        // The other line waits all the time.
        let mut second = pin!(other.room());
        {
            let mut first = pin!(one.room());
            assert!(once(&mut first).await.is_pending() && once(&mut second).await.is_pending());
            taken.recv().await.unwrap();
            first.await;
        }
        one.hand_up();
        assert!(!one.is_waiting(), "the place went on to the other line");
        assert_eq!(taken.recv().await.unwrap().len(), 1);
    }

    /// Polls once.
    async fn once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context))).await
    }
}
