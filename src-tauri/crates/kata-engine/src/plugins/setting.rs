//! Settings and secrets of plugins: checked against the manifest's schema, kept, and given to a plugin by loading it again.

use super::Plugins;
use super::asking::{misfit, of_others, with};
use crate::backend::secret_account;
use kata_plugins::Candidate;
use kata_protocol::{ErrorCode, Json, PluginId, SecretState, SetupOption, SetupStep, SourceSummary, WireError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Plugins {
    /// As [`Self::configure_plugin`], for one of its channels or services.
    pub(crate) async fn configure(self: &Arc<Self>, source: &SourceSummary, settings: Value) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        self.configure_plugin(&plugin, settings).await
    }

    /// Checks settings against the plugin's schema, keeps them, and loads the plugin with them.
    pub(crate) async fn configure_plugin(self: &Arc<Self>, plugin: &PluginId, settings: Value) -> Result<(), WireError> {
        let candidate = self.candidate(plugin)?;
        check(candidate.manifest.settings.as_ref(), &settings)?;
        self.settings
            .change(|s| s.plugins.entry(plugin.to_string()).or_default().settings = settings)?;
        self.load_again(plugin).await
    }

    /// Keeps one setting, checked against the schema as far as it is about that one, and loads the plugin with it.
    pub(super) async fn keep_setting(self: &Arc<Self>, candidate: &Candidate, field: &str, value: Value) -> Result<(), WireError> {
        let plugin = &candidate.manifest.id;
        let now = with(&self.plugin_settings(candidate), field, value.clone());
        if let Some(schema) = &candidate.manifest.settings {
            let validator = validator(schema)?;
            if let Some(error) = validator.iter_errors(&now).find(|error| !of_others(field, error)) {
                return Err(misfit("value", field, format!("“{field}”: {error}")));
            }
        }
        self.settings.change(|s| {
            let plugin = s.plugins.entry(plugin.to_string()).or_default();
            plugin.settings = with(&plugin.settings, field, value);
        })?;
        if missing_settings(candidate, &now).is_some() {
            // It could not be loaded yet.
            self.changed(plugin);
            return Ok(());
        }
        self.load_again(plugin).await
    }

    /// As [`Self::set_plugin_secret`], for one of its channels or services.
    pub(crate) async fn set_secret(self: &Arc<Self>, source: &SourceSummary, name: &str, value: Option<String>) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        self.set_plugin_secret(&plugin, name, value).await
    }

    /// Sets or removes a secret that the plugin declares, and loads the plugin again, so that it sees it.
    pub(crate) async fn set_plugin_secret(self: &Arc<Self>, plugin: &PluginId, name: &str, value: Option<String>) -> Result<(), WireError> {
        let names = secret_names(&self.candidate(plugin)?);
        if !names.iter().any(|n| n == name) {
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(
                WireError::invalid(format!("“name”: plugin “{plugin}” has no secret “{name}”; it has: {known}"))
                    .hint("a secret is declared in the manifest: \"capabilities\": [\"secret:name\"]"),
            );
        }
        let (secrets, account) = (Arc::clone(&self.secrets), secret_account(plugin, name));
        let value = value.map(secrecy::SecretString::from);
        tokio::task::spawn_blocking(move || secrets.set(&account, value))
            .await
            .map_err(|_| WireError::internal("the secret store failed"))??;
        self.load_again(plugin).await
    }

    /// What changed is seen at the next load; a plugin that is off, or waits for trust, is left alone.
    pub(super) async fn load_again(self: &Arc<Self>, plugin: &PluginId) -> Result<(), WireError> {
        if self.enabled(plugin) && !self.waits(plugin) {
            return self.start(plugin).await;
        }
        self.changed(plugin);
        Ok(())
    }

    /// What the detail view shows of a channel or service: schema, settings, secrets, and the manifest.
    pub(crate) fn detail(&self, source: &SourceSummary) -> Result<(Candidate, Value, Vec<SecretState>), WireError> {
        let (plugin, _) = self.part(source)?;
        let candidate = self.candidate(&plugin)?;
        let secrets = self.secret_states(&candidate);
        let settings = self.plugin_settings(&candidate);
        Ok((candidate, settings, secrets))
    }

    /// Secrets a manifest names, and whether each is set.
    pub(super) fn secret_states(&self, candidate: &Candidate) -> Vec<SecretState> {
        secret_names(candidate)
            .into_iter()
            .map(|name| SecretState {
                set: self.secrets.get(&secret_account(&candidate.manifest.id, &name)).is_some(),
                name,
            })
            .collect()
    }

    /// The schema's defaults, with the person's values over them.
    pub(super) fn plugin_settings(&self, candidate: &Candidate) -> Value {
        let mut settings = json!({});
        let properties = candidate
            .manifest
            .settings
            .as_ref()
            .and_then(|s| s.0.get("properties"))
            .and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if let Some(default) = property.get("default") {
                settings[name] = default.clone();
            }
        }
        let stored = self
            .settings
            .get()
            .plugins
            .get(candidate.manifest.id.as_str())
            .map(|p| p.settings.clone());
        for (name, value) in stored.as_ref().and_then(Value::as_object).into_iter().flatten() {
            settings[name] = value.clone();
        }
        settings
    }
}

