//! Keeps a plugin's copy in the extensions folder like the folder its author works in. The app loads what lies in its own
//! folder and follows no link out of it, so an author's edits are carried over.
//!
//! Deliberately absent: watching by the system. Whoever holds a [`Mirror`] looks as often as it likes; a look reads sizes and
//! times, and contents only where those differ.

use super::scratch::files_of;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Endings of the files a plugin is made of.
const ENDINGS: &[&str] = &["ts", "js", "mts", "mjs", "json", "md", "svg", "png", "txt"];

/// A folder and its copy.
#[derive(Debug)]
pub struct Mirror {
    from: PathBuf,
    to: PathBuf,
    seen: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
}

impl Mirror {
    /// Begins with a copy that is like the folder now.
    pub fn new(from: &Path, to: &Path) -> Self {
        let mut mirror = Self {
            from: from.to_owned(),
            to: to.to_owned(),
            seen: BTreeMap::new(),
        };
        mirror.seen = mirror.look();
        mirror
    }

    /// Carries over what has changed since the last call; the paths, from the plugin's folder.
    ///
    /// # Errors
    /// Of the file system; what was not carried over is tried again by the next call.
    pub fn carry_over(&mut self) -> io::Result<Vec<String>> {
        let now = self.look();
        let mut changed = Vec::new();
        for (path, look) in &now {
            if self.seen.get(path) == Some(look) {
                continue;
            }
            let target = self.to.join(path);
            let bytes = fs::read(self.from.join(path))?;
            if fs::read(&target).ok().as_ref() != Some(&bytes) {
                if let Some(parent) = target.parent() {
                    fs::create_dir_all(parent)?;
                }
                kata_store::atomic_write(&target, &bytes, 0o600)?;
                changed.push(shown(path));
            }
            self.seen.insert(path.clone(), *look);
        }
        let gone: Vec<PathBuf> = self.seen.keys().filter(|path| !now.contains_key(*path)).cloned().collect();
        for path in gone {
            match fs::remove_file(self.to.join(&path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => changed.push(shown(&path)),
            }
            self.seen.remove(&path);
        }
        Ok(changed)
    }

    fn look(&self) -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
        let files = files_of(&self.from, ENDINGS).into_iter();
        files
            .filter_map(|path| {
                let meta = fs::metadata(&path).ok()?;
                let path = path.strip_prefix(&self.from).ok()?.to_owned();
                Some((path, (meta.len(), meta.modified().ok())))
            })
            .collect()
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test prepares files as an editor would"
)]
mod tests {
    use super::*;

    #[test]
    fn new_changed_and_removed_files_are_carried_over_and_the_rest_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("work"), home.path().join("extensions/work"));
        fs::create_dir_all(from.join("lib")).unwrap();
        fs::create_dir_all(from.join("node_modules")).unwrap();
        fs::create_dir_all(&to).unwrap();
        for (name, text) in [("index.ts", "1"), ("lib/a.ts", "1"), ("node_modules/x.ts", "1")] {
            fs::write(from.join(name), text).unwrap();
        }
        let mut mirror = Mirror::new(&from, &to);
        assert_eq!(mirror.carry_over().unwrap(), [""; 0]);
        fs::write(from.join("index.ts"), "22").unwrap();
        fs::write(from.join("lib/b.ts"), "new").unwrap();
        fs::remove_file(from.join("lib/a.ts")).unwrap();
        fs::write(from.join("node_modules/x.ts"), "22").unwrap();
        fs::write(to.join("mine.txt"), "kept").unwrap();
        assert_eq!(mirror.carry_over().unwrap(), ["index.ts", "lib/b.ts", "lib/a.ts"]);
        assert_eq!(fs::read_to_string(to.join("index.ts")).unwrap(), "22");
        assert!(to.join("lib/b.ts").is_file() && to.join("mine.txt").is_file() && !to.join("node_modules").exists());
        assert_eq!(mirror.carry_over().unwrap(), [""; 0]);
    }
}
