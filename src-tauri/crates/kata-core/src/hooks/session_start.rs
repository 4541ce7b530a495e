//! `session_start`: a session got its first turn in this process. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, SessionStart};
use serde::de::IgnoredAny;

impl HookEvent for SessionStart {
    const NAME: HookName = HookName::SessionStart;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
