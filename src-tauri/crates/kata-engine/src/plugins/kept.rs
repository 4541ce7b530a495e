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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use kata_protocol::{Ms, PluginGrant, PluginId};

    fn grant(contents: &Contents) -> StoredGrant {
        StoredGrant {
            plugin: PluginId::new("a").unwrap(),
            grant: PluginGrant {
                hash: contents.hash().to_owned(),
                version: "1".into(),
                capabilities: Vec::new(),
                development: false,
                granted_at: Ms(1),
                signer: None,
            },
            folder: String::new(),
            files: contents.files().to_vec(),
            declared: Vec::new(),
        }
    }

    #[test]
    fn texts_are_kept_by_what_they_hold_and_go_with_the_last_grant_that_names_them() {
        let (home, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, bytes) in [("a.ts", b"text".as_slice()), ("b.png", &[0, 159, 146])] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let contents = Contents::read(folder.path()).unwrap();
        keep(home.path(), folder.path(), &contents).unwrap();
        let of = |path: &str| contents.files().iter().find(|f| f.path == path).unwrap().sha256.clone();
        assert_eq!(kept(home.path(), &of("a.ts")).as_deref(), Some("text"));
        assert_eq!(kept(home.path(), &of("b.png")), None, "no text");

        // What was altered in the folder of texts is not shown as what was granted.
        std::fs::write(place(home.path()).join(of("a.ts")), "altered").unwrap();
        assert_eq!(kept(home.path(), &of("a.ts")), None);

        tidy(home.path(), [grant(&contents)].iter());
        assert!(place(home.path()).join(of("a.ts")).exists());
        tidy(home.path(), std::iter::empty());
        assert!(!place(home.path()).join(of("a.ts")).exists());
    }
}
