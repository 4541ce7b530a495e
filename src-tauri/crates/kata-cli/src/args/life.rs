//! `kata background`, `kata crashes`, `kata restart`.

use clap::{Args, Subcommand};

/// `kata background`.
#[derive(Debug, Subcommand)]
pub enum Background {
    /// How it starts, and who brings it back.
    Status,
    /// Start it at login, and again after a crash where somebody on this machine does that.
    On {
        /// The engine without a screen (`kata serve`), also where the app is there.
        #[arg(long)]
        serve: bool,
    },
    /// Start it at login no longer. What runs goes on.
    Off,
}

/// `kata crashes`.
#[derive(Debug, Args)]
pub struct Crashes {
    /// What to do; the list when absent.
    #[command(subcommand)]
    pub command: Option<CrashCommand>,
}

/// What is done about crashes.
#[derive(Debug, Subcommand)]
pub enum CrashCommand {
    /// Print one, to copy into a report.
    Show {
        /// Report.
        id: String,
    },
    /// Mark one as seen.
    Dismiss {
        /// Report.
        id: String,
    },
}

/// `kata restart`.
#[derive(Debug, Args)]
pub struct Restart {
    /// With plugins off.
    #[arg(long)]
    pub safe: bool,
}
