//! A button that somebody pressed: the same as the order it stands for, checked anew. The question's channel, account and
//! conversation must be those the press came from, and who pressed must be a listed approver; nothing the plugin says besides is
//! believed. What a press led to is durable before it is answered, and the same press again is answered the same.
//!
//! Deliberately absent: taking the buttons away, which happens to the question whoever answered it ([`crate::session`]).

use crate::names;
use crate::path::Path;
use crate::ports::ApprovalRow;
use crate::session::{decision_word, pressed};
use crate::trace::LiveTrace;
use kata_protocol::{
    ApprovalDecision, ButtonPress, ChannelId, Gate, InboundDraft, PlatformMessageId, PluginId, PressAnswer, RefusalCode, ReplyRoute,
    StepOutcome, WireError,
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// What came of a press.
struct Came {
    text: String,
    done: bool,
    outcome: StepOutcome,
}

fn refused(text: impl Into<String>, done: bool) -> Came {
    Came {
        text: text.into(),
        done,
        outcome: StepOutcome::Blocked,
    }
}

impl Path {
    /// Does what the button stands for, or says why not.
    pub async fn press(&self, plugin: &PluginId, channel: &ChannelId, press: ButtonPress) -> Result<PressAnswer, WireError> {
        let trace = self.deps.tracer.begin(channel.as_str());
        let mark = trace.mark();
        let came = self.pressed(channel, &press, &trace).await;
        let (label, outcome, note) = match &came {
            Ok(came) => ("button", came.outcome, None),
            Err(error) => ("button", StepOutcome::Error, Some(error.message.clone())),
        };
        trace.step(Gate::Ingress, format!("{plugin}: {label}"), mark, outcome, note);
        self.deps.tracer.record(&trace, true).await;
        let Came { text, done, .. } = came?;
        Ok(PressAnswer { text, done })
    }

    async fn pressed(&self, channel: &ChannelId, press: &ButtonPress, trace: &LiveTrace) -> Result<Came, WireError> {
        let ingress = &self.deps.ingress;
        if self.deps.pause.is_on() {
            return Ok(refused(
                "Kata Agents is paused. Nothing was answered; press again when it goes on.",
                false,
            ));
        }
        if !ingress.has_pace(channel, &press.account, &press.sender.id) {
            return Ok(refused("That was too fast. Press again in a minute.", false));
        }
        if press.sender.is_bot || !ingress.approves(channel, &press.sender.id) {
            self.count_refused(channel, press).await?;
            return Ok(refused("You are not among those who may answer calls here.", false));
        }
        let Some((code, decision)) = pressed(&press.button) else {
            return Ok(refused("This button stands for nothing any more.", true));
        };
        // A code of another conversation is told from an unknown one by nobody.
        let here = match self.deps.sessions.approval(code).await? {
            Some(ApprovalRow::Waiting(waiting)) => waiting.route,
            Some(ApprovalRow::Settled(settled)) => settled.route,
            None => None,
        };
        if !here.is_some_and(|asked| came_from(&asked, channel, press)) {
            return Ok(refused(format!("No call waits under {code} in this conversation."), true));
        }
        let name = press.sender.name.as_deref().map(names::one_line).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| press.sender.id.to_string());
        let outcome = self.deps.sessions.answer_as(code, decision, Some(&name)).await?;
        let mark = trace.mark();
        trace.step(
            Gate::Router,
            format!("answer {}", decision_word(outcome.decision)),
            mark,
            StepOutcome::Ok,
            None,
        );
        Ok(match (outcome.decision == decision, outcome.decision) {
            (true, ApprovalDecision::Deny) => did(format!("{code} is refused.")),
            (true, stands) => did(format!("{code} is approved ({}).", decision_word(stands))),
            (false, stands) => refused(format!("{code} was answered before: {}.", decision_word(stands)), true),
        })
    }

    /// Among the refused messages of the channel, once for each button and person.
    async fn count_refused(&self, channel: &ChannelId, press: &ButtonPress) -> Result<(), WireError> {
        let mut id = String::from("press");
        for part in [press.message_id.as_str(), press.sender.id.as_str(), &press.button] {
            id.push(':');
            crate::router::escape(&mut id, part);
        }
        // Too long for an id: it is refused all the same, only not counted.
        let Ok(message_id) = PlatformMessageId::new(id) else {
            return Ok(());
        };
        let draft = InboundDraft {
            account: press.account.clone(),
            message_id,
            conversation: press.conversation.clone(),
            conversation_name: None,
            chat_type: press.chat_type,
            thread: press.thread.clone(),
            sender: press.sender.clone(),
            text: String::new(),
            reply_to: None,
            mentions_bot: false,
            sent_at: None,
            attachments: Vec::new(),
        };
        let now = self.deps.clock.now();
        let refuse = self.deps.messages.refuse(channel, &draft, RefusalCode::NotAllowed, now).await;
        refuse.map(drop).map_err(|error| WireError::internal(error.to_string()))
    }
}

fn did(text: String) -> Came {
    Came {
        text,
        done: true,
        outcome: StepOutcome::Ok,
    }
}

/// Whether a press came from where the question went. A thread is part of its conversation; not every platform names it.
fn came_from(asked: &ReplyRoute, channel: &ChannelId, press: &ButtonPress) -> bool {
    asked.channel == *channel
        && asked.account == press.account
        && asked.conversation == press.conversation
        && (press.thread.is_none() || press.thread == asked.thread)
}
