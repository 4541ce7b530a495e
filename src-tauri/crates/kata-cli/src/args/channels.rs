//! `kata channels`.

use super::SetPolicy;
use clap::{Args, Subcommand};
use kata_protocol::{ChannelId, IdError, SourceId, WorkspaceId};

/// `kata channels`.
#[derive(Debug, Subcommand)]
pub enum Channels {
    /// List channels with their accounts and how each stands.
    List,
    /// Set a channel up, step by step; ends when it could be switched on.
    #[command(visible_alias = "set-up")]
    Setup(SetUp),
    /// Ask the platform whether the channel could work, apart from the running connection.
    Probe {
        /// Channel (`telegram`, `telegram@work`).
        #[arg(value_parser = channel)]
        channel: SourceId,
    },
    /// Say what you should know before you open the channel to others.
    Audit {
        /// Channel.
        #[arg(value_parser = channel)]
        channel: SourceId,
    },
    /// List the people and groups it knows of.
    Directory {
        /// Channel.
        #[arg(value_parser = channel)]
        channel: SourceId,
    },
    /// Switch it off, sign it out at its platform, and forget its secrets.
    Logout {
        /// Channel.
        #[arg(value_parser = channel)]
        channel: SourceId,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Further accounts of a channel.
    #[command(subcommand)]
    Accounts(Accounts),
    /// Show or change who may write to a channel, how much and when.
    Policy(Box<SetPolicy>),
}

/// `kata channels setup`.
#[derive(Debug, Args)]
pub struct SetUp {
    /// Channel (`telegram`, `telegram@work`).
    #[arg(value_parser = channel)]
    pub channel: SourceId,
    /// Answer given beforehand, in this order: a setting or a secret. `NAME=-` reads it from standard input, where other
    /// programs cannot see it.
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::assignment)]
    pub answer: Vec<(String, String)>,
    /// Switch it on when it is set up, without asking.
    #[arg(long)]
    pub enable: bool,
}

/// `kata channels accounts`.
#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Add an account; `kata channels setup` then sets it up.
    Add {
        /// Channel (`telegram`).
        channel: ChannelId,
        /// Short name of the account: small letters, digits and dashes.
        name: String,
        /// Workspace its conversations go to, unless a binding says otherwise [default: the active one].
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
    /// Take an account away, with its settings, secrets and whom it let in. Its sessions stay.
    Remove {
        /// Channel of the account (`telegram@work`).
        #[arg(value_parser = channel)]
        channel: SourceId,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// A channel's source, also by the channel's name alone.
fn channel(text: &str) -> Result<SourceId, IdError> {
    SourceId::new(format!("channel:{}", text.strip_prefix("channel:").unwrap_or(text)))
}
