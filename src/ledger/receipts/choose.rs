//! Which reply a receipt speaks of. Never a guess: what fits several replies is nobody's, unless one of them is the
//! newest under an id that its carrier uses again.

use std::collections::HashMap;

use super::{
    ids::{Rule, receipt_key, rules},
    reply::Reply,
};
use crate::{clock::Micros, config::IdForm, ledger::Token};

/// Two replies to one phone that were sent this close to each other cannot be told apart without ids, in seconds.
const TOO_CLOSE_SECONDS: i64 = 600;

/// A reply that got no id is matched by its destination for this long, in seconds.
const NAMELESS_SECONDS: i64 = 24 * 3_600;

/// A name under which a reply was found.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// As the response had it; empty for one that was found by its destination.
    pub(super) raw: String,
    pub(super) exchange: i64,
    pub(super) segment: usize,
}

/// The names that were looked up together, by the form in which they were.
#[derive(Default)]
pub(super) struct Names(HashMap<String, Vec<Name>>);

impl Names {
    /// Adds one, as the response had it.
    pub(super) fn add(&mut self, name: Name) {
        self.0.entry(receipt_key(&name.raw)).or_default().push(name);
    }

    /// Those that one of these forms looks up: a receipt is compared with them alone, however many come together.
    pub(super) fn of(&self, keys: &[String]) -> Vec<&Name> {
        keys.iter().filter_map(|key| self.0.get(key)).flatten().collect()
    }
}

/// What a receipt asks for.
pub(super) struct Asked<'a> {
    /// Its ids, the first first.
    pub(super) ids: &'a [&'a str],
    /// Token of whom it names as the message's receiver.
    pub(super) destination: Option<Token>,
    pub(super) form: IdForm,
    /// The carrier's ids turned out to say nothing.
    pub(super) unusable: bool,
    /// When it came.
    pub(super) at: Micros,
    /// Replies without an end are looked for so far back, in seconds.
    pub(super) awaited_seconds: i64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) exchange: i64,
    pub(super) segment: usize,
    pub(super) rule: Rule,
    /// The id belonged to an earlier reply, too.
    pub(super) reused: bool,
}

/// Finds the reply that a receipt speaks of.
pub(super) fn choose(asked: &Asked<'_>, names: &[&Name], replies: &HashMap<i64, Reply>) -> Option<Found> {
    if asked.unusable || asked.form == IdForm::Unusable {
        return by_destination(asked, asked.awaited_seconds, replies, |_| true);
    }
    for id in asked.ids.iter().filter(|id| !id.is_empty()) {
        for step in rules(asked.form) {
            let rule_of = |name: &Name| step.iter().copied().find(|rule| rule.fits(&name.raw, id));
            let hits: Vec<(&Name, Rule)> = names
                .iter()
                .copied()
                .filter(|name| !name.raw.is_empty() && replies.contains_key(&name.exchange))
                .filter_map(|name| Some((name, rule_of(name)?)))
                .collect();
            if let Some(found) = the_one(asked, &hits, replies) {
                return Some(found);
            }
        }
    }
    by_destination(asked, NAMELESS_SECONDS, replies, Reply::is_nameless)
}

/// The only reply among those that a rule found, or the newest that is open under an id used again.
fn the_one(asked: &Asked<'_>, hits: &[(&Name, Rule)], replies: &HashMap<i64, Reply>) -> Option<Found> {
    let fits = |(name, _): &&(&Name, Rule)| {
        asked.destination.is_some() && replies[&name.exchange].destination == asked.destination
    };
    let own: Vec<_> = hits.iter().filter(fits).copied().collect();
    let hits = if own.is_empty() { hits } else { &own };
    let (first, _) = hits.first()?;
    if hits.iter().any(|(name, _)| name.raw != first.raw) {
        return None;
    }
    let newest = |(name, _): &&(&Name, Rule)| {
        let reply = &replies[&name.exchange];
        (reply.is_open(Some(name.segment)), reply.at, name.exchange, std::cmp::Reverse(name.segment))
    };
    let (name, rule) = hits.iter().max_by_key(newest)?;
    let reused = hits.iter().any(|(other, _)| other.exchange != name.exchange);
    Some(Found { exchange: name.exchange, segment: name.segment, rule: *rule, reused })
}

fn by_destination(
    asked: &Asked<'_>,
    seconds: i64,
    replies: &HashMap<i64, Reply>,
    wanted: impl Fn(&Reply) -> bool,
) -> Option<Found> {
    let destination = asked.destination?;
    let since = asked.at.plus_seconds(-seconds);
    let mut fitting: Vec<(Micros, i64)> = replies
        .iter()
        .filter(|(_, reply)| reply.destination == Some(destination) && reply.at >= since)
        .filter(|(_, reply)| reply.is_open(None) && wanted(reply))
        .map(|(exchange, reply)| (reply.at, *exchange))
        .collect();
    fitting.sort_unstable();
    let (at, exchange) = fitting.pop()?;
    if fitting.last().is_some_and(|(before, _)| *before >= at.plus_seconds(-TOO_CLOSE_SECONDS)) {
        return None;
    }
    let segment = replies.get(&exchange).map_or(0, Reply::first_open);
    Some(Found { exchange, segment, rule: Rule::Destination, reused: false })
}

#[cfg(test)]
mod tests {
    use super::{super::ids::keys, *};
    use crate::message::Stream;

    const DAY: i64 = 24 * 3_600;
    const A: Token = [1; 16];
    const B: Token = [2; 16];

