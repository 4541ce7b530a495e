//! Everything a person decides about a plugin with: its files, what it asks for, what was granted, and what changed since.

use crate::{
    ChannelInfo, Count, HookKind, HookName, Json, Ms, PluginId, PluginOrigin, PluginSummary, SecretState, SourceSummary, ToolInfo,
    WorkspaceId,
};
use serde::{Deserialize, Serialize};

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

/// Whether a person has looked at a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustState {
    /// Shipped with the app: trusted with what its manifest declares.
    Bundled,
    /// Nobody has looked at it yet; it does not run.
    Untrusted,
    /// These very files were looked at and granted.
    Trusted,
    /// Trusted, and edits of its files are taken without asking; new capabilities are not.
    Development,
    /// Trusted once; its files or what it asks for are different now. The version that ran before goes on until the app ends.
    Changed,
    /// A program that joined over the gateway: the token it came with, of scope `plugin` or `admin`, is what it was granted.
    Token,
}

/// What a signature file beside the manifest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum PluginSignature {
    /// There is none.
    None,
    /// It fits the files.
    Valid {
        /// Key id, 16 hexadecimal digits.
        key_id: String,
        /// Whether a person has chosen to remember this key.
        known: bool,
        /// The signer's trusted comment.
        comment: String,
    },
    /// It does not fit, or cannot be read.
    Invalid {
        /// Why.
        reason: String,
    },
}

/// What happened to a plugin's grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantAction {
    /// Trusted with some capabilities.
    Granted,
    /// One capability taken back.
    CapabilityRevoked,
    /// Trust taken back as a whole.
    Revoked,
    /// Taken over by the signature of a remembered key.
    CarriedOver,
    /// Its files are no longer those that were granted.
    Changed,
    /// Put into an extensions folder.
    Installed,
    /// Taken out of it.
    Uninstalled,
    /// The key that signed it was forgotten: its updates ask again.
    SignerForgotten,
    /// Switched on.
    Enabled,
    /// Switched off.
    Disabled,
}

