//! Sources and channels that an existing home has configured in files: where sources lie, and the earlier program's channels as
//! rows for the panel. What a source's files mean is kata-sources' business; those channels are not connected, and their rows
//! say so.

use super::HomePaths;
use super::document::{self, DocumentError, text, update_document};
use super::workspaces::workspace_folders;
use crate::WorkspaceFolder;
use kata_protocol::{Ms, RunState, SourceId, SourceKind, SourceSummary, Status, WorkspaceId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

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

/// Channels of a workspace by name; a file that cannot be read is left out.
pub fn channel_configs(workspace: &WorkspaceFolder) -> Vec<ChannelConfig> {
    folders(&workspace.path.join("channels"))
        .iter()
        .filter_map(|folder| channel(workspace, folder))
        .collect()
}

/// Rows of the panel for every channel that comes from a file. Read from the files at each call.
pub fn file_channels(home: &HomePaths, now: Ms) -> Vec<SourceSummary> {
    let rows = |workspace: &WorkspaceFolder| {
        let channels = channel_configs(workspace).into_iter();
        channels.filter_map(|channel| channel_row(channel, now)).collect::<Vec<_>>()
    };
    workspace_folders(home).iter().flat_map(rows).collect()
}

/// Folders of a workspace's sources, by name, those that are hidden left out.
pub fn source_folders(workspace: &WorkspaceFolder) -> Vec<PathBuf> {
    let mut all = folders(&workspace.path.join("sources"));
    all.retain(|folder| {
        folder
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().first() != Some(&b'.'))
    });
    all
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
