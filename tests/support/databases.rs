//! Fresh databases, so that one test text runs on each kind that is here.

use std::time::Duration;

use tempfile::TempDir;
use tracuu::db::{Db, DbError, OpenDb};

use super::postgres;

/// An empty database of its own for one test. The SQLite file goes when this value goes; the PostgreSQL database goes with
/// its server, at the end of the test binary.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// `SQLite` or `PostgreSQL`, for the words of a failed assertion.
    pub(crate) label: &'static str,
    /// As the settings take it.
    pub(crate) url: String,
    folder: Option<TempDir>,
}

/// A fresh SQLite file and, where PostgreSQL is installed, a fresh database on the test binary's own server.
pub(crate) async fn databases() -> Vec<TestDatabase> {
    let mut found = vec![sqlite()];
    if let Some(server) = postgres::server() {
        found.push(TestDatabase { label: "PostgreSQL", url: server.fresh_database().await, folder: None });
    }
    found
}

/// A fresh SQLite database; its file comes into being when it is first opened for writing.
pub(crate) fn sqlite() -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    TestDatabase { label: "SQLite", url, folder: Some(folder) }
}

impl TestDatabase {
    /// Opens it for reading and writing.
    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.settings(false)).await.unwrap()
    }

    /// Opens it for reading only.
    pub(crate) async fn open_read_only(&self) -> Result<Db, DbError> {
        Db::open(&self.settings(true)).await
    }

    fn settings(&self, read_only: bool) -> OpenDb {
        OpenDb { name: "test", url: self.url.clone().into(), read_only, readers: 2, wait: Duration::from_secs(10) }
    }
}
