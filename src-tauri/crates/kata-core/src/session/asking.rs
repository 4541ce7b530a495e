//! One call that waits for a person: durable before anybody is told, answered from wherever, ended by its time, judged again
//! when the mode changes, and asked again under the same code after a restart.

use super::calls::{Ready, Refused};
use super::questions;
use super::runner::Runner;
use super::turn::Turn;
use crate::outbox::Reply;
use crate::ports::{Append, JournalEntry, Judgement, OutboundExtras, SettledApproval, WaitingApproval};
use kata_protocol::{
    AlwaysRule, Approval, ApprovalDecision, Fact, Gate, Json, Ms, SessionEvent, SessionState, StepOutcome, ToolCall, ToolStatus,
};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a call waits for a person, milliseconds.
pub const APPROVAL_MS: u64 = 24 * 60 * 60 * 1000;

/// What a person is to be asked.
pub(super) struct Question {
    pub reason: String,
    pub always: Option<AlwaysRule>,
    /// A plugin asks: no mode answers for the person.
    pub by_hook: bool,
    /// A plugin asks, or has changed the call: its words and the arguments are not for the channel.
    pub discreet: bool,
}

/// A call that waited when the program ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    pub approval: Approval,
    pub by_hook: bool,
    pub discreet: bool,
    /// It was answered, and had not begun.
    pub decided: Option<ApprovalDecision>,
}

/// What came of it.
pub(super) enum Answer {
    Run,
    Refused(Refused),
    /// The program ends: it goes on waiting at the next start.
    Abandoned,
}

/// Resolves when it is queued.
type Told = oneshot::Receiver<()>;

/// Why it was settled, where that is not a person's answer.
enum Because {
    Stopped,
    Allowed,
    Judged(String),
}

impl Runner {
    /// Asks, and waits.
    pub(super) async fn ask_person(&mut self, turn: &Turn, ready: &Ready, question: Question) -> Answer {
        let summary = self.live.summary();
        let now = self.deps.clock.now();
        let mut approval = Approval {
            code: String::new(),
            session: summary.id.clone(),
            session_name: summary.name.clone(),
            turn: turn.id.clone(),
            call: ToolCall {
                call_id: ready.call.id.clone(),
                name: ready.call.name.clone(),
                input: Json(ready.params.clone()),
                result: None,
                status: ToolStatus::Pending,
                duration_ms: None,
            },
            reason: question.reason,
            always: question.always,
            channel: turn.inbox.as_ref().map(|(_, route)| route.channel.clone()),
            requested_at: now,
            expires_at: Ms(now.0 + APPROVAL_MS),
        };
        let listener = loop {
            approval.code = crate::ingress::code(self.deps.entropy.next_u64(), 6);
            let listener = self.deps.approvals.listen(&approval);
            match self.keep(turn, &approval).await {
                Some(true) => break listener,
                // Somebody else's call has this code.
                Some(false) => self.deps.approvals.leave(&approval.code),
                None => {
                    self.deps.approvals.leave(&approval.code);
                    return self.given_up(turn);
                }
            }
        };
        let asked = JournalEntry::ApprovalRequested {
            turn: turn.id.clone(),
            call: approval.call.call_id.clone(),
            reason: approval.reason.clone(),
            asked: Some(Box::new(approval.clone())),
            by_hook: question.by_hook,
            discreet: question.discreet,
        };
        if let Err(error) = self.journal(asked).await {
            self.deps.approvals.leave(&approval.code);
            return match self.deps.tasks.stopping().is_cancelled() {
                true => Answer::Abandoned,
                false => Answer::Refused(Refused(error.message)),
            };
        }
        crate::fault::point("after_approval_asked");
        let held = Held {
            approval,
            by_hook: question.by_hook,
            discreet: question.discreet,
            decided: None,
        };
        self.wait(turn, held, listener, false).await
    }

    /// Goes on waiting after a restart.
    pub(super) async fn ask_again(&mut self, turn: &Turn, held: Held, listener: oneshot::Receiver<SettledApproval>) -> Answer {
        // The store may have been set aside: the journal has all of it.
        if self.keep(turn, &held.approval).await.is_none() {
            self.deps.approvals.leave(&held.approval.code);
            return self.given_up(turn);
        }
        let code = held.approval.code.clone();
        let known = match held.decided {
            Some(decision) => self.settle(&code, decision).await,
            None => self.deps.approvals.settled(&code).await.ok().flatten(),
        };
        match known {
            Some(settled) => self.resolve(turn, &held, &settled, None, None).await,
            None => self.wait(turn, held, listener, true).await,
        }
    }

