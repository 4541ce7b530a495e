//! `settings.set`: one setting, checked by the table, kept, and in force.

use super::SettingsFile;
use super::rules;
use crate::engine::Inner;
use kata_protocol::{SettingSet, SettingValue, WireError};
use serde_json::{Map, Value, json};

impl SettingsFile {
    /// Sets one value by its path, or takes it away with null.
    ///
    /// # Errors
    /// The file would not be one any more, or cannot be written; then nothing has changed.
    pub(crate) fn put(&self, path: &str, value: Value) -> Result<(), WireError> {
        let fits = self.change(|settings| {
            let mut whole = serde_json::to_value(&*settings)?;
            place(&mut whole, path, value);
            *settings = serde_json::from_value(whole)?;
            Ok::<(), serde_json::Error>(())
        })?;
        fits.map_err(|reason| WireError::invalid(format!("“{path}”: {reason}")))
    }
}

/// Puts a value at a dotted path; with null takes it away, and with it objects that are empty then.
fn place(whole: &mut Value, path: &str, value: Value) {
    let Value::Object(map) = whole else { return };
    match path.split_once('.') {
        None if value.is_null() => drop(map.shift_remove(path)),
        None => drop(map.insert(path.to_owned(), value)),
        Some((group, rest)) => {
            let below = map.entry(group.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !below.is_object() {
                *below = json!({});
            }
            place(below, rest, value);
            if below.as_object().is_some_and(Map::is_empty) {
                map.shift_remove(group);
            }
        }
    }
}

impl Inner {
    /// `settings.list`: every value with where it comes from and how it may be changed.
    pub(crate) fn setting_values(&self) -> Vec<SettingValue> {
        let mut overrides = Vec::new();
        if let Some(port) = self.options.port {
            overrides.push(("gateway.port", json!(port), "the start's option or KATA_PORT"));
        }
        overrides.push(("home", json!(self.options.home), "KATA_CONFIG_DIR, or the default"));
        self.settings.values(&overrides)
    }

    /// `settings.set`.
    pub(crate) fn set_setting(&self, params: SettingSet) -> Result<SettingValue, WireError> {
        let SettingSet { path, value } = params;
        let row = rules::find(&path)?;
        row.check(&value.0)?;
        if path == "models.default" {
            self.models.choose(value.0.as_str())?;
        } else {
            self.settings.put(&path, value.0)?;
        }
        let values = self.setting_values();
        values
            .into_iter()
            .find(|setting| setting.path == path)
            .ok_or_else(|| WireError::internal(format!("“{path}” is not among the settings")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::Ms;

    #[test]
    #[allow(clippy::unwrap_used, clippy::disallowed_methods)]
    fn a_setting_is_kept_beside_what_others_wrote_and_taken_away_without_a_trace() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("settings.json");
        std::fs::write(&path, r#"{"gateway":{"tls":true},"future":1}"#).unwrap();
        let (file, _) = SettingsFile::open(home.path(), Ms(1)).unwrap();
        file.put("gateway.port", json!(4711)).unwrap();
        file.put("notifications.turns", json!(false)).unwrap();
        let read = || serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            (
                &read()["gateway"]["port"],
                &read()["gateway"]["tls"],
                &read()["notifications"]["turns"],
                &read()["future"]
            ),
            (&json!(4711), &json!(true), &json!(false), &json!(1))
        );
        assert_eq!(file.get().gateway.port, Some(4711));
        file.put("notifications.turns", Value::Null).unwrap();
        file.put("gateway.port", Value::Null).unwrap();
        assert!(read().get("notifications").is_none() && read()["gateway"].get("port").is_none());
        let bad = file.put("gateway.port", json!("x")).unwrap_err();
        assert!(bad.message.contains("gateway.port"), "{}", bad.message);
        assert!(read()["gateway"].get("port").is_none(), "nothing has changed");
    }
}
