//! Several instances on one store: who is fenced, and to whom belongs what an instance left that is gone.

use std::time::Duration;

use tracuu::{
    db::Db,
    ledger::{Fate, Sign, Succession},
    message::RowKey,
};

use crate::book::{BEGIN, Book, Running, books, carrier_id, exchange, part};

const ALL: i64 = 1_000;

/// What an instance sees of another.
pub(super) async fn sign(of: &Running, instance: &str) -> Sign {
    let signs = of.ledger.signs().await.unwrap();
    signs.into_iter().find(|sign| sign.instance == instance).unwrap()
}

/// An heir takes over what these instances left, which are dead, with these carriers.
pub(super) async fn take_over(book: &Book, heir: &Running, dead: &[&str], carriers: &[&str]) -> Succession {
    let mut signs = Vec::new();
    for instance in dead {
        signs.push(sign(heir, instance).await);
    }
    let carriers: Vec<_> = carriers.iter().map(|name| carrier_id(name)).collect();
    heir.ledger.take_over(&signs, &carriers, book.clock.now()).await.unwrap()
}

/// What it took: epoch, carrier, and whose it was.
fn taken(done: &Succession) -> Vec<(i64, &str, &str)> {
    done.taken.iter().map(|taken| (taken.epoch, taken.carrier.as_str(), taken.of.as_str())).collect()
}

async fn waiting(of: &Running, carrier: &str) -> Vec<RowKey> {
    let rows = of.ledger.waiting(&carrier_id(carrier), RowKey(0), ALL).await.unwrap();
    rows.iter().map(|row| row.key).collect()
}

async fn waiting_of(of: &Running, epoch: i64, carrier: &str) -> Vec<RowKey> {
    let rows = of.ledger.waiting_of(epoch, &carrier_id(carrier), RowKey(0), ALL).await.unwrap();
    rows.iter().map(|row| row.key).collect()
}

#[tokio::test]
async fn what_a_dead_instance_left_belongs_to_the_one_that_took_it_over_and_the_dead_is_fenced() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        let (first, own) = (one.exchange(&book.clock).await, two.exchange(&book.clock).await);
        let one_epoch = one.ledger.epoch();
        one.kill().await;
        let done = take_over(&book, &two, &["one"], &["vtl"]).await;
        assert_eq!(done.fenced, ["one"], "{}", book.label);
        assert_eq!(taken(&done), [(one_epoch, "vtl", "one")], "{}", book.label);
        assert_eq!(two.ledger.taken().await.unwrap(), [(one_epoch, carrier_id("vtl"))], "{}", book.label);
        assert_eq!(waiting_of(&two, one_epoch, "vtl").await, [first], "{}", book.label);
        assert_eq!(waiting(&two, "vtl").await, [own], "{}: it comes by its own way, and once", book.label);
        assert!(sign(&two, "one").await.ended, "{}", book.label);
        let again = take_over(&book, &two, &["one"], &["vtl"]).await;
        assert_eq!(again, Succession::default(), "{}: nothing twice", book.label);
        two.end().await;
    }
}

#[tokio::test]
async fn an_instance_that_commits_after_it_was_seen_is_not_fenced_and_keeps_its_own() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        one.exchange(&book.clock).await;
        let seen = sign(&two, "one").await;
        one.exchange(&book.clock).await;
        let done = two.ledger.take_over(&[seen], &[carrier_id("vtl")], book.clock.now()).await.unwrap();
        assert_eq!(done, Succession::default(), "{}", book.label);
        one.exchange(&book.clock).await;
        assert_eq!(waiting(&one, "vtl").await.len(), 3, "{}", book.label);
        one.end().await;
        two.end().await;
    }
}

#[tokio::test]
async fn a_fenced_instance_stores_nothing_more_may_not_send_and_ends() {
    for book in books().await {
        let (mut one, two) = (book.start_as("one").await, book.start_as("two").await);
        one.exchange(&book.clock).await;
        assert!(one.ledger.lease().holds(std::time::Instant::now()), "{}", book.label);
        // It lives, so it may show so between the look and the deed.
        while take_over(&book, &two, &["one"], &["vtl"]).await.fenced.is_empty() {}
        let key = one.ledger.next_key();
        let fate = one.store(exchange(&one.ledger, key, "vtl", BEGIN)).await;
        assert_eq!(fate, Fate::Failed, "{}", book.label);
        assert!(one.ended().await.is_err(), "{}", book.label);
        assert!(one.ledger.lease().is_revoked(), "{}", book.label);
        assert_eq!(book.balance().await.exchanges, 1, "{}", book.label);
        two.end().await;
    }
}

