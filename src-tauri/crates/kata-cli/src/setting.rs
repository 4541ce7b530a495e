//! `KEY=VALUE` and secrets, as `kata sources` and `kata plugins` both take them.

use crate::commands::standard_input;
use crate::failure::Failure;
use crate::screen::Screen;
use kata_protocol::Json;
use serde_json::{Map, Value};

/// Present settings with the changes made. A value is read as JSON unless the schema wants text there.
pub(crate) fn changed(present: &Json, schema: Option<&Json>, changes: &[(String, String)]) -> Value {
    let mut settings = present.0.as_object().cloned().unwrap_or_default();
    for (key, text) in changes {
        let path: Vec<&str> = key.split('.').collect();
        let value = if wants_text(schema, &path) {
            Value::String(text.clone())
        } else {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        };
        put(&mut settings, &path, value);
    }
    Value::Object(settings)
}

/// A secret's value, typed without being shown, or from standard input.
pub(crate) fn secret(screen: &Screen, name: &str) -> Result<String, Failure> {
    let value = if screen.is_interactive() {
        screen.hidden(&format!("{name} (not shown while you type): "))?
    } else {
        standard_input()?
    };
    if value.is_empty() {
        return Err(Failure::usage("there is no value on standard input").hint("--remove takes a secret away"));
    }
    Ok(value)
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
        let present = Json(json!({"keep": 1, "gone": 2, "poll": {"timeout": 3}}));
        let schema = Json(json!({"type": "object", "properties": {"team": {"type": "string"}}}));
        let change = |pairs: &[(&str, &str)]| {
            changed(
                &present,
                Some(&schema),
                &pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Vec<_>>(),
            )
        };
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
