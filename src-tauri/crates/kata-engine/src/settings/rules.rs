//! The one table of settings that are changed one at a time (`settings.set`): path, kind, default, what it is for.
//!
//! What has rules of its own (channels, plugins, routes, models, tidying up, tracing, updates) has an operation of its own and is not
//! here; how the window looks is kept by each device.
//! A new setting is a row; window, CLI and `settings.list` have it then.

use kata_protocol::{Json, SettingKind, SettingRule, WireError};
use serde_json::{Value, json};

/// One row.
pub(crate) struct Row {
    /// Dotted path in `settings.json`.
    pub path: &'static str,
    doc: &'static str,
    kind: Kind,
    fallback: Fallback,
    restart: bool,
}

enum Kind {
    Bool,
    Number(u32, u32),
    Text(u32),
    List(u32),
}

enum Fallback {
    Nothing,
    Bool(bool),
    Number(u32),
    Empty,
}

/// Longest text in a list.
const ENTRY: usize = 256;

const fn row(path: &'static str, kind: Kind, fallback: Fallback, restart: bool, doc: &'static str) -> Row {
    Row {
        path,
        doc,
        kind,
        fallback,
        restart,
    }
}

/// The table.
pub(crate) const ROWS: &[Row] = &[
    row(
        "gateway.hosts",
        Kind::List(16),
        Fallback::Empty,
        true,
        "Names other than this machine's own under which the gateway may be asked, for a tunnel.",
    ),
    row(
        "gateway.port",
        Kind::Number(1, 65_535),
        Fallback::Number(kata_protocol::gateway::DEFAULT_PORT as u32),
        true,
        "Port the gateway tries first.",
    ),
    row(
        "models.default",
        Kind::Text(64),
        Fallback::Nothing,
        false,
        "Model of new sessions, by its id in `kata models list`.",
    ),
    row(
        "notifications.attention",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when something needs you: a call that waits, a channel that must be signed in.",
    ),
    row(
        "notifications.channels",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when a channel does not come back.",
    ),
    row(
        "notifications.text",
        Kind::Bool,
        Fallback::Bool(false),
        false,
        "Say in notifications what was written. Anybody who sees the screen reads it.",
    ),
    row(
        "notifications.turns",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when a chat is done while you do not look.",
    ),
    row(
        "oauth.clientMetadata",
        Kind::Text(2048),
        Fallback::Nothing,
        false,
        "Address (https) at which you publish what this app is: its id at MCP servers that take one (docs/oauth.md).",
    ),
];

impl Row {
    /// As clients see it.
    pub(crate) fn rule(&self) -> SettingRule {
        SettingRule {
            doc: self.doc.to_owned(),
            kind: match &self.kind {
                Kind::Bool => SettingKind::Bool {},
                Kind::Number(min, max) => SettingKind::Number { min: *min, max: *max },
                Kind::Text(most) => SettingKind::Text { most: *most },
                Kind::List(most) => SettingKind::List { most: *most },
            },
            default: Json(self.fallback()),
            restart: self.restart,
        }
    }

    /// Value where nothing is set.
    pub(crate) fn fallback(&self) -> Value {
        match self.fallback {
            Fallback::Nothing => Value::Null,
            Fallback::Bool(value) => json!(value),
            Fallback::Number(value) => json!(value),
            Fallback::Empty => json!([]),
        }
    }

    /// Whether a value may stand here; null takes the setting away and always may.
    pub(crate) fn check(&self, value: &Value) -> Result<(), WireError> {
        let wrong = |what: String| {
            let mut error = WireError::invalid(format!("“{}” must be {what}, not {value}", self.path));
            error.details = Some(Json(json!({ "field": self.path })));
            Err(error.hint(self.doc))
        };
        let short =
            |text: &str, most: usize| !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
        match (&self.kind, value) {
            (_, Value::Null) => Ok(()),
            (Kind::Bool, value) if !value.is_boolean() => wrong("true or false".into()),
            (Kind::Number(min, max), value) if !value.as_u64().is_some_and(|n| (u64::from(*min)..=u64::from(*max)).contains(&n)) => {
                wrong(format!("a whole number from {min} to {max}"))
            }
            (Kind::Text(most), value) if !value.as_str().is_some_and(|text| short(text, *most as usize)) => {
                wrong(format!("a text of 1 to {most} characters"))
            }
            (Kind::List(most), value) => match value.as_array() {
                Some(list) if list.len() <= *most as usize && list.iter().all(|v| v.as_str().is_some_and(|t| short(t, ENTRY))) => Ok(()),
                _ => wrong(format!("a list of at most {most} texts")),
            },
            _ => Ok(()),
        }
    }
}

