//! Failures inside the store, before they cross the port as [`StoreError`].
//!
//! Deliberately absent: values. No message here may hold a stored text, so JSON errors are cut down to their position.

use kata_core::ports::StoreError;

/// What went wrong in a job.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A stored JSON text cannot be read.
    #[error("a stored {what} cannot be read (line {line}, column {column})")]
    Json {
        /// Which.
        what: &'static str,
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// A stored identifier is not one.
    #[error("a stored {0} is not a valid identifier")]
    Identifier(&'static str),
    /// A stored state is not known.
    #[error("the {table} row {id} has an unknown state")]
    State {
        /// Table.
        table: &'static str,
        /// Row.
        id: i64,
    },
    /// No such row, or it is past the point where this is possible.
    #[error("{table} row {id}: {reason}")]
    Row {
        /// Table.
        table: &'static str,
        /// Row.
        id: i64,
        /// Why.
        reason: &'static str,
    },
    /// Refused for another reason.
    #[error("{0}")]
    Refused(&'static str),
}

impl Fault {
    /// Whether the disk is what refuses: full, not to be written, or broken.
    pub(crate) fn is_disk(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(CannotOpen | DiskFull | ReadOnly | SystemIoFailure))
    }
    /// A JSON fault without the text that was read.
    pub(crate) fn json(what: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |error| Self::Json {
            what,
            line: error.line(),
            column: error.column(),
        }
    }
    /// An identifier fault without the text that was read.
    pub(crate) fn id<E>(what: &'static str) -> impl Fn(E) -> Self {
        move |_| Self::Identifier(what)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        StoreError(fault.to_string())
    }
}