    /// A reply: its exchange, whom it went to, how many seconds ago, its segments.
    type Row<'a> = (i64, Token, i64, &'a str);

    fn replies(rows: &[Row]) -> HashMap<i64, Reply> {
        let reply = |(key, to, ago, segments): &Row| {
            let done = segments.bytes().all(|letter| letter == b'D');
            let reply = Reply {
                stream: Stream::Test,
                line: None,
                at: Micros(0).plus_seconds(-ago),
                destination: Some(*to),
                segments: segments.as_bytes().to_vec(),
                result: done.then(|| "DELIVERED".to_owned()),
                changed: false,
            };
            (*key, reply)
        };
        rows.iter().map(reply).collect()
    }

    fn found(
        form: IdForm,
        ids: &[&str],
        to: Option<Token>,
        names: &[(&str, i64)],
        rows: &[Row],
    ) -> Option<(i64, Rule)> {
        let asked = Asked { ids, destination: to, form, unusable: false, at: Micros(0), awaited_seconds: 3 * DAY };
        let name = |(raw, exchange): &(&str, i64)| Name { raw: (*raw).to_owned(), exchange: *exchange, segment: 0 };
        let names: Vec<Name> = names.iter().map(name).collect();
        choose(&asked, &names.iter().collect::<Vec<_>>(), &replies(rows)).map(|found| (found.exchange, found.rule))
    }

    #[test]
    fn a_receipt_is_compared_with_the_names_that_it_looks_up_and_no_others() {
        let mut names = Names::default();
        for (raw, exchange) in [("0FA1", 1), ("4001", 2), ("77", 3), ("77", 4)] {
            names.add(Name { raw: raw.to_owned(), exchange, segment: 0 });
        }
        let of = |id: &str| {
            let mut found: Vec<i64> = names.of(&keys(id)).iter().map(|name| name.exchange).collect();
            found.sort_unstable();
            found
        };
        assert_eq!([of("4001"), of("00077"), of("78")], [vec![1, 2], vec![3, 4], vec![]]);
    }

    #[test]
    fn t73_id_reused() {
        let names = [("7", 1), ("7", 2)];
        let auto = |to, rows: &[Row]| found(IdForm::Auto, &["7"], to, &names, rows).map(|(key, _)| key);
        assert_eq!(auto(None, &[(1, A, DAY, "."), (2, B, 5, ".")]), Some(2), "the newest");
        assert_eq!(auto(None, &[(1, A, DAY, "."), (2, B, 5, "D")]), Some(1), "the newest that has no end");
        assert_eq!(auto(Some(A), &[(1, A, DAY, "."), (2, B, 5, ".")]), Some(1), "whose receiver it names");
        assert_eq!(auto(Some([9; 16]), &[(1, A, DAY, "."), (2, B, 5, ".")]), Some(2), "which is no condition");
    }

    #[test]
    fn what_fits_two_replies_is_nobodys() {
        // 4001 as it stands is neither; in the other base it is both.
        let names = [("0FA1", 1), ("16385", 2)];
        let rows = [(1, A, 5, "."), (2, B, 5, ".")];
        assert_eq!(found(IdForm::Auto, &["4001"], None, &names, &rows), None);
        assert_eq!(found(IdForm::Auto, &["4001"], Some(B), &names, &rows), Some((2, Rule::DecToHex)));
        assert_eq!(found(IdForm::HexToDec, &["4001"], None, &names, &rows), Some((1, Rule::HexToDec)));
        let padded = [("0B8", 1), ("B8", 2)];
        assert_eq!(found(IdForm::Auto, &["00b8"], None, &padded, &rows), None);
        assert_eq!(found(IdForm::Auto, &["b8"], None, &padded, &rows), Some((2, Rule::CaseBlind)));
    }

    #[test]
    fn the_other_id_is_tried_when_the_first_is_not_ours() {
        let rows = [(1, A, 5, ".")];
        assert_eq!(found(IdForm::Auto, &["9", "7"], None, &[("7", 1)], &rows), Some((1, Rule::Exact)));
        assert_eq!(found(IdForm::Auto, &["", "7"], None, &[("7", 1)], &rows), Some((1, Rule::Exact)));
        assert_eq!(found(IdForm::Auto, &["9"], None, &[("7", 1)], &rows), None);
    }

    #[test]
    fn t141_ids_unusable() {
        let by = |to, rows: &[Row]| found(IdForm::Unusable, &["x"], to, &[], rows).map(|(key, _)| key);
        assert_eq!(by(Some(A), &[(1, A, 60, "."), (2, B, 5, ".")]), Some(1));
        assert_eq!(by(Some(A), &[(1, A, 60, "."), (2, A, 5, ".")]), None, "two at once");
        assert_eq!(by(Some(A), &[(1, A, 700, "."), (2, A, 5, ".")]), Some(2), "the newest");
        assert_eq!(by(Some(A), &[(1, A, 60, "."), (2, A, 5, "D")]), Some(1), "that has no end");
        assert_eq!(by(Some(A), &[(1, A, 4 * DAY, ".")]), None, "too old");
        assert_eq!(by(None, &[(1, A, 60, ".")]), None, "whose receiver it does not name");
    }

    #[test]
    fn a_reply_without_an_id_is_found_by_whom_it_went_to() {
        let auto = |rows: &[Row]| found(IdForm::Auto, &["7"], Some(A), &[], rows);
        assert_eq!(auto(&[(1, A, 60, "?")]), Some((1, Rule::Destination)));
        assert_eq!(auto(&[(1, A, 60, ".")]), None, "this one has another id");
        assert_eq!(auto(&[(1, A, 2 * DAY, "?")]), None);
    }
}
