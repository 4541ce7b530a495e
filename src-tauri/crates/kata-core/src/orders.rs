//! What a person writes in a channel for the program and not for the agent: `/approve CODE [once|session|always]`, `/deny CODE`,
//! `/stop`, `/new`, `/status`, `/help`. Read after admission, before the session's queue: an order passes by whatever waits there, never
//! reaches the model, and is answered in exactly the conversation it came from.
//!
//! Everybody who is let in may stop, begin anew and ask how things stand, in their own conversation. Only listed approvers may
//! answer calls, and only calls that this conversation asked for.

use crate::ingress::{Admitted, reply_key, reply_route};
use crate::outbox::Reply;
use crate::path::Path;
use crate::ports::{ApprovalRow, InboxRow};
use crate::router::route;
use crate::session::decision_word;
use crate::trace::LiveTrace;
use kata_protocol::{
    Approval, ApprovalDecision, Gate, InboundDraft, ReplyRoute, SessionId, SessionKey, SessionState, StepOutcome, WireError,
};

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Answers a call.
    Answer {
        /// Code as written.
        code: String,
        /// Answer.
        decision: ApprovalDecision,
    },
    /// Stops the turn of the conversation's session.
    Stop,
    /// The next message begins a new session.
    New,
    /// How things stand.
    Status,
    /// What can be ordered.
    Help,
    /// Begins like an order and is none; the text says how it is written.
    Wrong(&'static str),
}

const APPROVE: &str = "Write `/approve CODE`, `/approve CODE session` or `/approve CODE always`.";
const DENY: &str = "Write `/deny CODE`.";

/// The order in a message, if it is one. `start over` and `reset conversation` are words of the earlier app.
pub fn read(draft: &InboundDraft) -> Option<Order> {
    let mut words = draft.text.split_whitespace().peekable();
    // In a group the bot is addressed first.
    if draft.mentions_bot && words.peek().is_some_and(|w| w.starts_with('@') || w.starts_with("<@")) {
        words.next();
    }
    let words: Vec<String> = words.take(4).map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [first, rest @ ..] = words.as_slice() else { return None };
    // Some platforms name the bot behind the word: `/stop@kata_bot`.
    let first = if first.starts_with('/') {
        first.split('@').next().unwrap_or(first)
    } else {
        first
    };
    let code = |code: &str| code.to_uppercase();
    Some(match (first, rest) {
        ("/approve", [c]) => Order::Answer {
            code: code(c),
            decision: ApprovalDecision::Once,
        },
        ("/approve", [c, how]) => match *how {
            "once" => Order::Answer {
                code: code(c),
                decision: ApprovalDecision::Once,
            },
            "session" => Order::Answer {
                code: code(c),
                decision: ApprovalDecision::Session,
            },
            "always" => Order::Answer {
                code: code(c),
                decision: ApprovalDecision::Always,
            },
            _ => Order::Wrong(APPROVE),
        },
        ("/approve", _) => Order::Wrong(APPROVE),
        ("/deny", [c]) => Order::Answer {
            code: code(c),
            decision: ApprovalDecision::Deny,
        },
        ("/deny", _) => Order::Wrong(DENY),
        ("/stop", []) => Order::Stop,
        ("/new" | "/reset", []) | ("start", ["over"]) | ("reset", ["conversation"]) => Order::New,
        ("/status", []) => Order::Status,
        ("/help", []) => Order::Help,
        _ => return None,
    })
}

/// What came of an order.
enum Done {
    Did(String),
    Refused(String),
}

impl Path {
    /// Does what was ordered and says so. The message ends answered.
    pub(crate) async fn obey(&self, order: Order, admitted: Admitted, trace: LiveTrace) {
        let mark = trace.mark();
        let (row, permit) = admitted.into_parts();
        let label = format!("order {}", name(&order));
        let (text, outcome) = match self.carry_out(&order, &row).await {
            Ok(Done::Did(text)) => (text, StepOutcome::Ok),
            Ok(Done::Refused(text)) => (text, StepOutcome::Blocked),
            Err(error) => (format!("That did not work: {}.", error.message), StepOutcome::Error),
        };
        trace.step(Gate::Router, label, mark, outcome, None);
        let reply = Reply {
            inbox: Some(row.id),
            session: None,
            route: reply_route(&row.channel, &row.draft),
            text,
            key: reply_key(row.id),
            trace: Some(trace.clone()),
            extras: Default::default(),
        };
        if let Err(stopping) = self.deps.sessions.outbox().insist(reply).await {
            tracing::warn!(inbox = row.id.0, %stopping, "an order was not answered; the next start does it");
        }
        drop(permit);
    }

