//! Model providers as settings and as clients see them.

use crate::Status;
use serde::{Deserialize, Serialize};

/// Wire format of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// Scripted, built in, no key: for trying the app and for tests.
    Demo,
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions; also Ollama, LM Studio and most gateways.
    OpenaiChat,
}

/// A provider the person has set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSettings {
    /// Name by which sessions refer to it.
    pub id: String,
    /// Wire format.
    pub kind: ProviderKind,
    /// Base URL; absent = the vendor's own.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Model name sent to the provider.
    pub model: String,
    /// Longest answer in tokens.
    #[serde(default)]
    pub max_tokens: Option<u32>,
}

/// A provider with how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSummary {
    /// Settings.
    pub settings: ProviderSettings,
    /// Name to show; a scripted one says so.
    pub label: String,
    /// Whether new sessions use it.
    pub default: bool,
    /// Whether a key is stored.
    pub has_key: bool,
    /// How it stands.
    pub status: Status,
}

/// A model found on this machine by first run. Nothing is spent until the person says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DetectedModel {
    /// Where it was found, in words (`ANTHROPIC_API_KEY in the environment`, `Ollama on this machine`).
    pub found: String,
    /// Settings that would use it.
    pub settings: ProviderSettings,
    /// Environment variable that holds the key, if it was found there.
    pub key_env: Option<String>,
}
