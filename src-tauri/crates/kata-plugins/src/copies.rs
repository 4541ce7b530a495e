//! Further copies of a plugin, one for each further account of its channels: `plugin@account`.
//!
//! A copy runs the same files under another id, and to the host it is a plugin of its own: thread, settings, secrets, state,
//! budgets, faults. Its channels are `channel@account`; `_account` stands behind the names of its tools and commands, which are
//! one namespace for all. Its hooks are the original's alone: of two copies each would change every message once more.
//! Deliberately absent: which accounts there are, and trust, which is the original's (the engine's).

use crate::discover::Candidate;
use kata_protocol::{Contributes, PluginId};

/// Longest name of an account.
const MAX_ACCOUNT: usize = 24;
/// Longest name of a plugin, channel, tool or command.
const MAX_NAME: usize = 64;

/// Why there can be no such copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// The account's name.
    #[error("“{0}” is no name for an account: it has 1 to {MAX_ACCOUNT} of a-z, 0-9 and -")]
    Account(String),
    /// The plugin is a copy itself.
    #[error("plugin “{0}” is a further account itself")]
    OfCopy(PluginId),
    /// A name would be longer than it may be.
    #[error("the {kind} would be called “{name}”, which is longer than {MAX_NAME} bytes")]
    TooLong {
        /// What would be called so.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

/// The plugin an id is a copy of; the id itself where it is none.
pub fn original_of(id: &PluginId) -> PluginId {
    let original = id.as_str().split('@').next().and_then(|part| PluginId::new(part).ok());
    original.unwrap_or_else(|| id.clone())
}

/// A channel's name in a copy.
pub(crate) fn channel_name(channel: &str, account: Option<&str>) -> String {
    account.map_or_else(|| channel.to_owned(), |account| format!("{channel}@{account}"))
}

/// A tool's or command's name in a copy.
pub(crate) fn tool_name(tool: &str, account: Option<&str>) -> String {
    account.map_or_else(|| tool.to_owned(), |account| format!("{tool}_{account}"))
}

/// The copy of a plugin for an account.
///
/// # Errors
/// [`CopyError`].
pub fn copy_of(original: &Candidate, account: &str) -> Result<Candidate, CopyError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if account.is_empty() || account.len() > MAX_ACCOUNT || !account.bytes().all(fits) {
        return Err(CopyError::Account(account.to_owned()));
    }
    if original.account.is_some() {
        return Err(CopyError::OfCopy(original.manifest.id.clone()));
    }
    let short = |kind: &'static str, name: String| {
        if name.len() > MAX_NAME {
            return Err(CopyError::TooLong { kind, name });
        }
        Ok(name)
    };
    let mut copy = original.clone();
    let manifest = &mut copy.manifest;
    let id = short("plugin", channel_name(manifest.id.as_str(), Some(account)))?;
    let Contributes {
        tools,
        hooks,
        channels,
        commands,
        ..
    } = &mut manifest.contributes;
    for name in channels {
        *name = short("channel", channel_name(name, Some(account)))?;
    }
    for name in tools {
        *name = short("tool", tool_name(name, Some(account)))?;
    }
    for name in commands {
        *name = short("command", tool_name(name, Some(account)))?;
    }
    hooks.clear();
    manifest.id = PluginId::new(&id).map_err(|_| CopyError::TooLong {
        kind: "plugin",
        name: id.clone(),
    })?;
    manifest.name = format!("{} · {account}", manifest.name);
    copy.account = Some(account.to_owned());
    copy.pins = None;
    Ok(copy)
}

impl Candidate {
    /// The plugin it is a copy of; itself where it is none.
    pub fn original(&self) -> PluginId {
        original_of(&self.manifest.id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::manifest::parse_manifest;
    use kata_protocol::PluginOrigin;

    fn original(tool: &str) -> Candidate {
        let manifest = serde_json::json!({
            "id": "slack", "name": "Slack", "version": "1", "api": "1", "capabilities": ["secret:token", "hooks:conversation"],
            "contributes": { "channels": ["slack"], "tools": [tool], "commands": ["slack"], "services": ["s"], "hooks": ["message_received"] },
        });
        Candidate {
            manifest: parse_manifest(&manifest.to_string()).unwrap(),
            folder: "/p".into(),
            origin: PluginOrigin::Bundled,
            workspace: None,
            pins: None,
            account: None,
        }
    }

    #[test]
    fn a_copy_shares_files_and_capabilities_and_no_name() {
        let original = original("send");
        let copy = copy_of(&original, "team-2").unwrap();
        let contributes = &copy.manifest.contributes;
        assert_eq!(copy.manifest.id.as_str(), "slack@team-2");
        assert_eq!((copy.original().as_str(), copy.manifest.name.as_str()), ("slack", "Slack · team-2"));
        assert_eq!(
            (contributes.channels[0].as_str(), contributes.tools[0].as_str()),
            ("slack@team-2", "send_team-2")
        );
        assert_eq!(
            (contributes.commands[0].as_str(), contributes.services[0].as_str()),
            ("slack_team-2", "s")
        );
        assert!(contributes.hooks.is_empty());
        assert_eq!(
            (copy.folder, copy.manifest.capabilities),
            (original.folder, original.manifest.capabilities)
        );
    }

    #[test]
    fn a_name_that_could_be_mistaken_is_refused() {
        for bad in ["", "Work", "a b", "a@b", "a_b", "ä", "x/y", &"x".repeat(25)] {
            assert_eq!(copy_of(&original("t"), bad).unwrap_err(), CopyError::Account(bad.to_owned()));
        }
        let copy = copy_of(&original("t"), "a").unwrap();
        assert!(matches!(copy_of(&copy, "b"), Err(CopyError::OfCopy(_))));
        let long = copy_of(&original(&"t".repeat(60)), "abcd").unwrap_err();
        assert!(matches!(long, CopyError::TooLong { kind: "tool", .. }));
    }
}
