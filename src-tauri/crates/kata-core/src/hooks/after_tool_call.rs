//! `after_tool_call`: rewrite a tool's result. Whether it failed cannot be changed.

use super::{HookEvent, Merge};
use kata_protocol::{AfterToolCall, AfterToolCallOutcome, HookName};

impl HookEvent for AfterToolCall {
    const NAME: HookName = HookName::AfterToolCall;
    type Outcome = AfterToolCallOutcome;

    fn merge(&mut self, outcome: Self::Outcome) -> Merge {
        if let Some(result) = outcome.result {
            self.result = result;
        }
        Merge::Continue
    }
}
