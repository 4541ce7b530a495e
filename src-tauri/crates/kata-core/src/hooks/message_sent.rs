//! `message_sent`: the platform has the reply. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, MessageSent};
use serde::de::IgnoredAny;

impl HookEvent for MessageSent {
    const NAME: HookName = HookName::MessageSent;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
