//! Finds plugins in the extension folders and says why a candidate was dropped. Runs none of their code.
//!
//! Precedence: roots in the order given (bundled, global, workspaces), each root's folders in name order; the first of two
//! with the same canonical folder or the same id wins, unless the person chose another place for the id.

use crate::contents::{MAX_FILES, Pins, left_out};
use crate::engine::ResolveError;
use crate::manifest::{self, ManifestError};
use kata_protocol::{PluginId, PluginManifest, PluginOrigin, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One extensions folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Kind.
    pub origin: PluginOrigin,
    /// Its workspace, for [`PluginOrigin::Workspace`].
    pub workspace: Option<WorkspaceId>,
    /// Folder. Need not exist.
    pub path: PathBuf,
}

impl From<&(PluginOrigin, PathBuf)> for Root {
    fn from((origin, path): &(PluginOrigin, PathBuf)) -> Self {
        Self {
            origin: *origin,
            workspace: None,
            path: path.clone(),
        }
    }
}

impl From<&Root> for Root {
    fn from(root: &Root) -> Self {
        root.clone()
    }
}

/// Where the person wants an id to come from, against the order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The global folder, although the id is bundled.
    Global,
    /// A workspace's folder.
    Workspace(WorkspaceId),
}

impl Choice {
    fn is(&self, root: &Root) -> bool {
        match self {
            Self::Global => root.origin == PluginOrigin::Global,
            Self::Workspace(id) => root.origin == PluginOrigin::Workspace && root.workspace.as_ref() == Some(id),
        }
    }
}

/// A folder that is a plugin and passed every check that needs no code to run.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its manifest.
    pub manifest: PluginManifest,
    /// Its folder, canonical.
    pub folder: PathBuf,
    /// Where it was found.
    pub origin: PluginOrigin,
    /// Its workspace, where it was found in one.
    pub workspace: Option<WorkspaceId>,
    /// The files that may be loaded, by their hashes; `None` lets every file of the folder in, as it is.
    pub pins: Option<Arc<Pins>>,
    /// The account a further copy of a plugin is for; `None` for the plugin itself.
    pub account: Option<String>,
}

/// A folder that was looked at and refused.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// Folder.
    pub path: PathBuf,
    /// Where it was found.
    pub origin: PluginOrigin,
    /// Its id, where the manifest could be read.
    pub id: Option<String>,
    /// Why, in words; names file and field where there is one.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

