//! `kata plugins`.

use super::{Level, Logs, assignment};
use clap::{Subcommand, ValueEnum};
use kata_protocol::{PluginId, PluginTemplate};
use std::path::PathBuf;

/// `kata plugins`.
#[derive(Debug, Subcommand)]
pub enum Plugins {
    /// List plugins.
    List,
    /// Show a plugin: what it may do, what it registered, its files, faults and limits.
    Inspect {
        /// Plugin.
        id: PluginId,
    },
    /// Write a new plugin that works at once.
    New {
        /// Its id: a-z, 0-9 and -.
        id: PluginId,
        /// What it starts as.
        #[arg(short, long, value_enum, default_value = "tool")]
        template: Template,
        /// Name to show [default: made from the id].
        #[arg(long)]
        name: Option<String>,
        /// Folder to write into; it must not exist yet [default: a folder of that id here].
        #[arg(long, value_name = "PATH")]
        dir: Option<PathBuf>,
        /// Write it into the extensions folder of the running engine, in development mode.
        #[arg(long, conflicts_with = "dir")]
        install: bool,
    },
    /// Check a plugin's folder: manifest, source, types, what it registers in the sandbox, and its contracts.
    Check {
        /// Folder.
        #[arg(default_value = ".", value_name = "DIR")]
        dir: PathBuf,
    },
    /// Run a plugin while you write it: loaded again with every save, faults and log shown, lines you type handed in.
    Dev {
        /// Folder.
        #[arg(default_value = ".", value_name = "DIR")]
        dir: PathBuf,
        /// Grant what it asks for without asking.
        #[arg(short, long)]
        yes: bool,
    },
    /// Pack a plugin's folder into a .tgz and print its hash.
    Pack {
        /// Folder.
        #[arg(default_value = ".", value_name = "DIR")]
        dir: PathBuf,
        /// File to write [default: ID-VERSION.tgz here].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Copy a folder or a .tgz into the extensions folder, show what it is, and ask whether to trust it.
    Install {
        /// Folder or .tgz.
        path: PathBuf,
        /// Replace a plugin of the same id.
        #[arg(long)]
        replace: bool,
        /// Trust it with everything it asks for, without asking.
        #[arg(short, long)]
        yes: bool,
    },
    /// Trust a plugin's files as they are now, and grant what it asks for.
    Trust {
        /// Plugin.
        id: PluginId,
        /// Grant only this one (may be given several times) [default: everything it declares].
        #[arg(long, value_name = "CAPABILITY")]
        capability: Vec<String>,
        /// Grant nothing.
        #[arg(long, conflicts_with = "capability")]
        no_capabilities: bool,
        /// Take edits of its files without asking; for plugins you write yourself.
        #[arg(long)]
        development: bool,
        /// Remember the key that signed it, so that its author's updates carry over.
        #[arg(long)]
        remember_signer: bool,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Take a capability, or the whole trust, back at once.
    Revoke {
        /// Plugin.
        id: PluginId,
        /// Only this capability.
        #[arg(long, value_name = "CAPABILITY")]
        capability: Option<String>,
    },
    /// Keys of signers that were remembered; `signers forget KEY` forgets one.
    Signers {
        /// What to do with them [default: list].
        #[command(subcommand)]
        command: Option<Signers>,
    },
    /// Switch a plugin on.
    Enable {
        /// Plugin.
        id: PluginId,
    },
    /// Switch a plugin off.
    Disable {
        /// Plugin.
        id: PluginId,
    },
    /// Load a plugin again; the old one serves until the new one stands.
    Reload {
        /// Plugin.
        id: PluginId,
    },
    /// Change settings: KEY=VALUE, dots for nested keys, `null` takes a key away.
    Set {
        /// Plugin.
        id: PluginId,
        /// Settings.
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = assignment)]
        settings: Vec<(String, String)>,
    },
    /// Set a secret; its value is read from standard input.
    Secret {
        /// Plugin.
        id: PluginId,
        /// Secret.
        name: String,
        /// Take it away instead.
        #[arg(long)]
        remove: bool,
    },
    /// A plugin's newest log lines.
    Logs {
        /// Plugin.
        id: PluginId,
        /// At most this many lines.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
        limit: u32,
        /// Lowest level.
        #[arg(long, value_enum)]
        level: Option<Level>,
        /// Go on with new lines.
        #[arg(short, long)]
        follow: bool,
    },
    /// Take a plugin out of the extensions folder. Its state stays.
    Uninstall {
        /// Plugin.
        id: PluginId,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Folders that are looked through, and what in them was not taken, with the reason.
    Discovery,
}

impl Plugins {
    /// `kata plugins logs` is `kata logs` of one plugin.
    pub(crate) fn as_logs(&self) -> Option<Logs> {
        match self {
            Self::Logs { id, limit, level, follow } => Some(Logs {
                limit: *limit,
                level: *level,
                plugin: Some(id.clone()),
                follow: *follow,
            }),
            _ => None,
        }
    }
}

/// `kata plugins signers`.
#[derive(Debug, Subcommand)]
pub enum Signers {
    /// List the remembered keys, with the plugins whose updates they carry over.
    List,
    /// Forget a key: what it signs next is by an unknown signer and asks. Trusted files stay trusted.
    Forget {
        /// Key id: 16 hexadecimal digits.
        key: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

/// What a new plugin starts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// A tool the agent can call.
    Tool,
    /// A hook on messages.
    Hook,
    /// A channel that polls an HTTP service.
    Channel,
    /// A service that runs in the background.
    Service,
}

impl From<Template> for PluginTemplate {
    fn from(template: Template) -> Self {
        match template {
            Template::Tool => Self::Tool,
            Template::Hook => Self::Hook,
            Template::Channel => Self::Channel,
            Template::Service => Self::Service,
        }
    }
}
