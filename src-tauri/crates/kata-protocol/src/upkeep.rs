//! Keeping the house in order: what became of messages that did not get through, search, tidying up of sessions, what is traced,
//! and the order of hooks.

use crate::{ChannelId, HookName, MessageId, MessageKind, Ms, PluginId, PluginOrigin, SessionId, SessionSummary, TraceId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// Why a letter lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// A message came in and was given up.
    InboundDead,
    /// A reply was given up.
    OutboundDead,
    /// Nobody knows whether the reply left, and the platform cannot tell.
    OutboundParked,
}

/// A message that did not get through. A person decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// Name, `in-7` or `out-7`.
    pub id: String,
    /// Why it lies here.
    pub state: LetterState,
    /// Channel.
    pub channel: ChannelId,
    /// Conversation to show: its name or its id.
    pub conversation: String,
    /// Session.
    pub session: Option<SessionId>,
    /// First 500 characters.
    pub preview: String,
    /// What went wrong last.
    pub error: Option<String>,
    /// Sends that were tried.
    pub attempts: u32,
    /// When it came in or was written.
    pub at: Ms,
}

/// Names a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LetterRef {
    /// Name.
    pub id: String,
}

/// `session.search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionSearch {
    /// Words; all must be in one message. `"in quotes"` keeps words together, a `*` at the end of a word takes its beginnings.
    pub query: String,
    /// Only this workspace.
    pub workspace: Option<WorkspaceId>,
    /// At most this many hits, best first; 50 when absent, 200 at most.
    pub limit: Option<u32>,
}

/// A message that has the words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// Session.
    pub session: SessionSummary,
    /// Message.
    pub message: MessageId,
    /// Kind of message.
    pub kind: MessageKind,
    /// When.
    pub at: Option<Ms>,
    /// Text around the words; each found word between U+2068 and U+2069.
    pub snippet: String,
}

/// Answer of `session.search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchPage {
    /// Hits, best first.
    pub hits: Vec<SearchHit>,
    /// Sessions that are not in the index yet.
    pub waiting: u32,
}

/// A kind of session that is tidied up alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionClass {
    /// Begun in the window or by a client.
    Desktop,
    /// A channel's direct conversation.
    Direct,
    /// A channel's group.
    Group,
    /// A thread in a channel.
    Thread,
}

/// Rules of one class. An absent rule does nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ClassRules {
    /// A channel conversation that was silent this long begins a new session with its next message, minutes.
    pub reset_after_minutes: Option<u32>,
    /// It begins a new one after this time of day, `HH:MM` on this machine's clock.
    pub reset_daily_at: Option<String>,
    /// Archived after this many days without a message.
    pub archive_after_days: Option<u32>,
    /// At most this many that are not archived; the ones silent longest are archived.
    pub most: Option<u32>,
}

/// Rules of every class. Flagged sessions and those at work are left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HygieneRules {
    /// Sessions of the window and of clients.
    pub desktop: ClassRules,
    /// Direct conversations.
    pub direct: ClassRules,
    /// Groups.
    pub group: ClassRules,
    /// Threads.
    pub thread: ClassRules,
    /// Archived sessions are deleted after this many days; never when absent.
    pub delete_archived_after_days: Option<u32>,
}

/// What would happen to one session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HygieneStep {
    /// Session.
    pub session: SessionSummary,
    /// Class.
    pub class: SessionClass,
    /// What.
    pub action: HygieneAction,
    /// By which rule, in a sentence.
    pub reason: String,
}

/// What tidying up does to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HygieneAction {
    /// Out of the list, kept.
    Archive,
    /// Its folder is deleted.
    Delete,
}

/// `hygiene.preview` and `hygiene.run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HygienePlan {
    /// Steps, at most 1,000 at a time.
    pub steps: Vec<HygieneStep>,
    /// Sessions looked at.
    pub looked_at: u32,
}

/// `hygiene.preview`, with rules that are not in force yet where some are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HygienePreview {
    /// Rules; the present ones when absent.
    pub rules: Option<HygieneRules>,
}

/// `session.archive`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionArchive {
    /// Session.
    pub id: SessionId,
    /// Into the archive or out of it.
    pub archived: bool,
}

/// Answer of `index.rebuild`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IndexRebuilt {
    /// Sessions found on disk.
    pub sessions: u32,
    /// Session keys found in their headers.
    pub keys: u32,
}

/// What is traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TraceRules {
    /// Workspaces whose messages leave no trace.
    pub off: Vec<WorkspaceId>,
    /// Regular expressions (RE2); what they find in a diff or a note is replaced by `[redacted]`. At most 32.
    pub redact: Vec<String>,
    /// JSON pointers whose values never stand in a diff (`/params/password`). At most 32.
    pub redact_fields: Vec<String>,
    /// Traces kept, 100 to 100,000.
    pub keep: u32,
    /// OpenTelemetry collector that gets every trace over OTLP/HTTP, `http://127.0.0.1:4318`; none when absent.
    pub otlp: Option<String>,
}

impl Default for TraceRules {
    fn default() -> Self {
        Self {
            off: Vec::new(),
            redact: Vec::new(),
            redact_fields: Vec::new(),
            keep: 2_000,
            otlp: None,
        }
    }
}

/// A trace rule set with how the export stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceState {
    /// Rules in force.
    pub rules: TraceRules,
    /// Traces kept now.
    pub kept: u32,
    /// Traces exported since the start.
    pub exported: u32,
    /// Traces that could not be exported since the start, and the last reason.
    pub failed: u32,
    /// Last reason.
    pub error: Option<String>,
}

/// One handler at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookSlot {
    /// Plugin.
    pub plugin: PluginId,
    /// Where it was found.
    pub origin: PluginOrigin,
    /// Priority it asked for.
    pub priority: i32,
    /// Milliseconds it may take.
    pub timeout_ms: u32,
    /// Why it stands here and not before its neighbour above, in a sentence.
    pub why: String,
    /// Calls, failures and timeouts since the start.
    pub calls: u32,
    /// Failures and timeouts.
    pub failures: u32,
}

/// One event with its handlers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookEvent {
    /// Event.
    pub event: HookName,
    /// `observe`, `transform` or `gate`.
    pub kind: String,
    /// Rule of merging and failure, in a sentence.
    pub rule: String,
    /// Handlers in the order they run; for `observe` all at once.
    pub handlers: Vec<HookSlot>,
}

/// `trace.report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceReport {
    /// Trace.
    pub id: TraceId,
    /// Markdown, for a bug report: no message text, no secrets.
    pub text: String,
}
