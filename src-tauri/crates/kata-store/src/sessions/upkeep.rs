//! What is asked of many sessions at once: the search index, the shelf for tidying up, the index made anew, and how a deleted
//! session goes.

use super::format;
use super::scan::{SESSION, io_error};
use super::texts;
use super::transcripts::{FileTranscripts, blocking, index_error};
use crate::atomic;
use kata_core::ports::{KeyStore, TranscriptError, Transcripts};
use kata_protocol::{Ms, SearchHit, SessionClass, SessionId, SessionKey, SessionSummary, WorkspaceId};
use std::io;
use std::path::{Path, PathBuf};

/// Sessions of one step of filling the search index.
const SESSIONS: usize = 32;
/// Bytes of files read in one step.
const BYTES: usize = 512 * 1024;

/// A session as tidying up sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShelfRow {
    /// List row.
    pub summary: SessionSummary,
    /// How it is tidied up.
    pub class: SessionClass,
    /// When it went into the archive.
    pub archived_at: Option<Ms>,
}

/// What an index that was made anew has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Sessions.
    pub sessions: u32,
    /// Conversations with a session.
    pub keys: u32,
}

impl FileTranscripts {
    /// Messages that have the words of a query, best first.
    pub async fn search(&self, query: &str, workspace: Option<WorkspaceId>, limit: u32) -> Result<Vec<SearchHit>, TranscriptError> {
        self.index.search(query, workspace, limit).await.map_err(index_error)
    }

    /// Sessions whose newest lines the search does not find yet.
    pub fn unsearched(&self) -> usize {
        self.unsearched.count()
    }

    /// Returns when a session has new lines.
    pub async fn lines_added(&self) {
        self.unsearched.added().await;
    }

    /// Reads some of what is new into the search index: at most 32 sessions and half a megabyte, so that nobody who writes
    /// waits for long. Answers how many sessions are left. What fails is tried again at the next start, or the next line.
    pub async fn fill_search(&self) -> Result<usize, TranscriptError> {
        let batch = self.unsearched.take(SESSIONS);
        let mut work = Vec::with_capacity(batch.ids.len());
        for id in batch.ids.iter().cloned() {
            let Some(row) = self.index.indexed_session(&id).await.map_err(index_error)? else {
                continue;
            };
            let place = self.index.searched(&id).await.map_err(index_error)?;
            work.push((id, row.folder, place));
        }
        let (found, again) = blocking(move || {
            let (mut found, mut again, mut budget) = (Vec::new(), Vec::new(), BYTES);
            for (id, folder, place) in work {
                if budget == 0 {
                    again.push(id);
                    continue;
                }
                match texts::read(&folder, &id, place, &mut budget) {
                    Ok((one, more)) => {
                        found.push(one);
                        again.extend(more.then_some(id));
                    }
                    Err(TranscriptError::NotFound(_)) => {}
                    Err(error) => tracing::warn!(session = %id, %error, "a session was not read for the search"),
                }
            }
            Ok((found, again))
        })
        .await?;
        match self.index.keep_texts(found).await {
            Ok(later) => {
                for id in again.into_iter().chain(later) {
                    self.unsearched.add(id);
                }
                drop(batch);
                Ok(self.unsearched.count())
            }
            Err(error) => {
                self.unsearched.all(batch.ids.clone());
                Err(index_error(error))
            }
        }
    }

