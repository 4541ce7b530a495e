//! An existing home is read as it is; what is written into it leaves the rest alone.

use super::samples::id;
use super::world::{NOON, World, write};
use crate::home::{channel_configs, set_active_workspace, set_source_enabled, source_folders};
use crate::{HomePaths, file_channels, open_home, workspaces};
use kata_protocol::{Ms, RunState, SourceKind};
use serde_json::{Value, json};
use std::path::Path;

fn now() -> Ms {
    Ms(NOON)
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_workspaces_statuses_and_labels_of_an_existing_home_are_listed() {
    let world = World::fixture();
    assert!(open_home(&world.paths(), now()).unwrap().is_empty());
    let all = workspaces(&world.paths());
    assert_eq!(all.len(), 1);
    let one = &all[0];
    assert_eq!(
        (one.id.as_str(), one.name.as_str(), one.active),
        ("my-workspace", "My Workspace", true)
    );
    assert_eq!(Path::new(&one.path), world.workspace().path);
    let statuses: Vec<_> = one.statuses.iter().map(|status| (status.id.as_str(), status.closed)).collect();
    assert_eq!(
        statuses,
        [
            ("backlog", false),
            ("todo", false),
            ("in-progress", false),
            ("done", true),
            ("cancelled", true)
        ]
    );
    assert_eq!(one.statuses[2].color.as_ref().map(|color| &color.0), Some(&json!("info")));
    let labels: Vec<_> = one
        .labels
        .iter()
        .map(|label| (label.id.as_str(), label.depth, label.value_type.as_deref()))
        .collect();
    assert_eq!(labels, [("dev", 0, None), ("bug", 1, None), ("priority", 0, Some("number"))]);
}

#[test]
fn the_sources_and_channels_of_an_existing_home_are_found() {
    let world = World::fixture();
    let folders = source_folders(&world.workspace());
    let names: Vec<_> = folders.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["files", "gmail", "linear", "notes"]);
    let rows = file_channels(&world.paths(), now());
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.id.as_str(), row.kind, row.name.as_str(), row.status.code.as_str()))
        .collect();
    let slack = (
        "channel:my-workspace:slack-team",
        SourceKind::Channel,
        "slack-team",
        "not_connected",
    );
    assert_eq!(seen, [slack]);
    assert_eq!(rows[0].status.state, RunState::Stopped);
    let channels = channel_configs(&world.workspace());
    assert_eq!(
        (channels[0].adapter.as_str(), &*channels[0].conversations),
        ("slack", &["C01234567".to_owned()][..])
    );
}

#[test]
fn a_written_setting_leaves_every_other_byte_of_meaning_alone() {
    let world = World::fixture();
    let config = world.paths().config();
    let mut before = read(&config);
    before["futureThing"] = json!({"z": 1, "a": [null]});
    write(&config, &serde_json::to_vec_pretty(&before).unwrap());
    set_active_workspace(&world.paths(), &id("my-workspace")).unwrap();
    assert_eq!(
        std::fs::read(&config).unwrap(),
        serde_json::to_vec_pretty(&before).unwrap(),
        "the same value, the same bytes"
    );

    let linear = world.workspace().path.join("sources/linear/config.json");
    let mut expected = read(&linear);
    expected["enabled"] = json!(false);
    set_source_enabled(&world.workspace(), "linear", false).unwrap();
    assert_eq!(std::fs::read(&linear).unwrap(), serde_json::to_vec_pretty(&expected).unwrap());
    assert!(set_source_enabled(&world.workspace(), "../linear", true).is_err());
    assert!(set_active_workspace(&world.paths(), &id("nowhere")).is_err());
}

#[test]
fn a_fresh_home_has_a_workspace_and_opening_it_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = HomePaths::new(folder.path().join("home"), folder.path());
    assert!(open_home(&paths, now()).unwrap().is_empty());
    let all = workspaces(&paths);
    assert_eq!((all.len(), all[0].name.as_str(), all[0].active), (1, "My Workspace", true));
    assert_eq!((all[0].statuses.len(), all[0].labels.len()), (5, 5));
    let config = read(&paths.config());
    assert_eq!(config["workspaces"][0]["rootPath"], "~/home/workspaces/my-workspace");
    assert_eq!(config["activeWorkspaceId"], config["workspaces"][0]["id"]);
    assert!(
        read(&paths.workspaces().join("my-workspace/config.json"))["id"]
            .as_str()
            .unwrap()
            .starts_with("ws_")
    );
    open_home(&paths, Ms(NOON + 1)).unwrap();
    assert_eq!(read(&paths.config()), config);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(paths.root()), mode(&paths.config())), (0o700, 0o600));
        assert_eq!(mode(&paths.workspaces().join("my-workspace/sessions")), 0o700);
    }
}

#[test]
fn a_damaged_file_is_copied_aside_once_and_something_stands_in_for_it() {
    let world = World::fixture();
    let paths = world.paths();
    let statuses = world.workspace().path.join("statuses/config.json");
    let linear = world.workspace().path.join("sources/linear/config.json");
    for path in [&paths.config(), &statuses, &linear] {
        write(path, b"{\"secret\": \"words\", oops");
    }
    let notices = open_home(&paths, Ms(5)).unwrap();
    assert_eq!(notices.len(), 3);
    assert!(notices.iter().all(|notice| !notice.message.contains("words")));
    let copy = world.folder.path().join("config.json.damaged-5");
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(paths.config()).unwrap());
    assert_eq!(open_home(&paths, Ms(6)).unwrap().len(), 3, "it is still damaged");
    assert!(
        !world.folder.path().join("config.json.damaged-6").exists(),
        "but a copy is kept already"
    );

    let all = workspaces(&paths);
    assert_eq!((all.len(), all[0].name.as_str()), (1, "My Workspace"), "found by its folder");
    assert_eq!(
        all[0].statuses.iter().map(|status| status.id.as_str()).collect::<Vec<_>>(),
        ["backlog", "todo", "needs-review", "done", "cancelled"]
    );
    assert_eq!(file_channels(&paths, now()).len(), 1);
    assert!(set_active_workspace(&paths, &id("my-workspace")).is_err());
    assert_eq!(
        std::fs::read(paths.config()).unwrap(),
        b"{\"secret\": \"words\", oops",
        "a damaged file is never written over"
    );
}

#[test]
fn statuses_without_the_three_fixed_ones_count_as_the_default() {
    let world = World::fixture();
    let path = world.workspace().path.join("statuses/config.json");
    write(
        &path,
        br#"{"version":1,"statuses":[{"id":"todo","label":"T","category":"open","isFixed":true,"order":0}]}"#,
    );
    assert_eq!(workspaces(&world.paths())[0].statuses.len(), 5);
}

#[test]
fn two_workspaces_of_the_same_folder_name_are_told_apart() {
    let world = World::fixture();
    let other = world.folder.path().join("elsewhere/my-workspace");
    std::fs::create_dir_all(&other).unwrap();
    let mut config = read(&world.paths().config());
    config["workspaces"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "b", "name": "Other", "rootPath": other.to_str().unwrap()}));
    config["activeWorkspaceId"] = json!("b");
    write(&world.paths().config(), config.to_string().as_bytes());
    let all = workspaces(&world.paths());
    let seen: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.name.as_str(), one.active)).collect();
    assert_eq!(seen, [("my-workspace", "My Workspace", false), ("my-workspace-2", "Other", true)]);
}
