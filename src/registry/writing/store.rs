//! The SQL of writing a synthetic registry.

use std::{
    borrow::Cow,
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, sqlite::SqliteConnectOptions};

use crate::{
    db::{Connection, Db, OpenDb},
    registry::{
        RegistryError,
        contract::{CATALOGUE_COLUMNS, CATALOGUE_VIEW, MSISDN, PERSON_COLUMNS, PERSON_VIEW},
        store::Store,
    },
};

/// A cell to be written; `None` is null.
pub(in crate::registry) type Cell = Option<Cow<'static, str>>;

/// A table of the synthetic registry.
#[derive(Clone, Copy)]
pub(in crate::registry) enum Table {
    CatalogueEntry,
    Person,
    Phone,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::CatalogueEntry => "catalogue_entry",
            Self::Person => "person",
            Self::Phone => "phone",
        }
    }

    /// The columns in the order in which cells are given.
    fn columns(self) -> Vec<&'static str> {
        match self {
            Self::CatalogueEntry => CATALOGUE_COLUMNS.to_vec(),
            Self::Person => ["person_id"].into_iter().chain(PERSON_COLUMNS).collect(),
            Self::Phone => vec![MSISDN, "person_id"],
        }
    }
}

/// A synthetic registry being written: in one transaction, and a new SQLite file under a name of its own until it is
/// whole on the disk. It is there whole or not at all.
pub(in crate::registry) struct Writing {
    db: Db,
    connection: Connection,
    draft: Option<Draft>,
}

/// A SQLite file that is not whole yet; taken away unless it is put in its place.
struct Draft {
    path: PathBuf,
    place: PathBuf,
}

impl Draft {
    /// Where a new file is written first; none for a server, and for a file that is there and holds something.
    fn of(url: &SecretString) -> Option<Self> {
        let url = url.expose_secret();
        if !url.starts_with("sqlite:") || url.contains(":memory:") || url.contains("mode=memory") {
            return None;
        }
        let place = SqliteConnectOptions::from_str(url).ok()?.get_filename().to_owned();
        let holds = place.metadata().is_ok_and(|found| found.len() > 0);
        let mut path = place.clone().into_os_string();
        path.push(".new");
        // Signs that an address cannot have in its path as they are.
        let plain = !path.to_string_lossy().contains(['%', '?']);
        (plain && !holds).then(|| Self { path: path.into(), place })
    }

    fn url(&self) -> SecretString {
        format!("sqlite:{}", self.path.display()).into()
    }

