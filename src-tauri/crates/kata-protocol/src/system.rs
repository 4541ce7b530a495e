//! The program as a whole: status, workspaces, sources, pairing, logs, the ledger.

use crate::{ChannelId, Count, Json, Ms, PluginId, ProviderSummary, SenderId, SourceId, Status, WorkspaceId};
use serde::{Deserialize, Serialize};

/// One line of health and what stands behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemStatus {
    /// Version of the program.
    pub version: String,
    /// Home folder.
    pub home: String,
    /// Port of the gateway.
    pub gateway_port: Option<u16>,
    /// Since when it runs.
    pub started_at: Ms,
    /// Milliseconds from start to ready.
    pub ready_after_ms: u32,
    /// The line at the foot of the sidebar.
    pub health: Health,
    /// The model new sessions use.
    pub model: Option<ProviderSummary>,
    /// Where secrets are kept, in words.
    pub secret_store: String,
    /// What the person should know (a file that was set aside, settings of the last good boot).
    pub notices: Vec<Notice>,
    /// Messages by state.
    pub ledger: Ledger,
    /// Whether all channels are paused.
    pub pause: crate::PauseState,
    /// Set while plugins are off because of crashes, or because somebody asked for it.
    pub safe_mode: Option<crate::SafeMode>,
}

/// Health in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Sources that run.
    pub running: u32,
    /// Sources that wait for a person.
    pub needs_user: u32,
    /// Sources that failed, back off or are quarantined.
    pub failing: u32,
    /// Sessions in the middle of a turn.
    pub busy_sessions: u32,
    /// Things that wait for the person, of every kind.
    pub waiting: u32,
    /// All channels are paused.
    pub paused: bool,
    /// `3 channels running · 1 needs you`.
    pub line: String,
}

/// Something the person should know. Shown until dismissed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Stable within a run.
    pub id: String,
    /// When.
    pub at: Ms,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Where every accepted message is. `accepted = delivered + refused + dead + pending` always holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Taken in from channels.
    pub accepted: Count,
    /// Answered, and the answer is with the platform (or the agent had nothing to say).
    pub delivered: Count,
    /// Refused by policy or a hook.
    pub refused: Count,
    /// Given up, visible with reason.
    pub dead: Count,
    /// On the way, parked ones included.
    pub pending: Count,
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceSummary {
    /// Folder name.
    pub id: WorkspaceId,
    /// Name to show.
    pub name: String,
    /// Folder.
    pub path: String,
    /// Whether it is the active one.
    pub active: bool,
    /// Statuses in order.
    pub statuses: Vec<WorkflowStatus>,
    /// Labels, flattened in order.
    pub labels: Vec<Label>,
    /// Number of sessions.
    pub session_count: u32,
}

/// A status a session can have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowStatus {
    /// Status.
    pub id: String,
    /// Name to show.
    pub label: String,
    /// Colour as in the file.
    pub color: Option<Json>,
    /// Whether it counts as closed.
    pub closed: bool,
}

/// A label a session can carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// Label.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// Depth in the tree, from 0.
    pub depth: u32,
    /// Colour as in the file.
    pub color: Option<Json>,
    /// `string`, `number` or `date` where it takes a value.
    pub value_type: Option<String>,
}

/// Kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Messages come in and go out.
    Channel,
    /// Background work of a plugin.
    Service,
    /// Model Context Protocol server.
    Mcp,
    /// HTTP API.
    Api,
    /// Folder.
    Local,
}

/// One row of the sources panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceSummary {
    /// Source.
    pub id: SourceId,
    /// Kind.
    pub kind: SourceKind,
    /// Name to show.
    pub name: String,
    /// One line.
    pub tagline: Option<String>,
    /// Emoji, URL or nothing.
    pub icon: Option<String>,
    /// Workspace it is configured in; absent for all.
    pub workspace: Option<WorkspaceId>,
    /// Plugin that provides it.
    pub plugin: Option<PluginId>,
    /// Whether the person has it switched on.
    pub enabled: bool,
    /// How it stands.
    pub status: Status,
    /// Last message or call.
    pub last_activity: Option<Ms>,
}

/// A source with everything the detail view shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceDetail {
    /// Row.
    pub summary: SourceSummary,
    /// Newest states first, at most 50.
    pub timeline: Vec<Status>,
    /// Tools it brings.
    pub tools: Vec<String>,
    /// Hook events it listens to.
    pub hooks: Vec<String>,
    /// Commands it brings.
    pub commands: Vec<String>,
    /// Capabilities it was granted.
    pub capabilities: Vec<String>,
    /// JSON Schema of its settings.
    pub settings_schema: Option<Json>,
    /// Present settings.
    pub settings: Json,
    /// Names of its secrets and whether each is set. Values never leave the engine.
    pub secrets: Vec<SecretState>,
    /// Newest log lines, at most 100.
    pub log: Vec<LogRecord>,
    /// What it uses and may use, while it runs.
    pub budget: Option<crate::SourceBudget>,
    /// Work it has planned.
    pub jobs: Vec<crate::SourceJob>,
    /// Where it is on, for a source that serves every workspace; empty for one that belongs to one.
    pub workspaces: Vec<crate::WorkspaceSwitch>,
    /// The account it is signed in with.
    pub account: Option<crate::OauthAccount>,
    /// Name of the provider it signs in at, where it does; `mcp` where an MCP server says itself where.
    pub signs_in_at: Option<String>,
}

/// A secret's name and whether it is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretState {
    /// Name.
    pub name: String,
    /// Whether a value is stored.
    pub set: bool,
}

/// One log line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogRecord {
    /// When.
    pub at: Ms,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG`, `TRACE`.
    pub level: String,
    /// Module.
    pub target: String,
    /// Plugin, where one wrote it.
    pub plugin: Option<String>,
    /// Text; no message text, no secrets.
    pub message: String,
}

/// A person who wrote to a channel and waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PairingRequest {
    /// Eight characters; the sender was told the same.
    pub code: String,
    /// Channel.
    pub channel: ChannelId,
    /// The platform's id of the person.
    pub sender: SenderId,
    /// Name to show.
    pub sender_name: Option<String>,
    /// When they wrote.
    pub requested_at: Ms,
    /// When the code ends.
    pub expires_at: Ms,
}

/// One setting and where its value comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingValue {
    /// Dotted path, `gateway.port`.
    pub path: String,
    /// Value in force.
    pub value: Json,
    /// `default`, a file, or an environment variable.
    pub from: String,
    /// How it may be changed with `settings.set`; absent where it may not, or where another operation changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<SettingRule>,
}

/// What a changeable setting may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingRule {
    /// What it is for, one sentence.
    pub doc: String,
    /// Kind of value.
    pub kind: SettingKind,
    /// Value where nothing is set; null where there is none.
    pub default: Json,
    /// It counts from the next start on.
    pub restart: bool,
}

/// Kind of value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SettingKind {
    /// `true` or `false`.
    Bool {},
    /// A whole number, bounds included.
    Number {
        /// Least.
        min: u32,
        /// Most.
        max: u32,
    },
    /// A text.
    Text {
        /// Most characters.
        most: u32,
    },
    /// Texts.
    List {
        /// Most of them.
        most: u32,
    },
}
