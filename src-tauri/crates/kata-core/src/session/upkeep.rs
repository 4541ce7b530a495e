//! What becomes of whole sessions: into the archive and out of it, deleted, and a long one opened by its end.
//!
//! Deliberately absent: which sessions are due for it ([`crate::hygiene`]), and conversations, which belong to the router.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use super::{Live, Sessions, lock, wire};
use kata_protocol::{ErrorCode, Fact, MessageId, SessionDetail, SessionEndReason, SessionId, SessionState, SessionSummary, WireError};
use std::sync::{Arc, PoisonError};

impl Sessions {
    /// A session with its newest `limit` messages, or those before one. The end of a long session that is not loaded is read
    /// without the rest.
    pub async fn detail(
        self: &Arc<Self>,
        id: &SessionId,
        limit: Option<u32>,
        before: Option<&MessageId>,
    ) -> Result<SessionDetail, WireError> {
        if let (Some(limit), None) = (limit, self.state_of(id))
            && let Some(tail) = self.deps.transcripts.tail(id, limit, before).await.map_err(wire)?
        {
            return Ok(SessionDetail {
                messages: tail.rows.iter().filter_map(super::view).collect(),
                earlier: tail.earlier,
                approvals: Vec::new(),
                state: tail.summary.state,
                summary: tail.summary,
            });
        }
        self.lease(id).await?.live().detail(limit, before)
    }

    /// Into the archive or out of it. A session that is not loaded stays so.
    pub async fn archive(self: &Arc<Self>, id: &SessionId, archived: bool) -> Result<SessionSummary, WireError> {
        let live = self.loaded_now(id);
        if live.as_ref().is_some_and(|live| archived && live.is_busy()) {
            return Err(at_work(id));
        }
        let mut summary = match &live {
            Some(live) => live.summary(),
            None => self.deps.transcripts.summary(id).await.map_err(wire)?,
        };
        summary.archived = archived;
        self.deps.transcripts.update(summary.clone()).await.map_err(wire)?;
        // One that was loaded meanwhile knows it too.
        if let Some(live) = live.or_else(|| self.loaded_now(id)) {
            return Ok(live.change(|s| s.archived = archived));
        }
        self.deps.transcripts.rewrite(id).await.map_err(wire)?;
        self.deps.events.publish(Fact::SessionChanged { session: summary.clone() });
        Ok(summary)
    }

    /// Deletes a session that is in the archive and idle, for good.
    pub async fn delete(self: &Arc<Self>, id: &SessionId) -> Result<(), WireError> {
        let summary = self.find(id).await?.ok_or_else(|| WireError::not_found("session", id))?;
        if !summary.archived {
            return Err(WireError::new(ErrorCode::Conflict, format!("session “{id}” is not in the archive"))
                .hint("archive it first: `kata sessions archive`; only archived sessions can be deleted"));
        }
        let _gone = self.close_for_good(id, &summary)?;
        self.deps.transcripts.remove(id).await.map_err(wire)?;
        self.deps.events.publish(Fact::SessionRemoved { id: id.clone() });
        Ok(())
    }

    fn loaded_now(&self, id: &SessionId) -> Option<Arc<Live>> {
        lock(&self.loaded).get(id).and_then(|cell| cell.get().cloned())
    }

    /// Says to plugins that another session took this one's place in its conversation.
    pub(crate) fn say_reset(&self, id: &SessionId) {
        if let Some(live) = self.loaded_now(id) {
            let told = async move { live.session_end(SessionEndReason::Reset).await };
            self.deps.tasks.spawn("session_end hooks", told);
        }
    }

    /// Says again to the index what the loaded sessions' rows are.
    pub fn note_all(&self) {
        let loaded: Vec<_> = lock(&self.loaded).values().filter_map(|cell| cell.get().cloned()).collect();
        for live in loaded {
            self.deps.transcripts.touch(live.summary());
        }
    }

    /// Unloads a session and lets nobody load it while the guard lives.
    fn close_for_good(self: &Arc<Self>, id: &SessionId, summary: &SessionSummary) -> Result<Gone, WireError> {
        let mut loaded = lock(&self.loaded);
        match loaded.get(id).map(|cell| cell.get().cloned()) {
            None if summary.state == SessionState::Idle => {}
            Some(Some(live)) if !live.is_busy() && live.close() => live.gone.cancel(),
            // It works, is being loaded, or somebody holds it.
            _ => return Err(at_work(id)),
        }
        loaded.remove(id);
        if !lock(&self.going).insert(id.clone()) {
            return Err(WireError::not_found("session", id));
        }
        Ok(Gone {
            sessions: Arc::clone(self),
            id: id.clone(),
        })
    }
}

/// A session that is being deleted.
struct Gone {
    sessions: Arc<Sessions>,
    id: SessionId,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.sessions.going.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn at_work(id: &SessionId) -> WireError {
    WireError::new(ErrorCode::Conflict, format!("session “{id}” is at work")).hint("stop it, or wait until it has answered")
}
