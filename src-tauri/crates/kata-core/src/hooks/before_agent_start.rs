//! `before_agent_start`: add context, narrow tools, choose the model. Tools can only become fewer; the last model wins.

use super::{HookEvent, Merge};
use kata_protocol::{BeforeAgentStart, BeforeAgentStartOutcome, HookName};

impl HookEvent for BeforeAgentStart {
    const NAME: HookName = HookName::BeforeAgentStart;
    type Outcome = BeforeAgentStartOutcome;

    fn merge(&mut self, outcome: Self::Outcome) -> Merge {
        self.context.extend(outcome.add_context);
        if let Some(kept) = outcome.tools {
            self.tools.retain(|tool| kept.contains(tool));
        }
        if let Some(model) = outcome.model {
            self.model = model;
        }
        Merge::Continue
    }
}
