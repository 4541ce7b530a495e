//! Providers: settings and keys brought together for the catalog, and how each stands.

use crate::settings::{ProviderEntry, SettingsFile};
use crate::{Options, Secrets};
use kata_agent::{Catalog, ProviderConfig};
use kata_core::EventHub;
use kata_core::ports::{Clock, HistoryItem, ModelErrorCode, ModelRequest, Models};
use kata_protocol::{
    DetectedModel, ErrorCode, Fact, ModelSet, Ms, ProviderKind, ProviderSettings, ProviderSummary, RunState, SessionId, Status, UserAction,
    WireError,
};
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Id of the built-in scripted provider.
const DEMO: &str = "demo";
/// Longest a test may take.
const TEST_LIMIT: Duration = Duration::from_secs(30);

/// The providers of a home.
pub(crate) struct ModelBoard {
    /// Answers the core.
    pub catalog: Arc<Catalog>,
    settings: Arc<SettingsFile>,
    secrets: Arc<Secrets>,
    clock: Arc<dyn Clock>,
    events: Arc<EventHub>,
    env: fn(&str) -> Option<String>,
    tested: Mutex<HashMap<String, Status>>,
}

impl ModelBoard {
    /// Reads settings and keys into the catalog.
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        settings: Arc<SettingsFile>,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
        events: Arc<EventHub>,
        options: &Options,
    ) -> Self {
        let board = Self {
            catalog,
            settings,
            secrets,
            clock,
            events,
            env: options.env,
            tested: Mutex::default(),
        };
        board.apply();
        board
    }

    /// Providers with how they stand; the one new sessions use is marked.
    pub(crate) fn list(&self) -> Vec<ProviderSummary> {
        let settings = self.settings.get();
        let default = settings.models.default.as_deref();
        let labels: HashMap<String, String> = self.catalog.summaries().into_iter().map(|(s, label)| (s.id, label)).collect();
        let tested = self.tested.lock().unwrap_or_else(PoisonError::into_inner);
        self.entries()
            .into_iter()
            .map(|entry| {
                let has_key = self.key(&entry).is_some();
                let id = entry.settings.id.clone();
                let status = tested
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| untested(&entry.settings, has_key, self.clock.now()));
                ProviderSummary {
                    label: labels.get(&id).cloned().unwrap_or_else(|| id.clone()),
                    default: default == Some(id.as_str()),
                    settings: entry.settings,
                    has_key,
                    status,
                }
            })
            .collect()
    }

    /// The model new sessions use, once a person has chosen; until then the demo answers.
    pub(crate) fn chosen(&self) -> Option<ProviderSummary> {
        self.list().into_iter().find(|p| p.default)
    }

    /// Sets a provider up.
    pub(crate) async fn set(&self, set: ModelSet) -> Result<ProviderSummary, WireError> {
        let ModelSet {
            settings,
            api_key,
            key_env,
            default,
        } = set;
        validate(&settings)?;
        if let Some(key) = api_key {
            let (secrets, account) = (Arc::clone(&self.secrets), account(&settings.id));
            let key = Some(SecretString::from(key));
            tokio::task::spawn_blocking(move || secrets.set(&account, key))
                .await
                .map_err(|_| WireError::internal("the secret store failed"))??;
        }
        let id = settings.id.clone();
        self.settings.change(|s| {
            let models = &mut s.models;
            let (old_env, extra) = models
                .providers
                .iter()
                .find(|p| p.settings.id == id)
                .map(|p| (p.key_env.clone(), p.extra.clone()))
                .unwrap_or_default();
            models.providers.retain(|p| p.settings.id != id);
            models.providers.push(ProviderEntry {
                settings,
                key_env: key_env.or(old_env),
                extra,
            });
            if default {
                models.default = Some(id.clone());
            }
        })?;
        self.tested.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.apply();
        self.tell();
        self.get(&id)
    }

    /// Makes a provider the one new sessions use; `None` leaves them the demo until a person has chosen again.
    pub(crate) fn choose(&self, id: Option<&str>) -> Result<(), WireError> {
        if let Some(id) = id {
            self.get(id)?;
        }
        self.settings.change(|s| s.models.default = id.map(str::to_owned))?;
        self.apply();
        self.tell();
        Ok(())
    }

    /// Takes a provider away, with its key.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), WireError> {
        self.get(id)?;
        let (secrets, account) = (Arc::clone(&self.secrets), account(id));
        tokio::task::spawn_blocking(move || secrets.set(&account, None))
            .await
            .map_err(|_| WireError::internal("the secret store failed"))??;
        self.settings.change(|s| {
            s.models.providers.retain(|p| p.settings.id != id);
            if s.models.default.as_deref() == Some(id) {
                s.models.default = None;
            }
        })?;
        self.apply();
        self.tell();
        Ok(())
    }

    /// Asks a provider for one word and remembers how it went.
    pub(crate) async fn test(&self, id: &str) -> Result<ProviderSummary, WireError> {
        self.get(id)?;
        let status = match self.catalog.find(Some(id)) {
            Err(error) => Status {
                state: RunState::NeedsUser {
                    action: UserAction::Configure { field: "apiKey".into() },
                },
                code: "not_ready".into(),
                message: error.message,
                since: self.clock.now(),
            },
            Ok(model) => {
                let session = SessionId::new("model-test").map_err(|e| WireError::internal(e.to_string()))?;
                let text = "Answer with the one word: ready".to_owned();
                let request = ModelRequest {
                    session,
                    system: "You are being tested for a connection. Answer with one word.".into(),
                    history: vec![HistoryItem::User {
                        text,
                        context: Vec::new(),
                        files: Vec::new(),
                    }]
                    .into(),
                    tools: Arc::from([]),
                };
                let (events, mut said) = tokio::sync::mpsc::channel(64);
                let cancel = CancellationToken::new();
                let step = model.step(request, events, cancel.clone());
                let outcome = tokio::select! {
                    outcome = step => Some(outcome),
                    () = self.clock.sleep(TEST_LIMIT) => None,
                    // What it says is not of interest, but a full queue would slow it down.
                    () = async { while said.recv().await.is_some() {} std::future::pending().await } => None,
                };
                let (state, code, message) = match outcome {
                    Some(Ok(_)) => (RunState::Running, "", "It answered.".to_owned()),
                    Some(Err(e)) if e.code == ModelErrorCode::Unauthorized => (
                        RunState::NeedsUser {
                            action: UserAction::Configure { field: "apiKey".into() },
                        },
                        "unauthorized",
                        e.message,
                    ),
                    Some(Err(e)) => (RunState::Failed { recoverable: true }, "failed", e.message),
                    None => (
                        RunState::Failed { recoverable: true },
                        "timeout",
                        format!("No answer within {} s.", TEST_LIMIT.as_secs()),
                    ),
                };
                cancel.cancel();
                Status {
                    state,
                    code: code.into(),
                    message,
                    since: self.clock.now(),
                }
            }
        };
        self.tested
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned(), status);
        self.tell();
        self.get(id)
    }

    /// Models found on this machine.
    pub(crate) async fn detect(&self) -> Vec<DetectedModel> {
        kata_agent::detect(&self.env, self.catalog.http(), kata_agent::OLLAMA, kata_agent::LM_STUDIO).await
    }

    fn get(&self, id: &str) -> Result<ProviderSummary, WireError> {
        self.list()
            .into_iter()
            .find(|p| p.settings.id == id)
            .ok_or_else(|| WireError::not_found("model provider", id).hint("`kata models list` shows them"))
    }

    /// The person's providers, and the demo, which is always there.
    fn entries(&self) -> Vec<ProviderEntry> {
        let mut entries = self.settings.get().models.providers.clone();
        if !entries.iter().any(|e| e.settings.id == DEMO) {
            let settings = ProviderSettings {
                id: DEMO.into(),
                kind: ProviderKind::Demo,
                base_url: None,
                model: "scripted".into(),
                max_tokens: None,
            };
            entries.push(ProviderEntry {
                settings,
                key_env: None,
                extra: serde_json::Map::new(),
            });
        }
        entries
    }

    fn apply(&self) {
        let configs = self
            .entries()
            .into_iter()
            .map(|e| ProviderConfig {
                key: self.key(&e),
                settings: e.settings,
                extra: e.extra,
            })
            .collect();
        let default = self.settings.get().models.default.clone().unwrap_or_else(|| DEMO.into());
        self.catalog.replace(configs, Some(default));
    }

    fn key(&self, entry: &ProviderEntry) -> Option<SecretString> {
        let from_env = entry.key_env.as_deref().and_then(self.env).map(SecretString::from);
        from_env.or_else(|| {
            if entry.settings.kind == ProviderKind::Demo {
                None
            } else {
                self.secrets.get(&account(&entry.settings.id))
            }
        })
    }

    fn tell(&self) {
        self.events.publish(Fact::ModelChanged { model: self.chosen() });
    }
}