/// Why a folder is no candidate, in the words of [`Dropped::reason`]. `shown` is a file below it.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("is a link to a place outside its extensions folder")]
    LinkedFromOutside,
    #[error("has more than {MAX_FILES} files")]
    TooManyFiles,
    #[error("{shown}: {error}")]
    UnreadableFile { shown: String, error: std::io::Error },
    #[error("{shown}: the link leads nowhere: {error}")]
    DeadLink { shown: String, error: std::io::Error },
    #[error("{shown} is a link that leads out of the plugin's folder")]
    LinkLeadsOut { shown: String },
    #[error("{shown} can be written by everybody")]
    WritableByAll { shown: String },
    #[error("{shown} belongs to another user")]
    Foreign { shown: String },
    #[error("{}: {}: {}", .0.file, .0.field, .0.reason)]
    Manifest(#[from] ManifestError),
    #[error("main: {0}")]
    Entry(#[from] ResolveError),
    #[error("has neither kata-plugin.json, nor package.json with a field “kata-agents”, nor index.ts or index.js")]
    NoPlugin,
}

impl Unfit {
    fn hint(&self, path: &Path) -> String {
        let at = |shown: &str| {
            let file = if shown == THE_FOLDER { path.to_owned() } else { path.join(shown) };
            file.display().to_string()
        };
        match self {
            Self::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => format!("there is no folder '{}'", path.display()),
            Self::Unreadable(_) => "make it readable for you".into(),
            Self::LinkedFromOutside => "put the folder itself there: `kata plugins install` copies it".into(),
            Self::TooManyFiles => "leave out what the plugin does not load; node_modules, .git and .kata do not count".into(),
            Self::UnreadableFile { shown, .. } => format!("make it readable for you: chmod u+r '{}'", at(shown)),
            Self::DeadLink { shown, .. } | Self::LinkLeadsOut { shown } => {
                format!("put the file itself in place of the link '{}'", at(shown))
            }
            Self::WritableByAll { shown } => format!("chmod o-w '{}'", at(shown)),
            Self::Foreign { shown } => format!("copy the folder, so that it is yours, or: chown \"$USER\" '{}'", at(shown)),
            Self::Manifest(error) => error.fix.clone(),
            Self::Entry(_) => "set main to a .ts or .js file in the folder".into(),
            Self::NoPlugin => "write a kata-plugin.json, or begin with `kata plugins new`".into(),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Plugins, in order of root and folder name.
    pub found: Vec<Candidate>,
    /// The rest.
    pub dropped: Vec<Dropped>,
}

/// Most folders looked at per root.
const MAX_FOLDERS: usize = 1_000;
const THE_FOLDER: &str = "the folder";

/// Looks through the roots in the given order. A folder without manifest and module is no plugin and is not mentioned.
pub fn discover<'a, R>(roots: &'a [R]) -> Discovery
where
    Root: From<&'a R>,
{
    let roots: Vec<Root> = roots.iter().map(Root::from).collect();
    discover_with(&roots, &BTreeMap::new())
}

/// As [`discover`], with the places the person chose for some ids.
pub fn discover_with(roots: &[Root], choices: &BTreeMap<PluginId, Choice>) -> Discovery {
    let mut all = Vec::new();
    let mut out = Discovery::default();
    let mut folders = BTreeSet::new();
    for root in roots {
        for path in entries(root, &mut out.dropped) {
            match look(root, &path) {
                Ok(None) => {}
                Err(dropped) => out.dropped.push(*dropped),
                Ok(Some(candidate)) if folders.insert(candidate.folder.clone()) => all.push((root, candidate)),
                Ok(Some(candidate)) => out.dropped.push(Dropped {
                    path,
                    origin: root.origin,
                    id: Some(candidate.manifest.id.to_string()),
                    reason: "the same folder was found before".into(),
                    hint: "nothing to do: it is one plugin under two names".into(),
                }),
            }
        }
    }
    // A choice counts only where there is something to choose.
    let chosen: BTreeMap<PluginId, PathBuf> = all
        .iter()
        .filter(|(root, c)| choices.get(&c.manifest.id).is_some_and(|choice| choice.is(root)))
        .map(|(_, c)| (c.manifest.id.clone(), c.folder.clone()))
        .rev()
        .collect();
    let mut ids: BTreeMap<PluginId, PathBuf> = BTreeMap::new();
    for (root, candidate) in all {
        let id = candidate.manifest.id.clone();
        let drop = |reason: String, hint: String| Dropped {
            path: candidate.folder.clone(),
            origin: root.origin,
            id: Some(id.to_string()),
            reason,
            hint,
        };
        if let Some(place) = chosen.get(&id).filter(|place| **place != candidate.folder) {
            out.dropped.push(drop(
                format!("you chose {} for the id “{id}”", place.display()),
                format!("take plugins.{id}.from out of settings.json to use the first one again"),
            ));
        } else if let Some(first) = ids.get(&id) {
            out.dropped.push(drop(
                format!("the id “{id}” is taken by {}", first.display()),
                shadow_hint(root, &id),
            ));
        } else {
            ids.insert(id, candidate.folder.clone());
            out.found.push(candidate);
        }
    }
    out
}

fn shadow_hint(root: &Root, id: &PluginId) -> String {
    let from = match (&root.workspace, root.origin) {
        (Some(workspace), _) => format!("workspace:{workspace}"),
        (None, PluginOrigin::Global) => "global".into(),
        _ => return "give one of the two another id".into(),
    };
    format!("give it another id, or set plugins.{id}.from to \"{from}\" in settings.json to use this one instead")
}

/// Folders of a root that may be plugins, by name.
fn entries(root: &Root, dropped: &mut Vec<Dropped>) -> Vec<PathBuf> {
    let mut refuse = |reason: String, hint: String| {
        dropped.push(Dropped {
            path: root.path.clone(),
            origin: root.origin,
            id: None,
            reason,
            hint,
        });
    };
    let Ok(canonical) = root.path.canonicalize() else {
        return Vec::new();
    };
    let unfit = match std::fs::metadata(&canonical) {
        Ok(meta) => ours(&meta, THE_FOLDER).err(),
        Err(error) => Some(Unfit::Unreadable(error)),
    };
    let listed = std::fs::read_dir(&canonical).map_err(Unfit::Unreadable);
    let entries = match (unfit, listed) {
        (None, Ok(entries)) => entries,
        (Some(unfit), _) | (None, Err(unfit)) => {
            refuse(format!("nothing in it is taken: {unfit}"), unfit.hint(&canonical));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| may_be_plugin(p)).collect();
    paths.sort();
    if paths.len() > MAX_FOLDERS {
        refuse(
            format!("has {} folders; the first {MAX_FOLDERS} are looked at", paths.len()),
            "move what is no plugin elsewhere".into(),
        );
    }
    paths.truncate(MAX_FOLDERS);
    paths
}

/// Whether a place in an extensions folder is looked at.
fn may_be_plugin(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|n| n.as_encoded_bytes().first() == Some(&b'.'));
    !hidden && path.file_name().is_none_or(|n| n != "node_modules") && path.is_dir()
}

/// Looks at one folder of a root, given by any path to it. `None` when it is no plugin.
///
/// # Errors
/// Why it is not taken. Boxed: it is large, and rare.
pub fn look(root: &Root, path: &Path) -> Result<Option<Candidate>, Box<Dropped>> {
    let refuse = |unfit: Unfit| {
        let id = path.canonicalize().ok().and_then(|folder| manifest::read(&folder).ok().flatten());
        Box::new(Dropped {
            path: path.to_owned(),
            origin: root.origin,
            id: id.map(|m| m.id.to_string()),
            hint: unfit.hint(path),
            reason: unfit.to_string(),
        })
    };
    let looked = root
        .path
        .canonicalize()
        .map_err(Unfit::Unreadable)
        .and_then(|canonical| examine(&canonical, path));
    match looked {
        Ok(None) => Ok(None),
        Err(unfit) => Err(refuse(unfit)),
        Ok(Some((folder, manifest))) => Ok(Some(Candidate {
            manifest,
            folder,
            origin: root.origin,
            workspace: root.workspace.clone(),
            pins: None,
            account: None,
        })),
    }
}

/// Looks at a folder anywhere, as an author or an installer does.
///
/// # Errors
/// Why an app would not take it.
pub fn inspect(folder: &Path) -> Result<Candidate, Box<Dropped>> {
    let root = Root {
        origin: PluginOrigin::Global,
        workspace: None,
        path: folder
            .canonicalize()
            .ok()
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(folder)
            .to_owned(),
    };
    look(&root, folder)?.ok_or_else(|| {
        Box::new(Dropped {
            path: folder.to_owned(),
            origin: root.origin,
            id: None,
            reason: Unfit::NoPlugin.to_string(),
            hint: Unfit::NoPlugin.hint(folder),
        })
    })
}

fn examine(root: &Path, path: &Path) -> Result<Option<(PathBuf, PluginManifest)>, Unfit> {
    let folder = path.canonicalize().map_err(Unfit::Unreadable)?;
    if manifest::read(&folder).is_ok_and(|m| m.is_none()) {
        return Ok(None);
    }
    // Checked before the manifest is believed: whoever can write the folder can write the manifest.
    if !folder.starts_with(root) {
        return Err(Unfit::LinkedFromOutside);
    }
    check_files(&folder)?;
    let Some(manifest) = manifest::read(&folder)? else {
        return Ok(None);
    };
    crate::engine::entry(&folder, manifest.main.as_deref())?;
    Ok(Some((folder, manifest)))
}

/// Refuses files and folders that others may write and links that lead out.
fn check_files(folder: &Path) -> Result<(), Unfit> {
    let mut open = vec![folder.to_path_buf()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        seen += 1;
        if seen > MAX_FILES {
            return Err(Unfit::TooManyFiles);
        }
        let shown = path
            .strip_prefix(folder)
            .ok()
            .filter(|p| !p.as_os_str().is_empty())
            .map_or(THE_FOLDER.into(), |p| p.display().to_string());
        let meta = match std::fs::symlink_metadata(&path) {
            Ok(meta) => meta,
            Err(error) => return Err(Unfit::UnreadableFile { shown, error }),
        };
        if meta.is_symlink() {
            match path.canonicalize() {
                Ok(target) if target.starts_with(folder) => continue,
                Ok(_) => return Err(Unfit::LinkLeadsOut { shown }),
                Err(error) => return Err(Unfit::DeadLink { shown, error }),
            }
        }
        ours(&meta, &shown)?;
        if meta.is_dir() && !path.file_name().is_some_and(left_out) {
            let entries = std::fs::read_dir(&path).map_err(|error| Unfit::UnreadableFile { shown, error })?;
            open.extend(entries.flatten().map(|e| e.path()));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn ours(meta: &std::fs::Metadata, shown: &str) -> Result<(), Unfit> {
    use std::os::unix::fs::MetadataExt;
    let shown = || shown.to_owned();
    if meta.mode() & 0o002 != 0 {
        return Err(Unfit::WritableByAll { shown: shown() });
    }
    let owner = meta.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(Unfit::Foreign { shown: shown() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn ours(_meta: &std::fs::Metadata, _shown: &str) -> Result<(), Unfit> {
    Ok(())
}
