//! `gateway_stop`: the engine drains. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{GatewayStop, HookName};
use serde::de::IgnoredAny;

impl HookEvent for GatewayStop {
    const NAME: HookName = HookName::GatewayStop;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
