//! What plugins get from the engine: the path, their state, their secrets, the board and the log.

use crate::Secrets;
use crate::board::Board;
use async_trait::async_trait;
use kata_core::EventHub;
use kata_core::path::Path;
use kata_core::ports::{
    AccountError, AccountRef, AccountToken, Accounts, Clock, Content, FilesRoot, MediaError, MediaStore, NewMedia, PluginBackend,
    PluginPart, PluginStateStore, StoreError, Transcripts,
};
use kata_core::session::Sessions;
use kata_protocol::{
    ButtonPress, ChannelId, ChannelNotice, DirectMessage, ErrorCode, Fact, InboundDraft, IngressAnswer, Json, KnownConversation, Media,
    MediaId, Notice, PluginFault, PluginId, PressAnswer, SessionId, SessionList, SessionSubmitted, SessionSummary, SourceId, Status,
    WireError,
};
use kata_store::{HomePaths, SqliteStore};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The engine as plugins see it.
pub(crate) struct Backend {
    /// State.
    pub store: Arc<SqliteStore>,
    /// Secrets.
    pub secrets: Arc<Secrets>,
    /// Accounts that were signed in with.
    pub accounts: Arc<dyn Accounts>,
    /// States of channels and services.
    pub board: Arc<Board>,
    /// Facts.
    pub events: Arc<EventHub>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The path; set once everything stands.
    pub path: OnceLock<Arc<Path>>,
    /// Home.
    pub home: HomePaths,
    /// Files on their way.
    pub media: Arc<dyn MediaStore>,
    /// Lists of sessions.
    pub transcripts: Arc<dyn Transcripts>,
    /// The sessions; set once everything stands.
    pub sessions: OnceLock<Arc<Sessions>>,
    /// Port of the gateway; set once it listens.
    pub port: OnceLock<u16>,
    /// States of the plugins themselves.
    pub statuses: Mutex<HashMap<PluginId, Status>>,
    /// What the person should know.
    pub notices: Arc<Mutex<Vec<Notice>>>,
}

/// The board's name of a plugin's part; `None` for the plugin itself.
pub(crate) fn source_id(plugin: &PluginId, part: &PluginPart) -> Option<SourceId> {
    match part {
        PluginPart::Plugin => None,
        PluginPart::Channel(channel) => SourceId::new(format!("channel:{channel}")).ok(),
        PluginPart::Service(service) => SourceId::new(format!("service:{plugin}:{service}")).ok(),
    }
}

/// Name of a plugin's secret in the secret store.
pub(crate) fn secret_account(plugin: &PluginId, name: &str) -> String {
    format!("plugin/{plugin}/{name}")
}

