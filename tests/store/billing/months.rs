//! The end of a month in the contract's zone.

use tracuu::{clock::Micros, message::Stream};

use super::ledger::{Shop, carrier, records};
use crate::support::databases::databases;

/// 2026-12-01T00:00+07:00.
const MIDNIGHT: Micros = Micros(1_796_058_000_000_000);

#[tokio::test]
async fn a_file_ends_with_the_month_and_what_comes_after_is_late() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let (before, after) = (Micros(MIDNIGHT.0 - 1), MIDNIGHT);
        // A long text whose parts came slowly is stored after younger ones.
        let keys = running.ask("vtl", Stream::Chargeable, &[before, before, after, before, after]).await;
        running.settle("vtl", Stream::Chargeable, &keys[..1], before).await;
        running.settle("vtl", Stream::Chargeable, &keys[1..3], after).await;
        let now = MIDNIGHT.plus_seconds(300);
        let november = shop.try_close(&carrier("vtl"), now).await.unwrap();
        assert_eq!((november.period.as_str(), november.mo, november.mt, november.more), ("2026-11", 2, 1, true));
        assert!(november.name().contains("_P_202611_00000001_"), "{}", november.name());
        // The file behind begins with a record of December, but holds one more of November, whose files are closed.
        let december = shop.try_close(&carrier("vtl"), now).await.unwrap();
        assert_eq!((december.period.as_str(), december.mo, december.mt, december.more), ("2026-12", 3, 2, false));
        let periods: Vec<(String, String)> =
            records(&december.path).iter().map(|one| (one["period"].clone(), one["late"].clone())).collect();
        let expected = [("2026-12", "0"), ("2026-11", "1"), ("2026-12", "0"), ("2026-12", "0"), ("2026-12", "0")];
        assert_eq!(periods, expected.map(|(period, late)| (period.to_owned(), late.to_owned())), "{}", shop.label);
        assert!(records(&november.path).iter().all(|one| one["late"] == "0"));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_clock_that_ran_ahead_carries_no_file_with_it() {
    for database in databases().await {
        let shop = Shop::open(&database).await;
        let running = shop.start().await;
        let now = Micros(MIDNIGHT.0 - 5_000_000);
        running.ask("vtl", Stream::Chargeable, &[now.plus_seconds(9_000_000), now]).await;
        let file = shop.try_close(&carrier("vtl"), now).await.unwrap();
        assert_eq!((file.period.as_str(), file.mo, file.more), ("2026-11", 2, false), "{}", shop.label);
        let records = records(&file.path);
        assert_eq!((records[0]["period"].as_str(), records[0]["flags"].as_str()), ("2027-03", "clock_suspect"));
        assert_eq!((records[1]["period"].as_str(), records[1]["flags"].as_str()), ("2026-11", ""));
        running.stop().await;
    }
}
