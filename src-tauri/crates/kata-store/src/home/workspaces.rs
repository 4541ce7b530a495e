//! Workspaces: the list in `config.json`, their names, statuses and labels.

use super::HomePaths;
use super::document::{self, DocumentError, text, update_document};
use crate::WorkspaceFolder;
use kata_protocol::{Json, Label, WorkflowStatus, WorkspaceId, WorkspaceSummary};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Labels deeper than this are not shown; the existing program makes none.
const LABEL_DEPTH: u32 = 5;

/// A workspace as `config.json` has it; one that is only a folder has no entry.
struct Listed {
    id: WorkspaceId,
    entry: Option<Map<String, Value>>,
    path: PathBuf,
}

/// Workspaces with names, statuses and labels; the session count is left 0. Read from the files at each call. Those in
/// `config.json` come first, in its order, then folders under `workspaces/` that it does not name.
pub fn workspaces(home: &HomePaths) -> Vec<WorkspaceSummary> {
    let config = document::read(&home.config()).fields().unwrap_or_default();
    let listed = listed(home, &config);
    let wanted = text(&config, "activeWorkspaceId");
    let is_wanted = |one: &Listed| wanted.is_some() && one.entry.as_ref().and_then(|entry| text(entry, "id")) == wanted;
    let active = listed.iter().position(is_wanted).unwrap_or(0);
    let summary = |(n, one): (usize, Listed)| {
        let own = document::read(&one.path.join("config.json")).fields().unwrap_or_default();
        let name = text(&own, "name")
            .or_else(|| text(one.entry.as_ref()?, "name"))
            .unwrap_or_else(|| one.id.to_string());
        WorkspaceSummary {
            name,
            path: one.path.display().to_string(),
            active: n == active,
            statuses: statuses(&one.path),
            labels: labels(&one.path),
            session_count: 0,
            id: one.id,
        }
    };
    listed.into_iter().enumerate().map(summary).collect()
}

/// Workspaces as far as their folders matter.
pub fn workspace_folders(home: &HomePaths) -> Vec<WorkspaceFolder> {
    let config = document::read(&home.config()).fields().unwrap_or_default();
    let folder = |one: Listed| {
        let written = one.entry.as_ref().and_then(|entry| text(entry, "rootPath"));
        WorkspaceFolder {
            id: one.id,
            portable: written.unwrap_or_else(|| home.portable(&one.path)),
            path: one.path,
        }
    };
    listed(home, &config).into_iter().map(folder).collect()
}

/// Makes a workspace the active one in `config.json`.
pub fn set_active_workspace(home: &HomePaths, id: &WorkspaceId) -> Result<(), DocumentError> {
    let config = document::read(&home.config()).fields().unwrap_or_default();
    let found = listed(home, &config).into_iter().find(|one| one.id == *id);
    let missing = || DocumentError::Missing(format!("workspace {id}"));
    let one = found.ok_or_else(missing)?;
    update_document(&home.config(), |config| match one.entry.and_then(|entry| text(&entry, "id")) {
        Some(known) => {
            config.insert("activeWorkspaceId".into(), json!(known));
        }
        // It was only a folder until now.
        None => add_entry(home, config, &one.path, one.id.as_str(), None, true),
    })
}

/// Adds a workspace to `config.json`, and makes it the active one where that is wanted.
pub(crate) fn add_entry(
    home: &HomePaths,
    config: &mut Map<String, Value>,
    path: &Path,
    name: &str,
    created_at: Option<u64>,
    activate: bool,
) {
    let id = uuid::Uuid::new_v4().to_string();
    let mut entry = json!({ "id": id, "name": name, "rootPath": home.portable(path) });
    if let Some(at) = created_at {
        entry["createdAt"] = json!(at);
    }
    match config.get_mut("workspaces").and_then(Value::as_array_mut) {
        Some(entries) => entries.push(entry),
        None => {
            config.insert("workspaces".into(), json!([entry]));
        }
    }
    if activate {
        config.insert("activeWorkspaceId".into(), json!(id));
    }
}

/// Gives the entry of a folder in `config.json` another name, where it has one.
pub(crate) fn rename_entry(home: &HomePaths, config: &mut Map<String, Value>, path: &Path, name: &str) {
    let entries = config.get_mut("workspaces").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
        if entry
            .get("rootPath")
            .and_then(Value::as_str)
            .is_some_and(|root| home.expand(root) == path)
        {
            entry.insert("name".into(), json!(name));
        }
    }
}

