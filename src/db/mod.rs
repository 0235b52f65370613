//! The databases: SQLite or PostgreSQL behind one face, with one SQL text for both where it can be one.
//! Nothing here knows what is stored.

mod bulk;
mod code;
mod durable;
mod error;
mod hosts;
pub mod migrate;
mod seat;
mod space;
pub mod step;
mod tx;

use std::{
    fs::File, io::ErrorKind, os::unix::fs::OpenOptionsExt as _, path::PathBuf, str::FromStr as _, sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    AssertSqlSafe, Executor as _, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use bulk::{Column, Insert, delete_keys, push_word};
pub use error::DbError;
pub use hosts::Hosts;
pub(crate) use seat::Connection;
pub use seat::Seat;
pub use tx::Tx;
pub(crate) use tx::in_tx;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct OpenDb {
    /// What it is called in messages: `store`, `registry`.
    pub name: &'static str,
    /// `sqlite:path/to/file.db` or `postgres://user@host/database`, with several hosts as
    /// `postgres://user@one,two/database`.
    pub url: SecretString,
    /// Open for reading only. A SQLite file is then never created; a PostgreSQL session refuses to write, and ends a
    /// statement that takes longer than `wait`.
    pub read_only: bool,
    /// Connections for reading.
    pub readers: u32,
    /// How long a caller waits for a free connection, and SQLite for another process's lock.
    pub wait: Duration,
}

/// Writing connections to a SQLite file: one that a [`Seat`] may keep, and one for everybody else.
const WRITERS: u32 = 2;

/// Connections of one that has its own to a server: the one that is kept, and one to ask what became of it.
const OF_ITS_OWN: u32 = 2;

/// What a connection to a SQLite file that is only read keeps of it in memory at most, in KiB after the minus: the inner pages of
/// the trees over tens of millions of rows, so that a look-up reads one or two pages of the file.
const PAGES: &str = "-16384";

/// A database.
#[derive(Clone, Debug)]
pub enum Db {
    /// A SQLite file: one writes at a time, a few read.
    Sqlite {
        /// What it is called in messages.
        name: &'static str,
        /// One connection for the seat of the ledger's writer, one for all others.
        writer: SqlitePool,
        /// Connections that only read.
        readers: SqlitePool,
    },
    /// A PostgreSQL server.
    Postgres {
        /// What it is called in messages.
        name: &'static str,
        /// A small pool.
        pool: PgPool,
        /// The primary and those that may take its place.
        hosts: Arc<Hosts>,
    },
}

/// Runs one piece of code with a reading pool of whichever database it is: one SQL text, compiled for both drivers.
/// `reading!(db, pool => sqlx::query_as::<_, (i64,)>("select 1").fetch_one(pool).await)`
macro_rules! reading {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { readers: $pool, .. } => {
                $crate::db::step::call($crate::db::step::Call::Read, async { $body }).await
            }
            $crate::db::Db::Postgres { pool: $pool, .. } => $body,
        }
    };
}

/// The same with a pool that may write.
#[cfg(test)]
macro_rules! writing {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite { writer: $pool, .. } => $body,
            $crate::db::Db::Postgres { pool: $pool, .. } => $body,
        }
    };
}

pub(crate) use reading;
#[cfg(test)]
pub(crate) use writing;

impl Db {
    /// Opens a database and tries it.
    ///
    /// # Errors
    /// [`DbError::Unfit`] for an address that cannot be read, [`DbError::Unavailable`] when nothing answers there.
    pub async fn open(open: &OpenDb) -> Result<Self, DbError> {
        step::whole(Box::pin(Self::connect(open))).await
    }

