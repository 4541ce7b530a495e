//! Workspaces, statuses, labels and preferences are changed in the earlier app's files, and what it put there stays.
#![allow(clippy::disallowed_methods, reason = "a test leaves files as the earlier app would")]

use crate::home::{self, Unfit, WorkspaceEdit};
use crate::{HomePaths, WorkspaceFolder};
use kata_protocol::{Ms, PermissionMode, Preferences};
use serde_json::{Value, json};

fn one(home: &HomePaths, id: &str) -> WorkspaceFolder {
    home::workspace_folders(home).into_iter().find(|w| w.id.as_str() == id).unwrap()
}

#[test]
fn a_workspace_is_made_renamed_and_changed_and_unknown_fields_stay() {
    let folder = tempfile::tempdir().unwrap();
    let paths = HomePaths::new(folder.path(), folder.path());
    home::open_home(&paths, Ms(1)).unwrap();
    let before = home::workspaces(&paths);
    let id = home::create_workspace(&paths, "  Ünser Büro: 2! ", Ms(5)).unwrap();
    assert_eq!(id.as_str(), "nser-b-ro-2");
    assert_eq!(
        home::create_workspace(&paths, "nser b ro 2", Ms(5)).unwrap().as_str(),
        "nser-b-ro-2-2"
    );
    assert_eq!(home::create_workspace(&paths, "日本", Ms(5)).unwrap().as_str(), "workspace");
    let after = home::workspaces(&paths);
    assert_eq!(
        after.iter().find(|w| w.active).unwrap().id,
        before[0].id,
        "a new workspace is not the active one"
    );
    assert_eq!(after.iter().find(|w| w.id == id).unwrap().name, "Ünser Büro: 2!");

    let file = folder.path().join("workspaces/nser-b-ro-2/config.json");
    home::update_document(&file, |fields| {
        fields.insert("localMcpServers".into(), json!({ "enabled": true }));
        fields.insert("defaults".into(), json!({ "thinkingLevel": "max", "model": "old" }));
    })
    .unwrap();
    let edit = WorkspaceEdit {
        name: Some("Office".into()),
        mode: Some(PermissionMode::AllowAll),
        model: Some(String::new()),
        working_directory: Some("~/code".into()),
        ..WorkspaceEdit::default()
    };
    assert!(
        home::edit_workspace(&paths, &one(&paths, "nser-b-ro-2"), edit, Ms(9))
            .unwrap()
            .is_empty()
    );
    let text: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(text["localMcpServers"], json!({ "enabled": true }));
    assert_eq!(
        text["defaults"],
        json!({ "thinkingLevel": "max", "permissionMode": "allow-all", "workingDirectory": "~/code" })
    );
    assert_eq!((&text["name"], &text["updatedAt"]), (&json!("Office"), &json!(9)));
    let config: Value = serde_json::from_slice(&std::fs::read(folder.path().join("config.json")).unwrap()).unwrap();
    let entries = config["workspaces"].as_array().unwrap();
    assert!(
        entries.iter().any(|entry| entry["name"] == "Office"),
        "the earlier app reads the name there"
    );
    for name in ["", "  ", "a\nb", &"x".repeat(101)] {
        assert!(
            matches!(home::create_workspace(&paths, name, Ms(5)), Err(Unfit::Field(why)) if why.starts_with("name:")),
            "{name:?}"
        );
    }
}

#[test]
fn statuses_keep_fields_nobody_knows_and_what_the_earlier_app_would_not_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let paths = HomePaths::new(folder.path(), folder.path());
    home::open_home(&paths, Ms(1)).unwrap();
    let place = one(&paths, "my-workspace");
    let file = place.path.join("statuses/config.json");
    let mut text: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    text["future"] = json!(7);
    text["statuses"][1]["icon"] = json!("circle");
    std::fs::write(&file, text.to_string()).unwrap();
    let set = |statuses: Value| {
        let edit = WorkspaceEdit {
            statuses: Some(statuses),
            ..WorkspaceEdit::default()
        };
        home::edit_workspace(&paths, &place, edit, Ms(2)).map_err(|error| error.to_string())
    };
    set(json!([
        { "id": "doing", "label": "Doing", "color": "accent" },
        { "id": "done", "label": "Done", "category": "closed" },
        { "id": "todo", "label": "To do", "icon": "circle" },
        { "id": "cancelled", "label": "No" },
    ]))
    .unwrap();
    let text: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(text["future"], json!(7));
    assert_eq!(
        text["statuses"][2],
        json!({ "id": "todo", "label": "To do", "category": "open", "isFixed": true, "isDefault": false, "order": 2, "icon": "circle" })
    );
    assert_eq!(text["statuses"][3]["category"], "closed", "what is not given stays");
    let read = home::workspaces(&paths).remove(0).statuses;
    assert_eq!(
        read.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(),
        ["doing", "done", "todo", "cancelled"]
    );
    let fixed = |more: Value| {
        let mut all = vec![
            json!({ "id": "todo", "label": "a" }),
            json!({ "id": "done", "label": "b" }),
            json!({ "id": "cancelled", "label": "c" }),
        ];
        all.push(more);
        Value::Array(all)
    };
    for (given, why) in [
        (json!([{ "id": "todo", "label": "x" }]), "“done” has to stay"),
        (json!({}), "statuses: is not a list"),
        (
            fixed(json!({ "id": "todo", "label": "twice" })),
            "statuses[3].id: “todo” stands there twice",
        ),
        (fixed(json!({ "id": "a b", "label": "x" })), "statuses[3].id"),
        (fixed(json!({ "id": "x", "label": "" })), "statuses[3].label"),
        (
            fixed(json!({ "id": "x", "label": "x", "category": "half" })),
            "statuses[3].category",
        ),
        (fixed(json!({ "id": "x", "label": "x", "color": 7 })), "statuses[3].color"),
        (fixed(json!("x")), "statuses[3]: is not an object"),
    ] {
        let told = set(given.clone()).unwrap_err();
        assert!(told.contains(why), "{given}: {told}");
    }
    assert_eq!(
        home::workspaces(&paths).remove(0).statuses.len(),
        4,
        "nothing of what was refused was written"
    );
}

