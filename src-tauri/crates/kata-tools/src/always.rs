//! What a person answered with “always”: `permissions-always.json` in the workspace, readable by the person alone.
//!
//! The file is replaced whole (temporary, fsync, rename). Fields that are not ours stay. One that cannot be read allows nothing
//! and is not written over.

use crate::door;
use crate::why::{Why, why};
use kata_protocol::AlwaysRule;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Most rules that are kept; more are refused, so that the file stays one a person can read.
const MOST: usize = 500;

/// Where a workspace's rules lie.
pub(crate) fn file(workspace: &Path) -> PathBuf {
    workspace.join("permissions-always.json")
}

/// The rules, or what is wrong with the file. Blocks.
pub(crate) fn read(workspace: &Path) -> Result<Vec<AlwaysRule>, Why> {
    rules(&document(workspace)?)
}

fn document(workspace: &Path) -> Result<Map<String, Value>, Why> {
    let text = match std::fs::read_to_string(file(workspace)) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(e) => return Err(why(format!("it cannot be read: {e}"))),
    };
    serde_json::from_str(&text).map_err(|e| why(format!("it is not JSON as it should be: {e}")))
}

fn rules(document: &Map<String, Value>) -> Result<Vec<AlwaysRule>, Why> {
    match document.get("rules") {
        None => Ok(Vec::new()),
        Some(rules) => serde_json::from_value(rules.clone()).map_err(|e| why(format!("“rules”: {e}"))),
    }
}

/// Changes the rules. Durable when it returns. Blocks.
pub(crate) fn change(workspace: &Path, change: impl FnOnce(&mut Vec<AlwaysRule>)) -> Result<(), Why> {
    let mut document = document(workspace)?;
    let before = rules(&document)?;
    let mut after = before.clone();
    change(&mut after);
    if after == before {
        return Ok(());
    }
    if after.len() > MOST {
        return Err(why(format!(
            "there are {MOST} rules already; take some back with `kata permissions forget`"
        )));
    }
    document.entry("version").or_insert(json!(1));
    document.insert("rules".into(), json!(after));
    let mut text = serde_json::to_vec_pretty(&document).map_err(|e| why(e.to_string()))?;
    text.push(b'\n');
    door::replace(&file(workspace), &text, Some(0o600)).map_err(|e| why(format!("it cannot be written: {e}")))
}
