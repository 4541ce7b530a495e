//! Sources and channels that an existing home has configured in files: typed views, and rows for the panel.
//!
//! This version connects none of them, and the rows say so. What a file says of an earlier connection is told as that.

use super::HomePaths;
use super::document::{self, DocumentError, text, update_document};
use super::workspaces::workspace_folders;
use crate::WorkspaceFolder;
use kata_protocol::{Ms, RunState, SourceId, SourceKind, SourceSummary, Status, UserAction, WorkspaceId};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What a source talks to, with its settings as written.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceType {
    /// Model Context Protocol server.
    Mcp(Map<String, Value>),
    /// HTTP API.
    Api(Map<String, Value>),
    /// Folder.
    Local(Map<String, Value>),
}

/// `sources/{slug}/config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfig {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Folder name.
    pub slug: String,
    /// Name to show.
    pub name: String,
    /// Whether the person has it switched on.
    pub enabled: bool,
    /// Free text.
    pub provider: Option<String>,
    /// What it talks to.
    pub kind: SourceType,
    /// Emoji or URL.
    pub icon: Option<String>,
    /// One line.
    pub tagline: Option<String>,
    /// Whether an earlier program was signed in.
    pub authenticated: Option<bool>,
    /// How it stood when last tried: `connected`, `needs_auth`, `failed`, `untested`, `local_disabled`.
    pub connection: Option<String>,
    /// When it was last tried.
    pub last_tested_at: Option<Ms>,
}

/// `channels/{slug}/config.json` of the existing program.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelConfig {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Folder name.
    pub slug: String,
    /// `slack` or `whatsapp`.
    pub adapter: String,
    /// Whether the person has it switched on.
    pub enabled: bool,
    /// Conversations it listens to; all when empty.
    pub conversations: Vec<String>,
    /// Patterns that wake the agent; every message when empty.
    pub triggers: Vec<String>,
}

/// Sources of a workspace by name; a file that cannot be read is left out.
pub fn source_configs(workspace: &WorkspaceFolder) -> Vec<SourceConfig> {
    folders(&workspace.path.join("sources"))
        .iter()
        .filter_map(|folder| source(workspace, folder))
        .collect()
}

/// Channels of a workspace by name; a file that cannot be read is left out.
pub fn channel_configs(workspace: &WorkspaceFolder) -> Vec<ChannelConfig> {
    folders(&workspace.path.join("channels"))
        .iter()
        .filter_map(|folder| channel(workspace, folder))
        .collect()
}

/// Rows of the panel for every source and channel that comes from a file. Read from the files at each call.
pub fn file_sources(home: &HomePaths, now: Ms) -> Vec<SourceSummary> {
    let rows = |workspace: &WorkspaceFolder| {
        let sources = source_configs(workspace).into_iter().filter_map(|source| source_row(source, now));
        let channels = channel_configs(workspace)
            .into_iter()
            .filter_map(|channel| channel_row(channel, now));
        sources.chain(channels).collect::<Vec<_>>()
    };
    workspace_folders(home).iter().flat_map(rows).collect()
}

/// Switches a source of a workspace on or off in its file.
pub fn set_source_enabled(workspace: &WorkspaceFolder, slug: &str, enabled: bool) -> Result<(), DocumentError> {
    let found = folders(&workspace.path.join("sources"))
        .into_iter()
        .find(|folder| folder.file_name().is_some_and(|name| name == slug));
    let folder = found.ok_or_else(|| DocumentError::Missing(format!("source {slug}")))?;
    update_document(&folder.join("config.json"), |fields| {
        fields.insert("enabled".into(), json!(enabled));
    })
}

