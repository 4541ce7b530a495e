//! `agent_end`: a turn ended. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{AgentEnd, HookName};
use serde::de::IgnoredAny;

impl HookEvent for AgentEnd {
    const NAME: HookName = HookName::AgentEnd;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
