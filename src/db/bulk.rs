//! Many rows in one statement: multi-row `values` on SQLite, `unnest` of one array a column on PostgreSQL.

use std::sync::{Arc, OnceLock};

use sqlx::{Arguments as _, AssertSqlSafe, sqlite::SqliteArguments};

use super::{DbError, Tx};

/// Rows of one SQLite statement at most: more is slower (measured).
const CHUNK: usize = 128;

/// Rows of one that is not full. Each count is a statement of its own, which SQLite keeps ready and in memory (some 2 KiB a
/// row of the widest table), so there are few of them: what is left over beyond a full step goes by itself.
const REST: usize = 64;
const STEP: usize = 8;

/// How many of the rows that are left go in the next statement.
fn next(left: usize) -> usize {
    match left {
        CHUNK.. => CHUNK,
        STEP..CHUNK => left.min(REST) / STEP * STEP,
        _ => left,
    }
}

/// The values of one column, one a row. Integers of every width travel as 64 bits; the column's type cuts them.
#[derive(Clone, Debug)]
pub enum Column {
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Texts.
    Text(Vec<Option<String>>),
    /// Texts of which neighbours are often the same, kept once ([`push_word`]).
    Word(Vec<Option<Arc<str>>>),
    /// Octets.
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Word(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    fn array_type(&self) -> &'static str {
        match self {
            Self::Int(_) => "bigint[]",
            Self::Text(_) | Self::Word(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
        }
    }
}

/// Adds a text to a column of words; one that is the same as the one before shares its memory.
pub fn push_word(column: &mut Vec<Option<Arc<str>>>, word: Option<&str>) {
    let shared = match (column.last(), word) {
        (Some(Some(last)), Some(word)) if **last == *word => Some(Arc::clone(last)),
        (_, word) => word.map(Arc::from),
    };
    column.push(shared);
}

/// An insert into one table, its statements made once.
#[derive(Debug)]
pub struct Insert {
    table: &'static str,
    columns: &'static [&'static str],
    at_a_conflict: &'static str,
    texts: [OnceLock<Arc<str>>; CHUNK + 1],
}

