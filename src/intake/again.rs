//! Recognises messages that an SMSC sends again (law 2), by what it did not hear from us.
//!
//! The same person asking the same thing twice on a healthy line is two questions. A message counts as sent again only
//! while its first copy is unanswered, when it had come before an equal one was answered, or when the answer may not have
//! arrived: a session broke soon after it, it came later than that SMSC waits, or a temporary error left although the row
//! was stored.

use std::collections::HashMap;

use super::{
    BREAK_MARGIN_SECONDS,
    queue::{Message, Queue, Why},
};
use crate::{
    clock::Micros,
    ledger::{Token, Unheard},
    message::{LineNo, RowKey},
};

/// A line knows only to a second since when a message may have waited; no SMSC sends its copy so soon.
const OVERTAKEN_SECONDS: i64 = 2;

/// A message that is not yet on disk.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The row it becomes.
    key: RowKey,
    /// The row a repeat of it counts on: its own, or for a part the exchange that uses it up.
    of: RowKey,
    line: LineNo,
    session: u32,
    /// When it came, at the earliest.
    came_at: Micros,
}

/// The line of what was found in the ledger.
const NO_LINE: LineNo = LineNo(u16::MAX);

/// The memory of one desk. A fingerprint stands in one place of it: where the last message that had it stands.
pub struct Again {
    pending: HashMap<Token, Pending>,
    by_key: HashMap<RowKey, Token>,
    /// Acknowledged on a session that was alive: forgotten when the margin before a break has passed.
    answered: Queue,
    /// May come again.
    suspects: Queue,
    ended: HashMap<LineNo, u32>,
    limit: usize,
}

impl Again {
    /// An empty memory of at most `limit` suspects.
    pub fn new(limit: usize) -> Self {
        Self {
            pending: HashMap::new(),
            by_key: HashMap::new(),
            answered: Queue::default(),
            suspects: Queue::default(),
            ended: HashMap::new(),
            limit,
        }
    }

    /// The key of the row that this message repeats, if it does. It has not come before `came_at`: one that came before an equal
    /// one was answered is the same message, overtaken by its copy.
    pub fn repeats(&self, print: &Token, came_at: Micros, now: Micros) -> Option<RowKey> {
        if let Some(pending) = self.pending.get(print) {
            return Some(pending.of);
        }
        if let Some(suspect) = self.suspects.get(print) {
            return (suspect.at >= now).then_some(suspect.of);
        }
        let overtaken = |answered: &&Message| answered.at.since(came_at) > OVERTAKEN_SECONDS * 1_000_000;
        self.answered.get(print).filter(overtaken).map(|answered| answered.of)
    }

