//! Leading a person through a channel's set-up, and looking at how it stands.

use crate::{AccountId, ChannelId, ChatType, ConversationId, Sender, SourceId, WorkspaceId};
use serde::{Deserialize, Serialize};

/// One page of the set-up. `error` says what was wrong with the answer before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SetupStep {
    /// Asks for a setting; the host checks it against the manifest's schema and stores it under `field`.
    Input {
        /// Setting.
        field: String,
        /// Headline.
        title: String,
        /// Markdown: what it is and where to find it.
        help: String,
        /// What was wrong.
        #[serde(default)]
        error: Option<String>,
        /// Text to copy, such as an app manifest.
        #[serde(default)]
        copy: Option<String>,
    },
    /// Asks for a secret; the host stores it under `secret` and never shows it to anybody again.
    Secret {
        /// Secret.
        secret: String,
        /// Headline.
        title: String,
        /// Markdown: what it is and where to find it.
        help: String,
        /// What was wrong.
        #[serde(default)]
        error: Option<String>,
        /// Text to copy, such as an app manifest.
        #[serde(default)]
        copy: Option<String>,
    },
    /// Sends the person to a web page; asked again until the step changes.
    Open {
        /// Address, `https:` or loopback.
        url: String,
        /// Headline.
        title: String,
        /// Markdown.
        help: String,
        /// What was wrong.
        #[serde(default)]
        error: Option<String>,
    },
    /// Shows a code to scan; asked again until the step changes.
    Qr {
        /// What the code says.
        text: String,
        /// Headline.
        title: String,
        /// Markdown.
        help: String,
        /// What was wrong.
        #[serde(default)]
        error: Option<String>,
    },
    /// Lets the person choose; the value is stored under `field`.
    Choice {
        /// Setting.
        field: String,
        /// Headline.
        title: String,
        /// Markdown.
        #[serde(default)]
        help: String,
        /// What there is to choose from.
        options: Vec<SetupOption>,
        /// What was wrong.
        #[serde(default)]
        error: Option<String>,
    },
    /// Finished.
    Done {
        /// The account, as drafts carry it.
        account: AccountId,
        /// Its name.
        name: String,
    },
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetupOption {
    /// Value to store.
    pub value: String,
    /// What a person reads.
    pub label: String,
}

/// What a look at the platform gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Whether the channel could work now.
    pub ok: bool,
    /// How long the platform took, in milliseconds.
    pub latency_ms: u32,
    /// One sentence for a person.
    pub message: String,
}

/// One thing a person should know before they open the channel to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityWarning {
    /// Short and stable.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// A conversation the bot knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryEntry {
    /// As drafts carry it.
    pub id: ConversationId,
    /// Name to show.
    pub name: String,
    /// Kind of conversation.
    pub chat_type: ChatType,
}

/// What a channel knows of its platform; a part that the plugin does not offer is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelDirectory {
    /// The bot itself.
    pub me: Option<Sender>,
    /// People it can write to.
    pub peers: Option<Vec<DirectoryEntry>>,
    /// Groups and channels it is in.
    pub groups: Option<Vec<DirectoryEntry>>,
}

macro_rules! setup_params {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

setup_params! {
    /// `channel.setup`: the step to show now; with an answer, the step after it.
    ChannelSetup {
        /// Source of kind `channel`.
        id: SourceId,
        /// Answer to the step before: the value for its `field` or `secret`; absent only asks.
        answer: Option<SetupAnswer>,
    }
    /// What a person answered.
    SetupAnswer {
        /// The step's `field` or `secret`.
        name: String,
        /// Text; a setting of another type is read from it.
        value: String,
    }
    /// `account.add`.
    AccountAdd {
        /// Channel, as its plugin registered it.
        channel: ChannelId,
        /// Short name of the account, `[a-z0-9-]{1,24}`; stands behind `@` in its ids.
        name: String,
        /// Workspace its conversations go to, unless a binding says otherwise; the active one when absent.
        workspace: Option<WorkspaceId>,
    }
    /// `session.attachment`.
    SessionAttachmentRef {
        /// Session.
        session: crate::SessionId,
        /// Attachment.
        attachment: String,
    }
    /// A file for a client.
    AttachmentData {
        /// File name.
        name: String,
        /// Media type.
        mime: String,
        /// Bytes as base64.
        data: String,
    }
    /// A file a client sends with its input.
    SubmitAttachment {
        /// File name.
        name: String,
        /// Media type; found out when absent.
        mime: Option<String>,
        /// Bytes as base64, at most 16 MiB decoded.
        data: String,
    }
}