impl Insert {
    /// For a table and these columns, in this order.
    pub const fn into(table: &'static str, columns: &'static [&'static str]) -> Self {
        Self { table, columns, at_a_conflict: "", texts: [const { OnceLock::new() }; CHUNK + 1] }
    }

    /// The same, leaving out rows whose key is there already.
    pub const fn unless_there(table: &'static str, columns: &'static [&'static str]) -> Self {
        let texts = [const { OnceLock::new() }; CHUNK + 1];
        Self { table, columns, at_a_conflict: " on conflict do nothing", texts }
    }

    /// The same, with words of its own for rows whose key is there already: ` on conflict ...`.
    pub const fn or(table: &'static str, columns: &'static [&'static str], at_a_conflict: &'static str) -> Self {
        Self { table, columns, at_a_conflict, texts: [const { OnceLock::new() }; CHUNK + 1] }
    }

    /// Inserts all rows; `values` holds one entry a column, all equally long.
    ///
    /// # Errors
    /// [`DbError::Refused`] when a key is there already: nothing of this call is then kept, the transaction is lost.
    pub async fn run(&self, tx: &mut Tx<'_>, values: Vec<Column>) -> Result<(), DbError> {
        self.counted(tx, values).await.map(|_| ())
    }

    /// The same, and how many rows were inserted or changed.
    ///
    /// # Errors
    /// As [`Insert::run`].
    pub async fn counted(&self, tx: &mut Tx<'_>, values: Vec<Column>) -> Result<u64, DbError> {
        let rows = values.first().map_or(0, Column::len);
        debug_assert!(values.len() == self.columns.len() && values.iter().all(|column| column.len() == rows));
        if rows == 0 {
            return Ok(0);
        }
        let done = match tx {
            Tx::Sqlite(_, conn) => self.run_sqlite(conn, values, rows).await,
            Tx::Postgres(_, conn) => self.run_postgres(conn, values).await,
        };
        done.map_err(|error| tx.fault(&error))
    }

    async fn run_sqlite(
        &self,
        conn: &mut sqlx::SqliteConnection,
        values: Vec<Column>,
        rows: usize,
    ) -> Result<u64, sqlx::Error> {
        let mut feeds: Vec<Feed> = values.into_iter().map(Feed::from).collect();
        let (mut left, mut done) = (rows, 0);
        while left > 0 {
            let count = next(left);
            let text = self.texts[count].get_or_init(|| self.sqlite_text(count)).clone();
            let mut arguments = SqliteArguments::default();
            arguments.reserve(count * feeds.len(), 0);
            for _ in 0..count {
                for feed in &mut feeds {
                    let added = match feed {
                        Feed::Int(values) => arguments.add(values.next().flatten()),
                        Feed::Text(values) => arguments.add(values.next().flatten()),
                        Feed::Word(values) => arguments.add(values.next().flatten()),
                        Feed::Bytes(values) => arguments.add(values.next().flatten()),
                    };
                    added.map_err(sqlx::Error::Encode)?;
                }
            }
            let query = sqlx::query_with(AssertSqlSafe(text), arguments);
            done += query.execute(&mut *conn).await?.rows_affected();
            left -= count;
        }
        Ok(done)
    }

    async fn run_postgres(&self, conn: &mut sqlx::PgConnection, values: Vec<Column>) -> Result<u64, sqlx::Error> {
        let text = self.texts[0].get_or_init(|| self.postgres_text(&values)).clone();
        let mut query = sqlx::query(AssertSqlSafe(text));
        for column in values {
            query = match column {
                Column::Int(values) => query.bind(values),
                Column::Text(values) => query.bind(values),
                Column::Word(values) => {
                    query.bind(values.iter().map(|word| word.as_deref().map(str::to_owned)).collect::<Vec<_>>())
                }
                Column::Bytes(values) => query.bind(values),
            };
        }
        query.execute(conn).await.map(|done| done.rows_affected())
    }

    fn sqlite_text(&self, count: usize) -> Arc<str> {
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let rows = vec![row; count].join(", ");
        format!("insert into {} ({}) values {rows}{}", self.table, self.columns.join(", "), self.at_a_conflict).into()
    }

    fn postgres_text(&self, values: &[Column]) -> Arc<str> {
        let arrays: Vec<String> =
            values.iter().enumerate().map(|(at, column)| format!("${}::{}", at + 1, column.array_type())).collect();
        let columns = self.columns.join(", ");
        format!(
            "insert into {} ({columns}) select * from unnest({}){}",
            self.table,
            arrays.join(", "),
            self.at_a_conflict
        )
        .into()
    }
}

enum Feed {
    Int(std::vec::IntoIter<Option<i64>>),
    Text(std::vec::IntoIter<Option<String>>),
    Word(std::vec::IntoIter<Option<Arc<str>>>),
    Bytes(std::vec::IntoIter<Option<Vec<u8>>>),
}

impl From<Column> for Feed {
    fn from(column: Column) -> Self {
        match column {
            Column::Int(values) => Self::Int(values.into_iter()),
            Column::Text(values) => Self::Text(values.into_iter()),
            Column::Word(values) => Self::Word(values.into_iter()),
            Column::Bytes(values) => Self::Bytes(values.into_iter()),
        }
    }
}

/// Deletes rows by key and gives back the keys that were there.
///
/// # Errors
/// [`DbError::Unavailable`]: the transaction is lost.
pub async fn delete_keys(tx: &mut Tx<'_>, table: &'static str, keys: &[i64]) -> Result<Vec<i64>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let deleted = match tx {
        Tx::Sqlite(_, conn) => delete_sqlite(conn, table, keys).await,
        Tx::Postgres(_, conn) => {
            let text = format!("delete from {table} where key = any($1) returning key");
            sqlx::query_scalar(AssertSqlSafe(text)).bind(keys).fetch_all(&mut **conn).await
        }
    };
    deleted.map_err(|error| tx.fault(&error))
}

/// The keys come back in one text: each row of an answer wakes the one who waits for it, which costs more than the row.
async fn delete_sqlite(
    conn: &mut sqlx::SqliteConnection,
    table: &'static str,
    keys: &[i64],
) -> Result<Vec<i64>, sqlx::Error> {
    // Keys are whole numbers, so the list needs no quoting.
    let list = format!("[{}]", keys.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
    let those = format!("from {table} where key in (select value from json_each($1))");
    let there = sqlx::query_scalar(AssertSqlSafe(format!("select group_concat(key) {those}")));
    let there: Option<String> = there.bind(list.as_str()).fetch_one(&mut *conn).await?;
    let Some(there) = there else { return Ok(Vec::new()) };
    sqlx::query(AssertSqlSafe(format!("delete {those}"))).bind(list).execute(conn).await?;
    let key = |key: &str| key.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)));
    there.split(',').map(key).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn any_number_of_rows_goes_in_few_statements_of_few_sizes() {
        let mut sizes = BTreeSet::new();
        for rows in 1..=1_000 {
            let (mut left, mut statements) = (rows, 0);
            while left > 0 {
                let count = next(left);
                assert!((1..=left).contains(&count), "{count} of {left}");
                sizes.insert(count);
                left -= count;
                statements += 1;
            }
            assert!(statements <= rows / CHUNK + 3, "{rows} rows in {statements} statements");
        }
        assert_eq!(sizes.len(), 16, "{sizes:?}");
    }
}
