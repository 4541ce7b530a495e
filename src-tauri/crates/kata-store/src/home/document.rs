//! JSON files as documents: read whole, changed field by field, written atomically in the existing form (two spaces, no
//! line end at the end).

use crate::atomic::{self, FILE_MODE};
use kata_protocol::{Ms, Notice};
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};

/// What a file holds.
pub(crate) enum Document {
    /// There is no file.
    Missing,
    /// It is not a JSON object; the reason names the place, never the content.
    Damaged(String),
    /// Its fields, in order.
    Fields(Map<String, Value>),
}

impl Document {
    /// The fields; a file that is missing or damaged has none.
    pub(crate) fn fields(self) -> Option<Map<String, Value>> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Missing | Self::Damaged(_) => None,
        }
    }
}

/// Why a document was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file is not a JSON object; it stays as it is.
    #[error("{path} is damaged ({reason}); nothing was written")]
    Damaged {
        /// File.
        path: String,
        /// Where in it.
        reason: String,
    },
    /// There is no such file or entry.
    #[error("{0} does not exist")]
    Missing(String),
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// File.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Document {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Document::Missing,
        Err(error) => return Document::Damaged(error.to_string()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Document::Fields(fields),
        Ok(_) => Document::Damaged("it is not an object".into()),
        Err(error) => Document::Damaged(format!("line {}, column {}", error.line(), error.column())),
    }
}

/// Writes a document.
pub(crate) fn write(path: &Path, fields: &Map<String, Value>) -> io::Result<()> {
    atomic::atomic_write(path, &serde_json::to_vec_pretty(fields)?, FILE_MODE)
}

/// Changes a document in place: fields that `change` does not touch keep value and position. A damaged file is not touched.
pub fn update_document(path: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), DocumentError> {
    let name = || path.display().to_string();
    let mut fields = match read(path) {
        Document::Fields(fields) => fields,
        Document::Missing => return Err(DocumentError::Missing(name())),
        Document::Damaged(reason) => return Err(DocumentError::Damaged { path: name(), reason }),
    };
    change(&mut fields);
    write(path, &fields).map_err(|source| DocumentError::Io { path: name(), source })
}

/// Changes a document, or begins it with `fresh`. A damaged one is set aside first; answers where it is then.
pub(crate) fn change_or_begin(
    path: &Path,
    fresh: Map<String, Value>,
    now: Ms,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<Option<PathBuf>, DocumentError> {
    let name = || path.display().to_string();
    let failed = |source| DocumentError::Io { path: name(), source };
    let (mut fields, aside) = match read(path) {
        Document::Fields(fields) => (fields, None),
        Document::Missing => (fresh, None),
        Document::Damaged(_) => (fresh, Some(atomic::set_aside(path, now).map_err(failed)?)),
    };
    change(&mut fields);
    if let Some(parent) = path.parent() {
        atomic::private_dir(parent).map_err(failed)?;
    }
    write(path, &fields).map_err(failed)?;
    Ok(aside)
}

/// Copies a damaged file aside; the notice says what stands in for it.
pub(crate) fn check(path: &Path, instead: &str, now: Ms) -> Option<Notice> {
    let Document::Damaged(reason) = read(path) else { return None };
    let hint = match atomic::copy_aside(path, now) {
        Ok(copy) => format!(
            "A copy is kept as {}. Mend the file, or delete it to begin with a fresh one.",
            copy.display()
        ),
        Err(error) => format!("It could not be copied aside either ({error}). Mend the file by hand."),
    };
    Some(Notice {
        id: format!("damaged:{}", path.display()),
        at: now,
        message: format!("{} cannot be read ({reason}). {instead}", path.display()),
        hint: Some(hint),
    })
}

/// A text field.
pub(crate) fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).map(str::to_owned)
}