    async fn wait(&mut self, turn: &Turn, held: Held, mut listener: oneshot::Receiver<SettledApproval>, mut judge: bool) -> Answer {
        let approval = &held.approval;
        let code = approval.code.clone();
        let mut judging = self.deps.approvals.judging();
        self.live.enter_state(SessionState::AwaitingApproval);
        self.live.say(SessionEvent::ApprovalRequested {
            approval: Box::new(approval.clone()),
        });
        self.deps.events.publish(Fact::ApprovalsChanged {});
        let asked = turn.inbox.as_ref().map(|(_, route)| {
            let (text, extras) = questions::ask(&*self.deps.channels, route, &held);
            self.tell_channel(turn, questions::key(&code, &turn.id), text, extras, None)
        });
        let mark = turn.trace.mark();
        let (settled, because) = loop {
            if std::mem::take(&mut judge) {
                match self.judged(&held).await {
                    Judgement::Allow if !held.by_hook => {
                        break (self.settle(&code, ApprovalDecision::Once).await, Some(Because::Allowed));
                    }
                    Judgement::Deny { reason } => {
                        break (self.settle(&code, ApprovalDecision::Deny).await, Some(Because::Judged(reason)));
                    }
                    Judgement::Allow | Judgement::Ask { .. } => {}
                }
            }
            let left = Duration::from_millis(approval.expires_at.0.saturating_sub(self.deps.clock.now().0));
            tokio::select! {
                biased;
                settled = &mut listener => break (settled.ok(), None),
                () = self.deps.draining.cancelled() => break (None, None),
                () = turn.cancel.cancelled() => {
                    if self.deps.tasks.stopping().is_cancelled() {
                        break (None, None);
                    }
                    break (self.settle(&code, ApprovalDecision::Deny).await, Some(Because::Stopped));
                }
                changed = judging.changed() => judge = changed.is_ok(),
                () = self.deps.clock.sleep(left) => break (self.settle(&code, ApprovalDecision::Deny).await, None),
            }
        };
        let Some(settled) = settled else {
            self.deps.approvals.leave(&code);
            return Answer::Abandoned;
        };
        let refused = settled.decision == ApprovalDecision::Deny;
        let outcome = if refused { StepOutcome::Blocked } else { StepOutcome::Ok };
        let note = if settled.expired {
            "nobody answered in time"
        } else {
            decision_word(settled.decision)
        };
        let label = format!("{}: a person was asked", approval.call.name);
        turn.trace.step(Gate::Tool, label, mark, outcome, Some(note.into()));
        self.resolve(turn, &held, &settled, because, asked.flatten()).await
    }

    /// What an answer does.
    async fn resolve(
        &mut self,
        turn: &Turn,
        held: &Held,
        settled: &SettledApproval,
        because: Option<Because>,
        asked: Option<Told>,
    ) -> Answer {
        let approval = &held.approval;
        let decision = settled.decision;
        self.deps.approvals.leave(&approval.code);
        self.live.enter_state(SessionState::RunningTools);
        self.live.say(SessionEvent::ApprovalResolved {
            call_id: approval.call.call_id.clone(),
            decision,
        });
        self.close_question(turn, held, settled, because.as_ref(), asked);
        if settled.expired && decision == ApprovalDecision::Deny {
            let (name, code) = (&approval.call.name, &approval.code);
            let text = format!("Nobody answered {code} (`{name}`) within 24 hours. It counts as refused.");
            self.tell_channel(
                turn,
                format!("approval:{code}:expired:{}", turn.id),
                text,
                OutboundExtras::default(),
                None,
            );
        }
        let resolved = JournalEntry::ApprovalResolved {
            call: approval.call.call_id.clone(),
            decision,
        };
        if let Err(error) = self.journal(resolved).await {
            return match self.deps.tasks.stopping().is_cancelled() {
                true => Answer::Abandoned,
                false => Answer::Refused(Refused(error.message)),
            };
        }
        crate::fault::point("after_approval_resolved");
        match (decision, &approval.always) {
            (ApprovalDecision::Deny, _) => Answer::Refused(Refused(match because {
                _ if settled.expired => {
                    "Not executed: it needed a person's approval, and nobody answered within 24 hours. That counts as refused.".into()
                }
                Some(Because::Stopped) => "Not executed: a person stopped the turn.".into(),
                Some(Because::Judged(reason)) => reason,
                Some(Because::Allowed) | None => "The person refused this call.".into(),
            })),
            // Without a rule nobody can say what else would be allowed: the answer is for this call.
            (ApprovalDecision::Once, _) | (ApprovalDecision::Session | ApprovalDecision::Always, None) => Answer::Run,
            (ApprovalDecision::Session, Some(rule)) => {
                self.allowed.insert(rule.clone());
                Answer::Run
            }
            (ApprovalDecision::Always, Some(rule)) => {
                let workspace = self.live.summary().workspace;
                match self.deps.permissions.remember(&workspace, rule).await {
                    Ok(()) => {
                        self.deps.approvals.judge_again();
                        Answer::Run
                    }
                    Err(error) => Answer::Refused(Refused(format!("The answer “always” could not be kept: {}", error.message))),
                }
            }
        }
    }

