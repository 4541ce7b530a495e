//! Plugins of this home: found, switched on and off, configured, loaded again. The host runs them; this module decides
//! which run, with which settings and which capabilities.

use crate::Secrets;
use crate::backend::{Backend, secret_account, source_id};
use crate::board::Board;
use crate::settings::SettingsFile;
use kata_core::ports::{Clock, PluginPart};
use kata_plugins::{Candidate, Discovery, NetworkPolicy, PluginHost, discover};
use kata_protocol::{
    ChannelId, ErrorCode, Fact, Json, PluginId, PluginOrigin, PluginSummary, RunState, SecretState, SourceId, SourceKind, SourceSummary,
    Status, UserAction, WireError,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The plugins of a home.
pub(crate) struct Plugins {
    /// Runs them.
    pub host: Arc<PluginHost>,
    /// What they get from us.
    pub backend: Arc<Backend>,
    /// Settings.
    pub settings: Arc<SettingsFile>,
    /// Secrets.
    pub secrets: Arc<Secrets>,
    /// Their channels and services.
    pub board: Arc<Board>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where to look, in order of precedence.
    pub roots: Vec<(PluginOrigin, PathBuf)>,
    found: Mutex<Discovery>,
}

/// A part of a plugin that shows on the board.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// A channel.
    Channel(ChannelId),
    /// A service.
    Service(String),
}

impl Plugins {
    /// Nothing found yet.
    pub(crate) fn new(
        host: Arc<PluginHost>,
        backend: Arc<Backend>,
        settings: Arc<SettingsFile>,
        roots: Vec<(PluginOrigin, PathBuf)>,
    ) -> Arc<Self> {
        let (secrets, board, clock) = (Arc::clone(&backend.secrets), Arc::clone(&backend.board), Arc::clone(&backend.clock));
        let found = Mutex::new(Discovery {
            found: Vec::new(),
            dropped: Vec::new(),
        });
        Arc::new(Self {
            host,
            backend,
            settings,
            secrets,
            board,
            clock,
            roots,
            found,
        })
    }

    /// Looks for plugins and puts their channels and services on the board.
    pub(crate) fn rescan(&self) {
        let discovery = discover(&self.roots);
        for dropped in &discovery.dropped {
            tracing::warn!(path = %dropped.path.display(), reason = dropped.reason, "a plugin folder was passed over");
        }
        let mut ids = Vec::new();
        for candidate in &discovery.found {
            let (manifest, plugin) = (&candidate.manifest, &candidate.manifest.id);
            let channels = manifest
                .contributes
                .channels
                .iter()
                .filter_map(|c| ChannelId::new(c.clone()).ok())
                .map(PluginPart::Channel);
            let services = manifest.contributes.services.iter().cloned().map(PluginPart::Service);
            for part in channels.chain(services) {
                let Some(id) = source_id(plugin, &part) else { continue };
                let (kind, name) = match &part {
                    PluginPart::Channel(_) => (SourceKind::Channel, manifest.name.clone()),
                    PluginPart::Service(service) => (SourceKind::Service, format!("{} · {service}", manifest.name)),
                    PluginPart::Plugin => continue,
                };
                self.board.put(SourceSummary {
                    id: id.clone(),
                    kind,
                    name,
                    tagline: Some(manifest.description.clone()).filter(|d| !d.is_empty()),
                    icon: manifest.icon.clone(),
                    workspace: None,
                    plugin: Some(plugin.clone()),
                    enabled: self.source_enabled(&id),
                    status: Status::plain(RunState::Stopped, self.clock.now()),
                    last_activity: None,
                });
                ids.push(id);
            }
        }
        self.board.retain(|s| s.plugin.is_none() || ids.contains(&s.id));
        *self.lock() = discovery;
    }

    /// Starts every plugin that is switched on, several at once. Readiness does not wait for it.
    pub(crate) async fn start_all(self: &Arc<Self>) {
        let ids: Vec<_> = self.lock().found.iter().map(|c| c.manifest.id.clone()).collect();
        let starts = ids.into_iter().filter(|id| self.enabled(id)).map(|id| async move {
            if let Err(error) = self.start(&id).await {
                tracing::error!(plugin = %id, %error, "a plugin did not start");
            }
        });
        futures::future::join_all(starts).await;
    }

