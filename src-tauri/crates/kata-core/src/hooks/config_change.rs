//! `config_change`: settings have other values; their keys are told, their values never. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{ConfigChange, HookName};
use serde::de::IgnoredAny;

impl HookEvent for ConfigChange {
    const NAME: HookName = HookName::ConfigChange;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
