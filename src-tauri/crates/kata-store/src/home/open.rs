//! Opening a home: makes a fresh one where there is none, and looks every file over once.

use super::HomePaths;
use super::document::{self, Document, check};
use super::workspaces::{add_entry, default_labels, default_statuses, workspace_folders};
use crate::atomic;
use kata_protocol::{Ms, Notice};
use serde_json::{Map, Value, json};
use std::io;
use std::path::Path;

/// Makes what is missing (a home without any workspace gets `workspaces/my-workspace` with default statuses and labels;
/// folders 0700, files 0600) and checks every JSON file of an existing one. A damaged file stays where it is, a copy is put
/// beside it (`<name>.damaged-<ms>`, once per content), and a notice says what stands in for it.
pub fn open_home(home: &HomePaths, now: Ms) -> io::Result<Vec<Notice>> {
    atomic::private_dir(home.root())?;
    let mut notices: Vec<_> = check(&home.config(), "Workspaces are taken from the folders.", now)
        .into_iter()
        .collect();
    let folders = workspace_folders(home);
    if folders.is_empty() {
        create(home, now)?;
        return Ok(notices);
    }
    for folder in folders {
        if !folder.path.exists() && folder.path.starts_with(home.root()) {
            // As in the existing program; a folder elsewhere may be on a disk that is not there today.
            furnish(&folder.path, folder.id.as_str(), now)?;
        }
        notices.extend(check(&folder.path.join("config.json"), "The name of its folder is used.", now));
        notices.extend(check(
            &folder.path.join("statuses/config.json"),
            "The default statuses are used.",
            now,
        ));
        notices.extend(check(&folder.path.join("labels/config.json"), "The default labels are used.", now));
        for (kind, instead) in [("sources", "The source is not listed."), ("channels", "The channel is not listed.")] {
            for entry in super::sources::folders(&folder.path.join(kind)) {
                notices.extend(check(&entry.join("config.json"), instead, now));
            }
        }
    }
    Ok(notices)
}

fn create(home: &HomePaths, now: Ms) -> io::Result<()> {
    let path = home.workspaces().join("my-workspace");
    furnish(&path, "My Workspace", now)?;
    let mut config = match document::read(&home.config()) {
        Document::Fields(config) => config,
        Document::Missing => Map::from_iter([
            ("workspaces".to_owned(), json!([])),
            ("activeWorkspaceId".to_owned(), Value::Null),
            ("activeSessionId".to_owned(), Value::Null),
        ]),
        // The folder is found without it, and a damaged file is the person's to replace.
        Document::Damaged(_) => return Ok(()),
    };
    add_entry(home, &mut config, &path, "My Workspace", Some(now.0), true);
    document::write(&home.config(), &config)
}

pub(super) fn furnish(path: &Path, name: &str, now: Ms) -> io::Result<()> {
    let slug = path.file_name().and_then(|name| name.to_str()).unwrap_or(name);
    let id = uuid::Uuid::new_v4().simple().to_string();
    let config = json!({
        "id": format!("ws_{}", &id[..8]),
        "name": name,
        "slug": slug,
        "defaults": { "permissionMode": "safe" },
        "createdAt": now,
        "updatedAt": now,
    });
    for folder in ["sessions", "statuses", "labels", "sources"] {
        atomic::private_dir(&path.join(folder))?;
    }
    for (file, content) in [
        ("config.json", config),
        ("statuses/config.json", default_statuses()),
        ("labels/config.json", default_labels()),
    ] {
        if let (file, Value::Object(fields)) = (path.join(file), content)
            && !file.exists()
        {
            document::write(&file, &fields)?;
        }
    }
    Ok(())
}
