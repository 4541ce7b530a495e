//! Letters: messages that did not get through, and what a person does about them.
//!
//! A reply is sent again under the key it had, in its conversation's order; a message that was given up is handled from the
//! start, in the row it has. So nothing is counted twice.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::EventHub;
use crate::outbox::Outbox;
use crate::path::Path;
use crate::ports::{Clock, LetterId, LetterStore, StoreError, StoredLetter};
use kata_protocol::{Fact, Letter, WireError};
use std::sync::Arc;

/// Letters of one list at most.
const LISTED: u32 = 1_000;
/// Characters of a letter that are shown.
const PREVIEW: usize = 500;

/// What a person can do about letters.
pub struct Letters {
    /// Where they lie.
    pub store: Arc<dyn LetterStore>,
    /// Sends replies again.
    pub outbox: Arc<Outbox>,
    /// Takes messages in again.
    pub path: Arc<Path>,
    /// Tells that the list changed.
    pub events: Arc<EventHub>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl Letters {
    /// All of them, newest first.
    pub async fn list(&self) -> Result<Vec<Letter>, WireError> {
        let letters = self.store.letters(LISTED).await.map_err(failed)?;
        Ok(letters.into_iter().map(shown).collect())
    }

    /// How many there are.
    pub async fn count(&self) -> Result<u32, WireError> {
        self.store.letter_count().await.map_err(failed)
    }

    /// Tries a letter again.
    pub async fn retry(&self, id: &str) -> Result<(), WireError> {
        match named(id)? {
            LetterId::In(inbox) => {
                let row = self.store.retry_inbound(inbox).await.map_err(failed)?.ok_or_else(|| none(id))?;
                self.path.handle_again(row).await;
            }
            LetterId::Out(outbox) => {
                let row = self.store.retry_outbound(outbox, self.clock.now()).await.map_err(failed)?;
                self.outbox.send_again(row.ok_or_else(|| none(id))?);
            }
        }
        self.events.publish(Fact::LettersChanged {});
        Ok(())
    }

    /// Puts a letter away; a reply that nobody knows about is given up.
    pub async fn discard(&self, id: &str) -> Result<(), WireError> {
        if !self.store.discard(named(id)?).await.map_err(failed)? {
            return Err(none(id));
        }
        self.events.publish(Fact::LettersChanged {});
        Ok(())
    }
}

fn shown(letter: StoredLetter) -> Letter {
    Letter {
        id: letter.id.to_string(),
        state: letter.state,
        channel: letter.channel,
        conversation: letter.conversation,
        session: letter.session,
        preview: letter.text.chars().take(PREVIEW).collect(),
        error: letter.error,
        attempts: letter.attempts,
        at: letter.at,
    }
}

fn named(id: &str) -> Result<LetterId, WireError> {
    id.parse()
        .map_err(|error: crate::ports::NoLetterId| WireError::invalid(format!("“id”: {error}")).hint("`kata letters list` shows them"))
}

fn none(id: &str) -> WireError {
    WireError::not_found("letter", id)
        .hint("it was tried again, put away, or is past its keeping time; `kata letters list` shows what is left")
}

fn failed(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("is the disk full or read-only?")
}
