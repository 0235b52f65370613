//! What a database says when it refuses a row may repeat the row; what we say never does.

use std::error::Error as _;

use tracuu::db::{Db, DbError};

use crate::support::databases::databases;

/// Looks like nothing else that could stand in an error.
const CANARY: &str = "84520999777-nguyen-thi-mau";

#[tokio::test]
async fn a_refused_row_is_not_repeated_in_the_error() {
    for database in databases().await {
        let db = database.open().await;
        must(&db, "create table person (name text not null unique, age bigint check (age > 0), mother text)").await;
        must(&db, &format!("insert into person (name, age) values ('{CANARY}', 1)")).await;
        let wrong = [
            ("a name twice", format!("insert into person (name, age) values ('{CANARY}', 2)")),
            ("an age of 0", format!("insert into person (name, age) values ('b{CANARY}', 0)")),
            ("no name", format!("insert into person (name, age, mother) values (null, 3, '{CANARY}')")),
        ];
        for (case, statement) in &wrong {
            let (error, _) = fails(&db, statement).await;
            assert!(matches!(error, DbError::Refused { .. }), "{case} on {}: {error}", database.label);
            holds_no_value(&error, case, database.label);
        }
        db.close().await;
    }
}

#[tokio::test]
async fn a_value_of_a_wrong_type_is_not_repeated_in_the_error() {
    for database in databases().await {
        let db = database.open().await;
        must(&db, "create table person (name text)").await;
        must(&db, &format!("insert into person (name) values ('{CANARY}')")).await;
        // SQLite reads such a text as 0, so it is made to fail over the same value elsewhere.
        let statement = match &db {
            Db::Sqlite { .. } => "select json_extract(name, '$') from person",
            Db::Postgres { .. } => "select cast(name as bigint) from person",
        };
        let (error, _) = fails(&db, statement).await;
        holds_no_value(&error, "a cast", database.label);
        db.close().await;
    }
}

/// The test above would prove nothing if the driver's own errors held no values.
#[tokio::test]
async fn the_driver_of_postgresql_does_repeat_the_row() {
    for database in databases().await.iter().filter(|database| database.label == "PostgreSQL") {
        let db = database.open().await;
        must(&db, "create table person (name text unique)").await;
        let insert = format!("insert into person (name) values ('{CANARY}')");
        must(&db, &insert).await;
        let (_, driver) = fails(&db, &insert).await;
        assert!(format!("{driver:?}").contains(CANARY), "{driver:?}");
        db.close().await;
    }
}

fn holds_no_value(error: &DbError, case: &str, label: &str) {
    let said = format!("{error} {error:?} {error:#?}");
    assert!(!said.contains(CANARY), "{case} on {label}: {said}");
    assert!(error.source().is_none(), "{case} on {label}: the driver's error hangs on ours");
}

async fn must(db: &Db, statement: &str) {
    run(db, statement).await.unwrap();
}

/// Our error and the driver's.
async fn fails(db: &Db, statement: &str) -> (DbError, sqlx::Error) {
    let driver = run(db, statement).await.unwrap_err();
    (db.fault(&driver), driver)
}

async fn run(db: &Db, statement: &str) -> Result<(), sqlx::Error> {
    let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
    match db {
        Db::Sqlite { writer, .. } => statement.execute(writer).await.map(drop),
        Db::Postgres { pool, .. } => statement.execute(pool).await.map(drop),
    }
}
