//! What a close takes, and what stands in its file.

use std::{collections::BTreeSet, sync::Arc};

use tokio::task::JoinSet;
use tracuu::{
    billing::{BillingError, verify},
    clock::Micros,
    ledger::{Entry, FLAG_POSSIBLE_DUP, SettlementResult, contract_token},
    message::Stream,
};

use super::ledger::{NOW, Shop, carrier, numbers, records, settlement};
use crate::support::databases::databases;

#[tokio::test]
async fn two_closes_in_a_row_have_every_record_once_and_no_gap() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(7).await;
        running.settle_many(&keys[..5]).await;
        let first = shop.close().await;
        assert_eq!((first.file_seq, first.mo, first.mt, first.first_seq, first.last_seq), (1, 7, 5, 1, 12));
        // A reply settled after a close belongs to the next file.
        running.settle_many(&keys[5..]).await;
        running.ask_many(3).await;
        let second = shop.close().await;
        assert_eq!((second.file_seq, second.mo, second.mt, second.first_seq, second.last_seq), (2, 3, 2, 13, 17));
        let all: Vec<(i64, String)> = [&first, &second].iter().flat_map(|file| numbers(&file.path)).collect();
        assert!(all.iter().map(|(seq, _)| *seq).eq(1..=17), "{} {all:?}", shop.label);
        let ids: BTreeSet<&String> = all.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), 17, "{}", shop.label);
        assert!(verify(&second.path).unwrap().previous, "the file before was not compared");
        running.stop().await;
    }
}

#[tokio::test]
async fn rows_of_two_starts_stand_in_one_file_also_when_the_second_settles_for_the_first() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(3).await;
        running.stop().await;
        let running = shop.start().await;
        running.settle_many(&keys).await;
        let more = running.ask_many(2).await;
        let file = shop.close().await;
        assert_eq!((file.mo, file.mt), (5, 3), "{}", shop.label);
        let records = records(&file.path);
        let own = |kind: &str| -> BTreeSet<&String> {
            records.iter().filter(|one| one["kind"] == kind).map(|one| &one["exchange_id"]).collect()
        };
        let (asked, answered) = (own("MO"), own("MT"));
        assert!(answered.is_subset(&asked) && asked.len() == 5 && answered.len() == 3);
        running.settle_many(&more).await;
        assert_eq!(shop.close().await.mt, 2);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closes_at_the_same_time_number_every_record_once() {
    for database in databases().await {
        let shop = Arc::new(Shop::open(&database).await);
        let running = shop.start().await;
        let keys = running.ask_many(40).await;
        let mut closes = JoinSet::new();
        for at in 0..6_usize {
            let shop = Arc::clone(&shop);
            closes.spawn(async move { shop.try_close(&carrier("vtl"), Micros(NOW.0 + at as i64)).await.unwrap() });
            running.settle_many(&keys[at * 5..at * 5 + 5]).await;
        }
        let mut files = closes.join_all().await;
        files.push(shop.close().await);
        files.sort_by_key(|file| file.file_seq);
        assert!(files.iter().map(|file| file.file_seq).eq(1..=7), "{}", shop.label);
        let all: Vec<(i64, String)> = files.iter().flat_map(|file| numbers(&file.path)).collect();
        assert!(all.iter().map(|(seq, _)| *seq).eq(1..=70), "{} {all:?}", shop.label);
        assert_eq!(all.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), 70);
        let left = std::fs::read_dir(shop.settings.dir.join("vtl/tmp")).unwrap().count();
        assert_eq!(left, 0, "drafts stay in tmp/");
        running.stop().await;
    }
}