    /// Why a message that repeats one was sent again: the name of the trap.
    pub fn why(&self, print: &Token, line: LineNo) -> &'static str {
        let pending = self.pending.get(print).map(|pending| (pending.line, Why::Silence));
        let suspect = self.suspects.get(print).map(|suspect| (suspect.line, suspect.why));
        let answered = self.answered.get(print).map(|answered| (answered.line, Why::Silence));
        match pending.or(suspect).or(answered) {
            Some((known, _)) if known != line && known != NO_LINE => "resent_on_other_line",
            Some((_, why)) => why.trap(),
            None => Why::Silence.trap(),
        }
    }

    /// A new message is on its way to the disk.
    pub fn pending(&mut self, print: Token, key: RowKey, line: LineNo, session: u32, came_at: Micros) {
        self.suspects.remove(&print);
        self.answered.remove(&print);
        self.by_key.insert(key, print);
        self.pending.insert(print, Pending { key, of: key, line, session, came_at });
    }

    /// A message that may come again until a moment.
    pub fn suspect(&mut self, print: Token, key: RowKey, until: Micros) {
        self.pending.remove(&print);
        self.remember(print, Message { key, of: key, at: until, session: 0, line: NO_LINE, why: Why::Break });
    }

    /// The same of a message that another instance took, unless a copy of it is known here.
    pub fn suspect_elsewhere(&mut self, print: Token, key: RowKey, until: Micros) {
        let queued = [&self.suspects, &self.answered].iter().any(|queue| queue.get(&print).is_some());
        if !queued && !self.pending.contains_key(&print) {
            self.suspect(print, key, until);
        }
    }

    /// A part is used up by an exchange, and its row goes with that one's commit: a repeat counts on the exchange. When
    /// the exchange was not stored after all, `of` is the part's own row again.
    pub fn joined(&mut self, print: &Token, part: RowKey, of: RowKey) {
        if let Some(pending) = self.pending.get_mut(print).filter(|known| known.key == part) {
            pending.of = of;
        }
        for queue in [&mut self.suspects, &mut self.answered] {
            if let Some(known) = queue.get_mut(print).filter(|known| known.key == part) {
                known.of = of;
            }
        }
    }

    fn remember(&mut self, print: Token, message: Message) {
        self.answered.remove(&print);
        self.suspects.push(print, message);
        while self.suspects.slots() > self.limit {
            self.suspects.forget_oldest();
        }
    }

    /// The row of a message is on disk; `answered` unless its line had given up. Later than `response_seconds` after
    /// it came, or on a session that has ended, the answer counts as possibly unheard until `until`. Gives what is to
    /// be noted when it does, but for what the ledger knows by its note of the session's end.
    pub fn stored(
        &mut self,
        key: RowKey,
        answered: bool,
        now: Micros,
        response_seconds: i64,
        until: Micros,
    ) -> Option<Unheard> {
        self.forget_old(now);
        let (print, Pending { of, line, session, came_at, .. }) = self.settle(key)?;
        let late = now.since(came_at) > response_seconds * 1_000_000;
        let ended = self.ended.get(&line).is_some_and(|ended| *ended >= session);
        if answered && !late && !ended {
            self.answered.push(print, Message { key, of, at: now, session, line, why: Why::Break });
            return None;
        }
        let why = match (answered, ended) {
            (false, _) => Why::Refusal,
            (true, true) => Why::Break,
            (true, false) => Why::Silence,
        };
        self.remember(print, Message { key, of, at: until, session, line, why });
        (!answered || !ended).then_some(Unheard { print, key, of })
    }

    /// A message was not stored; `doubtful` when nobody knows whether it was. Until `until` it counts as sent again if
    /// it is doubtful, or if it is a part that an exchange has used already: then this gives what is to
    /// be noted.
    pub fn not_stored(&mut self, key: RowKey, doubtful: bool, until: Micros) -> Option<Unheard> {
        let (print, Pending { of, line, session, .. }) = self.settle(key)?;
        if doubtful || of != key {
            self.remember(print, Message { key, of, at: until, session, line, why: Why::Refusal });
        }
        (of != key).then_some(Unheard { print, key, of })
    }

    /// A message is pending no more.
    fn settle(&mut self, key: RowKey) -> Option<(Token, Pending)> {
        let print = self.by_key.remove(&key)?;
        let pending = *self.pending.get(&print).filter(|pending| pending.key == key)?;
        self.pending.remove(&print);
        Some((print, pending))
    }

    /// The row that this message was said to repeat is not there.
    pub fn forget(&mut self, print: &Token, of: RowKey) {
        if self.pending.get(print).is_some_and(|known| known.of == of) {
            self.pending.remove(print);
        }
        for queue in [&mut self.suspects, &mut self.answered] {
            if queue.get(print).is_some_and(|known| known.of == of) {
                queue.remove(print);
            }
        }
    }

    /// A session ended.
    pub fn session_ended(&mut self, line: LineNo, session: u32, at: Micros, until: Micros) {
        self.ended.insert(line, session);
        let margin = at.plus_seconds(-BREAK_MARGIN_SECONDS);
        let lost = |known: &Message| known.at >= margin && known.line == line && known.session == session;
        let mut answered = std::mem::take(&mut self.answered);
        answered.take_each(lost, |print, message| {
            self.remember(print, Message { at: until, why: Why::Break, ..message });
        });
        self.answered = answered;
    }

    fn forget_old(&mut self, now: Micros) {
        let margin = now.plus_seconds(-BREAK_MARGIN_SECONDS);
        self.answered.forget_while(|answered| answered.at < margin);
        self.suspects.forget_while(|suspect| suspect.at < now);
    }

    /// Messages remembered.
    pub fn len(&self) -> usize {
        self.pending.len() + self.answered.len() + self.suspects.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: Token = [7; 16];
    const LINE: LineNo = LineNo(0);
    const UNTIL: Micros = Micros(86_400_000_000);

    fn at(seconds: i64) -> Micros {
        Micros(0).plus_seconds(seconds)
    }

    fn answered_at(seconds: i64) -> Again {
        let mut again = Again::new(10);
        again.pending(PRINT, RowKey(1), LINE, 1, at(seconds));
        again.stored(RowKey(1), true, at(seconds), 10, UNTIL);
        again
    }

    #[test]
    fn the_same_question_on_a_healthy_line_is_a_new_one() {
        assert_eq!(answered_at(100).repeats(&PRINT, at(103), at(103)), None);
    }

    #[test]
    fn unanswered_it_is_a_repeat() {
        let mut again = Again::new(10);
        again.pending(PRINT, RowKey(1), LINE, 1, at(100));
        assert_eq!(again.repeats(&PRINT, at(103), at(103)), Some(RowKey(1)));
    }

    #[test]
    fn a_break_soon_after_the_answer_makes_it_a_repeat_and_a_late_one_does_not() {
        for (broke, expected) in [(101, Some(RowKey(1))), (129, Some(RowKey(1))), (131, None)] {
            let mut again = answered_at(100);
            again.session_ended(LINE, 1, at(broke), UNTIL);
            assert_eq!(again.repeats(&PRINT, at(broke + 60), at(broke + 60)), expected, "broke at {broke}");
        }
        let mut other = answered_at(100);
        other.session_ended(LineNo(1), 1, at(101), UNTIL);
        assert_eq!(other.repeats(&PRINT, at(160), at(160)), None, "another line's break");
    }

    #[test]
    fn a_late_or_given_up_answer_makes_it_a_repeat_until_its_time() {
        for (answered, stored) in [(true, 111), (false, 101)] {
            let mut again = Again::new(10);
            again.pending(PRINT, RowKey(1), LINE, 1, at(100));
            again.stored(RowKey(1), answered, at(stored), 10, at(500));
            assert_eq!(again.repeats(&PRINT, at(499), at(499)), Some(RowKey(1)));
            assert_eq!(again.repeats(&PRINT, at(501), at(501)), None);
        }
    }

    #[test]
    fn stored_after_its_session_ended_it_is_a_repeat() {
        let mut again = Again::new(10);
        again.pending(PRINT, RowKey(1), LINE, 1, at(100));
        again.session_ended(LINE, 1, at(100), UNTIL);
        again.stored(RowKey(1), true, at(101), 10, UNTIL);
        assert_eq!(again.repeats(&PRINT, at(102), at(102)), Some(RowKey(1)));
    }

    #[test]
    fn what_was_not_stored_is_new_and_what_is_doubtful_is_asked_for() {
        let mut again = Again::new(10);
        again.pending(PRINT, RowKey(1), LINE, 1, at(100));
        again.not_stored(RowKey(1), false, UNTIL);
        assert_eq!(again.repeats(&PRINT, at(101), at(101)), None);
        again.pending(PRINT, RowKey(2), LINE, 1, at(102));
        again.not_stored(RowKey(2), true, UNTIL);
        assert_eq!(again.repeats(&PRINT, at(103), at(103)), Some(RowKey(2)));
        again.forget(&PRINT, RowKey(2));
        assert_eq!(again.repeats(&PRINT, at(104), at(104)), None);
    }

    #[test]
    fn a_part_that_was_used_up_counts_on_its_exchange_while_that_stands() {
        let mut again = answered_at(100);
        again.joined(&PRINT, RowKey(1), RowKey(2));
        again.session_ended(LINE, 1, at(101), UNTIL);
        assert_eq!(again.repeats(&PRINT, at(102), at(102)), Some(RowKey(2)));
        again.joined(&PRINT, RowKey(1), RowKey(1));
        assert_eq!(again.repeats(&PRINT, at(102), at(102)), Some(RowKey(1)));
        let mut unstored = Again::new(10);
        unstored.pending(PRINT, RowKey(1), LINE, 1, at(100));
        unstored.joined(&PRINT, RowKey(1), RowKey(2));
        unstored.not_stored(RowKey(1), false, UNTIL);
        assert_eq!(unstored.repeats(&PRINT, at(102), at(102)), Some(RowKey(2)));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_what_was_answered_long_ago() {
        let mut again = Again::new(10);
        for n in 0..100_u8 {
            again.suspect([n; 16], RowKey(n.into()), UNTIL);
        }
        assert_eq!(again.len(), 10);
        let mut again = answered_at(100);
        again.pending([8; 16], RowKey(2), LINE, 1, at(200));
        again.stored(RowKey(2), true, at(200), 10, UNTIL);
        assert_eq!(again.len(), 1);
        let mut again = Again::new(10);
        again.suspect(PRINT, RowKey(1), at(150));
        again.pending([8; 16], RowKey(2), LINE, 1, at(151));
        again.stored(RowKey(2), true, at(151), 10, UNTIL);
        assert_eq!(again.len(), 1, "whose time is over is forgotten as well");
    }
}
