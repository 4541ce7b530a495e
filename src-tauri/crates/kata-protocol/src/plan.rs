//! Plans: what an agent means to do, handed in and waiting for a person. See `kata_core::ports::PlanStore`.

use crate::{ChannelId, MessageId, Ms, SessionId};
use serde::{Deserialize, Serialize};

/// A plan that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its row in the transcript.
    pub id: MessageId,
    /// Session.
    pub session: SessionId,
    /// Title of the session.
    pub session_name: Option<String>,
    /// What it is about, one line.
    pub title: String,
    /// Markdown, as the agent wrote it.
    pub plan: String,
    /// Its file, from the session's folder: `plans/….md`.
    pub path: String,
    /// Channel it was asked for in. Such a plan is accepted in the window or by `kata plans` only, and never with mode `allow-all`.
    pub channel: Option<ChannelId>,
    /// When.
    pub submitted_at: Ms,
}

/// A person's answer to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanDecision {
    /// It is carried out; a session in mode `safe` goes to `ask`.
    Accept,
    /// It is carried out in mode `allow-all`.
    AcceptAll,
    /// The agent is told what should be different, in the mode it has.
    Refine,
}

/// `plan.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanList {
    /// Only this session.
    pub session: Option<SessionId>,
}

/// `plan.answer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanAnswer {
    /// Plan.
    pub id: MessageId,
    /// Answer.
    pub decision: PlanDecision,
    /// What should be different; with `refine`, and only then.
    pub text: Option<String>,
}

/// What counts: the first answer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanOutcome {
    /// Plan.
    pub id: MessageId,
    /// Its session.
    pub session: SessionId,
    /// The answer that counts; absent when a newer plan had taken its place.
    pub decision: Option<PlanDecision>,
    /// Whether it is this one.
    pub first: bool,
}
