//! What SQLite's result codes mean, told by what to do next. The driver gives extended codes: the primary code stands in
//! the low octet.

use super::DbError;

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;
/// Of the extended codes of IOERR: fsync failed on a file, on a folder.
const IOERR_FSYNC: i32 = 1_034;
const IOERR_DIR_FSYNC: i32 = 1_290;

/// Sorts a code that names no constraint.
pub(super) fn sort(database: &'static str, code: i32, message: &str) -> DbError {
    let why = |words: &str| format!("{words} (SQLite code {code}: {message})");
    match (code, code & 0xFF) {
        (IOERR_FSYNC | IOERR_DIR_FSYNC, _) => DbError::Unsynced { database, why: format!("SQLite code {code}") },
        (_, CORRUPT) => DbError::Damaged { database, why: why("its file is damaged") },
        (_, NOTADB) => DbError::Damaged { database, why: why("its file is no SQLite database") },
        // SQL error or missing table.
        (1, _) => DbError::Unfit { database, why: format!("SQLite code {code}: {message}") },
        (_, primary) => {
            let words = match primary {
                BUSY | LOCKED => "another process holds its lock",
                READONLY => "its file or file system is read-only",
                IOERR => "its disk gives errors",
                FULL => "its disk is full",
                CANTOPEN => "its file cannot be opened: see whether folder and file may be written to",
                _ => "it failed",
            };
            DbError::Unavailable { database, why: why(words) }
        }
    }
}

/// Whether a connection that failed so may not be lent again: all failures but another's lock, which passes by itself.
pub(super) fn spoils(error: &sqlx::Error) -> bool {
    if let sqlx::Error::InvalidSavePointStatement | sqlx::Error::BeginFailed = error {
        // SQLite ends a transaction by itself when the disk is full or fails; the driver still counts it as open.
        return true;
    }
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // A file that was read-only when it was opened stays so for this connection, whatever becomes of the disk.
    code.and_then(|code| code.parse().ok()).is_some_and(|code: i32| code & 0xFF != BUSY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_to_do() {
        for code in [1_034, 1_290] {
            assert!(matches!(sort("store", code, "disk I/O error"), DbError::Unsynced { .. }), "{code}");
        }
        for code in [11, 26, 267, 523, 779] {
            assert!(matches!(sort("store", code, "malformed"), DbError::Damaged { .. }), "{code}");
        }
        assert!(matches!(sort("store", 1, "no such table: t"), DbError::Unfit { .. }));
        for (code, words) in [
            (5, "another process holds its lock"),
            (261, "another process holds its lock"),
            (8, "read-only"),
            (1_032, "read-only"),
            (10, "its disk gives errors"),
            (266, "its disk gives errors"),
            (778, "its disk gives errors"),
            (13, "its disk is full"),
            (14, "cannot be opened"),
        ] {
            let error = sort("store", code, "what SQLite says");
            let told = error.to_string();
            assert!(matches!(error, DbError::Unavailable { .. }) && told.contains(words), "{code}: {told}");
            assert!(told.contains(&format!("(SQLite code {code}: what SQLite says)")), "{told}");
        }
    }
}
