//! What a person types about tool calls that wait.

use clap::{Subcommand, ValueEnum};
use kata_protocol::{ApprovalDecision, SessionId};

/// `kata approvals`.
#[derive(Debug, Subcommand)]
pub enum Approvals {
    /// List calls that wait, oldest first.
    List {
        /// Only of this session.
        #[arg(long, value_name = "ID")]
        session: Option<SessionId>,
    },
    /// Answer one. The first answer counts.
    Answer {
        /// Its code, in large or small letters.
        code: String,
        /// Answer.
        #[arg(value_enum)]
        decision: Decision,
    },
}

/// Answer to a tool call.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Decision {
    /// Run this call.
    Once,
    /// This tool for the rest of the session.
    Session,
    /// What the call's rule says, from now on.
    Always,
    /// Do not run it.
    Deny,
}

impl From<Decision> for ApprovalDecision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Once => Self::Once,
            Decision::Session => Self::Session,
            Decision::Always => Self::Always,
            Decision::Deny => Self::Deny,
        }
    }
}
