//! Copies: what is in them, when they are made, which stay.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::*;
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::io::Read;

fn home(folder: &Path) -> HomePaths {
    let root = folder.join("home");
    let session = root.join("workspaces/mine/sessions/260201-swift-river");
    std::fs::create_dir_all(session.join("attachments")).unwrap();
    std::fs::create_dir_all(root.join("workspaces/mine/sources/linear")).unwrap();
    for (file, text) in [
        ("config.json", r#"{"workspaces":[]}"#),
        ("credentials.enc", "CRAFT01"),
        ("gateway.json", "{}"),
        ("workspaces/mine/config.json", r#"{"name":"Mine"}"#),
        ("workspaces/mine/sources/linear/config.json", "{}"),
        ("workspaces/mine/sessions/260201-swift-river/session.jsonl", "{}\n"),
        ("workspaces/mine/sessions/260201-swift-river/attachments/a.bin", "large"),
    ] {
        std::fs::write(root.join(file), text).unwrap();
    }
    HomePaths::new(root, folder)
}

fn contents(path: &str) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (name, text)
    });
    entries.collect()
}

#[test]
fn a_home_of_another_program_is_kept_before_it_is_opened_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let notice = at_first_open(&home, Ms(1_000)).unwrap();
    let backups = list(home.root());
    assert_eq!(
        (backups.len(), backups[0].why.as_str(), backups[0].at),
        (1, "first-open", Ms(1_000))
    );
    assert!(notice.hint.unwrap().contains(&backups[0].path));
    let kept = contents(&backups[0].path);
    assert_eq!(kept["config.json"], r#"{"workspaces":[]}"#);
    for name in [
        "credentials.enc",
        "workspaces/mine/config.json",
        "workspaces/mine/sources/linear/config.json",
        "workspaces/mine/sessions/260201-swift-river/session.jsonl",
        "LEFT-OUT.txt",
    ] {
        assert!(kept.contains_key(name), "{name} is missing in {:?}", kept.keys());
    }
    assert!(
        !kept
            .keys()
            .any(|name| name.contains("attachments") || name.contains("gateway.json"))
    );
    assert!(at_first_open(&home, Ms(2_000)).is_none(), "it is ours now");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&backups[0].path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn an_empty_home_and_one_of_ours_need_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let empty = HomePaths::new(folder.path().join("new"), folder.path());
    assert!(at_first_open(&empty, Ms(1)).is_none());
    let ours = home(folder.path());
    std::fs::write(ours.root().join("settings.json"), "{}").unwrap();
    assert!(at_first_open(&ours, Ms(1)).is_none());
    assert!(list(ours.root()).is_empty());
}

#[test]
fn the_newest_ten_that_were_asked_for_stay_and_the_first_one_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    at_first_open(&home, Ms(1)).unwrap();
    for at in 10..25 {
        make(&home, Why::Asked, Ms(at), None).unwrap();
    }
    let kept = list(home.root());
    let of = |why: &str| kept.iter().filter(|b| b.why == why).map(|b| b.at.0).collect::<Vec<_>>();
    assert_eq!(of("asked"), (15..25).rev().collect::<Vec<_>>());
    assert_eq!(of("first-open"), [1]);
}

#[test]
fn what_is_larger_than_the_bound_is_left_out_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let large = home.root().join("workspaces/mine/skills-data.json");
    std::fs::File::create(&large).unwrap().set_len((4 << 20) + 1).unwrap();
    let sessions = home.root().join("workspaces/mine/sessions");
    for name in ["a", "b"] {
        std::fs::create_dir_all(sessions.join(name)).unwrap();
        let file = std::fs::File::create(sessions.join(name).join("session.jsonl")).unwrap();
        file.set_len(40 << 20).unwrap();
        let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(if name == "a" { 1 } else { 2 });
        file.set_modified(at).unwrap();
    }
    let made = make(&home, Why::Asked, Ms(1), None).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(&made.path).unwrap()));
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    assert!(
        names.contains(&"workspaces/mine/sessions/b/session.jsonl".to_owned()),
        "the newer one is in it"
    );
    assert!(!names.contains(&"workspaces/mine/sessions/a/session.jsonl".to_owned()));
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(&made.path).unwrap()));
    let mut told = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("LEFT-OUT.txt") {
            entry.read_to_string(&mut told).unwrap();
        }
    }
    assert!(
        told.contains("sessions/a/session.jsonl") && told.contains("skills-data.json"),
        "{told}"
    );
}

#[test]
fn a_copy_that_cannot_be_made_is_told_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    std::fs::create_dir_all(home.root()).unwrap();
    // The place of the folder is taken by a file: even root cannot make it.
    std::fs::write(home.root().join("backups"), "x").unwrap();
    assert!(make(&home, Why::Asked, Ms(1), None).is_err());
    assert!(list(home.root()).is_empty());
}
use std::time::SystemTime;