    async fn connect(open: &OpenDb) -> Result<Self, DbError> {
        let name = open.name;
        let url = open.url.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(open, url).await;
        }
        if !url.starts_with("sqlite:") {
            let why = "its address must begin with sqlite: or postgres://".to_owned();
            return Err(DbError::Unfit { database: name, why });
        }
        let base = SqliteConnectOptions::from_str(url)
            .map_err(|_| DbError::Unfit { database: name, why: "its address cannot be read".to_owned() })?
            .busy_timeout(open.wait)
            .foreign_keys(false)
            .statement_cache_capacity(256);
        let file = base.get_filename().display().to_string();
        let failed = |error: &sqlx::Error| match DbError::from_sqlx(name, error) {
            DbError::Unavailable { database, why } => DbError::Unavailable { database, why: format!("{file}: {why}") },
            DbError::Damaged { database, why } => DbError::Damaged { database, why: format!("{file}: {why}") },
            DbError::Unsynced { database, why } => DbError::Unsynced { database, why: format!("{file}: {why}") },
            other @ (DbError::Refused { .. } | DbError::Unfit { .. } | DbError::Inconsistent { .. }) => other,
        };
        if !open.read_only
            && let Some(path) = file_of(open)?
        {
            make(&path).map_err(|error| {
                let why = format!("{file}: it cannot be made: {}", error.kind());
                DbError::Unavailable { database: name, why }
            })?;
        }
        let writing = base
            .clone()
            .create_if_missing(!open.read_only)
            .read_only(open.read_only)
            .synchronous(SqliteSynchronous::Full);
        let reading = base.read_only(true);
        let reading = if open.read_only { reading.pragma("cache_size", PAGES) } else { reading };
        let writing = if open.read_only { writing } else { writing.journal_mode(SqliteJournalMode::Wal) };
        let writer = SqlitePoolOptions::new()
            .max_connections(WRITERS)
            .test_before_acquire(false)
            .acquire_timeout(open.wait)
            .connect_with(writing)
            .await
            .map_err(|error| failed(&error))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(open.readers.max(1))
            .test_before_acquire(false)
            .acquire_timeout(open.wait)
            .connect_with(reading)
            .await
            .map_err(|error| failed(&error))?;
        Ok(Self::Sqlite { name, writer, readers })
    }

    async fn open_postgres(open: &OpenDb, url: &str) -> Result<Self, DbError> {
        let name = open.name;
        let hosts = Hosts::read(url, open.wait)
            .map_err(|_| DbError::Unfit { database: name, why: "its address cannot be read".to_owned() })?;
        let wait = open.wait.as_millis().max(1);
        let limits = if open.read_only {
            format!("set default_transaction_read_only = on; set statement_timeout = {wait}")
        } else {
            // An acknowledgement must be on disk, whatever the server's own setting is; and a connection that was
            // lost in mid-transaction must not hold the writer's row for hours.
            "set synchronous_commit = on; set idle_in_transaction_session_timeout = 30000".to_owned()
        };
        let limits: Arc<str> = limits.into();
        let writes = !open.read_only;
        let pools = PgPoolOptions::new()
            .max_connections(open.readers.max(1) + 2)
            .acquire_timeout(open.wait)
            .after_connect(move |connection, _| {
                let limits = AssertSqlSafe(Arc::clone(&limits));
                Box::pin(async move {
                    if writes && sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(&mut *connection).await? {
                        return Err(sqlx::Error::Protocol("it is a standby, which takes no writes".to_owned()));
                    }
                    connection.execute(sqlx::raw_sql(limits)).await.map(|_| ())
                })
            });
        let mut last = None;
        for (place, host) in hosts.all().iter().enumerate() {
            match pools.clone().connect_with(host.clone()).await {
                Ok(pool) => {
                    hosts.answers(place);
                    return Ok(Self::Postgres { name, pool, hosts: Arc::new(hosts) });
                }
                Err(error) => last = Some(DbError::from_sqlx(name, &error)),
            }
        }
        Err(last.unwrap_or_else(|| DbError::Unfit { database: name, why: "its address names no host".to_owned() }))
    }

    /// The same server over connections of its own, which the event loop this is called in watches, and no other. Of a SQLite file
    /// no event loop watches anything, so it is the same as before.
    pub(crate) fn with_pool_of_its_own(&self) -> Self {
        match self {
            Self::Sqlite { .. } => self.clone(),
            Self::Postgres { name, pool, hosts } => {
                let options = pool.options().clone().max_connections(OF_ITS_OWN);
                let pool = options.connect_lazy_with(PgConnectOptions::clone(&pool.connect_options()));
                Self::Postgres { name, pool, hosts: Arc::new(hosts.again()) }
            }
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { name, .. } | Self::Postgres { name, .. } => name,
        }
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Turns an error of the driver into ours.
    pub fn fault(&self, error: &sqlx::Error) -> DbError {
        if let Self::Postgres { pool, hosts, .. } = self {
            hosts.failed(pool, error);
        }
        DbError::from_sqlx(self.name(), error)
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                step::whole(async { (readers.close().await, writer.close().await) }).await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// The file of a SQLite database; none for a server, and for one in memory.
fn file_of(open: &OpenDb) -> Result<Option<PathBuf>, DbError> {
    let url = open.url.expose_secret();
    if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| DbError::Unfit { database: open.name, why: "its address cannot be read".to_owned() })?;
    Ok(Some(options.get_filename().to_owned()))
}

/// Makes an empty file that nobody but its owner may read or write, unless there is one. SQLite gives the files beside it
/// the same rights.
fn make(path: &PathBuf) -> std::io::Result<()> {
    // An existing file is not opened: closing it again would free the locks that SQLite holds on it in this process.
    match File::options().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