#[test]
fn labels_are_a_tree_whose_entries_keep_their_rules_and_a_damaged_file_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let paths = HomePaths::new(folder.path(), folder.path());
    home::open_home(&paths, Ms(1)).unwrap();
    let place = one(&paths, "my-workspace");
    let file = place.path.join("labels/config.json");
    std::fs::write(
        &file,
        json!({ "version": 1, "labels": [{ "id": "bug", "name": "Bug", "color": "accent", "autoRules": [{ "pattern": "x" }] }] })
            .to_string(),
    )
    .unwrap();
    let set = |labels: Value| {
        let edit = WorkspaceEdit {
            labels: Some(labels),
            ..WorkspaceEdit::default()
        };
        home::edit_workspace(&paths, &place, edit, Ms(2)).map_err(|error| error.to_string())
    };
    set(json!([{ "id": "dev", "name": "Dev", "children": [{ "id": "bug", "name": "Bugs", "color": null }] }])).unwrap();
    let text: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        text["labels"],
        json!([{ "id": "dev", "name": "Dev", "children": [{ "id": "bug", "name": "Bugs", "autoRules": [{ "pattern": "x" }] }] }])
    );
    let mut deep = json!({ "id": "l5", "name": "x" });
    for n in 0..5 {
        deep = json!({ "id": format!("l{n}"), "name": "x", "children": [deep] });
    }
    assert!(set(json!([deep])).unwrap_err().contains("at most 5 deep"));
    assert!(set(json!([{ "id": "a::b", "name": "x" }])).unwrap_err().contains("labels[0].id"));
    assert!(
        set(json!([{ "id": "a", "name": "x", "valueType": "color" }]))
            .unwrap_err()
            .contains("valueType")
    );
    std::fs::write(&file, "{ damaged").unwrap();
    let aside = set(json!([{ "id": "a", "name": "A" }])).unwrap();
    assert_eq!(std::fs::read_to_string(&aside[0]).unwrap(), "{ damaged");
    assert_eq!(home::workspaces(&paths).remove(0).labels.len(), 1);
}

#[test]
fn preferences_keep_what_is_not_known_and_an_empty_text_takes_one_away() {
    let folder = tempfile::tempdir().unwrap();
    let paths = HomePaths::new(folder.path(), folder.path());
    std::fs::write(
        paths.preferences(),
        json!({ "name": "Mara", "location": { "city": "Oslo", "region": "East" }, "diffViewer": { "diffStyle": "split" } }).to_string(),
    )
    .unwrap();
    let nothing = || Preferences {
        name: None,
        timezone: None,
        language: None,
        city: None,
        country: None,
        notes: None,
    };
    let change = Preferences {
        city: Some(String::new()),
        language: Some(" Norsk ".into()),
        ..nothing()
    };
    assert_eq!(home::set_preferences(&paths, &change, Ms(4)).unwrap(), None);
    let text: Value = serde_json::from_slice(&std::fs::read(paths.preferences()).unwrap()).unwrap();
    assert_eq!(
        text,
        json!({ "name": "Mara", "location": { "region": "East" }, "diffViewer": { "diffStyle": "split" }, "language": "Norsk", "updatedAt": 4 })
    );
    std::fs::write(paths.preferences(), "no json").unwrap();
    assert_eq!(home::preferences(&paths), nothing());
    assert!(
        home::set_preferences(&paths, &change, Ms(5))
            .unwrap()
            .is_some_and(|aside| aside.exists())
    );
    assert_eq!(home::preferences(&paths).language.as_deref(), Some("Norsk"));
}
