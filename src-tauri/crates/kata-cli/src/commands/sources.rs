//! `kata sources`.

use super::{connect, standard_input};
use crate::args::Sources;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{Empty, Json, SourceConfigure, SourceDetail, SourceEnable, SourceRef, SourceSecret, SourceSummary};
use serde_json::{Map, Value};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Sources) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Sources::List => {
            let sources = client.source_list(Empty {}).await?;
            screen.result(&sources, |s| render::sources(s, render::now()))
        }
        Sources::Show { id } => detail(screen, &client.source_get(SourceRef { id }).await?),
        Sources::Enable { id } => row(screen, &client.source_enable(SourceEnable { id, enabled: true }).await?),
        Sources::Disable { id } => row(screen, &client.source_enable(SourceEnable { id, enabled: false }).await?),
        Sources::Restart { id } => row(
            screen,
            &screen.working("restarting", client.source_restart(SourceRef { id })).await?,
        ),
        Sources::Set { id, settings } => {
            let present = client.source_get(SourceRef { id: id.clone() }).await?;
            let settings = Json(changed(&present, &settings));
            detail(screen, &client.source_configure(SourceConfigure { id, settings }).await?)
        }
        Sources::Secret { id, name, remove } => {
            let value = if remove {
                None
            } else {
                if screen.is_interactive() {
                    screen.note(&format!("Type {name}, then Enter and Ctrl-D. It will be visible while you type."));
                }
                let value = standard_input()?;
                if value.is_empty() {
                    return Err(Failure::usage("there is no value on standard input").hint("--remove takes a secret away"));
                }
                Some(value)
            };
            detail(screen, &client.source_secret(SourceSecret { id, name, value }).await?)
        }
    }
}

fn row(screen: &Screen, source: &SourceSummary) -> Result<(), Failure> {
    screen.result(source, |s| render::sources(std::slice::from_ref(s), render::now()))
}

fn detail(screen: &Screen, source: &SourceDetail) -> Result<(), Failure> {
    screen.result(source, |s| render::source(s, render::now()))
}

/// Present settings with the changes made. A value is read as JSON unless the schema wants text there.
fn changed(present: &SourceDetail, changes: &[(String, String)]) -> Value {
    let mut settings = present.settings.0.as_object().cloned().unwrap_or_default();
    for (key, text) in changes {
        let path: Vec<&str> = key.split('.').collect();
        let value = if wants_text(present.settings_schema.as_ref(), &path) {
            Value::String(text.clone())
        } else {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        };
        put(&mut settings, &path, value);
    }
    Value::Object(settings)
}

fn wants_text(schema: Option<&Json>, path: &[&str]) -> bool {
    let mut place = schema.map(|s| &s.0);
    for part in path {
        place = place.and_then(|s| s.get("properties")).and_then(|p| p.get(part));
    }
    place.and_then(|s| s.get("type")).is_some_and(|t| t == "string")
}

fn put(settings: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] if value.is_null() => {
            settings.shift_remove(*last);
        }
        [last] => {
            settings.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = settings.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_named_changes_and_the_schema_decides_what_is_text() {
        let status = json!({"state": {"kind": "running"}, "code": "", "message": "", "since": 1});
        let present: SourceDetail = serde_json::from_value(json!({
            "summary": {"id": "channel:t", "kind": "channel", "name": "T", "tagline": null, "icon": null, "workspace": null,
                "plugin": null, "enabled": true, "status": status, "lastActivity": null},
            "timeline": [], "tools": [], "hooks": [], "commands": [], "capabilities": [],
            "settingsSchema": {"type": "object", "properties": {"team": {"type": "string"}}},
            "settings": {"keep": 1, "gone": 2, "poll": {"timeout": 3}}, "secrets": [], "log": []}))
        .unwrap();
        let change = |pairs: &[(&str, &str)]| changed(&present, &pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Vec<_>>());
        assert_eq!(
            change(&[
                ("team", "42"),
                ("poll.limit", "7"),
                ("gone", "null"),
                ("list", "[1]"),
                ("url", "http://x")
            ]),
            json!({"keep": 1, "poll": {"timeout": 3, "limit": 7}, "team": "42", "list": [1], "url": "http://x"})
        );
    }
}
