//! A plugin host with nothing behind it: no store, no secrets, no network; what a plugin says is kept for the report.

use crate::{OsEntropy, SystemClock};
use async_trait::async_trait;
use kata_core::ports::{
    AccountError, AccountToken, Content, FilesRoot, MediaError, NewMedia, PluginBackend, PluginPart, ToolRequest, Tools,
};
use kata_plugins::{Candidate, HostOptions, NetworkPolicy, PluginError, PluginHost};
use kata_protocol::{
    ButtonPress, CallId, ChannelId, ChannelNotice, DirectMessage, ErrorCode, InboundDraft, IngressAnswer, Json, KnownConversation, Media,
    MediaId, PermissionMode, PluginFault, PluginId, PressAnswer, SessionId, SessionSubmitted, SessionSummary, Status, TurnId, WireError,
    WorkspaceId,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time the host gets to end.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// CPU milliseconds per minute while contracts run: they pack hours of a plugin's time into a second of ours.
const CPU_MS: u32 = 50_000;

/// A call of the check's own tool failed; in the plugin's words or the host's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CallFailed(pub(super) String);

/// The host, with one plugin in it.
pub(super) struct Bench {
    host: Arc<PluginHost>,
    backend: Arc<Nothing>,
    plugin: PluginId,
}

impl Bench {
    /// Loads a plugin and runs its `register`. It is granted what registering needs and nothing that reaches anywhere.
    pub(super) async fn load(candidate: &Candidate) -> Result<Self, PluginError> {
        let backend = Arc::new(Nothing::default());
        let options = HostOptions {
            cpu_ms_per_minute: CPU_MS,
            ..HostOptions::default()
        };
        let host = PluginHost::new(
            Arc::clone(&backend) as Arc<dyn PluginBackend>,
            Arc::new(SystemClock::default()),
            Arc::new(OsEntropy),
            options,
        );
        let granted = candidate.manifest.capabilities.iter();
        let granted = granted
            .filter(|c| c.starts_with("hooks:") || c.starts_with("route:"))
            .cloned()
            .collect();
        let settings = defaults(candidate.manifest.settings.as_ref());
        let plugin = candidate.manifest.id.clone();
        let mut candidate = candidate.clone();
        // What a person must give is not there, and a check goes on without it.
        if let Some(schema) = candidate.manifest.settings.as_mut().and_then(|s| s.0.as_object_mut()) {
            schema.remove("required");
        }
        match host.activate(candidate, settings, granted, NetworkPolicy::default()).await {
            Ok(()) => Ok(Self { host, backend, plugin }),
            Err(error) => {
                host.shutdown(SHUTDOWN).await;
                Err(error)
            }
        }
    }

    /// The host.
    pub(super) fn host(&self) -> &PluginHost {
        &self.host
    }

    /// Calls a tool of the plugin; the text it gave.
    pub(super) async fn call(&self, tool: &str, params: Value) -> Result<String, CallFailed> {
        let named = (
            SessionId::new("260101-calm-lake"),
            TurnId::new("check"),
            CallId::new("check"),
            WorkspaceId::new("check"),
        );
        let (Ok(session), Ok(turn), Ok(call_id), Ok(workspace)) = named else {
            return Err(CallFailed("the check has no names".into()));
        };
        let outcome = self
            .host
            .call(ToolRequest {
                session,
                workspace,
                working_directory: None,
                mode: PermissionMode::AllowAll,
                turn,
                call_id,
                name: tool.to_owned(),
                params,
                cancel: CancellationToken::new(),
            })
            .await;
        if outcome.is_error {
            Err(CallFailed(outcome.text))
        } else {
            Ok(outcome.text)
        }
    }

    /// The newest fault of the plugin.
    pub(super) fn fault(&self) -> Option<PluginFault> {
        self.host.faults(&self.plugin).into_iter().next()
    }

    /// Lines it wrote.
    pub(super) fn log(&self) -> Vec<String> {
        self.backend.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the plugin and its thread.
    pub(super) async fn end(self) {
        self.host.shutdown(SHUTDOWN).await;
    }
}

/// The settings a plugin has before a person sets any.
fn defaults(schema: Option<&Json>) -> Value {
    let properties = schema.and_then(|s| s.0.get("properties")).and_then(Value::as_object);
    let mut settings = json!({});
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default") {
            settings[name] = default.clone();
        }
    }
    settings
}

