//! Plugins that run as programs of their own, in any language, and join over the gateway. The contract is that of plugins in a
//! folder: the same tools, hooks and channels, the same limits; they are gone when their socket is gone.

use crate::{ChannelCapabilities, HookName, Json, PluginId};
use serde::{Deserialize, Serialize};

macro_rules! external {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

external! {
    /// What a program brings (`register`). At most 64 tools, 32 hooks and 8 channels.
    ExternalPlugin {
        /// Id, `[a-z0-9-]+`; no other plugin may have it.
        id: PluginId,
        /// Name to show.
        name: String,
        /// Version.
        version: String,
        /// One line.
        #[serde(default)]
        description: String,
        /// Tools.
        #[serde(default)]
        tools: Vec<ExternalTool>,
        /// Hooks.
        #[serde(default)]
        hooks: Vec<ExternalHook>,
        /// Channels.
        #[serde(default)]
        channels: Vec<ExternalChannel>,
    }
    /// A tool.
    ExternalTool {
        /// Name, unique among all tools.
        name: String,
        /// For the model.
        description: String,
        /// JSON Schema of its arguments.
        parameters: Json,
        /// It changes nothing anywhere.
        #[serde(default)]
        read_only: bool,
        /// Longest time a call may take, milliseconds; 30,000 when absent, at most 600,000.
        #[serde(default)]
        timeout_ms: Option<u32>,
    }
    /// A hook.
    ExternalHook {
        /// Event.
        event: HookName,
        /// Order; higher is asked first. 0 when absent.
        #[serde(default)]
        priority: i32,
        /// Longest time an answer may take, milliseconds, where that is less than the event's own limit.
        #[serde(default)]
        timeout_ms: Option<u32>,
    }
    /// A channel.
    ExternalChannel {
        /// Id, unique among all channels.
        id: String,
        /// Name to show.
        name: String,
        /// What it can do; absent fields are what the contract has as default. What needs more calls than `send` (editing,
        /// deleting, reactions, buttons, files, previews, typing) is refused.
        #[serde(default)]
        capabilities: Option<ChannelCapabilities>,
    }
    /// The connection that brought a plugin.
    ExternalClient {
        /// Name the client gave.
        name: String,
        /// Name of its token or device: whoever takes that back ends it.
        token: String,
        /// What the token may do.
        scope: crate::Scope,
        /// Since when it has been there.
        since: crate::Ms,
    }
}

/// Most tools of one external plugin.
pub const MAX_EXTERNAL_TOOLS: usize = 64;
/// Most hooks of one external plugin.
pub const MAX_EXTERNAL_HOOKS: usize = 32;
/// Most channels of one external plugin.
pub const MAX_EXTERNAL_CHANNELS: usize = 8;
/// Most plugins of one connection.
pub const MAX_EXTERNAL_PLUGINS: usize = 8;

/// What a call from here asks an external plugin for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExternalCall {
    /// Run a tool: `{name, params, session}` → `{text}`.
    Tool,
    /// Ask a hook: `{event, input}` → what the hook of that event may answer, or null.
    Hook,
    /// Send a message: `{channel, message}` → a receipt.
    Send,
    /// Begin to work as a channel: `{channel, cursor}` → null. The channel reports its state by itself.
    Start,
    /// Stop: `{channel}` → null.
    Stop,
}
