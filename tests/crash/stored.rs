//! What the store says when all is over, and what must hold of it whatever was killed when.

use std::collections::{HashMap, HashSet};

use tracuu::{
    db::Db,
    ledger::{
        FLAG_POSSIBLE_DUP,
        read::store::{Balance, HighWater, MoRow, MtRow, RecordKind, Span, balance, high_water, mo_rows, mt_rows},
    },
    message::RowKey,
};

use crate::site::Site;

/// The store, counted and read.
pub(crate) struct Stored {
    pub(crate) balance: Balance,
    pub(crate) mo: Vec<MoRow>,
    pub(crate) mt: Vec<MtRow>,
    epochs: Vec<HighWater>,
    /// Exchanges whose parts' fingerprints no other exchange has.
    different: i64,
    /// Heads of the audit chain that are not the hash of their epoch's last exchange.
    loose_heads: i64,
    /// Different hashes in the audit chains.
    hashes: i64,
}

/// Reads everything.
pub(crate) async fn stored(site: &Site) -> Stored {
    let db = site.store().await;
    let carrier = site.config.carriers.values().next().unwrap();
    let all = 10_000_000;
    let stored = Stored {
        balance: balance(&db).await.unwrap(),
        mo: mo_rows(&db, Span::all(RecordKind::Mo, &carrier.id, carrier.stream), all).await.unwrap(),
        mt: mt_rows(&db, Span::all(RecordKind::Mt, &carrier.id, carrier.stream), all).await.unwrap(),
        epochs: high_water(&db).await.unwrap(),
        different: number(&db, "select count(distinct fingerprints) from exchange").await,
        loose_heads: number(
            &db,
            "select count(*) from writer w where w.exchange_high > 0 and not exists (select 1 from exchange e
                where e.key = (w.epoch << 40) + w.exchange_high and e.audit_hash = w.audit_head)",
        )
        .await,
        hashes: number(&db, "select count(distinct audit_hash) from exchange").await,
    };
    db.close().await;
    stored
}

async fn number(db: &Db, text: &'static str) -> i64 {
    let (found,) = match db {
        Db::Sqlite { readers, .. } => sqlx::query_as(text).fetch_one(readers).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(text).fetch_one(pool).await.unwrap(),
    };
    found
}

impl Stored {
    /// A count of the store beside counts of the SMSC.
    pub(crate) fn count(&self, of: i64) -> u64 {
        u64::try_from(of).unwrap_or_else(|_| panic!("a count below zero: {:?}", self.balance))
    }

    /// One exchange for each question that was acknowledged, each with its one reply settled once; one epoch a start,
    /// with keys of its own and an audit chain that ends where its last exchange does.
    pub(crate) fn judge(&self, questions: u64, kills: u64, line: &str) {
        let (balance, questions) = (&self.balance, questions as i64);
        for (what, found, expected) in [
            ("exchanges", balance.exchanges, questions),
            ("different questions among them", self.different, questions),
            ("exchanges with a reply", balance.with_reply, questions),
            ("exchanges without one", balance.silences, 0),
            ("replies settled", balance.settled, questions),
            ("replies waiting", balance.waiting, 0),
            ("replies settled twice", balance.doubled, 0),
            ("replies lost", balance.lost, 0),
            ("parts left over", balance.parts, 0),
            ("MO rows", self.mo.len() as i64, questions),
            ("MT rows", self.mt.len() as i64, questions),
            ("epochs", self.epochs.len() as i64, kills as i64 + 1),
            ("loose heads of audit chains", self.loose_heads, 0),
            ("links of audit chains", self.hashes, questions),
        ] {
            assert_eq!(found, expected, "{what}\n{line}\n{balance:?}");
        }
        self.judge_keys(line);
    }

    /// Every key lies below its epoch's high-water mark, and the mark is the last exchange's.
    fn judge_keys(&self, line: &str) {
        let marks: HashMap<i64, &HighWater> = self.epochs.iter().map(|one| (one.epoch, one)).collect();
        assert_eq!(marks.len(), self.epochs.len(), "an epoch was taken twice\n{line}");
        let mut last: HashMap<i64, i64> = HashMap::new();
        for key in self.mo.iter().map(|row| RowKey(row.key)) {
            let before = last.insert(key.epoch(), key.n());
            assert!(before.is_none_or(|before| before < key.n()), "exchanges out of order\n{line}");
        }
        for mark in &self.epochs {
            let highest = last.get(&mark.epoch).copied().unwrap_or(0);
            assert_eq!(mark.exchange_high, highest, "high-water mark of epoch {}\n{line}", mark.epoch);
        }
        let mut settlements = HashSet::new();
        for key in self.mt.iter().map(|row| RowKey(row.key)) {
            let below = marks.get(&key.epoch()).is_some_and(|mark| (1..=mark.settlement_high).contains(&key.n()));
            assert!(below && settlements.insert(key.0), "settlement {key:?} has a wrong or used key\n{line}");
        }
    }

    /// A reply that an earlier process may have sent is flagged, no other is; and what the SMSC has got beyond one
    /// message a segment is no more than those replies explain: once for each process that may have sent them.
    pub(crate) fn judge_replies(&self, replies: Option<u64>, submits: u64, line: &str) {
        let (mut surplus_replies, mut segments, mut surplus_segments) = (0, 0, 0);
        for row in &self.mt {
            let processes = RowKey(row.key).epoch() - RowKey(row.exchange_key).epoch();
            let flagged = row.flags & FLAG_POSSIBLE_DUP != 0;
            assert!(processes >= 0, "settled before it was asked\n{line}");
            assert_eq!(flagged, processes > 0, "possible_dup of a reply that {processes} processes left open\n{line}");
            assert_eq!(row.seg_planned, row.seg_accepted, "segments of a reply\n{line}");
            segments += row.seg_planned;
            surplus_replies += processes;
            surplus_segments += processes * row.seg_planned;
        }
        if let Some(replies) = replies.map(|replies| replies as i64 - self.balance.settled) {
            assert!((0..=surplus_replies).contains(&replies), "{replies} surplus of {surplus_replies} replies\n{line}");
        }
        let submits = submits as i64 - segments;
        assert!((0..=surplus_segments).contains(&submits), "{submits} surplus of {surplus_segments} submits\n{line}");
    }
}
