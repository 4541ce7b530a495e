//! Which conversation belongs to which session: a pure function from a draft and the bindings to a key.
//!
//! Core never parses an id of a channel: it escapes the parts and joins them, so that two different conversations can never
//! meet, whatever the plugin puts into its ids.

use kata_protocol::{ChannelId, ChatType, InboundDraft, Overlap, PermissionMode, SessionKey, SessionScope, WorkspaceId};
use std::collections::HashMap;
use std::fmt::Write;

/// Where the conversations of a channel go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Workspace of new sessions.
    pub workspace: WorkspaceId,
    /// Provider id; the default one when absent.
    pub model: Option<String>,
    /// Permission mode of new sessions.
    pub mode: PermissionMode,
    /// What shares a session.
    pub scope: SessionScope,
    /// Messages that come while the agent works.
    pub overlap: Overlap,
}

/// The bindings in force: one per channel, and one for the rest.
#[derive(Clone, Debug)]
pub struct Bindings {
    /// For channels without one of their own.
    pub default: Binding,
    /// By channel.
    pub channels: HashMap<ChannelId, Binding>,
}

/// A draft with its place. Only [`route`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    key: SessionKey,
    binding: Binding,
}

impl Routed {
    /// The key.
    pub fn key(&self) -> &SessionKey {
        &self.key
    }
    /// What happens to it while the session is at work.
    pub fn overlap(&self) -> Overlap {
        self.binding.overlap
    }
    /// The binding that decided.
    pub fn binding(&self) -> &Binding {
        &self.binding
    }
}

/// Finds the place of a draft. The error is the id type's own: a key longer than its bound.
pub fn route(bindings: &Bindings, channel: &ChannelId, draft: &InboundDraft) -> Result<Routed, kata_protocol::IdError> {
    let binding = bindings.channels.get(channel).unwrap_or(&bindings.default).clone();
    let mut key = String::new();
    escape(&mut key, channel.as_str());
    for part in [draft.account.as_str(), draft.conversation.as_str()] {
        key.push(':');
        escape(&mut key, part);
    }
    if let (SessionScope::Thread, Some(thread)) = (binding.scope, &draft.thread) {
        key.push(':');
        escape(&mut key, thread.as_str());
    }
    // A direct conversation has one peer, so the conversation is the sender already.
    if binding.scope == SessionScope::Sender && draft.chat_type != ChatType::Direct {
        // `=` is outside the alphabet of `escape`: a sender can never be taken for a thread.
        key.push_str(":=");
        escape(&mut key, draft.sender.id.as_str());
    }
    Ok(Routed {
        key: SessionKey::new(key)?,
        binding,
    })
}

/// Percent-encodes everything outside `[A-Za-z0-9._~@+-]`; injective, because `%` itself is encoded.
fn escape(out: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"._~@+-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::draft;
    use kata_protocol::{AccountId, ConversationId, SenderId, ThreadId};
    use proptest::prelude::*;

    fn bindings(scope: SessionScope) -> Bindings {
        let workspace = WorkspaceId::new("w").unwrap();
        Bindings {
            default: Binding {
                workspace,
                model: None,
                mode: PermissionMode::Safe,
                scope,
                overlap: Overlap::default(),
            },
            channels: HashMap::new(),
        }
    }

    #[test]
    fn a_key_reads_like_the_conversation_it_names() {
        let mut d = draft("m1", "C456", "U1", "hi");
        d.account = AccountId::new("T123").unwrap();
        d.thread = Some(ThreadId::new("1732.5").unwrap());
        let slack = ChannelId::new("slack").unwrap();
        let key = |scope| route(&bindings(scope), &slack, &d).unwrap().key().to_string();
        assert_eq!(key(SessionScope::Thread), "slack:T123:C456:1732.5");
        assert_eq!(key(SessionScope::Conversation), "slack:T123:C456");
        let mut group = d.clone();
        group.chat_type = ChatType::Group;
        assert_eq!(
            route(&bindings(SessionScope::Sender), &slack, &group).unwrap().key().as_str(),
            "slack:T123:C456:=U1"
        );
    }

    fn part() -> impl Strategy<Value = String> {
        "[a-c:%=/]{1,4}"
    }

    proptest! {
        #[test]
        fn two_different_conversations_never_share_a_key(
            a in (part(), part(), part(), proptest::option::of(part()), part()),
            b in (part(), part(), part(), proptest::option::of(part()), part()),
            scope_a in 0..3usize, scope_b in 0..3usize,
        ) {
            const SCOPES: [SessionScope; 3] = [SessionScope::Thread, SessionScope::Conversation, SessionScope::Sender];
            let make = |p: &(String, String, String, Option<String>, String), scope: SessionScope| {
                let mut d = draft("m", "c", "s", "t");
                d.chat_type = ChatType::Group;
                d.account = AccountId::new(p.1.clone()).unwrap();
                d.conversation = ConversationId::new(p.2.clone()).unwrap();
                d.thread = p.3.clone().map(|t| ThreadId::new(t).unwrap());
                d.sender.id = SenderId::new(p.4.clone()).unwrap();
                let key = route(&bindings(scope), &ChannelId::new(p.0.clone()).unwrap(), &d).unwrap().key().clone();
                // What the scope says the conversation is.
                let place = (
                    p.0.clone(), p.1.clone(), p.2.clone(),
                    (scope == SessionScope::Thread).then(|| p.3.clone()).flatten(),
                    (scope == SessionScope::Sender).then(|| p.4.clone()),
                );
                (key, place)
            };
            let (key_a, place_a) = make(&a, SCOPES[scope_a]);
            let (key_b, place_b) = make(&b, SCOPES[scope_b]);
            prop_assert_eq!(key_a == key_b, place_a == place_b);
        }
    }
}
