//! What stands beside a session: the person's notes, and files of its folder to name in a message.
//!
//! The notes are `notes.md` in the session's folder, as in the earlier app. They are the person's: no tool writes there
//! (`kata-tools`, `OWN`), and they are in no prompt.

use super::{blocking, unwritten};
use crate::engine::Inner;
use kata_core::ports::Transcripts;
use kata_core::session::wire;
use kata_protocol::{ErrorCode, FileFind, FileHit, SessionId, SessionNotes, WireError};
use kata_store::atomic_write;
use kata_store::home::DocumentError;
use kata_tools::Scope;
use std::io;
use std::path::Path;

/// Longest notes, bytes.
const NOTES: usize = 256 * 1024;
/// Longest part of a path, characters.
const QUERY: usize = 200;

impl Inner {
    pub(crate) async fn notes(&self, params: SessionNotes) -> Result<SessionNotes, WireError> {
        if params.text.as_ref().is_some_and(|text| text.len() > NOTES) {
            return Err(WireError::invalid(format!("text: at most {} KiB", NOTES / 1024)));
        }
        let path = self.transcripts.folder(&params.id).await.map_err(wire)?.join("notes.md");
        let SessionNotes { id, text } = params;
        let text = blocking(move || match text {
            None => read(&path),
            Some(text) => write(&path, &text).map(|()| text),
        })
        .await?;
        Ok(SessionNotes { id, text: Some(text) })
    }

    pub(crate) async fn find_files(&self, params: FileFind) -> Result<Vec<FileHit>, WireError> {
        if params.query.chars().count() > QUERY {
            return Err(WireError::invalid(format!("query: at most {QUERY} characters")));
        }
        let scope = self.scope_of(&params.session).await?;
        blocking(move || Ok(kata_tools::find_files(&scope, &params.query))).await
    }

    /// The folders of a session.
    pub(super) async fn scope_of(&self, id: &SessionId) -> Result<Scope, WireError> {
        let session = self.transcripts.summary(id).await.map_err(wire)?;
        let places = self.permit.places.clone();
        blocking(move || {
            Scope::of(&places, &session.workspace, &session.id, session.working_directory.as_deref())
                .map_err(|why| WireError::new(ErrorCode::Conflict, why.0).hint("give the session another folder"))
        })
        .await
    }
}

fn failed(path: &Path, source: io::Error) -> WireError {
    unwritten(&DocumentError::Io {
        path: path.display().to_string(),
        source,
    })
}

fn plain(path: &Path) -> Result<bool, WireError> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(_) => Err(WireError::new(ErrorCode::Conflict, format!("{} is no file", path.display())).hint("move it away")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(path, error)),
    }
}

fn read(path: &Path) -> Result<String, WireError> {
    if !plain(path)? {
        return Ok(String::new());
    }
    let bytes = std::fs::read(path).map_err(|e| failed(path, e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), WireError> {
    match (plain(path)?, text.is_empty()) {
        (false, true) => Ok(()),
        (true, true) => std::fs::remove_file(path).map_err(|e| failed(path, e)),
        (_, false) => atomic_write(path, text.as_bytes(), 0o600).map_err(|e| failed(path, e)),
    }
}
