//! Sessions on disk. `session.jsonl` holds header and messages in the format other programs read; `journal.jsonl` beside it
//! holds what they do not know. Both are append-only with one writer per session.

use async_trait::async_trait;
use kata_protocol::{CallId, MessageId, SessionId, SessionSummary, TurnEnd, TurnId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line of `session.jsonl` after the header: known fields typed in [`kata_protocol`]'s views, the whole kept verbatim.
pub type StoredRow = Map<String, Value>;

/// A line of `journal.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum JournalEntry {
    /// A turn began for the input row `input`.
    TurnStarted {
        /// Turn.
        turn: TurnId,
        /// Input row.
        input: MessageId,
        /// Provider id.
        model: String,
        /// Context that went with the input.
        #[serde(default)]
        context: Vec<String>,
    },
    /// The model finished one answer.
    Step {
        /// Turn.
        turn: TurnId,
        /// Verbatim blocks.
        blocks: Vec<Value>,
        /// Family of the model that made them.
        family: String,
    },
    /// Input that came into the running turn.
    Steered {
        /// Turn.
        turn: TurnId,
        /// Input row.
        input: MessageId,
    },
    /// Input that waited was refused for newer input: it is no part of the conversation.
    Refused {
        /// Input row.
        input: MessageId,
    },
    /// A tool call waits for a person.
    ApprovalRequested {
        /// Turn.
        turn: TurnId,
        /// Call.
        call: CallId,
        /// Why.
        reason: String,
        /// The whole question, with the call as it would run; absent in journals of the first version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Box<kata_protocol::Approval>>,
        /// A plugin asked.
        #[serde(default)]
        by_hook: bool,
        /// Arguments and reason are not told in a channel.
        #[serde(default)]
        discreet: bool,
    },
    /// It was answered.
    ApprovalResolved {
        /// Call.
        call: CallId,
        /// Answer.
        decision: kata_protocol::ApprovalDecision,
    },
    /// The text of a person's message was changed while it waited.
    Reworded {
        /// Row of the message.
        input: MessageId,
        /// Text as it is now.
        text: String,
    },
    /// A tool is about to run; written and synced before it does.
    ToolStarted {
        /// Turn.
        turn: TurnId,
        /// Call.
        call: CallId,
    },
    /// A tool ended; its full result.
    ToolDone {
        /// Turn.
        turn: TurnId,
        /// Call.
        call: CallId,
        /// Text as the model sees it.
        text: String,
        /// Whether it failed.
        is_error: bool,
    },
    /// A turn ended.
    TurnEnded {
        /// Turn.
        turn: TurnId,
        /// How.
        end: TurnEnd,
    },
}

/// A session as read from disk. A torn last line of either file has been cut off and counted in `repaired`.
#[derive(Clone, Debug)]
pub struct LoadedSession {
    /// List row made from the header and the index.
    pub summary: SessionSummary,
    /// Rows of `session.jsonl`.
    pub rows: Vec<StoredRow>,
    /// Journal.
    pub journal: Vec<JournalEntry>,
    /// Damaged lines that were skipped (kept in a `.damaged` file beside it).
    pub repaired: u32,
}

/// What a new session starts with.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Title.
    pub name: Option<String>,
    /// Provider id.
    pub model: Option<String>,
    /// Permission mode.
    pub mode: kata_protocol::PermissionMode,
    /// Channel, for a channel session.
    pub channel: Option<kata_protocol::SessionChannel>,
    /// `channelId` of the header.
    pub channel_id: Option<String>,
    /// `externalConversationId` of the header.
    pub external_conversation: Option<String>,
    /// Folder its tools work in.
    pub working_directory: Option<String>,
    /// Agent profile.
    pub profile: Option<String>,
    /// How it is tidied up.
    pub class: kata_protocol::SessionClass,
}

