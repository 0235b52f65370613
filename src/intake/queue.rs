//! Messages in the order they came to be remembered, found by fingerprint. Half a minute of a carrier's peak is kept, and all
//! that a lost session left open, so each takes 48 octets and its place in the table 5 or 10, and nothing is copied as it grows.

use std::collections::VecDeque;

use hashbrown::HashTable;

use crate::{
    clock::Micros,
    ledger::Token,
    message::{LineNo, RowKey},
};

/// Slots that are made, and reused, together.
const CHUNK: usize = 1_024;

/// What is remembered of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The row it became.
    pub(super) key: RowKey,
    /// The row a repeat of it counts on: its own, or for a part the exchange that uses it up.
    pub(super) of: RowKey,
    /// When it was answered, or until when it may come again.
    pub(super) at: Micros,
    pub(super) session: u32,
    pub(super) line: LineNo,
    pub(super) why: Why,
}

/// Why a message may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The answer may have been lost with its session.
    Break,
    /// The answer came, or will come, later than the SMSC waits.
    Silence,
    /// A temporary error left although the row was stored, or may have been.
    Refusal,
}

impl Why {
    /// The name of the trap.
    pub(super) fn trap(self) -> &'static str {
        match self {
            Self::Break => "resent_after_break",
            Self::Silence => "resent_without_break",
            Self::Refusal => "refused_yet_stored",
        }
    }
}

struct Slot {
    print: Token,
    /// Nothing once it is forgotten.
    message: Option<Message>,
}

/// Such messages.
#[derive(Default)]
pub(super) struct Queue {
    /// Places of the slots that hold something, counted from the first there ever was.
    places: HashTable<u32>,
    chunks: VecDeque<Vec<Slot>>,
    /// The place of the first slot of the first chunk, and how many of that chunk are gone.
    first: u32,
    gone: usize,
    /// The chunk that was emptied last, for the next.
    spare: Vec<Slot>,
}

impl Queue {
    /// Remembers a message behind all others; what was remembered under this fingerprint is forgotten.
    pub(super) fn push(&mut self, print: Token, message: Message) {
        self.remove(&print);
        if self.chunks.back().is_none_or(|last| last.len() == CHUNK) {
            let mut chunk = std::mem::take(&mut self.spare);
            chunk.reserve_exact(CHUNK);
            self.chunks.push_back(chunk);
        }
        let place = self.first.wrapping_add((self.gone + self.slots()) as u32);
        if let Some(last) = self.chunks.back_mut() {
            last.push(Slot { print, message: Some(message) });
        }
        let (chunks, first) = (&self.chunks, self.first);
        let hashed = |at: &u32| slot(chunks, first, *at).map_or(0, |slot| hash(&slot.print));
        self.places.insert_unique(hash(&print), place, hashed);
    }

    /// The message of this fingerprint.
    pub(super) fn get(&self, print: &Token) -> Option<&Message> {
        let of = |place: u32| slot(&self.chunks, self.first, place);
        let place = self.places.find(hash(print), |at| of(*at).is_some_and(|slot| slot.print == *print))?;
        of(*place)?.message.as_ref()
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, print: &Token) -> Option<&mut Message> {
        let of = |place: u32| slot(&self.chunks, self.first, place);
        let place = *self.places.find(hash(print), |at| of(*at).is_some_and(|slot| slot.print == *print))?;
        self.slot_mut(place)?.message.as_mut()
    }

    /// Forgets the message of this fingerprint, and gives it.
    pub(super) fn remove(&mut self, print: &Token) -> Option<Message> {
        let (chunks, first) = (&self.chunks, self.first);
        let is = |at: &u32| slot(chunks, first, *at).is_some_and(|slot| slot.print == *print);
        let (place, _) = self.places.find_entry(hash(print), is).ok()?.remove();
        self.slot_mut(place)?.message.take()
    }

    /// Forgets the oldest while they are `old`.
    pub(super) fn forget_while(&mut self, old: impl Fn(&Message) -> bool) {
        while let Some(slot) = self.chunks.front().and_then(|chunk| chunk.get(self.gone)) {
            if slot.message.as_ref().is_some_and(|message| !old(message)) {
                break;
            }
            self.forget_oldest();
        }
    }

    /// Forgets the oldest slot, whether it holds anything or not.
    pub(super) fn forget_oldest(&mut self) {
        let place = self.first.wrapping_add(self.gone as u32);
        let Some(slot) = self.chunks.front().and_then(|chunk| chunk.get(self.gone)) else { return };
        if slot.message.is_some()
            && let Ok(entry) = self.places.find_entry(hash(&slot.print), |at| *at == place)
        {
            entry.remove();
        }
        self.gone += 1;
        if self.gone == CHUNK {
            self.spare = self.chunks.pop_front().unwrap_or_default();
            self.spare.clear();
            self.first = self.first.wrapping_add(CHUNK as u32);
            self.gone = 0;
        }
    }

