//! Tool calls that wait for a person, over all sessions, so that they are found without reading any session; and the answers
//! given last, so that a late one learns whose counted. The store decides which of two answers was first.

use super::StoreError;
use async_trait::async_trait;
use kata_protocol::{Approval, ApprovalDecision, CallId, Ms, ReplyRoute, SessionId};

/// Answers that are remembered.
pub const KEPT_ANSWERS: u32 = 256;

/// A call that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingApproval {
    /// What is asked.
    pub approval: Approval,
    /// The conversation that asked, for a channel's turn.
    pub route: Option<ReplyRoute>,
}

/// A call that was answered, has expired or was withdrawn. Its arguments are not kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledApproval {
    /// Code.
    pub code: String,
    /// Session.
    pub session: SessionId,
    /// Call.
    pub call_id: CallId,
    /// The answer that counts.
    pub decision: ApprovalDecision,
    /// When.
    pub at: Ms,
    /// Nobody had answered in time.
    pub expired: bool,
    /// The conversation that had asked, for a channel's turn.
    pub route: Option<ReplyRoute>,
    /// Who answered, as a name to show, where that was in a channel.
    pub by: Option<String>,
}

/// How an approval stands.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalRow {
    /// It waits.
    Waiting(Box<WaitingApproval>),
    /// It is over.
    Settled(Box<SettledApproval>),
}

/// Approvals of all sessions.
#[async_trait]
pub trait ApprovalStore: Send + Sync + 'static {
    /// Keeps a call that waits. What is there under its code stands; `false` when that belongs to another call.
    async fn ask(&self, waiting: &WaitingApproval) -> Result<bool, StoreError>;
    /// One, by its code.
    async fn approval(&self, code: &str) -> Result<Option<ApprovalRow>, StoreError>;
    /// The newest one of a call.
    async fn approval_of(&self, session: &SessionId, call: &CallId) -> Result<Option<ApprovalRow>, StoreError>;
    /// Those that wait, oldest first.
    async fn waiting_approvals(&self) -> Result<Vec<WaitingApproval>, StoreError>;
    /// Answers one, in the name of `by`: the first answer stands, and `true` says that it is this one. `None` when the code is
    /// unknown. It counts as expired when `now` is not before its end. Only the newest [`KEPT_ANSWERS`] answers are kept.
    async fn settle(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
        now: Ms,
    ) -> Result<Option<(SettledApproval, bool)>, StoreError>;
}
