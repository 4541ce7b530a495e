//! Messages that did not get through, as the store keeps them. A person decides what becomes of each.

use super::{InboxId, InboxRow, OutboxId, OutboxRow, StoreError};
use async_trait::async_trait;
use kata_protocol::{ChannelId, LetterState, Ms, SessionId};
use std::fmt;
use std::str::FromStr;

/// Names a letter: `in-7` or `out-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LetterId {
    /// A message that came in.
    In(InboxId),
    /// A part of a reply.
    Out(OutboxId),
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(id) => write!(f, "in-{}", id.0),
            Self::Out(id) => write!(f, "out-{}", id.0),
        }
    }
}

/// Not the name of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a letter is named in-7 or out-7")]
pub struct NoLetterId;

impl FromStr for LetterId {
    type Err = NoLetterId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| digits.parse::<i64>().ok().filter(|n| *n > 0 && !digits.starts_with('+'));
        if let Some(id) = text.strip_prefix("in-").and_then(number) {
            return Ok(Self::In(InboxId(id)));
        }
        text.strip_prefix("out-")
            .and_then(number)
            .map(|id| Self::Out(OutboxId(id)))
            .ok_or(NoLetterId)
    }
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLetter {
    /// Name.
    pub id: LetterId,
    /// Why it lies here.
    pub state: LetterState,
    /// Channel.
    pub channel: ChannelId,
    /// Name of the conversation, where one is known, else its id.
    pub conversation: String,
    /// Session.
    pub session: Option<SessionId>,
    /// The text.
    pub text: String,
    /// What went wrong last.
    pub error: Option<String>,
    /// Sends that were tried.
    pub attempts: u32,
    /// When it came in or was written.
    pub at: Ms,
}

/// Letters. A message whose text is past its keeping time is none any more.
#[async_trait]
pub trait LetterStore: Send + Sync + 'static {
    /// Newest first. A message that is dead because a part of its reply is shows that part only.
    async fn letters(&self, limit: u32) -> Result<Vec<StoredLetter>, StoreError>;
    /// How many there are.
    async fn letter_count(&self) -> Result<u32, StoreError>;
    /// A message that was given up is accepted again, as it came. `None`: no such letter.
    async fn retry_inbound(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError>;
    /// A part that was given up or parked is to be sent at `now`, with no attempt counted and the key it had. `None`: no such
    /// letter.
    async fn retry_outbound(&self, id: OutboxId, now: Ms) -> Result<Option<OutboxRow>, StoreError>;
    /// Takes a letter out of the list; a parked part is given up with this. `false`: no such letter.
    async fn discard(&self, id: LetterId) -> Result<bool, StoreError>;
}

/// Error of a part that a person gave up.
pub const GIVEN_UP: &str = "given up by a person";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letters_name_is_read_back_and_anything_else_is_none() {
        for id in [LetterId::In(InboxId(7)), LetterId::Out(OutboxId(1 << 40))] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in [
            "",
            "in-",
            "out--1",
            "in-0",
            "in-+7",
            "7",
            "in-7x",
            "IN-7",
            "out-99999999999999999999",
        ] {
            assert_eq!(text.parse::<LetterId>(), Err(NoLetterId), "{text}");
        }
    }
}
