//! What passes between a channel plugin and the core. Ids are made and parsed by the plugin alone.

use crate::{
    AccountId, Button, ChannelId, ConversationId, Count, DeliveryMode, DraftAttachment, Media, Ms, PlatformMessageId, SenderId, StreamMode,
    ThreadId,
};
use serde::{Deserialize, Serialize};

/// The kind of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatType {
    /// Between one person and the bot.
    Direct,
    /// Several people.
    Group,
    /// A broadcast or named channel.
    Channel,
}

/// Who wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// The platform's id of the person.
    pub id: SenderId,
    /// Name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// True for bots and webhooks; the loop guard refuses them.
    #[serde(default)]
    pub is_bot: bool,
}

/// One inbound message as a channel plugin hands it in (untrusted until ingress has admitted it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InboundDraft {
    /// Which account of the channel received it.
    pub account: AccountId,
    /// The platform's id of the message; a second draft with the same id is dropped as a duplicate.
    pub message_id: PlatformMessageId,
    /// Where it was written, and where the reply goes.
    pub conversation: ConversationId,
    /// Name of the conversation to show.
    #[serde(default)]
    pub conversation_name: Option<String>,
    /// Kind of conversation.
    pub chat_type: ChatType,
    /// Thread or topic, if any.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// Who wrote.
    pub sender: Sender,
    /// Plain text, at most 256 KiB.
    pub text: String,
    /// Message this one answers.
    #[serde(default)]
    pub reply_to: Option<PlatformMessageId>,
    /// Whether the bot was addressed (mention, reply to it, command).
    #[serde(default)]
    pub mentions_bot: bool,
    /// When the platform says it was written.
    #[serde(default)]
    pub sent_at: Option<Ms>,
    /// Files, at most 10. With files the text may be empty.
    #[serde(default)]
    pub attachments: Vec<DraftAttachment>,
}

/// What ingress answers the plugin. Only after this may the platform be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum IngressAnswer {
    /// Durable; a reply may follow.
    Admitted,
    /// Seen before; nothing more happens.
    Duplicate,
    /// Refused; kept in the ledger with its reason. What the sender is told (a pairing code) goes through the outbox.
    Refused {
        /// Why.
        code: RefusalCode,
    },
}

/// Why ingress or a hook refused a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Longer than the cap.
    TooLarge,
    /// The sender is not paired yet; a code was issued.
    PairingRequired,
    /// The sender is not on the allow-list.
    NotAllowed,
    /// The channel takes no direct messages, or is off.
    ChannelOff,
    /// A group message that does not address the bot.
    NotMentioned,
    /// The sender is a bot, or it is our own echo.
    Loop,
    /// Too many messages.
    RateLimited,
    /// A hook blocked it.
    BlockedByHook,
    /// The agent was at work, and the binding takes nothing then.
    Busy,
    /// As many messages wait in the session as may.
    QueueFull,
}

/// Who may write to a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DmPolicy {
    /// A stranger gets a code that a person approves in the window or the CLI.
    #[default]
    Pairing,
    /// Only listed senders.
    AllowList,
    /// Everybody.
    Open,
    /// Nobody.
    Off,
}

/// What a channel can do; data, declared by the plugin at registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelCapabilities {
    /// Kinds of conversation it serves.
    pub chat_types: Vec<ChatType>,
    /// Longest text of one message, in `text_unit`.
    pub text_max: u32,
    /// What `text_max` counts.
    pub text_unit: TextUnit,
    /// Markup of outgoing text.
    pub dialect: Dialect,
    /// Whether a sent message can be edited.
    pub edit: bool,
    /// Whether threads or topics exist.
    pub threads: bool,
    /// How long one typing signal lasts in milliseconds; 0 = none.
    pub typing_ttl_ms: u32,
    /// Whether the platform drops a second send with the same key.
    pub idempotent_send: bool,
    /// How long a sent message can be edited, in milliseconds; absent: as long as one likes.
    pub edit_window_ms: Option<Count>,
    /// Whether a sent message can be removed.
    pub delete: bool,
    /// Whether the bot can react to a message.
    pub reactions: bool,
    /// Most buttons under one message; 0 = none.
    pub buttons: u32,
    /// Whether files of people can be fetched.
    pub files_in: bool,
    /// Whether files can be sent.
    pub files_out: bool,
    /// Longest file either way, in bytes; 0 = the host's limit.
    pub file_max: Count,
    /// How an answer can be shown while it is written.
    pub stream: StreamMode,
    /// Shortest time between two previews, in milliseconds.
    pub stream_interval_ms: u32,
    /// How events are given.
    pub delivery: DeliveryMode,
    /// Whether what was written while nobody listened is read afterwards.
    pub catch_up: bool,
}

