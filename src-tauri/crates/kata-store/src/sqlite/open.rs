//! Opening the file: checks, migrations, and what happens when it is damaged.

use super::SqliteStore;
use super::reader::Readers;
use super::schema::migrations;
use super::writer::Writer;
use crate::atomic;
use kata_core::ports::StoreError;
use kata_protocol::{Ms, Notice};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Threads that read.
const READERS: usize = 2;
/// A file up to this size is checked whole at every start; a larger one only after an unclean end.
const CHECKED_BYTES: u64 = 16 * 1024 * 1024;

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    /// It is not a database, or its pages are broken.
    #[error("{path} is damaged: {reason}")]
    Damaged { path: String, reason: String },
    /// A newer program made it.
    #[error("{0} was written by a newer version of this program; nothing was changed")]
    Newer(String),
    /// SQLite or the file system refused.
    #[error("{path}: {reason}")]
    Refused { path: String, reason: String },
}

impl SqliteStore {
    /// Opens or makes the file (mode 0600) and brings its tables up to date. A damaged file is an error and stays as it is.
    pub fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        open(path).map_err(|error| StoreError(error.to_string()))
    }

    /// Whether the file is sound, without changing it; how many pages it has, or `None` where there is none. Reads it whole.
    ///
    /// # Errors
    /// It is damaged, or cannot be read.
    pub fn look(path: &Path) -> Result<Option<u32>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let told = |error: OpenError| StoreError(error.to_string());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|error| told(sorted(path, &error)))?;
        configure(&db, true).map_err(|error| told(sorted(path, &error)))?;
        check(path, &db).map_err(told)?;
        let pages = db.query_row("PRAGMA page_count", [], |row| row.get(0));
        pages.map(Some).map_err(|error| told(sorted(path, &error)))
    }

    /// As [`Self::open`], but a damaged file is moved aside (`kata.db.damaged-<ms>`, its journal files with it) and a fresh
    /// one made. The notice says what was set aside and what that means.
    pub fn open_or_set_aside(path: &Path, now: Ms) -> Result<(Arc<Self>, Option<Notice>), StoreError> {
        let reason = match open(path) {
            Ok(store) => return Ok((store, None)),
            Err(OpenError::Damaged { reason, .. }) => reason,
            Err(error) => return Err(StoreError(error.to_string())),
        };
        let refused = |error: std::io::Error| StoreError(format!("{} is damaged and cannot be moved aside: {error}", path.display()));
        let aside = atomic::set_aside(path, now).map_err(refused)?;
        for suffix in ["-wal", "-shm"] {
            let companion = with_suffix(path, suffix);
            if companion.exists() {
                std::fs::rename(&companion, with_suffix(&aside, suffix)).map_err(refused)?;
            }
        }
        let store = open(path).map_err(|error| StoreError(error.to_string()))?;
        tracing::error!(aside = %aside.display(), %reason, "the database was damaged and has been set aside");
        let notice = Notice {
            id: "store-set-aside".into(),
            at: now,
            message: format!(
                "The message store was damaged. It was kept as {} and a fresh one was made.",
                aside.display()
            ),
            hint: Some(
                "Your sessions are in files of their own and are all there, and conversations keep theirs. People who were let in \
                 have to be approved again; plugins you trusted ask again."
                    .into(),
            ),
        };
        Ok((store, Some(notice)))
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn open(path: &Path) -> Result<Arc<SqliteStore>, OpenError> {
    let refused = |reason: String| OpenError::Refused {
        path: path.display().to_string(),
        reason,
    };
    atomic::create_private(path).map_err(|error| refused(error.to_string()))?;
    let unclean = with_suffix(path, "-wal").metadata().is_ok_and(|wal| wal.len() > 0);
    let small = path.metadata().is_ok_and(|file| file.len() <= CHECKED_BYTES);

    let mut db = Connection::open(path).map_err(|error| sorted(path, &error))?;
    configure(&db, false).map_err(|error| sorted(path, &error))?;
    if unclean || small {
        check(path, &db)?;
    }
    migrate(path, &mut db)?;

    let mut connections = Vec::new();
    for _ in 0..READERS {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags).map_err(|error| sorted(path, &error))?;
        configure(&reader, true).map_err(|error| sorted(path, &error))?;
        connections.push(reader);
    }
    let readers = Readers::start(connections).map_err(|error| refused(error.to_string()))?;
    let writer = Writer::start(db).map_err(|error| refused(error.to_string()))?;
    Ok(Arc::new(SqliteStore {
        writer,
        readers,
        touched: Arc::default(),
        counting: Arc::default(),
    }))
}

fn configure(db: &Connection, read_only: bool) -> rusqlite::Result<()> {
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(64);
    db.pragma_update(None, "cache_size", -1024)?;
    if read_only {
        return Ok(());
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    // After a burst the journal shrinks back to this at the next checkpoint.
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)
}

fn check(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let answer: String = db
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| sorted(path, &error))?;
    if answer == "ok" {
        return Ok(());
    }
    Err(OpenError::Damaged {
        path: path.display().to_string(),
        reason: answer,
    })
}

fn migrate(path: &Path, db: &mut Connection) -> Result<(), OpenError> {
    use rusqlite_migration::{Error, MigrationDefinitionError};
    migrations().to_latest(db).map_err(|error| match error {
        Error::RusqliteError { err, .. } => sorted(path, &err),
        Error::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => OpenError::Newer(path.display().to_string()),
        other => OpenError::Refused {
            path: path.display().to_string(),
            reason: other.to_string(),
        },
    })
}

/// Only what SQLite itself calls damage is damage: a locked file or a full disk must never lead to setting it aside.
fn sorted(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.display().to_string();
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, reason },
        _ => OpenError::Refused { path, reason },
    }
}
