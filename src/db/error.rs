//! What can go wrong with a database, told by what to do next. Never holds a value of a row.

/// A failed database call.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, is busy, full, or read only: the same call may succeed later.
    #[error("{database} cannot be used now: {why}")]
    Unavailable {
        /// Which database: `store`, `registry`.
        database: &'static str,
        /// What it said, without values.
        why: String,
    },
    /// The disk did not keep what was written to it. What is there now nobody knows, and asking again would be believed
    /// wrongly: the process must end, and the next start makes sure.
    #[error(
        "{database}: the disk did not keep what was written to it ({why}); check the disk (see the system's log) and its \
         file system, then start again: the start writes anew what it builds on"
    )]
    Unsynced {
        /// Which database.
        database: &'static str,
        /// What it said.
        why: String,
    },
    /// The file is damaged, or is none.
    #[error(
        "{database}: {why}; it was left as it is: copy it with its -wal file, then put a backup back or recover the copy"
    )]
    Damaged {
        /// Which database.
        database: &'static str,
        /// What is damaged, without values.
        why: String,
    },
    /// A rule of the schema refused the rows: a fault of this program.
    #[error("{database} refused rows: {why}")]
    Refused {
        /// Which database.
        database: &'static str,
        /// The constraint or code.
        why: String,
    },
    /// The schema is not what this program knows, or a statement is wrong.
    #[error("{database} does not fit this program: {why}")]
    Unfit {
        /// Which database.
        database: &'static str,
        /// What does not fit.
        why: String,
    },
    /// A stored value is impossible.
    #[error("{database}: {table}.{column} of row {row} holds a value that cannot be read")]
    Inconsistent {
        /// Which database.
        database: &'static str,
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: i64,
    },
}

impl DbError {
    /// Sorts an error of the driver. PostgreSQL's texts may repeat values, so only its code and constraint are kept.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the driver's lists are open; whatever is new may pass by itself"
    )]
    pub fn from_sqlx(database: &'static str, error: &sqlx::Error) -> Self {
        let unavailable = |why: String| Self::Unavailable { database, why };
        match error {
            sqlx::Error::Database(db) => {
                let code = db.code().map_or_else(|| "unknown".to_owned(), std::borrow::Cow::into_owned);
                let postgres = db.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
                let sqlite = code.parse().ok().filter(|_| !postgres);
                let why = match (postgres, db.constraint()) {
                    (true, Some(constraint)) => format!("SQLSTATE {code}, constraint {constraint}"),
                    (true, None) => format!("SQLSTATE {code}"),
                    (false, _) => format!("SQLite code {code}: {}", db.message()),
                };
                match db.kind() {
                    sqlx::error::ErrorKind::UniqueViolation
                    | sqlx::error::ErrorKind::ForeignKeyViolation
                    | sqlx::error::ErrorKind::NotNullViolation
                    | sqlx::error::ErrorKind::CheckViolation => Self::Refused { database, why },
                    // Classes 42 (syntax, missing table) and 22 (data).
                    _ if postgres && (code.starts_with("42") || code.starts_with("22")) => {
                        Self::Unfit { database, why }
                    }
                    _ => match sqlite {
                        Some(code) => super::code::sort(database, code, db.message()),
                        None => unavailable(why),
                    },
                }
            }
            sqlx::Error::Io(error) => unavailable(error.kind().to_string()),
            sqlx::Error::PoolTimedOut => unavailable("no connection became free in time".to_owned()),
            sqlx::Error::PoolClosed => unavailable("it is being closed".to_owned()),
            sqlx::Error::Tls(_) => unavailable("the TLS connection could not be made".to_owned()),
            sqlx::Error::Configuration(_) => Self::Unfit { database, why: "its address cannot be read".to_owned() },
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Unfit { database, why: format!("column {index} has another type") }
            }
            sqlx::Error::ColumnNotFound(name) => Self::Unfit { database, why: format!("column {name} is missing") },
            sqlx::Error::RowNotFound => Self::Unfit { database, why: "a row that must exist is missing".to_owned() },
            _ => unavailable("the driver gave up".to_owned()),
        }
    }
}
