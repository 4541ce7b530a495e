//! Files that travel with messages. The platform's file is named by a reference until somebody was let in who sent it; what the
//! host keeps has a [`MediaId`].

use crate::{Count, MediaId};
use serde::{Deserialize, Serialize};

/// What kind of file it is; platforms show kinds differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound to listen to.
    Audio,
    /// A voice message.
    Voice,
    /// A film.
    Video,
    /// Anything else.
    #[default]
    File,
}

/// A file at the platform, as a channel's draft names it. Nothing of it is fetched before its sender was let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DraftAttachment {
    /// How the plugin finds it again, 1 to 4,096 bytes; given back to `messaging.download`. No token.
    pub reference: String,
    /// Kind.
    #[serde(default)]
    pub kind: MediaKind,
    /// File name to show, at most 255 bytes; the host makes it safe.
    pub name: String,
    /// Media type, where the platform says it.
    #[serde(default)]
    pub mime: Option<String>,
    /// Length, where the platform says it.
    #[serde(default)]
    pub bytes: Option<Count>,
}

/// A file the host keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// Its name with the host.
    pub id: MediaId,
    /// Kind.
    pub kind: MediaKind,
    /// File name to show.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Length.
    pub bytes: Count,
}

/// A file of a message in a transcript. It lies in the session's `attachments/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// Its name within the session; what `session.attachment` takes.
    pub id: String,
    /// Kind.
    pub kind: MediaKind,
    /// File name to show.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// Length; 0 when it is not there.
    pub bytes: Count,
    /// Why it is not there, for a person; absent when it is.
    pub missing: Option<String>,
}
