//! What a database takes on the disk, and giving back what it does not need any more.

use super::{Db, DbError, reading};

impl Db {
    /// Octets that the database takes, and how many of them are free for new rows (not known of a server).
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when it cannot be asked.
    pub async fn space(&self) -> Result<(u64, Option<u64>), DbError> {
        let text = match self {
            Self::Sqlite { .. } => {
                "select page_count * page_size, freelist_count * page_size
                 from pragma_page_count, pragma_freelist_count, pragma_page_size"
            }
            Self::Postgres { .. } => "select pg_database_size(current_database()), cast(null as bigint)",
        };
        let row: Result<(i64, Option<i64>), sqlx::Error> =
            reading!(self, pool => sqlx::query_as(text).fetch_one(pool).await);
        let (all, free) = row.map_err(|error| self.fault(&error))?;
        Ok((all.unsigned_abs(), free.map(i64::unsigned_abs)))
    }

    /// Gives back to the disk what no row takes. SQLite writes the whole file anew: it needs as much room again, and
    /// nobody may write meanwhile. A server marks the room as free for new rows and brings its statistics up to date; it
    /// goes on beside it.
    ///
    /// # Errors
    /// [`DbError`]; the database is as it was.
    pub async fn vacuum(&self) -> Result<(), DbError> {
        match self {
            Self::Sqlite { writer, .. } => {
                let done = sqlx::raw_sql("vacuum").execute(writer).await;
                done.map_err(|error| self.fault(&error))?;
                self.merge().await.map(|_| ())
            }
            Self::Postgres { pool, .. } => {
                let done = sqlx::raw_sql("vacuum (analyze)").execute(pool).await;
                done.map(|_| ()).map_err(|error| self.fault(&error))
            }
        }
    }
}
