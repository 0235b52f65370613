//! Receipts: which reply each speaks of, what the receipts of a reply come to, and what is learned about the forms of a
//! carrier's ids and receipts.
//!
//! A receipt is a row of its own beside the settlement it speaks of, which it never changes. What the receipts of a reply
//! come to is appended as one more row, once: delivered, not delivered, or unknown when they did not come in time.

mod choose;
mod early;
mod group;
mod ids;
mod names;
mod reply;
pub(in crate::ledger) mod store;

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

pub(in crate::ledger) use group::{Heard, listen, names_replies, tend};
pub(crate) use ids::receipt_key;
pub(in crate::ledger) use ids::storable;
pub(in crate::ledger) use names::keep;

use crate::{
    board::CarrierBoard,
    clock::Micros,
    config::{IdForm, ReceiptRules, ReceiptsBy},
    message::{CarrierId, ReceiptForm},
};
use ids::Rule;

/// Ids that are remembered to see whether they come again while their replies are alive.
const RECENT: usize = 64;
/// An id that comes again within this names two replies at once, in seconds; later it is only used again.
const AT_ONCE_SECONDS: i64 = 3_600;
/// After so many ids of which none came again the carrier's ids say something again.
const CLEAN: u32 = 256;
/// Hits of one rule after which it is proposed as the carrier's setting.
const LEARNED: u64 = 50;
/// Receipts of one form after which it is shown as the carrier's.
const LEARNED_FORM: u64 = 10;
/// Ways that are told apart at most.
const WAYS: usize = 32;
/// How often replies whose receipts did not come are looked for, in seconds.
const TEND_SECONDS: i64 = 5;

/// What the writer knows about the carriers' receipts. Of one process; nothing is lost with it but what was learned.
#[derive(Default)]
pub(in crate::ledger) struct Memory {
    carriers: HashMap<CarrierId, Known>,
    tended: Option<Micros>,
}

struct Known {
    rules: ReceiptRules,
    board: Option<Arc<CarrierBoard>>,
    recent: VecDeque<(String, i64, Micros)>,
    unusable: bool,
    clean: u32,
    ids: Tally<Rule>,
    forms: Tally<ReceiptForm>,
}

/// How often each of a few ways was met.
struct Tally<T>(HashMap<T, u64>);

impl<T: Copy + Eq + Hash> Tally<T> {
    /// One more of this. `true` when it is to be told: it is the most frequent; now and then, not each time.
    fn hit(&mut self, way: T, every: u64) -> bool {
        if self.0.len() >= WAYS && !self.0.contains_key(&way) {
            return false;
        }
        let hits = self.0.entry(way).or_default();
        *hits += 1;
        let hits = *hits;
        hits.is_multiple_of(every) && self.0.iter().all(|(other, count)| *other == way || *count < hits)
    }
}

/// What a group met, told once the group is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum News {
    /// An oddity, by its name.
    Met(&'static str),
    /// A receipt of this form was matched by this rule.
    Hit(Rule, ReceiptForm),
}

impl Memory {
    /// Learns of a carrier.
    pub(in crate::ledger) fn add(&mut self, carrier: CarrierId, rules: ReceiptRules, board: Arc<CarrierBoard>) {
        self.carriers.insert(carrier, Known::new(rules, Some(board)));
    }

    fn of(&mut self, carrier: &CarrierId) -> &mut Known {
        if !self.carriers.contains_key(carrier) {
            self.carriers.insert(carrier.clone(), Known::new(ReceiptRules::OF_NOBODY, None));
        }
        self.carriers.entry(carrier.clone()).or_insert_with(|| Known::new(ReceiptRules::OF_NOBODY, None))
    }

    /// Whether it is time to look for replies whose receipts did not come.
    pub(in crate::ledger) fn is_due(&self, now: Micros) -> bool {
        self.tended.is_none_or(|at| now.since(at) >= TEND_SECONDS * 1_000_000 || now < at)
    }

    /// That was done; `full` when there is more of it.
    pub(in crate::ledger) fn tended(&mut self, now: Micros, full: bool) {
        self.tended = (!full).then_some(now);
    }

    /// Tells what a group met.
    pub(in crate::ledger) fn tell(&mut self, news: Vec<(CarrierId, News)>) {
        for (carrier, one) in news {
            let known = self.of(&carrier);
            match (one, &known.board) {
                (News::Met(trap), Some(board)) => board.count(None, trap),
                (News::Hit(rule, form), Some(board)) => {
                    if let Some(trap) = rule.trap() {
                        board.count(None, trap);
                    }
                    if known.rules.id_form == IdForm::Auto && known.ids.hit(rule, LEARNED) {
                        board.learned("id_form", rule.words().to_owned());
                    }
                    let may_learn = known.rules.by == ReceiptsBy::Auto && !form.is_unknown();
                    if may_learn && known.forms.hit(form, LEARNED_FORM) {
                        board.learned("receipt_form", form.to_string());
                    }
                }
                (News::Met(_) | News::Hit(..), None) => {}
            }
        }
    }
}

