//! A file made again is the same file, whenever and why ever it was lost.

use tracuu::billing::{BillingError, repair};

use super::ledger::{NOW, Shop, carrier, numbers};
use crate::support::databases::databases;

/// As after a crash between the claim and the publishing.
const FORGET: &str = "update billing_file set sha256 = null, line_hash = null";

#[tokio::test]
async fn a_crash_between_claim_and_publishing_is_repaired_with_the_same_octets() {
    for database in databases().await {
        let mut shop = Shop::open(&database).await;
        let running = shop.start().await;
        // More than one page of rows of each kind.
        let keys = running.ask_many(2_100).await;
        running.settle_many(&keys).await;
        let file = shop.close().await;
        assert_eq!((file.mo, file.mt), (2_100, 2_100));
        let (text, manifest) = (std::fs::read(&file.path).unwrap(), std::fs::read(&file.manifest_path).unwrap());

        std::fs::remove_file(&file.path).unwrap();
        std::fs::remove_file(&file.manifest_path).unwrap();
        shop.meddle(FORGET).await;
        // What is set otherwise today says nothing about a file of yesterday.
        shop.settings.zone = "UTC".into();
        shop.settings.operator = "Another".into();
        let mut renamed = carrier("vtl");
        renamed.code = "NEW".into();
        running.ask_many(1).await;
        let next = shop.try_close(&renamed, NOW).await.unwrap();
        assert_eq!((next.file_seq, next.first_seq, next.records), (2, 4_201, 1), "{}", shop.label);
        assert!(std::fs::read(&file.path).unwrap() == text && std::fs::read(&file.manifest_path).unwrap() == manifest);
        assert_eq!(numbers(&file.path).len(), 4_200);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_keeps_its_number_until_it_can() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        running.ask_many(2).await;
        let in_the_way = shop.settings.dir.join("vtl/tracuu_VTL_P_202611_00000001_20261123T084500Z.csv");
        std::fs::create_dir_all(&in_the_way).unwrap();
        for _ in 0..2 {
            let refused = shop.try_close(&carrier("vtl"), NOW).await.unwrap_err();
            assert!(matches!(refused, BillingError::Unwritable { file_seq: 1, .. }), "{refused}");
        }
        assert_eq!(std::fs::read_dir(shop.settings.dir.join("vtl/tmp")).unwrap().count(), 0);
        std::fs::remove_dir(&in_the_way).unwrap();
        let next = shop.close().await;
        assert_eq!((next.file_seq, next.records, next.first_seq), (2, 0, 3), "{}", shop.label);
        assert_eq!(numbers(&in_the_way).len(), 2);
        running.stop().await;
    }
}

#[tokio::test]
async fn whatever_a_crash_left_in_the_folder_the_next_close_completes() {
    for (left, drafts) in [(0, 0), (1, 1), (2, 0), (2, 3)] {
        for database in databases().await {
            let shop = Shop::open(&database).await;
            let running = shop.start().await;
            running.ask_many(2).await;
            let file = shop.close().await;
            let paths = [&file.path, &file.manifest_path];
            let before = paths.map(|path| std::fs::read(path).unwrap());
            for path in &paths[left..] {
                std::fs::remove_file(path).unwrap();
            }
            for n in 0..drafts {
                let draft = format!("vtl/tmp/{}.{n}", file.name());
                std::fs::write(shop.settings.dir.join(draft), "half a fi").unwrap();
            }
            shop.meddle(FORGET).await;
            let repaired = repair(&shop.db, &shop.keys, &carrier("vtl"), &shop.settings).await.unwrap();
            assert_eq!(repaired, std::slice::from_ref(&file), "{} {left}", shop.label);
            assert_eq!(paths.map(|path| std::fs::read(path).unwrap()), before);
            assert_eq!(std::fs::read_dir(shop.settings.dir.join("vtl/tmp")).unwrap().count(), 0);
            running.stop().await;
        }
    }
}

#[tokio::test]
async fn missing_files_come_back_as_they_were_and_the_others_stay_untouched() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let mut files = Vec::new();
        for _ in 0..3 {
            running.ask_many(2).await;
            let file = shop.close().await;
            files.push((std::fs::read(&file.path).unwrap(), std::fs::read(&file.manifest_path).unwrap(), file));
        }
        std::fs::remove_file(&files[0].2.path).unwrap();
        std::fs::remove_file(&files[1].2.manifest_path).unwrap();
        let repaired = repair(&shop.db, &shop.keys, &carrier("vtl"), &shop.settings).await.unwrap();
        let expected: Vec<_> = files[..2].iter().map(|(_, _, file)| file.clone()).collect();
        assert_eq!(repaired, expected, "{}", shop.label);
        for (text, manifest, file) in &files {
            assert_eq!(&std::fs::read(&file.path).unwrap(), text);
            assert_eq!(&std::fs::read(&file.manifest_path).unwrap(), manifest);
        }
        assert_eq!(repair(&shop.db, &shop.keys, &carrier("vtl"), &shop.settings).await.unwrap(), []);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_file_whose_rows_or_key_changed_is_not_made_again() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        running.ask_many(2).await;
        let file = shop.close().await;
        std::fs::remove_file(&file.path).unwrap();
        let again = async |carrier| repair(&shop.db, &shop.keys, &carrier, &shop.settings).await;
        for key in [Some("another"), None] {
            let mut other = carrier("vtl");
            other.contract_key = key.map(Into::into);
            let refused = again(other).await.unwrap_err();
            assert!(matches!(refused, BillingError::ContractKey { .. }), "{refused}");
        }
        shop.meddle("update exchange set chars = chars + 1").await;
        let refused = again(carrier("vtl")).await.unwrap_err();
        assert!(matches!(refused, BillingError::Differs { .. }), "{refused}");
        shop.meddle("delete from exchange").await;
        let refused = again(carrier("vtl")).await.unwrap_err();
        assert!(matches!(refused, BillingError::Miscounted { claimed: 2, found: 0, .. }), "{refused}");
        assert!(!file.path.exists(), "{}", shop.label);
        assert_eq!(std::fs::read_dir(shop.settings.dir.join("vtl/tmp")).unwrap().count(), 0);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_file_that_the_carrier_may_have_seen_is_not_replaced_by_another() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        running.ask_many(1).await;
        let file = shop.close().await;
        let text = std::fs::read(&file.path).unwrap();
        shop.meddle(FORGET).await;
        shop.meddle("update exchange set chars = chars + 1").await;
        let refused = shop.try_close(&carrier("vtl"), NOW).await.unwrap_err();
        assert!(matches!(refused, BillingError::Differs { .. }), "{refused}");
        assert_eq!(std::fs::read(&file.path).unwrap(), text, "{}", shop.label);
        running.stop().await;
    }
}
