//! `message_sending`: rewrite or cancel a reply. Cancel is terminal; the route cannot be changed.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, MessageSending, MessageSendingOutcome};

impl HookEvent for MessageSending {
    const NAME: HookName = HookName::MessageSending;
    type Outcome = MessageSendingOutcome;

    fn merge(&mut self, outcome: Self::Outcome) -> Merge {
        if let Some(text) = outcome.text {
            self.text = text;
        }
        outcome.cancel.map_or(Merge::Continue, Merge::Stop)
    }
}
