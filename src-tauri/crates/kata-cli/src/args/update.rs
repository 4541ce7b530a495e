//! What a person types about updates.

use clap::{Args, Subcommand, ValueEnum};
use kata_protocol::{QuietHours, UpdateChannel};

/// `kata update`.
#[derive(Debug, Subcommand)]
pub enum Update {
    /// Show how updates stand; this is what `kata update` alone does.
    Status,
    /// Look for a newer version now.
    Check,
    /// Put the newer version in: sessions finish their turns, then the app starts again.
    Install {
        /// Version, as `kata update` shows it; whatever is offered, when absent.
        #[arg(id = "release", value_name = "VERSION")]
        version: Option<String>,
    },
    /// Put an offer off; it is not put in by itself.
    Dismiss {
        /// Version; whatever is offered, when absent.
        #[arg(id = "release", value_name = "VERSION")]
        version: Option<String>,
    },
    /// Change the rules.
    Configure(Configure),
}

/// `kata update configure`.
#[derive(Debug, Args)]
pub struct Configure {
    /// Which versions.
    #[arg(long)]
    pub channel: Option<Channel>,
    /// Look, fetch and put in without asking.
    #[arg(long, value_name = "true|false")]
    pub automatic: Option<bool>,
    /// When an automatic one may be put in, `02:00-05:00`.
    #[arg(long, value_name = "FROM-UNTIL", value_parser = super::route::hours)]
    pub quiet: Option<QuietHours>,
    /// Any time nothing is busy.
    #[arg(long, conflicts_with = "quiet")]
    pub no_quiet: bool,
}

/// Which versions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Channel {
    /// Released ones.
    Stable,
    /// Those before a release, too.
    Beta,
}

impl From<Channel> for UpdateChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Stable => Self::Stable,
            Channel::Beta => Self::Beta,
        }
    }
}
