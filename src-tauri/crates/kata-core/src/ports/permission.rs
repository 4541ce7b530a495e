//! What the agent may do without asking. The core keeps the order (paths made plain, the mode judges, hooks may change or stop
//! the call, a person is asked); what a path, a command and a rule mean stands behind this port.

use async_trait::async_trait;
use kata_protocol::{AlwaysRule, PermissionMode, SessionSummary, ToolInfo, WireError, WorkspaceId};
use serde_json::Value;

/// A call whose arguments cannot be judged; the text is for the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

/// How a call stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It runs.
    Allow,
    /// A person is asked.
    Ask {
        /// Why, for the person.
        reason: String,
        /// What “always” would mean; absent where it cannot be said exactly.
        always: Option<AlwaysRule>,
    },
    /// It does not run.
    Deny {
        /// Why, for the model and the person.
        reason: String,
    },
}

/// Judges calls. A call is judged as it would run: after hooks have changed it, it is made plain and judged again.
#[async_trait]
pub trait Permissions: Send + Sync + 'static {
    /// The arguments with every path absolute, without `.`, `..` and links, as far as the tool has paths.
    async fn plain(&self, session: &SessionSummary, tool: &ToolInfo, params: Value) -> Result<Value, Unfit>;
    /// Whether plain arguments may run now, by the session's mode and the rules of its workspace.
    async fn judge(&self, session: &SessionSummary, tool: &ToolInfo, params: &Value) -> Judgement;
    /// Keeps what a person answered with “always”. Durable when it returns.
    async fn remember(&self, workspace: &WorkspaceId, rule: &AlwaysRule) -> Result<(), WireError>;
}

/// Judges by the mode alone: for tests, and for what has no rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByMode;

#[async_trait]
impl Permissions for ByMode {
    async fn plain(&self, _: &SessionSummary, _: &ToolInfo, params: Value) -> Result<Value, Unfit> {
        Ok(params)
    }
    async fn judge(&self, session: &SessionSummary, tool: &ToolInfo, _: &Value) -> Judgement {
        if tool.read_only {
            return Judgement::Allow;
        }
        match session.mode {
            PermissionMode::AllowAll => Judgement::Allow,
            PermissionMode::Ask => Judgement::Ask {
                reason: format!("“{}” may change things", tool.name),
                always: None,
            },
            PermissionMode::Safe => Judgement::Deny {
                reason: format!(
                    "“{}” may change things, and this session is in mode safe. The person can change the mode.",
                    tool.name
                ),
            },
        }
    }
    async fn remember(&self, _: &WorkspaceId, _: &AlwaysRule) -> Result<(), WireError> {
        Ok(())
    }
}
