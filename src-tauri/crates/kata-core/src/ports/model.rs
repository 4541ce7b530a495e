//! A model: asked once per step of a turn.

use async_trait::async_trait;
use kata_protocol::{CallId, SessionId, ToolInfo};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One item of the conversation as the model gets it.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryItem {
    /// A person (or several rows of one person).
    User {
        /// Text as written.
        text: String,
        /// Volatile context (date, sender, hook context) that goes before the text of this message, never into the
        /// system prompt, so that the prefix stays the same from turn to turn.
        context: Vec<String>,
        /// Files that came with it.
        files: Vec<HistoryFile>,
    },
    /// One answer of the model, as verbatim content blocks in Anthropic's block form (`text`, `thinking`, `tool_use`, and
    /// whatever else came). A provider of another form converts.
    Assistant {
        /// Blocks.
        blocks: Vec<Value>,
        /// [`Model::family`] of the model that made them. `thinking` blocks go back only to the same family.
        family: String,
    },
    /// The result of one tool call of the assistant item before it.
    ToolResult {
        /// Call.
        call_id: CallId,
        /// Text.
        text: String,
        /// Whether it failed.
        is_error: bool,
    },
}

/// A file that came with a person's message. What is said of it goes to every model; its contents where [`Shown`] has them.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryFile {
    /// File name; a stranger chose it.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Length.
    pub bytes: u64,
    /// Path as the agent's tools open it; absent when the file is not there.
    pub path: Option<String>,
    /// Why it is not there.
    pub missing: Option<String>,
    /// Last part of its path in the session's folder.
    pub file: String,
    /// What of it is shown now.
    pub shown: Shown,
}

/// What a model is shown of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Shown {
    /// Its path only.
    #[default]
    Nothing,
    /// A picture, in the file's media type.
    Picture(Arc<[u8]>),
    /// A short text.
    Text(Arc<str>),
}

impl HistoryFile {
    /// What is said of it, as data on one line.
    pub fn said(&self) -> Value {
        let mut said = serde_json::json!({ "name": self.name, "type": self.mime });
        match (&self.path, &self.missing) {
            (Some(path), _) => {
                said["bytes"] = self.bytes.into();
                said["path"] = path.clone().into();
            }
            (None, missing) => said["notThere"] = missing.clone().unwrap_or_else(|| "it is gone".into()).into(),
        }
        match self.shown {
            Shown::Picture(_) => said["contents"] = "the picture follows".into(),
            Shown::Text(_) => said["contents"] = "the text follows".into(),
            Shown::Nothing => {}
        }
        said
    }
}

/// One question to a model. Every `tool_use` in `history` has its result in the items right behind it.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// Session that asks (the scripted demo keeps its place by it).
    pub session: SessionId,
    /// System prompt; the same bytes from turn to turn.
    pub system: String,
    /// Conversation, oldest first. Shared with the session, which goes on with it when the request is dropped.
    pub history: Arc<Vec<HistoryItem>>,
    /// Tools on offer, in stable order.
    pub tools: Arc<[ToolInfo]>,
}

/// What a model says while it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelEvent {
    /// Text grew.
    Text(String),
    /// Thinking grew.
    Thinking(String),
    /// The attempt failed; everything said so far in this step is void.
    Reset,
    /// Asked again after a wait.
    Retry {
        /// From 1.
        attempt: u32,
        /// Milliseconds until then.
        wait_ms: u32,
        /// Why, for a person.
        reason: String,
    },
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It is done.
    EndTurn,
    /// It wants tools.
    ToolUse,
    /// It ran into the token limit.
    MaxTokens,
    /// Send the conversation back as it is, to go on.
    Pause,
    /// It declined.
    Refusal,
    /// The conversation no longer fits.
    ContextExceeded,
}

/// Tokens of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepUsage {
    /// Sent, without cache reads.
    pub input: u64,
    /// Answered.
    pub output: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_creation: u64,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelStep {
    /// Content blocks, verbatim and in order.
    pub blocks: Vec<Value>,
    /// Why it stopped.
    pub stop: StopReason,
    /// Tokens.
    pub usage: StepUsage,
}

/// Reason of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelErrorCode {
    /// No key, or a wrong one.
    Unauthorized,
    /// Too fast, also after the retries.
    RateLimited,
    /// The provider is overloaded or failing, also after the retries.
    Unavailable,
    /// The provider refuses the request (wrong model, bad parameters).
    Rejected,
    /// The conversation no longer fits.
    ContextExceeded,
    /// Nothing came for too long.
    Idle,
    /// Cannot be reached.
    Unreachable,
    /// The answer broke off, or is not what the protocol allows.
    Protocol,
    /// Cancelled on request.
    Cancelled,
}

/// A failed step.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// Reason.
    pub code: ModelErrorCode,
    /// For a person; no key, no message text.
    pub message: String,
    /// Blocks that were finished, and the text block that was not, so that an interrupted answer is kept.
    pub partial: Vec<Value>,
}

/// A model. Retries, time limits and cancellation are the adapter's; a step either ends whole or fails.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// Name to show; a scripted one says so.
    fn label(&self) -> String;
    /// Who can read its thinking blocks (`anthropic`, `openai`, `demo`).
    fn family(&self) -> &'static str;
    /// Whether it looks at pictures. One that does not is told of them, and never sent any.
    fn sees_pictures(&self) -> bool {
        false
    }
    /// Asks. Events go to `events` while it answers (a full queue slows the stream, a closed one is ignored).
    /// Returns within milliseconds once `cancel` is cancelled.
    async fn step(
        &self,
        request: ModelRequest,
        events: mpsc::Sender<ModelEvent>,
        cancel: CancellationToken,
    ) -> Result<ModelStep, ModelError>;
}

/// Finds models by provider id.
pub trait Models: Send + Sync + 'static {
    /// The provider `id`, or the default one. The error says what a person must do.
    fn find(&self, id: Option<&str>) -> Result<Arc<dyn Model>, kata_protocol::WireError>;
}
