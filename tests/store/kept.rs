//! What was told as stored is there: all of it, after a restart too; what was not told is not.

use tracuu::{
    db::Db,
    ledger::{Entry, Fate, Table, read::store::high_water},
    message::{RowKey, Ticket},
};

use crate::book::{BEGIN, books, carrier_id, content, exchange, part, repeat, sender};

#[tokio::test]
async fn an_acknowledged_question_has_its_exchange_reply_audit_hash_and_mark_after_a_restart() {
    for book in books().await {
        let label = book.label;
        let first = book.start().await;
        let (key, part_key) = (first.ledger.next_key(), first.ledger.next_key());
        let entries = vec![exchange(&first.ledger, key, "vtl", BEGIN), part(&first.ledger, part_key, BEGIN)];
        assert_eq!(first.ledger.store(entries).await, [Fate::Stored; 2], "{label}");
        first.kill().await;

        let second = book.start().await;
        assert!(second.ledger.epoch() > key.epoch(), "{label}");
        let mo = book.mo("vtl").await;
        let [row] = &mo[..] else { panic!("{label}: {mo:?}") };
        assert_eq!((row.key, row.received_at, row.outcome, row.chars), (key.0, BEGIN.0, 1, 11), "{label}");
        let sealed = row.sealed.as_deref().unwrap();
        let number = second.ledger.unseal(Table::Exchange, key, sealed).await.unwrap();
        assert_eq!(number.as_slice(), sender(key).expose().to_be_bytes(), "{label}");

        let waiting = second.ledger.waiting(&carrier_id("vtl"), RowKey(0), 9).await.unwrap();
        assert_eq!(waiting.iter().map(|one| (one.key, one.marked)).collect::<Vec<_>>(), [(key, false)], "{label}");
        assert_eq!(waiting[0].content.as_slice(), content(key).to_octets(), "{label}");
        assert!(second.ledger.waiting(&carrier_id("vnp"), RowKey(0), 9).await.unwrap().is_empty(), "{label}");
        assert!(second.ledger.waiting(&carrier_id("vtl"), key, 9).await.unwrap().is_empty(), "{label}");

        let parts = second.ledger.open_parts(9).await.unwrap();
        let one = &parts[0];
        assert_eq!((parts.len(), one.key, one.line, one.index, one.total), (1, part_key, 12, 1, 2), "{label}");
        assert_eq!((one.reference, one.data_coding, one.content.as_slice()), (300, 8, &b"a part"[..]), "{label}");

        let recent = second.ledger.may_come_again(BEGIN, 30, 9).await.unwrap();
        assert_eq!(recent.iter().map(|one| one.key).collect::<Vec<_>>(), [key], "{label}");
        let marks = high_water(&book.db).await.unwrap();
        let marks: Vec<_> = marks.iter().map(|one| (one.epoch, one.exchange_high, one.settlement_high)).collect();
        assert_eq!(marks, [(key.epoch(), key.n(), 0), (second.ledger.epoch(), 0, 0)], "{label}");
        let hashes = "select count(*) from exchange e join writer w on w.audit_head = e.audit_hash";
        assert_eq!(book.number(hashes).await, 1, "{label}");
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.waiting, balance.parts, balance.lost), (1, 1, 1, 0), "{label}");
        second.end().await;
    }
}