/// Most lines kept.
const MAX_LINES: usize = 200;

#[derive(Default)]
struct Nothing {
    log: Mutex<Vec<String>>,
}

fn absent(what: &str) -> WireError {
    WireError::new(ErrorCode::Conflict, format!("there is no {what} while a plugin is checked"))
}

#[async_trait]
impl PluginBackend for Nothing {
    async fn ingest(&self, _plugin: &PluginId, _channel: &ChannelId, _draft: InboundDraft) -> Result<IngressAnswer, WireError> {
        Err(absent("front door"))
    }
    async fn press(&self, _plugin: &PluginId, _channel: &ChannelId, _press: ButtonPress) -> Result<PressAnswer, WireError> {
        Err(absent("front door"))
    }
    async fn notice(&self, _plugin: &PluginId, _channel: &ChannelId, _notice: ChannelNotice) -> Result<(), WireError> {
        Err(absent("front door"))
    }
    async fn conversations(&self, _plugin: &PluginId, _channel: &ChannelId) -> Result<Vec<KnownConversation>, WireError> {
        Ok(Vec::new())
    }
    async fn direct(
        &self,
        _plugin: &PluginId,
        _channel: &ChannelId,
        _message: DirectMessage,
        _key: Option<String>,
    ) -> Result<(), WireError> {
        Err(absent("outbox"))
    }
    async fn state_get(&self, _plugin: &PluginId, _key: &str) -> Result<Option<Json>, WireError> {
        Ok(None)
    }
    async fn state_set(&self, _plugin: &PluginId, _key: &str, _value: Option<Json>) -> Result<(), WireError> {
        Err(absent("state"))
    }
    async fn secret(&self, _plugin: &PluginId, _name: &str) -> Result<Option<String>, WireError> {
        Ok(None)
    }
    async fn secret_set(&self, _plugin: &PluginId, _name: &str, _value: Option<String>) -> Result<(), WireError> {
        Err(absent("secret"))
    }
    async fn oauth_token(&self, _plugin: &PluginId, provider: &str, _scopes: &[String]) -> Result<AccountToken, AccountError> {
        Err(AccountError::NeedsUser {
            code: "signed_out",
            message: format!("nobody is signed in at {provider} while a plugin is checked"),
        })
    }
    async fn oauth_refused(&self, _plugin: &PluginId, _provider: &str, _access: SecretString) -> Result<(), AccountError> {
        Ok(())
    }
    fn route_url(&self, _plugin: &PluginId, _path: &str) -> Option<String> {
        None
    }
    async fn sessions(&self, _plugin: &PluginId) -> Result<Vec<SessionSummary>, WireError> {
        Ok(Vec::new())
    }
    async fn submit(
        &self,
        _plugin: &PluginId,
        _session: &SessionId,
        _text: String,
        _key: Option<String>,
    ) -> Result<SessionSubmitted, WireError> {
        Err(absent("session"))
    }
    async fn media_put(&self, _plugin: &PluginId, _info: NewMedia, _content: Content, _most: u64) -> Result<Media, MediaError> {
        Err(MediaError::Failed(absent("place for files").message))
    }
    async fn media_read(&self, _plugin: &PluginId, id: &MediaId) -> Result<Vec<u8>, MediaError> {
        Err(MediaError::NotFound(id.to_string()))
    }
    fn emit(&self, _plugin: &PluginId, _name: &str, _payload: Json) {}
    fn folder(&self, _plugin: &PluginId, _root: FilesRoot) -> Result<PathBuf, WireError> {
        Err(absent("folder"))
    }
    fn status(&self, _plugin: &PluginId, _part: PluginPart, _status: Status) {}
    fn log(&self, _plugin: &PluginId, level: &str, message: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() < MAX_LINES {
            log.push(format!("{level}: {message}"));
        }
    }
    fn fault(&self, _plugin: &PluginId, _fault: PluginFault) {}
}
