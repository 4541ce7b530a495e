//! What the agent may do without asking, and the calls that wait for a person. One order for every call: its paths are made
//! plain, the mode judges, hooks may change or stop it, a person is asked. See `kata_core::ports::Permissions`.

use crate::{CallId, ChannelId, Json, Ms, PermissionMode, SessionId, ToolCall, TurnId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// How a call is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermissionOutcome {
    /// Runs.
    Allow,
    /// A person is asked.
    Ask,
    /// Does not run; the model is told why.
    Deny,
}

/// A rule that a person made by answering “always”.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlwaysRule {
    /// Tool.
    pub tool: String,
    /// For `bash`: the words a command must begin with, compared word by word. Empty for other tools.
    #[serde(default)]
    pub prefix: Vec<String>,
    /// For tools on files: the folder it is for, without links. Absent for other tools.
    #[serde(default)]
    pub folder: Option<String>,
}

/// A call that waits for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Short code for answering it in a channel or on a command line, 6 letters and digits.
    pub code: String,
    /// Session.
    pub session: SessionId,
    /// Title of the session.
    pub session_name: Option<String>,
    /// Turn.
    pub turn: TurnId,
    /// The call as it would run.
    pub call: ToolCall,
    /// Who asks for it and why.
    pub reason: String,
    /// What “always” would allow from now on; absent where it cannot be said exactly.
    pub always: Option<AlwaysRule>,
    /// Channel the question came from.
    pub channel: Option<ChannelId>,
    /// When it was asked.
    pub requested_at: Ms,
    /// When it counts as refused.
    pub expires_at: Ms,
}

/// `approval.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalList {
    /// Only this session.
    pub session: Option<SessionId>,
}

/// `approval.answer`: by code, from wherever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalAnswer {
    /// Code.
    pub code: String,
    /// Answer.
    pub decision: crate::ApprovalDecision,
}

/// What was answered last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalOutcome {
    /// Session.
    pub session: SessionId,
    /// Call.
    pub call_id: CallId,
    /// The one answer that counts; somebody else's where they were first.
    pub decision: crate::ApprovalDecision,
    /// Whether this very answer was the one.
    pub first: bool,
}

/// A rule in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionRule {
    /// The rule, as one line.
    pub text: String,
    /// File it stands in, or `always` for a person's answer.
    pub from: String,
    /// What it is about: `bash`, `mcp`, `api`, `write`, `tool`, `blocked`.
    pub about: String,
    /// Set for rules that can be taken back here.
    pub always: Option<AlwaysRule>,
    /// Set where the rule cannot be used: what is wrong with it.
    pub problem: Option<String>,
}

/// Names a workspace's permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionList {
    /// Workspace; the default one when absent.
    pub workspace: Option<WorkspaceId>,
}

/// What a workspace's sessions may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionState {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Mode of new sessions.
    pub mode: PermissionMode,
    /// Rules, in the order they are looked at.
    pub rules: Vec<PermissionRule>,
    /// How commands are shut in on this machine: `bubblewrap`, `landlock`, `sandbox-exec`, or why they are not.
    pub sandbox: String,
}

/// `permission.forget`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionForget {
    /// Workspace; the default one when absent.
    pub workspace: Option<WorkspaceId>,
    /// The rule.
    pub rule: AlwaysRule,
}

/// `permission.explain`: how a call would be judged. Nothing runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionExplain {
    /// Session whose mode and folder count.
    pub session: Option<SessionId>,
    /// Workspace, where no session is named; the default one when absent.
    pub workspace: Option<WorkspaceId>,
    /// Mode; the session's or the workspace's when absent.
    pub mode: Option<PermissionMode>,
    /// Tool.
    pub tool: String,
    /// Arguments.
    pub params: Json,
}

/// How a call is judged and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionExplanation {
    /// Outcome.
    pub outcome: PermissionOutcome,
    /// Why, in a sentence.
    pub reason: String,
    /// Arguments with paths made plain.
    pub params: Json,
    /// What “always” would allow.
    pub always: Option<AlwaysRule>,
}