#[async_trait]
impl PluginBackend for Backend {
    async fn ingest(&self, plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError> {
        self.path(plugin, channel)?.ingest(plugin, channel, draft).await
    }

    async fn press(&self, plugin: &PluginId, channel: &ChannelId, press: ButtonPress) -> Result<PressAnswer, WireError> {
        self.path(plugin, channel)?.press(plugin, channel, press).await
    }

    async fn notice(&self, plugin: &PluginId, channel: &ChannelId, notice: ChannelNotice) -> Result<(), WireError> {
        self.path(plugin, channel)?.notice(plugin, channel, notice).await
    }

    async fn conversations(&self, plugin: &PluginId, channel: &ChannelId) -> Result<Vec<KnownConversation>, WireError> {
        self.path(plugin, channel)?.conversations(channel).await
    }

    async fn direct(&self, plugin: &PluginId, channel: &ChannelId, message: DirectMessage, key: Option<String>) -> Result<(), WireError> {
        self.path(plugin, channel)?.direct(plugin, channel, message, key).await
    }

    async fn state_get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, WireError> {
        self.store.get(plugin, key).await.map_err(store)
    }

    async fn state_set(&self, plugin: &PluginId, key: &str, value: Option<Json>) -> Result<(), WireError> {
        self.store.set(plugin, key, value.as_ref()).await.map_err(store)
    }

    async fn secret(&self, plugin: &PluginId, name: &str) -> Result<Option<String>, WireError> {
        let (secrets, account) = (Arc::clone(&self.secrets), secret_account(plugin, name));
        // A keychain may ask a person, or be slow.
        let found = tokio::task::spawn_blocking(move || secrets.get(&account)).await;
        Ok(found
            .map_err(|_| WireError::internal("the secret store failed"))?
            .map(|s| s.expose_secret().to_owned()))
    }

    async fn secret_set(&self, plugin: &PluginId, name: &str, value: Option<String>) -> Result<(), WireError> {
        let (secrets, account) = (Arc::clone(&self.secrets), secret_account(plugin, name));
        let value = value.map(secrecy::SecretString::from);
        let done = tokio::task::spawn_blocking(move || secrets.set(&account, value)).await;
        Ok(done.map_err(|_| WireError::internal("the secret store failed"))??)
    }

    async fn oauth_token(&self, plugin: &PluginId, provider: &str, scopes: &[String]) -> Result<AccountToken, AccountError> {
        self.accounts.token(&AccountRef::of_plugin(plugin, provider), scopes).await
    }

    async fn oauth_refused(&self, plugin: &PluginId, provider: &str, access: SecretString) -> Result<(), AccountError> {
        self.accounts.refused(&AccountRef::of_plugin(plugin, provider), &access).await
    }

    fn route_url(&self, plugin: &PluginId, path: &str) -> Option<String> {
        let port = self.port.get()?;
        Some(format!("http://127.0.0.1:{port}/hooks/{plugin}/{path}"))
    }

    async fn sessions(&self, _plugin: &PluginId) -> Result<Vec<SessionSummary>, WireError> {
        let newest = SessionList {
            limit: Some(200),
            ..SessionList::default()
        };
        let (rows, _) = self
            .transcripts
            .list(newest)
            .await
            .map_err(|e| WireError::internal(e.to_string()))?;
        Ok(rows)
    }

    async fn submit(
        &self,
        plugin: &PluginId,
        session: &SessionId,
        text: String,
        key: Option<String>,
    ) -> Result<SessionSubmitted, WireError> {
        let sessions = self
            .sessions
            .get()
            .ok_or_else(|| WireError::new(ErrorCode::Busy, "the program is still starting"))?;
        // Keys of two plugins never meet.
        let key = key.map(|key| format!("plugin:{plugin}:{key}"));
        sessions
            .submit(session, text, Default::default(), key, &format!("plugin:{plugin}"))
            .await
    }

    async fn media_put(&self, _plugin: &PluginId, info: NewMedia, content: Content, most: u64) -> Result<Media, MediaError> {
        self.media.put(info, content, most).await
    }

    async fn media_read(&self, _plugin: &PluginId, id: &MediaId) -> Result<Vec<u8>, MediaError> {
        self.media.read(id).await
    }

    fn emit(&self, plugin: &PluginId, name: &str, payload: Json) {
        self.events.publish(Fact::PluginEvent {
            id: plugin.clone(),
            name: name.to_owned(),
            payload,
        });
    }

    fn folder(&self, plugin: &PluginId, root: FilesRoot) -> Result<PathBuf, WireError> {
        match root {
            FilesRoot::State => Ok(self.home.root().join("services").join(plugin.as_str())),
            FilesRoot::Workspace(wanted) => {
                let mut all = kata_store::workspaces(&self.home).into_iter();
                let found = all.find(|w| wanted.as_ref().map_or(w.active, |id| w.id == *id));
                let found = found.ok_or_else(|| WireError::new(ErrorCode::NotFound, "there is no active workspace"))?;
                Ok(PathBuf::from(found.path))
            }
        }
    }

    fn status(&self, plugin: &PluginId, part: PluginPart, status: Status) {
        match source_id(plugin, &part) {
            Some(id) => self.board.status(&id, status),
            None => {
                self.statuses
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(plugin.clone(), status);
                self.events.publish(Fact::PluginChanged { id: plugin.clone() });
            }
        }
    }

    fn log(&self, plugin: &PluginId, level: &str, message: &str) {
        let plugin = plugin.as_str();
        match level {
            "error" => tracing::error!(target: "plugin", plugin, "{message}"),
            "warn" => tracing::warn!(target: "plugin", plugin, "{message}"),
            "debug" => tracing::debug!(target: "plugin", plugin, "{message}"),
            _ => tracing::info!(target: "plugin", plugin, "{message}"),
        }
    }

    fn fault(&self, plugin: &PluginId, fault: PluginFault) {
        tracing::warn!(target: "plugin", plugin = plugin.as_str(), kind = fault.kind, "{}", fault.message);
        if fault.kind == "stuck" {
            self.stuck(plugin);
        }
        self.events.publish(Fact::PluginChanged { id: plugin.clone() });
    }
}

impl Backend {
    /// The path, for something that a channel hands in or asks.
    fn path(&self, plugin: &PluginId, channel: &ChannelId) -> Result<&Arc<Path>, WireError> {
        let path = self.path.get();
        let path = path.ok_or_else(|| WireError::new(ErrorCode::Busy, "the program is still starting"))?;
        if let Some(id) = source_id(plugin, &PluginPart::Channel(channel.clone())) {
            self.board.activity(&id, self.clock.now());
        }
        Ok(path)
    }

    /// A thread of a plugin cannot be ended. It does no harm to others but takes what the machine has left over.
    fn stuck(&self, plugin: &PluginId) {
        let notice = Notice {
            id: format!("plugin-stuck-{plugin}"),
            at: self.clock.now(),
            message: format!("The plugin “{plugin}” is stuck in native code that cannot be interrupted. It was switched to waiting; everything else goes on."),
            hint: Some("Restart the app when it suits you: turns that run are finished first, and no message is lost. Then look at the plugin's faults.".into()),
        };
        {
            let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            notices.retain(|n| n.id != notice.id);
            notices.push(notice);
        }
        // The windows ask for the status, and with it the notices, when health is told.
        self.events.publish(Fact::HealthChanged {
            health: self.board.health(),
        });
    }
}

fn store(error: StoreError) -> WireError {
    WireError::internal(error.to_string())
}
