//! What the plugin host needs from the engine, so that floor 2 knows neither the store nor the secrets.

use super::{AccountError, AccountToken, Content, MediaError, NewMedia};
use async_trait::async_trait;
use kata_protocol::{
    ButtonPress, ChannelId, ChannelNotice, DirectMessage, InboundDraft, IngressAnswer, Json, KnownConversation, Media, MediaId,
    PluginFault, PluginId, PressAnswer, SessionId, SessionSubmitted, SessionSummary, Status, WireError, WorkspaceId,
};
use secrecy::SecretString;
use std::path::PathBuf;

/// The part of a plugin a state belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PluginPart {
    /// The plugin itself.
    Plugin,
    /// One of its channels.
    Channel(ChannelId),
    /// One of its services.
    Service(String),
}

/// A folder a plugin's files lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesRoot {
    /// The plugin's own. It need not exist yet.
    State,
    /// A workspace: the one the plugin was found in, or the active one.
    Workspace(Option<WorkspaceId>),
}

/// What plugins ask of the engine. Every call names the plugin; the host has already checked its capabilities.
#[async_trait]
pub trait PluginBackend: Send + Sync + 'static {
    /// A channel hands a message in. Resolves when it is durable, or refused.
    async fn ingest(&self, plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError>;
    /// A person pressed a button. What it led to is durable when this resolves; the same press again gives the same answer.
    async fn press(&self, plugin: &PluginId, channel: &ChannelId, press: ButtonPress) -> Result<PressAnswer, WireError>;
    /// Something happened to a message.
    async fn notice(&self, plugin: &PluginId, channel: &ChannelId, notice: ChannelNotice) -> Result<(), WireError>;
    /// Conversations the agent may write to of its own accord, newest first, at most 200.
    async fn conversations(&self, plugin: &PluginId, channel: &ChannelId) -> Result<Vec<KnownConversation>, WireError>;
    /// Sends to one of them. Resolves when it is durable; the same key again is the same message.
    async fn direct(&self, plugin: &PluginId, channel: &ChannelId, message: DirectMessage, key: Option<String>) -> Result<(), WireError>;
    /// Reads the plugin's key-value state.
    async fn state_get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, WireError>;
    /// Writes (durably) or, with `None`, removes.
    async fn state_set(&self, plugin: &PluginId, key: &str, value: Option<Json>) -> Result<(), WireError>;
    /// A secret of the plugin, as the person stored it.
    async fn secret(&self, plugin: &PluginId, name: &str) -> Result<Option<String>, WireError>;
    /// Keeps a secret that a sign-in gave the plugin or, with `None`, forgets one. Durable; the plugin is not loaded again.
    async fn secret_set(&self, plugin: &PluginId, name: &str, value: Option<String>) -> Result<(), WireError>;
    /// A token of the plugin's account at a provider, with at least these scopes.
    async fn oauth_token(&self, plugin: &PluginId, provider: &str, scopes: &[String]) -> Result<AccountToken, AccountError>;
    /// The platform refused this very token. Resolves when another one counts.
    async fn oauth_refused(&self, plugin: &PluginId, provider: &str, access: SecretString) -> Result<(), AccountError>;
    /// Address of one of the plugin's own paths at the gateway, for a browser on this machine; `None` while there is no gateway.
    fn route_url(&self, plugin: &PluginId, path: &str) -> Option<String>;
    /// Sessions, newest first, at most 200.
    async fn sessions(&self, plugin: &PluginId) -> Result<Vec<SessionSummary>, WireError>;
    /// Submits an input to a session. The same key again is the same input.
    async fn submit(
        &self,
        plugin: &PluginId,
        session: &SessionId,
        text: String,
        key: Option<String>,
    ) -> Result<SessionSubmitted, WireError>;
    /// Tells clients something; the host has checked name and size.
    fn emit(&self, plugin: &PluginId, name: &str, payload: Json);
    /// Keeps a file of at most `most` bytes for the plugin, as its bytes come.
    async fn media_put(&self, plugin: &PluginId, info: NewMedia, content: Content, most: u64) -> Result<Media, MediaError>;
    /// The bytes of a file on its way.
    async fn media_read(&self, plugin: &PluginId, id: &MediaId) -> Result<Vec<u8>, MediaError>;
    /// Where the plugin's files lie.
    fn folder(&self, plugin: &PluginId, root: FilesRoot) -> Result<PathBuf, WireError>;
    /// A part's state changed.
    fn status(&self, plugin: &PluginId, part: PluginPart, status: Status);
    /// A log line of the plugin; `level` is `error`, `warn`, `info` or `debug`.
    fn log(&self, plugin: &PluginId, level: &str, message: &str);
    /// The plugin did something wrong.
    fn fault(&self, plugin: &PluginId, fault: PluginFault);
}
