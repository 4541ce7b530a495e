//! What a person types about what waits for them, and about a pause of all channels.

use clap::{Args, Subcommand};

/// `kata attention`.
#[derive(Debug, Subcommand)]
pub enum Attention {
    /// List everything that waits for you, the oldest first.
    List,
    /// Give an answer that needs no further look.
    Answer {
        /// What waits, as the list names it (`approval:K7Q2XY`).
        id: String,
        /// One of the answers it takes (`once`, `deny`, `approve`, `retry`, …).
        action: String,
    },
}

/// `kata pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// Go on by itself after so many minutes; when you say so, if left out.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: Option<u32>,
}
