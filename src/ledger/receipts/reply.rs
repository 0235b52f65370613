//! What the receipts of one reply come to: a letter for each segment, and a result once they decide.

use crate::{
    clock::Micros,
    config::ReceiptSegments,
    ledger::{Token, row::SettlementResult},
    message::{ReceiptState, Stream},
};

/// A segment whose receipt is awaited.
pub(super) const AWAITED: u8 = b'.';
/// A segment whose receipt is awaited although no id of it is known.
pub(super) const NAMELESS: u8 = b'?';
/// A segment that the carrier did not take.
pub(super) const NOT_TAKEN: u8 = b'-';

/// A reply whose receipts are awaited, or were.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) stream: Stream,
    pub(super) line: Option<i64>,
    /// When it was settled.
    pub(super) at: Micros,
    /// Token of the citizen's number.
    pub(super) destination: Option<Token>,
    /// A letter for each segment.
    pub(super) segments: Vec<u8>,
    /// What they come to; a word of [`SettlementResult`].
    pub(super) result: Option<String>,
    /// It is not as the database has it.
    pub(super) changed: bool,
}

/// What a receipt does to its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It says what is known.
    Twice,
    /// Its segment had its end already: it is noted, and changes nothing.
    AfterFinal,
    /// It says less than what is known: noted, and nothing changes.
    Behind,
    /// Its segment moved on.
    Moved,
    /// And with it the reply has its end.
    Ended(SettlementResult),
}

/// The letter of what a receipt says. What says only how far it is has no final letter.
pub(super) fn letter(state: ReceiptState, intermediate: bool, accepted_is_delivered: bool) -> u8 {
    match state {
        ReceiptState::Accepted if accepted_is_delivered && !intermediate => b'D',
        ReceiptState::Accepted => b'A',
        ReceiptState::Delivered if !intermediate => b'D',
        ReceiptState::Failed if !intermediate => b'F',
        ReceiptState::Delivered | ReceiptState::Failed | ReceiptState::InHand => b'H',
        ReceiptState::Unknown => b'U',
    }
}

/// How far a letter is. Segments only move forward.
fn rank(letter: u8) -> u8 {
    match letter {
        b'D' | b'F' => 3,
        b'A' | b'U' => 2,
        b'H' => 1,
        _ => 0,
    }
}

impl Reply {
    /// Whether its end is not known: neither that of all nor, when one is named, that of its segment.
    pub(super) fn is_open(&self, segment: Option<usize>) -> bool {
        let known = segment.and_then(|at| self.segments.get(at)).is_some_and(|letter| rank(*letter) == 3);
        !known && self.result.as_deref().is_none_or(|result| result == SettlementResult::Unknown.as_str())
    }

    /// The first of its segments that has no end; one without an id before the others.
    pub(super) fn first_open(&self) -> usize {
        let find = |wanted: fn(u8) -> bool| self.segments.iter().position(|letter| wanted(*letter));
        let nameless = find(|letter| letter == NAMELESS);
        nameless.or_else(|| find(|letter| letter != NOT_TAKEN && rank(letter) < 3)).unwrap_or(0)
    }

    /// Whether a segment was sent under no id that is known.
    pub(super) fn is_nameless(&self) -> bool {
        self.segments.contains(&NAMELESS)
    }

    /// Takes what a receipt says about a segment.
    pub(super) fn take(&mut self, segment: usize, letter: u8, rule: ReceiptSegments) -> Effect {
        let Some(before) = self.segments.get_mut(segment) else { return Effect::Behind };
        if *before == letter {
            return Effect::Twice;
        }
        if rank(*before) == 3 {
            return Effect::AfterFinal;
        }
        if rank(letter) < rank(*before) {
            return Effect::Behind;
        }
        *before = letter;
        self.changed = true;
        if !self.is_open(None) {
            return Effect::Moved;
        }
        match self.derived(rule) {
            Some(result) => {
                self.result = Some(result.as_str().to_owned());
                Effect::Ended(result)
            }
            None => Effect::Moved,
        }
    }

