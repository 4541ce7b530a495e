//! A plugin's files: its own folder, and with another capability the workspace. Every path is confined to its folder, by
//! its letters first and by what the disk says second, so that neither `..` nor a link leads out.
//!
//! Deliberately absent: making links, other owners' files, and anything that is neither a file nor a folder.

use crate::capability::Denied;
use crate::standing::Standing;
use kata_core::ports::FilesRoot;
use kata_protocol::WorkspaceId;
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Entries of one listing.
const LISTED: usize = 1000;
/// Bytes of everything in a plugin's own folder.
const OWN: u64 = 64 << 20;
/// Entries that are walked to find that out.
const WALKED: usize = 20_000;
/// Folders of a workspace that have a door of their own: sessions by `ctx.sessions`, and plugins by nobody.
const APART: [&str; 2] = ["extensions", "sessions"];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Do {
    Read,
    Write,
    List,
    Delete,
}

/// What JavaScript asks for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) root: RootName,
    #[serde(rename = "do")]
    pub(crate) what: Do,
    path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RootName {
    State,
    Workspace,
}

impl RootName {
    /// As the engine knows it; `workspace` is the one the plugin was found in.
    pub(crate) fn root(self, workspace: Option<&WorkspaceId>) -> FilesRoot {
        match self {
            Self::State => FilesRoot::State,
            Self::Workspace => FilesRoot::Workspace(workspace.cloned()),
        }
    }
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error("files: {0}")]
    Denied(#[from] Denied),
    #[error("files: “{0}” leads out of its folder")]
    Outside(String),
    #[error("files: “{0}” is no path: names with / between them, no “..”")]
    Path(String),
    #[error("files: “{0}” does not exist")]
    Missing(String),
    #[error("files: “{path}”: {reason}")]
    Failed { path: String, reason: String },
}

impl FilesError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) | Self::Outside(_) => "forbidden",
            Self::Path(_) => "invalid",
            Self::Missing(_) => "not_found",
            Self::Failed { .. } => "failed",
        }
    }
}

/// One entry of a listing.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    name: String,
    kind: &'static str,
    bytes: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Done {
    Nothing,
    Bytes(Vec<u8>),
    List(Vec<Entry>),
}

/// Whether a plugin may do that there now.
pub(crate) fn allowed(wanted: &Wanted, standing: &Standing) -> Result<(), FilesError> {
    let writes = matches!(wanted.what, Do::Write | Do::Delete);
    match wanted.root {
        RootName::State => standing.check("files:state")?,
        RootName::Workspace if writes => standing.check("files:workspace:rw")?,
        RootName::Workspace => {
            if standing.check("files:workspace:rw").is_err() {
                standing.check("files:workspace:ro")?;
            }
        }
    }
    Ok(())
}

