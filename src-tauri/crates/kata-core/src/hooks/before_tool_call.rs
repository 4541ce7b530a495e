//! `before_tool_call`: rewrite parameters, block, or ask a person. Block is terminal and a handler that fails blocks.

use super::{HookEvent, Merge};
use kata_protocol::{BeforeToolCall, BeforeToolCallOutcome, HookName};

impl HookEvent for BeforeToolCall {
    const NAME: HookName = HookName::BeforeToolCall;
    type Outcome = BeforeToolCallOutcome;

    fn merge(&mut self, outcome: Self::Outcome) -> Merge {
        if let Some(params) = outcome.params {
            self.params = params;
        }
        match (outcome.block, outcome.ask) {
            (Some(reason), _) => Merge::Stop(reason),
            (None, Some(reason)) => Merge::Ask(reason),
            (None, None) => Merge::Continue,
        }
    }
}
