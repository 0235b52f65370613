//! Databases are opened, written, read and closed; what is open for reading only cannot be written.

use tracuu::db::{Db, DbError};

use crate::support::databases::{databases, sqlite};

#[tokio::test]
async fn a_fresh_database_opens_and_keeps_rows_under_one_sql_text() {
    for database in databases().await {
        let label = database.label;
        let db = database.open().await;
        assert_eq!((db.name(), db.kind()), ("test", label));
        run(&db, "create table word (n bigint primary key, text text not null)").await.unwrap();
        run(&db, "insert into word (n, text) values (1, 'một'), (2, 'hai')").await.unwrap();
        let select = "select n, text from word order by n";
        let rows: Vec<(i64, String)> = match &db {
            Db::Sqlite { readers, .. } => sqlx::query_as(select).fetch_all(readers).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(select).fetch_all(pool).await.unwrap(),
        };
        assert_eq!(rows, [(1, "một".to_owned()), (2, "hai".to_owned())], "{label}");
        db.close().await;
    }
}

#[tokio::test]
async fn each_database_of_a_test_is_its_own() {
    let (some, others) = (databases().await, databases().await);
    for database in some.iter().chain(&others) {
        let db = database.open().await;
        run(&db, "create table only_here (n bigint)").await.unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn sqlite_open_for_reading_refuses_to_write_and_is_never_created() {
    let database = sqlite();
    let missing = database.open_read_only().await.unwrap_err();
    assert!(matches!(missing, DbError::Unavailable { .. }), "{missing}");

    let db = database.open().await;
    run(&db, "create table word (n integer)").await.unwrap();
    run(&db, "insert into word values (7)").await.unwrap();
    db.close().await;

    let db = database.open_read_only().await.unwrap();
    let refused = run(&db, "insert into word values (8)").await.unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let rows: Vec<(i64,)> = sqlx::query_as("select n from word").fetch_all(readers).await.unwrap();
    assert_eq!(rows, [(7,)]);
    db.close().await;
}

#[tokio::test]
async fn the_reading_connections_of_an_open_sqlite_file_refuse_to_write() {
    let database = sqlite();
    let db = database.open().await;
    run(&db, "create table word (n integer)").await.unwrap();
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let refused = sqlx::query("insert into word values (1)").execute(readers).await.unwrap_err();
    assert!(db.fault(&refused).to_string().contains("readonly"), "{refused}");
    db.close().await;
}

async fn run(db: &Db, statement: &'static str) -> Result<(), DbError> {
    let done = match db {
        Db::Sqlite { writer, .. } => sqlx::raw_sql(statement).execute(writer).await.map(drop),
        Db::Postgres { pool, .. } => sqlx::raw_sql(statement).execute(pool).await.map(drop),
    };
    done.map_err(|error| db.fault(&error))
}
