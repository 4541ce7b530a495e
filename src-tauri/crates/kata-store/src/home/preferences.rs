//! `preferences.json`: what the person has told about themselves. Fields this program does not know stay.

use super::HomePaths;
use super::document::{self, DocumentError, change_or_begin, text};
use kata_protocol::{Ms, Preferences};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// What the file says; one that is missing or damaged says nothing.
pub fn preferences(home: &HomePaths) -> Preferences {
    let fields = document::read(&home.preferences()).fields().unwrap_or_default();
    let place = fields.get("location").and_then(Value::as_object).cloned().unwrap_or_default();
    Preferences {
        name: text(&fields, "name"),
        timezone: text(&fields, "timezone"),
        language: text(&fields, "language"),
        city: text(&place, "city"),
        country: text(&place, "country"),
        notes: text(&fields, "notes"),
    }
}

/// Changes the file: absent fields stay, an empty text takes one away. Answers where a damaged file was set aside.
pub fn set_preferences(home: &HomePaths, change: &Preferences, now: Ms) -> Result<Option<PathBuf>, DocumentError> {
    change_or_begin(&home.preferences(), Map::new(), now, |fields| {
        set(fields, "name", change.name.as_deref());
        set(fields, "timezone", change.timezone.as_deref());
        set(fields, "language", change.language.as_deref());
        set(fields, "notes", change.notes.as_deref());
        if change.city.is_some() || change.country.is_some() {
            let mut place = fields.get("location").and_then(Value::as_object).cloned().unwrap_or_default();
            set(&mut place, "city", change.city.as_deref());
            set(&mut place, "country", change.country.as_deref());
            if place.is_empty() {
                fields.shift_remove("location");
            } else {
                fields.insert("location".into(), Value::Object(place));
            }
        }
        fields.insert("updatedAt".into(), json!(now));
    })
}

fn set(fields: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    match value.map(str::trim) {
        None => {}
        Some("") => {
            fields.shift_remove(key);
        }
        Some(text) => {
            fields.insert(key.into(), json!(text));
        }
    }
}