/// Names of the secrets a manifest declares.
pub(super) fn secret_names(candidate: &Candidate) -> Vec<String> {
    candidate
        .manifest
        .capabilities
        .iter()
        .filter_map(|c| c.strip_prefix("secret:"))
        .map(str::to_owned)
        .collect()
}

/// Hosts of the addresses a person has typed into settings of format `uri`: typing one in is the grant for it.
pub(super) fn hosts_in(schema: &Option<Json>, settings: &Value) -> Vec<String> {
    let properties: BTreeMap<&String, &Value> = schema
        .as_ref()
        .and_then(|s| s.0.get("properties"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    let uris = properties.into_iter().flat_map(|(name, p)| match settings.get(name) {
        Some(Value::String(uri)) if p["format"] == "uri" => vec![uri.as_str()],
        Some(Value::Array(uris)) if p["items"]["format"] == "uri" => uris.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    });
    uris.filter_map(|uri| {
        let url = url::Url::parse(uri).ok()?;
        let host = url.host_str().filter(|h| !h.is_empty())?;
        if matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")));
        }
        // Any other address is one for TCP, and needs a port; those of mail are known (RFC 8314, RFC 6409).
        let known = match url.scheme() {
            "imaps" => Some(993),
            "imap" => Some(143),
            "smtps" | "submissions" => Some(465),
            "smtp" | "submission" => Some(587),
            // As IANA lists them: MQTT, and MQTT over TLS.
            "mqtt" => Some(1883),
            "mqtts" => Some(8883),
            _ => None,
        };
        Some(format!("tcp:{host}:{}", url.port().or(known)?))
    })
    .collect()
}

/// The first setting the schema requires and nobody has given.
pub(super) fn missing_setting<'a>(candidate: &'a Candidate, settings: &Value) -> Option<&'a str> {
    let required = candidate.manifest.settings.as_ref()?.0.get("required")?.as_array()?;
    required.iter().filter_map(Value::as_str).find(|name| settings.get(name).is_none())
}

/// A step that asks for it.
pub(super) fn missing_settings(candidate: &Candidate, settings: &Value) -> Option<SetupStep> {
    setting_step(candidate, missing_setting(candidate, settings)?, None)
}

/// A step that asks for a setting as the schema describes it; `None` where there is no such setting.
pub(super) fn setting_step(candidate: &Candidate, field: &str, error: Option<String>) -> Option<SetupStep> {
    let property = property(candidate, field)?;
    let text = |name: &str| property.get(name).and_then(Value::as_str).map(str::to_owned);
    let (field, title) = (field.to_owned(), text("title").unwrap_or_else(|| field.to_owned()));
    let help = text("description").unwrap_or_default();
    let option = |value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        SetupOption {
            label: value.clone(),
            value,
        }
    };
    let options = match property.get("enum").and_then(Value::as_array) {
        Some(values) => values.iter().map(option).collect(),
        None if property.get("type") == Some(&json!("boolean")) => vec![option(&json!(true)), option(&json!(false))],
        None => Vec::new(),
    };
    Some(match options.is_empty() {
        false => SetupStep::Choice {
            field,
            title,
            help,
            options,
            error,
        },
        true => SetupStep::Input {
            field,
            title,
            help,
            error,
            copy: None,
        },
    })
}

/// Whether a plugin's step asks for something the plugin has.
///
/// # Errors
/// [`ErrorCode::Upstream`]: the step names a setting or secret that the manifest does not.
pub(super) fn asked_for(candidate: &Candidate, step: &SetupStep) -> Result<(), WireError> {
    let wrong = |part: &str, name: &str| {
        let (plugin, declared) = (&candidate.manifest.id, if part == "secret" { "capabilities" } else { "settings" });
        Err(WireError::new(
            ErrorCode::Upstream,
            format!("plugin “{plugin}”: setup.next: {part}: “{name}” is not in the manifest's {declared}"),
        ))
    };
    match step {
        SetupStep::Secret { secret, .. } if !secret_names(candidate).contains(secret) => wrong("secret", secret),
        SetupStep::Input { field, .. } | SetupStep::Choice { field, .. } if property(candidate, field).is_none() => wrong("field", field),
        _ => Ok(()),
    }
}

/// A setting's schema.
fn property<'a>(candidate: &'a Candidate, field: &str) -> Option<&'a Value> {
    candidate.manifest.settings.as_ref()?.0.get("properties")?.get(field)
}

