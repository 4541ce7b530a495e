//! Updates of the program itself.

use crate::{Count, Ms, QuietHours};
use serde::{Deserialize, Serialize};

macro_rules! update {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

update! {
    /// How updates stand.
    UpdateState {
        /// Version that runs.
        current: String,
        /// What is looked for, and when it is put in.
        rules: UpdateRules,
        /// Why this program does not update itself (`kata serve`, a build from source); absent where it does.
        unavailable: Option<String>,
        /// When it last looked.
        checked_at: Option<Ms>,
        /// A newer version.
        offer: Option<UpdateOffer>,
        /// What is going on.
        stage: UpdateStage,
        /// How the last one ended.
        last: Option<UpdateOutcome>,
    }
    /// `update.configure`: rules for updates.
    UpdateRules {
        /// Which versions.
        channel: UpdateChannel,
        /// Look, fetch and put in without asking, in the quiet hours.
        automatic: bool,
        /// When an automatic one may be put in; any time nothing is busy when absent.
        quiet_hours: Option<QuietHours>,
    }
    /// A newer version.
    UpdateOffer {
        /// Version.
        version: String,
        /// Notes of the release, Markdown.
        notes: Option<String>,
        /// When it was published.
        published_at: Option<Ms>,
        /// Size, bytes, once it is known.
        bytes: Option<Count>,
        /// The person put it off.
        dismissed: bool,
    }
    /// How an update ended.
    UpdateOutcome {
        /// Version it was for.
        version: String,
        /// Version before it.
        from: String,
        /// When.
        at: Ms,
        /// It runs; otherwise the version before it does.
        ok: bool,
        /// What happened, in words for a person.
        message: String,
    }
    /// `update.install`
    UpdateInstall {
        /// Version the person saw; another one is refused.
        version: String,
    }
}

/// Which versions are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UpdateChannel {
    /// Released versions.
    #[default]
    Stable,
    /// Those before a release, too.
    Beta,
}

/// What is going on with an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "stage", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum UpdateStage {
    /// Nothing.
    Idle {},
    /// Asking the server.
    Checking {},
    /// Fetching.
    Downloading {
        /// Bytes so far.
        done: Count,
        /// Of how many, where the server said so.
        total: Option<Count>,
    },
    /// Fetched and verified; waits for the quiet hours or for the person.
    Ready {
        /// For what.
        waits_for: String,
    },
    /// Turns are ending before the swap.
    Draining {
        /// How many.
        busy: u32,
    },
    /// Putting the new version in; the program starts again after it.
    Installing {},
    /// It did not work; the version that runs stays.
    Failed {
        /// Why, and what to do.
        message: String,
    },
}
