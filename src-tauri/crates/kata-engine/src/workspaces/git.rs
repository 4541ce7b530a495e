//! Git state of the folder a session works in: the branch, and how many files differ from the last commit.
//!
//! The branch is read from the files. Counting is git's, run so that nothing of the repository's runs with it: where its own
//! configuration names programs (filters, a file-system monitor, includes), nothing is counted. A folder in no repository, a
//! machine without git and a git that takes long all answer without a count.

use super::blocking;
use crate::engine::Inner;
use kata_protocol::{GitState, SessionId, WireError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// Time git gets.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer of git, bytes; what lies beyond is not counted.
const LONGEST: u64 = 1 << 20;
/// Characters of a commit that stand for it.
const SHORT: usize = 7;

impl Inner {
    pub(crate) async fn git_state(&self, id: &SessionId) -> Result<GitState, WireError> {
        let folder = self.scope_of(id).await?.working;
        let start = folder.clone();
        let branch = blocking(move || Ok(branch_of(&start))).await?;
        let changed = match branch {
            Some(_) => tokio::time::timeout(PATIENCE, changed(&folder))
                .await
                .ok()
                .flatten()
                .unwrap_or_default(),
            None => 0,
        };
        Ok(GitState { branch, changed })
    }
}

/// The branch that is checked out, else the commit. Blocks.
fn branch_of(folder: &Path) -> Option<String> {
    let git = folder.ancestors().find_map(git_folder)?;
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let head = head.trim();
    let name = match head.strip_prefix("ref: ") {
        Some(name) => name.strip_prefix("refs/heads/").unwrap_or(name).to_owned(),
        None => head.chars().take(SHORT).collect(),
    };
    (!name.is_empty() && name.len() <= 255 && !name.chars().any(char::is_control)).then_some(name)
}

/// `.git` of a folder; in a worktree or submodule it is a file that names the place.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let git = folder.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = std::fs::read_to_string(&git).ok()?;
    Some(folder.join(text.trim().strip_prefix("gitdir: ")?))
}

async fn run(folder: &Path, args: &[&str]) -> Option<Vec<u8>> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(args)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut bytes = Vec::new();
    child.stdout.take()?.take(LONGEST).read_to_end(&mut bytes).await.ok()?;
    child.wait().await.ok().filter(std::process::ExitStatus::success)?;
    Some(bytes)
}

/// Files that differ, where counting runs nothing of the repository's.
async fn changed(folder: &Path) -> Option<u32> {
    let config = run(folder, &["config", "--list", "--show-scope", "--includes", "--name-only", "-z"]).await?;
    if names_programs(&String::from_utf8_lossy(&config)) {
        return None;
    }
    let status = run(
        folder,
        &[
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=normal",
            "--ignore-submodules=all",
        ],
    )
    .await?;
    let count = status.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()).count();
    u32::try_from(count).ok()
}

/// Scope and name take turns. Only what the repository itself brings counts.
fn names_programs(list: &str) -> bool {
    let parts: Vec<_> = list.split('\0').collect();
    parts.chunks(2).any(|pair| {
        let own = matches!(pair.first(), Some(&"local" | &"worktree"));
        let name = pair.get(1).map(|name| name.to_lowercase()).unwrap_or_default();
        own && ["filter.", "include.", "includeif."]
            .iter()
            .any(|section| name.starts_with(section))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_branch_is_read_also_in_a_worktree_and_without_one_the_commit() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("repo/src/deep");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(branch_of(&deep), None);
        let git = root.path().join("repo/.git");
        std::fs::create_dir_all(&git).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/feature/one\n").unwrap();
        assert_eq!(branch_of(&deep).as_deref(), Some("feature/one"));
        std::fs::write(git.join("HEAD"), "0123456789abcdef\n").unwrap();
        assert_eq!(branch_of(&deep).as_deref(), Some("0123456"));
        let tree = root.path().join("tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::create_dir_all(git.join("worktrees/tree")).unwrap();
        std::fs::write(git.join("worktrees/tree/HEAD"), "ref: refs/heads/two\n").unwrap();
        std::fs::write(tree.join(".git"), format!("gitdir: {}\n", git.join("worktrees/tree").display())).unwrap();
        assert_eq!(branch_of(&tree).as_deref(), Some("two"));
    }

    #[test]
    fn a_repository_that_brings_programs_is_not_counted_and_the_persons_own_settings_do_not_matter() {
        assert!(names_programs("local\0core.bare\0local\0filter.evil.clean\0"));
        assert!(names_programs("worktree\0include.path\0"));
        assert!(!names_programs(
            "global\0filter.lfs.clean\0system\0include.path\0local\0core.bare\0"
        ));
        assert!(!names_programs(""));
    }

    #[tokio::test]
    async fn changed_files_are_counted_and_a_clean_filter_of_the_repository_never_runs() {
        let root = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let done = std::process::Command::new("git").arg("-C").arg(root.path()).args(args).output();
            done.is_ok_and(|out| out.status.success())
        };
        if !git(&["init", "-q"]) {
            // A machine without git has no count; that it is answered so is the other half of the contract.
            assert_eq!(changed(root.path()).await, None);
            return;
        }
        std::fs::write(root.path().join("a"), "1").unwrap();
        std::fs::write(root.path().join("b"), "1").unwrap();
        assert_eq!(changed(root.path()).await, Some(2));
        let ran = root.path().join("ran");
        let filter = format!("touch {}; cat", ran.display());
        std::fs::write(root.path().join(".gitattributes"), "* filter=evil\n").unwrap();
        assert!(git(&["-c", "user.name=t", "-c", "user.email=t@t", "add", "a"]));
        assert!(git(&["config", "filter.evil.clean", &filter]));
        std::fs::write(root.path().join("a"), "22").unwrap();
        assert_eq!(changed(root.path()).await, None);
        assert!(!ran.exists());
    }
}