    /// Loads a plugin (again) and starts what of it is switched on.
    pub(crate) async fn start(&self, id: &PluginId) -> Result<(), WireError> {
        let candidate = self.candidate(id)?;
        let settings = self.plugin_settings(&candidate);
        let granted = match candidate.origin {
            PluginOrigin::Bundled => candidate.manifest.capabilities.clone(),
            _ => self
                .settings
                .get()
                .plugins
                .get(id.as_str())
                .map(|p| p.granted.clone())
                .unwrap_or_default(),
        };
        let network = NetworkPolicy {
            extra_hosts: hosts_in(&candidate.manifest.settings, &settings),
        };
        let contributes = candidate.manifest.contributes.clone();
        self.set_status(id, Status::plain(RunState::Starting, self.clock.now()));
        if let Err(error) = self.host.activate(candidate, settings, granted, network).await {
            let serving = self.host.running().contains(id);
            let state = if serving {
                RunState::Degraded
            } else {
                RunState::Failed { recoverable: true }
            };
            let message = if serving {
                format!("The new version did not load, the old one goes on: {error}")
            } else {
                error.to_string()
            };
            self.set_status(
                id,
                Status {
                    state,
                    code: "load".into(),
                    message: message.clone(),
                    since: self.clock.now(),
                },
            );
            return Err(
                WireError::new(ErrorCode::Upstream, format!("plugin “{id}” did not load: {message}"))
                    .hint("`kata logs --plugin` shows more; mend it and reload"),
            );
        }
        self.set_status(id, Status::plain(RunState::Running, self.clock.now()));
        for channel in contributes.channels.iter().filter_map(|c| ChannelId::new(c.clone()).ok()) {
            if source_id(id, &PluginPart::Channel(channel.clone())).is_some_and(|s| self.source_enabled(&s)) {
                self.host.start_channel(&channel).await?;
            }
        }
        for service in &contributes.services {
            if source_id(id, &PluginPart::Service(service.clone())).is_some_and(|s| self.source_enabled(&s)) {
                self.host.start_service(id, service).await?;
            }
        }
        Ok(())
    }

    /// Switches a plugin on or off. Switching on a plugin that is not bundled grants what its manifest declares now.
    pub(crate) async fn enable(&self, id: &PluginId, enabled: bool) -> Result<(), WireError> {
        let candidate = self.candidate(id)?;
        self.settings.change(|s| {
            let plugin = s.plugins.entry(id.to_string()).or_default();
            plugin.enabled = Some(enabled);
            if enabled && candidate.origin != PluginOrigin::Bundled {
                plugin.granted = candidate.manifest.capabilities.clone();
            }
        })?;
        if enabled {
            return self.start(id).await;
        }
        self.host.deactivate(id).await;
        self.set_status(id, Status::plain(RunState::Stopped, self.clock.now()));
        for source in self.board.list().into_iter().filter(|s| s.plugin.as_ref() == Some(id)) {
            self.board.status(&source.id, Status::plain(RunState::Stopped, self.clock.now()));
        }
        Ok(())
    }

    /// Starts or stops one channel or service and remembers it.
    pub(crate) async fn enable_source(&self, source: &SourceSummary, enabled: bool) -> Result<(), WireError> {
        let (plugin, part) = self.part(source)?;
        self.settings
            .change(|s| s.sources.entry(source.id.to_string()).or_default().enabled = Some(enabled))?;
        self.board.put(SourceSummary { enabled, ..source.clone() });
        if enabled && !self.host.running().contains(&plugin) {
            return self.enable(&plugin, true).await;
        }
        self.run_part(&plugin, &part, enabled).await
    }

