//! A connection that one user keeps. A pool asks the database whether a connection still lives each time it is lent and
//! each time it comes back; on the path of every message that is twice the way to the database for nothing.

use sqlx::{Connection as _, Executor as _, Postgres, Sqlite, pool::PoolConnection};

use super::{Db, DbError, Tx, durable, step, tx::BEGIN};

/// A pool's connection.
pub(crate) enum Connection {
    /// Of a SQLite file.
    Sqlite(PoolConnection<Sqlite>),
    /// Of a PostgreSQL server.
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// Closes it instead of handing it back: nobody knows in what state it is.
    pub(crate) fn discard(self) {
        match self {
            Self::Sqlite(mut connection) => connection.close_on_drop(),
            Self::Postgres(mut connection) => connection.close_on_drop(),
        }
    }
}

/// The place of one writer and the connection it keeps.
pub struct Seat {
    db: Db,
    connection: Option<Connection>,
    /// Rows written since somebody looked how long the log is.
    unmerged: usize,
}

/// Rows after which it is worth a look how long the log is; a look costs as much as a statement.
const LOOK_AFTER: usize = 500;

impl Seat {
    /// A seat without a connection; the first transaction takes one.
    pub fn new(db: Db) -> Self {
        Self { db, connection: None, unmerged: LOOK_AFTER }
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Whether a connection is kept from before: it may have died unseen.
    pub fn is_kept(&self) -> bool {
        self.connection.is_some()
    }

    /// Closes the connection that is kept. To be called after every failure.
    pub fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            step::aside(|| connection.discard());
        }
    }

    /// Merges a SQLite file's log into the file when much waits in it. To be called after each transaction with the number
    /// of rows it wrote; a server sees to it itself.
    ///
    /// # Errors
    /// [`DbError::Unsynced`]: the process must end. Else the log only grows: what was committed stays committed.
    pub async fn tidy(&mut self, rows: usize) -> Result<(), DbError> {
        self.unmerged = self.unmerged.saturating_add(rows.max(1));
        match &mut self.connection {
            Some(Connection::Sqlite(_)) if self.unmerged < LOOK_AFTER => Ok(()),
            Some(Connection::Sqlite(connection)) => {
                durable::merge_much(connection).await.map_err(|error| self.db.fault(&error))?;
                self.unmerged = 0;
                Ok(())
            }
            Some(Connection::Postgres(_)) | None => Ok(()),
        }
    }

    /// Begins a writing transaction.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when no connection is free in time, the one that was kept has died, or another process
    /// holds the lock. Nothing was done; when a connection was kept, [`Seat::leave`] and one more try are worth it.
    pub async fn begin(&mut self) -> Result<Tx<'_>, DbError> {
        let connection = if let Some(kept) = self.connection.take() {
            kept
        } else {
            let mut taken = self.db.connection().await?;
            let prepared = match &mut taken {
                Connection::Sqlite(connection) => durable::no_merging_unseen(connection).await,
                Connection::Postgres(connection) => connection.execute(sqlx::raw_sql(PAUSED)).await.map(|_| ()),
            };
            if let Err(error) = prepared {
                taken.discard();
                return Err(self.db.fault(&error));
            }
            taken
        };
        match self.connection.insert(connection) {
            Connection::Sqlite(connection) => {
                let begun = step::call(step::Call::Begin, connection.begin_with(BEGIN)).await;
                begun.map(|tx| Tx::Sqlite(self.db.name(), tx)).map_err(|error| self.db.fault(&error))
            }
            Connection::Postgres(connection) => {
                let begun = connection.begin().await;
                begun.map(|tx| Tx::Postgres(self.db.name(), tx)).map_err(|error| self.db.fault(&error))
            }
        }
    }
}

/// The server ends a writer's transaction that nothing has been asked in for so long: the process was paused or cut off in
/// the middle of it, and whoever takes its place waits for its rows.
const PAUSED: &str = "set idle_in_transaction_session_timeout = 5000";

impl Db {
    /// A connection of the writing pool.
    async fn connection(&self) -> Result<Connection, DbError> {
        let taken = match self {
            Self::Sqlite { writer, .. } => writer.acquire().await.map(Connection::Sqlite),
            Self::Postgres { pool, .. } => pool.acquire().await.map(Connection::Postgres),
        };
        taken.map_err(|error| self.fault(&error))
    }

    /// A connection of the reading pool.
    pub(crate) async fn reading_connection(&self) -> Result<Connection, DbError> {
        let taken = match self {
            Self::Sqlite { readers, .. } => readers.acquire().await.map(Connection::Sqlite),
            Self::Postgres { pool, .. } => pool.acquire().await.map(Connection::Postgres),
        };
        taken.map_err(|error| self.fault(&error))
    }
}