#[tokio::test]
async fn an_heir_that_dies_leaves_to_the_next_what_it_had_taken_over_and_its_own() {
    for book in books().await {
        let (one, two, three) = (book.start_as("one").await, book.start_as("two").await, book.start_as("three").await);
        let (first, second) = (one.exchange(&book.clock).await, two.exchange(&book.clock).await);
        let epochs = [one.ledger.epoch(), two.ledger.epoch()];
        one.kill().await;
        assert_eq!(take_over(&book, &two, &["one"], &["vtl"]).await.taken.len(), 1, "{}", book.label);
        two.kill().await;
        let done = take_over(&book, &three, &["one", "two"], &["vtl"]).await;
        assert_eq!(done.fenced, ["two"], "{}", book.label);
        assert_eq!(taken(&done), [(epochs[0], "vtl", "two"), (epochs[1], "vtl", "two")], "{}", book.label);
        assert_eq!(waiting_of(&three, epochs[0], "vtl").await, [first], "{}", book.label);
        assert_eq!(waiting_of(&three, epochs[1], "vtl").await, [second], "{}", book.label);
        three.end().await;
    }
}

#[tokio::test]
async fn whoever_returns_finds_what_it_still_owns_and_no_more() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        let (first, second) = (one.exchange(&book.clock).await, two.exchange(&book.clock).await);
        one.kill().await;
        take_over(&book, &two, &["one"], &["vtl"]).await;
        let back = book.start_as("one").await;
        assert!(waiting(&back, "vtl").await.is_empty(), "{}: it belongs to the other", book.label);
        let third = back.exchange(&book.clock).await;
        assert_eq!(waiting(&back, "vtl").await, [third], "{}", book.label);
        // The heir returns in time: what it had taken over it finds like its own.
        two.kill().await;
        let two = book.start_as("two").await;
        assert_eq!(waiting(&two, "vtl").await, [first, second], "{}", book.label);
        assert!(two.ledger.taken().await.unwrap().is_empty(), "{}", book.label);
        two.kill().await;
        let done = take_over(&book, &back, &["two"], &["vtl"]).await;
        assert_eq!(done.taken.len(), 2, "{}", book.label);
        assert_eq!(waiting_of(&back, first.epoch(), "vtl").await, [first], "{}: its own, taken back", book.label);
        assert_eq!(waiting(&back, "vtl").await, [third], "{}", book.label);
        back.end().await;
    }
}

#[tokio::test]
async fn an_instance_that_ended_in_order_is_an_heirs_too_and_one_that_runs_again_is_not() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        one.exchange(&book.clock).await;
        one.end().await;
        let ended = sign(&two, "one").await;
        assert!(ended.ended, "{}", book.label);
        let back = book.start_as("one").await;
        let vtl = [carrier_id("vtl")];
        let done = two.ledger.take_over(std::slice::from_ref(&ended), &vtl, BEGIN).await.unwrap();
        assert_eq!(done, Succession::default(), "{}: it runs", book.label);
        back.end().await;
        let done = two.ledger.take_over(&[ended], &vtl, BEGIN).await.unwrap();
        assert_eq!((done.fenced.len(), done.taken.len()), (0, 1), "{}", book.label);
        two.end().await;
    }
}

#[tokio::test]
async fn what_is_left_of_carriers_that_an_heir_does_not_have_is_another_ones() {
    for book in books().await {
        let (one, two, three) = (book.start_as("one").await, book.start_as("two").await, book.start_as("three").await);
        let (vtl, vnp) = (one.exchange(&book.clock).await, one.exchange_of("vnp", &book.clock).await);
        one.kill().await;
        let done = take_over(&book, &two, &["one"], &["vtl", "mbf"]).await;
        assert_eq!(taken(&done), [(vtl.epoch(), "vtl", "one")], "{}", book.label);
        let done = take_over(&book, &three, &["one"], &["vtl", "vnp"]).await;
        assert_eq!(taken(&done), [(vtl.epoch(), "vnp", "one")], "{}", book.label);
        assert_eq!(waiting_of(&three, vnp.epoch(), "vnp").await, [vnp], "{}", book.label);
        two.end().await;
        three.end().await;
    }
}

