//! What a person types about the home as a whole: settings, taking over, copies, and what is open.

use clap::{Args, Subcommand};
use kata_protocol::SessionId;
use std::path::PathBuf;

/// `kata settings`.
#[derive(Debug, Args)]
pub struct Settings {
    /// What to do; a list when absent.
    #[command(subcommand)]
    pub command: Option<SettingsCommand>,
}

/// `kata settings …`.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// List settings in force, where each comes from, and which can be changed here.
    List {
        /// Only those that can be changed here.
        #[arg(long)]
        changeable: bool,
    },
    /// Show one.
    Get {
        /// Path (`gateway.port`).
        path: String,
    },
    /// Change one.
    Set {
        /// Path.
        path: String,
        /// Value; several make a list.
        #[arg(required = true, allow_hyphen_values = true)]
        value: Vec<String>,
    },
    /// Take one away, so that its default counts.
    Unset {
        /// Path.
        path: String,
    },
}

/// `kata notices`.
#[derive(Debug, Subcommand)]
pub enum Notices {
    /// List what the engine has to say to you.
    List,
    /// Take one away.
    Dismiss {
        /// Notice, as the list names it.
        id: String,
    },
}

/// `kata sessions set`.
#[derive(Debug, Args)]
pub struct ChangeSession {
    /// Session.
    pub id: SessionId,
    /// Name; an empty one takes it away.
    #[arg(long)]
    pub name: Option<String>,
    /// Flag it, or no longer.
    #[arg(long, value_name = "YES")]
    pub flag: Option<bool>,
    /// Status (its id).
    #[arg(long, value_name = "ID")]
    pub status: Option<String>,
    /// Label; again for more. They take the place of those it has.
    #[arg(long = "label", value_name = "ID")]
    pub labels: Vec<String>,
    /// Take all labels away.
    #[arg(long, conflicts_with = "labels")]
    pub no_labels: bool,
    /// Mark it as unread, or as read.
    #[arg(long, value_name = "YES")]
    pub unread: Option<bool>,
    /// What its tools may do without asking.
    #[arg(long, value_enum)]
    pub mode: Option<super::Mode>,
    /// Model (its id in `kata models list`).
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Folder its tools work in.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}

/// `kata import`.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Show what other programs left, and what of it can be taken over. Reads only.
    Find {
        /// Folder, or OpenClaw's openclaw.json; the usual places when absent.
        #[arg(long, value_name = "PATH")]
        path: Option<PathBuf>,
    },
    /// Take things over. The other program's files stay as they are, and nothing is switched on.
    Run(RunImport),
}

/// `kata import run`.
#[derive(Debug, Args)]
pub struct RunImport {
    /// Program.
    #[arg(long, value_name = "NAME", default_value = "openclaw")]
    pub from: String,
    /// Its folder or file; the usual place when absent.
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Things to take over, as `kata import find` names them; those it proposes when absent.
    #[arg(long, value_name = "ITEM", num_args = 1.., conflicts_with = "all")]
    pub items: Vec<String>,
    /// Everything that can be taken over, also what it does not propose (keys, people who may approve).
    #[arg(long)]
    pub all: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
}

/// `kata backup`.
#[derive(Debug, Subcommand)]
pub enum Backups {
    /// List copies of the home folder.
    List,
    /// Make one: settings, workspaces, secrets' files, session files and the message store, without attachments.
    Create,
}

/// `kata security`.
#[derive(Debug, Subcommand)]
pub enum Security {
    /// Say what you should know before you leave it running. Exit code 1 where somebody could do harm now.
    Audit,
}
