//! The store on SQLite: `kata.db` in the home folder.
//!
//! One thread writes with group commit ([`writer`]), two read ([`reader`]). WAL with `synchronous=FULL`: an answered write
//! survives a power cut. What may be missed (traces, the session index, which is rebuilt from the files) is committed without
//! waiting for the disk when nothing else is in the same transaction.
//!
//! Deliberately absent: any rule about messages beyond what keeps the ledger balanced; those are the core's.

mod approvals;
mod audit;
mod devices;
mod fault;
mod grants;
mod letters;
mod messages;
mod open;
mod pairing;
mod plans;
mod reader;
mod retention;
mod schema;
pub(crate) mod search;
pub(crate) mod sessions;
mod state;
mod traces;
mod usage;
mod writer;

pub use audit::AuditRecord;
pub use devices::{StoredDevice, StoredProof};
pub use retention::{KEEP_MS, Pruned};
pub use usage::Used;

pub(crate) use fault::Fault;
use kata_core::ports::StoreError;
use kata_protocol::Ms;
use reader::Readers;
use rusqlite::Connection;
use sessions::Touched;
use std::sync::Arc;
use writer::{Durability, Writer};

/// Messages, keys, pairing, traces, plugin state and the session index in one SQLite file.
///
/// Dropping it ends the threads after what is queued has been written, and closes the file cleanly.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    touched: Arc<Touched>,
    counting: Arc<usage::Counting>,
}

impl SqliteStore {
    /// Writes; resolves when it is on the disk.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.writer.write(Durability::Synced, work).await
    }

    /// Writes a consistent copy of the whole store into a new file, while others go on.
    ///
    /// # Errors
    /// The file is there already, or the disk refuses.
    pub async fn copy_to(&self, path: std::path::PathBuf) -> Result<(), StoreError> {
        self.read(move |db| {
            db.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
            Ok(())
        })
        .await
    }

    /// Writes; resolves when it is committed. For what can be rebuilt.
    pub(crate) async fn write_rebuildable<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.writer.write(Durability::Committed, work).await
    }

    /// Sets who is told when the disk refuses writes, and why, and when it takes them again. Called on the writing thread: it
    /// must not wait.
    pub fn on_trouble(&self, tell: impl Fn(Option<&StoreError>) + Send + 'static) {
        self.writer.on_trouble(Box::new(tell));
    }

    /// Writes something that changes nothing: whether the disk takes it.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.write(|db| {
            let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok(db.pragma_update(None, "user_version", version)?)
        })
        .await
    }

    /// Makes SQLite refuse as on a disk that may only be read; for tests, in debug builds only.
    #[cfg(debug_assertions)]
    pub fn read_only(&self, only: bool) {
        self.writer.read_only.store(only, std::sync::atomic::Ordering::Relaxed);
    }

    /// Queues a write that nobody waits for and that is in no hurry; a failure goes to the log.
    async fn write_later<F>(&self, work: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    {
        self.writer.queue(Durability::Later, work).await.map(drop)
    }

    /// Reads what is committed.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.readers.read(work).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.stop();
        self.writer.stop();
    }
}

/// SQLite's integers are signed; a time past the year 292 million is cut to the largest.
fn ms_in(ms: Ms) -> i64 {
    i64::try_from(ms.0).unwrap_or(i64::MAX)
}

/// A negative time is no time.
fn ms_out(ms: i64) -> Ms {
    Ms(u64::try_from(ms).unwrap_or(0))
}
