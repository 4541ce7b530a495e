//! Hook events: what a handler is given and what it may answer. One type pair per event; the merge rules stand in
//! `kata_core::hooks`, one file per event.

use crate::{CallId, Json, ReplyRoute, Sender, SessionChannel, SessionId, TurnEnd, TurnId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// The events a plugin can hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookName {
    /// Transform: rewrite or block an admitted message.
    MessageReceived,
    /// Transform: add context, narrow tools, choose the model.
    BeforeAgentStart,
    /// Gate: rewrite parameters, block, or ask the person. Fails closed.
    BeforeToolCall,
    /// Transform: rewrite a tool's result.
    AfterToolCall,
    /// Transform: rewrite or cancel a reply.
    MessageSending,
    /// Observe: a reply was delivered.
    MessageSent,
    /// Observe: a session got its first turn in this process.
    SessionStart,
    /// Observe: a turn ended.
    AgentEnd,
    /// Observe: a session was closed: archived, reset, or let go at shutdown.
    SessionEnd,
    /// Observe: the engine is ready.
    GatewayStart,
    /// Observe: the engine is about to drain.
    GatewayStop,
    /// Observe: the agent handed in a plan.
    PlanSubmitted,
    /// Observe: somebody is asked to sign in to a provider.
    OauthOpen,
    /// Observe: settings changed.
    ConfigChange,
}

/// How handlers of an event are run and what their answer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// Concurrent, answer ignored, 30 s, fails open.
    Observe,
    /// In order, each sees the previous answer, 15 s, fails open.
    Transform,
    /// In order, block is terminal, 15 s, fails closed.
    Gate,
}

impl HookName {
    /// Every event, in the order of a message's life.
    pub const ALL: [HookName; 14] = [
        HookName::GatewayStart,
        HookName::ConfigChange,
        HookName::MessageReceived,
        HookName::SessionStart,
        HookName::BeforeAgentStart,
        HookName::BeforeToolCall,
        HookName::AfterToolCall,
        HookName::PlanSubmitted,
        HookName::AgentEnd,
        HookName::MessageSending,
        HookName::MessageSent,
        HookName::OauthOpen,
        HookName::SessionEnd,
        HookName::GatewayStop,
    ];
    /// The event's kind.
    pub fn kind(self) -> HookKind {
        match self {
            Self::MessageReceived | Self::BeforeAgentStart | Self::AfterToolCall | Self::MessageSending => HookKind::Transform,
            Self::BeforeToolCall => HookKind::Gate,
            Self::MessageSent
            | Self::SessionStart
            | Self::SessionEnd
            | Self::AgentEnd
            | Self::GatewayStart
            | Self::GatewayStop
            | Self::PlanSubmitted
            | Self::OauthOpen
            | Self::ConfigChange => HookKind::Observe,
        }
    }
    /// Name as a plugin writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageReceived => "message_received",
            Self::BeforeAgentStart => "before_agent_start",
            Self::BeforeToolCall => "before_tool_call",
            Self::AfterToolCall => "after_tool_call",
            Self::MessageSending => "message_sending",
            Self::MessageSent => "message_sent",
            Self::SessionStart => "session_start",
            Self::AgentEnd => "agent_end",
            Self::SessionEnd => "session_end",
            Self::GatewayStart => "gateway_start",
            Self::GatewayStop => "gateway_stop",
            Self::PlanSubmitted => "plan_submitted",
            Self::OauthOpen => "oauth_open",
            Self::ConfigChange => "config_change",
        }
    }
}

/// `message_received`: an admitted and routed message, or input from a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReceived {
    /// Session it goes to.
    pub session: SessionId,
    /// Text.
    pub text: String,
    /// Who wrote; absent for the desktop and the CLI.
    pub sender: Option<Sender>,
    /// Channel; absent for the desktop and the CLI.
    pub channel: Option<SessionChannel>,
}

/// Answer to `message_received`; absent fields change nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MessageReceivedOutcome {
    /// New text.
    pub text: Option<String>,
    /// Blocks the message; the reason is shown and counted.
    pub block: Option<String>,
}

