//! What a session's tools may touch: its folders, what lies in them that is not the agent's to change, and what is secret.
//! Judging, the file tools and the sandbox all ask here.

use crate::{paths, sandbox::Mount, secret};
use kata_core::ports::Unfit;
use kata_protocol::{SessionId, WorkspaceId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Finds the folder of a workspace. Blocks.
pub type FindWorkspace = Arc<dyn Fn(&WorkspaceId) -> Option<PathBuf> + Send + Sync>;

/// Where things lie on this machine.
#[derive(Clone)]
pub struct Places {
    /// Home folder of the app, `~/.kata-agents`.
    pub kata_home: PathBuf,
    /// The person's own folder.
    pub user_home: PathBuf,
    /// Folder of a workspace. Blocks.
    pub workspace: FindWorkspace,
}

impl Places {
    /// A folder that the tools of a session of `workspace` can work in, made plain. Blocks. The error names the field.
    pub fn working_folder(&self, workspace: &WorkspaceId, text: &str) -> Result<PathBuf, Unfit> {
        let session = SessionId::new("new").map_err(|e| Unfit(e.to_string()))?;
        Scope::of(self, workspace, &session, None)?.working_folder(text)
    }
}

/// How a plain path stands to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In one of the session's folders.
    Inside,
    /// In one of them, but it says what the agent may do, or is a record of what it did: read, not written.
    Guarded,
    /// Elsewhere.
    Outside,
    /// A secret, wherever it lies.
    Secret,
}

/// Names in a workspace's folder that the agent does not write.
const GUARDED: &[&str] = &[
    "permissions.json",
    "permissions-always.json",
    "config.json",
    "sources",
    "channels",
    "skills",
    "sessions",
];
/// The part of them that has to be there to be guarded: files (an empty object), then folders.
const GUARDED_FILES: &[&str] = &["permissions.json", "permissions-always.json", "config.json"];
const GUARDED_FOLDERS: &[&str] = &["sources", "channels", "skills"];
/// What an agent writes in its session's own folder; the rest is the record of what it did.
const OWN: &[&str] = &["plans", "data", "attachments", "downloads", "long_responses"];
/// What git runs or takes orders from.
const GIT_GUARDED: &[&str] = &[".git/hooks", ".git/config"];

/// The folders of one session, all plain.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where its tools work.
    pub working: PathBuf,
    /// Its workspace.
    pub workspace: PathBuf,
    /// Its own folder in the workspace.
    pub session: PathBuf,
    pub(crate) kata_home: PathBuf,
    pub(crate) user_home: PathBuf,
}

impl Scope {
    /// The folders of a session. Blocks. Says what is wrong where its working folder cannot be used.
    pub fn of(places: &Places, workspace: &WorkspaceId, session: &SessionId, working: Option<&str>) -> Result<Self, Unfit> {
        let real = |path: &Path| paths::plain(&path.to_string_lossy(), path, &places.user_home);
        let kata_home = real(&places.kata_home)?;
        let user_home = real(&places.user_home)?;
        let folder = (places.workspace)(workspace).ok_or_else(|| Unfit(format!("There is no workspace “{workspace}”.")))?;
        let folder = real(&folder)?;
        let mut scope = Self {
            working: folder.clone(),
            session: folder.join("sessions").join(session.as_str()),
            workspace: folder,
            kata_home,
            user_home,
        };
        if let Some(text) = working {
            scope.working = scope.working_folder(text)?;
        }
        Ok(scope)
    }

    /// A working folder that can be used, plain.
    pub fn working_folder(&self, text: &str) -> Result<PathBuf, Unfit> {
        let unfit = |why: &str| Err(Unfit(format!("workingDirectory “{text}” {why}.")));
        if !(text.starts_with('~') || Path::new(text).is_absolute()) {
            return unfit("is not absolute; write the whole path");
        }
        let folder = paths::plain(text, &self.workspace, &self.user_home).map_err(|e| Unfit(format!("workingDirectory: {e}")))?;
        if !folder.is_dir() {
            return unfit("is not a folder that exists");
        }
        match self.standing(&folder) {
            Standing::Secret | Standing::Guarded => unfit("holds secrets or belongs to Kata Agents itself; choose another folder"),
            Standing::Inside | Standing::Outside => Ok(folder),
        }
    }