/// What a person typed, as the type the schema wants.
pub(super) fn read_as(candidate: &Candidate, field: &str, text: &str) -> Result<Value, WireError> {
    let Some(schema) = property(candidate, field) else {
        let settings = candidate
            .manifest
            .settings
            .as_ref()
            .and_then(|s| s.0.get("properties"))
            .and_then(Value::as_object);
        let known = secret_names(candidate)
            .into_iter()
            .chain(settings.into_iter().flat_map(|s| s.keys().cloned()));
        let known: Vec<String> = known.collect();
        let plugin = &candidate.manifest.id;
        let reason = format!("plugin “{plugin}” asks for no “{field}”; it has: {}", known.join(", "));
        return Err(misfit("name", field, reason));
    };
    let wants = |kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(some)) => some.iter().any(|one| one == kind),
        _ => false,
    };
    let word = text.trim();
    let no = |what: &str| Err(misfit("value", field, format!("“{field}” must be {what}")));
    if wants("string") {
        return Ok(Value::String(word.to_owned()));
    }
    if wants("boolean") {
        return match word.to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" => Ok(Value::Bool(true)),
            "false" | "no" | "n" | "off" => Ok(Value::Bool(false)),
            _ => no("true or false"),
        };
    }
    let read: Option<Value> = serde_json::from_str(word).ok();
    if wants("integer") || wants("number") {
        return read.filter(Value::is_number).map_or_else(|| no("a number"), Ok);
    }
    if wants("array") {
        let list = || {
            word.split([',', '\n'])
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(Value::from)
                .collect()
        };
        return Ok(read.filter(Value::is_array).unwrap_or_else(list));
    }
    if wants("object") {
        return read.filter(Value::is_object).map_or_else(|| no("a JSON object"), Ok);
    }
    Ok(read.unwrap_or_else(|| Value::String(word.to_owned())))
}

fn validator(schema: &Json) -> Result<jsonschema::Validator, WireError> {
    jsonschema::validator_for(&schema.0)
        .map_err(|e| WireError::new(ErrorCode::Upstream, format!("the plugin's settings schema is broken: {e}")))
}

/// Checks settings; the error names the field.
fn check(schema: Option<&Json>, settings: &Value) -> Result<(), WireError> {
    let Some(schema) = schema else {
        return Err(WireError::invalid("this plugin has no settings"));
    };
    if let Some(error) = validator(schema)?.iter_errors(settings).next() {
        let path = error.instance_path().to_string();
        let field = if path.is_empty() {
            "settings"
        } else {
            path.trim_start_matches('/')
        };
        let mut wire = WireError::invalid(format!("“{field}”: {error}"));
        wire.details = Some(Json(json!({ "field": field })));
        return Err(wire);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_does_not_fit_is_refused_by_the_name_of_its_field() {
        let schema = Json(json!({"type":"object","properties":{"limit":{"type":"integer"}},"additionalProperties":false}));
        assert!(check(Some(&schema), &json!({"limit": 3})).is_ok());
        let error = check(Some(&schema), &json!({"limit": "x"})).unwrap_err();
        assert!(error.message.contains("limit"), "{}", error.message);
        assert_eq!(error.details.unwrap().0["field"], "limit");
    }

    #[test]
    fn an_address_in_the_settings_opens_its_own_host_and_no_other() {
        let schema = Some(Json(
            json!({"properties":{"apiRoot":{"type":"string","format":"uri"},"note":{"type":"string"}}}),
        ));
        let settings = json!({"apiRoot":"http://127.0.0.1:8081/bot","note":"http://evil.example"});
        assert_eq!(hosts_in(&schema, &settings), ["127.0.0.1:8081"]);
        let schema = Some(Json(
            json!({"properties":{"feeds":{"type":"array","items":{"type":"string","format":"uri"}}}}),
        ));
        let settings = json!({"feeds":["https://a.example/rss","https://b.example:8443/atom"]});
        assert_eq!(hosts_in(&schema, &settings), ["a.example", "b.example:8443"]);
    }

    #[test]
    fn an_address_of_another_protocol_opens_tcp_to_its_port_and_nothing_to_http() {
        let schema = Some(Json(json!({"properties":{"a":{"type":"string","format":"uri"}}})));
        for (uri, hosts) in [
            ("imaps://mail.example.org:1993", vec!["tcp:mail.example.org:1993"]),
            ("imaps://mail.example.org", vec!["tcp:mail.example.org:993"]),
            ("smtp://127.0.0.1:2525/", vec!["tcp:127.0.0.1:2525"]),
            ("submissions://mail.example.org", vec!["tcp:mail.example.org:465"]),
            ("mqtt://broker.example", vec!["tcp:broker.example:1883"]),
            ("coap://broker.example", vec![]),
            ("mailto:a@b.example", vec![]),
            ("wss://x.example", vec!["x.example"]),
        ] {
            assert_eq!(hosts_in(&schema, &json!({ "a": uri })), hosts, "{uri}");
        }
    }
}
