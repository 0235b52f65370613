//! What is on the disk, and not only in the memory of the operating system.
//!
//! After a failed fsync nobody knows what is on the disk: the system may have dropped what it could not write, gives it to
//! whoever reads all the same until it needs the memory, and calls the next fsync a success. SQLite, asked again, would
//! append to a log whose end never reached the disk. So a process that meets one must end ([`DbError::Unsynced`]), and
//! every start writes again all that it is going to build on.

use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt as _,
    path::PathBuf,
};

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{Db, DbError, OpenDb, Tx, step};

/// Octets that are written again at a time.
const PIECE: usize = 1 << 20;

/// Pages of the log that wait to be merged into the file before it is done.
const MERGED_AT: i64 = 1_000;

/// A SQLite file up to this size is read through at every start: about a second.
const READ_THROUGH: u64 = 256 << 20;

impl Db {
    /// Makes all that this process sees of a SQLite file durable, before anything is built on it: the log is written
    /// again, whatever the system believes to have written, and merged into the file. A server sees to it itself.
    ///
    /// # Errors
    /// [`DbError::Unsynced`], [`DbError::Unavailable`]: nothing may be acknowledged.
    pub async fn make_durable(&self) -> Result<(), DbError> {
        self.make_log_durable().await?;
        // Whoever reads meanwhile keeps the log from being emptied. It is whole on the disk, so that is no harm.
        self.merge().await.map(|_| ())
    }

    /// The same for a process that only adds something beside a service: the log is left where it is.
    ///
    /// # Errors
    /// As [`Db::make_durable`].
    pub async fn make_log_durable(&self) -> Result<(), DbError> {
        let Self::Sqlite { name, .. } = self else { return Ok(()) };
        let name = *name;
        // While this one lasts nobody else writes into the log.
        let mut tx = self.begin().await?;
        if let Tx::Sqlite(_, connection) = &mut tx {
            let text = "select file from pragma_database_list where name = 'main'";
            let found = sqlx::query_scalar::<_, String>(text).fetch_one(&mut **connection).await;
            let mut log = found.map_err(|error| self.fault(&error))?;
            if !log.is_empty() {
                log.push_str("-wal");
                let written = tokio::task::spawn_blocking(move || {
                    let why = |error: io::Error| format!("its log: {error}");
                    let again = write_again(&PathBuf::from(log));
                    let again = again.map_err(|error| DbError::Unavailable { database: name, why: why(error) })?;
                    let Some(file) = again else { return Ok(()) };
                    file.sync_all().map_err(|error| DbError::Unsynced { database: name, why: why(error) })
                });
                let lost = |_| DbError::Unavailable { database: name, why: "its log was not written again".to_owned() };
                written.await.map_err(lost)??;
            }
        }
        Ok(())
    }

    /// Merges the log of a SQLite file into the file and empties it. `false`: another process reads or writes, so some
    /// of it is left for later.
    ///
    /// # Errors
    /// [`DbError::Unsynced`]; [`DbError::Unavailable`]: the log stays, nothing is lost.
    pub async fn merge(&self) -> Result<bool, DbError> {
        let Self::Sqlite { writer, .. } = self else { return Ok(true) };
        let mut connection = writer.acquire().await.map_err(|error| self.fault(&error))?;
        let merged = log(&mut connection, "truncate").await.map_err(|error| self.fault(&error))?;
        Ok(merged.busy == 0)
    }

    /// Looks at a file before it is opened for writing, and changes nothing: a damaged one must stay as it is. A file that
    /// is not there is no fault. Gives whether it was read through; a larger one than takes a second is only looked at.
    ///
    /// # Errors
    /// [`DbError::Damaged`]; [`DbError::Unavailable`] when it cannot be read.
    pub async fn inspect(open: &OpenDb) -> Result<bool, DbError> {
        let Some(file) = super::file_of(open)? else { return Ok(true) };
        let size = match std::fs::metadata(&file) {
            Ok(found) => found.len(),
            Err(_) => 0,
        };
        if size == 0 {
            return Ok(true);
        }
        let db = Self::open(&OpenDb { read_only: true, readers: 1, ..open.clone() }).await?;
        let whole = size <= READ_THROUGH;
        let found = db.examine(whole).await;
        db.close().await;
        found.map(|()| whole)
    }

    /// Looks at the schema of a SQLite file, or reads it through.
    ///
    /// # Errors
    /// [`DbError::Damaged`] names the first damage.
    pub async fn examine(&self, whole: bool) -> Result<(), DbError> {
        let Self::Sqlite { name, readers, .. } = self else { return Ok(()) };
        let text =
            if whole { "pragma quick_check(1)" } else { "select 'ok' from (select count(*) from sqlite_schema)" };
        let said = step::call(step::Call::Read, sqlx::query_scalar::<_, String>(text).fetch_all(readers)).await;
        let said = said.map_err(|error| self.fault(&error))?;
        match said.as_slice() {
            [ok] if ok == "ok" => Ok(()),
            other => {
                let first = other.first().and_then(|said| said.lines().find(|line| !line.starts_with("***")));
                let why = format!("its file is damaged ({})", first.unwrap_or("it holds nothing"));
                Err(DbError::Damaged { database: name, why })
            }
        }
    }
}

/// What became of a log.
struct Log {
    busy: i64,
    pages: i64,
    merged: i64,
}

async fn log(connection: &mut SqliteConnection, how: &'static str) -> Result<Log, sqlx::Error> {
    let text = AssertSqlSafe(format!("pragma wal_checkpoint({how})"));
    let (busy, pages, merged) = sqlx::query_as(text).fetch_one(connection).await?;
    Ok(Log { busy, pages, merged })
}

/// Merges what waits in the log, when it is much. SQLite would do so by itself within a commit, and would not say that it
/// failed: [`no_merging_unseen`].
pub(super) async fn merge_much(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let now = log(connection, "noop").await?;
    if now.pages - now.merged >= MERGED_AT {
        log(connection, "passive").await?;
    }
    Ok(())
}

/// SQLite is not to merge by itself on this connection.
pub(super) async fn no_merging_unseen(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("pragma wal_autocheckpoint = 0").execute(connection).await.map(|_| ())
}

/// Writes a file over itself. Synced after that, the disk holds what the system gives for its content.
fn write_again(path: &PathBuf) -> io::Result<Option<File>> {
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (mut piece, mut at) = (vec![0; PIECE], 0);
    loop {
        match file.read_at(&mut piece, at) {
            Ok(0) => return Ok(Some(file)),
            Ok(count) => {
                file.write_all_at(&piece[..count], at)?;
                at += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
