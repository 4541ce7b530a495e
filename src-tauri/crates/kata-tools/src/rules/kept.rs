//! Rules as they were read, for as long as their files are as they were: a call is judged far more often than somebody edits a
//! rule. Every file is looked at each time; only reading and compiling is saved.

use super::files::{self, Rule};
use crate::always;
use kata_protocol::AlwaysRule;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Workspaces whose rules are kept.
const MOST: usize = 64;

/// The rules in force in a workspace.
#[derive(Clone)]
pub(super) struct InForce {
    pub(super) files: Arc<[Rule]>,
    pub(super) always: Arc<[AlwaysRule]>,
}

/// What a file looked like; `None` when it was not there. A file that was replaced has another number.
type Look = Option<(u64, Option<SystemTime>, u64)>;

/// How every file looked when the rules were read, and the rules.
type Read = (Vec<(PathBuf, Look)>, InForce);

/// Rules by workspace.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<PathBuf, Read>>);

impl Kept {
    /// The rules for a workspace. Blocks.
    pub(super) fn rules(&self, kata_home: &Path, workspace: &Path, user_home: &Path) -> InForce {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(workspace).cloned();
        if let Some((looks, rules)) = known
            && looks.iter().all(|(path, look)| look_at(path) == *look)
        {
            return rules;
        }
        // Looked at before they are read: what changes in between is read again the next time.
        let mut paths = files::paths(kata_home, workspace);
        paths.push(always::file(workspace));
        let looks = paths.into_iter().map(|path| (path.clone(), look_at(&path))).collect();
        let rules = InForce {
            files: files::load(kata_home, workspace, user_home).into(),
            always: always::read(workspace).unwrap_or_default().into(),
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(workspace) {
            kept.clear();
        }
        kept.insert(workspace.to_owned(), (looks, rules.clone()));
        rules
    }
}

fn look_at(path: &Path) -> Look {
    let meta = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((meta.len(), meta.modified().ok(), number))
}