/// The end of a long session, read without the rest.
#[derive(Clone, Debug)]
pub struct TranscriptTail {
    /// List row.
    pub summary: SessionSummary,
    /// Rows, oldest first.
    pub rows: Vec<StoredRow>,
    /// Rows before the first one here.
    pub earlier: u32,
}

/// Lines to add. One call is one write per file, rows first: an answer whose row is there counts, one whose turn merely
/// ended does not. A call that fails has added nothing.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// Rows for `session.jsonl`.
    pub rows: Vec<StoredRow>,
    /// Entries for `journal.jsonl`.
    pub journal: Vec<JournalEntry>,
    /// Whether the call returns only when what was written, and everything before it, survives a power cut.
    pub sync: bool,
}

/// Why the files could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TranscriptError {
    /// No such session.
    #[error("no session named “{0}”")]
    NotFound(SessionId),
    /// No such message in the session.
    #[error("no message named “{0}” in this session")]
    NoMessage(MessageId),
    /// The header cannot be read; the file stays as it is.
    #[error("the first line of {path} is not a session header: {reason}")]
    BadHeader {
        /// File.
        path: String,
        /// Why.
        reason: String,
    },
    /// The workspace of a new session is not there.
    #[error("no workspace named “{0}”")]
    NoWorkspace(WorkspaceId),
    /// The program ends, and this was not written any more.
    #[error("the program ends before it was written")]
    Stopping,
    /// The file system refused; it may not do so the next time.
    #[error("{path}: {reason}")]
    Io {
        /// File.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Sessions on disk, with their index.
#[async_trait]
pub trait Transcripts: Send + Sync + 'static {
    /// Makes a session folder with a header; the id is `YYMMDD-adjective-noun[-n]`.
    async fn create(&self, new: NewSession) -> Result<SessionSummary, TranscriptError>;
    /// Reads a session whole.
    async fn load(&self, id: &SessionId) -> Result<LoadedSession, TranscriptError>;
    /// Adds lines. Order of calls per session is the order on disk.
    async fn append(&self, id: &SessionId, append: Append) -> Result<(), TranscriptError>;
    /// Replaces the list row in the index; it reaches line 1 of the file at the next rewrite.
    async fn update(&self, summary: SessionSummary) -> Result<(), TranscriptError>;
    /// Notes the list row of a session at work; never waits. It reaches the index within a moment: what a crash takes of it
    /// is in the files, counters of tokens excepted.
    fn touch(&self, summary: SessionSummary);
    /// Counts the tokens of one answer of a model; `begins` with the first of a turn. Never waits. Who keeps no count does nothing.
    fn used(&self, model: &str, usage: super::StepUsage, begins: bool) {
        let _ = (model, usage, begins);
    }
    /// Brings line 1 up to date (temp, fsync, rename). Called when a session goes idle.
    async fn rewrite(&self, id: &SessionId) -> Result<(), TranscriptError>;
    /// Notes in line 1 that this session has the conversation `key`, or no longer has it, so that the keys can be made again
    /// from the files.
    async fn keyed(&self, id: &SessionId, key: &kata_protocol::SessionKey, has: bool) -> Result<(), TranscriptError>;
    /// The newest `limit` rows, or those before a message, without reading what stands before them. `None`: the session is
    /// short, or something in it is open; it is to be loaded.
    async fn tail(&self, id: &SessionId, limit: u32, before: Option<&MessageId>) -> Result<Option<TranscriptTail>, TranscriptError>;
    /// Deletes a session's folder, its row, its texts in the search, and takes its conversations away. The caller sees to it
    /// that nobody writes it any more.
    async fn remove(&self, id: &SessionId) -> Result<(), TranscriptError>;
    /// One list row.
    async fn summary(&self, id: &SessionId) -> Result<SessionSummary, TranscriptError>;
    /// List rows and how many match in all.
    async fn list(&self, query: kata_protocol::SessionList) -> Result<(Vec<SessionSummary>, u32), TranscriptError>;
}