    /// Stops and starts one channel or service.
    pub(crate) async fn restart_source(&self, source: &SourceSummary) -> Result<(), WireError> {
        let (plugin, part) = self.part(source)?;
        if !source.enabled {
            return Err(WireError::new(ErrorCode::Conflict, format!("“{}” is switched off", source.name)).hint("switch it on first"));
        }
        if !self.host.running().contains(&plugin) {
            return self.start(&plugin).await;
        }
        self.run_part(&plugin, &part, false).await?;
        self.run_part(&plugin, &part, true).await
    }

    /// Checks settings against the plugin's schema, keeps them, and loads the plugin with them.
    pub(crate) async fn configure(&self, source: &SourceSummary, settings: Value) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        let candidate = self.candidate(&plugin)?;
        check(candidate.manifest.settings.as_ref(), &settings)?;
        self.settings
            .change(|s| s.plugins.entry(plugin.to_string()).or_default().settings = settings)?;
        if self.enabled(&plugin) { self.start(&plugin).await } else { Ok(()) }
    }

    /// Sets or removes a secret that the plugin declares, and loads the plugin again, so that it sees it.
    pub(crate) async fn set_secret(&self, source: &SourceSummary, name: &str, value: Option<String>) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        let names = secret_names(&self.candidate(&plugin)?);
        if !names.iter().any(|n| n == name) {
            return Err(WireError::invalid(format!(
                "plugin “{plugin}” has no secret “{name}”; it has: {}",
                names.join(", ")
            )));
        }
        let (secrets, account) = (Arc::clone(&self.secrets), secret_account(&plugin, name));
        let value = value.map(secrecy::SecretString::from);
        tokio::task::spawn_blocking(move || secrets.set(&account, value))
            .await
            .map_err(|_| WireError::internal("the secret store failed"))??;
        if self.enabled(&plugin) { self.start(&plugin).await } else { Ok(()) }
    }

    /// What the detail view shows of a channel or service: schema, settings, secrets, and the manifest.
    pub(crate) fn detail(&self, source: &SourceSummary) -> Result<(Candidate, Value, Vec<SecretState>), WireError> {
        let (plugin, _) = self.part(source)?;
        let candidate = self.candidate(&plugin)?;
        let secrets = secret_names(&candidate)
            .into_iter()
            .map(|name| SecretState {
                set: self.secrets.get(&secret_account(&plugin, &name)).is_some(),
                name,
            })
            .collect();
        let settings = self.plugin_settings(&candidate);
        Ok((candidate, settings, secrets))
    }

    /// Every plugin.
    pub(crate) fn list(&self) -> Vec<PluginSummary> {
        let candidates = self.lock().found.clone();
        candidates.into_iter().map(|c| self.summary(c)).collect()
    }

    /// One plugin.
    pub(crate) fn get(&self, id: &PluginId) -> Result<PluginSummary, WireError> {
        Ok(self.summary(self.candidate(id)?))
    }

    fn summary(&self, candidate: Candidate) -> PluginSummary {
        let Candidate { manifest, folder, origin } = candidate;
        let enabled = self.enabled(&manifest.id);
        let waiting = || {
            let state = if origin == PluginOrigin::Bundled || enabled {
                RunState::Stopped
            } else {
                RunState::NeedsUser { action: UserAction::Trust }
            };
            Status::plain(state, self.clock.now())
        };
        let status = self
            .backend
            .statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&manifest.id)
            .cloned();
        PluginSummary {
            enabled,
            status: status.unwrap_or_else(waiting),
            generation: self.host.generation(&manifest.id),
            usage: self.host.usage(&manifest.id).unwrap_or_default(),
            faults: self.host.faults(&manifest.id),
            id: manifest.id,
            name: manifest.name,
            version: manifest.version,
            description: manifest.description,
            origin,
            workspace: None,
            trust: kata_protocol::TrustState::Bundled,
            path: folder.display().to_string(),
            contributes: manifest.contributes,
            capabilities: manifest.capabilities,
        }
    }

    /// Folders of plugins that run, for the watcher.
    pub(crate) fn folder_of(&self, id: &PluginId) -> Option<PathBuf> {
        self.candidate(id).ok().map(|c| c.folder)
    }

    fn enabled(&self, id: &PluginId) -> bool {
        let origin = self.candidate(id).map(|c| c.origin).unwrap_or(PluginOrigin::Workspace);
        self.settings
            .get()
            .plugins
            .get(id.as_str())
            .and_then(|p| p.enabled)
            .unwrap_or(origin == PluginOrigin::Bundled)
    }

    fn source_enabled(&self, id: &SourceId) -> bool {
        self.settings
            .get()
            .sources
            .get(id.as_str())
            .and_then(|s| s.enabled)
            .unwrap_or(false)
    }

    async fn run_part(&self, plugin: &PluginId, part: &Part, run: bool) -> Result<(), WireError> {
        match (part, run) {
            (Part::Channel(channel), true) => return self.host.start_channel(channel).await,
            (Part::Channel(channel), false) => self.host.stop_channel(channel).await,
            (Part::Service(service), true) => return self.host.start_service(plugin, service).await,
            (Part::Service(service), false) => self.host.stop_service(plugin, service).await,
        }
        Ok(())
    }

    fn part(&self, source: &SourceSummary) -> Result<(PluginId, Part), WireError> {
        let Some(plugin) = source.plugin.clone() else {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!(
                    "“{}” is listed from its file; this version does not run MCP and API sources",
                    source.name
                ),
            )
            .hint("channels and services of plugins can be switched and configured"));
        };
        let candidate = self.candidate(&plugin)?;
        let matches = |part: &PluginPart| source_id(&plugin, part).as_ref() == Some(&source.id);
        let channels = candidate
            .manifest
            .contributes
            .channels
            .iter()
            .filter_map(|c| ChannelId::new(c.clone()).ok());
        for channel in channels {
            if matches(&PluginPart::Channel(channel.clone())) {
                return Ok((plugin, Part::Channel(channel)));
            }
        }
        for service in &candidate.manifest.contributes.services {
            if matches(&PluginPart::Service(service.clone())) {
                return Ok((plugin, Part::Service(service.clone())));
            }
        }
        Err(WireError::not_found("source", &source.id))
    }

    fn candidate(&self, id: &PluginId) -> Result<Candidate, WireError> {
        let found = self.lock().found.iter().find(|c| c.manifest.id == *id).cloned();
        found.ok_or_else(|| WireError::not_found("plugin", id).hint("`kata plugins list` shows them"))
    }

    /// The schema's defaults, with the person's values over them.
    fn plugin_settings(&self, candidate: &Candidate) -> Value {
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

    fn set_status(&self, id: &PluginId, status: Status) {
        self.backend
            .statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), status);
        self.backend.events.publish(Fact::PluginChanged { id: id.clone() });
    }

    fn lock(&self) -> MutexGuard<'_, Discovery> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names of the secrets a manifest declares.
