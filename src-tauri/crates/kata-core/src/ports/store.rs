//! The durable store: inbox, outbox, keys, pairing, plugin state, traces. Operations, not tables: an implementation may be
//! memory, SQLite, or a server that several processes share. When a call returns, what it wrote is durable.

use async_trait::async_trait;
use kata_protocol::{
    AccountId, Button, ChannelId, ChatType, ConversationId, InboundDraft, Json, Ledger, Media, Ms, OutboundMessage, PairingRequest,
    PlatformMessageId, PluginId, Receipt, RefusalCode, RefusalCount, ReplyRoute, SenderId, SessionId, SessionKey, Trace, TraceId,
    TraceList,
};
use serde::{Deserialize, Serialize};

/// Row of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(pub i64);

/// Row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutboxId(pub i64);

/// The store failed; the message is for the log and the person.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// An accepted message that has not reached a terminal state.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRow {
    /// Row.
    pub id: InboxId,
    /// Channel.
    pub channel: ChannelId,
    /// Message.
    pub draft: InboundDraft,
    /// When it was accepted.
    pub received_at: Ms,
    /// Set once routed.
    pub session: Option<SessionId>,
}

/// A conversation that somebody wrote from who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFrom {
    /// Which account it reaches.
    pub account: AccountId,
    /// Conversation.
    pub conversation: ConversationId,
    /// Its name; of a direct one the person's.
    pub name: Option<String>,
    /// Kind.
    pub chat_type: ChatType,
    /// Who wrote last.
    pub sender: SenderId,
    /// The session that was for.
    pub session: SessionId,
}

/// How an inbox row ends without a reply on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxEnd {
    /// The agent (or a hook) had nothing to send.
    Silent,
    /// Refused.
    Refused(RefusalCode),
    /// Given up; the reason is shown.
    Dead(String),
}

/// One part of a reply, not yet in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutbound {
    /// Session that answers; absent for the gateway's own notices (a pairing code).
    pub session: Option<SessionId>,
    /// Where to.
    pub route: ReplyRoute,
    /// Text of this part.
    pub text: String,
    /// Unique over all time; a second row with the same key is not made.
    pub idempotency_key: String,
    /// What goes with the text.
    pub extras: OutboundExtras,
}

/// What goes with the text of one part of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboundExtras {
    /// Files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Media>,
    /// Buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// A preview that it takes the place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PlatformMessageId>,
    /// It is no message of its own: it takes the place of the last part that left under this stem of a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edits: Option<String>,
}

impl OutboundExtras {
    /// Whether there is nothing but text.
    pub fn is_empty(&self) -> bool {
        self.attachments.is_empty() && self.buttons.is_empty() && self.replaces.is_none() && self.edits.is_none()
    }
}

/// How an outbox row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// Waits for its time.
    Pending {
        /// Not before.
        next_at: Ms,
    },
    /// Handed to the plugin; after a crash nobody knows whether it left.
    Sending,
    /// The platform has it.
    Sent,
    /// Nobody knows whether it left and the platform cannot tell: a person decides.
    Parked,
    /// Given up.
    Dead,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Row; the order of sending within one conversation.
    pub id: OutboxId,
    /// The inbox row it answers.
    pub inbox: Option<InboxId>,
    /// Session.
    pub session: Option<SessionId>,
    /// The send, with `attempt` as tried so far.
    pub message: OutboundMessage,
    /// See [`OutboundExtras::edits`].
    pub edits: Option<String>,
    /// How it stands.
    pub state: OutboxState,
    /// Last failure.
    pub error: Option<String>,
}

/// Messages in and out.
#[async_trait]
pub trait MessageStore: Send + Sync + 'static {
    /// Accepts a message. `None` when channel, account and message id are known already.
    async fn accept(&self, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<Option<InboxId>, StoreError>;
    /// Keeps that a message was refused, without its text. `None` when it is known already.
    async fn refuse(&self, channel: &ChannelId, draft: &InboundDraft, code: RefusalCode, now: Ms) -> Result<Option<InboxId>, StoreError>;
    /// Notes the session a row went to.
    async fn routed(&self, id: InboxId, key: &SessionKey, session: &SessionId) -> Result<(), StoreError>;
    /// Ends a row that gets no reply. A refused row keeps no text.
    async fn finish(&self, id: InboxId, end: InboxEnd) -> Result<(), StoreError>;
    /// One accepted message, whatever its state. The text of a refused one is not kept.
    async fn message(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError>;
    /// The accepted message of a platform's id, and whether it is neither ended nor answered.
    async fn known(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        message_id: &PlatformMessageId,
    ) -> Result<Option<(InboxRow, bool)>, StoreError>;
    /// Changes the text of a message that is neither ended nor answered.
    async fn reword(&self, id: InboxId, text: &str) -> Result<(), StoreError>;
    /// Conversations of a channel whose messages went to a session, at most this many, those with the newest message first.
    async fn written_from(&self, channel: &ChannelId, limit: u32) -> Result<Vec<WrittenFrom>, StoreError>;
    /// Rows that are neither ended nor answered, oldest first.
    async fn unfinished(&self) -> Result<Vec<InboxRow>, StoreError>;
    /// Queues a reply and marks the inbox row answered, in one step. Parts whose key exists are skipped.
    async fn enqueue(&self, inbox: Option<InboxId>, parts: Vec<NewOutbound>, now: Ms) -> Result<Vec<OutboxRow>, StoreError>;
    /// Rows that are pending or sending, in order.
    async fn unsent(&self) -> Result<Vec<OutboxRow>, StoreError>;
    /// About to hand over: state `Sending`, one more attempt.
    async fn sending(&self, id: OutboxId, attempt: u32) -> Result<(), StoreError>;
    /// Delivered. When it was the last part, the inbox row ends as delivered.
    async fn sent(&self, id: OutboxId, receipt: &Receipt) -> Result<(), StoreError>;
    /// Not delivered: what happens next and why.
    async fn unsent_again(&self, id: OutboxId, state: OutboxState, error: &str) -> Result<(), StoreError>;
    /// Receipt of the last part that was delivered under a stem of keys ([`OutboundExtras::edits`]).
    async fn receipt_of(&self, stem: &str) -> Result<Option<Receipt>, StoreError>;
    /// Where every message is.
    async fn ledger(&self) -> Result<Ledger, StoreError>;
    /// Refused messages by channel and reason, the last refused first.
    async fn refusals(&self) -> Result<Vec<RefusalCount>, StoreError>;
}

/// A conversation that has a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundKey {
    /// Key.
    pub key: SessionKey,
    /// Its session.
    pub session: SessionId,
    /// When a message was last routed under it.
    pub last_at: Option<Ms>,
}

