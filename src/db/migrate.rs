//! Brings a schema to the state this program knows. Applied migrations are never edited; new ones are added.

use sqlx::migrate::{MigrateError, Migrator};

use super::{Db, DbError};

/// The same schema twice: one folder for each database, equal file names.
pub struct Migrations {
    /// For SQLite.
    pub sqlite: Migrator,
    /// For PostgreSQL.
    pub postgres: Migrator,
}

/// Applies what is missing.
///
/// # Errors
/// [`DbError::Unfit`] when the database was made by a newer program or a migration was changed.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the driver's list is open; every other member means an unfit schema"
)]
pub async fn run(db: &Db, migrations: &Migrations) -> Result<(), DbError> {
    let done = match db {
        Db::Sqlite { writer, .. } => migrations.sqlite.run(writer).await,
        Db::Postgres { pool, .. } => migrations.postgres.run(pool).await,
    };
    done.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => db.fault(&error),
        MigrateError::VersionMissing(version) => DbError::Unfit {
            database: db.name(),
            why: format!("it holds migration {version}, which this program does not know; use the newer program"),
        },
        other => DbError::Unfit { database: db.name(), why: other.to_string() },
    })
}
