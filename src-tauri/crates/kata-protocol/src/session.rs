//! Sessions as clients see them: summaries, messages, what can be asked of one, what it says.

use crate::{CallId, Count, Json, MessageId, Ms, Real, SessionId, TurnId, WireError, WorkspaceId};
use serde::{Deserialize, Serialize};

/// What the agent may do without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionMode {
    /// Only tools that read.
    #[default]
    Safe,
    /// Asks before anything else.
    Ask,
    /// Never asks.
    AllowAll,
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Waits for input.
    #[default]
    Idle,
    /// Builds the request, runs `before_agent_start`.
    Preparing,
    /// The model answers.
    Streaming,
    /// A tool call waits for a person.
    AwaitingApproval,
    /// Tools run.
    RunningTools,
    /// Cleans up after an interrupt.
    Stopping,
    /// The last turn failed; the next input starts afresh.
    Failed,
}

/// The channel conversation a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionChannel {
    /// Plugin's channel id (`telegram`).
    pub adapter: String,
    /// Configuration the channel runs under.
    pub slug: String,
    /// Name to show.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// Token use of a session. Field names as the existing `session.jsonl` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenUsage {
    /// Tokens sent.
    pub input_tokens: Count,
    /// Tokens answered.
    pub output_tokens: Count,
    /// Both.
    pub total_tokens: Count,
    /// Tokens of the last request.
    pub context_tokens: Count,
    /// US dollars; 0 where the price is not known.
    pub cost_usd: Real,
    /// Read from the provider's cache.
    pub cache_read_tokens: Count,
    /// Written to the provider's cache.
    pub cache_creation_tokens: Count,
}

/// One row of the session list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    /// Session.
    pub id: SessionId,
    /// Workspace it lies in.
    pub workspace: WorkspaceId,
    /// Title; absent until there is one.
    pub name: Option<String>,
    /// First words.
    pub preview: Option<String>,
    /// When it began.
    pub created_at: Ms,
    /// Last message.
    pub last_message_at: Ms,
    /// Flagged by the person.
    pub flagged: bool,
    /// Status id (`todo`, …).
    pub status: Option<String>,
    /// Labels, `id` or `id::value`.
    pub labels: Vec<String>,
    /// Unread messages.
    pub unread: bool,
    /// Permission mode.
    pub mode: PermissionMode,
    /// Model, where the session fixes one.
    pub model: Option<String>,
    /// Set for sessions that belong to a channel conversation.
    pub channel: Option<SessionChannel>,
    /// Messages in the transcript.
    pub message_count: u32,
    /// Token use.
    pub usage: TokenUsage,
    /// What it is doing.
    pub state: SessionState,
    /// In the archive.
    #[serde(default)]
    pub archived: bool,
    /// Folder its tools work in; the workspace's when absent.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Agent profile.
    #[serde(default)]
    pub profile: Option<String>,
}

/// Kind of a transcript row. Names as in `session.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// A person.
    User,
    /// The agent.
    Assistant,
    /// A tool call with its result.
    Tool,
    /// A failure that ended a turn.
    Error,
    /// A note to the person.
    Info,
    /// A warning to the person.
    Warning,
    /// A plan to accept.
    Plan,
    /// A request to sign in.
    AuthRequest,
    /// A passing state; never stored.
    Status,
}

/// How a tool call stands. Names as in `session.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// Proposed.
    Pending,
    /// Runs.
    Executing,
    /// Ended well.
    Completed,
    /// Ended badly, was refused, or its outcome is unknown.
    Error,
    /// Goes on behind the turn.
    Backgrounded,
}

/// One transcript row as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Row.
    pub id: MessageId,
    /// Kind.
    pub kind: MessageKind,
    /// Text; for tools empty.
    pub content: String,
    /// When.
    pub timestamp: Option<Ms>,
    /// The turn it belongs to.
    pub turn_id: Option<String>,
    /// Text between tool calls, not the answer.
    pub intermediate: bool,
    /// Who wrote, in a channel session.
    pub sender: Option<String>,
    /// Set on `tool` rows.
    pub tool: Option<ToolCall>,
    /// Thinking text, where the model shows it.
    pub thinking: Option<String>,
    /// Files that came with it or were sent with it.
    #[serde(default)]
    pub attachments: Vec<crate::Attachment>,
}

/// A tool call as a card shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// The model's id of the call.
    pub call_id: CallId,
    /// Tool.
    pub name: String,
    /// Arguments.
    pub input: Json,
    /// Result as text, once there is one.
    pub result: Option<String>,
    /// How it stands.
    pub status: ToolStatus,
    /// Milliseconds it ran.
    pub duration_ms: Option<u32>,
}

/// What happens to input that comes while a turn runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// After the present turn.
    #[default]
    Queue,
    /// Into the present turn, between tool calls.
    Steer,
    /// Stops the present turn first.
    Interrupt,
}

/// A person's answer to a tool call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalDecision {
    /// This once.
    Once,
    /// What the approval's rule says, for the rest of the session; counts as `once` where there is no rule.
    Session,
    /// What the approval's rule says, in this workspace from now on; counts as `once` where there is no rule.
    Always,
    /// No.
    Deny,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnd {
    /// The agent answered.
    Completed,
    /// A person stopped it.
    Interrupted,
    /// It failed; an `error` row says why.
    Failed,
}

/// What a session says while it works. Deltas are for the eye and never stored; a client that missed some asks for the
/// session again. Fields are camelCase on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SessionEvent {
    /// The state changed.
    State {
        /// New state.
        state: SessionState,
    },
    /// A row was added, or replaced (same id).
    Message {
        /// The row.
        message: Message,
    },
    /// Input waits for its turn.
    Queued {
        /// Rows waiting.
        depth: u32,
    },
    /// A turn began.
    TurnStarted {
        /// Turn.
        turn: TurnId,
        /// Model as the person chose it; a scripted agent says so in its name.
        model: String,
    },
    /// Text of the row `message` grew.
    TextDelta {
        /// Row it will become.
        message: MessageId,
        /// What was added.
        text: String,
    },
    /// Thinking grew.
    ThinkingDelta {
        /// Row it will become.
        message: MessageId,
        /// What was added.
        text: String,
    },
    /// The attempt failed before anything was kept; what was shown of `message` is void.
    MessageReset {
        /// Row.
        message: MessageId,
    },
    /// The provider is asked again.
    ModelRetry {
        /// From 1.
        attempt: u32,
        /// Until the next attempt.
        wait_ms: u32,
        /// Why.
        reason: String,
    },
    /// A tool call waits for a person.
    ApprovalRequested {
        /// The call, with what is asked.
        approval: Box<crate::Approval>,
    },
    /// A person answered, or the call was withdrawn.
    ApprovalResolved {
        /// Call.
        call_id: CallId,
        /// The answer.
        decision: ApprovalDecision,
    },
    /// Token use so far.
    Usage {
        /// Totals of the session.
        usage: TokenUsage,
    },
    /// A turn ended.
    TurnEnded {
        /// Turn.
        turn: TurnId,
        /// How.
        end: TurnEnd,
        /// Set for `failed`.
        error: Option<WireError>,
    },
}
