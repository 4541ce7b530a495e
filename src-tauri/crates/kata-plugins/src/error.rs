//! Why a plugin could not be brought up.

use kata_protocol::PluginId;

/// Why a plugin was not activated, or not reloaded (the version before goes on serving then).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Its entry module is not there or is outside its folder.
    #[error("plugin “{plugin}”: {reason}")]
    Entry {
        /// Plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
    },
    /// It threw, looped or timed out while it was loaded or registered; the reason has the author's position.
    #[error("plugin “{plugin}” could not be loaded: {reason}")]
    Load {
        /// Plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
    },
    /// It registers what another plugin provides.
    #[error("plugin “{plugin}”: {reason}")]
    Conflict {
        /// Plugin.
        plugin: PluginId,
        /// What, and by whom.
        reason: String,
    },
    /// Its settings do not fit its own schema.
    #[error("plugin “{plugin}”: settings{field}: {reason}")]
    Settings {
        /// Plugin.
        plugin: PluginId,
        /// JSON pointer.
        field: String,
        /// Why.
        reason: String,
    },
    /// The host cannot make HTTP clients.
    #[error("the network is not available: {0}")]
    Network(String),
}
