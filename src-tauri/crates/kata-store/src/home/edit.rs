//! Changing a workspace: its name, what new sessions begin with, its statuses and labels, in the existing program's files.
//!
//! Statuses and labels are given whole, and each entry keeps the fields of its own that the caller does not know; `null` takes
//! one away. What the existing program would refuse to read is refused here, by field.
//!
//! Deliberately absent: whether sessions still carry a status (the caller's question), and telling anybody.

use super::HomePaths;
use super::document::{self, DocumentError, change_or_begin, text, update_document};
use super::open::furnish;
use super::workspaces::{add_entry, default_labels, default_statuses, rename_entry, valid_statuses};
use crate::WorkspaceFolder;
use kata_protocol::{Ms, PermissionMode, WorkspaceId};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

/// Longest name of anything here, characters.
const NAME: usize = 100;
/// Statuses of a workspace, and labels of its whole tree.
const MOST: (usize, usize) = (64, 500);
/// Labels deeper than this are not read by the existing program.
const DEPTH: usize = 5;
/// Statuses that must be there.
const FIXED: [&str; 3] = ["todo", "done", "cancelled"];

/// Why a workspace was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A field does not fit; the text begins with its name.
    #[error("{0}")]
    Field(String),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] DocumentError),
}

/// What is to change; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceEdit {
    /// Name to show.
    pub name: Option<String>,
    /// Mode of new sessions.
    pub mode: Option<PermissionMode>,
    /// Model of new sessions; empty takes it away.
    pub model: Option<String>,
    /// Folder of new sessions as it is written in the file; empty takes it away.
    pub working_directory: Option<String>,
    /// Statuses, whole.
    pub statuses: Option<Value>,
    /// Labels, whole.
    pub labels: Option<Value>,
}

/// What stands in a workspace's files: its `defaults`, statuses and labels.
pub fn workspace_settings(folder: &WorkspaceFolder) -> (Map<String, Value>, Value, Value) {
    let list = |file: &str, key: &str| {
        let fields = document::read(&folder.path.join(file)).fields();
        fields.and_then(|fields| fields.get(key).cloned()).filter(Value::is_array)
    };
    let own = document::read(&folder.path.join("config.json")).fields().unwrap_or_default();
    let defaults = own.get("defaults").and_then(Value::as_object).cloned().unwrap_or_default();
    let statuses = list("statuses/config.json", "statuses")
        .filter(|list| list.as_array().is_some_and(|list| valid_statuses(list).is_some()))
        .unwrap_or_else(|| default_statuses()["statuses"].clone());
    let labels = list("labels/config.json", "labels").unwrap_or_else(|| default_labels()["labels"].clone());
    (defaults, statuses, labels)
}

