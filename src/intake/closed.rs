//! Long texts that are whole, or were given up, and whose parts may be sent once more on a healthy line: such a part is no
//! beginning of another text.

use std::collections::{HashMap, VecDeque};

use crate::{clock::Micros, ledger::Token, message::RowKey};

struct Text {
    exchange: RowKey,
    prints: Vec<Token>,
    until: Micros,
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

    /// A text was closed by an exchange.
    pub(super) fn add(&mut self, set: Token, exchange: RowKey, prints: Vec<Token>, until: Micros) {
        self.parts += prints.len();
        self.order.push_back((set, exchange, prints.len()));
        self.texts.insert(set, Text { exchange, prints, until });
        while self.order.len() > self.limit || self.parts > self.limit * PARTS {
            let Some((oldest, key, parts)) = self.order.pop_front() else { break };
            self.parts -= parts;
            if self.texts.get(&oldest).is_some_and(|text| text.exchange == key) {
                self.texts.remove(&oldest);
            }
        }
    }

    /// The exchange of the text that was closed under this reference, if it had this part.
    pub(super) fn had(&self, set: &Token, print: &Token, now: Micros) -> Option<RowKey> {
        let text = self.texts.get(set).filter(|text| text.until >= now)?;
        text.prints.contains(print).then_some(text.exchange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_parts_of_a_text_closed_of_late_are_known_and_only_so_many() {
        let mut closed = Closed::new(2);
        closed.add([1; 16], RowKey(1), vec![[7; 16]], Micros(10));
        assert_eq!(closed.had(&[1; 16], &[7; 16], Micros(10)), Some(RowKey(1)));
        assert_eq!(closed.had(&[1; 16], &[8; 16], Micros(10)), None);
        assert_eq!(closed.had(&[1; 16], &[7; 16], Micros(11)), None);
        closed.add([1; 16], RowKey(2), vec![[8; 16]], Micros(20));
        closed.add([2; 16], RowKey(3), vec![[9; 16]], Micros(20));
        assert_eq!(closed.had(&[1; 16], &[8; 16], Micros(20)), Some(RowKey(2)));
        closed.add([3; 16], RowKey(4), vec![[9; 16]], Micros(20));
        assert_eq!(closed.had(&[1; 16], &[8; 16], Micros(20)), None);
    }
}
