//! `gateway_start`: the engine is ready, and the plugins that start with it are up. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{GatewayStart, HookName};
use serde::de::IgnoredAny;

impl HookEvent for GatewayStart {
    const NAME: HookName = HookName::GatewayStart;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
