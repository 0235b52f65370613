//! Receipts.

use tracuu::db::Db;

use crate::harness::{Run, trap};

/// What each receipt that was stored said of a reply of ours, in their order. None may have missed its reply.
async fn said(run: &Run) -> Vec<String> {
    let db = run.open_store().await;
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let rows = sqlx::query_as("select result, exchange_key from settlement where kind = 2 order by key");
    let rows: Vec<(String, Option<i64>)> = rows.fetch_all(readers).await.unwrap();
    db.close().await;
    assert!(rows.iter().all(|(_, exchange)| exchange.is_some()), "a receipt missed its reply: {rows:?}");
    rows.into_iter().map(|(result, _)| result).collect()
}

/// So many receipts came, and each said delivered.
async fn delivered(run: &Run, count: usize) {
    assert_eq!(said(run).await, vec!["DELIVERED"; count]);
}

/// A test of receipts that come when the response to what they are for is on disk.
macro_rules! receipts {
    ($name:ident, $check:expr) => {
        trap!($name, cue: async |run, _| { run.settled().await; }, check: $check);
    };
}

receipts!(t148_receipt_flag_forms, async |run| delivered(run, 7).await);
receipts!(t149_receipt_flag_missing, async |run| delivered(run, 2).await);
trap!(t152_question_with_receipt_tlv, async |run| {
    assert_eq!((run.balance().await.exchanges, said(run).await.len()), (1, 0));
});
receipts!(t153_receipt_fields_missing, async |run| delivered(run, 3).await);
receipts!(t154_receipt_label_missing, async |run| delivered(run, 1).await);
receipts!(t155_receipt_order_case_space, async |run| delivered(run, 5).await);
receipts!(t156_receipt_text_forges_fields, async |run| delivered(run, 2).await);
receipts!(t157_receipt_dates, async |run| delivered(run, 7).await);
receipts!(t158_receipt_clock, async |run| delivered(run, 1).await);
receipts!(t159_receipt_state_words, async |run| {
    let (good, bad) = (vec!["DELIVERED"; 3], vec!["UNDELIVERED"; 4]);
    assert_eq!(said(run).await, [good, bad, vec!["IN_HAND", "UNKNOWN", "UNKNOWN"]].concat());
});
receipts!(t160_receipt_err_forms, async |run| delivered(run, 6).await);
receipts!(t161_receipt_tlvs_only, async |run| delivered(run, 1).await);
receipts!(t162_receipt_sides_disagree, async |run| delivered(run, 3).await);
receipts!(t163_receipt_in_wrong_coding, async |run| delivered(run, 2).await);
receipts!(t164_receipt_in_payload_or_udh, async |run| delivered(run, 2).await);