fn secret_names(candidate: &Candidate) -> Vec<String> {
    candidate
        .manifest
        .capabilities
        .iter()
        .filter_map(|c| c.strip_prefix("secret:"))
        .map(str::to_owned)
        .collect()
}

/// Hosts of the addresses a person has typed into settings of format `uri`: typing one in is the grant for it.
fn hosts_in(schema: &Option<Json>, settings: &Value) -> Vec<String> {
    let properties: BTreeMap<&String, &Value> = schema
        .as_ref()
        .and_then(|s| s.0.get("properties"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    let uris = properties
        .into_iter()
        .filter(|(_, p)| p["format"] == "uri")
        .filter_map(|(name, _)| settings.get(name)?.as_str());
    uris.filter_map(|uri| {
        let url = url::Url::parse(uri).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    })
    .collect()
}

/// Checks settings; the error names the field.
fn check(schema: Option<&Json>, settings: &Value) -> Result<(), WireError> {
    let Some(schema) = schema else {
        return Err(WireError::invalid("this plugin has no settings"));
    };
    let validator = jsonschema::validator_for(&schema.0)
        .map_err(|e| WireError::new(ErrorCode::Upstream, format!("the plugin's settings schema is broken: {e}")))?;
    if let Some(error) = validator.iter_errors(settings).next() {
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
    }
}
