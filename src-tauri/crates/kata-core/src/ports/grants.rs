//! What a person granted to plugins, and what happened to it. Neighbours: the engine decides with it, the store keeps it.
//!
//! Deliberately absent: what a grant allows; the plugin host holds that.

use super::StoreError;
use async_trait::async_trait;
use kata_protocol::{GrantEvent, Ms, PluginFile, PluginGrant, PluginId};

/// A grant with everything a later version is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredGrant {
    /// Plugin.
    pub plugin: PluginId,
    /// What clients see of it.
    pub grant: PluginGrant,
    /// Folder that was looked at, canonical. Development mode counts for this one only.
    pub folder: String,
    /// Files as they were.
    pub files: Vec<PluginFile>,
    /// Capabilities its manifest asked for then.
    pub declared: Vec<String>,
}

/// A signing key a person chose to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Key id, 16 hexadecimal digits.
    pub key_id: String,
    /// Public key in base64.
    pub key: String,
    /// When.
    pub remembered_at: Ms,
}

/// Grants, remembered keys, and the history of both.
#[async_trait]
pub trait GrantStore: Send + Sync + 'static {
    /// Every grant, in order of plugin.
    async fn grants(&self) -> Result<Vec<StoredGrant>, StoreError>;
    /// Keeps or replaces a plugin's grant together with what happened, in one step.
    async fn grant(&self, grant: &StoredGrant, event: &GrantEvent) -> Result<(), StoreError>;
    /// Takes a plugin's grant away together with what happened, in one step. None there is no error.
    async fn revoke(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError>;
    /// Notes what happened without touching the grant.
    async fn note(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError>;
    /// What happened to a plugin's grant, newest first. It outlives the grant; of each plugin the newest 1,000 are kept.
    async fn grant_history(&self, plugin: &PluginId, limit: u32) -> Result<Vec<GrantEvent>, StoreError>;
    /// Remembers a key; one of the same id stays as it was first remembered.
    async fn remember_signer(&self, signer: &Signer) -> Result<(), StoreError>;
    /// Forgets a key and unbinds the grants it carried, with what happened for each, in one step. Answers the plugins; `None` when
    /// there is no such key.
    async fn forget_signer(&self, key_id: &str, event: &GrantEvent) -> Result<Option<Vec<PluginId>>, StoreError>;
    /// Every remembered key, in order of id.
    async fn signers(&self) -> Result<Vec<Signer>, StoreError>;
}