    /// `None`: stopped before it could be kept.
    async fn keep(&self, turn: &Turn, approval: &Approval) -> Option<bool> {
        let waiting = WaitingApproval {
            approval: approval.clone(),
            route: turn.inbox.as_ref().map(|(_, route)| route.clone()),
        };
        let approvals = &self.deps.approvals;
        tokio::select! {
            kept = self.deps.persist.until_done("keeping a call that waits", || approvals.keep(&waiting)) => kept.ok(),
            () = turn.cancel.cancelled() => None,
        }
    }

    /// `None`: the program ends.
    async fn settle(&self, code: &str, decision: ApprovalDecision) -> Option<SettledApproval> {
        let approvals = &self.deps.approvals;
        let settled = self
            .deps
            .persist
            .until_done("keeping an answer", || approvals.settle(code, decision, None))
            .await;
        settled.ok().flatten().map(|(settled, _)| settled)
    }

    async fn journal(&self, entry: JournalEntry) -> Result<(), kata_protocol::WireError> {
        self.write(Append {
            rows: Vec::new(),
            journal: vec![entry],
            sync: true,
        })
        .await
    }

    fn given_up(&self, turn: &Turn) -> Answer {
        if self.deps.tasks.stopping().is_cancelled() || !turn.cancel.is_cancelled() {
            Answer::Abandoned
        } else {
            Answer::Refused(Refused("Not executed: a person stopped the turn.".into()))
        }
    }

    /// How the call would be judged now.
    async fn judged(&self, held: &Held) -> Judgement {
        let summary = self.live.summary();
        let call = &held.approval.call;
        match self.deps.tools.list().iter().find(|tool| tool.name == call.name) {
            Some(tool) => self.deps.permissions.judge(&summary, tool, &call.input.0).await,
            // Its plugin is not up yet, or is being loaded again.
            None => Judgement::Ask {
                reason: held.approval.reason.clone(),
                always: None,
            },
        }
    }

    /// The question becomes its outcome, for everybody who reads it. Behind the question in its conversation's order, and again
    /// after a restart that came before it was known to be done.
    fn close_question(&self, turn: &Turn, held: &Held, settled: &SettledApproval, because: Option<&Because>, asked: Option<Told>) {
        let Some((_, route)) = &turn.inbox else { return };
        let why = because.map(|because| match because {
            Because::Stopped => "the turn was stopped",
            Because::Allowed => "it needs no approval any more",
            Because::Judged(_) => "it may not run any more",
        });
        if let Some((text, extras)) = questions::settled(&*self.deps.channels, route, &turn.id, held, settled, why) {
            let code = &held.approval.code;
            self.tell_channel(turn, format!("approval:{code}:closed:{}", turn.id), text, extras, asked);
        }
    }

    /// Tells the conversation that asked, once, and not before `after`; behind the turn, so that an answer given meanwhile is not
    /// kept waiting.
    fn tell_channel(&self, turn: &Turn, key: String, text: String, extras: OutboundExtras, after: Option<Told>) -> Option<Told> {
        let (_, route) = turn.inbox.clone()?;
        let (queued, told) = oneshot::channel();
        let reply = Reply {
            inbox: None,
            session: Some(self.live.id.clone()),
            route,
            text,
            key,
            trace: None,
            extras,
        };
        let outbox = std::sync::Arc::clone(&self.deps.outbox);
        self.deps.tasks.spawn("tell of a call that waits", async move {
            if let Some(after) = after {
                // One that was dropped could not be queued, and the program ends.
                let _ = after.await;
            }
            if let Err(error) = outbox.insist(reply).await {
                tracing::warn!(%error, "a conversation was not told of a call that waits; the next start does it");
            }
            let _ = queued.send(());
        });
        Some(told)
    }
}

pub(crate) fn decision_word(decision: ApprovalDecision) -> &'static str {
    match decision {
        ApprovalDecision::Once => "once",
        ApprovalDecision::Session => "session",
        ApprovalDecision::Always => "always",
        ApprovalDecision::Deny => "deny",
    }
}
