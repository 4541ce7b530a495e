//! Messages the agent sends of its own accord, to conversations of one channel: those that somebody wrote from who is let in, and
//! those its owner has listed. They leave as any reply does, by the hooks and the outbox.
//!
//! Deliberately absent: whether the agent may at all. That is judged where a tool call is; and a plugin names its own channels
//! only, which its host has checked.

use crate::hooks::Verdict;
use crate::ingress::MAX_TEXT;
use crate::names;
use crate::outbox::Reply;
use crate::path::Path;
use crate::ports::{OutboundExtras, WrittenFrom};
use kata_protocol::{
    AccountId, ChannelId, ChatType, ConversationId, DirectMessage, DmPolicy, ErrorCode, Gate, KnownConversation, MessageSending, PluginId,
    ReplyRoute, SessionId, StepOutcome, WireError,
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// Most conversations that are known of one channel.
const MOST: u32 = 200;

/// A conversation, with the session it has.
struct Known {
    conversation: KnownConversation,
    session: Option<SessionId>,
}

impl Path {
    /// Conversations the agent may write to, newest first.
    pub async fn conversations(&self, channel: &ChannelId) -> Result<Vec<KnownConversation>, WireError> {
        Ok(self.known(channel).await?.into_iter().map(|known| known.conversation).collect())
    }

    /// Sends to one of them. Durable when it returns; the same key again is the same message.
    pub async fn direct(
        &self,
        plugin: &PluginId,
        channel: &ChannelId,
        message: DirectMessage,
        key: Option<String>,
    ) -> Result<(), WireError> {
        if message.text.trim().is_empty() {
            return Err(WireError::invalid("“text” is empty"));
        }
        if message.text.len() > MAX_TEXT {
            return Err(WireError::invalid(format!("“text” is longer than {} KiB", MAX_TEXT / 1024)));
        }
        let Known { conversation, session } = find(self.known(channel).await?, &message.to)?;
        if !self.deps.ingress.may_direct(channel) {
            return Err(WireError::new(
                ErrorCode::Busy,
                "too many messages of the agent's own accord; wait a minute",
            ));
        }
        let trace = self.deps.tracer.begin(channel.as_str());
        let route = ReplyRoute {
            channel: channel.clone(),
            account: conversation.account,
            conversation: conversation.id,
            thread: message.thread,
            reply_to: None,
        };
        let event = MessageSending {
            session: session.clone().unwrap_or_else(no_session),
            text: message.text,
            route: Some(route.clone()),
        };
        let text = match self.deps.sessions.hooks().run(event, &trace).await {
            Verdict::Pass { event, .. } => event.text,
            Verdict::Stopped { plugin, reason } => {
                self.deps.tracer.record(&trace, true).await;
                let held = format!("the message was held back by plugin “{plugin}”: {reason}");
                return Err(WireError::new(ErrorCode::Forbidden, held));
            }
        };
        let mark = trace.mark();
        let key = key.unwrap_or_else(|| trace.id().to_string());
        let reply = Reply {
            inbox: None,
            session,
            route,
            text,
            key: format!("direct:{plugin}:{channel}:{key}"),
            trace: Some(trace.clone()),
            extras: OutboundExtras::default(),
        };
        trace.step(Gate::Outbox, format!("{plugin}: of its own accord"), mark, StepOutcome::Ok, None);
        let sent = self.deps.sessions.outbox().send(reply).await;
        sent.map(drop).map_err(|error| WireError::internal(error.to_string()))
    }

    async fn known(&self, channel: &ChannelId) -> Result<Vec<Known>, WireError> {
        let rules = self.deps.ingress.rules(channel);
        if rules.policy == DmPolicy::Off {
            return Ok(Vec::new());
        }
        let written = self.deps.messages.written_from(channel, MOST).await;
        let written = written.map_err(|error| WireError::internal(error.to_string()))?;
        // A plugin serves one account: what is listed and has not written yet is reached by that.
        let account = written.first().map(|from| from.account.clone());
        let mut known: Vec<Known> = Vec::new();
        for from in written {
            let listed = rules.send_to.iter().any(|id| id == from.conversation.as_str());
            // Whoever was let in and is not any more is not written to either.
            if listed || self.deps.ingress.is_let_in(channel, &from.sender).await? {
                known.push(of(from));
            }
        }
        for id in &rules.send_to {
            let there = known.iter().any(|k| k.conversation.id.as_str() == id);
            if let (false, Ok(id)) = (there, ConversationId::new(id.as_str())) {
                known.push(Known {
                    conversation: KnownConversation {
                        account: account.clone().unwrap_or_else(any_account),
                        name: id.to_string(),
                        id,
                        chat_type: ChatType::Channel,
                    },
                    session: None,
                });
            }
        }
        known.truncate(MOST as usize);
        Ok(known)
    }
}

fn of(from: WrittenFrom) -> Known {
    let name = from.name.as_deref().map(names::one_line).filter(|name| !name.is_empty());
    Known {
        conversation: KnownConversation {
            account: from.account,
            name: name.unwrap_or_else(|| from.conversation.to_string()),
            id: from.conversation,
            chat_type: from.chat_type,
        },
        session: Some(from.session),
    }
}

/// The one that is meant: by its id, else by its name where no other has it. Anybody may choose a name, so that two of one name are
/// never told apart by it.
fn find(known: Vec<Known>, to: &str) -> Result<Known, WireError> {
    let to = to.trim();
    let name = to.trim_start_matches(['#', '@']);
    let by_id = known.iter().any(|k| k.conversation.id.as_str() == to);
    let meant = |k: &Known| match by_id {
        true => k.conversation.id.as_str() == to,
        false => k.conversation.name == to || k.conversation.name == name,
    };
    let mut found = known.into_iter().filter(meant);
    let shown = names::one_line(to);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(WireError::new(ErrorCode::Conflict, format!("several conversations are named “{shown}”")).hint("name it by its id"))
        }
        (None, _) => Err(WireError::new(
            ErrorCode::Forbidden,
            format!("“{shown}” is no conversation that somebody who is let in wrote from"),
        )
        .hint("list the conversations; the owner can add one with `kata channels policy CHANNEL --send-to ID`")),
    }
}

/// Stands in the hook's event where the conversation has no session.
fn no_session() -> SessionId {
    SessionId::new("direct").unwrap_or_else(|_| unreachable!("a word is an identifier"))
}

fn any_account() -> AccountId {
    AccountId::new("default").unwrap_or_else(|_| unreachable!("a word is an identifier"))
}
