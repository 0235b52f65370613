//! Long texts whose parts are still coming. Each part is on disk before it is acknowledged; what stands here is only
//! the desk's view of those rows.

use std::collections::{HashMap, btree_map};

use super::{
    Inbound,
    closed::Closed,
    open::Open,
    part::{Head, Held},
    read_text, wire,
};
use crate::{
    clock::Micros,
    config::Carrier,
    ledger::{OpenPart, Token},
    message::{LineNo, Octets, RowKey, Sender},
    sms::Piece,
};

/// The open texts of one desk.
pub struct OpenTexts {
    pub(super) open: HashMap<Token, Open>,
    /// Rows on their way to the disk, and whose text they belong to.
    pub(super) under_way: HashMap<RowKey, Token>,
    limit: usize,
    /// Octets of all parts held.
    pub(super) octets: usize,
    closed: Closed,
    /// Where the next look at other instances goes on.
    pub(super) looked_at: usize,
}

/// A part with other octets in a place that is taken begins another text when none came for this long, in seconds.
const ANOTHER_SECONDS: i64 = 60;

/// Octets of open texts at most, whoever sends how much in a part.
const OCTETS: usize = 32 * 1024 * 1024;

impl OpenTexts {
    /// At most `limit` texts.
    pub fn new(limit: usize) -> Self {
        let (open, under_way, closed) = (HashMap::new(), HashMap::new(), Closed::new(limit));
        Self { open, under_way, limit, octets: 0, closed, looked_at: 0 }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether a part must come later: it would open a text too many, there is no room for what it says, or its text is
    /// being closed without it.
    pub(super) fn full(&self, set: &Token) -> bool {
        if self.octets >= OCTETS {
            return true;
        }
        match self.open.get(set) {
            Some(open) => open.closing.is_some(),
            None => self.open.len() >= self.limit,
        }
    }

    /// The row that holds this place already: the part, or the exchange that is using it up.
    pub(super) fn holds(&self, set: &Token, index: u8) -> Option<RowKey> {
        let open = self.open.get(set)?;
        let held = open.parts.get(&index)?;
        Some(open.closing.unwrap_or(held.key))
    }

    /// The exchange of a text that was closed of late and had this part a moment ago, under the same reference.
    pub(super) fn closed(&mut self, set: &Token, print: &Token, now: Micros) -> Option<RowKey> {
        if self.open.contains_key(set) { None } else { self.closed.had(set, print, now) }
    }

    /// Whether a part is that of another text than the open one of its reference: its place is taken by other octets, and
    /// no part of that has come for a while.
    pub(super) fn is_another(&self, set: &Token, index: u8, print: &Token, now: Micros) -> bool {
        let Some(open) = self.open.get(set).filter(|open| open.closing.is_none()) else { return false };
        let newest = open.parts.values().map(|part| part.received_at).max().unwrap_or_default();
        let other = open.parts.get(&index).is_some_and(|held| held.fingerprint != *print);
        other && now.since(newest) > ANOTHER_SECONDS * 1_000_000
    }

    /// Gives up a text because another one took over its reference, under which that one can begin at once.
    pub(super) fn supersede(&mut self, set: &Token, key: RowKey) -> Option<Inbound> {
        let open = self.open.remove(set)?;
        let mut apart = *set;
        for (octet, of_key) in apart.iter_mut().zip(key.0.to_be_bytes()) {
            *octet ^= of_key;
        }
        for under_way in self.under_way.values_mut().filter(|under_way| *under_way == set) {
            *under_way = apart;
        }
        let open = self.open.entry(apart).or_insert(open);
        open.head.expires_at = Micros(0);
        let given_up = open.give_up(key);
        self.under_way.insert(key, apart);
        Some(given_up)
    }

    /// The stored parts that an exchange on its way to the disk uses up: fingerprint and row.
    pub(super) fn used_by(&self, exchange: RowKey) -> Vec<(Token, RowKey)> {
        let open = self.under_way.get(&exchange).and_then(|set| self.open.get(set));
        let parts = open.filter(|open| open.closing == Some(exchange)).into_iter().flat_map(|open| open.parts.values());
        parts.filter(|part| part.key != exchange).map(|part| (part.fingerprint, part.key)).collect()
    }

    /// Whether one more part makes the text whole.
    pub(super) fn would_complete(&self, set: &Token, total: u8) -> bool {
        self.open.get(set).is_some_and(|open| open.parts.len() + 1 >= usize::from(total) && open.closing.is_none())
    }

    /// Holds a part that is on its way to the disk.
    pub(super) fn hold(&mut self, set: Token, head: Head, held: Held) {
        self.under_way.insert(held.key, set);
        let open = self.open.entry(set).or_insert_with(|| Open::new(head));
        self.octets += held.weight();
        if let Some(replaced) = open.parts.insert(held.index, held) {
            self.octets -= replaced.weight();
        }
    }

    /// Makes the whole text from the parts held and the last one, whose key becomes the exchange's.
    pub(super) fn complete(&mut self, set: Token, head: Head, held: Held, sender: Sender) -> Inbound {
        let (key, index, line) = (held.key, held.index, head.line);
        self.under_way.insert(key, set);
        let open = self.open.entry(set).or_insert_with(|| Open::new(head));
        open.closing = Some(key);
        open.head.line = line;
        let consumes = open.rows();
        let received_at = open.parts.values().map(|part| part.received_at).chain([held.received_at]).min();
        self.octets += held.weight();
        open.parts.insert(index, held);
        let bodies: Vec<Piece<'_>> = open.parts.values().map(Held::piece).collect();
        let text = read_text(&bodies, open.head.codings);
        open.inbound(key, sender, text, consumes, received_at.unwrap_or_default())
    }

    /// Gives up texts whose time has passed, at most `limit`, and ends those that parts from the ledger made whole; but for
    /// those that another instance brings to their end. `key` allots keys.
    pub(super) fn overdue(&mut self, now: Micros, limit: usize, mut key: impl FnMut() -> RowKey) -> Vec<Inbound> {
        let on_disk = |set: &Token| !self.under_way.values().any(|own| own == set);
        let over = |set, open: &Open| open.head.expires_at <= now || (open.is_whole() && on_disk(set));
        let due =
            self.open.iter().filter(|(set, open)| open.closing.is_none() && over(set, open) && !open.is_anothers());
        let due: Vec<Token> = due.map(|(set, _)| *set).take(limit).collect();
        let mut given_up = Vec::with_capacity(due.len());
        for set in due {
            let Some(open) = self.open.get_mut(&set) else { continue };
            let key = key();
            self.under_way.insert(key, set);
            given_up.push(open.give_up(key));
        }
        given_up
    }

    /// A row is on disk: a part stays, an exchange closes its text.
    pub(super) fn stored(&mut self, key: RowKey) {
        let Some(set) = self.under_way.remove(&key) else { return };
        if self.open.get(&set).is_some_and(|open| open.closing == Some(key))
            && let Some(closed) = self.open.remove(&set)
        {
            self.octets -= closed.parts.values().map(Held::weight).sum::<usize>();
            let parts = closed.parts.values().map(|part| (part.fingerprint, part.received_at)).collect();
            self.closed.add(set, key, parts);
        }
    }

    /// A row was not stored: its part is not held any more, and a text it would have closed is open again.
    pub(super) fn not_stored(&mut self, key: RowKey) {
        let Some(set) = self.under_way.remove(&key) else { return };
        let Some(open) = self.open.get_mut(&set) else { return };
        if open.closing == Some(key) {
            open.closing = None;
        }
        let gone = open.parts.extract_if(.., |_, part| part.key == key);
        self.octets -= gone.map(|(_, part)| part.weight()).sum::<usize>();
        if open.parts.is_empty() {
            self.open.remove(&set);
        }
    }

    /// Puts back a part that was found in the ledger.
    pub(super) fn restore(&mut self, part: OpenPart, carrier: &Carrier) {
        let Some((source, short_code, form, body)) = wire::read(&part.content) else {
            tracing::error!(row = part.key.0, "A stored part of a text cannot be read and is left out");
            return;
        };
        let head = Head {
            carrier: part.carrier,
            line: LineNo(part.line),
            source,
            short_code,
            reference: part.reference,
            expires_at: part.received_at.plus_seconds(super::seconds(carrier.parts_window)),
            codings: carrier.line.codings,
        };
        let held = Held {
            key: part.key,
            index: part.index,
            data_coding: part.data_coding,
            form,
            body: Octets(body),
            fingerprint: part.fingerprint,
            received_at: part.received_at,
        };
        let open = self.open.entry(part.set_token).or_insert_with(|| Open::new(head));
        open.total = Some(part.total);
        open.foreign.retain(|key| *key != part.key);
        if open.rows().contains(&part.key) {
            return;
        }
        // The place may be taken: the SMSC brought it to two instances.
        match open.parts.entry(part.index) {
            btree_map::Entry::Occupied(_) => open.doubled.push(held.key),
            btree_map::Entry::Vacant(place) => {
                self.octets += held.weight();
                place.insert(held);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;
    use crate::{
        config::Codings,
        message::{CarrierId, RawAddress, ShortCode},
        sms::Form,
    };

    const SET: Token = [1; 16];

    fn head() -> Head {
        Head {
            carrier: CarrierId::parse("vtl").unwrap(),
            line: LineNo(0),
            source: RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() },
            short_code: ShortCode::parse("9999").unwrap(),
            reference: 7,
            expires_at: Micros(1_000),
            codings: Codings::default(),
        }
    }

    fn held(key: i64, index: u8, body: &[u8]) -> Held {
        let body = Octets(body.to_vec());
        let form = Form::default();
        Held { key: RowKey(key), index, data_coding: 0, form, body, fingerprint: [index; 16], received_at: Micros(key) }
    }

    fn text(inbound: &Inbound) -> &str {
        match &inbound.text {
            Text::Read(text) => text.expose(),
            Text::NotText | Text::PartMissing => "",
        }
    }

    #[test]
    fn parts_out_of_order_become_one_text_that_uses_up_the_stored_ones() {
        let mut texts = OpenTexts::new(9);
        texts.hold(SET, head(), held(1, 3, b"C"));
        texts.hold(SET, head(), held(2, 1, b"A"));
        assert_eq!((texts.would_complete(&SET, 3), texts.holds(&SET, 1)), (true, Some(RowKey(2))));
        let last = Head { line: LineNo(1), ..head() };
        let whole = texts.complete(SET, last, held(3, 2, b"B"), Sender::NotAPhone);
        assert_eq!(
            (whole.line, texts.holds(&SET, 1)),
            (LineNo(1), Some(RowKey(3))),
            "the exchange stands for its parts"
        );
        assert_eq!(texts.used_by(RowKey(3)).len(), 2);
        assert_eq!((text(&whole), whole.key, whole.consumes.len(), whole.parts), ("ABC", RowKey(3), 2, 3));
        assert_eq!(whole.received_at, Micros(1));
        texts.stored(RowKey(3));
        assert!(texts.is_empty());
    }

    #[test]
    fn a_completing_part_that_was_not_stored_leaves_the_text_open() {
        let mut texts = OpenTexts::new(9);
        texts.hold(SET, head(), held(1, 1, b"A"));
        texts.stored(RowKey(1));
        let _ = texts.complete(SET, head(), held(2, 2, b"B"), Sender::NotAPhone);
        texts.not_stored(RowKey(2));
        assert!(texts.would_complete(&SET, 2) && texts.holds(&SET, 2).is_none());
        let again = texts.complete(SET, head(), held(3, 2, b"B"), Sender::NotAPhone);
        assert_eq!(text(&again), "AB");
    }

    #[test]
    fn what_does_not_come_in_time_is_given_up_once() {
        let mut texts = OpenTexts::new(9);
        texts.hold(SET, head(), held(1, 1, b"A"));
        assert!(texts.overdue(Micros(999), 9, || RowKey(5)).is_empty());
        let given_up = texts.overdue(Micros(1_000), 9, || RowKey(5));
        assert!(matches!(given_up[0].text, Text::PartMissing));
        assert_eq!((given_up.len(), given_up[0].consumes.as_slice()), (1, [RowKey(1)].as_slice()));
        assert!(texts.overdue(Micros(1_001), 9, || RowKey(6)).is_empty());
        assert!(texts.full(&SET) && texts.holds(&SET, 2).is_none(), "a part that comes now must come again");
        texts.stored(RowKey(5));
        assert!(texts.is_empty());
    }

    #[test]
    fn texts_that_run_out_together_are_given_up_a_few_at_a_time() {
        let mut texts = OpenTexts::new(9);
        for n in 1..=5 {
            texts.hold([n; 16], head(), held(n.into(), 1, b"A"));
        }
        let mut key = 5;
        let mut next = |limit| {
            let given_up = texts.overdue(Micros(1_000), limit, || {
                key += 1;
                RowKey(key)
            });
            given_up.len()
        };
        assert_eq!([next(2), next(2), next(2), next(2)], [2, 2, 1, 0]);
    }

    #[test]
    fn t121_set_table_full() {
        let mut texts = OpenTexts::new(1);
        texts.hold(SET, head(), held(1, 1, b"A"));
        assert!(texts.full(&[2; 16]) && !texts.full(&SET));
    }

    #[test]
    fn the_octets_of_open_texts_are_bounded_and_given_back() {
        let mut texts = OpenTexts::new(9);
        let body = vec![b'x'; OCTETS / 2];
        texts.hold(SET, head(), held(1, 1, &body));
        texts.hold(SET, head(), held(1, 1, &body));
        assert!(!texts.full(&SET), "what is replaced counts no more");
        texts.hold([2; 16], head(), held(2, 1, &body));
        assert!(texts.full(&SET) && texts.full(&[3; 16]));
        texts.not_stored(RowKey(2));
        assert!(!texts.full(&SET));
        let _ = texts.complete(SET, head(), held(3, 2, &body), Sender::NotAPhone);
        assert!(texts.full(&[3; 16]));
        texts.stored(RowKey(3));
        assert_eq!((texts.octets, texts.len()), (0, 0));
    }
}
