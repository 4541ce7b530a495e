//! A plugin's slash command that an approver writes in a channel: it runs instead of going to the model, and what it says goes back
//! to where it was written. From anybody else the same words are an ordinary message.
//!
//! A command may do something, so it runs at most once: its message has ended before it begins, and a kill in between is told by
//! nobody.

use crate::ingress::{Admitted, reply_route};
use crate::outbox::Reply;
use crate::path::Path;
use crate::ports::{InboxEnd, OutboundExtras};
use crate::trace::LiveTrace;
use kata_protocol::{ChannelId, Gate, InboundDraft, StepOutcome};
use std::sync::Arc;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// A command as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    name: String,
    args: String,
}

/// The first word of a text and the rest, if it looks like a command.
fn read(draft: &InboundDraft) -> Option<Written> {
    let mut text = draft.text.trim();
    // In a group the bot is addressed first.
    if draft.mentions_bot && (text.starts_with('@') || text.starts_with("<@")) {
        text = text.split_once(char::is_whitespace)?.1.trim_start();
    }
    let text = text.strip_prefix('/')?;
    let (word, args) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // Some platforms name the bot behind the word.
    let name = word.split('@').next().filter(|name| !name.is_empty())?;
    Some(Written {
        name: name.to_owned(),
        args: args.trim().to_owned(),
    })
}

impl Path {
    /// The command in a message, where there is one of that name and its writer may run it.
    pub(crate) fn command(&self, channel: &ChannelId, draft: &InboundDraft) -> Option<Written> {
        let written = read(draft)?;
        let known = self.deps.commands.list().iter().any(|command| command.name == written.name);
        (known && self.deps.ingress.approves(channel, &draft.sender.id)).then_some(written)
    }

    /// Runs it behind the channel's back: it may take its time.
    pub(crate) fn run_command(self: &Arc<Self>, command: Written, admitted: Admitted, trace: LiveTrace) {
        let path = Arc::clone(self);
        self.deps.tasks.spawn("command of a plugin", async move {
            let (row, permit) = admitted.into_parts();
            let (messages, persist) = (&path.deps.messages, &path.deps.persist);
            let ended = persist.until_done("ending a message", || messages.finish(row.id, InboxEnd::Silent));
            if ended.await.is_err() {
                return;
            }
            let mark = trace.mark();
            let (text, outcome) = match path.deps.commands.run(&command.name, &command.args).await {
                Ok(text) if text.trim().is_empty() => ("Done.".to_owned(), StepOutcome::Ok),
                Ok(text) => (text, StepOutcome::Ok),
                Err(error) => (format!("`/{}` did not work: {}.", command.name, error.message), StepOutcome::Error),
            };
            trace.step(Gate::Router, format!("command {}", command.name), mark, outcome, None);
            let reply = Reply {
                inbox: None,
                session: None,
                route: reply_route(&row.channel, &row.draft),
                text,
                key: format!("command:{}", row.id.0),
                trace: Some(trace),
                extras: OutboundExtras::default(),
            };
            if let Err(stopping) = path.deps.sessions.outbox().insist(reply).await {
                tracing::warn!(inbox = row.id.0, %stopping, "what a command said was not sent");
            }
            drop(permit);
        });
    }
}