    /// Brings it to the disk and gives it its name.
    fn put(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        std::fs::rename(&self.path, &self.place)?;
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more once it was put in its place.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Rows of one statement on SQLite: more of them cost more than they save.
const ROWS_A_STATEMENT: usize = 64;

impl Writing {
    /// Creates tables and views in a database that has none of them.
    pub(in crate::registry) async fn begin(url: &SecretString) -> Result<Self, RegistryError> {
        let wait = Duration::from_secs(10);
        // Looked at for reading first: opening for writing alone would already change a file that is in use.
        if let Ok(found) = Store::open(url, 1, wait).await {
            let mut taken = false;
            for name in [PERSON_VIEW, CATALOGUE_VIEW, "catalogue_entry", "person", "phone"] {
                taken |= !found.columns(name).await?.is_empty();
            }
            found.close().await;
            if taken {
                return Err(RegistryError::Occupied);
            }
        }
        let draft = Draft::of(url);
        if let Some(draft) = &draft {
            // Of one that was killed.
            let _ = std::fs::remove_file(&draft.path);
        }
        let url = draft.as_ref().map_or_else(|| url.clone(), Draft::url);
        let db = Db::open(&OpenDb { name: "registry", url, read_only: false, readers: 1, wait }).await?;
        let fault = |error: sqlx::Error| RegistryError::from(db.fault(&error));
        let connection = match &db {
            Db::Sqlite { readers, writer, .. } => {
                // Other connections would keep the file from leaving the write-ahead log, which a reader without the
                // right to write beside the file could not open.
                readers.close().await;
                let mut connection = writer.acquire().await.map_err(fault)?;
                // What is lost in a crash is made again by the same seed.
                let pace = "pragma journal_mode = memory; pragma synchronous = off; pragma cache_size = -65536; begin";
                sqlx::raw_sql(pace).execute(&mut *connection).await.map_err(fault)?;
                sqlx::raw_sql(include_str!("../schema.sqlite.sql")).execute(&mut *connection).await.map_err(fault)?;
                Connection::Sqlite(connection)
            }
            Db::Postgres { pool, .. } => {
                let mut connection = pool.acquire().await.map_err(fault)?;
                sqlx::raw_sql("begin").execute(&mut *connection).await.map_err(fault)?;
                sqlx::raw_sql(include_str!("../schema.postgres.sql")).execute(&mut *connection).await.map_err(fault)?;
                Connection::Postgres(connection)
            }
        };
        Ok(Self { db, connection, draft })
    }

    /// Adds rows to a table. Every row has as many cells as the table has columns.
    pub(in crate::registry) async fn insert(&mut self, table: Table, rows: &[Vec<Cell>]) -> Result<(), RegistryError> {
        let done = match &mut self.connection {
            Connection::Sqlite(connection) => insert_sqlite(connection, table, rows).await,
            Connection::Postgres(connection) => copy_postgres(connection, table, rows).await,
        };
        done.map_err(|error| self.db.fault(&error).into())
    }

    /// Makes it all visible.
    pub(in crate::registry) async fn finish(mut self) -> Result<(), RegistryError> {
        let done = match &mut self.connection {
            Connection::Sqlite(connection) => sqlx::raw_sql("commit; analyze; pragma journal_mode = delete")
                .execute(&mut **connection)
                .await
                .map(|_| ()),
            Connection::Postgres(connection) => sqlx::raw_sql("analyze catalogue_entry, person, phone; commit")
                .execute(&mut **connection)
                .await
                .map(|_| ()),
        };
        done.map_err(|error| self.db.fault(&error))?;
        // Handed back first: closing waits for it.
        drop(self.connection);
        self.db.close().await;
        if let Some(draft) = self.draft.take() {
            let put = tokio::task::spawn_blocking(move || draft.put()).await;
            let why = |error: &dyn std::fmt::Display| RegistryError::Unavailable { why: error.to_string() };
            put.map_err(|error| why(&error))?.map_err(|error| why(&error))?;
        }
        Ok(())
    }
}

async fn insert_sqlite(
    connection: &mut sqlx::SqliteConnection,
    table: Table,
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    let columns = table.columns();
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let statement = |rows: usize| -> Arc<str> {
        let values = vec![row.as_str(); rows].join(",");
        format!("insert into {} ({}) values {values}", table.name(), columns.join(",")).into()
    };
    let full = statement(ROWS_A_STATEMENT);
    for chunk in rows.chunks(ROWS_A_STATEMENT) {
        let whole = chunk.len() == ROWS_A_STATEMENT;
        let text = if whole { Arc::clone(&full) } else { statement(chunk.len()) };
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(whole);
        for cell in chunk.iter().flatten() {
            query = query.bind(cell.as_deref());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn copy_postgres(
    connection: &mut sqlx::PgConnection,
    table: Table,
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    let mut text = String::with_capacity(rows.len() * 256);
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            // The text form of COPY: \N is null; backslash, tab and line ends are written with a backslash.
            match cell.as_deref() {
                None => text.push_str("\\N"),
                Some(value) if value.contains(['\\', '\t', '\n', '\r']) => {
                    let value = value.replace('\\', "\\\\").replace('\t', "\\t");
                    text.push_str(&value.replace('\n', "\\n").replace('\r', "\\r"));
                }
                Some(value) => text.push_str(value),
            }
        }
        text.push('\n');
    }
    let statement = format!("copy {} ({}) from stdin", table.name(), table.columns().join(","));
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(text.as_bytes()).await?;
    copy.finish().await.map(|_| ())
}
