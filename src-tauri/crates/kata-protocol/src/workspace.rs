//! What a person arranges in a workspace: its settings, statuses, labels, skills; and what a session's page shows beside the chat.

use crate::{Count, Json, Ms, PermissionMode, SessionId, WorkspaceId};
use serde::{Deserialize, Serialize};

macro_rules! workspace {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

workspace! {
    /// Names a workspace.
    WorkspaceRef {
        /// Workspace.
        id: WorkspaceId,
    }
    /// `workspace.create`
    WorkspaceCreate {
        /// Name to show; the folder's name is made from it.
        name: String,
    }
    /// A workspace's own settings.
    WorkspaceSettings {
        /// Workspace.
        id: WorkspaceId,
        /// Name to show.
        name: String,
        /// Mode of new sessions.
        mode: Option<PermissionMode>,
        /// Model of new sessions.
        model: Option<String>,
        /// Folder their tools work in.
        working_directory: Option<String>,
        /// Statuses as in the file: `id`, `label`, `color`, `category`.
        statuses: Json,
        /// Labels as in the file, a tree.
        labels: Json,
    }
    /// `workspace.update`; absent fields stay, an empty text takes a setting away.
    WorkspaceUpdate {
        /// Workspace.
        id: WorkspaceId,
        /// Name to show.
        name: Option<String>,
        /// Mode of new sessions.
        mode: Option<PermissionMode>,
        /// Model of new sessions.
        model: Option<String>,
        /// Folder their tools work in, absolute.
        working_directory: Option<String>,
        /// Statuses, whole. One that sessions have cannot be left out.
        statuses: Option<Json>,
        /// Labels, whole.
        labels: Option<Json>,
    }
    /// A skill: instructions that the agent takes up when they are called for.
    Skill {
        /// Folder's name.
        slug: String,
        /// Workspace.
        workspace: WorkspaceId,
        /// Name to show.
        name: String,
        /// When it is to be used.
        description: String,
        /// Folder.
        path: String,
        /// What is wrong with the file; such a skill is not offered.
        error: Option<String>,
    }
    /// Names a skill.
    SkillRef {
        /// Workspace.
        workspace: WorkspaceId,
        /// Folder's name.
        slug: String,
    }
    /// A skill's file.
    SkillDocument {
        /// Skill.
        skill: Skill,
        /// `SKILL.md`, whole.
        text: String,
    }
    /// `skill.write`: makes or changes a skill.
    SkillWrite {
        /// Workspace.
        workspace: WorkspaceId,
        /// Folder's name, `[a-z0-9-]+`.
        slug: String,
        /// `SKILL.md`, whole: `name` and `description` in its head, instructions below.
        text: String,
    }
    /// What the agent knows of the person (`preferences.json`); unknown fields stay.
    Preferences {
        /// Name.
        name: Option<String>,
        /// Time zone, as in the tz database.
        timezone: Option<String>,
        /// Language answers are written in.
        language: Option<String>,
        /// City.
        city: Option<String>,
        /// Country.
        country: Option<String>,
        /// Anything else.
        notes: Option<String>,
    }
    /// `session.notes`: the person's notes beside a session; absent text only reads.
    SessionNotes {
        /// Session.
        id: SessionId,
        /// `notes.md`, whole.
        text: Option<String>,
    }
    /// `session.export`
    SessionExport {
        /// Session.
        id: SessionId,
        /// `markdown` or `json`.
        format: String,
    }
    /// A text with a name for its file.
    Document {
        /// Name of the file.
        name: String,
        /// Text.
        text: String,
    }
    /// `file.find`: files below the folder a session works in, for `@` in its composer.
    FileFind {
        /// Session.
        session: SessionId,
        /// Part of a path.
        query: String,
    }
    /// A file or folder.
    FileHit {
        /// Path below the folder.
        path: String,
        /// It is a folder.
        folder: bool,
    }
    /// Git state of the folder a session works in.
    GitState {
        /// Branch, or the commit where none is checked out; absent where the folder is in no repository.
        branch: Option<String>,
        /// Files that differ from the last commit.
        changed: u32,
    }
    /// `settings.set`: sets one setting of `settings.json`; null takes it away.
    SettingSet {
        /// Dotted path of one of the settings that `settings.list` names as changeable.
        path: String,
        /// Value.
        value: Json,
    }
    /// `usage.get`
    UsageGet {
        /// Days back, 1 to 366.
        days: u32,
    }
    /// Tokens by day and model.
    UsageRow {
        /// Begin of the day on this machine's clock.
        day: Ms,
        /// Model.
        model: String,
        /// Tokens in.
        input: Count,
        /// Tokens out.
        output: Count,
        /// Turns.
        turns: Count,
    }
}