/// The row of a setting.
///
/// # Errors
/// The path is none, or another operation changes it; the error says which paths there are.
pub(crate) fn find(path: &str) -> Result<&'static Row, WireError> {
    ROWS.iter().find(|row| row.path == path).ok_or_else(|| {
        let group = path.split('.').next().unwrap_or_default();
        let instead = match group {
            "plugins" | "accounts" => "`kata plugins set` and `kata sources set` change what plugins have",
            "sources" => "`kata channels policy` and `kata sources set` change it",
            "routing" => "`kata route` changes it",
            "hygiene" => "`kata hygiene set` changes it",
            "traces" => "`kata trace rules` changes it",
            "oauth" => "`kata oauth configure` changes it; here only oauth.clientMetadata is",
            "updates" => "`kata update configure` changes it",
            "models" => "`kata models` changes it; here only models.default is",
            _ => "`kata settings list` marks those that can be changed",
        };
        let mut error = WireError::invalid(format!("“path”: “{path}” is no setting that is changed here")).hint(instead);
        error.details = Some(Json(json!({ "field": "path" })));
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_its_own_rule_takes_and_no_path_stands_twice() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(row.check(&row.fallback()).is_ok(), "{}", row.path);
            assert!(ROWS.iter().skip(i + 1).all(|other| other.path != row.path), "{}", row.path);
        }
    }

    #[test]
    fn every_setting_is_one_that_the_program_reads() {
        for row in ROWS {
            let (group, field) = row.path.split_once('.').unwrap_or((row.path, ""));
            let value = match row.fallback() {
                Value::Bool(value) => json!(!value),
                Value::Number(_) => json!(7),
                Value::Array(_) => json!(["other"]),
                _ => json!("other"),
            };
            let file = json!({ group: { field: value } });
            let read: super::super::Settings = serde_json::from_value(file).unwrap_or_default();
            let unread = [&read.other, &read.gateway.other, &read.notifications.other];
            assert!(unread.iter().all(|other| other.is_empty()), "{} is read by nothing", row.path);
            assert_ne!(read, super::super::Settings::default(), "{} is read by nothing", row.path);
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_with_the_field_and_what_would_fit() {
        for (path, bad, told) in [
            ("gateway.port", json!(0), "from 1 to 65535"),
            ("gateway.port", json!("80"), "whole number"),
            ("gateway.port", json!(-1), "whole number"),
            ("gateway.hosts", json!("a.example"), "a list"),
            ("gateway.hosts", json!(vec!["x"; 17]), "at most 16"),
            ("gateway.hosts", json!([""]), "a list"),
            ("notifications.text", json!("yes"), "true or false"),
            ("models.default", json!(""), "1 to 64"),
            ("models.default", json!("a\u{7}b"), "1 to 64"),
        ] {
            let error = find(path).and_then(|row| row.check(&bad)).unwrap_err();
            assert!(error.message.contains(path) && error.message.contains(told), "{}", error.message);
            assert_eq!(error.details.map(|d| d.0["field"].clone()), Some(json!(path)));
        }
    }

    #[test]
    fn what_another_operation_changes_is_refused_with_its_command() {
        for (path, hint) in [
            ("sources.channel:telegram.policy", "kata channels policy"),
            ("routing.bindings", "kata route"),
            ("updates.automatic", "kata update configure"),
            ("nonsense", "kata settings list"),
        ] {
            let error = find(path).err().unwrap_or_else(|| WireError::internal("taken"));
            assert!(error.hint.as_deref().is_some_and(|h| h.contains(hint)), "{error:?}");
        }
    }
}
