//! Long texts to us, in parts.

use tracuu::{
    ledger::read::trap_counts,
    message::{Outcome, Reason},
};

use crate::harness::{Run, trap};

/// So many questions, of so many parts each, in the order in which they were understood; no part is left.
async fn asked(run: &Run, parts: &[i64]) {
    let (questions, _) = run.records("sim").await;
    assert_eq!(questions.iter().map(|record| record.parts).collect::<Vec<_>>(), parts);
    assert_eq!(run.balance().await.parts, 0);
}

/// How many questions came to this end.
async fn ended(run: &Run, outcome: Outcome) -> usize {
    let (questions, _) = run.records("sim").await;
    questions.iter().filter(|record| record.outcome == i64::from(outcome.code())).count()
}

trap!(t106_parts_out_of_order, async |run| {
    asked(run, &[3]).await;
    assert_eq!(ended(run, Outcome::HowTo).await, 1);
});
trap!(t107_part_missing, async |run| {
    asked(run, &[2]).await;
    assert_eq!(ended(run, Outcome::Misread).await, 1);
    let db = run.open_store().await;
    let tracuu::db::Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let (reason,): (i64,) = sqlx::query_as("select reason from exchange").fetch_one(readers).await.unwrap();
    db.close().await;
    assert_eq!(reason, i64::from(Reason::PartMissing.code()));
});
trap!(t108_part_doubled, async |run| {
    asked(run, &[3, 1]).await;
    assert_eq!((run.balance().await.repeats, ended(run, Outcome::HowTo).await), (3, 2));
});
trap!(t109_parts_over_lines, async |run| asked(run, &[2]).await);
trap!(t110_reference_16_bit, async |run| asked(run, &[2, 2]).await);
trap!(t111_several_ies, async |run| {
    asked(run, &[2]).await;
    assert_eq!(ended(run, Outcome::HowTo).await, 1);
});
trap!(t112_udhi_without_concat, async |run| {
    asked(run, &[1]).await;
    assert_eq!(ended(run, Outcome::HowTo).await, 1);
});
trap!(t113_udh_past_end, async |run| {
    asked(run, &[1]).await;
    let db = run.open_store().await;
    let kept = trap_counts(&db).await.unwrap();
    db.close().await;
    assert_eq!((kept[0].trap.as_str(), kept[0].messages), ("udh_past_end", 2));
});
trap!(t114_absurd_index, async |run| {
    asked(run, &[1, 1, 1]).await;
    assert_eq!(ended(run, Outcome::HowTo).await, 3);
});
trap!(t115_reference_reused, async |run| {
    asked(run, &[2, 2, 1, 2]).await;
    assert_eq!((ended(run, Outcome::HowTo).await, ended(run, Outcome::Misread).await), (3, 1));
});
trap!(t116_reference_zero, async |run| asked(run, &[2]).await);
trap!(t118_sar_tlvs, async |run| asked(run, &[3, 1]).await);
trap!(t119_sar_and_udh, async |run| {
    asked(run, &[2]).await;
    assert_eq!(ended(run, Outcome::HowTo).await, 1);
});
trap!(t120_odd_totals, async |run| asked(run, &[2, 3, 1]).await);
