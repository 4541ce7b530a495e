//! Floor 2: session files and the only crate that names SQLite.
//!
//! [`SqliteStore`] is the durable store of the core's ports, [`MemoryStore`] the same in memory;
//! [`FileTranscripts`] the sessions on disk, [`MediaFolder`] files on their way; [`home`] the settings of an existing home folder; another program's database is read in `foreign`. Neighbours: kata-core's ports
//! above, the file system below.
//!
//! Deliberately absent: sockets, clocks (every call that needs the time is given it), and rules about what a message means.

mod atomic;
mod foreign;
pub mod home;
pub mod legacy_credentials;
mod media;
mod memory;
mod sessions;
mod sqlite;

pub use atomic::{atomic_write, copy_aside, private_dir, set_aside};
pub use foreign::{ForeignError, LetIn, openclaw_let_in};
pub use home::{HomePaths, file_channels, open_home, workspaces};
pub use legacy_credentials::{Imported, import_credentials};
pub use media::MediaFolder;
pub use memory::MemoryStore;
pub use sessions::{FileTranscripts, Rebuilt, ShelfRow, WorkspaceFolder};
pub use sqlite::{AuditRecord, KEEP_MS, Pruned, SqliteStore, StoredDevice, StoredProof, Used};

/// Lines of history that are kept per plugin; older ones fall out.
pub const KEPT_GRANT_EVENTS: u32 = 1000;
/// Traces of a list that says no limit, and of any list.
const LISTED_TRACES: (u32, u32) = (50, 500);

fn trace_limit(list: &kata_protocol::TraceList) -> usize {
    list.limit.unwrap_or(LISTED_TRACES.0).min(LISTED_TRACES.1) as usize
}

#[cfg(test)]
mod tests;
