//! One writing transaction on whichever database it is.

use sqlx::{Postgres, Sqlite, Transaction};

use super::{Db, DbError};

/// A writing transaction. Dropped without [`Tx::commit`], it is rolled back.
pub enum Tx {
    /// On the one writing connection of a SQLite file, begun with `begin immediate`.
    Sqlite(&'static str, Transaction<'static, Sqlite>),
    /// On a connection of a PostgreSQL pool.
    Postgres(&'static str, Transaction<'static, Postgres>),
}

/// Runs one piece of code on the connection of a transaction, compiled for both drivers.
/// `in_tx!(tx, conn => sqlx::query("delete from t where k = $1").bind(k).execute(conn).await)`
macro_rules! in_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(_, tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::db::Tx::Postgres(_, tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}

pub(crate) use in_tx;

impl Tx {
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
            Self::Sqlite(name, tx) => tx.commit().await.map_err(|error| DbError::from_sqlx(name, &error)),
            Self::Postgres(name, tx) => tx.commit().await.map_err(|error| DbError::from_sqlx(name, &error)),
        }
    }
}

impl Db {
    /// Begins a writing transaction.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection is free in time or another process holds the lock.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match self {
            Self::Sqlite { name, writer, .. } => {
                let begun = writer.begin_with("begin immediate").await;
                begun.map(|tx| Tx::Sqlite(name, tx)).map_err(|error| self.fault(&error))
            }
            Self::Postgres { name, pool } => {
                let begun = pool.begin().await;
                begun.map(|tx| Tx::Postgres(name, tx)).map_err(|error| self.fault(&error))
            }
        }
    }
}
