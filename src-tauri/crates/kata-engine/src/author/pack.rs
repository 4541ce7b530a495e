//! A plugin's folder as one file, to be given to others.

use super::check::{Unfit, inspect};
use kata_plugins::Contents;
use kata_protocol::{PluginFile, PluginId};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A packed plugin.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Packed {
    /// The archive.
    pub path: PathBuf,
    /// Plugin.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// SHA-256 over paths and contents of `files`: what a person sees before they trust it.
    pub hash: String,
    /// What is in it.
    pub files: Vec<PluginFile>,
}

/// Packs a folder into `out`; `ID-VERSION.tgz` in `place` without one. The same files give the same bytes.
///
/// # Errors
/// What is wrong with the folder, or with the place that is written to.
pub fn pack(folder: &Path, out: Option<&Path>, place: &Path) -> Result<Packed, Unfit> {
    let unfit = |reason: String, hint: &str| Unfit {
        reason,
        hint: hint.to_owned(),
    };
    let candidate = inspect(folder)?;
    let manifest = &candidate.manifest;
    let contents = Contents::read(&candidate.folder).map_err(|e| unfit(e.to_string(), "a plugin is made of plain files"))?;
    let path = match out {
        Some(out) => out.to_owned(),
        None => place.join(format!("{}-{}.tgz", manifest.id, manifest.version)),
    };
    let inside = path
        .parent()
        .and_then(|p| p.canonicalize().ok())
        .is_some_and(|p| p.starts_with(&candidate.folder));
    if inside {
        return Err(unfit(
            format!("{} lies in the plugin's own folder and would be part of it", path.display()),
            "--out names a file elsewhere",
        ));
    }
    let mut bytes = Vec::new();
    kata_plugins::pack(&candidate.folder, &mut bytes).map_err(|e| unfit(e.to_string(), "take it out of the folder"))?;
    kata_store::atomic_write(&path, &bytes, 0o644).map_err(|e| unfit(format!("{}: {e}", path.display()), "--out names another file"))?;
    Ok(Packed {
        path,
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        hash: contents.hash().to_owned(),
        files: contents.files().to_vec(),
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test prepares files as an author would"
)]
mod tests {
    use super::*;
    use crate::author::new_plugin;
    use kata_protocol::PluginTemplate;
    use std::fs;

    #[test]
    fn the_same_files_give_the_same_bytes_and_the_archive_stays_out_of_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("p");
        for file in new_plugin(PluginTemplate::Tool, &PluginId::new("p").unwrap(), None) {
            let path = folder.join(file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        let first = pack(&folder, None, home.path()).unwrap();
        assert_eq!(first.path, home.path().join("p-0.1.0.tgz"));
        let bytes = fs::read(&first.path).unwrap();
        let again = pack(&folder, Some(&home.path().join("again.tgz")), home.path()).unwrap();
        assert_eq!((fs::read(&again.path).unwrap(), &again.hash), (bytes, &first.hash));
        // The editor's files are written with it, and are no part of what is published.
        assert!(folder.join(".kata/kata-plugin-sdk.d.ts").is_file());
        assert!(first.files.iter().all(|f| !f.path.starts_with(".kata")), "{:?}", first.files);
        fs::remove_dir_all(folder.join(".kata")).unwrap();
        assert_eq!(pack(&folder, None, home.path()).unwrap().hash, first.hash);
        fs::write(folder.join("index.ts"), "export default () => {};").unwrap();
        assert_ne!(pack(&folder, None, home.path()).unwrap().hash, first.hash);
        assert!(pack(&folder, None, &folder).unwrap_err().reason.contains("the plugin's own folder"));
        assert!(!folder.join("p-0.1.0.tgz").exists());
    }
}
