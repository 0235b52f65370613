//! One writing transaction on whichever database it is.

use sqlx::{Postgres, SqlStr, Sqlite, Transaction};

use super::{Db, DbError, WRITERS, code::spoils, step};

/// Takes SQLite's one place for writing at once, so that two never wait for each other half way.
pub(super) const BEGIN: &str = "begin immediate";

/// A writing transaction. Dropped without [`Tx::commit`], it is rolled back.
pub enum Tx<'c> {
    /// On the one writing connection of a SQLite file, begun with `begin immediate`.
    Sqlite(&'static str, Transaction<'c, Sqlite>),
    /// On a connection of a PostgreSQL pool.
    Postgres(&'static str, Transaction<'c, Postgres>),
}

/// Runs one piece of code on the connection of a transaction, compiled for both drivers.
/// `in_tx!(tx, conn => sqlx::query("delete from t where k = $1").bind(k).execute(conn).await)`
macro_rules! in_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(_, tx) => {
                let $conn = &mut **tx;
                $crate::db::step::call($crate::db::step::Call::Statement, async { $body }).await
            }
            $crate::db::Tx::Postgres(_, tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}

pub(crate) use in_tx;

impl Tx<'_> {
    /// What the database is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(name, _) | Self::Postgres(name, _) => name,
        }
    }

    /// Turns an error of the driver into ours.
    pub fn fault(&self, error: &sqlx::Error) -> DbError {
        DbError::from_sqlx(self.name(), error)
    }

    /// Makes it durable: on return the rows are on disk.
    ///
    /// # Errors
    /// [`DbError::Unavailable`]: the rows may or may not be there; whoever must know asks the database.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(name, tx) => {
                let kept = step::call(step::Call::Commit, tx.commit()).await;
                kept.map_err(|error| DbError::from_sqlx(name, &error))
            }
            Self::Postgres(name, tx) => tx.commit().await.map_err(|error| DbError::from_sqlx(name, &error)),
        }
    }
}

impl Db {
    /// Begins a writing transaction.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection is free in time or another process holds the lock.
    pub async fn begin(&self) -> Result<Tx<'static>, DbError> {
        match self {
            Self::Sqlite { name, writer, .. } => {
                let mut tries = 1;
                loop {
                    let mut connection = writer.acquire().await.map_err(|error| self.fault(&error))?;
                    // Rarely does anybody but the seat write, so what became of its connection is not worth knowing.
                    connection.close_on_drop();
                    let begun = Transaction::begin(connection, Some(SqlStr::from_static(BEGIN)));
                    match step::call(step::Call::Begin, begun).await {
                        Ok(tx) => return Ok(Tx::Sqlite(name, tx)),
                        // One that was kept from before may have become useless: then the next, at last a new one.
                        Err(error) if spoils(&error) && tries <= WRITERS => tries += 1,
                        Err(error) => return Err(self.fault(&error)),
                    }
                }
            }
            Self::Postgres { name, pool, .. } => {
                let begun = pool.begin().await;
                begun.map(|tx| Tx::Postgres(name, tx)).map_err(|error| self.fault(&error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::OpenDb;

    #[tokio::test]
    async fn a_connection_that_became_useless_is_not_lent_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display()).into();
        let wait = Duration::from_secs(5);
        let db = Db::open(&OpenDb { name: "store", url, read_only: false, readers: 1, wait }).await.unwrap();
        let Db::Sqlite { writer, .. } = &db else { panic!("it is SQLite") };
        // As if the file system had been read-only when they were opened.
        let mut useless = [writer.acquire().await.unwrap(), writer.acquire().await.unwrap()];
        for connection in &mut useless {
            sqlx::raw_sql("pragma query_only = on").execute(&mut **connection).await.unwrap();
        }
        drop(useless);
        while writer.num_idle() < 2 {
            tokio::task::yield_now().await;
        }
        let mut next = db.begin().await.unwrap();
        in_tx!(&mut next, conn => sqlx::raw_sql("create table t (a)").execute(conn).await.map(|_| ())).unwrap();
        next.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stop_all_that_follow() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display()).into();
        let wait = Duration::from_secs(5);
        let db = Db::open(&OpenDb { name: "store", url, read_only: false, readers: 1, wait }).await.unwrap();
        let mut ended = db.begin().await.unwrap();
        // What SQLite does on a full disk (SQLITE_FULL), behind the driver's back.
        in_tx!(&mut ended, conn => sqlx::raw_sql("rollback").execute(conn).await.map(|_| ())).unwrap();
        assert!(ended.commit().await.is_err());
        for _ in 0..2 {
            let mut next = db.begin().await.unwrap();
            let made = "create table if not exists t (a)";
            in_tx!(&mut next, conn => sqlx::raw_sql(made).execute(conn).await.map(|_| ())).unwrap();
            next.commit().await.unwrap();
        }
    }
}
