//! `oauth_open`: somebody is asked to sign in. Observed only; the answer is ignored.

use super::{HookEvent, Merge};
use kata_protocol::{HookName, OauthOpen};
use serde::de::IgnoredAny;

impl HookEvent for OauthOpen {
    const NAME: HookName = HookName::OauthOpen;
    type Outcome = IgnoredAny;

    fn merge(&mut self, _: Self::Outcome) -> Merge {
        Merge::Continue
    }
}
