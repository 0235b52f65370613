//! Long texts that are whole, or were given up. A part of one that comes once more soon after itself, on a healthy line, is
//! that part sent twice, and no beginning of another text; later it begins the same text asked anew, which many phones
//! send under the same reference.

use std::collections::{HashMap, VecDeque};

use crate::{clock::Micros, ledger::Token, message::RowKey};

/// A part is sent twice for so long after it came, in seconds: a phone that hears nothing of a part it has sent waits less
/// than this before it sends it again.
const TWICE_SECONDS: i64 = 60;

/// The parts of a text that is sent twice come so close together, in seconds: what begins in time is not cut in two.
const TOGETHER_SECONDS: i64 = 10;

struct Text {
    exchange: RowKey,
    /// Fingerprint, and when it came.
    parts: Vec<(Token, Micros)>,
    /// When a part was last sent twice in its time.
    again_at: Option<Micros>,
}

/// The texts of one desk that were closed of late.
pub(super) struct Closed {
    texts: HashMap<Token, Text>,
    order: VecDeque<(Token, RowKey, usize)>,
    limit: usize,
    /// Parts of all texts.
    parts: usize,
}

/// Parts that a text has on average when the memory is full.
const PARTS: usize = 4;

impl Closed {
    /// At most `limit` texts; the oldest are forgotten first.
    pub(super) fn new(limit: usize) -> Self {
        Self { texts: HashMap::new(), order: VecDeque::new(), limit, parts: 0 }
    }

    /// A text was closed by an exchange. Its parts: fingerprint, and when it came.
    pub(super) fn add(&mut self, set: Token, exchange: RowKey, parts: Vec<(Token, Micros)>) {
        self.parts += parts.len();
        self.order.push_back((set, exchange, parts.len()));
        self.texts.insert(set, Text { exchange, parts, again_at: None });
        while self.order.len() > self.limit || self.parts > self.limit * PARTS {
            let Some((oldest, key, parts)) = self.order.pop_front() else { break };
            self.parts -= parts;
            if self.texts.get(&oldest).is_some_and(|text| text.exchange == key) {
                self.texts.remove(&oldest);
            }
        }
    }

    /// The exchange of the text that was closed under this reference, if this is a part of it that came a moment ago.
    pub(super) fn had(&mut self, set: &Token, print: &Token, now: Micros) -> Option<RowKey> {
        let text = self.texts.get_mut(set)?;
        let (_, came) = text.parts.iter().find(|(known, _)| known == print)?;
        if within(*came, now, TWICE_SECONDS) {
            text.again_at = Some(now);
            return Some(text.exchange);
        }
        text.again_at.is_some_and(|at| within(at, now, TOGETHER_SECONDS)).then_some(text.exchange)
    }
}

fn within(since: Micros, now: Micros, seconds: i64) -> bool {
    now.since(since) <= seconds * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Token = [1; 16];

    fn at(seconds: i64) -> Micros {
        Micros(0).plus_seconds(seconds)
    }

    /// A text of two parts that came at these seconds.
    fn closed(first: i64, second: i64) -> Closed {
        let mut closed = Closed::new(9);
        closed.add(SET, RowKey(1), vec![([1; 16], at(first)), ([2; 16], at(second))]);
        closed
    }

    /// Whether parts are taken for the text's own, sent twice: part, second.
    fn own(closed: &mut Closed, parts: &[(u8, i64)]) -> Vec<bool> {
        parts.iter().map(|(part, second)| closed.had(&SET, &[*part; 16], at(*second)).is_some()).collect()
    }

    #[test]
    fn a_part_is_sent_twice_for_a_minute_after_it_came_and_asked_anew_later() {
        assert_eq!(own(&mut closed(0, 40), &[(1, 60)]), [true]);
        assert_eq!(own(&mut closed(0, 40), &[(1, 61)]), [false], "whatever the others did");
        assert_eq!(own(&mut closed(0, 40), &[(2, 100)]), [true]);
        assert_eq!(own(&mut closed(0, 40), &[(2, 101), (3, 41)]), [false, false]);
        // A text whose parts did not all come in time is sent anew by the citizen who was asked to.
        assert_eq!(own(&mut closed(0, 300), &[(1, 605), (2, 606)]), [false, false]);
    }

    #[test]
    fn a_text_that_is_sent_twice_is_not_cut_in_two_and_a_part_long_before_keeps_none_of_it() {
        assert_eq!(own(&mut closed(0, 2), &[(1, 60), (2, 64)]), [true, true]);
        assert_eq!(own(&mut closed(0, 2), &[(2, 30), (1, 70), (2, 72)]), [true, false, false]);
        // What is let through for that lets nothing more through.
        assert_eq!(own(&mut closed(0, 2), &[(1, 60), (2, 69), (1, 71), (2, 79)]), [true, true, false, false]);
    }

    #[test]
    fn only_so_many_texts_are_known_and_of_one_reference_the_last() {
        let mut closed = Closed::new(2);
        let part = |print: u8| vec![([print; 16], at(0))];
        closed.add(SET, RowKey(1), part(7));
        assert_eq!(closed.had(&SET, &[7; 16], at(1)), Some(RowKey(1)));
        closed.add(SET, RowKey(2), part(8));
        closed.add([2; 16], RowKey(3), part(9));
        assert_eq!(closed.had(&SET, &[7; 16], at(1)), None);
        assert_eq!(closed.had(&SET, &[8; 16], at(1)), Some(RowKey(2)));
        closed.add([3; 16], RowKey(4), part(9));
        assert_eq!(closed.had(&SET, &[8; 16], at(1)), None);
    }
}
