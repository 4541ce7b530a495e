//! Copies of what we may write to: settings, workspaces with their sources, skills, statuses and labels, secrets' files, session
//! files and the message store, as one `tar.gz` under `backups/`, readable by the person alone.
//!
//! One is made before anything is written into a home that another program made (`first-open`), before an import, before an update,
//! and when asked for. It is bounded: attachments, downloads and results are not in it (they are added to and never changed); of the
//! session files the newest up to 64 MiB, of the message store up to 256 MiB. What was left out stands in its `LEFT-OUT.txt`. How to
//! put one back is in docs/import.md. The newest of each kind are kept; a first one stays for good.
//!
//! Deliberately absent: secrets of the system's keychain, which cannot be copied.

mod archive;
#[cfg(test)]
mod tests;

use crate::engine::Inner;
use kata_protocol::{Backup, Count, Ms, Notice, WireError};
use kata_store::HomePaths;
use std::io;
use std::path::{Path, PathBuf};

/// Folder under the home.
const FOLDER: &str = "backups";
/// Largest copy of the message store.
const MOST_DATABASE: u64 = 256 << 20;

/// Why one is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A person asked.
    Asked,
    /// The home is another program's and is opened the first time.
    FirstOpen,
    /// Settings of another program are taken over.
    Import,
    /// Another version of this program is put in.
    #[allow(dead_code, reason = "the updater asks for it")]
    Update,
}

impl Why {
    const ALL: [Self; 4] = [Self::Asked, Self::FirstOpen, Self::Import, Self::Update];

    fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::FirstOpen => "first-open",
            Self::Import => "import",
            Self::Update => "update",
        }
    }

    /// How many are kept.
    fn kept(self) -> usize {
        match self {
            Self::Asked => 10,
            // The one from before we touched anything.
            Self::FirstOpen => usize::MAX,
            Self::Import => 5,
            Self::Update => 3,
        }
    }
}

/// Makes one. Blocks. `database` is a consistent copy of the message store.
pub(crate) fn make(home: &HomePaths, why: Why, now: Ms, database: Option<&Path>) -> io::Result<Backup> {
    let folder = home.root().join(FOLDER);
    kata_store::private_dir(&folder)?;
    let mut at = now.0;
    let path = loop {
        let path = folder.join(format!("kata-{at}-{}.tar.gz", why.name()));
        if !path.exists() {
            break path;
        }
        at += 1;
    };
    let bytes = archive::write(home, &path, database)?;
    prune(home.root());
    Ok(Backup {
        path: path.display().to_string(),
        bytes: Count(bytes),
        at: Ms(at),
        why: why.name().to_owned(),
    })
}

/// Those that are there, newest first.
pub(crate) fn list(root: &Path) -> Vec<Backup> {
    let Ok(entries) = std::fs::read_dir(root.join(FOLDER)) else {
        return Vec::new();
    };
    let mut found: Vec<Backup> = entries.flatten().filter_map(|entry| read(&entry.path())).collect();
    found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.path.cmp(&b.path)));
    found
}

/// What the name of a file says. Others' files are none.
fn read(path: &Path) -> Option<Backup> {
    let name = path.file_name()?.to_str()?.strip_prefix("kata-")?.strip_suffix(".tar.gz")?;
    let (at, why) = name.split_once('-')?;
    let why = Why::ALL.into_iter().find(|known| known.name() == why)?;
    let meta = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(Backup {
        path: path.display().to_string(),
        bytes: Count(meta.len()),
        at: Ms(at.parse().ok()?),
        why: why.name().to_owned(),
    })
}

fn prune(root: &Path) {
    let all = list(root);
    for why in Why::ALL {
        for old in all.iter().filter(|b| b.why == why.name()).skip(why.kept()) {
            if let Err(error) = std::fs::remove_file(&old.path) {
                tracing::warn!(%error, path = old.path, "an old backup was not removed");
            }
        }
    }
}

/// Whether another program made this home, and we have never opened it.
fn is_anothers(home: &HomePaths) -> bool {
    let ours = home.database().exists() || home.root().join("settings.json").exists() || home.root().join(FOLDER).exists();
    !ours && (home.config().exists() || home.credentials().exists() || home.workspaces().is_dir())
}

/// At the start, before anything of the home is written: keeps a copy of what another program left. The notice says so, or says
/// that it could not be done.
pub(crate) fn at_first_open(home: &HomePaths, now: Ms) -> Option<Notice> {
    if !is_anothers(home) {
        return None;
    }
    Some(match make(home, Why::FirstOpen, now, None) {
        Ok(backup) => {
            tracing::info!(
                path = backup.path,
                bytes = backup.bytes.0,
                "a home of the earlier app is opened in place"
            );
            Notice {
                id: "first-open".into(),
                at: now,
                message: "Sessions, sources and settings of the earlier app are opened where they are.".into(),
                hint: Some(format!("As they were, they are kept in {}.", backup.path)),
            }
        }
        Err(error) => {
            tracing::warn!(%error, "no copy of the earlier app's home could be made");
            Notice {
                id: "first-open".into(),
                at: now,
                message: format!("The earlier app's sessions and settings are opened where they are; no copy could be made: {error}."),
                hint: Some("Is the disk full? `kata backup create` makes one when there is room.".into()),
            }
        }
    })
}

impl Inner {
    /// `backup.list`.
    pub(crate) async fn backups(&self) -> Vec<Backup> {
        let root = self.home.root().to_owned();
        tokio::task::spawn_blocking(move || list(&root)).await.unwrap_or_default()
    }

    /// Makes one, with a copy of the message store.
    pub(crate) async fn back_up(&self, why: Why) -> Result<Backup, WireError> {
        let now = self.clock.now();
        let copy = self.home.root().join(format!("backup-{}.db", uuid::Uuid::new_v4().simple()));
        let small = std::fs::metadata(self.home.database()).is_ok_and(|file| file.len() <= MOST_DATABASE);
        let database: Option<PathBuf> = match small {
            true => match self.store.copy_to(copy.clone()).await {
                Ok(()) => Some(copy.clone()),
                Err(error) => {
                    tracing::warn!(%error, "the message store is not in the backup");
                    None
                }
            },
            false => None,
        };
        let home = self.home.clone();
        let made = tokio::task::spawn_blocking(move || make(&home, why, now, database.as_deref())).await;
        let _ = std::fs::remove_file(&copy);
        let failed = |reason: String| WireError::internal(format!("no backup was made: {reason}")).hint("is the disk full?");
        made.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
    }
}
