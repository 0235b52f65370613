//! Several instances on one store: which messages an SMSC may send again to this one, because another's answer to them may
//! have been lost, and whether a message that came here and was taken elsewhere of late is such a one.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;

use super::heir::{FromOthers, Heir};
use crate::{
    clock::Micros,
    intake::BREAK_MARGIN_SECONDS,
    ledger::{Doubt, FirstCopy, LedgerError, Recent},
    message::CarrierId,
};

/// Breaks of others are looked for so far back, in seconds: longer than one takes to become known.
const BACK_SECONDS: i64 = 600;

/// Messages read in one go at most, of each break the newest: looking after the others must not wait for it long.
const READ: usize = 50_000;

/// Messages weighed in one go at most.
const WEIGHED: usize = 200;

/// So many looks in a row must have found the other committing since the message came, before it is believed that it has
/// not lost the session: it hears of that a moment after the SMSC.
const SIGNS: u8 = 2;

/// How often what says nothing any more is let go.
const PRUNE: Duration = Duration::from_secs(5);

/// What was heard so far.
#[derive(Default)]
pub(super) struct Unheard {
    /// Breaks that the desk has been told of.
    told: HashSet<(i64, Option<CarrierId>, Micros)>,
    /// Messages in doubt, with the commits of the other when last looked, and how many looks found more of them.
    doubts: BTreeMap<Doubt, (i64, u8)>,
    pruned: Option<Instant>,
}

/// What becomes of a message in doubt.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// It was sent again.
    SentAgain,
    /// Its next copy is a new one.
    New,
    /// Not known yet.
    Wait,
}

impl Heir {
    /// Hears what may be sent again, and weighs what came.
    pub(super) async fn hear(&mut self) -> Result<(), LedgerError> {
        let now = self.clock.now();
        self.hear_of_breaks(now).await?;
        self.weigh().await?;
        if self.known.unheard.pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
            self.ledger.prune_asked(now).await?;
            self.known.unheard.pruned = Some(Instant::now());
        }
        Ok(())
    }

    async fn hear_of_breaks(&mut self, now: Micros) -> Result<(), LedgerError> {
        let since = now.plus_seconds(-BACK_SECONDS);
        self.known.unheard.told.retain(|(.., at)| *at >= since);
        let mut room = READ;
        for lost in self.ledger.breaks_of_others(since).await? {
            let key = (lost.high.epoch(), lost.carrier.clone(), lost.at);
            if lost.at < since || self.known.unheard.told.contains(&key) {
                continue;
            }
            if room == 0 {
                break;
            }
            let messages = self.ledger.unheard(&lost, BREAK_MARGIN_SECONDS, READ).await?;
            room = room.saturating_sub(messages.len());
            self.tell(messages).await;
            self.known.unheard.told.insert(key);
        }
        Ok(())
    }

    async fn weigh(&mut self) -> Result<(), LedgerError> {
        for doubt in self.ledger.doubts() {
            self.known.unheard.doubts.entry(doubt).or_insert((i64::MAX, 0));
        }
        let doubts: Vec<Doubt> = self.known.unheard.doubts.keys().copied().take(WEIGHED).collect();
        let mut again = Vec::new();
        for doubt in doubts {
            let first = self.ledger.first_copy(&doubt, BREAK_MARGIN_SECONDS).await?;
            let Some(seen) = self.known.unheard.doubts.get_mut(&doubt) else { continue };
            let Some(first) = first else {
                // A part that was used up: the message is noted as its exchange, or as nothing that stands.
                self.known.unheard.doubts.remove(&doubt);
                self.ledger.clear(&doubt).await?;
                continue;
            };
            let carrier = self.carriers.get(&first.carrier);
            let patience = carrier.map(|carrier| carrier.smsc_response).unwrap_or_default();
            let keeps = carrier.map(|carrier| carrier.redelivery).unwrap_or_default();
            match word(&first, patience, keeps, self.clock.now(), seen) {
                Word::SentAgain => again.push(Recent {
                    key: doubt.of,
                    carrier: first.carrier,
                    committed_at: first.committed_at,
                    fingerprints: vec![doubt.print],
                }),
                Word::New => self.ledger.clear(&doubt).await?,
                Word::Wait => continue,
            }
            self.known.unheard.doubts.remove(&doubt);
        }
        self.tell(again).await;
        Ok(())
    }

    async fn tell(&self, messages: Vec<Recent>) {
        if !messages.is_empty() {
            // A desk that has gone takes no messages.
            let _ = self.desk.send(FromOthers::Unheard(messages)).await;
        }
    }
}

/// What is to be made of a message whose first copy another start took. `patience`: how long its SMSC waits for an answer.
/// `keeps`: for how long it sends a message again. `seen`: the commits of that start when last looked, and how many looks
/// found more of them.
fn word(first: &FirstCopy, patience: Duration, keeps: Duration, now: Micros, seen: &mut (i64, u8)) -> Word {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    if now.since(first.committed_at) > micros(keeps) {
        return Word::New;
    }
    let late = first.committed_at.since(first.received_at) > micros(patience);
    if first.unheard || late {
        return Word::SentAgain;
    }
    let (commits, signs) = seen;
    *signs += u8::from(first.commits > *commits);
    *commits = first.commits;
    if first.ended || *signs >= SIGNS { Word::New } else { Word::Wait }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(commits: i64) -> FirstCopy {
        FirstCopy {
            carrier: CarrierId::parse("vtl").unwrap(),
            received_at: Micros(0),
            committed_at: Micros(1_000_000),
            unheard: false,
            ended: false,
            commits,
        }
    }

    fn words(looks: &[FirstCopy]) -> Vec<Word> {
        let mut seen = (i64::MAX, 0);
        let now = Micros(2_000_000);
        let keeps = Duration::from_hours(24);
        looks.iter().map(|look| word(look, Duration::from_secs(10), keeps, now, &mut seen)).collect()
    }

    #[test]
    fn the_other_must_show_twice_that_it_lives_and_has_lost_no_session() {
        assert_eq!(words(&[copy(7), copy(8), copy(9)]), [Word::Wait, Word::Wait, Word::New]);
        assert_eq!(words(&[copy(7), copy(7), copy(8), copy(8), copy(9)])[3..], [Word::Wait, Word::New]);
        assert_eq!(words(&[copy(7), copy(7), copy(7), copy(7)])[3], Word::Wait, "it may be dead");
    }

    #[test]
    fn what_its_smsc_keeps_no_longer_is_new_whatever_was_heard() {
        let first = FirstCopy { unheard: true, ..copy(7) };
        let at = |hours: i64| first.committed_at.plus_seconds(hours * 3_600);
        let word = |now| word(&first, Duration::from_secs(10), Duration::from_hours(24), now, &mut (i64::MAX, 0));
        assert_eq!((word(at(24)), word(at(25))), (Word::SentAgain, Word::New));
    }

    #[test]
    fn what_was_not_heard_or_came_late_was_sent_again_and_what_ended_long_after_was_not() {
        assert_eq!(words(&[FirstCopy { unheard: true, ..copy(7) }]), [Word::SentAgain]);
        assert_eq!(words(&[FirstCopy { committed_at: Micros(10_000_001), ..copy(7) }]), [Word::SentAgain]);
        assert_eq!(words(&[FirstCopy { ended: true, ..copy(7) }]), [Word::New]);
    }
}