/// Which conversation has which session. What changes a binding that stands goes through [`crate::conversations`], which
/// keeps the headers of both sessions in line.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The session of a key.
    async fn session_for(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError>;
    /// Binds a key that has none; answers the session in force (somebody else's, if they were first).
    async fn bind(&self, key: &SessionKey, session: &SessionId) -> Result<SessionId, StoreError>;
    /// Binds a key to this session, whatever it had; answers what it had.
    async fn rebind(&self, key: &SessionKey, session: &SessionId) -> Result<Option<SessionId>, StoreError>;
    /// Takes a key's session away, so that its next message begins a new one; answers what it had.
    async fn unbind(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError>;
    /// Keys of a session.
    async fn keys_of(&self, session: &SessionId) -> Result<Vec<SessionKey>, StoreError>;
    /// At most this many keys, those with the newest message first, those without any last, then by key.
    async fn keys(&self, limit: u32) -> Result<Vec<BoundKey>, StoreError>;
}

/// Who may write.
#[async_trait]
pub trait PairingStore: Send + Sync + 'static {
    /// Whether a person was let in.
    async fn is_paired(&self, channel: &ChannelId, sender: &SenderId) -> Result<bool, StoreError>;
    /// The open request of a person, if it has not expired at `now`.
    async fn open_request(&self, channel: &ChannelId, sender: &SenderId, now: Ms) -> Result<Option<PairingRequest>, StoreError>;
    /// Keeps a request; replaces an expired one of the same person.
    async fn request(&self, request: &PairingRequest) -> Result<(), StoreError>;
    /// Open requests at `now`.
    async fn requests(&self, now: Ms) -> Result<Vec<PairingRequest>, StoreError>;
    /// Ends a request; `approve` lets the person in. `None` when there is no such open code.
    async fn resolve(&self, code: &str, approve: bool, now: Ms) -> Result<Option<PairingRequest>, StoreError>;
    /// People who were let in.
    async fn paired(&self, channel: &ChannelId) -> Result<Vec<SenderId>, StoreError>;
    /// Forgets everybody of a channel: who was let in, and who asks.
    async fn forget_people(&self, channel: &ChannelId) -> Result<(), StoreError>;
}

/// Traces, a bounded ring.
#[async_trait]
pub trait TraceStore: Send + Sync + 'static {
    /// Keeps or replaces a trace, and lets go of all but the newest `keep`. Need not be durable when it returns.
    async fn record(&self, trace: &Trace, keep: u32) -> Result<(), StoreError>;
    /// How many are kept.
    async fn kept(&self) -> Result<u32, StoreError>;
    /// Those that [`crate::trace::wanted`] names, newest first, at most the list's limit of them (50 when absent, 500 at most);
    /// looks at the newest 10,000 only.
    async fn traces(&self, list: &TraceList) -> Result<Vec<Trace>, StoreError>;
    /// One.
    async fn trace(&self, id: &TraceId) -> Result<Option<Trace>, StoreError>;
}

/// Key-value state of plugins.
#[async_trait]
pub trait PluginStateStore: Send + Sync + 'static {
    /// Reads.
    async fn get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, StoreError>;
    /// Writes, or removes with `None`.
    async fn set(&self, plugin: &PluginId, key: &str, value: Option<&Json>) -> Result<(), StoreError>;
    /// Removes all of a plugin.
    async fn clear_state(&self, plugin: &PluginId) -> Result<(), StoreError>;
}

/// All of it.
pub trait Store:
    MessageStore + KeyStore + PairingStore + TraceStore + PluginStateStore + super::GrantStore + super::LetterStore + super::ApprovalStore
{
}
impl<T> Store for T where
    T: MessageStore
        + KeyStore
        + PairingStore
        + TraceStore
        + PluginStateStore
        + super::GrantStore
        + super::LetterStore
        + super::ApprovalStore
{
}
