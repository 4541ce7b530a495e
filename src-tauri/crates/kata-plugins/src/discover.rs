//! Finds plugins in the extension folders and says why a candidate was dropped. Runs none of their code.

use crate::engine::ResolveError;
use crate::manifest::{self, ManifestError};
use kata_protocol::{PluginManifest, PluginOrigin};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A folder that is a plugin and passed every check that needs no code to run.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its manifest.
    pub manifest: PluginManifest,
    /// Its folder, canonical.
    pub folder: PathBuf,
    /// Where it was found.
    pub origin: PluginOrigin,
}

/// A folder that was looked at and refused.
#[derive(Clone, Debug)]
pub struct Dropped {
    /// Folder.
    pub path: PathBuf,
    /// Where it was found.
    pub origin: PluginOrigin,
    /// Why, in words; names file and field where there is one.
    pub reason: String,
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
    #[error("{shown} {why}")]
    NotOurs { shown: String, why: &'static str },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Entry(#[from] ResolveError),
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
/// Most files checked per plugin.
const MAX_FILES: usize = 5_000;

/// Looks through the roots in the given order, each root's folders in name order. The first of two candidates with the
/// same canonical folder or the same id wins. A folder without manifest and module is no plugin and is not mentioned.
pub fn discover(roots: &[(PluginOrigin, PathBuf)]) -> Discovery {
    let mut out = Discovery::default();
    let mut folders = BTreeSet::new();
    let mut ids: BTreeMap<_, PathBuf> = BTreeMap::new();
    for (origin, root) in roots {
        let Ok(canonical_root) = root.canonicalize() else { continue };
        let Ok(entries) = std::fs::read_dir(&canonical_root) else {
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for path in paths.into_iter().take(MAX_FOLDERS) {
            let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().first() == Some(&b'.'));
            if hidden || !path.is_dir() || path.file_name().is_some_and(|n| n == "node_modules") {
                continue;
            }
            let mut drop = |reason: String| {
                out.dropped.push(Dropped {
                    path: path.clone(),
                    origin: *origin,
                    reason,
                })
            };
            match look(&canonical_root, &path) {
                Ok(None) => {}
                Err(unfit) => drop(unfit.to_string()),
                Ok(Some((folder, manifest))) => {
                    if !folders.insert(folder.clone()) {
                        drop("the same folder was found before".to_owned());
                    } else if let Some(first) = ids.get(&manifest.id) {
                        drop(format!("the id “{}” is taken by {}", manifest.id, first.display()));
                    } else {
                        ids.insert(manifest.id.clone(), folder.clone());
                        out.found.push(Candidate {
                            manifest,
                            folder,
                            origin: *origin,
                        });
                    }
                }
            }
        }
    }
    out
}

fn look(root: &Path, path: &Path) -> Result<Option<(PathBuf, PluginManifest)>, Unfit> {
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
            .map_or("the folder".into(), |p| p.display().to_string());
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
        if let Err(why) = writable_by_us_only(&meta) {
            return Err(Unfit::NotOurs { shown, why });
        }
        if meta.is_dir() && path.file_name().is_none_or(|n| n != "node_modules" && n != ".git") {
            let entries = std::fs::read_dir(&path).map_err(|error| Unfit::UnreadableFile { shown, error })?;
            open.extend(entries.flatten().map(|e| e.path()));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn writable_by_us_only(meta: &std::fs::Metadata) -> Result<(), &'static str> {
    use std::os::unix::fs::MetadataExt;
    if meta.mode() & 0o002 != 0 {
        return Err("can be written by everybody");
    }
    let owner = meta.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err("belongs to another user");
    }
    Ok(())
}

#[cfg(not(unix))]
fn writable_by_us_only(_meta: &std::fs::Metadata) -> Result<(), &'static str> {
    Ok(())
}
