//! What the plugin host needs from the engine, so that floor 2 knows neither the store nor the secrets.

use async_trait::async_trait;
use kata_protocol::{ChannelId, InboundDraft, IngressAnswer, Json, PluginFault, PluginId, Status, WireError};

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

/// What plugins ask of the engine. Every call names the plugin; the host has already checked its capabilities.
#[async_trait]
pub trait PluginBackend: Send + Sync + 'static {
    /// A channel hands a message in. Resolves when it is durable, or refused.
    async fn ingest(&self, plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError>;
    /// Reads the plugin's key-value state.
    async fn state_get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, WireError>;
    /// Writes (durably) or, with `None`, removes.
    async fn state_set(&self, plugin: &PluginId, key: &str, value: Option<Json>) -> Result<(), WireError>;
    /// A secret of the plugin, as the person stored it.
    async fn secret(&self, plugin: &PluginId, name: &str) -> Result<Option<String>, WireError>;
    /// A part's state changed.
    fn status(&self, plugin: &PluginId, part: PluginPart, status: Status);
    /// A log line of the plugin; `level` is `error`, `warn`, `info` or `debug`.
    fn log(&self, plugin: &PluginId, level: &str, message: &str);
    /// The plugin did something wrong.
    fn fault(&self, plugin: &PluginId, fault: PluginFault);
}
