//! Traces: what happened to one message at each gate, and how long it took.

use crate::{Json, Ms, SessionId, TraceId};
use serde::{Deserialize, Serialize};

/// A gate a message passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Admitted or refused, and durable.
    Ingress,
    /// Session key and session.
    Router,
    /// A hook handler.
    Hook,
    /// Waited for its turn.
    Mailbox,
    /// The model.
    Model,
    /// A tool.
    Tool,
    /// Durable reply.
    Outbox,
    /// Delivery by the plugin.
    Send,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Passed unchanged.
    Ok,
    /// Passed, changed; see `diff`.
    Changed,
    /// Blocked, cancelled or refused.
    Blocked,
    /// Failed.
    Error,
    /// Took too long.
    Timeout,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TraceStep {
    /// Gate.
    pub gate: Gate,
    /// What exactly: hook event, tool name, model.
    pub label: String,
    /// Plugin that acted.
    pub plugin: Option<String>,
    /// Microseconds after the trace began.
    pub start_us: u32,
    /// Microseconds it took.
    pub duration_us: u32,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Reason, where it did not pass.
    pub note: Option<String>,
    /// RFC 6902 patch, where it changed something.
    pub diff: Option<Json>,
}

/// One message's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// Trace.
    pub id: TraceId,
    /// When the message came in.
    pub started_at: Ms,
    /// Where from: a channel id, `desktop`, `cli`.
    pub origin: String,
    /// Session it went to.
    pub session: Option<SessionId>,
    /// Steps in order.
    pub steps: Vec<TraceStep>,
    /// Whether the message has reached a terminal state.
    pub done: bool,
}