#[tokio::test]
async fn nothing_to_bill_is_a_file_with_its_number() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let first = shop.close().await;
        running.ask_many(1).await;
        let second = shop.close().await;
        let third = shop.close().await;
        let seen = [&first, &second, &third].map(|file| (file.file_seq, file.records, file.first_seq, file.last_seq));
        assert_eq!(seen, [(1, 0, 1, 0), (2, 1, 1, 1), (3, 0, 2, 1)], "{}", shop.label);
        let text = std::fs::read_to_string(&third.path).unwrap();
        let kinds: Vec<&str> = text.lines().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(kinds, ["line", "H", "T"]);
        assert!(verify(&third.path).unwrap().to_string().contains("0 records"));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_file_holds_its_own_carrier_and_stream_alone_and_each_is_numbered_apart() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let mut keys = Vec::new();
        for (name, stream) in [("vtl", Stream::Chargeable), ("vnp", Stream::Chargeable), ("vtl", Stream::Test)] {
            keys.push(running.ask(name, stream, &[NOW; 3]).await);
            running.settle(name, stream, keys.last().unwrap(), NOW).await;
        }
        let mut test = carrier("vtl");
        test.stream = Stream::Test;
        for (carrier, exchanges) in [carrier("vtl"), carrier("vnp"), test].iter().zip(&keys) {
            let file = shop.try_close(carrier, NOW).await.unwrap();
            assert_eq!((file.file_seq, file.mo, file.mt), (1, 3, 3), "{} {:?}", shop.label, carrier.id);
            let records = records(&file.path);
            for (record, key) in records.iter().filter(|one| one["kind"] == "MO").zip(exchanges) {
                assert_eq!(record["msisdn"], (84_520_000_000 + key.n()).to_string());
            }
            let free = if carrier.stream == Stream::Test { "TEST" } else { "LOOKUP_FREE" };
            assert!(records.iter().all(|one| one["free_reason"] == free && one["carrier"] == carrier.code));
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn the_fields_of_a_question_and_of_replies_say_what_happened() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let keys = running.ask_many(2).await;
        running.settle_many(&keys[..1]).await;
        let mut refused = settlement("vtl", Stream::Chargeable, keys[1], NOW);
        refused.result = SettlementResult::Rejected;
        refused.accepted = 1;
        refused.status = Some(0x45);
        refused.message_ids = vec!["=1+\"2\",\n".into(), String::new(), String::new()];
        refused.flags = FLAG_POSSIBLE_DUP;
        running.store(vec![Entry::Settlement(refused)]).await;
        let records = records(&shop.close().await.path);
        let expect = |at: usize, expected: &[(&str, &str)]| {
            for (name, value) in expected {
                assert_eq!(records[at][*name], *value, "{name} of record {} on {}", at + 1, shop.label);
            }
        };
        let number = "84520000001";
        let token = contract_token(b"agreed on paper", number.as_bytes());
        let (exchange, record) = (keys[0].uuid(NOW, 0).to_string(), keys[0].uuid(NOW, 1).to_string());
        expect(
            0,
            &[
                ("seq", "1"),
                ("record_id", &record),
                ("exchange_id", &exchange),
                ("kind", "MO"),
                ("action", "ORIG"),
                ("stream", "P"),
                ("carrier", "VTL"),
                ("smsc", "vtl/2"),
                ("short_code", "9999"),
                ("service", "RECORD"),
                ("msisdn", number),
                ("msisdn_token", &token),
                ("concat_ref", "77"),
                ("event_time", "2026-11-23T15:45:00.123+07:00"),
                ("accept_time", ""),
                ("period", "2026-11"),
                ("late", "0"),
                ("dcs", "8"),
                ("encoding", "UCS2"),
                ("chars", "90"),
                ("seg_planned", "2"),
                ("seg_billed", "2"),
                ("result", "RECEIVED"),
                ("charge_basis", "ACCEPTED"),
                ("payer", "CITIZEN"),
                ("amount_micro", "0"),
                ("currency", "VND"),
                ("free_reason", "LOOKUP_FREE"),
                ("charge_class", "CHARGE"),
            ],
        );
        let record = keys[0].uuid(NOW, 2).to_string();
        expect(
            2,
            &[
                ("record_id", &record),
                ("exchange_id", &exchange),
                ("kind", "MT"),
                ("smsc", "vtl/1"),
                ("smsc_msg_id", "00AB;00AC;00AD"),
                ("smsc_msg_id_norm", "ab;ac;ad"),
                ("accept_time", "2026-11-23T15:45:00.373+07:00"),
                ("encoding", "GSM7"),
                ("seg_planned", "3"),
                ("seg_accepted", "3"),
                ("seg_delivered", ""),
                ("seg_billed", "3"),
                ("result", "ACCEPTED"),
                ("smpp_status", "0x00000000"),
                ("payer", "NONE"),
                ("charge_class", "CHARGE"),
                ("flags", ""),
            ],
        );
        expect(
            3,
            &[
                ("smsc_msg_id", "=1+\"2\",;;"),
                ("accept_time", ""),
                ("seg_planned", "3"),
                ("seg_accepted", "1"),
                ("seg_billed", "1"),
                ("result", "REJECTED"),
                ("smpp_status", "0x00000045"),
                ("free_reason", "REJECTED"),
                ("charge_class", "REFUND"),
                ("flags", "possible_dup"),
            ],
        );
        running.stop().await;
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_takes_no_number() {
    for database in databases().await {
        let mut shop = Shop::open(&database).await;
        let running = shop.start().await;
        let right = shop.settings.dir.clone();
        shop.settings.dir = right.join("file");
        std::fs::create_dir_all(&right).unwrap();
        std::fs::write(&shop.settings.dir, "in the way").unwrap();
        let refused = shop.try_close(&carrier("vtl"), NOW).await.unwrap_err();
        assert!(matches!(refused, BillingError::Folder { .. }), "{refused}");
        shop.settings.dir = right;
        assert_eq!(shop.close().await.file_seq, 1, "{}", shop.label);
        running.stop().await;
    }
}
