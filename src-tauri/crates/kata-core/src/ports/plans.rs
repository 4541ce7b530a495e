//! Plans that wait for a person, over all sessions, so that they are found without reading any session; and the newest answers. The
//! store decides which of two answers was first, and remembers which of them their agents were not told yet.

use super::StoreError;
use async_trait::async_trait;
use kata_protocol::{MessageId, Ms, Plan, PlanDecision};

/// Answered plans that are remembered.
pub const KEPT_PLANS: u32 = 256;

/// A plan that was answered, or whose place a newer one of its session has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredPlan {
    /// Plan.
    pub plan: Plan,
    /// The answer that counts; absent when a newer plan took its place.
    pub decision: Option<PlanDecision>,
    /// What should be different, for a refinement.
    pub text: Option<String>,
    /// The agent has it.
    pub told: bool,
}

/// Plans of all sessions.
#[async_trait]
pub trait PlanStore: Send + Sync + 'static {
    /// Keeps a plan that waits. One of the same session that waits has its place taken.
    async fn hand_in(&self, plan: &Plan) -> Result<(), StoreError>;
    /// Those that wait, oldest first.
    async fn waiting_plans(&self) -> Result<Vec<Plan>, StoreError>;
    /// Answers one: the first answer stands, and `true` says that it is this one. `None` when there is no such plan. Of answered ones
    /// whose agents were told, the newest [`KEPT_PLANS`] are kept.
    async fn answer_plan(
        &self,
        id: &MessageId,
        decision: PlanDecision,
        text: Option<&str>,
        now: Ms,
    ) -> Result<Option<(AnsweredPlan, bool)>, StoreError>;
    /// Answered ones whose agents were not told, oldest first.
    async fn untold_plans(&self) -> Result<Vec<AnsweredPlan>, StoreError>;
    /// The agent was told.
    async fn plan_told(&self, id: &MessageId) -> Result<(), StoreError>;
}
