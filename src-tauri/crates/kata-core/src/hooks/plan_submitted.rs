//! `plan_submitted`: the agent handed in a plan. Sent by `session/plans` once the plan waits. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, PlanSubmitted};
use serde::de::IgnoredAny;

impl HookEvent for PlanSubmitted {
    const NAME: HookName = HookName::PlanSubmitted;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
