//! Which reply a receipt speaks of, and what the receipts of a reply come to.

use tracuu::{db::Db, ledger::read::trap_counts};

use crate::harness::{Run, trap};

/// Does what these scripts ask for.
async fn help(run: &mut Run, what: &'static str) {
    if what == "restart the service" {
        run.restart().await;
    } else {
        run.settled().await;
    }
}

/// What came of receipts: those that found their reply, those that did not, and what replies came to.
async fn came_to(run: &Run) -> (i64, i64, Vec<String>) {
    let db = run.open_store().await;
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let text = "select kind, exchange_key is null, result from settlement where kind in (2, 3) order by key";
    let rows: Vec<(i64, bool, String)> = sqlx::query_as(text).fetch_all(readers).await.unwrap();
    db.close().await;
    let receipts = |orphan: bool| rows.iter().filter(|row| row.0 == 2 && row.1 == orphan).count() as i64;
    let ends = rows.iter().filter(|row| row.0 == 3).map(|row| row.2.clone()).collect();
    (receipts(false), receipts(true), ends)
}

async fn delivered(run: &Run, count: usize) {
    assert_eq!(came_to(run).await, (count as i64, 0, vec!["DELIVERED".to_owned(); count]));
}

trap!(t134_receipt_before_submit_resp, async |run| {
    assert_eq!(came_to(run).await, (1, 1, vec!["DELIVERED".to_owned()]), "noted when it came, and when it was known");
});
trap!(t135_receipt_unknown_id, cue: help, check: async |run| {
    assert_eq!(came_to(run).await, (0, 1, vec![]));
});
trap!(t136_receipt_twice, cue: help, check: async |run| delivered(run, 1).await);
trap!(t137_receipt_after_final, cue: help, check: async |run| {
    assert_eq!(came_to(run).await, (2, 0, vec!["UNDELIVERED".to_owned()]), "the first end stands, the other is noted");
});
trap!(t138_intermediate_then_final, cue: help, check: async |run| {
    assert_eq!(came_to(run).await, (4, 0, vec!["DELIVERED".to_owned()]), "buffered says no more than on its way");
});
trap!(t139_receipt_other_line, cue: help, check: async |run| delivered(run, 1).await);
trap!(t140_receipt_as_data_sm, cue: help, check: async |run| delivered(run, 1).await);
trap!(t141_ids_unusable, cue: help, check: async |run| delivered(run, 2).await);
trap!(t142_id_base_differs, cue: help, check: async |run| delivered(run, 3).await);
trap!(t143_id_padding, cue: help, check: async |run| delivered(run, 3).await);
trap!(t144_id_case, cue: help, check: async |run| delivered(run, 2).await);
trap!(t145_id_over_63_bits, cue: help, check: async |run| delivered(run, 2).await);
trap!(t146_id_free_text, cue: help, check: async |run| delivered(run, 4).await);
trap!(t147_receipts_per_segment, cue: help, check: async |run| {
    let (found, orphans, ends) = came_to(run).await;
    assert!(found > 2 && orphans == 0, "{found} found, {orphans} not");
    assert_eq!(ends, ["DELIVERED", "DELIVERED"]);
});
trap!(t150_receipt_typed_by_citizen, cue: help, check: async |run| {
    assert_eq!(run.balance().await.exchanges, 3, "what is typed is a question");
    delivered(run, 1).await;
});
trap!(t151_flagged_but_a_question, async |run| {
    let db = run.open_store().await;
    let kept = trap_counts(&db).await.unwrap();
    db.close().await;
    assert_eq!((kept[0].trap.as_str(), kept[0].messages), ("flagged_but_a_question", 1));
    assert_eq!(came_to(run).await, (0, 0, vec![]));
});
trap!(t165_accepted_is_not_delivered, cue: help, check: async |run| {
    assert_eq!(came_to(run).await, (2, 0, vec![]));
});
trap!(t166_receipt_never_comes, cue: help, check: async |run| {
    assert_eq!(came_to(run).await, (0, 0, vec!["UNKNOWN".to_owned()]));
    let (_, replies) = run.records("sim").await;
    assert_eq!(replies[0].result, "ACCEPTED", "billing never waits for it");
});
