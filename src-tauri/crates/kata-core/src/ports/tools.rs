//! Tools, hooks and channels: what plugins give the core. The plugin host implements all three from one registry that is
//! swapped as a whole, so a reload never shows half of a plugin.

use async_trait::async_trait;
use kata_protocol::{
    AccountId, CallId, ChannelId, ChannelInfo, DraftAttachment, HookName, Media, OutboundMessage, PermissionMode, PlatformMessageId,
    PluginId, PluginOrigin, Receipt, ReplyRoute, SendError, SessionId, StreamPreview, ToolInfo, TurnId, WorkspaceId,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One tool call.
#[derive(Clone, Debug)]
pub struct ToolRequest {
    /// Session.
    pub session: SessionId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Folder the session works in; the workspace's when absent.
    pub working_directory: Option<String>,
    /// Mode when the call was judged: a tool shuts itself in by it.
    pub mode: PermissionMode,
    /// Turn.
    pub turn: TurnId,
    /// Call.
    pub call_id: CallId,
    /// Tool.
    pub name: String,
    /// Arguments, plain and after hooks.
    pub params: Value,
    /// Cancelled when the person stops the turn.
    pub cancel: CancellationToken,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOutcome {
    /// Text for the model, at most 256 KiB.
    pub text: String,
    /// Whether it failed.
    pub is_error: bool,
}

/// Name of the built-in tool that sends a file. The tool reads it, the session keeps and sends it.
pub const SEND_FILE: &str = "send_file";

/// Name of the built-in tool that hands in a plan. The session keeps the plan and ends the turn.
pub const SUBMIT_PLAN: &str = "submit_plan";

/// A file that the agent sends, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolFile {
    /// File name.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
    /// What is said to it.
    pub caption: String,
}

/// Tools on offer.
#[async_trait]
pub trait Tools: Send + Sync + 'static {
    /// Tools in stable order.
    fn list(&self) -> Arc<[ToolInfo]>;
    /// Those of them that sessions of a workspace see, in the same order.
    fn list_for(&self, _workspace: &WorkspaceId) -> Arc<[ToolInfo]> {
        self.list()
    }
    /// Runs one. An unknown tool, bad arguments, a fault and a time limit are outcomes with `is_error`, never panics.
    async fn call(&self, request: ToolRequest) -> ToolOutcome;
    /// Reads the file that a call of [`SEND_FILE`] is about. The error is for the model.
    async fn file(&self, _request: &ToolRequest) -> Result<ToolFile, super::Unfit> {
        Err(super::Unfit("There is no tool that sends files.".into()))
    }
}

/// Why a hook handler gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// It threw, or its runtime is gone.
    #[error("{0}")]
    Failed(String),
    /// It took longer than it may. The host has stopped waiting and interrupts the plugin.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

/// One handler of one event.
#[derive(Clone)]
pub struct HookHandler {
    /// Plugin.
    pub plugin: PluginId,
    /// Where the plugin was found; the second sort key.
    pub origin: PluginOrigin,
    /// Higher first; the first sort key.
    pub priority: i32,
    /// Registration order within the plugin; the last sort key.
    pub order: u32,
    /// Time it may take, where the plugin asked for less than the event's limit.
    pub timeout: Option<Duration>,
    /// Calls it.
    pub invoke: Arc<dyn HookInvoke>,
}

/// Calls one handler. JSON text both ways: the plugin parses it in its own runtime.
#[async_trait]
pub trait HookInvoke: Send + Sync + 'static {
    /// The handler's answer as JSON text, `None` when it answered nothing. Returns within `limit`.
    async fn invoke(&self, payload: Arc<str>, limit: Duration) -> Result<Option<String>, HookFault>;
}

/// Handlers by event.
pub trait Hooks: Send + Sync + 'static {
    /// Handlers in the total order (priority, origin, plugin id, registration). Empty costs nothing.
    fn handlers(&self, event: HookName) -> Arc<[HookHandler]>;
}

/// Channels that are up.
#[async_trait]
pub trait Channels: Send + Sync + 'static {
    /// What a channel is and can do, with its plugin. `None` when no plugin provides it now.
    fn info(&self, channel: &ChannelId) -> Option<(PluginId, ChannelInfo)>;
    /// Sends one message. A time limit or a fault is [`SendError`] with `certain: false`.
    async fn send(&self, message: OutboundMessage) -> Result<Receipt, SendError>;
    /// Shows or keeps up the typing signal; failures are the plugin's log only.
    async fn typing(&self, route: &ReplyRoute);
    /// Shows an answer as far as it is written. Answers the id of what is shown, for the next one; `None` for what goes by itself.
    async fn preview(&self, preview: StreamPreview) -> Result<Option<PlatformMessageId>, SendError>;
    /// Replaces the text of a message that was sent. The same text again is no error, so it may always be tried again.
    async fn edit(&self, message_id: &PlatformMessageId, message: OutboundMessage) -> Result<(), SendError>;
    /// Removes a message that was sent; one that is gone already is no error.
    async fn delete(&self, message_id: &PlatformMessageId, route: &ReplyRoute) -> Result<(), SendError>;
    /// Sets the bot's reaction to somebody's message, or takes it back.
    async fn react(&self, message_id: &PlatformMessageId, emoji: Option<&str>, route: &ReplyRoute) -> Result<(), SendError>;
    /// Fetches a file of a message whose sender was let in; it is in the [`super::MediaStore`] then. May be asked again.
    async fn download(&self, channel: &ChannelId, account: &AccountId, attachment: DraftAttachment) -> Result<Media, SendError>;
}