impl Known {
    fn new(rules: ReceiptRules, board: Option<Arc<CarrierBoard>>) -> Self {
        Self {
            rules,
            board,
            recent: VecDeque::new(),
            unusable: false,
            clean: 0,
            ids: Tally(HashMap::new()),
            forms: Tally(HashMap::new()),
        }
    }

    /// A response has named a reply by this id. An id that names two replies at once says nothing.
    fn named(&mut self, id: &str, exchange: i64, at: Micros) {
        let key = receipt_key(id);
        let again = self.recent.iter().any(|(other, of, when)| {
            *other == key && *of != exchange && at.since(*when).abs() < AT_ONCE_SECONDS * 1_000_000
        });
        self.recent.push_front((key, exchange, at));
        self.recent.truncate(RECENT);
        self.clean = if again { 0 } else { self.clean.saturating_add(1) };
        if again && !self.unusable {
            self.unusable = true;
            if let Some(board) = &self.board {
                board.count(None, "id_always_the_same");
                board.alarm(
                    "ids_unusable",
                    "it gives one message id to several messages; receipts are matched by destination and time. If this \
                     goes on, set id_form = \"unusable\" and tell the carrier",
                );
            }
        } else if self.unusable && self.clean >= CLEAN {
            self.unusable = false;
            if let Some(board) = &self.board {
                board.clear("ids_unusable");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn memory() -> (Memory, Arc<CarrierBoard>, CarrierId) {
        let id = CarrierId::parse("vtl").unwrap();
        let board = Arc::new(CarrierBoard::new(id.clone(), Vec::new(), Clock::fixed(Micros(0))));
        let mut memory = Memory::default();
        memory.add(id.clone(), ReceiptRules::OF_NOBODY, Arc::clone(&board));
        (memory, board, id)
    }

    #[test]
    fn t72_id_always_the_same() {
        let (mut memory, board, id) = memory();
        let known = memory.of(&id);
        known.named("x", 1, Micros(0));
        known.named("X", 1, Micros(1));
        assert!(!known.unusable, "two segments of one reply");
        known.named("x", 2, Micros(1).plus_seconds(AT_ONCE_SECONDS));
        assert!(!known.unusable, "used again later");
        known.named("x", 3, Micros(2).plus_seconds(AT_ONCE_SECONDS));
        assert!(known.unusable && board.alarmed("ids_unusable"));
        for n in 0..CLEAN {
            known.named(&n.to_string(), 10 + i64::from(n), Micros(0));
        }
        assert!(!known.unusable && !board.alarmed("ids_unusable"));
    }

    #[test]
    fn a_rule_that_found_fifty_receipts_is_proposed() {
        let (mut memory, board, id) = memory();
        let hit = |rule| vec![(id.clone(), News::Hit(rule, ReceiptForm::default()))];
        for _ in 1..LEARNED {
            memory.tell(hit(Rule::HexToDec));
        }
        let learned = |memory: &Memory| {
            let _ = memory;
            format!("{board:?}").contains("hex_to_dec")
        };
        assert!(!learned(&memory));
        memory.tell(hit(Rule::HexToDec));
        assert!(learned(&memory));
        assert_eq!(board.counted("id_base_differs"), LEARNED);
    }

    #[test]
    fn the_form_of_most_receipts_is_shown_unless_a_setting_says_it() {
        let by_parameters = ReceiptForm { parameters: true, ..ReceiptForm::default() };
        let by_list = ReceiptForm { list: true, ..ReceiptForm::default() };
        for (by, shown) in [(ReceiptsBy::Auto, true), (ReceiptsBy::Text, false)] {
            let (mut memory, board, id) = memory();
            memory.add(id.clone(), ReceiptRules { by, ..ReceiptRules::OF_NOBODY }, Arc::clone(&board));
            let mut hit = |form, times| {
                memory.tell(vec![(id.clone(), News::Hit(Rule::Exact, form)); times]);
                format!("{board:?}").contains("\"receipt_form\": \"parameters\"")
            };
            assert!(!hit(by_list, 9) && !hit(ReceiptForm::default(), 100) && !hit(by_parameters, 9));
            assert_eq!(hit(by_parameters, 1), shown, "{by:?}");
            assert_eq!(hit(by_list, 1), shown, "{by:?}: as many are not more");
        }
    }
}
