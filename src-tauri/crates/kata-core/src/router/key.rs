//! Keys of sessions: `channel:account:conversation[:thread][:=sender]`, each part escaped, or `=person:ID`.
//!
//! `:` and `=` are outside the alphabet of [`escape`], so a part can never be taken for another one, a sender for a thread, or
//! a person for a channel.

use kata_protocol::{ChannelId, ChatType, IdError, InboundDraft, Person, SessionChannel, SessionKey, SessionScope};
use std::fmt::Write;

/// Beginning of the keys of people.
const PERSON: &str = "=person:";

/// The key of a draft.
pub(super) fn of(channel: &ChannelId, draft: &InboundDraft, scope: SessionScope, person: Option<&Person>) -> Result<SessionKey, IdError> {
    let direct = draft.chat_type == ChatType::Direct;
    if let (SessionScope::Person, true, Some(person)) = (scope, direct, person) {
        return SessionKey::new(format!("{PERSON}{}", person.id));
    }
    let mut key = String::new();
    escape(&mut key, channel.as_str());
    for part in [draft.account.as_str(), draft.conversation.as_str()] {
        key.push(':');
        escape(&mut key, part);
    }
    if let (SessionScope::Thread | SessionScope::Person, Some(thread)) = (scope, &draft.thread) {
        key.push(':');
        escape(&mut key, thread.as_str());
    }
    // A direct conversation has one peer, so the conversation is the sender already.
    if scope == SessionScope::Sender && !direct {
        match person {
            // `==`: nobody whose id on the platform reads like a person's name is that person.
            Some(person) => {
                key.push_str(":==");
                escape(&mut key, &person.id);
            }
            None => {
                key.push_str(":=");
                escape(&mut key, draft.sender.id.as_str());
            }
        }
    }
    SessionKey::new(key)
}

/// A channel as a session's header has it: the platform, and which of its accounts. What stands behind an `@` is not the
/// plugin's but the host's, who names further accounts so.
pub fn session_channel(channel: &ChannelId, name: Option<String>) -> SessionChannel {
    let slug = channel.to_string();
    let platform = slug.split_once('@').map(|(platform, _)| platform.to_owned());
    SessionChannel {
        adapter: platform.unwrap_or_else(|| slug.clone()),
        slug,
        display_name: name,
    }
}

/// The channel of a key; a person's key has none.
pub fn channel_of(key: &SessionKey) -> Option<ChannelId> {
    let part = key.as_str().split(':').next().filter(|part| !part.starts_with('='))?;
    let (mut bytes, mut rest) = (Vec::new(), part.bytes());
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        match byte {
            b'%' => bytes.push(u8::try_from(hex(rest.next())? * 16 + hex(rest.next())?).ok()?),
            other => bytes.push(other),
        }
    }
    ChannelId::new(String::from_utf8(bytes).ok()?).ok()
}

/// The person of a person's key.
pub fn person_of(key: &SessionKey) -> Option<&str> {
    key.as_str().strip_prefix(PERSON)
}

/// Percent-encodes everything outside `[A-Za-z0-9._~@+-]`; injective, because `%` itself is encoded.
pub(crate) fn escape(out: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"._~@+-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