    /// Takes those that are `wanted`, in their order.
    pub(super) fn take_each(&mut self, wanted: impl Fn(&Message) -> bool, mut each: impl FnMut(Token, Message)) {
        for at in 0..self.slots() {
            let place = self.first.wrapping_add((self.gone + at) as u32);
            let Some(slot) = self.slot_mut(place) else { continue };
            let print = slot.print;
            let Some(message) = slot.message.take_if(|message| wanted(message)) else { continue };
            if let Ok(entry) = self.places.find_entry(hash(&print), |at| *at == place) {
                entry.remove();
            }
            each(print, message);
        }
    }

    /// Messages remembered.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Slots in use: with those of messages that are forgotten already, and stand between others.
    pub(super) fn slots(&self) -> usize {
        let last = self.chunks.back().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * CHUNK + last - self.gone
    }

    fn slot_mut(&mut self, place: u32) -> Option<&mut Slot> {
        let at = place.wrapping_sub(self.first) as usize;
        self.chunks.get_mut(at / CHUNK)?.get_mut(at % CHUNK)
    }
}

fn slot(chunks: &VecDeque<Vec<Slot>>, first: u32, place: u32) -> Option<&Slot> {
    let at = place.wrapping_sub(first) as usize;
    chunks.get(at / CHUNK)?.get(at % CHUNK)
}

/// A fingerprint is keyed, so nobody outside can choose it, and any eight octets of it are as good as a hash.
fn hash(print: &Token) -> u64 {
    print.first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn print(n: u16) -> Token {
        let mut print = [0; 16];
        print[..2].copy_from_slice(&n.to_be_bytes());
        print
    }

    fn message(n: i64) -> Message {
        Message {
            key: RowKey(n),
            of: RowKey(n),
            at: Micros(n),
            session: 1,
            line: LineNo(n as u16 % 3),
            why: Why::Break,
        }
    }

    #[test]
    fn a_slot_is_as_small_as_is_said() {
        assert_eq!(size_of::<Slot>(), 48);
    }

    #[test]
    fn its_chunks_are_given_back_as_they_are_emptied() {
        let mut queue = Queue::default();
        for n in 0..100 * CHUNK {
            queue.push(print(n as u16), message(n as i64));
            while queue.slots() > 2 * CHUNK {
                queue.forget_oldest();
            }
        }
        assert_eq!((queue.len(), queue.slots()), (2 * CHUNK, 2 * CHUNK));
        assert!(queue.chunks.len() <= 3, "{}", queue.chunks.len());
        queue.forget_while(|_| true);
        assert_eq!((queue.len(), queue.slots(), queue.chunks.len()), (0, 0, 0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(u16),
        Remove(u16),
        ForgetUntil(usize),
        TakeLine(u16),
        Mark(u16),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let one = 0..300_u16;
        let step = prop_oneof![
            8 => one.clone().prop_map(Step::Push),
            2 => one.clone().prop_map(Step::Remove),
            1 => (0..400_usize).prop_map(Step::ForgetUntil),
            1 => (0..3_u16).prop_map(Step::TakeLine),
            1 => one.prop_map(Step::Mark),
        ];
        prop::collection::vec(step, 0..6_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_a_list_in_which_each_fingerprint_stands_once(first in any::<u32>(), steps in steps()) {
            let mut queue = Queue { first, ..Queue::default() };
            // The same by hand: the time of its push is the order.
            let mut list: BTreeMap<i64, (u16, Message)> = BTreeMap::new();
            for (now, step) in steps.into_iter().enumerate() {
                let now = now as i64;
                match step {
                    Step::Push(n) => {
                        list.retain(|_, (known, _)| *known != n);
                        list.insert(now, (n, message(now)));
                        queue.push(print(n), message(now));
                    }
                    Step::Remove(n) => {
                        let known = list.iter().find(|(_, (known, _))| *known == n).map(|(at, _)| *at);
                        let gone = known.and_then(|at| list.remove(&at)).map(|(_, message)| message);
                        prop_assert_eq!(queue.remove(&print(n)), gone);
                    }
                    Step::ForgetUntil(ago) => {
                        let margin = now - ago as i64;
                        list.retain(|at, _| *at >= margin);
                        queue.forget_while(|message| message.at.0 < margin);
                    }
                    Step::TakeLine(line) => {
                        let mut taken = Vec::new();
                        queue.take_each(|message| message.line.0 == line, |print, message| taken.push((print, message)));
                        let gone: Vec<_> = list.extract_if(.., |_, (_, message)| message.line.0 == line).collect();
                        let gone: Vec<_> = gone.into_iter().map(|(_, (n, message))| (print(n), message)).collect();
                        prop_assert_eq!(taken, gone);
                    }
                    Step::Mark(n) => {
                        let marked = queue.get_mut(&print(n)).map(|message| message.session = 7).is_some();
                        let known = list.values_mut().find(|(known, _)| *known == n);
                        prop_assert_eq!(marked, known.map(|(_, message)| message.session = 7).is_some());
                    }
                }
                prop_assert_eq!(queue.len(), list.len());
                prop_assert!(queue.slots() >= queue.len());
            }
            for n in 0..300 {
                let known = list.values().find(|(known, _)| *known == n).map(|(_, message)| message);
                prop_assert_eq!(queue.get(&print(n)), known);
            }
        }
    }
}
