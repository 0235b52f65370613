//! The SQL of reading the registry: the check of the contract and the look-ups.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgPool};

use super::{
    RegistryError,
    contract::{CATALOGUE_COLUMNS, CATALOGUE_VIEW, MSISDN, PERSON_COLUMNS, PERSON_VIEW},
    reading::{SEPARATOR, wants},
};
use crate::{
    db::{Connection, Db, OpenDb, step},
    message::Fields,
};

/// How long the service waits at its start for the catalogues, and the load generator for its numbers.
const PATIENCE: &str = "set local statement_timeout = '60s'";

/// More entries than any set of catalogues has; beyond that the view is not one of catalogues.
const MOST_ENTRIES: i64 = 200_000;

/// How long look-ups go over one connection, before a new one is made: a registry may have moved behind its address.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// Stands between rows that travel as one text. (U+001E is the information separator two of ISO/IEC 6429.)
const ROWS_SEPARATOR: char = '\u{1e}';

/// Statements of look-ups that are kept, each for other fields.
const STATEMENTS: usize = 50;

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// So many rows, each handed on.
    All(usize),
    /// So many rows, of which one holds the separator, and none can be trusted.
    Torn(usize),
}

/// The looked-up database.
pub(super) struct Store {
    db: Db,
    /// The statements of look-ups by the fields they read.
    looking: Mutex<HashMap<Fields, Arc<str>>>,
    /// The connection of the last look-up, for the next, and since when it is kept.
    kept: Mutex<Option<(Connection, Instant)>>,
}

/// The columns of a row as one text; those that are not wanted are empty. SQLite needs no cast, and does without at a tenth
/// less time.
fn packed(db: &Db, columns: &[&str], wanted: impl Fn(usize) -> bool) -> String {
    let cell = |(at, column): (usize, &&str)| match db {
        _ if !wanted(at) => "''".to_owned(),
        Db::Sqlite { .. } => format!("coalesce({column}, '')"),
        Db::Postgres { .. } => format!("coalesce(cast({column} as text), '')"),
    };
    let cells: Vec<String> = columns.iter().enumerate().map(cell).collect();
    format!("concat_ws('{SEPARATOR}', {})", cells.join(", "))
}

/// Finds people by number, and gives how many rows there are and all of them as one text: each row of an answer wakes the
/// one who waits for it, which costs more than the row.
fn look_up(db: &Db, fields: Fields) -> Arc<str> {
    let (condition, limit, together) = match db {
        Db::Sqlite { .. } => ("in (select value from json_each($1))", "$2", "group_concat"),
        Db::Postgres { .. } => ("= any(cast($1 as bigint[]))", "cast($2 as bigint)", "string_agg"),
    };
    let cells = packed(db, &PERSON_COLUMNS, |at| wants(fields, at));
    format!(
        "select count(*), {together}(one, '{ROWS_SEPARATOR}') from (
             select concat_ws('{SEPARATOR}', cast({MSISDN} as text), {cells}) as one
             from {PERSON_VIEW} where {MSISDN} {condition} limit {limit}) as found"
    )
    .into()
}

impl Store {
    /// Opens it for reading only.
    pub(super) async fn open(url: &SecretString, readers: u32, wait: Duration) -> Result<Self, RegistryError> {
        let db = Db::open(&OpenDb { name: "registry", url: url.clone(), read_only: true, readers, wait }).await?;
        Ok(Self { db, looking: Mutex::default(), kept: Mutex::default() })
    }

    /// The statement that reads these fields. Batches want much the same again and again; when they do not, all are read.
    fn looking(&self, fields: Fields) -> Arc<str> {
        let mut known = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = if known.len() < STATEMENTS || known.contains_key(&fields) { fields } else { Fields::ALL };
        Arc::clone(known.entry(fields).or_insert_with(|| look_up(&self.db, fields)))
    }

