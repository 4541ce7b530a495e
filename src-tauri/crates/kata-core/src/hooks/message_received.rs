//! `message_received`: rewrite or block an admitted message. Block is terminal; a rewrite is seen by the next handler.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, MessageReceived, MessageReceivedOutcome};

impl HookEvent for MessageReceived {
    const NAME: HookName = HookName::MessageReceived;
    type Outcome = MessageReceivedOutcome;

    fn merge(&mut self, outcome: Self::Outcome) -> Merge {
        if let Some(text) = outcome.text {
            self.text = text;
        }
        outcome.block.map_or(Merge::Continue, Merge::Stop)
    }
}
