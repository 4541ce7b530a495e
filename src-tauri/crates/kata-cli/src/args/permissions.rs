//! `kata permissions` and `kata tools`.

use clap::{Subcommand, ValueEnum};
use kata_protocol::{PermissionMode, SessionId, WorkspaceId};

/// `kata permissions`.
#[derive(Debug, Subcommand)]
pub enum Permissions {
    /// List the rules of a workspace, its mode for new sessions, and how commands are shut in.
    List {
        /// Workspace; the active one when absent.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
    /// Take back a rule that was made by answering “always”.
    Forget {
        /// Workspace; the active one when absent.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
        /// Folder of a rule for a tool on files.
        #[arg(long, value_name = "PATH", conflicts_with = "words")]
        folder: Option<String>,
        /// Tool.
        tool: String,
        /// For bash: the words of the rule.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Say how a call would be judged and why. Nothing runs.
    Explain {
        /// Workspace; the active one when absent.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
        /// Session whose mode and folder count.
        #[arg(long, value_name = "ID", conflicts_with = "workspace")]
        session: Option<SessionId>,
        /// Mode; the session's or the workspace's when absent.
        #[arg(long)]
        mode: Option<Mode>,
        /// Tool.
        tool: String,
        /// Its arguments as JSON, or just the command, path or address.
        arguments: String,
    },
}

/// `kata tools`.
#[derive(Debug, Subcommand)]
pub enum Tools {
    /// List the tools agents have, built-in and of plugins.
    List,
}

/// A permission mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Reads, and never asks.
    Safe,
    /// Asks before it changes anything.
    Ask,
    /// Asks about secrets and what lies outside its folders only.
    AllowAll,
}

impl From<Mode> for PermissionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Safe => Self::Safe,
            Mode::Ask => Self::Ask,
            Mode::AllowAll => Self::AllowAll,
        }
    }
}
