//! Which session a conversation goes on in, where a person or a rule changes that: joining another session, beginning anew.
//!
//! The store decides; the headers of the sessions follow, so that a store that was lost is made again as it was. Deliberately
//! absent: the first session of a conversation ([`crate::path`] binds it), and what a key means ([`crate::router`]).

use crate::ports::{BoundKey, KeyStore, StoreError, TranscriptError, Transcripts};
use crate::session::wire;
use kata_protocol::{SessionId, SessionKey, WireError};
use std::sync::Arc;

/// Changes the sessions of conversations.
#[derive(Clone)]
pub struct Conversations {
    keys: Arc<dyn KeyStore>,
    transcripts: Arc<dyn Transcripts>,
}

impl Conversations {
    /// Over a store and the session files.
    pub fn new(keys: Arc<dyn KeyStore>, transcripts: Arc<dyn Transcripts>) -> Self {
        Self { keys, transcripts }
    }

    /// The conversation goes on in `session` from its next message on. Answers the session it had.
    pub async fn join(&self, key: &SessionKey, session: &SessionId) -> Result<Option<SessionId>, WireError> {
        // Before anything changes: a session that is not there takes no conversation.
        self.transcripts.summary(session).await.map_err(wire)?;
        let before = self.keys.rebind(key, session).await.map_err(store)?;
        if let Some(before) = before.as_ref().filter(|before| *before != session) {
            self.note(before, key, false).await?;
        }
        self.note(session, key, true).await?;
        Ok(before)
    }

    /// The conversation begins a new session with its next message. Answers the session it had.
    pub async fn begin_anew(&self, key: &SessionKey) -> Result<Option<SessionId>, WireError> {
        let before = self.keys.unbind(key).await.map_err(store)?;
        if let Some(before) = &before {
            self.note(before, key, false).await?;
        }
        Ok(before)
    }

    /// The session of a conversation.
    pub async fn session(&self, key: &SessionKey) -> Result<Option<SessionId>, WireError> {
        self.keys.session_for(key).await.map_err(store)
    }

    /// Every conversation of a session begins a new one with its next message. Answers their keys.
    pub async fn leave(&self, session: &SessionId) -> Result<Vec<SessionKey>, WireError> {
        let keys = self.keys.keys_of(session).await.map_err(store)?;
        for key in &keys {
            self.begin_anew(key).await?;
        }
        Ok(keys)
    }

    /// Conversations with their sessions, newest first.
    pub async fn list(&self, limit: u32) -> Result<Vec<BoundKey>, WireError> {
        self.keys.keys(limit).await.map_err(store)
    }

    /// A session whose folder is gone needs no note.
    async fn note(&self, session: &SessionId, key: &SessionKey, has: bool) -> Result<(), WireError> {
        match self.transcripts.keyed(session, key, has).await {
            Err(TranscriptError::NotFound(_)) => Ok(()),
            noted => noted.map_err(wire),
        }
    }
}

fn store(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("look at the log; is the disk full?")
}
