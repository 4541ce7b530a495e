//! Questions of a person about a channel: setting it up, looking at its platform, signing out. The plugin is loaded for it, the
//! channel need not be connected.
//!
//! What a person answers is kept by [`setting`](super::setting); what the plugin answers is checked by kata-plugins.

use super::parts::Part;
use super::setting::{asked_for, missing_settings, read_as, secret_names};
use super::{Plugins, lock};
use kata_plugins::{Candidate, SignIn};
use kata_protocol::{
    AccountId, ChannelDirectory, ChannelId, DmPolicy, ErrorCode, PluginId, Probe, SecurityWarning, SetupAnswer, SetupStep, SourceSummary,
    UserAction, WireError,
};
use serde_json::{Value, json};
use std::sync::Arc;

impl Plugins {
    /// The step of a channel's set-up to show now, after an answer has been kept.
    pub(crate) async fn setup_channel(
        self: &Arc<Self>,
        source: &SourceSummary,
        answer: Option<SetupAnswer>,
    ) -> Result<SetupStep, WireError> {
        let (plugin, channel) = self.channel(source)?;
        let candidate = self.candidate(&plugin)?;
        self.require_trust(&candidate)?;
        if let Some(answer) = answer {
            self.keep_answer(&candidate, answer).await?;
        }
        // Without these the plugin cannot even be loaded.
        if let Some(step) = missing_settings(&candidate, &self.plugin_settings(&candidate)) {
            return Ok(step);
        }
        if !self.enabled(&plugin) {
            self.enable(&plugin, true).await?;
        }
        self.loaded_now(&plugin, true).await?;
        match self.host.setup_step(&channel).await? {
            Some(step) => {
                asked_for(&candidate, &step)?;
                Ok(step)
            }
            None => self.plain_step(&candidate, &channel).await,
        }
    }

    async fn keep_answer(self: &Arc<Self>, candidate: &Candidate, answer: SetupAnswer) -> Result<(), WireError> {
        let SetupAnswer { name, value } = answer;
        let plugin = &candidate.manifest.id;
        if secret_names(candidate).contains(&name) {
            // What is pasted often brings a line end with it.
            let value = value.trim();
            if value.is_empty() {
                return Err(misfit("value", &name, format!("“{name}” is empty")));
            }
            return self.set_plugin_secret(plugin, &name, Some(value.to_owned())).await;
        }
        let value = read_as(candidate, &name, &value)?;
        self.keep_setting(candidate, &name, value).await
    }

    /// The set-up of a channel that has no wizard: its secrets one by one, then what the platform says of them.
    async fn plain_step(self: &Arc<Self>, candidate: &Candidate, channel: &ChannelId) -> Result<SetupStep, WireError> {
        let (this, asked) = (Arc::clone(self), candidate.clone());
        let states = tokio::task::spawn_blocking(move || this.secret_states(&asked)).await;
        let states = states.map_err(|_| WireError::internal("the secret store failed"))?;
        if let Some(missing) = states.iter().find(|s| !s.set) {
            return Ok(secret_step(&candidate.manifest.name, &missing.name, None));
        }
        let Some(sign_in) = self.host.sign_in(channel).await? else {
            let account = AccountId::new(channel.as_str()).map_err(|e| WireError::internal(e.to_string()))?;
            return Ok(SetupStep::Done {
                account,
                name: candidate.manifest.name.clone(),
            });
        };
        match sign_in {
            SignIn::Accepted { account, name } => Ok(SetupStep::Done { account, name }),
            SignIn::Refused { message, action } => {
                let named = match &action {
                    UserAction::Configure { field } => Some(field.as_str()),
                    _ => states.first().map(|s| s.name.as_str()),
                };
                if let Some(secret) = named.and_then(|name| states.iter().find(|s| s.name == name)) {
                    return Ok(secret_step(&candidate.manifest.name, &secret.name, Some(message)));
                }
                match named.and_then(|field| super::setting::setting_step(candidate, field, Some(message.clone()))) {
                    Some(step) => Ok(step),
                    None => Err(WireError::new(ErrorCode::NeedsUser, message).hint("the platform refuses the sign-in as it is")),
                }
            }
        }
    }

    /// Whether a channel could work now.
    pub(crate) async fn probe_channel(self: &Arc<Self>, source: &SourceSummary) -> Result<Probe, WireError> {
        let (plugin, channel) = self.channel(source)?;
        self.loaded_now(&plugin, false).await?;
        if let Some(probe) = self.host.probe(&channel).await? {
            return Ok(probe);
        }
        let began = self.clock.monotonic_us();
        let sign_in = self.host.sign_in(&channel).await?;
        let latency_ms = u32::try_from(self.clock.monotonic_us().saturating_sub(began) / 1000).unwrap_or(u32::MAX);
        match sign_in {
            Some(SignIn::Accepted { name, .. }) => Ok(Probe {
                ok: true,
                latency_ms,
                message: format!("The platform takes the sign-in of {name}."),
            }),
            Some(SignIn::Refused { message, .. }) => Ok(Probe {
                ok: false,
                latency_ms,
                message,
            }),
            None => Err(
                WireError::new(ErrorCode::Conflict, format!("channel “{channel}” has no way to try its platform"))
                    .hint("its state says how it stands while it is switched on"),
            ),
        }
    }

