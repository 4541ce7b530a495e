//! `session_end`: a session was let go. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, SessionEnd};
use serde::de::IgnoredAny;

impl HookEvent for SessionEnd {
    const NAME: HookName = HookName::SessionEnd;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