    async fn carry_out(&self, order: &Order, row: &InboxRow) -> Result<Done, WireError> {
        let (key, session) = self.conversation(row).await?;
        let sessions = &self.deps.sessions;
        Ok(match order {
            Order::Wrong(usage) => Done::Refused((*usage).into()),
            Order::Stop => match session {
                Some(id) if sessions.interrupt(&id).await? => Done::Did("Stopped.".into()),
                _ => Done::Did("Nothing is running here.".into()),
            },
            Order::New => {
                let before = self.deps.conversations.begin_anew(&key).await?;
                if let Some(before) = before {
                    sessions.say_reset(&before);
                }
                Done::Did("Your next message begins a new conversation.".into())
            }
            Order::Status => Done::Did(self.status(session, row).await?),
            Order::Help => Done::Did(self.help(row)),
            Order::Answer { code, decision } => self.answer(code, *decision, row, session).await?,
        })
    }

    async fn answer(&self, code: &str, decision: ApprovalDecision, row: &InboxRow, session: Option<SessionId>) -> Result<Done, WireError> {
        if !self.deps.ingress.approves(&row.channel, &row.draft.sender.id) {
            return Ok(Done::Refused("You are not among those who may answer calls here.".into()));
        }
        // A code of another conversation is told from an unknown one by nobody.
        let here = match self.deps.sessions.approval(code).await? {
            Some(ApprovalRow::Waiting(waiting)) => waiting.route.as_ref().is_some_and(|asked| same_place(asked, row)),
            Some(ApprovalRow::Settled(settled)) => Some(&settled.session) == session.as_ref(),
            None => false,
        };
        if !here {
            return Ok(Done::Refused(format!("No call waits under {code} in this conversation.")));
        }
        let name = row.draft.sender.name.clone().unwrap_or_else(|| row.draft.sender.id.to_string());
        let outcome = self.deps.sessions.answer_as(code, decision, Some(&name)).await?;
        Ok(match (outcome.first, outcome.decision) {
            (true, ApprovalDecision::Deny) => Done::Did(format!("{code} is refused.")),
            (true, decision) => Done::Did(format!("{code} is approved ({}).", decision_word(decision))),
            (false, decision) => Done::Refused(format!("{code} was answered before: {}.", decision_word(decision))),
        })
    }

    /// The orders, and for an approver the commands of plugins.
    fn help(&self, row: &InboxRow) -> String {
        let mut text = String::from(
            "- `/stop` stops what is running here\n- `/new` begins a new conversation with your next message\n- `/status` says how things stand",
        );
        if self.deps.ingress.approves(&row.channel, &row.draft.sender.id) {
            text += "\n- `/approve CODE`, `/approve CODE session`, `/approve CODE always` and `/deny CODE` answer a call that waits";
            for command in self.deps.commands.list().into_iter().take(50) {
                text += &format!("\n- `/{}` {}", command.name, command.description);
            }
        }
        text
    }

    async fn status(&self, session: Option<SessionId>, row: &InboxRow) -> Result<String, WireError> {
        let Some(id) = session else {
            return Ok("There is no conversation yet; your next message begins one.".into());
        };
        let doing = match self.deps.sessions.state_of(&id) {
            None | Some(SessionState::Idle | SessionState::Failed) => "nothing is running",
            Some(SessionState::AwaitingApproval) => "a call waits for approval",
            Some(_) => "the agent is working",
        };
        let mut text = format!("Session {id}: {doing}.");
        let waiting = self.deps.sessions.approvals_asked_in(|asked| same_place(asked, row)).await?;
        for Approval { code, call, .. } in waiting {
            text += &format!("\n`{}` waits under {code}.", call.name);
        }
        Ok(text)
    }

    async fn conversation(&self, row: &InboxRow) -> Result<(SessionKey, Option<SessionId>), WireError> {
        let bindings = self.deps.bindings.load_full();
        let routed = route(&bindings, &row.channel, &row.draft).map_err(|e| WireError::invalid(e.to_string()))?;
        let key = routed.key().clone();
        let session = self.deps.keys.session_for(&key).await;
        Ok((key, session.map_err(|e| WireError::internal(e.to_string()))?))
    }
}

/// Whether a message came from where a question went.
fn same_place(asked: &ReplyRoute, row: &InboxRow) -> bool {
    let draft = &row.draft;
    asked.channel == row.channel
        && asked.account == draft.account
        && asked.conversation == draft.conversation
        && asked.thread == draft.thread
}

fn name(order: &Order) -> &'static str {
    match order {
        Order::Answer {
            decision: ApprovalDecision::Deny,
            ..
        } => "deny",
        Order::Answer { .. } => "approve",
        Order::Stop => "stop",
        Order::New => "new",
        Order::Status => "status",
        Order::Help => "help",
        Order::Wrong(_) => "not understood",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
