//! One state type for everything that runs: channels, services, plugins, sources, models, the gateway.

use crate::Ms;
use serde::{Deserialize, Serialize};

/// What a person can do to mend a state; the panel draws a button from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum UserAction {
    /// Fill in settings or a secret; `field` names what is missing.
    Configure {
        /// Setting or secret that is missing.
        field: String,
    },
    /// Look at a plugin's capabilities and grant them.
    Trust,
    /// Sign in again.
    Relogin,
    /// Approve or refuse a person who wrote.
    Pair,
    /// Choose a model.
    AddModel,
}

/// Where a thing stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunState {
    /// Not running, on purpose.
    Stopped,
    /// Being brought up.
    Starting,
    /// Up, but not yet talking to the other side.
    Connecting,
    /// Works.
    Running,
    /// Works, with something wrong.
    Degraded,
    /// Failed; tries again by itself.
    Backoff {
        /// How often it has tried, from 1.
        attempt: u32,
        /// When it tries next.
        until: Ms,
    },
    /// Waits for a person.
    NeedsUser {
        /// What the person can do.
        action: UserAction,
    },
    /// Failed and does not try again by itself.
    Failed {
        /// Whether a restart by hand can help.
        recoverable: bool,
    },
    /// Too many faults; held back until the cool-down ends or a person restarts it.
    Quarantined {
        /// When the cool-down ends.
        until: Ms,
    },
    /// Being brought down.
    Stopping,
}

/// A state with its reason. `code` is stable and short; `message` is for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
pub struct Status {
    /// Where it stands.
    pub state: RunState,
    /// Short stable reason (`conflict_409`, `unreachable`), empty when all is well.
    pub code: String,
    /// One sentence a person understands.
    pub message: String,
    /// Since when.
    pub since: Ms,
}

impl Status {
    /// A state without a reason.
    pub fn plain(state: RunState, since: Ms) -> Self {
        Self {
            state,
            code: String::new(),
            message: String::new(),
            since,
        }
    }
}
