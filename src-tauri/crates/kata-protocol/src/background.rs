//! Living in the background: start at login, what needs the person, pausing, crashes, safe mode, checks of the whole.

use crate::{Ms, SessionId, SourceId};
use serde::{Deserialize, Serialize};

macro_rules! background {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

background! {
    /// How the program starts and who brings it back.
    Background {
        /// It starts when the person logs in.
        at_login: bool,
        /// It is started again after it crashed.
        restarts: bool,
        /// By whom: `systemd`, `launchd`, `autostart`, `registry`; absent where nothing on this machine can.
        by: Option<String>,
        /// File or registry key that says so.
        entry: Option<String>,
        /// What is started: `app` (hidden, with its tray) or `serve` (without a screen).
        starts: Option<String>,
        /// Why it cannot be changed here, in one sentence.
        reason: Option<String>,
    }
    /// `system.background_set`
    BackgroundSet {
        /// Start at login, and again after a crash.
        at_login: bool,
    }
    /// `system.pause`: channels stop taking messages in and sending; what waits is kept.
    SystemPause {
        /// Pause or go on.
        paused: bool,
        /// Go on by itself after so many minutes, 1 to 1,440; when somebody says so, if absent.
        minutes: Option<u32>,
    }
    /// How channels are paused.
    PauseState {
        /// All channels are paused.
        paused: bool,
        /// When they go on by themselves.
        until: Option<Ms>,
    }
    /// Something that waits for the person.
    Attention {
        /// Stable while it waits: its kind and what it is about.
        id: String,
        /// What it is: `approval`, `elicitation`, `pairing`, `source`, `plugin`, `letter`, `update`, `crash`, `notice`.
        kind: String,
        /// One line.
        title: String,
        /// A second one.
        detail: Option<String>,
        /// Since when.
        since: Ms,
        /// Session it is in.
        session: Option<SessionId>,
        /// Source it is about.
        source: Option<SourceId>,
        /// Where in the window it is dealt with (`/approvals`, `/sources/…`).
        route: String,
        /// Answers that can be given at once; empty where the person has to look first.
        actions: Vec<AttentionAction>,
    }
    /// An answer that needs no further look.
    AttentionAction {
        /// `once`, `deny`, `approve`, `retry`.
        id: String,
        /// Words on the button.
        label: String,
    }
    /// `attention.answer`
    AttentionAnswer {
        /// What waits.
        id: String,
        /// One of its actions.
        action: String,
    }
    /// How the program ended the last time it did not end in order.
    CrashReport {
        /// File name without its ending.
        id: String,
        /// When.
        at: Ms,
        /// Version that crashed.
        version: String,
        /// `panic` (one task; the program went on), `crash` (the process ended), `killed` (no reason is known).
        kind: String,
        /// Where in our source, or which thread.
        place: Option<String>,
        /// What to paste into a report: versions, place, backtrace, the last log lines; no message text, no secrets.
        text: String,
        /// The person has seen it.
        seen: bool,
    }
    /// Names a crash.
    CrashRef {
        /// Crash.
        id: String,
    }
    /// The program runs with plugins off.
    SafeMode {
        /// Why: it crashed so often, or somebody asked for it.
        reason: String,
        /// Plugins that were being started or asked when it crashed.
        suspects: Vec<String>,
        /// Since when.
        since: Ms,
    }
    /// `system.restart`
    SystemRestart {
        /// Start with plugins off.
        safe: bool,
    }
    /// One check of `doctor.run`.
    Check {
        /// Short and stable (`disk.space`).
        id: String,
        /// What was looked at.
        title: String,
        /// How it is.
        outcome: CheckOutcome,
        /// What was found.
        detail: String,
        /// What to do; a command where there is one.
        mend: Option<String>,
    }
    /// One finding of `security.audit`.
    Finding {
        /// Short and stable (`channel.open`).
        code: String,
        /// How bad.
        severity: Severity,
        /// What it is about: a channel, a plugin, a file, a device.
        about: String,
        /// One sentence.
        message: String,
        /// What to do.
        mend: Option<String>,
    }
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// All is well.
    Ok,
    /// It works, and could be better.
    Warning,
    /// Something does not work.
    Failed,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody could do more than you may think.
    Warning,
    /// Somebody can do harm now.
    Critical,
}