    /// Every session, longest silent first.
    pub async fn shelf(&self) -> Result<Vec<ShelfRow>, TranscriptError> {
        let rows = self.index.shelf(self.clock.now()).await.map_err(index_error)?;
        let row = |row: crate::sqlite::sessions::IndexRow| ShelfRow {
            summary: row.summary,
            class: row.class,
            archived_at: row.archived_at,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Binds conversations to their sessions again, from the headers of the sessions that have one, where no conversation has
    /// one: the store was set aside, or is new beside old sessions. The session that was used last has a conversation. Answers
    /// how many.
    pub async fn rebuild_keys(&self) -> Result<usize, TranscriptError> {
        if self.index.has_keys().await.map_err(index_error)? {
            return Ok(0);
        }
        self.bind_conversations().await
    }

    async fn bind_conversations(&self) -> Result<usize, TranscriptError> {
        let folders = self.index.keyed_folders().await.map_err(index_error)?;
        let found = blocking(move || {
            let keys = |(id, folder): (SessionId, PathBuf)| conversations(&folder).into_iter().map(move |key| (key, id.clone()));
            Ok(folders.into_iter().flat_map(keys).collect::<Vec<_>>())
        })
        .await?;
        let mut count = 0;
        for (key, session) in found {
            // The first one stands: the list is newest first.
            let bound = self.index.bind(&key, &session).await.map_err(index_error)?;
            count += usize::from(bound == session);
        }
        Ok(count)
    }

    /// Makes list, keys and search index anew from the files. What only the index has of a header is written to its file
    /// first; a conversation whose session is gone has none afterwards. The search fills again in the background.
    pub async fn rebuild_index(&self) -> Result<Rebuilt, TranscriptError> {
        for id in self.index.pending().await.map_err(index_error)? {
            match self.rewrite(&id).await {
                Ok(()) | Err(TranscriptError::NotFound(_)) => {}
                // Its header cannot be read either way; the look at the files says so.
                Err(error) => tracing::warn!(session = %id, %error, "a session's first line was not brought up to date"),
            }
        }
        self.index.unindex_all().await.map_err(index_error)?;
        self.rescan().await?;
        self.index.unbind_lost().await.map_err(index_error)?;
        self.bind_conversations().await?;
        let sessions = self.index.session_counts().await.map_err(index_error)?.values().sum();
        let keys = self.index.key_count().await.map_err(index_error)?;
        Ok(Rebuilt { sessions, keys })
    }

    /// Finishes what a crash left of deleting sessions.
    pub(super) async fn empty_trash(&self) -> Result<(), TranscriptError> {
        let bins: Vec<_> = self.workspaces().iter().map(super::WorkspaceFolder::trash).collect();
        blocking(move || {
            for bin in bins {
                match std::fs::remove_dir_all(&bin) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!(folder = %bin.display(), %error, "deleted sessions could not be removed");
                    }
                    _ => {}
                }
            }
            Ok(())
        })
        .await
    }
}

/// The session keys in line 1 of a file.
fn conversations(folder: &Path) -> Vec<SessionKey> {
    let Ok(file) = std::fs::File::open(folder.join(SESSION)) else {
        return Vec::new();
    };
    let mut line = Vec::new();
    if io::BufRead::read_until(&mut io::BufReader::new(file), b'\n', &mut line).is_err() {
        return Vec::new();
    }
    format::header(line.trim_ascii_end()).map_or_else(|_| Vec::new(), |header| format::keys(&header))
}

/// Deletes a folder in two steps: out of its place at once, so that a crash leaves the whole of it or nothing, then its files.
pub(super) fn throw_away(folder: &Path, trash: &Path) -> Result<(), TranscriptError> {
    let failed = io_error(folder);
    atomic::private_dir(trash).map_err(&failed)?;
    let name = folder.file_name().unwrap_or_default();
    let mut place = trash.join(name);
    let mut n = 1;
    while place.exists() {
        n += 1;
        place = trash.join(format!("{}-{n}", name.to_string_lossy()));
    }
    std::fs::rename(folder, &place)
        .and_then(|()| atomic::sync_parent(folder))
        .map_err(&failed)?;
    if let Err(error) = std::fs::remove_dir_all(&place) {
        tracing::warn!(folder = %place.display(), %error, "a deleted session's files are removed at the next start");
    } else {
        // Empty in most cases; where it is not, another session is being deleted.
        let _ = std::fs::remove_dir(trash);
    }
    Ok(())
}
