//! Sessions on disk: `sessions/{id}/session.jsonl` in the existing format and `journal.jsonl` beside it, with an index in
//! SQLite that can be made again from the files.
//!
//! [`format`] knows the lines, [`tail`] appends to files and mends torn ends, [`commits`] makes that durable, [`scan`] brings the index in line with the
//! files, [`transcripts`] is the port, [`upkeep`] what is asked of many sessions at once, [`texts`] reads what is searched, [`last`]
//! the end of a long file. Deliberately absent: what a row means for a conversation; that is the core's.

mod commits;
pub(crate) mod facts;
pub(crate) mod format;
mod last;
mod names;
mod scan;
mod tail;
mod texts;
mod transcripts;
mod upkeep;

#[cfg(test)]
pub(crate) use transcripts::OPEN_FILES;

pub use transcripts::{FileTranscripts, WorkspaceFolder};
pub use upkeep::{Rebuilt, ShelfRow};