    pub(super) fn kind(&self) -> &'static str {
        self.db.kind()
    }

    pub(super) async fn close(&self) {
        // Handed back first: closing waits for it.
        drop(self.keep(None));
        self.db.close().await;
    }

    /// The columns of a view that may be read; none when there is no such view.
    pub(super) async fn columns(&self, view: &str) -> Result<Vec<String>, RegistryError> {
        let found = match &self.db {
            Db::Sqlite { readers, .. } => {
                let text = "select name from pragma_table_info($1)";
                step::call(step::Call::Read, sqlx::query_scalar(text).bind(view).fetch_all(readers)).await
            }
            Db::Postgres { pool, .. } => {
                // The system's own table, because information_schema does not show materialised views.
                let text = "select cast(attname as text) from pg_attribute \
                            where attrelid = to_regclass($1) and attnum > 0 and not attisdropped \
                            and has_column_privilege(attrelid, attnum, 'select')";
                sqlx::query_scalar(text).bind(view).fetch_all(pool).await
            }
        };
        found.map_err(|error| self.db.fault(&error).into())
    }

    /// Checks that both views have all their columns.
    pub(super) async fn check(&self) -> Result<(), RegistryError> {
        let person: Vec<&str> = [MSISDN].into_iter().chain(PERSON_COLUMNS).collect();
        for (view, needed) in [(PERSON_VIEW, person.as_slice()), (CATALOGUE_VIEW, &CATALOGUE_COLUMNS)] {
            let found = self.columns(view).await?;
            if found.is_empty() {
                return Err(RegistryError::Contract { why: format!("there is no view {view} that may be read") });
            }
            let missing: Vec<&str> =
                needed.iter().copied().filter(|name| !found.iter().any(|column| column == name)).collect();
            if !missing.is_empty() {
                let why = format!("the view {view} has no column {}", missing.join(", "));
                return Err(RegistryError::Contract { why });
            }
        }
        // Rights and types show only when the statement is tried.
        self.people(&[], Fields::ALL, 1, |_, _| ()).await.map(|_| ())
    }

    /// Hands each catalogue entry's packed columns to `each`.
    pub(super) async fn catalogue_entries(&self, mut each: impl FnMut(&str)) -> Result<(), RegistryError> {
        let text = format!(
            "select {} from {CATALOGUE_VIEW} limit {MOST_ENTRIES}",
            packed(&self.db, &CATALOGUE_COLUMNS, |_| true)
        );
        let text = AssertSqlSafe(text);
        let rows: Result<Vec<String>, sqlx::Error> = match &self.db {
            Db::Sqlite { readers, .. } => {
                step::call(step::Call::Read, sqlx::query_scalar(text).fetch_all(readers)).await
            }
            Db::Postgres { pool, .. } => {
                patiently(pool, async |connection| sqlx::query_scalar(text).fetch_all(connection).await).await
            }
        };
        rows.map_err(|error| self.db.fault(&error))?.iter().for_each(|row| each(row));
        Ok(())
    }

    /// Finds people by number in one statement, reads what these fields need, and hands each row's number and packed columns
    /// to `each`.
    pub(super) async fn people(
        &self,
        numbers: &[u64],
        fields: Fields,
        limit: usize,
        mut each: impl FnMut(u64, &str),
    ) -> Result<Rows, RegistryError> {
        let text = self.looking(fields);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (count, rows) = self.found(text, numbers, limit).await?;
        let rows = rows.unwrap_or_default();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count != 0 && rows.split(ROWS_SEPARATOR).count() != count {
            return Ok(Rows::Torn(count));
        }
        for row in rows.split(ROWS_SEPARATOR).take(count) {
            let (number, row) = row.split_once(SEPARATOR).unwrap_or_default();
            let number = number
                .parse()
                .map_err(|_| RegistryError::Contract { why: format!("a {MSISDN} is no whole number") })?;
            each(number, row);
        }
        Ok(Rows::All(count))
    }

    async fn found(&self, text: Arc<str>, numbers: &[u64], limit: i64) -> Result<Found, RegistryError> {
        if let Some((mut connection, since)) = self.keep(None) {
            // It may have died while nobody asked.
            if let Ok(found) = ask(&mut connection, &text, numbers, limit).await {
                if since.elapsed() < KEPT_FOR {
                    self.keep(Some((connection, since)));
                }
                return Ok(found);
            }
            step::aside(|| connection.discard());
        }
        let mut connection = step::whole(self.db.reading_connection()).await?;
        match ask(&mut connection, &text, numbers, limit).await {
            Ok(found) => {
                self.keep(Some((connection, Instant::now())));
                Ok(found)
            }
            Err(error) => {
                // What it remembers of a registry that was away for a while would be asked again.
                step::aside(|| connection.discard());
                Err(self.db.fault(&error).into())
            }
        }
    }

    /// Puts a connection in the place of the one that is kept, and gives that.
    fn keep(&self, connection: Option<(Connection, Instant)>) -> Option<(Connection, Instant)> {
        std::mem::replace(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner), connection)
    }

    /// Numbers that belong to one person alone, whose record may be read, with that person's number.
    pub(super) async fn lone_phones(&self, limit: u32) -> Result<Vec<(i64, String)>, RegistryError> {
        const TEXT: &str = "select msisdn, min(personal_id) from tracuu_person \
                            group by msisdn having count(*) = 1 and min(status) = 1 limit $1";
        let rows = match &self.db {
            Db::Sqlite { readers, .. } => sqlx::query_as(TEXT).bind(i64::from(limit)).fetch_all(readers).await,
            Db::Postgres { pool, .. } => {
                patiently(pool, async |connection| {
                    sqlx::query_as(TEXT).bind(i64::from(limit)).fetch_all(connection).await
                })
                .await
            }
        };
        rows.map_err(|error| self.db.fault(&error).into())
    }
}