/// `before_agent_start`: a turn is about to ask the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeforeAgentStart {
    /// Session.
    pub session: SessionId,
    /// Turn.
    pub turn: TurnId,
    /// Model that will be asked.
    pub model: String,
    /// Names of the tools on offer.
    pub tools: Vec<String>,
    /// Extra context so far.
    pub context: Vec<String>,
}

/// Answer to `before_agent_start`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BeforeAgentStartOutcome {
    /// Adds one piece of context for this turn.
    pub add_context: Option<String>,
    /// Keeps only these tools (intersected with what is on offer).
    pub tools: Option<Vec<String>>,
    /// Asks another model this turn.
    pub model: Option<String>,
}

/// `before_tool_call`: a tool call is about to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeforeToolCall {
    /// Session.
    pub session: SessionId,
    /// Turn.
    pub turn: TurnId,
    /// Call.
    pub call_id: CallId,
    /// Tool.
    pub tool: String,
    /// Arguments.
    pub params: Json,
}

/// Answer to `before_tool_call`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BeforeToolCallOutcome {
    /// New arguments.
    pub params: Option<Json>,
    /// Blocks the call; the model is told the reason.
    pub block: Option<String>,
    /// Asks the person, with this reason.
    pub ask: Option<String>,
}

/// `after_tool_call`: a tool ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AfterToolCall {
    /// Session.
    pub session: SessionId,
    /// Turn.
    pub turn: TurnId,
    /// Call.
    pub call_id: CallId,
    /// Tool.
    pub tool: String,
    /// Result text as the model will see it.
    pub result: String,
    /// Whether the tool failed.
    pub is_error: bool,
}

/// Answer to `after_tool_call`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AfterToolCallOutcome {
    /// New result text.
    pub result: Option<String>,
}

/// `message_sending`: a reply is about to be queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSending {
    /// Session that answers.
    pub session: SessionId,
    /// Text.
    pub text: String,
    /// Where it goes. A hook cannot change it. Absent for the desktop and the CLI.
    pub route: Option<ReplyRoute>,
}

/// Answer to `message_sending`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MessageSendingOutcome {
    /// New text.
    pub text: Option<String>,
    /// Cancels the reply; the reason is shown and counted.
    pub cancel: Option<String>,
}

/// `message_sent`: the platform has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSent {
    /// Session that answered.
    pub session: SessionId,
    /// Where it went.
    pub route: Option<ReplyRoute>,
    /// Parts it took.
    pub parts: u32,
}

/// `session_start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionStart {
    /// Session.
    pub session: SessionId,
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Whether it was loaded from disk.
    pub resumed: bool,
}

/// `agent_end`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentEnd {
    /// Session.
    pub session: SessionId,
    /// Turn.
    pub turn: TurnId,
    /// How.
    pub end: TurnEnd,
}

/// `session_end`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnd {
    /// Session.
    pub session: SessionId,
    /// Why.
    pub reason: SessionEndReason,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEndReason {
    /// Nobody wrote for a while and it was let go from memory; it goes on with the next message.
    Idle,
    /// A new session took its place in the conversation.
    Reset,
    /// A person put it away.
    Archived,
    /// The engine stops.
    Shutdown,
}

/// `gateway_start`: the engine takes messages now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStart {
    /// Version of the app.
    pub version: String,
}

/// `gateway_stop`: the engine drains and ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStop {
    /// Milliseconds until it ends whatever happens.
    pub deadline_ms: u32,
}

/// `plan_submitted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanSubmitted {
    /// Session.
    pub session: SessionId,
    /// Markdown.
    pub plan: String,
}

/// `oauth_open`. Carries no address: it would hold the state of the sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthOpen {
    /// Provider.
    pub provider: String,
    /// Scopes asked for.
    pub scopes: Vec<String>,
}

/// `config_change`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigChange {
    /// Settings that have another value now, as dotted paths without their values.
    pub keys: Vec<String>,
}