fn account(id: &str) -> String {
    format!("model/{id}")
}

fn untested(settings: &ProviderSettings, has_key: bool, now: Ms) -> Status {
    let needs_key = settings.base_url.is_none() && settings.kind != ProviderKind::Demo;
    if needs_key && !has_key {
        return Status {
            state: RunState::NeedsUser {
                action: UserAction::Configure { field: "apiKey".into() },
            },
            code: "no_key".into(),
            message: "It has no key yet.".into(),
            since: now,
        };
    }
    if settings.kind == ProviderKind::Demo {
        return Status {
            state: RunState::Running,
            code: "scripted".into(),
            message: "Scripted answers; no intelligence.".into(),
            since: now,
        };
    }
    Status {
        state: RunState::Stopped,
        code: "untested".into(),
        message: "Not tested yet.".into(),
        since: now,
    }
}

fn validate(settings: &ProviderSettings) -> Result<(), WireError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if settings.id.is_empty() || settings.id.len() > 64 || !settings.id.chars().all(fits) {
        return Err(WireError::invalid(
            "“settings.id” must be 1 to 64 letters, digits, dots, dashes or underscores",
        ));
    }
    if settings.model.trim().is_empty() {
        return Err(WireError::invalid("“settings.model” is empty"));
    }
    if let Some(base) = &settings.base_url {
        let url = url::Url::parse(base).map_err(|e| WireError::invalid(format!("“settings.baseUrl” is not an address: {e}")))?;
        if !["http", "https"].contains(&url.scheme()) || !url.username().is_empty() || url.password().is_some() {
            return Err(WireError::new(
                ErrorCode::Invalid,
                "“settings.baseUrl” must be http or https, without a user name",
            ));
        }
    }
    Ok(())
}