/// How many rows were found, and all of them.
type Found = (i64, Option<String>);

async fn ask(connection: &mut Connection, text: &Arc<str>, numbers: &[u64], limit: i64) -> Result<Found, sqlx::Error> {
    let text = AssertSqlSafe(Arc::clone(text));
    match connection {
        Connection::Sqlite(connection) => {
            let asking = sqlx::query_as(text).bind(json(numbers)).bind(limit).fetch_one(&mut **connection);
            step::call(step::Call::Read, asking).await
        }
        Connection::Postgres(connection) => {
            let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
            sqlx::query_as(text).bind(numbers).bind(limit).fetch_one(&mut **connection).await
        }
    }
}

/// Runs a statement that may take longer than a look-up.
async fn patiently<T>(
    pool: &PgPool,
    run: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query(PATIENCE).execute(&mut *transaction).await?;
    let done = run(&mut transaction).await?;
    transaction.commit().await?;
    Ok(done)
}

/// The numbers as a JSON list: one parameter, so that the statement is the same for every batch.
fn json(numbers: &[u64]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(2 + numbers.len() * 12);
    text.push('[');
    for (at, number) in numbers.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{number}");
    }
    text.push(']');
    text
}

/// Locks a SQLite file against all others until the answer is dropped, for tests.
#[cfg(test)]
pub(super) async fn lock(url: &SecretString) -> sqlx::SqliteConnection {
    use secrecy::ExposeSecret as _;
    use sqlx::Connection as _;

    let mut connection = sqlx::SqliteConnection::connect(url.expose_secret()).await.unwrap();
    sqlx::raw_sql("begin exclusive").execute(&mut connection).await.unwrap();
    connection
}

/// Runs statements on a SQLite file as its owner, for tests.
#[cfg(test)]
pub(super) async fn change(url: &SecretString, statements: &'static str) {
    let wait = Duration::from_secs(10);
    let db =
        Db::open(&OpenDb { name: "registry", url: url.clone(), read_only: false, readers: 1, wait }).await.unwrap();
    crate::db::writing!(&db, pool => sqlx::raw_sql(statements).execute(pool).await.map(|_| ())).unwrap();
    db.close().await;
}

/// Every number of a registry, for tests.
#[cfg(test)]
pub(super) async fn all_phones(url: &SecretString) -> Vec<crate::message::Msisdn> {
    let db = Store::open(url, 1, Duration::from_secs(10)).await.unwrap().db;
    let numbers: Vec<i64> =
        crate::db::reading!(&db, pool => sqlx::query_scalar("select distinct msisdn from tracuu_person").fetch_all(pool).await)
            .unwrap();
    numbers.into_iter().map(|number| crate::message::Msisdn::from_canonical(number as u64)).collect()
}