#[tokio::test]
async fn of_heirs_that_come_together_one_takes_it() {
    for book in books().await {
        let one = book.start_as("one").await;
        let heirs = [book.start_as("two").await, book.start_as("three").await, book.start_as("four").await];
        one.exchange(&book.clock).await;
        one.kill().await;
        let mut all = tokio::task::JoinSet::new();
        for heir in &heirs {
            let (seen, ledger, now) = (sign(heir, "one").await, heir.ledger.clone(), book.clock.now());
            all.spawn(async move { ledger.take_over(&[seen], &[carrier_id("vtl")], now).await.unwrap() });
        }
        let done = all.join_all().await;
        let (fenced, taken): (usize, usize) =
            (done.iter().map(|done| done.fenced.len()).sum(), done.iter().map(|done| done.taken.len()).sum());
        assert_eq!((fenced, taken), (1, 1), "{}", book.label);
        drop(done);
        for heir in heirs {
            heir.end().await;
        }
    }
}

#[tokio::test]
async fn parts_of_texts_go_by_the_owner_too() {
    for book in books().await {
        let (one, two) = (book.start_as("one").await, book.start_as("two").await);
        let key = one.ledger.next_key();
        assert_eq!(one.store(part(&one.ledger, key, BEGIN)).await, Fate::Stored);
        one.kill().await;
        assert!(two.ledger.open_parts(ALL).await.unwrap().is_empty(), "{}: they are not its own", book.label);
        assert_eq!(take_over(&book, &two, &["one"], &["vtl"]).await.taken.len(), 1, "{}", book.label);
        let parts = two.ledger.parts_of(key.epoch(), &carrier_id("vtl"), ALL).await.unwrap();
        assert_eq!((parts.len(), parts[0].key), (1, key), "{}", book.label);
        let back = book.start_as("one").await;
        assert!(back.ledger.open_parts(ALL).await.unwrap().is_empty(), "{}", book.label);
        back.end().await;
        two.kill().await;
        let two = book.start_as("two").await;
        assert_eq!(two.ledger.open_parts(ALL).await.unwrap().len(), 1, "{}", book.label);
        two.end().await;
    }
}

/// A process that was paused in the middle of a commit holds its row: whoever wants to take over waits for it, and the
/// others go on meanwhile.
#[tokio::test]
async fn a_process_paused_in_mid_commit_holds_nobody_up_but_its_heir() {
    for book in books().await {
        let Db::Postgres { pool, .. } = &book.db else { continue };
        let (one, two, three) = (book.start_as("one").await, book.start_as("two").await, book.start_as("three").await);
        one.exchange(&book.clock).await;
        let epoch = one.ledger.epoch();
        one.kill().await;
        let seen = sign(&two, "one").await;
        let mut paused = pool.begin().await.unwrap();
        let moved = "update writer set commits = commits + 1 where epoch = $1";
        sqlx::query(moved).bind(epoch).execute(&mut *paused).await.unwrap();
        let heir = two.ledger.clone();
        let vtl = [carrier_id("vtl")];
        let (tried, now) = (seen.clone(), book.clock.now());
        let mut trying = tokio::task::JoinSet::new();
        trying.spawn(async move { heir.take_over(&[tried], &vtl, now).await });
        book.until_number("an heir that waits", "select count(*) from pg_locks where not granted", 1).await;
        three.exchange(&book.clock).await;
        assert!(trying.try_join_next().is_none(), "the third's commit waited for the heir");
        assert!(trying.join_next().await.unwrap().unwrap().is_err(), "it does not wait for long");
        paused.rollback().await.unwrap();
        let done = two.ledger.take_over(&[seen], &[carrier_id("vtl")], now).await.unwrap();
        assert_eq!((done.fenced.len(), done.taken.len()), (1, 1));
        two.end().await;
        three.end().await;
    }
}

/// The server itself ends such a transaction, before anybody takes the process for dead.
#[tokio::test]
async fn the_server_gives_a_writer_five_seconds_in_mid_commit() {
    for book in books().await {
        let Db::Postgres { .. } = &book.db else { continue };
        let mut seat = tracuu::db::Seat::new(book.db.clone());
        let mut tx = seat.begin().await.unwrap();
        let tracuu::db::Tx::Postgres(_, inner) = &mut tx else { panic!("not PostgreSQL") };
        let asked = sqlx::query_scalar("show idle_in_transaction_session_timeout").fetch_one(&mut **inner).await;
        let limit: String = asked.unwrap();
        assert_eq!(limit, "5s");
        assert!(Duration::from_secs(5) < tracuu::message::Lease::OTHERS_WAIT);
    }
}
