//! What a person types about workspaces, skills, themselves, and what stands beside a session.

use super::Mode;
use clap::{Args, Subcommand, ValueEnum};
use kata_protocol::{SessionId, WorkspaceId};
use std::path::PathBuf;

/// `kata workspaces`.
#[derive(Debug, Subcommand)]
pub enum Workspaces {
    /// List workspaces.
    List,
    /// Show a workspace's settings, statuses and labels.
    Show {
        /// Workspace.
        id: WorkspaceId,
    },
    /// Make a workspace.
    Create {
        /// Name.
        name: String,
    },
    /// Change a workspace; an empty text takes a setting away.
    Set(SetWorkspace),
    /// Print the statuses as JSON, or take them whole from standard input.
    Statuses {
        /// Workspace.
        id: WorkspaceId,
        /// Read them from standard input.
        #[arg(long)]
        write: bool,
    },
    /// Print the labels as JSON, or take them whole from standard input.
    Labels {
        /// Workspace.
        id: WorkspaceId,
        /// Read them from standard input.
        #[arg(long)]
        write: bool,
    },
    /// Make a workspace the one that new conversations go to.
    Use {
        /// Workspace.
        id: WorkspaceId,
    },
}

/// `kata workspaces set`.
#[derive(Debug, Args)]
pub struct SetWorkspace {
    /// Workspace.
    pub id: WorkspaceId,
    /// Name to show.
    #[arg(long)]
    pub name: Option<String>,
    /// What new sessions may do without asking.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Model of new sessions (its id in `kata models list`).
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Folder new sessions work in.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<String>,
}

/// `kata skills`. The active workspace where none is named.
#[derive(Debug, Subcommand)]
pub enum Skills {
    /// List skills.
    List {
        /// Workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
    /// Print a skill's file.
    Show {
        /// Skill.
        slug: String,
        /// Workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
    /// Make or change a skill; its SKILL.md is read from standard input.
    Write {
        /// Skill: small letters, digits and “-”.
        slug: String,
        /// Workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
    /// Take a skill away; its folder goes into the trash beside it.
    Remove {
        /// Skill.
        slug: String,
        /// Workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
}

/// `kata preferences`.
#[derive(Debug, Subcommand)]
pub enum Preferences {
    /// Show what agents know of you.
    Show,
    /// Change it: `name=Mara`, `timezone=Europe/Berlin`, `language=`, `city=`, `country=`, `notes=`; an empty value takes one away.
    Set {
        /// Fields.
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = super::assignment)]
        fields: Vec<(String, String)>,
    },
}

/// `kata notes`.
#[derive(Debug, Args)]
pub struct Notes {
    /// Session.
    pub id: SessionId,
    /// Take them whole from standard input.
    #[arg(long)]
    pub write: bool,
}

/// Format of an export.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// For a person.
    Markdown,
    /// As clients see it.
    Json,
}

/// `kata export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Session.
    pub id: SessionId,
    /// Format.
    #[arg(long, value_enum, default_value = "markdown")]
    pub format: Format,
    /// Where to; standard output when absent. A folder gets a file with the session's name.
    #[arg(short, long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// `kata usage`.
#[derive(Debug, Args)]
pub struct Usage {
    /// Days back.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
}

/// `kata files`.
#[derive(Debug, Args)]
pub struct Files {
    /// Session.
    pub id: SessionId,
    /// Part of a path.
    #[arg(default_value = "")]
    pub query: String,
}