/// Makes a workspace with the default statuses and labels; its folder's name is made from `name`. It becomes no active one.
pub fn create_workspace(home: &HomePaths, name: &str, now: Ms) -> Result<WorkspaceId, Unfit> {
    let name = named("name", name)?;
    let slug = slug_of(&name);
    let path = (1..=10_000u32)
        .map(|n| home.workspaces().join(if n == 1 { slug.clone() } else { format!("{slug}-{n}") }))
        .find(|path| !path.exists());
    let path = path.ok_or_else(|| Unfit::Field(format!("name: there are too many workspaces called “{name}”")))?;
    furnish(&path, &name, now).map_err(|source| DocumentError::Io {
        path: path.display().to_string(),
        source,
    })?;
    let entry = update_document(&home.config(), |config| add_entry(home, config, &path, &name, Some(now.0), false));
    match entry {
        // The folder is found without it.
        Ok(()) | Err(DocumentError::Missing(_) | DocumentError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let made = super::workspace_folders(home).into_iter().find(|one| one.path == path);
    made.map(|one| one.id)
        .ok_or_else(|| DocumentError::Missing(path.display().to_string()).into())
}

/// Changes a workspace; answers the files that were damaged and set aside. Every field is looked at before anything is written.
pub fn edit_workspace(home: &HomePaths, folder: &WorkspaceFolder, edit: WorkspaceEdit, now: Ms) -> Result<Vec<PathBuf>, Unfit> {
    let name = edit.name.as_deref().map(|name| named("name", name)).transpose()?;
    let (_, statuses_now, labels_now) = workspace_settings(folder);
    let statuses = edit.statuses.map(|given| statuses(&given, &statuses_now)).transpose()?;
    let labels = edit.labels.map(|given| labels(&given, &labels_now)).transpose()?;
    let mut aside = Vec::new();
    if name.is_some() || edit.mode.is_some() || edit.model.is_some() || edit.working_directory.is_some() {
        let fresh = json!({ "name": folder.id, "slug": folder.id, "createdAt": now });
        let set_aside = change_or_begin(&folder.path.join("config.json"), object(fresh), now, |own| {
            if let Some(name) = &name {
                own.insert("name".into(), json!(name));
            }
            let defaults = own.entry("defaults").or_insert_with(|| json!({}));
            if !defaults.is_object() {
                *defaults = json!({});
            }
            if let Some(defaults) = defaults.as_object_mut() {
                set(defaults, "permissionMode", edit.mode.map(|mode| json!(mode)));
                set(defaults, "model", edit.model.map(Value::String));
                set(defaults, "workingDirectory", edit.working_directory.map(Value::String));
            }
            own.insert("updatedAt".into(), json!(now));
        })?;
        aside.extend(set_aside);
    }
    if let Some(name) = &name {
        match update_document(&home.config(), |config| rename_entry(home, config, &folder.path, name)) {
            Ok(()) | Err(DocumentError::Missing(_) | DocumentError::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(list) = statuses {
        let fresh = json!({ "version": 1, "statuses": [], "defaultStatusId": "todo" });
        aside.extend(change_or_begin(
            &folder.path.join("statuses/config.json"),
            object(fresh),
            now,
            |file| {
                let kept = |id: &str| list.iter().any(|status| status["id"] == id);
                if !text(file, "defaultStatusId").is_some_and(|id| kept(&id)) {
                    file.insert("defaultStatusId".into(), json!("todo"));
                }
                file.insert("statuses".into(), Value::Array(list));
            },
        )?);
    }
    if let Some(list) = labels {
        let fresh = json!({ "version": 1, "labels": [] });
        aside.extend(change_or_begin(
            &folder.path.join("labels/config.json"),
            object(fresh),
            now,
            |file| {
                file.insert("labels".into(), Value::Array(list));
            },
        )?);
    }
    Ok(aside)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// An empty text takes a field away.
fn set(fields: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        None => {}
        Some(Value::String(empty)) if empty.trim().is_empty() => {
            fields.shift_remove(key);
        }
        Some(value) => {
            fields.insert(key.into(), value);
        }
    }
}

fn named(field: &str, text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME || text.chars().any(char::is_control) {
        return Err(Unfit::Field(format!("{field}: has 1 to {NAME} characters and no line breaks")));
    }
    Ok(text.to_owned())
}

/// `My Work!` is `my-work`; a name without a letter or a digit of ASCII is `workspace`.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "workspace".into()
    } else {
        slug.chars().take(48).collect()
    }
}

fn array<'a>(field: &str, given: &'a Value, most: usize) -> Result<&'a [Value], Unfit> {
    match given.as_array() {
        Some(list) if list.len() <= most => Ok(list),
        Some(_) => Err(Unfit::Field(format!("{field}: at most {most}"))),
        None => Err(Unfit::Field(format!("{field}: is not a list"))),
    }
}

/// An entry with an id that fits and is new; `::` divides a label from its value.
fn entry(place: &str, given: &Value, seen: &mut HashSet<String>) -> Result<(String, Map<String, Value>), Unfit> {
    let fields = given
        .as_object()
        .ok_or_else(|| Unfit::Field(format!("{place}: is not an object")))?;
    let id = text(fields, "id").unwrap_or_default();
    if id.is_empty() || id.len() > 64 || id.contains("::") || id.chars().any(|c| c.is_control() || c == '/' || c.is_whitespace()) {
        return Err(Unfit::Field(format!(
            "{place}.id: has 1 to 64 characters without blanks, “/” and “::”"
        )));
    }
    if !seen.insert(id.clone()) {
        return Err(Unfit::Field(format!("{place}.id: “{id}” stands there twice")));
    }
    color(place, fields.get("color"))?;
    Ok((id, fields.clone()))
}

fn color(place: &str, color: Option<&Value>) -> Result<(), Unfit> {
    let word = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty() && text.len() <= 64);
    let fits = match color {
        None | Some(Value::Null) => true,
        Some(Value::Object(pair)) => {
            pair.get("light").is_some_and(word) && pair.get("dark").is_none_or(|dark| dark.is_null() || word(dark))
        }
        Some(value) => word(value),
    };
    if fits {
        Ok(())
    } else {
        Err(Unfit::Field(format!(
            "{place}.color: is a colour, or one for light and one for dark"
        )))
    }
}

