//! What a person types to keep the house in order: search, letters, tidying up, the index.

use clap::{Args, Subcommand};
use kata_protocol::WorkspaceId;

/// `kata search`.
#[derive(Debug, Args)]
pub struct Search {
    /// Words; all must be in one message. Quotes keep words together, a star at the end takes beginnings.
    #[arg(required = true, value_name = "WORDS")]
    pub words: Vec<String>,
    /// Only this workspace.
    #[arg(long, value_name = "ID")]
    pub workspace: Option<WorkspaceId>,
    /// At most this many.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

/// `kata letters`.
#[derive(Debug, Subcommand)]
pub enum Letters {
    /// List messages that did not get through.
    List,
    /// Send a reply again, or handle a message from the start.
    Retry {
        /// Letter, as `kata letters list` names it.
        id: String,
    },
    /// Put a letter away.
    Discard {
        /// Letter.
        id: String,
    },
}

/// `kata hygiene`.
#[derive(Debug, Subcommand)]
pub enum Hygiene {
    /// Show the rules.
    Show,
    /// Change rules: `direct.resetAfterMinutes=120`, `group.resetDailyAt=04:30`, `desktop.archiveAfterDays=90`, `thread.most=50`,
    /// `deleteArchivedAfterDays=365`; `null` takes a rule away.
    Set {
        /// Rules.
        #[arg(required = true, value_name = "RULE=VALUE", value_parser = super::assignment)]
        rules: Vec<(String, String)>,
    },
    /// Show what tidying up would do, also with rules that are not in force yet.
    Preview {
        /// Rules, as for `set`.
        #[arg(value_name = "RULE=VALUE", value_parser = super::assignment)]
        rules: Vec<(String, String)>,
    },
    /// Tidy up now.
    Run,
}

/// `kata index`.
#[derive(Debug, Subcommand)]
pub enum Index {
    /// Make list, conversations and search anew from the session files.
    Rebuild,
}
