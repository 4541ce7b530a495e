//! Plugins: the manifest an author writes, and what clients see of a plugin.

use crate::{ChannelCapabilities, Count, HookName, Json, Ms, PluginId, Status, TrustState, WorkspaceId};
use serde::{Deserialize, Serialize};

/// `kata-plugin.json`, or the `kata-agents` field of `package.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginManifest {
    /// For editors; ignored.
    #[serde(default, rename = "$schema")]
    pub schema: Option<String>,
    /// `[a-z0-9-]+`.
    pub id: PluginId,
    /// Name to show.
    pub name: String,
    /// Version.
    pub version: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// Emoji or file in the folder.
    #[serde(default)]
    pub icon: Option<String>,
    /// Major version of the plugin API: `"1"`.
    pub api: String,
    /// Module to load; default `index.ts`, then `index.js`.
    #[serde(default)]
    pub main: Option<String>,
    /// What the module registers; anything else it registers is refused.
    #[serde(default)]
    pub contributes: Contributes,
    /// What it may reach, e.g. `net:api.telegram.org`, `secret:botToken`, `hooks:conversation`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// JSON Schema of its settings; the window draws a form from it.
    #[serde(default)]
    pub settings: Option<Json>,
    /// Limits below the host's own.
    #[serde(default)]
    pub limits: PluginLimits,
}

/// What a plugin registers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Contributes {
    /// Tool names.
    pub tools: Vec<String>,
    /// Hook events.
    pub hooks: Vec<HookName>,
    /// Channel ids.
    pub channels: Vec<String>,
    /// Service ids.
    pub services: Vec<String>,
    /// Command names.
    pub commands: Vec<String>,
    /// Paths below `/hooks/<plugin>/` of the gateway.
    pub routes: Vec<String>,
}

/// Limits a manifest may lower.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginLimits {
    /// JavaScript heap in MiB.
    pub memory_mb: Option<u32>,
    /// CPU milliseconds per minute.
    pub cpu_ms_per_minute: Option<u32>,
    /// HTTP requests and sockets per minute.
    pub requests_per_minute: Option<u32>,
    /// HTTP requests and sockets per day, from midnight UTC.
    pub requests_per_day: Option<u32>,
    /// Times timers and schedules may wake the plugin per minute.
    pub wakeups_per_minute: Option<u32>,
}

/// Where a plugin was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PluginOrigin {
    /// Shipped with the app.
    Bundled,
    /// `extensions/` of the home.
    Global,
    /// `extensions/` of a workspace.
    Workspace,
    /// A program of its own that joined over the gateway.
    Gateway,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSummary {
    /// Plugin.
    pub id: PluginId,
    /// Name to show.
    pub name: String,
    /// Version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Where it was found.
    pub origin: PluginOrigin,
    /// Workspace whose folder it is in; absent for bundled and global ones.
    pub workspace: Option<WorkspaceId>,
    /// Folder.
    pub path: String,
    /// Whether a person has looked at these very files and granted what they may do.
    pub trust: TrustState,
    /// Whether the person has it switched on.
    pub enabled: bool,
    /// How it stands.
    pub status: Status,
    /// What it declares.
    pub contributes: Contributes,
    /// What it may reach.
    pub capabilities: Vec<String>,
    /// Loads since start; a reload adds one.
    pub generation: u32,
    /// Use of its budget.
    pub usage: PluginUsage,
    /// Newest faults, at most 20.
    pub faults: Vec<PluginFault>,
    /// The connection that brought it, where it came over the gateway and is there now.
    #[serde(default)]
    pub client: Option<crate::ExternalClient>,
}

/// What a plugin uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginUsage {
    /// JavaScript heap in bytes.
    pub memory_bytes: Count,
    /// CPU in the last full minute, milliseconds.
    pub cpu_ms_last_minute: u32,
    /// Live timers.
    pub timers: u32,
    /// Host calls in flight.
    pub calls_in_flight: u32,
    /// Open WebSockets.
    pub sockets: u32,
    /// Calls that wait for the plugin.
    pub queue_depth: u32,
    /// HTTP requests and sockets begun in the last full minute.
    pub requests_last_minute: u32,
    /// Log lines dropped in the last full minute, because there were too many.
    pub log_lines_dropped: u32,
    /// Restarts after a fault since the app started.
    pub restarts: u32,
}

/// One thing a plugin did wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginFault {
    /// When.
    pub at: Ms,
    /// Short reason: `throw`, `timeout`, `memory`, `stack`, `cpu`, `unhandled_rejection`, `bad_result`, `load`.
    pub kind: String,
    /// Message, with the position where there is one.
    pub message: String,
    /// Where in the author's source.
    pub position: Option<SourcePosition>,
}

/// A place in an author's source, as they wrote it (TypeScript, not what it was turned into).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourcePosition {
    /// File, from the plugin's folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// One channel a plugin registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelInfo {
    /// Channel id.
    pub id: String,
    /// Name to show.
    pub label: String,
    /// What it can do.
    pub capabilities: ChannelCapabilities,
}

/// A tool on offer to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolInfo {
    /// Name the model calls.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Json,
    /// Whether it only reads; allowed in mode `safe`.
    pub read_only: bool,
    /// Plugin it comes from; absent for built-in tools.
    pub plugin: Option<PluginId>,
    /// Source it comes from, where one brings it; it comes and goes with that source.
    #[serde(default)]
    pub source: Option<crate::SourceId>,
}