/// Does it. Blocks on the disk.
pub(crate) fn perform(wanted: &Wanted, root: &Path, bytes: &[u8], most: usize) -> Result<Done, FilesError> {
    let shown = || wanted.path.clone();
    let failed = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => FilesError::Missing(shown()),
        _ => FilesError::Failed {
            path: shown(),
            reason: e.kind().to_string(),
        },
    };
    let names = names(&wanted.path, wanted.what == Do::List)?;
    if wanted.root == RootName::Workspace
        && names
            .first()
            .is_some_and(|first| APART.iter().any(|a| first.eq_ignore_ascii_case(a)))
    {
        return Err(FilesError::Outside(shown()));
    }
    if wanted.root == RootName::State {
        std::fs::create_dir_all(root).map_err(failed)?;
    }
    let root = root.canonicalize().map_err(failed)?;
    let place = || inside(&root, &names, &wanted.path);
    match wanted.what {
        Do::Read => {
            let path = place()?;
            let meta = path.metadata().map_err(failed)?;
            if !meta.is_file() || meta.len() > most as u64 {
                let reason = format!("is no file of at most {most} bytes");
                return Err(FilesError::Failed { path: shown(), reason });
            }
            Ok(Done::Bytes(std::fs::read(path).map_err(failed)?))
        }
        Do::List => {
            let path = if names.is_empty() { root.clone() } else { place()? };
            let mut list = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failed)?.take(LISTED).flatten() {
                let Ok(meta) = entry.metadata() else { continue };
                let kind = if meta.is_dir() {
                    "folder"
                } else if meta.is_file() {
                    "file"
                } else {
                    continue;
                };
                let name = entry.file_name().to_string_lossy().into_owned();
                if wanted.root == RootName::Workspace && names.is_empty() && APART.contains(&name.as_str()) {
                    continue;
                }
                let bytes = if meta.is_file() { meta.len() } else { 0 };
                list.push(Entry { name, kind, bytes });
            }
            list.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(Done::List(list))
        }
        Do::Delete => match place() {
            Ok(path) => {
                let gone = if path.is_dir() {
                    std::fs::remove_dir(&path)
                } else {
                    std::fs::remove_file(&path)
                };
                gone.map_err(failed)?;
                Ok(Done::Nothing)
            }
            Err(FilesError::Missing(_)) => Ok(Done::Nothing),
            Err(e) => Err(e),
        },
        Do::Write => {
            if wanted.root == RootName::State && size_of(&root) + bytes.len() as u64 > OWN {
                let reason = format!("a plugin's own folder holds at most {} MiB", OWN >> 20);
                return Err(FilesError::Failed { path: shown(), reason });
            }
            write(&root, &names, &wanted.path, bytes, failed)?;
            Ok(Done::Nothing)
        }
    }
}

/// The names in a path; refuses what could mean anything but a place below a folder.
fn names(path: &str, may_be_empty: bool) -> Result<Vec<String>, FilesError> {
    let bad = || FilesError::Path(path.chars().take(200).collect());
    if path.len() > 1024 || path.starts_with('/') || path.contains(['\\', '\0', ':']) {
        return Err(bad());
    }
    let names: Vec<String> = path.split('/').filter(|n| !n.is_empty() && *n != ".").map(str::to_owned).collect();
    if names.iter().any(|n| n == ".." || n.len() > 255) || names.len() > 32 || names.is_empty() && !may_be_empty {
        return Err(bad());
    }
    Ok(names)
}

/// An existing place below the root, links followed.
fn inside(root: &Path, names: &[String], shown: &str) -> Result<PathBuf, FilesError> {
    let path = names.iter().fold(root.to_path_buf(), |path, name| path.join(name));
    match path.canonicalize() {
        Ok(real) if real.starts_with(root) => Ok(real),
        Ok(_) => Err(FilesError::Outside(shown.to_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(FilesError::Missing(shown.to_owned())),
        Err(e) => Err(FilesError::Failed {
            path: shown.to_owned(),
            reason: e.kind().to_string(),
        }),
    }
}

fn write(
    root: &Path,
    names: &[String],
    shown: &str,
    bytes: &[u8],
    failed: impl Fn(std::io::Error) -> FilesError,
) -> Result<(), FilesError> {
    let outside = || FilesError::Outside(shown.to_owned());
    let Some((last, folders)) = names.split_last() else {
        return Err(outside());
    };
    // One folder at a time: each is looked at before the next is made below it.
    let mut folder = root.to_path_buf();
    for name in folders {
        let next = folder.join(name);
        if let Err(e) = std::fs::create_dir(&next)
            && e.kind() != ErrorKind::AlreadyExists
        {
            return Err(failed(e));
        }
        folder = next.canonicalize().map_err(&failed)?;
        if !folder.starts_with(root) {
            return Err(outside());
        }
    }
    let target = folder.join(last);
    if target.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
        return Err(outside());
    }
    // Beside it, flushed, then renamed: a crash leaves the old or the new one.
    let beside = folder.join(format!(".{last}.{}.tmp", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(&beside)
        .map_err(&failed)?;
    let done = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, &target));
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    done.map_err(failed)
}

/// Bytes of everything below a folder, links not followed.
fn size_of(root: &Path) -> u64 {
    let mut folders = vec![root.to_path_buf()];
    let (mut sum, mut seen) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > WALKED {
                return u64::MAX / 2;
            }
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                Ok(meta) => sum += meta.len(),
                Err(_) => {}
            }
        }
    }
    sum
}