    fn derived(&self, rule: ReceiptSegments) -> Option<SettlementResult> {
        let has = |wanted: u8| self.segments.contains(&wanted);
        let all = self.segments.iter().filter(|letter| **letter != NOT_TAKEN).all(|letter| *letter == b'D');
        match rule {
            _ if has(b'F') => Some(SettlementResult::Undelivered),
            ReceiptSegments::All if all => Some(SettlementResult::Delivered),
            ReceiptSegments::One if has(b'D') => Some(SettlementResult::Delivered),
            ReceiptSegments::All | ReceiptSegments::One => None,
        }
    }

    /// How many segments were taken, and how many are delivered.
    pub(super) fn counts(&self) -> (usize, usize) {
        let count = |wanted: fn(u8) -> bool| self.segments.iter().filter(|letter| wanted(**letter)).count();
        (count(|letter| letter != NOT_TAKEN), count(|letter| letter == b'D'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(segments: &str) -> Reply {
        Reply {
            stream: Stream::Test,
            line: None,
            at: Micros(0),
            destination: None,
            segments: segments.as_bytes().to_vec(),
            result: None,
            changed: false,
        }
    }

    /// What receipts, as (segment, letter), do one after the other.
    fn effects(segments: &str, rule: ReceiptSegments, receipts: &[(usize, u8)]) -> (Vec<Effect>, String) {
        let mut reply = reply(segments);
        let effects = receipts.iter().map(|(at, letter)| reply.take(*at, *letter, rule)).collect();
        (effects, String::from_utf8(reply.segments).unwrap())
    }

    #[test]
    fn a_reply_is_delivered_when_all_its_segments_are_and_failed_when_one_is() {
        use Effect::{AfterFinal, Behind, Ended, Moved, Twice};
        let (delivered, failed) = (Ended(SettlementResult::Delivered), Ended(SettlementResult::Undelivered));
        for (segments, rule, receipts, expected, left) in [
            (".", ReceiptSegments::All, &[(0, b'D')][..], &[delivered][..], "D"),
            ("..", ReceiptSegments::All, &[(1, b'D'), (0, b'D')], &[Moved, delivered], "DD"),
            ("..-", ReceiptSegments::All, &[(1, b'D'), (0, b'D')], &[Moved, delivered], "DD-"),
            ("..", ReceiptSegments::All, &[(1, b'F'), (0, b'D')], &[failed, Moved], "DF"),
            ("..", ReceiptSegments::One, &[(1, b'D'), (0, b'F')], &[delivered, Moved], "FD"),
            (".", ReceiptSegments::All, &[(0, b'D'), (0, b'D'), (0, b'F')], &[delivered, Twice, AfterFinal], "D"),
            (".", ReceiptSegments::All, &[(0, b'F'), (0, b'D')], &[failed, AfterFinal], "F"),
            (".", ReceiptSegments::All, &[(0, b'U'), (0, b'H'), (0, b'D')], &[Moved, Behind, delivered], "D"),
            (".", ReceiptSegments::All, &[(0, b'D'), (0, b'H'), (7, b'D')], &[delivered, AfterFinal, Behind], "D"),
        ] {
            assert_eq!(effects(segments, rule, receipts), (expected.to_vec(), left.to_owned()), "{segments}");
        }
    }

    #[test]
    fn what_was_unknown_for_too_long_may_still_be_told() {
        let mut reply = Reply { result: Some("UNKNOWN".to_owned()), ..reply(".") };
        assert_eq!(reply.take(0, b'D', ReceiptSegments::All), Effect::Ended(SettlementResult::Delivered));
        assert_eq!((reply.counts(), reply.is_open(None)), ((1, 1), false));
    }

    #[test]
    fn an_intermediate_word_is_never_the_last() {
        assert_eq!(letter(ReceiptState::Delivered, true, false), b'H');
        assert_eq!(letter(ReceiptState::Accepted, false, false), b'A');
        assert_eq!(letter(ReceiptState::Accepted, false, true), b'D');
        assert_eq!(reply("?.").first_open(), 0);
        assert_eq!(reply("D-.").first_open(), 2);
    }
}