impl Default for ChannelCapabilities {
    fn default() -> Self {
        Self {
            chat_types: vec![ChatType::Direct],
            text_max: 4000,
            text_unit: TextUnit::Chars,
            dialect: Dialect::Plain,
            edit: false,
            threads: false,
            typing_ttl_ms: 0,
            idempotent_send: false,
            edit_window_ms: None,
            delete: false,
            reactions: false,
            buttons: 0,
            files_in: false,
            files_out: false,
            file_max: Count(0),
            stream: StreamMode::None,
            stream_interval_ms: 1000,
            delivery: DeliveryMode::NonReplay,
            catch_up: false,
        }
    }
}

/// Unit of a length limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextUnit {
    /// Unicode scalar values.
    #[default]
    Chars,
    /// UTF-16 code units (Telegram).
    Utf16,
    /// UTF-8 bytes (IRC).
    Bytes,
}

/// Markup a channel understands. The core hands Markdown over; the plugin renders it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// No markup.
    #[default]
    Plain,
    /// Markdown.
    Markdown,
    /// HTML subset.
    Html,
    /// Slack's mrkdwn.
    Mrkdwn,
}

/// Where a reply goes. Made from an admitted message only; a reply cannot name another conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplyRoute {
    /// Channel.
    pub channel: ChannelId,
    /// Account of the channel.
    pub account: AccountId,
    /// Conversation.
    pub conversation: ConversationId,
    /// Thread or topic.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// The message that is answered.
    #[serde(default)]
    pub reply_to: Option<PlatformMessageId>,
}

/// One send as the plugin's `outbound.send` gets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboundMessage {
    /// Where to.
    pub route: ReplyRoute,
    /// Markdown, already cut to the channel's limit. May be empty when there are files.
    pub text: String,
    /// Files, read with `ctx.media.read`; only for channels with `filesOut`.
    #[serde(default)]
    pub attachments: Vec<Media>,
    /// Buttons under the last platform message of this part.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// A preview that this message takes the place of: what `outbound.stream` returned last.
    #[serde(default)]
    pub replaces: Option<PlatformMessageId>,
    /// Stable over retries of this part; pass it to the platform where it takes one.
    pub idempotency_key: String,
    /// From 1.
    pub attempt: u32,
}

/// What the platform said of a delivered message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Ids of the messages that came of it, in order.
    pub message_ids: Vec<PlatformMessageId>,
}

/// Closed set of reasons why a send failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendErrorCode {
    /// Too fast; `retry_after_ms` says how long to wait.
    RateLimited,
    /// The token is wrong or revoked.
    Unauthorized,
    /// The conversation does not exist.
    NotFound,
    /// The bot may not write there.
    Forbidden,
    /// The platform refuses the content.
    Invalid,
    /// The platform cannot be reached.
    Unreachable,
}

/// Why a send failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct SendError {
    /// Reason.
    pub code: SendErrorCode,
    /// For a person; no message text, no token.
    pub message: String,
    /// How long to wait before the next attempt, in milliseconds.
    #[serde(default)]
    pub retry_after_ms: Option<u32>,
    /// True when nothing reached the platform. False: bytes may have left.
    pub certain: bool,
}
