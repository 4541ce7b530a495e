//! Bringing the index in line with the files: only files that changed since their row was made are read again.

use super::WorkspaceFolder;
use super::facts::Facts;
use super::format::{self, Parts};
use crate::atomic;
use crate::sqlite::sessions::{IndexRow, Known, Stamp};
use kata_core::ports::TranscriptError;
use kata_protocol::{SessionId, SessionSummary};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

/// File of a session's header and rows.
pub(crate) const SESSION: &str = "session.jsonl";
/// File of a session's journal.
pub(crate) const JOURNAL: &str = "journal.jsonl";

/// What a look at the folders found.
#[derive(Default)]
pub(crate) struct Found {
    /// Files that are new or look different.
    pub changed: Vec<Changed>,
    /// Rows whose folder is gone.
    pub gone: Vec<SessionId>,
    /// Sessions that cannot be listed, in words.
    pub unreadable: Vec<String>,
}

/// A file that has to be read again.
pub(crate) struct Changed {
    /// Session.
    pub id: SessionId,
    workspace: WorkspaceFolder,
    folder: PathBuf,
}

impl Changed {
    /// Reads the file. `row` is what the index had; of another place it counts for nothing.
    pub(crate) fn read(&self, row: Option<&IndexRow>) -> Result<IndexRow, TranscriptError> {
        let row = row.filter(|row| row.folder == self.folder && row.summary.workspace == self.workspace.id);
        read(&self.workspace, &self.folder, &self.id, row)
    }
}

/// Looks at every session folder. `known` is what the index has.
pub(crate) fn scan(workspaces: &[WorkspaceFolder], known: &HashMap<SessionId, Known>) -> Found {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for workspace in workspaces {
        for folder in folders(&workspace.sessions()) {
            let Some(id) = folder
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| SessionId::new(name).ok())
            else {
                continue;
            };
            restore_temporary(&folder);
            let Ok(metadata) = std::fs::metadata(folder.join(SESSION)) else {
                continue;
            };
            if !seen.insert(id.clone()) {
                let message = format!(
                    "{} has the same name as a session of another workspace and is not listed.",
                    folder.display()
                );
                found.unreadable.push(message);
                continue;
            }
            let same = known.get(&id).is_some_and(|known| {
                let stamp = (known.stamp.mtime_ns, known.stamp.size);
                known.folder == folder && known.workspace == workspace.id && stamp == (modified(&metadata), length(&metadata))
            });
            if !same {
                found.changed.push(Changed {
                    id,
                    workspace: workspace.clone(),
                    folder,
                });
            }
        }
    }
    found.gone = known.keys().filter(|id| !seen.contains(*id)).cloned().collect();
    found
}

fn folders(sessions: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(sessions) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The existing program saves by deleting the file and renaming a temporary one. Where it was stopped between the two, the
/// temporary file is the session; where the session is there, the temporary one is a leftover.
fn restore_temporary(folder: &Path) {
    let path = folder.join(SESSION);
    let temporary = atomic::temporary(&path);
    if !temporary.exists() {
        return;
    }
    let outcome = if path.exists() {
        std::fs::remove_file(&temporary)
    } else if std::fs::read(&temporary).is_ok_and(|bytes| format::header(format::parts(&bytes).header).is_ok()) {
        tracing::warn!(session = %folder.display(), "a session that was being saved when its program stopped has been restored");
        std::fs::rename(&temporary, &path)
    } else {
        Ok(())
    };
    if let Err(error) = outcome {
        tracing::warn!(session = %folder.display(), %error, "a leftover of saving could not be cleared");
    }
}

/// Reads a session file for the index. `row` is what the index had.
pub(crate) fn read(
    workspace: &WorkspaceFolder,
    folder: &Path,
    id: &SessionId,
    row: Option<&IndexRow>,
) -> Result<IndexRow, TranscriptError> {
    let path = folder.join(SESSION);
    let bytes = std::fs::read(&path).map_err(io_error(&path))?;
    let metadata = std::fs::metadata(&path).map_err(io_error(&path))?;
    let parts = format::parts(&bytes);
    let mut facts = Facts::default();
    for line in format::lines(parts.body) {
        facts.line(line);
    }
    index_row(workspace, folder, id, row, &parts, &facts, &metadata)
}

/// The row that a file's parts make. A header that is the same as when `row` was made leaves `row`'s fields standing.
pub(crate) fn index_row(
    workspace: &WorkspaceFolder,
    folder: &Path,
    id: &SessionId,
    row: Option<&IndexRow>,
    parts: &Parts<'_>,
    facts: &Facts,
    metadata: &Metadata,
) -> Result<IndexRow, TranscriptError> {
    let header = read_header(&folder.join(SESSION), parts.header)?;
    let stamp = stamp(metadata, parts.header);
    let same = row.filter(|row| row.stamp.header_hash == stamp.header_hash);
    let summary = match same {
        Some(row) => SessionSummary {
            message_count: facts.rows,
            last_message_at: facts
                .last_at
                .map_or(row.summary.last_message_at, |at| at.max(row.summary.last_message_at)),
            preview: row.summary.preview.clone().or_else(|| facts.preview.clone()),
            ..row.summary.clone()
        },
        _ => format::summary(id, &workspace.id, &header, facts),
    };
    let archived_at = same.or(row.filter(|row| row.summary.archived)).and_then(|row| row.archived_at);
    Ok(IndexRow {
        folder: folder.to_owned(),
        stamp,
        keyed: !format::keys(&header).is_empty(),
        archived_at: archived_at.or_else(|| format::archived_at(&header)).filter(|_| summary.archived),
        class: format::class(&header),
        pending: same.is_some_and(|row| row.pending),
        summary,
    })
}

/// Line 1, or why it is none.
pub(crate) fn read_header(path: &Path, line: &[u8]) -> Result<format::Header, TranscriptError> {
    format::header(line).map_err(|reason| TranscriptError::BadHeader {
        path: path.display().to_string(),
        reason: reason.to_string(),
    })
}

/// How a file looks.
pub(crate) fn stamp(metadata: &Metadata, header: &[u8]) -> Stamp {
    let digest = Sha256::digest(header);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Stamp {
        mtime_ns: modified(metadata),
        size: length(metadata),
        header_hash: i64::from_le_bytes(first),
    }
}

fn modified(metadata: &Metadata) -> i64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

fn length(metadata: &Metadata) -> i64 {
    i64::try_from(metadata.len()).unwrap_or(i64::MAX)
}

/// A failure of the file system.
pub(crate) fn io_error(path: &Path) -> impl Fn(io::Error) -> TranscriptError {
    let path = path.display().to_string();
    move |error| TranscriptError::Io {
        path: path.clone(),
        reason: error.to_string(),
    }
}