    /// What a person should know before they open a channel to others: what the plugin finds, and what its policy means.
    pub(crate) async fn audit_channel(self: &Arc<Self>, source: &SourceSummary) -> Result<Vec<SecurityWarning>, WireError> {
        let (plugin, channel) = self.channel(source)?;
        self.loaded_now(&plugin, false).await?;
        let mut warnings = self.host.warnings(&channel).await?.unwrap_or_default();
        let settings = self.settings.get();
        let rules = settings.sources.get(source.id.as_str()).cloned().unwrap_or_default();
        let mut warn = |code: &str, message: &str| {
            warnings.push(SecurityWarning {
                code: code.into(),
                message: message.into(),
            });
        };
        if rules.policy == Some(DmPolicy::Open) {
            warn(
                "policy_open",
                "Everybody who finds the bot may write to the agent. Pairing or an allow-list lets in whom you choose.",
            );
        }
        if rules.require_mention == Some(false) {
            warn(
                "mention_not_required",
                "In groups every message reaches the agent, also those that do not address it.",
            );
        }
        if rules.mode == Some(kata_protocol::PermissionMode::AllowAll) {
            warn("mode_allow_all", "Sessions of this channel run every tool without asking anybody.");
        }
        Ok(warnings)
    }

    /// People and groups a channel knows of.
    pub(crate) async fn channel_directory(self: &Arc<Self>, source: &SourceSummary) -> Result<ChannelDirectory, WireError> {
        let (plugin, channel) = self.channel(source)?;
        self.loaded_now(&plugin, false).await?;
        self.host.directory(&channel).await
    }

    /// Switches a channel off, signs it out at its platform where it can, and forgets its secrets. What the platform does not
    /// take is told, and the secrets stay, so that it can be tried again.
    pub(crate) async fn log_channel_out(self: &Arc<Self>, source: &SourceSummary) -> Result<(), WireError> {
        let (plugin, channel) = self.channel(source)?;
        let candidate = self.candidate(&plugin)?;
        self.require_trust(&candidate)?;
        self.enable_source(source, false).await?;
        if self.enabled(&plugin) {
            self.loaded_now(&plugin, true).await?;
            if let Err(mut error) = self.host.sign_out(&channel).await {
                error.hint = Some("the channel is switched off and its secrets are kept; try again when the platform answers".into());
                return Err(error);
            }
        }
        let (secrets, account) = (Arc::clone(&self.secrets), plugin.clone());
        let names = secret_names(&candidate);
        let forgotten = tokio::task::spawn_blocking(move || {
            names
                .iter()
                .try_for_each(|name| secrets.set(&crate::backend::secret_account(&account, name), None))
        });
        forgotten.await.map_err(|_| WireError::internal("the secret store failed"))??;
        self.load_again(&plugin).await
    }

    /// The plugin and the channel of a source.
    fn channel(&self, source: &SourceSummary) -> Result<(PluginId, ChannelId), WireError> {
        match self.part(source)? {
            (plugin, Part::Channel(channel)) => Ok((plugin, channel)),
            (_, Part::Service(_)) => {
                Err(WireError::invalid(format!("“id”: {} is not a channel", source.id)).hint("`kata channels list` shows them"))
            }
        }
    }

    /// Makes sure that a plugin serves. One that is being loaded is waited for; one that is down is loaded where `load` says so,
    /// since a person who only looks shall not end a plugin's rest after faults.
    async fn loaded_now(self: &Arc<Self>, plugin: &PluginId, load: bool) -> Result<(), WireError> {
        let turn = self.turn(plugin);
        let _turn = turn.lock().await;
        if self.host.running().contains(plugin) {
            return Ok(());
        }
        self.require_trust(&self.candidate(plugin)?)?;
        if load {
            return self.start_in_turn(plugin).await;
        }
        if !self.enabled(plugin) {
            return Err(WireError::new(ErrorCode::Conflict, format!("plugin “{plugin}” is switched off"))
                .hint(format!("`kata plugins enable {plugin}` loads it")));
        }
        let status = lock(&self.backend.statuses).get(plugin).cloned();
        let why = status
            .map(|s| s.message)
            .filter(|m| !m.is_empty())
            .unwrap_or_else(|| "it is down".into());
        Err(
            WireError::new(ErrorCode::Conflict, format!("plugin “{plugin}” does not run: {why}"))
                .hint(format!("`kata plugins reload {plugin}` tries again")),
        )
    }
}

fn secret_step(plugin: &str, secret: &str, error: Option<String>) -> SetupStep {
    SetupStep::Secret {
        secret: secret.to_owned(),
        title: format!("{plugin}: {secret}"),
        help: "Its documentation says where to find it. It is kept in the secret store and shown to nobody.".into(),
        error,
        copy: None,
    }
}

/// A parameter that does not fit; `details.field` is the setting, for the window.
pub(super) fn misfit(parameter: &str, field: &str, reason: String) -> WireError {
    let mut error = WireError::invalid(format!("“answer.{parameter}”: {reason}"));
    error.details = Some(kata_protocol::Json(json!({ "field": field })));
    error
}

/// Whether an error of a settings schema is about a field other than this one: it will be asked for later.
pub(super) fn of_others(field: &str, error: &jsonschema::ValidationError<'_>) -> bool {
    let path = error.instance_path().to_string();
    let own = path.trim_start_matches('/').split('/').next().is_some_and(|first| first == field);
    let required = matches!(error.kind(), jsonschema::error::ValidationErrorKind::Required { .. });
    !own && (required || !path.is_empty())
}

/// The value of a setting in an object of settings, or nothing.
pub(super) fn with(settings: &Value, field: &str, value: Value) -> Value {
    let mut settings = settings.as_object().cloned().unwrap_or_default();
    settings.insert(field.to_owned(), value);
    Value::Object(settings)
}
