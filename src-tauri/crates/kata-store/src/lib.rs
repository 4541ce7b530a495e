//! Floor 2: session files and the only crate that names SQLite.
//!
//! [`SqliteStore`] is the durable store of the core's ports, [`MemoryStore`] the same in memory. Neighbours: kata-core's ports
//! above, the file system below.
//!
//! Deliberately absent: sockets, clocks (every call that needs the time is given it), and rules about what a message means.

pub mod atomic;
mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{AuditRecord, KEEP_MS, Pruned, SqliteStore};

/// Traces that are kept; older ones fall out.
pub const KEPT_TRACES: u32 = 2000;

#[cfg(test)]
mod tests;
