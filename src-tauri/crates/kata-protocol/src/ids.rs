//! Identifiers. Opaque outside the module that makes them: core compares them and never looks inside.

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be 1 to {max} bytes without control characters, got {got} bytes")]
pub struct IdError {
    /// The identifier's type, as the reader knows it.
    pub kind: &'static str,
    /// Longest accepted length in bytes.
    pub max: usize,
    /// Length that was given.
    pub got: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, specta::Type, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Accepts a non-empty text without control characters, up to the type's length.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                if text.is_empty() || text.len() > $max || text.chars().any(char::is_control) {
                    return Err(IdError { kind: stringify!($name), max: $max, got: text.len() });
                }
                Ok(Self(text))
            }
            /// The text as its maker wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(s: &str) -> Result<Self, IdError> {
                Self::new(s)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(/** Folder name of a workspace under `workspaces/`. */ WorkspaceId, 128);
id!(/** Folder name of a session, `YYMMDD-adjective-noun[-n]`. */ SessionId, 128);
id!(/** One input and everything the agent does about it. */ TurnId, 64);
id!(/** One message in a transcript. */ MessageId, 128);
id!(/** One tool call, as the model named it. */ CallId, 128);
id!(/** A plugin, as its manifest names it: `[a-z0-9-]+`; for a further account of a channel `plugin@account`. */ PluginId, 64);
id!(/** A source in the panel: `channel:telegram`, `mcp:my-workspace:linear`, … */ SourceId, 256);
id!(/** A channel as its plugin registered it; for a further account `channel@account`. */ ChannelId, 64);
id!(/** An account of a channel (bot, team), made by the channel plugin. */ AccountId, 256);
id!(/** A conversation (DM, group, room), made by the channel plugin. */ ConversationId, 256);
id!(/** A thread or topic in a conversation, made by the channel plugin. */ ThreadId, 256);
id!(/** A person or bot that sends, made by the channel plugin. */ SenderId, 256);
id!(/** A platform's own name for a message, made by the channel plugin. */ PlatformMessageId, 512);
id!(/** A file the host keeps, named by what is in it. */ MediaId, 128);
id!(/** Where a conversation belongs; derived by the router, see `kata_core::router`. */ SessionKey, 3072);
id!(/** One message's life through the gates. */ TraceId, 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_never_empty_oversized_or_a_control_sequence() {
        assert!(SessionId::new("").is_err());
        assert!(SessionId::new("a\nb").is_err());
        assert!(SessionId::new("x".repeat(129)).is_err());
        assert_eq!(SessionId::new("260201-swift-river").unwrap().as_str(), "260201-swift-river");
        assert!(serde_json::from_str::<PluginId>("\"\"").is_err());
    }
}
