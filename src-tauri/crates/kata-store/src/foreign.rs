//! Reads another program's SQLite file without leaving a trace in its folder: the file and its log are copied first, since even a
//! reader of a database in WAL mode writes beside it.
//!
//! Deliberately absent: what the rows mean (kata-engine, `import`).

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// Largest database that is copied, bytes.
const LARGEST: u64 = 512 << 20;
/// Most rows that are read.
const MOST: u32 = 10_000;

/// Somebody OpenClaw let in: its table `channel_pairing_allow_entries`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetIn {
    /// Its name of the channel.
    pub channel: String,
    /// Its name of the account.
    pub account: String,
    /// Its notation of the person.
    pub entry: String,
}

/// Why it could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large to be copied.
    #[error("{} is larger than {} MiB", .0.display(), LARGEST >> 20)]
    TooLarge(PathBuf),
    /// It is no such database.
    #[error("{} is no database that can be read: {reason}", path.display())]
    Unreadable {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Everybody OpenClaw let in. `scratch` is a folder of ours; nothing is left in it. A database without the table has nobody.
///
/// # Errors
/// [`ForeignError`]; OpenClaw's files are as they were in any case.
pub fn openclaw_let_in(database: &Path, scratch: &Path) -> Result<Vec<LetIn>, ForeignError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ForeignError::Io { path, source }
    };
    let size = std::fs::metadata(database).map_err(io(database))?.len();
    if size > LARGEST {
        return Err(ForeignError::TooLarge(database.to_owned()));
    }
    let folder = scratch.join(format!("foreign-{}", uuid::Uuid::new_v4().simple()));
    crate::private_dir(&folder).map_err(io(&folder))?;
    let read = copy(database, &folder).and_then(|copy| rows(&copy, database));
    let _ = std::fs::remove_dir_all(&folder);
    read
}

fn copy(database: &Path, folder: &Path) -> Result<PathBuf, ForeignError> {
    let copy = folder.join("copy.sqlite");
    let take = |from: &Path, to: &Path| {
        std::fs::copy(from, to).map_err(|source| ForeignError::Io {
            path: from.to_owned(),
            source,
        })
    };
    take(database, &copy)?;
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    if std::fs::metadata(&log).is_ok_and(|log| log.len() <= LARGEST) {
        take(&log, &folder.join("copy.sqlite-wal"))?;
    }
    Ok(copy)
}

fn rows(copy: &Path, named: &Path) -> Result<Vec<LetIn>, ForeignError> {
    let unreadable = |error: rusqlite::Error| ForeignError::Unreadable {
        path: named.to_owned(),
        reason: error.to_string(),
    };
    let db = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(unreadable)?;
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'channel_pairing_allow_entries'";
    if !db.prepare(table).and_then(|mut s| s.exists([])).map_err(unreadable)? {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT channel_key, account_id, entry FROM channel_pairing_allow_entries ORDER BY channel_key, account_id, sort_order LIMIT ?1";
    let mut statement = db.prepare(sql).map_err(unreadable)?;
    statement
        .query_map([MOST], |row| {
            Ok(LetIn {
                channel: row.get(0)?,
                account: row.get(1)?,
                entry: row.get(2)?,
            })
        })
        .and_then(Iterator::collect)
        .map_err(unreadable)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .map(|f| {
                (
                    f.path(),
                    std::fs::read(f.path()).unwrap(),
                    f.metadata().unwrap().modified().unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn what_stands_in_the_log_only_is_read_and_neither_folder_keeps_a_trace() {
        let (theirs, ours) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = theirs.path().join("openclaw.sqlite");
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        db.execute_batch(
            "CREATE TABLE channel_pairing_allow_entries (channel_key TEXT, account_id TEXT, entry TEXT, sort_order INTEGER, updated_at INTEGER);
             INSERT INTO channel_pairing_allow_entries VALUES ('telegram', 'default', '42', 1, 0), ('telegram', 'default', '41', 0, 0);",
        )
        .unwrap();
        let before = snapshot(theirs.path());
        assert!(
            before
                .iter()
                .any(|(path, bytes, _)| path.ends_with("openclaw.sqlite-wal") && !bytes.is_empty())
        );
        let found = openclaw_let_in(&path, ours.path()).unwrap();
        assert_eq!(found.iter().map(|f| f.entry.as_str()).collect::<Vec<_>>(), ["41", "42"]);
        assert_eq!(snapshot(theirs.path()), before);
        assert_eq!(std::fs::read_dir(ours.path()).unwrap().count(), 0);
        drop(db);
    }

    #[test]
    fn a_file_that_is_no_database_is_named_and_one_without_the_table_has_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("openclaw.sqlite");
        std::fs::write(
            &path,
            "not a database, but long enough to have a header of one hundred bytes, which this text now has, nearly.",
        )
        .unwrap();
        let error = openclaw_let_in(&path, folder.path()).unwrap_err().to_string();
        assert!(error.contains("openclaw.sqlite"), "{error}");
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
        assert_eq!(openclaw_let_in(&path, folder.path()).unwrap(), []);
    }
}