fn listed(home: &HomePaths, config: &Map<String, Value>) -> Vec<Listed> {
    let entries = config.get("workspaces").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = entries.iter().filter_map(Value::as_object).filter_map(|entry| {
        let path = home.expand(entry.get("rootPath")?.as_str()?);
        Some((Some(entry.clone()), path))
    });
    let mut all: Vec<Listed> = Vec::new();
    for (entry, path) in named.chain(discovered(home).into_iter().map(|path| (None, path))) {
        if all.iter().any(|one| one.path == path) {
            continue;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            continue;
        };
        // Two folders of the same name in different places are told apart by a number.
        let names = (1..).map(|n: u32| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        let free = names
            .filter_map(|name| WorkspaceId::new(name).ok())
            .find(|id| all.iter().all(|one| one.id != *id));
        if let Some(id) = free {
            all.push(Listed { id, entry, path });
        }
    }
    all
}

/// Folders under `workspaces/` with settings or sessions in them, by name.
fn discovered(home: &HomePaths) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.workspaces()) else {
        return Vec::new();
    };
    let is_workspace = |path: &PathBuf| path.join("config.json").is_file() || path.join("sessions").is_dir();
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_workspace).collect();
    folders.sort();
    folders
}

/// Statuses in order. A file that is missing, damaged, or lacks one of the three fixed ones counts as the default, as in the
/// existing program.
fn statuses(workspace: &Path) -> Vec<WorkflowStatus> {
    let fields = document::read(&workspace.join("statuses/config.json")).fields();
    let own = fields.as_ref().and_then(|fields| fields.get("statuses")).and_then(Value::as_array);
    own.and_then(|list| valid_statuses(list)).unwrap_or_else(|| {
        let defaults = default_statuses();
        defaults["statuses"]
            .as_array()
            .and_then(|list| valid_statuses(list))
            .unwrap_or_default()
    })
}

pub(super) fn valid_statuses(list: &[Value]) -> Option<Vec<WorkflowStatus>> {
    let fixed = |id: &str| list.iter().any(|status| status["id"] == id && status["isFixed"] == true);
    if !["todo", "done", "cancelled"].iter().all(|id| fixed(id)) {
        return None;
    }
    let mut statuses = Vec::new();
    for status in list {
        let id = status["id"].as_str()?.to_owned();
        let parsed = WorkflowStatus {
            label: status["label"].as_str().unwrap_or(&id).to_owned(),
            color: status.get("color").filter(|color| !color.is_null()).cloned().map(Json),
            closed: status["category"] == "closed",
            id,
        };
        statuses.push((status["order"].as_f64().unwrap_or(f64::MAX), parsed));
    }
    statuses.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(statuses.into_iter().map(|(_, status)| status).collect())
}

/// Labels, each before its children.
fn labels(workspace: &Path) -> Vec<Label> {
    let fields = document::read(&workspace.join("labels/config.json"))
        .fields()
        .unwrap_or_else(|| match default_labels() {
            Value::Object(fields) => fields,
            _ => Map::new(),
        });
    let mut flat = Vec::new();
    flatten(fields.get("labels"), 0, &mut flat);
    flat
}

fn flatten(labels: Option<&Value>, depth: u32, flat: &mut Vec<Label>) {
    if depth == LABEL_DEPTH {
        return;
    }
    for label in labels.and_then(Value::as_array).into_iter().flatten() {
        let Some(id) = label["id"].as_str() else { continue };
        flat.push(Label {
            id: id.to_owned(),
            name: label["name"].as_str().unwrap_or(id).to_owned(),
            depth,
            color: label.get("color").filter(|color| !color.is_null()).cloned().map(Json),
            value_type: label["valueType"].as_str().map(str::to_owned),
        });
        flatten(label.get("children"), depth + 1, flat);
    }
}

/// What a new workspace's `statuses/config.json` holds.
pub(crate) fn default_statuses() -> Value {
    let status = |order: u32, id: &str, label: &str, category: &str, fixed: bool| json!({ "id": id, "label": label, "category": category, "isFixed": fixed, "isDefault": !fixed, "order": order });
    json!({
        "version": 1,
        "statuses": [
            status(0, "backlog", "Backlog", "open", false),
            status(1, "todo", "Todo", "open", true),
            status(2, "needs-review", "Needs Review", "open", false),
            status(3, "done", "Done", "closed", true),
            status(4, "cancelled", "Cancelled", "closed", true),
        ],
        "defaultStatusId": "todo",
    })
}

/// What a new workspace's `labels/config.json` holds.
pub(crate) fn default_labels() -> Value {
    json!({
        "version": 1,
        "labels": [
            { "id": "bug", "name": "Bug", "color": "destructive" },
            { "id": "feature", "name": "Feature", "color": "accent" },
            { "id": "research", "name": "Research", "color": "info" },
            { "id": "priority", "name": "Priority", "color": "foreground/50", "valueType": "number" },
            { "id": "due", "name": "Due", "color": "foreground/50", "valueType": "date" },
        ],
    })
}
