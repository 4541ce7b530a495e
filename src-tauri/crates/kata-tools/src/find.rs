//! Files by a part of their path, for a person who names one in a message. What `.gitignore` leaves out, hidden files, secrets and
//! the app's own files are not named; links are not followed.
//!
//! Bounded: so many entries are looked at, and what lies beyond them is found once the folder is narrower.

use crate::Scope;
use ignore::WalkBuilder;
use kata_protocol::FileHit;

/// Most files of an answer.
pub const MOST_FOUND: usize = 50;
/// Entries that are looked at.
const LOOKED_AT: usize = 20_000;
/// How deep.
const DEPTH: usize = 12;

/// Files and folders below the session's working folder whose paths have `query` in them: those whose name begins with it first, then
/// those whose name has it, then the rest, shallow before deep. Blocks.
pub fn find_files(scope: &Scope, query: &str) -> Vec<FileHit> {
    let query = query.trim().trim_start_matches("./").to_lowercase();
    let walk = WalkBuilder::new(&scope.working)
        .max_depth(Some(DEPTH))
        .follow_links(false)
        .require_git(false)
        .build();
    let mut found: Vec<((u8, usize, String), FileHit)> = Vec::new();
    for entry in walk.flatten().take(LOOKED_AT) {
        let Ok(below) = entry.path().strip_prefix(&scope.working) else {
            continue;
        };
        let Some(text) = below.to_str().filter(|text| !text.is_empty()) else {
            continue;
        };
        let text = text.replace('\\', "/");
        if text.chars().any(char::is_control) {
            continue;
        }
        let (lower, name) = (text.to_lowercase(), entry.file_name().to_string_lossy().to_lowercase());
        let rank = if name.starts_with(&query) {
            0
        } else if name.contains(&query) {
            1
        } else if lower.contains(&query) {
            2
        } else {
            continue;
        };
        if !scope.may_name(entry.path()) {
            continue;
        }
        let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let order = (rank, below.components().count(), lower);
        found.push((order, FileHit { path: text, folder }));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.truncate(MOST_FOUND);
    found.into_iter().map(|(_, hit)| hit).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn scope(root: &Path) -> Scope {
        let workspace = root.join("home/workspaces/one");
        Scope {
            working: workspace.join("project"),
            session: workspace.join("sessions/s"),
            workspace,
            kata_home: root.join("home"),
            user_home: root.to_owned(),
        }
    }

    fn names(scope: &Scope, query: &str) -> Vec<String> {
        find_files(scope, query).into_iter().map(|hit| hit.path).collect()
    }

    #[test]
    fn files_are_found_by_name_first_and_what_git_leaves_out_is_not_named() {
        let root = tempfile::tempdir().unwrap();
        let scope = scope(root.path());
        for file in [
            "src/deep/read.rs",
            "README.md",
            "reading/list.txt",
            "target/read.o",
            ".env",
            ".hidden/read",
            "id_rsa",
        ] {
            let path = scope.working.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(scope.working.join(".gitignore"), "target\n").unwrap();
        assert_eq!(
            names(&scope, "read"),
            ["reading", "README.md", "src/deep/read.rs", "reading/list.txt"]
        );
        assert_eq!(names(&scope, "deep/rea"), ["src/deep/read.rs"]);
        assert!(
            names(&scope, "env").is_empty() && names(&scope, "id_rsa").is_empty(),
            "secrets are not named"
        );
        assert!(names(&scope, "").contains(&"README.md".to_owned()));
    }

    #[test]
    fn in_the_workspaces_own_folder_the_apps_files_and_other_sessions_are_not_named() {
        let root = tempfile::tempdir().unwrap();
        let mut scope = scope(root.path());
        scope.working = scope.workspace.clone();
        for file in [
            "config.json",
            "sources/x/config.json",
            "skills/a/SKILL.md",
            "sessions/other/session.jsonl",
            "notes/plan.md",
        ] {
            let path = scope.workspace.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        assert_eq!(names(&scope, ""), ["notes", "notes/plan.md"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let scope = scope(root.path());
        fs::create_dir_all(&scope.working).unwrap();
        fs::create_dir_all(root.path().join("elsewhere")).unwrap();
        fs::write(root.path().join("elsewhere/letter.txt"), "x").unwrap();
        std::os::unix::fs::symlink(root.path().join("elsewhere"), scope.working.join("way")).unwrap();
        assert!(names(&scope, "letter").is_empty());
    }

    #[test]
    fn an_answer_has_a_bound() {
        let root = tempfile::tempdir().unwrap();
        let scope = scope(root.path());
        fs::create_dir_all(&scope.working).unwrap();
        for n in 0..MOST_FOUND + 20 {
            fs::write(scope.working.join(format!("file-{n}")), "x").unwrap();
        }
        assert_eq!(find_files(&scope, "file").len(), MOST_FOUND);
    }
}