views! {
    /// `plugin.get`.
    PluginDetail {
        /// Row.
        summary: PluginSummary,
        /// Its files in order of path, at most 5,000; `node_modules`, `.git` and `.kata` are neither listed nor hashed.
        files: Vec<PluginFile>,
        /// SHA-256 over paths and contents of `files`, lower-case hexadecimal. A grant pins it.
        hash: String,
        /// Every capability it declares or was granted.
        wanted: Vec<CapabilityState>,
        /// What was granted; absent for a bundled plugin and one nobody has looked at.
        grant: Option<PluginGrant>,
        /// How files and wishes differ from what was granted; absent when they do not.
        change: Option<PluginChange>,
        /// Its signature.
        signature: PluginSignature,
        /// JSON Schema of its settings.
        settings_schema: Option<Json>,
        /// Present settings.
        settings: Json,
        /// Names of its secrets and whether each is set.
        secrets: Vec<SecretState>,
        /// What the serving generation registered; empty when it does not run.
        registered: Registered,
        /// Limits in force.
        limits: PluginCeilings,
        /// Its channels and services.
        parts: Vec<SourceSummary>,
        /// What happened to its grant, newest first, at most 100.
        history: Vec<GrantEvent>,
    }
    /// One file of a plugin.
    PluginFile {
        /// From the plugin's folder, with `/`.
        path: String,
        /// Length.
        bytes: Count,
        /// SHA-256 of its contents, lower-case hexadecimal.
        sha256: String,
    }
    /// One capability.
    CapabilityState {
        /// As the manifest writes it, e.g. `net:api.telegram.org`.
        capability: String,
        /// What it allows, for a person.
        means: String,
        /// Whether the manifest lists it.
        declared: bool,
        /// Whether the person granted it.
        granted: bool,
        /// Whether it can read what people write, change what the agent does, or change files.
        sensitive: bool,
    }
    /// What a person granted.
    PluginGrant {
        /// Hash of the files as they were.
        hash: String,
        /// Version as it was.
        version: String,
        /// Capabilities granted.
        capabilities: Vec<String>,
        /// Whether edits are taken without asking.
        development: bool,
        /// When.
        granted_at: Ms,
        /// Key id whose signature carried it, if one did.
        signer: Option<String>,
    }
    /// How a plugin differs from what was granted.
    PluginChange {
        /// Version then.
        from_version: String,
        /// Version now.
        to_version: String,
        /// Files that are new, gone, or have other contents.
        files: Vec<FileChange>,
        /// Capabilities it asks for now and did not then.
        capabilities_added: Vec<String>,
        /// Capabilities it asked for then and does not now.
        capabilities_removed: Vec<String>,
    }
    /// How one file differs.
    FileChange {
        /// From the plugin's folder, with `/`.
        path: String,
        /// What happened to it.
        kind: FileChangeKind,
        /// Unified diff of a text file, at most 64 KiB; absent for others.
        diff: Option<String>,
    }
    /// What one generation registered.
    Registered {
        /// Tools.
        tools: Vec<ToolInfo>,
        /// Hooks, in order of event.
        hooks: Vec<RegisteredHook>,
        /// Channels.
        channels: Vec<ChannelInfo>,
        /// Services.
        services: Vec<String>,
        /// Commands.
        commands: Vec<CommandInfo>,
        /// Routes.
        routes: Vec<RouteInfo>,
    }
    /// One hook handler and where it stands.
    RegisteredHook {
        /// Event.
        event: HookName,
        /// How handlers of the event run.
        kind: HookKind,
        /// Priority; higher first.
        priority: i32,
        /// Place among all handlers of the event, from 1.
        position: u32,
        /// Handlers of the event in all.
        of: u32,
        /// Its own limit in milliseconds, when lower than the event's.
        timeout_ms: Option<u32>,
    }
    /// One slash command.
    CommandInfo {
        /// Without the slash.
        name: String,
        /// What it does.
        description: String,
        /// Plugin that has it.
        plugin: PluginId,
    }
    /// One route of the gateway.
    RouteInfo {
        /// Full path, `/hooks/<plugin>/…`.
        path: String,
        /// Methods it takes.
        methods: Vec<String>,
    }
    /// Limits in force for a plugin.
    PluginCeilings {
        /// JavaScript heap in bytes.
        memory_bytes: Count,
        /// CPU milliseconds per minute.
        cpu_ms_per_minute: u32,
        /// Live timers.
        timers: u32,
        /// Host calls in flight.
        calls_in_flight: u32,
        /// Open WebSockets.
        sockets: u32,
        /// Calls that may wait.
        queue: u32,
        /// Log lines per minute.
        log_lines_per_minute: u32,
    }
    /// A signing key a person chose to remember.
    PluginSigner {
        /// Key id, 16 upper-case hexadecimal digits.
        key_id: String,
        /// Public key in base64, as minisign writes it.
        key: String,
        /// When it was remembered.
        remembered_at: Ms,
        /// Plugins whose updates it carries over.
        plugins: Vec<PluginId>,
    }
    /// One line of a grant's history.
    GrantEvent {
        /// When.
        at: Ms,
        /// What.
        action: GrantAction,
        /// Hash of the files then, where it matters.
        hash: Option<String>,
        /// In words: capabilities, from where.
        detail: String,
    }
    /// `plugin.discovery`.
    PluginDiscovery {
        /// Folders that are looked through, in order of precedence.
        roots: Vec<PluginRoot>,
        /// Folders that look like a plugin and are not taken.
        dropped: Vec<DroppedPlugin>,
    }
    /// One extensions folder.
    PluginRoot {
        /// Kind.
        origin: PluginOrigin,
        /// Its workspace.
        workspace: Option<WorkspaceId>,
        /// Folder.
        path: String,
        /// Whether it is there.
        exists: bool,
    }
    /// A folder that was looked at and not taken.
    DroppedPlugin {
        /// Folder.
        path: String,
        /// Kind of the extensions folder it is in.
        origin: PluginOrigin,
        /// Its id, where the manifest could be read.
        id: Option<String>,
        /// Why; names file and field where there is one.
        reason: String,
        /// What to do.
        hint: String,
    }
    /// `command.run`: what the command gave back.
    CommandOutput {
        /// Text to show; empty when it gave none.
        text: String,
    }
    /// `plugin.inject`: what became of the message.
    PluginInjected {
        /// The front door's answer.
        answer: crate::IngressAnswer,
    }
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other contents.
    Modified,
}

/// What a new plugin starts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginTemplate {
    /// A tool the agent can call.
    Tool,
    /// A hook on messages.
    Hook,
    /// A channel that polls an HTTP service.
    Channel,
    /// A service that runs in the background.
    Service,
}
