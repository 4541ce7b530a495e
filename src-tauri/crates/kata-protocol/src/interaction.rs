//! What people do at a platform besides writing: they press buttons, react, change and take back what they wrote. And what a
//! channel shows besides messages: previews of an answer that is still being written.

use crate::{AccountId, ChatType, ConversationId, Ms, PlatformMessageId, ReplyRoute, Sender, ThreadId};
use serde::{Deserialize, Serialize};

/// How a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// One of several.
    #[default]
    Plain,
    /// What one would usually press.
    Primary,
    /// What takes something away or refuses it.
    Danger,
}

/// A button under a message. Only channels with `capabilities.buttons` above 0 are given any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// What the host wants back when it is pressed: at most 48 bytes of `a-z A-Z 0-9 : -`.
    pub id: String,
    /// What stands on it, at most 24 characters.
    pub label: String,
    /// How it looks.
    pub style: ButtonStyle,
}

/// A person pressed a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ButtonPress {
    /// Which account it happened in.
    pub account: AccountId,
    /// Where.
    pub conversation: ConversationId,
    /// Kind of conversation.
    pub chat_type: ChatType,
    /// Thread or topic, if any.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// Who pressed.
    pub sender: Sender,
    /// Message the button stands under.
    pub message_id: PlatformMessageId,
    /// The button's id.
    pub button: String,
}

/// What a press led to. The plugin shows `text` to the person who pressed, where the platform can, and takes the buttons away
/// when `done`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PressAnswer {
    /// One sentence for the person who pressed.
    pub text: String,
    /// Whether the question is settled. The host then edits the message with the outcome where the channel can edit.
    pub done: bool,
}

/// What happened to a message that is there already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum NoticeKind {
    /// Its writer changed it.
    Edited {
        /// Text as it is now.
        text: String,
    },
    /// It was taken back.
    Deleted {},
    /// Somebody reacted, or took a reaction back.
    Reaction {
        /// An emoji, or the platform's name for one.
        emoji: String,
        /// False when it was taken back.
        added: bool,
    },
}

/// Something happened to a message; the session hears of it as data, and no turn begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelNotice {
    /// Which account it happened in.
    pub account: AccountId,
    /// Where.
    pub conversation: ConversationId,
    /// Kind of conversation.
    pub chat_type: ChatType,
    /// Thread or topic, if any.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// Who did it.
    pub sender: Sender,
    /// The message it happened to.
    pub message_id: PlatformMessageId,
    /// What happened.
    pub what: NoticeKind,
    /// When, by the platform's clock.
    #[serde(default)]
    pub at: Option<Ms>,
}

/// How a channel can show an answer while it is being written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// Not at all.
    #[default]
    None,
    /// A message that is edited, and becomes the answer.
    Edit,
    /// A passing preview that goes by itself.
    Draft,
    /// The platform's own streaming; the stream becomes the answer.
    Native,
}

/// How the platform gives events, and what is lost when nobody listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// Given again until acknowledged (Slack, webhooks).
    AckGated,
    /// Read from a cursor (Telegram, Matrix, IMAP).
    Cursor,
    /// A session that can be resumed for a while (Discord).
    Resume,
    /// What was missed is gone.
    #[default]
    NonReplay,
}

/// An answer as far as it is written. Not durable, and never for a session whose replies a `message_sending` hook may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamPreview {
    /// Where to.
    pub route: ReplyRoute,
    /// Markdown so far, cut to the channel's limit.
    pub text: String,
    /// The same for every preview of one answer.
    pub key: String,
    /// What the preview before it returned; absent for the first.
    pub message_id: Option<PlatformMessageId>,
}

/// A conversation the agent may write to of its own accord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownConversation {
    /// Which account reaches it.
    pub account: AccountId,
    /// As drafts carry it.
    pub id: ConversationId,
    /// Name to show.
    pub name: String,
    /// Kind of conversation.
    pub chat_type: ChatType,
}

/// A message the agent sends of its own accord, through the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectMessage {
    /// Id or name of one of the channel's known conversations.
    pub to: String,
    /// Thread or topic, if any.
    #[serde(default)]
    pub thread: Option<ThreadId>,
    /// Markdown.
    pub text: String,
}
