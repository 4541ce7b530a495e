//! Text files as they were when a plugin was trusted, by the hash of their contents, so that a later change can be shown.
//! Lies in `plugin-files/` of the home. It is no part of any decision: what is missing or damaged is not shown.

use kata_core::ports::StoredGrant;
use kata_plugins::{Contents, sha256_hex};
use kata_store::{atomic_write, private_dir};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Longest text that is kept, bytes.
pub(super) const MAX_TEXT: u64 = 256 << 10;
/// Most bytes kept of one plugin.
const MAX_PLUGIN: u64 = 8 << 20;

fn place(home: &Path) -> PathBuf {
    home.join("plugin-files")
}

/// Keeps the text files of a plugin. Blocks.
pub(super) fn keep(home: &Path, folder: &Path, contents: &Contents) -> io::Result<()> {
    let place = place(home);
    private_dir(&place)?;
    let mut budget = MAX_PLUGIN;
    for file in contents.files().iter().filter(|f| f.bytes.0 <= MAX_TEXT) {
        let target = place.join(&file.sha256);
        if target.exists() || file.bytes.0 > budget {
            continue;
        }
        let Some(text) = text_of(&folder.join(&file.path)) else { continue };
        // What is kept is what was granted, or nothing.
        if sha256_hex(text.as_bytes()) == file.sha256 {
            budget -= file.bytes.0;
            atomic_write(&target, text.as_bytes(), 0o600)?;
        }
    }
    Ok(())
}

/// A text that was kept.
pub(super) fn kept(home: &Path, sha256: &str) -> Option<String> {
    let text = text_of(&place(home).join(sha256))?;
    (sha256_hex(text.as_bytes()) == sha256).then_some(text)
}

/// Removes what no grant names any more. Blocks.
pub(super) fn tidy<'a>(home: &Path, grants: impl Iterator<Item = &'a StoredGrant>) {
    let named: BTreeSet<&str> = grants.flat_map(|g| &g.files).map(|f| f.sha256.as_str()).collect();
    for entry in std::fs::read_dir(place(home)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| !named.contains(name)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A file's text; `None` when it is no text, too long, or not a file.
pub(super) fn text_of(path: &Path) -> Option<String> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > MAX_TEXT {
        return None;
    }
    let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    (!text.contains('\0')).then_some(text)
}
