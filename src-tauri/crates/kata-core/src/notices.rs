//! What happens to messages that are there already: edited, taken back, reacted to. Heard only from whom is let in and about what
//! was let in; a message that still waits is changed or withdrawn, anything else becomes a line of its session that the model reads
//! as data with the next message. No turn ever begins because of one.
//!
//! What a session does with it is [`crate::session`]'s; here is what may reach one. A notice is no message: one that comes while
//! the program is killed may be told by nobody. A changed text of a message that waits is as durable as the message.

use crate::ingress::MAX_TEXT;
use crate::path::Path;
use crate::ports::{InboxEnd, InboxRow, StoreError};
use crate::router::route;
use crate::session::Told;
use crate::trace::LiveTrace;
use kata_protocol::{ChannelId, ChannelNotice, DmPolicy, Gate, InboundDraft, NoticeKind, PluginId, SessionId, StepOutcome, WireError};
use std::sync::Arc;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// What came of one, for the trace.
enum Heard {
    Did(&'static str),
    Dropped(&'static str),
}

impl Path {
    /// Hears of it. Returns when it is where it belongs, or dropped.
    pub async fn notice(self: &Arc<Self>, plugin: &PluginId, channel: &ChannelId, notice: ChannelNotice) -> Result<(), WireError> {
        let trace = self.deps.tracer.begin(channel.as_str());
        let mark = trace.mark();
        let label = match &notice.what {
            NoticeKind::Edited { .. } => "edited",
            NoticeKind::Deleted {} => "deleted",
            NoticeKind::Reaction { .. } => "reaction",
        };
        let heard = self.hear(channel, notice, &trace).await;
        let (outcome, note) = match &heard {
            Ok(Heard::Did(what)) => (StepOutcome::Ok, (*what).to_owned()),
            Ok(Heard::Dropped(why)) => (StepOutcome::Blocked, format!("dropped: {why}")),
            Err(error) => (StepOutcome::Error, error.message.clone()),
        };
        trace.step(Gate::Ingress, format!("{plugin}: {label}"), mark, outcome, Some(note));
        self.deps.tracer.record(&trace, true).await;
        heard.map(drop)
    }

    async fn hear(&self, channel: &ChannelId, notice: ChannelNotice, trace: &LiveTrace) -> Result<Heard, WireError> {
        let ingress = &self.deps.ingress;
        let rules = ingress.rules(channel);
        if notice.sender.is_bot || rules.policy == DmPolicy::Off {
            return Ok(Heard::Dropped("nobody here listens to it"));
        }
        if !ingress.has_pace_to_notice(channel, &notice) {
            return Ok(Heard::Dropped("too fast"));
        }
        let known = self
            .deps
            .messages
            .known(channel, &notice.account, &notice.message_id)
            .await
            .map_err(store)?;
        let known = known.filter(|(row, _)| row.draft.conversation == notice.conversation);
        match &notice.what {
            NoticeKind::Reaction { emoji, .. } => {
                if emoji.len() > 64 || !ingress.is_let_in(channel, &notice.sender.id).await? {
                    return Ok(Heard::Dropped("not from somebody who is let in"));
                }
                let session = match &known {
                    Some((row, _)) => row.session.clone(),
                    // Most people react to what the agent wrote.
                    None => self.session_of(channel, &notice).await?,
                };
                self.tell(session, None, notice, trace).await
            }
            NoticeKind::Edited { text } => {
                let Some((row, open)) = known else {
                    return Ok(Heard::Dropped("it is no message that was let in"));
                };
                if row.draft.sender.id != notice.sender.id || !ingress.is_let_in(channel, &notice.sender.id).await? {
                    return Ok(Heard::Dropped("not from its writer, or not let in any more"));
                }
                if row.draft.text == *text || text.len() > rules.max_text.min(MAX_TEXT) {
                    return Ok(Heard::Dropped("its text is the same, or too long"));
                }
                if open && row.session.is_none() {
                    self.deps.messages.reword(row.id, text).await.map_err(store)?;
                    return Ok(Heard::Did("it waits; its text was replaced"));
                }
                self.tell_of(row, open, notice, trace).await
            }
            NoticeKind::Deleted {} => {
                let Some((row, open)) = known else {
                    return Ok(Heard::Dropped("it is no message that was let in"));
                };
                if open && row.session.is_none() {
                    // Whoever lets it go sees that it has ended.
                    self.deps.messages.finish(row.id, InboxEnd::Silent).await.map_err(store)?;
                    return Ok(Heard::Did("it waited; it was withdrawn"));
                }
                self.tell_of(row, open, notice, trace).await
            }
        }
    }

    async fn tell_of(&self, row: InboxRow, open: bool, notice: ChannelNotice, trace: &LiveTrace) -> Result<Heard, WireError> {
        self.tell(row.session, open.then_some(row.id), notice, trace).await
    }

    async fn tell(
        &self,
        session: Option<SessionId>,
        inbox: Option<crate::ports::InboxId>,
        notice: ChannelNotice,
        trace: &LiveTrace,
    ) -> Result<Heard, WireError> {
        let Some(session) = session else {
            return Ok(Heard::Dropped("its conversation has no session"));
        };
        if self.deps.sessions.find(&session).await?.is_none() {
            return Ok(Heard::Dropped("its session is gone"));
        }
        let lease = self.deps.sessions.lease(&session).await?;
        let told = Told { inbox, notice };
        Ok(match lease.tell(told, trace.clone()) {
            Ok(()) => Heard::Did("told to its session"),
            Err(_) => Heard::Dropped("as many wait in its session as may"),
        })
    }

    /// The session of the conversation something happened in.
    async fn session_of(&self, channel: &ChannelId, notice: &ChannelNotice) -> Result<Option<SessionId>, WireError> {
        let draft = InboundDraft {
            account: notice.account.clone(),
            message_id: notice.message_id.clone(),
            conversation: notice.conversation.clone(),
            conversation_name: None,
            chat_type: notice.chat_type,
            thread: notice.thread.clone(),
            sender: notice.sender.clone(),
            text: String::new(),
            reply_to: None,
            mentions_bot: false,
            sent_at: None,
            attachments: Vec::new(),
        };
        let bindings = self.deps.bindings.load_full();
        let routed = route(&bindings, channel, &draft).map_err(|e| WireError::invalid(e.to_string()))?;
        self.deps.keys.session_for(routed.key()).await.map_err(store)
    }
}

fn store(error: StoreError) -> WireError {
    WireError::internal(error.to_string())
}
