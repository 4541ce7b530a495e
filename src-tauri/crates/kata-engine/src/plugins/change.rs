//! How a plugin differs from what was granted: files with their diffs, capabilities.

use super::kept;
use kata_core::ports::StoredGrant;
use kata_plugins::{Candidate, Contents};
use kata_protocol::{FileChange, FileChangeKind, PluginChange, PluginFile};
use similar::TextDiff;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Longest diff of one file, bytes.
const MAX_DIFF: usize = 64 << 10;
/// Bytes of all diffs together; files after that are named without one.
const MAX_ALL: usize = 1 << 20;
/// Time one diff may take; a coarser one is given after that.
const PATIENCE: Duration = Duration::from_millis(200);

/// `None` when nothing differs. Blocks.
pub(super) fn change(home: &Path, grant: &StoredGrant, candidate: &Candidate, contents: &Contents) -> Option<PluginChange> {
    let asks = super::standing::asked_anew(grant, candidate);
    let declared = &candidate.manifest.capabilities;
    let dropped: Vec<String> = grant.declared.iter().filter(|c| !declared.contains(c)).cloned().collect();
    if contents.hash() == grant.grant.hash && asks.is_empty() && dropped.is_empty() {
        return None;
    }
    let then: BTreeMap<&str, &PluginFile> = grant.files.iter().map(|f| (f.path.as_str(), f)).collect();
    let now: BTreeMap<&str, &PluginFile> = contents.files().iter().map(|f| (f.path.as_str(), f)).collect();
    let mut paths: Vec<&str> = then.keys().chain(now.keys()).copied().collect();
    paths.sort_unstable();
    paths.dedup();
    let mut budget = MAX_ALL;
    let mut files = Vec::new();
    for path in paths {
        let (kind, old, new) = match (then.get(path), now.get(path)) {
            (Some(old), Some(new)) if old.sha256 == new.sha256 => continue,
            (Some(old), Some(_)) => (
                FileChangeKind::Modified,
                kept::kept(home, &old.sha256),
                kept::text_of(&candidate.folder.join(path)),
            ),
            (Some(old), None) => (FileChangeKind::Removed, kept::kept(home, &old.sha256), Some(String::new())),
            (None, _) => (
                FileChangeKind::Added,
                Some(String::new()),
                kept::text_of(&candidate.folder.join(path)),
            ),
        };
        let diff = old
            .zip(new)
            .filter(|_| budget > 0)
            .map(|(old, new)| unified(path, kind, &old, &new));
        budget = budget.saturating_sub(diff.as_ref().map_or(0, String::len));
        files.push(FileChange {
            path: path.to_owned(),
            kind,
            diff,
        });
    }
    Some(PluginChange {
        from_version: grant.grant.version.clone(),
        to_version: candidate.manifest.version.clone(),
        files,
        capabilities_added: asks,
        capabilities_removed: dropped,
    })
}

fn unified(path: &str, kind: FileChangeKind, old: &str, new: &str) -> String {
    let (from, to) = (format!("a/{path}"), format!("b/{path}"));
    let (from, to) = match kind {
        FileChangeKind::Added => ("/dev/null", to.as_str()),
        FileChangeKind::Removed => (from.as_str(), "/dev/null"),
        FileChangeKind::Modified => (from.as_str(), to.as_str()),
    };
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut text = diff.unified_diff().context_radius(3).header(from, to).to_string();
    if text.len() > MAX_DIFF {
        let note = "\n… the rest of this diff is left out\n";
        let mut at = MAX_DIFF - note.len();
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.truncate(at);
        text.push_str(note);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_unified_names_its_file_and_has_a_bound() {
        let diff = unified("src/a.ts", FileChangeKind::Modified, "one\ntwo\nthree\n", "one\n2\nthree\n");
        assert_eq!(diff, "--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
        let long: String = (0..20_000).map(|n| format!("lüne {n}\n")).collect();
        let cut = unified("a", FileChangeKind::Added, "", &long);
        assert!(
            cut.len() <= MAX_DIFF && cut.starts_with("--- /dev/null\n+++ b/a\n") && cut.ends_with("left out\n"),
            "{}",
            cut.len()
        );
    }
}
