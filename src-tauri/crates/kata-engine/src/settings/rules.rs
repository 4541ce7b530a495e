//! The one table of settings that are changed one at a time (`settings.set`): path, kind, default, what it is for.
//!
//! What has rules of its own (channels, plugins, routes, models, tidying up, tracing) has an operation of its own and is not here.
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
    Choice(&'static [&'static str]),
    List(u32),
}

enum Fallback {
    Nothing,
    Bool(bool),
    Number(u32),
    Text(&'static str),
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
        "appearance.mode",
        Kind::Choice(&["system", "light", "dark"]),
        Fallback::Text("system"),
        false,
        "Light or dark window.",
    ),
    row(
        "appearance.theme",
        Kind::Text(64),
        Fallback::Text("default"),
        false,
        "Colours of the window.",
    ),
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
        "notifications.answers",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when a session that is not looked at has answered.",
    ),
    row(
        "notifications.approvals",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when something waits for your decision.",
    ),
    row(
        "notifications.problems",
        Kind::Bool,
        Fallback::Bool(true),
        false,
        "Tell when a channel or service needs you.",
    ),
    row(
        "updates.automatic",
        Kind::Bool,
        Fallback::Bool(false),
        false,
        "Put updates in without asking, in the quiet hours.",
    ),
    row(
        "updates.channel",
        Kind::Choice(&["stable", "beta"]),
        Fallback::Text("stable"),
        false,
        "Which versions are offered.",
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
                Kind::Choice(values) => SettingKind::Choice {
                    values: values.iter().map(|v| (*v).to_owned()).collect(),
                },
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
            Fallback::Text(value) => json!(value),
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
            (Kind::Choice(values), value) if !value.as_str().is_some_and(|text| values.contains(&text)) => {
                wrong(format!("one of {}", values.join(", ")))
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
            "oauth" => "`kata oauth configure` changes it",
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
    fn a_value_that_does_not_fit_is_refused_with_the_field_and_what_would_fit() {
        for (path, bad, told) in [
            ("gateway.port", json!(0), "from 1 to 65535"),
            ("gateway.port", json!("80"), "whole number"),
            ("gateway.port", json!(-1), "whole number"),
            ("gateway.hosts", json!("a.example"), "a list"),
            ("gateway.hosts", json!(vec!["x"; 17]), "at most 16"),
            ("gateway.hosts", json!([""]), "a list"),
            ("notifications.answers", json!("yes"), "true or false"),
            ("updates.channel", json!("nightly"), "stable, beta"),
            ("appearance.theme", json!(""), "1 to 64"),
            ("appearance.theme", json!("a\u{7}b"), "1 to 64"),
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
            ("nonsense", "kata settings list"),
        ] {
            let error = find(path).err().unwrap_or_else(|| WireError::internal("taken"));
            assert!(error.hint.as_deref().is_some_and(|h| h.contains(hint)), "{error:?}");
        }
    }
}