#[tokio::test]
async fn one_transaction_holds_all_of_a_question_or_nothing() {
    for book in books().await {
        let running = book.start().await;
        let part_key = running.ledger.next_key();
        assert_eq!(running.store(part(&running.ledger, part_key, BEGIN)).await, Fate::Stored);
        book.refuse("outbox").await;
        let key = running.ledger.next_key();
        let Entry::Exchange { row, outbox, .. } = exchange(&running.ledger, key, "vtl", BEGIN) else { panic!() };
        let entry = Entry::Exchange { row, outbox, consumes: vec![part_key], ticket: None };
        assert_eq!(running.store(entry).await, Fate::Failed, "{}", book.label);
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.waiting, balance.parts), (0, 0, 1), "{}", book.label);
        assert_eq!(book.number("select max(exchange_high) from writer").await, 0, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_message_whose_line_gave_up_is_left_out_and_the_others_of_its_group_are_stored() {
    for book in books().await {
        let running = book.start().await;
        let (late, ledger) = (Ticket::new(), &running.ledger);
        assert!(late.give_up());
        let mut entries = Vec::new();
        for ticket in [Ticket::new(), late, Ticket::new()] {
            let key = ledger.next_key();
            let Entry::Exchange { row, outbox, consumes, .. } = exchange(ledger, key, "vtl", BEGIN) else { panic!() };
            entries.push(Entry::Exchange { row, outbox, consumes, ticket: Some(ticket) });
        }
        assert_eq!(ledger.store(entries).await, [Fate::Stored, Fate::GivenUp, Fate::Stored], "{}", book.label);
        let keys: Vec<i64> = book.mo("vtl").await.iter().map(|row| RowKey(row.key).n()).collect();
        assert_eq!((keys, book.balance().await.waiting), (vec![1, 3], 2), "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn the_parts_of_a_text_go_with_the_commit_of_their_exchange() {
    for book in books().await {
        let running = book.start().await;
        let ledger = &running.ledger;
        let (one, two, other) = (ledger.next_key(), ledger.next_key(), ledger.next_key());
        let parts = [one, two, other].map(|key| part(ledger, key, BEGIN)).into();
        assert_eq!(ledger.store(parts).await, [Fate::Stored; 3], "{}", book.label);
        let key = ledger.next_key();
        let Entry::Exchange { row, outbox, .. } = exchange(ledger, key, "vtl", BEGIN) else { panic!() };
        let entry = Entry::Exchange { row, outbox, consumes: vec![one, two], ticket: None };
        assert_eq!(running.store(entry).await, Fate::Stored, "{}", book.label);
        let left: Vec<RowKey> = ledger.open_parts(9).await.unwrap().iter().map(|part| part.key).collect();
        assert_eq!(left, [other], "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_repeat_of_what_is_there_is_counted_and_of_what_is_not_is_an_orphan() {
    for book in books().await {
        let running = book.start().await;
        let ledger = &running.ledger;
        let there = running.exchange(&book.clock).await;
        let (beside, part_key, nowhere) = (ledger.next_key(), ledger.next_key(), RowKey::new(9, 9));
        let entries = vec![
            part(ledger, part_key, BEGIN),
            repeat(ledger, there, BEGIN),
            repeat(ledger, part_key, BEGIN),
            repeat(ledger, nowhere, BEGIN),
            // Its first copy is in the same group.
            repeat(ledger, beside, BEGIN),
            exchange(ledger, beside, "vtl", BEGIN),
        ];
        let fates = ledger.store(entries).await;
        let (kept, refused) = (Fate::Stored, Fate::Orphan);
        assert_eq!(fates, [kept, kept, kept, refused, kept, kept], "{}", book.label);
        assert_eq!(book.balance().await.repeats, 3, "{}", book.label);
        running.end().await;
    }
}

/// Such groups move neither of the marks, so that nothing but the count of commits tells whether they were kept.
#[tokio::test]
async fn a_part_a_repeat_or_a_mark_that_the_database_refused_is_never_told_as_stored() {
    for book in books().await {
        let running = book.start().await;
        let there = running.exchange(&book.clock).await;
        for (table, entry) in [
            ("part", part(&running.ledger, running.ledger.next_key(), BEGIN)),
            ("repeat_question", repeat(&running.ledger, there, BEGIN)),
            ("sending", Entry::Sending(there)),
        ] {
            book.refuse(table).await;
            assert_eq!(running.store(entry).await, Fate::Failed, "{table} on {}", book.label);
            assert_eq!(book.number(&format!("select count(*) from {table}")).await, 0);
            book.relent(table).await;
        }
        assert_eq!(running.store(repeat(&running.ledger, there, BEGIN)).await, Fate::Stored, "{}", book.label);
        running.end().await;
    }
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_at_its_very_end_is_told_as_failed() {
    for book in books().await {
        // SQLite has nothing that waits for the commit while foreign keys are off.
        let Db::Postgres { .. } = &book.db else { continue };
        let running = book.start().await;
        book.run(
            "create function late() returns trigger language plpgsql as 'begin raise exception ''no''; end';
             create constraint trigger late after insert on part deferrable initially deferred
             for each row execute function late()",
        )
        .await;
        let (part_key, key) = (running.ledger.next_key(), running.ledger.next_key());
        let entries = vec![part(&running.ledger, part_key, BEGIN), exchange(&running.ledger, key, "vtl", BEGIN)];
        assert_eq!(running.ledger.store(entries).await, [Fate::Failed; 2]);
        book.run("drop trigger late on part").await;
        running.exchange(&book.clock).await;
        let balance = book.balance().await;
        assert_eq!((balance.exchanges, balance.parts), (1, 0));
        assert_eq!(book.number("select commits from writer").await, 1);
        running.end().await;
    }
}

#[tokio::test]
async fn a_row_that_was_tampered_with_does_not_keep_the_others_from_being_read() {
    for book in books().await {
        let first = book.start().await;
        let (bad, good) = (first.exchange(&book.clock).await, first.exchange(&book.clock).await);
        let part_key = first.ledger.next_key();
        assert_eq!(first.store(part(&first.ledger, part_key, BEGIN)).await, Fate::Stored);
        first.kill().await;
        let nothing = if book.file().is_some() { "x'00'" } else { "'\\x00'" };
        book.run(&format!("update outbox set sealed = {nothing} where key = {}", bad.0)).await;
        book.run(&format!("update part set sealed = {nothing}")).await;
        let second = book.start().await;
        let waiting = second.ledger.waiting(&carrier_id("vtl"), RowKey(0), 9).await.unwrap();
        let read: Vec<_> = waiting.iter().map(|one| (one.key, one.content.is_empty())).collect();
        assert_eq!(read, [(bad, true), (good, false)], "{}", book.label);
        assert!(second.ledger.open_parts(9).await.unwrap()[0].content.is_empty(), "{}", book.label);
        second.end().await;
    }
}

#[tokio::test]
async fn a_connection_that_died_while_nothing_was_asked_of_it_makes_nobody_wait() {
    for book in books().await {
        let Db::Postgres { .. } = &book.db else { continue };
        let running = book.start().await;
        running.exchange(&book.clock).await;
        for _ in 0..3 {
            book.run(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await;
            let (key, ledger) = (running.ledger.next_key(), &running.ledger);
            assert_eq!(running.store(exchange(ledger, key, "vtl", BEGIN)).await, Fate::Stored);
        }
        assert_eq!(book.balance().await.exchanges, 4);
        running.end().await;
    }
}
