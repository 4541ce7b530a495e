//! Facts for one client. Nothing is queued for it: it reads from the hub's ring at its own pace, and when the ring has moved
//! on it is told to ask for the state again. So a slow client costs the others nothing, not even memory.

use crate::connection::Client;
use crate::frames;
use crate::gateway::Shared;
use axum::extract::ws::Utf8Bytes;
use kata_core::events::Replay;
use kata_protocol::{Count, MAX_FRAME, NumberedFact, ServerFrame};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// Where a client stands in the row of facts.
pub(crate) struct Position {
    /// Facts to send first; at most as many as the hub keeps.
    pub(crate) missed: VecDeque<Arc<NumberedFact>>,
    /// Facts after them.
    pub(crate) live: broadcast::Receiver<Arc<NumberedFact>>,
}

/// The row of facts as one client sees it.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    client: Arc<Client>,
    position: Position,
}

impl Feed {
    pub(crate) fn new(shared: Arc<Shared>, client: Arc<Client>, position: Position) -> Self {
        Self { shared, client, position }
    }

    /// The next frame that this client wants. Safe to drop while it waits. Waits for ever once the hub is gone.
    pub(crate) async fn next(&mut self) -> Utf8Bytes {
        loop {
            if let Some(frame) = self.ready() {
                return frame;
            }
            let frame = match self.position.live.recv().await {
                Ok(fact) => self.frame(&fact),
                Err(RecvError::Lagged(_)) => Some(self.skip()),
                Err(RecvError::Closed) => std::future::pending().await,
            };
            if let Some(frame) = frame {
                return frame;
            }
        }
    }

    /// The next frame, if there is one now.
    pub(crate) fn ready(&mut self) -> Option<Utf8Bytes> {
        loop {
            let fact = match self.position.missed.pop_front() {
                Some(fact) => fact,
                None => match self.position.live.try_recv() {
                    Ok(fact) => fact,
                    Err(TryRecvError::Lagged(_)) => return Some(self.skip()),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
                },
            };
            if let Some(frame) = self.frame(&fact) {
                return Some(frame);
            }
        }
    }

    fn frame(&self, fact: &NumberedFact) -> Option<Utf8Bytes> {
        if !self.client.topics().contains(fact.fact.topic()) {
            return None;
        }
        match self.shared.texts.text(fact) {
            Ok(text) if text.len() <= MAX_FRAME => Some(text),
            Ok(_) => Some(resync(fact.seq.0)),
            Err(e) => {
                tracing::error!(seq = fact.seq.0, error = %e, "a fact could not be written as JSON");
                Some(resync(fact.seq.0))
            }
        }
    }

    /// Jumps to now and says so.
    fn skip(&mut self) -> Utf8Bytes {
        let newest = self.shared.events.newest();
        let (replay, live) = self.shared.events.resume(newest);
        let missed = match replay {
            Replay::Missed(facts) => facts.into(),
            Replay::Gone => VecDeque::new(),
        };
        self.position = Position { missed, live };
        tracing::debug!(
            client = self.client.caller.name,
            "a gateway client fell behind and was told to ask again"
        );
        resync(newest)
    }
}

fn resync(seq: u64) -> Utf8Bytes {
    frames::control_frame(&ServerFrame::Resync { seq: Count(seq) }).into()
}