    /// How a plain path stands.
    pub(crate) fn standing(&self, path: &Path) -> Standing {
        if secret::is_secret(path, &self.user_home) || self.is_foreign(path) {
            return Standing::Secret;
        }
        let inside = [&self.working, &self.workspace, &self.session]
            .iter()
            .any(|root| path.starts_with(root));
        match inside {
            false => Standing::Outside,
            true if self.is_guarded(path) => Standing::Guarded,
            true => Standing::Inside,
        }
    }

    /// Of the app itself, or of another session.
    fn is_foreign(&self, path: &Path) -> bool {
        if path.starts_with(&self.session) {
            return false;
        }
        if path.starts_with(&self.workspace) {
            let sessions = self.workspace.join("sessions");
            return path.starts_with(&sessions) && path != sessions;
        }
        path.starts_with(&self.kata_home)
    }

    fn is_guarded(&self, path: &Path) -> bool {
        if let Ok(below) = path.strip_prefix(&self.session) {
            return !OWN.iter().any(|name| below.starts_with(name));
        }
        if let Ok(below) = path.strip_prefix(&self.workspace)
            && GUARDED.iter().any(|name| below.starts_with(name))
        {
            return true;
        }
        path.components().any(|part| part.as_os_str() == ".git")
    }

    /// Whether a list of files may name a plain path: it is in one of the session's folders and none of the app's own.
    pub(crate) fn may_name(&self, path: &Path) -> bool {
        self.standing(path) == Standing::Inside
    }

    /// Whether a plain path is in the session's folder for plans, which mode safe may write too.
    pub(crate) fn is_plan(&self, path: &Path) -> bool {
        let plans = self.session.join("plans");
        path.starts_with(&plans) && path != plans
    }

    /// What a command sees of the disk, in the order it is laid. With `write` it writes in the working folder, in its session's
    /// own folders and in `more`; without, nowhere.
    pub(crate) fn mounts(&self, write: bool, more: &[PathBuf]) -> Vec<Mount> {
        let working = if write {
            Mount::Write(self.working.clone())
        } else {
            Mount::Read(self.working.clone())
        };
        let mut mounts = Vec::new();
        if write {
            mounts.extend(more.iter().cloned().map(Mount::Write));
        }
        mounts.push(working.clone());
        mounts.push(Mount::Hide(self.kata_home.clone()));
        mounts.push(Mount::Read(self.workspace.clone()));
        if self.working.starts_with(&self.workspace) {
            mounts.push(working);
        }
        mounts.push(Mount::Hide(self.workspace.join("sessions")));
        mounts.push(Mount::Read(self.session.clone()));
        if write {
            mounts.extend(OWN.iter().map(|name| Mount::Write(self.session.join(name))));
        }
        for place in secret::places(&self.user_home) {
            if self.working.starts_with(&place) {
                continue;
            }
            // A command that a person let through may need its keys; it never changes them.
            mounts.push(if write { Mount::Guard(place) } else { Mount::Hide(place) });
        }
        if write {
            if self.working == self.workspace {
                mounts.extend(
                    GUARDED
                        .iter()
                        .filter(|n| **n != "sessions")
                        .map(|n| Mount::Guard(self.workspace.join(n))),
                );
            }
            mounts.extend(GIT_GUARDED.iter().map(|name| Mount::GuardIfPossible(self.working.join(name))));
        }
        mounts
    }

    /// Makes what has to be there to be guarded, before a command writes in the workspace's folder. Blocks.
    pub(crate) fn prepare(&self) -> std::io::Result<()> {
        if self.working != self.workspace {
            return Ok(());
        }
        for name in GUARDED_FILES {
            let path = self.workspace.join(name);
            if std::fs::symlink_metadata(&path).is_err() {
                crate::door::replace(&path, b"{}\n", Some(0o600))?;
            }
        }
        for name in GUARDED_FOLDERS {
            std::fs::create_dir_all(self.workspace.join(name))?;
        }
        Ok(())
    }
}