/// The fields of before, with those that are given; `null` takes one away.
fn over(before: Option<&Map<String, Value>>, given: Map<String, Value>) -> Map<String, Value> {
    let mut fields = before.cloned().unwrap_or_default();
    for (key, value) in given {
        if value.is_null() {
            fields.shift_remove(&key);
        } else {
            fields.insert(key, value);
        }
    }
    fields
}

fn statuses(given: &Value, before: &Value) -> Result<Vec<Value>, Unfit> {
    let list = array("statuses", given, MOST.0)?;
    let known = |id: &str| {
        before
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .find(|one| one.get("id") == Some(&json!(id)))
    };
    let (mut seen, mut all) = (HashSet::new(), Vec::new());
    for (n, one) in list.iter().enumerate() {
        let place = format!("statuses[{n}]");
        let (id, given) = entry(&place, one, &mut seen)?;
        let mut fields = over(known(&id), given);
        let label = named(&format!("{place}.label"), &text(&fields, "label").unwrap_or_default())?;
        fields.insert("label".into(), json!(label));
        let category = text(&fields, "category").unwrap_or_else(|| "open".into());
        if !["open", "closed"].contains(&category.as_str()) {
            return Err(Unfit::Field(format!("{place}.category: is “open” or “closed”")));
        }
        fields.insert("category".into(), json!(category));
        let fixed = FIXED.contains(&id.as_str());
        fields.insert("isFixed".into(), json!(fixed));
        fields.entry("isDefault").or_insert_with(|| json!(!fixed));
        fields.insert("order".into(), json!(n));
        all.push(Value::Object(fields));
    }
    for id in FIXED {
        if !seen.contains(id) {
            return Err(Unfit::Field(format!("statuses: “{id}” has to stay; it may have another name")));
        }
    }
    Ok(all)
}

fn labels(given: &Value, before: &Value) -> Result<Vec<Value>, Unfit> {
    let mut known = Vec::new();
    gather(before, 0, &mut known);
    let mut seen = HashSet::new();
    let all = label_level("labels", given, &known, 0, &mut seen)?;
    if seen.len() > MOST.1 {
        return Err(Unfit::Field(format!("labels: at most {}", MOST.1)));
    }
    Ok(all)
}

/// Labels of the file, wherever they stand in its tree.
fn gather<'a>(level: &'a Value, depth: usize, found: &mut Vec<&'a Map<String, Value>>) {
    if depth == DEPTH {
        return;
    }
    for label in level.as_array().into_iter().flatten().filter_map(Value::as_object) {
        found.push(label);
        if let Some(children) = label.get("children") {
            gather(children, depth + 1, found);
        }
    }
}

fn label_level(
    place: &str,
    given: &Value,
    known: &[&Map<String, Value>],
    depth: usize,
    seen: &mut HashSet<String>,
) -> Result<Vec<Value>, Unfit> {
    let list = array(place, given, MOST.1)?;
    if depth == DEPTH && !list.is_empty() {
        return Err(Unfit::Field(format!("{place}: labels are at most {DEPTH} deep")));
    }
    let mut all = Vec::new();
    for (n, one) in list.iter().enumerate() {
        let place = format!("{place}[{n}]");
        let (id, mut fields) = entry(&place, one, seen)?;
        let children = fields.shift_remove("children").unwrap_or_else(|| json!([]));
        let before = known.iter().find(|label| label.get("id") == Some(&json!(id))).copied();
        let mut fields = over(before, fields);
        fields.shift_remove("children");
        let name = named(&format!("{place}.name"), &text(&fields, "name").unwrap_or_default())?;
        fields.insert("name".into(), json!(name));
        if let Some(kind) = fields.get("valueType")
            && !["string", "number", "date"].iter().any(|one| kind == one)
        {
            return Err(Unfit::Field(format!("{place}.valueType: is “string”, “number” or “date”")));
        }
        let children = label_level(&format!("{place}.children"), &children, known, depth + 1, seen)?;
        if !children.is_empty() {
            fields.insert("children".into(), Value::Array(children));
        }
        all.push(Value::Object(fields));
    }
    Ok(all)
}