/// Folders in a folder, by name.
pub(crate) fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn source(workspace: &WorkspaceFolder, folder: &Path) -> Option<SourceConfig> {
    let fields = document::read(&folder.join("config.json")).fields()?;
    let slug = folder.file_name()?.to_str()?.to_owned();
    let settings = |key: &str| fields.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let kind = match text(&fields, "type")?.as_str() {
        "mcp" => SourceType::Mcp(settings("mcp")),
        "api" => SourceType::Api(settings("api")),
        "local" => SourceType::Local(settings("local")),
        _ => return None,
    };
    Some(SourceConfig {
        workspace: workspace.id.clone(),
        name: text(&fields, "name").unwrap_or_else(|| slug.clone()),
        slug,
        enabled: fields.get("enabled").and_then(Value::as_bool).unwrap_or(true),
        provider: text(&fields, "provider"),
        kind,
        icon: text(&fields, "icon"),
        tagline: text(&fields, "tagline"),
        authenticated: fields.get("isAuthenticated").and_then(Value::as_bool),
        connection: text(&fields, "connectionStatus"),
        last_tested_at: fields.get("lastTestedAt").and_then(Value::as_u64).map(Ms),
    })
}

fn channel(workspace: &WorkspaceFolder, folder: &Path) -> Option<ChannelConfig> {
    let fields = document::read(&folder.join("config.json")).fields()?;
    let list = |key: &str| {
        let values = fields.get("filter").and_then(|filter| filter.get(key)).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Some(ChannelConfig {
        workspace: workspace.id.clone(),
        slug: folder.file_name()?.to_str()?.to_owned(),
        adapter: text(&fields, "adapter")?,
        enabled: fields.get("enabled").and_then(Value::as_bool).unwrap_or(true),
        conversations: list("channelIds"),
        triggers: list("triggerPatterns"),
    })
}

fn source_row(source: SourceConfig, now: Ms) -> Option<SourceSummary> {
    let (kind, prefix, what) = match source.kind {
        SourceType::Mcp(_) => (SourceKind::Mcp, "mcp", "MCP servers"),
        SourceType::Api(_) => (SourceKind::Api, "api", "API sources"),
        SourceType::Local(_) => (SourceKind::Local, "local", "local folders"),
    };
    let status = |state: RunState, code: &str, message: String| Status {
        state,
        code: code.into(),
        message,
        since: now,
    };
    let status = if !source.enabled {
        status(RunState::Stopped, "disabled", "Switched off.".into())
    } else if source.connection.as_deref() == Some("needs_auth") {
        let message = format!("Needs a sign-in. This version does not connect {what} yet; the settings are kept as they are.");
        status(
            RunState::NeedsUser {
                action: UserAction::Relogin,
            },
            "needs_auth",
            message,
        )
    } else {
        let before = match source.connection.as_deref() {
            Some("connected") => " It was connected in the earlier program.",
            Some("failed") => " The earlier program's last attempt failed.",
            _ => "",
        };
        let message = format!("This version does not connect {what} yet; the settings are kept as they are.{before}");
        status(RunState::Stopped, "not_connected", message)
    };
    Some(SourceSummary {
        id: SourceId::new(format!("{prefix}:{}:{}", source.workspace, source.slug)).ok()?,
        kind,
        name: source.name,
        tagline: source.tagline,
        icon: source.icon,
        workspace: Some(source.workspace),
        plugin: None,
        enabled: source.enabled,
        status,
        last_activity: None,
    })
}

fn channel_row(channel: ChannelConfig, now: Ms) -> Option<SourceSummary> {
    let (code, message) = match channel.enabled {
        true => (
            "not_connected",
            format!(
                "Set up in the earlier program. This version has no {} channel yet; the settings are kept as they are.",
                channel.adapter
            ),
        ),
        false => ("disabled", "Switched off.".to_owned()),
    };
    Some(SourceSummary {
        id: SourceId::new(format!("channel:{}:{}", channel.workspace, channel.slug)).ok()?,
        kind: SourceKind::Channel,
        name: channel.slug,
        tagline: Some(channel.adapter),
        icon: None,
        workspace: Some(channel.workspace),
        plugin: None,
        enabled: channel.enabled,
        status: Status {
            state: RunState::Stopped,
            code: code.into(),
            message,
            since: now,
        },
        last_activity: None,
    })
}
