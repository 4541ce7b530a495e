//! The tool calls of one answer: hooks, permission, a person where needed, then the tool; each with its result on disk.
//! Calls that only read run together; the others one after the other, in order.

use super::history::Call;
use super::live::lock;
use super::runner::Runner;
use super::{rows, turn::Turn};
use crate::hooks::Verdict;
use crate::ports::{Append, HistoryItem, JournalEntry, Judgement, ToolOutcome, ToolRequest};
use kata_protocol::{
    AfterToolCall, AlwaysRule, Approval, ApprovalDecision, BeforeToolCall, Fact, Gate, Json, MessageId, Ms, SessionEvent, SessionState,
    StepOutcome, ToolCall, ToolStatus, WireError,
};
use serde_json::Value;
use std::sync::Arc;

/// How long a call waits for a person, milliseconds.
const APPROVAL_MS: u64 = 24 * 60 * 60 * 1000;

/// Why a call is not run, as the model is told.
struct Refused(String);

impl<T: Into<String>> From<T> for Refused {
    fn from(told: T) -> Self {
        Self(told.into())
    }
}

/// A call that may run.
struct Ready {
    call: Call,
    row: MessageId,
    params: Value,
    read_only: bool,
}

impl Runner {
    /// Every call gets a result, whatever happens.
    pub(super) async fn run_calls(&mut self, turn: &Turn, calls: Vec<Call>) -> Result<(), WireError> {
        self.live.enter_state(SessionState::RunningTools);
        let mut together: Vec<Ready> = Vec::new();
        for call in calls {
            let row = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
            let refused = if turn.cancel.is_cancelled() {
                Err(Refused::from("Not executed: a person stopped the turn."))
            } else if !lock(&self.live.steered).is_empty() {
                Err(Refused::from("Skipped: the person wrote something new."))
            } else {
                self.clear(turn, &call, &row).await
            };
            match refused {
                Ok(ready) if ready.read_only => together.push(ready),
                Ok(ready) => {
                    self.execute(turn, std::mem::take(&mut together)).await?;
                    self.execute(turn, vec![ready]).await?;
                }
                Err(Refused(reason)) => {
                    self.execute(turn, std::mem::take(&mut together)).await?;
                    let params = call.input.clone();
                    let refused = Ready {
                        call,
                        row,
                        params,
                        read_only: true,
                    };
                    self.done(
                        turn,
                        refused,
                        ToolOutcome {
                            text: reason,
                            is_error: true,
                        },
                        None,
                    )
                    .await?;
                }
            }
        }
        self.execute(turn, together).await
    }

    /// Hooks and permission. The error is what the model is told.
    async fn clear(&mut self, turn: &Turn, call: &Call, row: &MessageId) -> Result<Ready, Refused> {
        let summary = self.live.summary();
        let card = |status, input: &Value| ToolCall {
            call_id: call.id.clone(),
            name: call.name.clone(),
            input: Json(input.clone()),
            result: None,
            status,
            duration_ms: None,
        };
        self.live.show(&rows::tool(
            row,
            &card(ToolStatus::Pending, &call.input),
            self.deps.clock.now(),
            &turn.id,
        ));
        let Some(tool) = turn.tools.iter().find(|t| t.name == call.name) else {
            return Err(format!("There is no tool named “{}”.", call.name).into());
        };
        let permissions = Arc::clone(&self.deps.permissions);
        let plain = permissions
            .plain(&summary, tool, call.input.clone())
            .await
            .map_err(|unfit| unfit.0)?;
        if let Judgement::Deny { reason } = permissions.judge(&summary, tool, &plain).await {
            return Err(reason.into());
        }
        let event = BeforeToolCall {
            session: summary.id.clone(),
            turn: turn.id.clone(),
            call_id: call.id.clone(),
            tool: call.name.clone(),
            params: Json(plain.clone()),
        };
        let (changed, asks) = match self.deps.hooks.run(event, &turn.trace).await {
            Verdict::Pass { event, asks } => (event.params.0, asks),
            Verdict::Stopped { plugin, reason } => return Err(format!("Blocked by plugin “{plugin}”: {reason}").into()),
        };
        // What a hook changed is another call: it is made plain and judged as it would run.
        let params = if changed == plain {
            plain
        } else {
            permissions.plain(&summary, tool, changed).await.map_err(|unfit| unfit.0)?
        };
        let mut reasons: Vec<String> = asks.into_iter().map(|(plugin, reason)| format!("{plugin}: {reason}")).collect();
        let mut rule = None;
        match permissions.judge(&summary, tool, &params).await {
            Judgement::Deny { reason } => return Err(reason.into()),
            Judgement::Ask { reason, always } if !self.allowed.contains(&call.name) => {
                reasons.push(reason);
                rule = always;
            }
            Judgement::Ask { .. } | Judgement::Allow => {}
        }
        if !reasons.is_empty() {
            self.ask_person(turn, card(ToolStatus::Pending, &params), reasons.join("; "), rule)
                .await?;
        }
        Ok(Ready {
            call: call.clone(),
            row: row.clone(),
            params,
            read_only: tool.read_only,
        })
    }

    /// Waits for a person's answer. The error is what the model is told.
    async fn ask_person(&mut self, turn: &Turn, card: ToolCall, reason: String, always: Option<AlwaysRule>) -> Result<(), Refused> {
        let asked = JournalEntry::ApprovalRequested {
            turn: turn.id.clone(),
            call: card.call_id.clone(),
            reason: reason.clone(),
        };
        self.write(Append {
            rows: Vec::new(),
            journal: vec![asked],
            sync: true,
        })
        .await
        .map_err(|e| e.message)?;
        let (call_id, name) = (card.call_id.clone(), card.name.clone());
        let summary = self.live.summary();
        let now = self.deps.clock.now();
        let approval = Approval {
            code: crate::ingress::code(self.deps.entropy.next_u64(), 6),
            session: summary.id.clone(),
            session_name: summary.name.clone(),
            turn: turn.id.clone(),
            call: card,
            reason,
            always: always.clone(),
            channel: None,
            requested_at: now,
            expires_at: Ms(now.0 + APPROVAL_MS),
        };
        let answer = self.live.ask(&approval);
        self.live.enter_state(SessionState::AwaitingApproval);
        self.live.say(SessionEvent::ApprovalRequested {
            approval: Box::new(approval),
        });
        self.deps.events.publish(Fact::ApprovalsChanged {});
        let mark = turn.trace.mark();
        let decision = tokio::select! {
            decision = answer => decision.unwrap_or(ApprovalDecision::Deny),
            () = turn.cancel.cancelled() => ApprovalDecision::Deny,
        };
        let outcome = if decision == ApprovalDecision::Deny {
            StepOutcome::Blocked
        } else {
            StepOutcome::Ok
        };
        turn.trace
            .step(Gate::Tool, format!("{name}: a person was asked"), mark, outcome, None);
        self.live.enter_state(SessionState::RunningTools);
        self.live.say(SessionEvent::ApprovalResolved {
            call_id: call_id.clone(),
            decision,
        });
        self.deps.events.publish(Fact::ApprovalsChanged {});
        let resolved = JournalEntry::ApprovalResolved { call: call_id, decision };
        self.write(Append {
            rows: Vec::new(),
            journal: vec![resolved],
            sync: true,
        })
        .await
        .map_err(|e| e.message)?;
        match decision {
            ApprovalDecision::Deny => Err("The person refused this call.".into()),
            ApprovalDecision::Session => {
                self.allowed.insert(name);
                Ok(())
            }
            ApprovalDecision::Always => match always {
                Some(rule) => {
                    let kept = self.deps.permissions.remember(&summary.workspace, &rule).await;
                    kept.map_err(|e| Refused(format!("The answer “always” could not be kept: {}", e.message)))
                }
                None => {
                    self.allowed.insert(name);
                    Ok(())
                }
            },
            ApprovalDecision::Once => Ok(()),
        }
    }

    /// Runs calls together. That they start is on disk before they do.
    async fn execute(&mut self, turn: &Turn, ready: Vec<Ready>) -> Result<(), WireError> {
        if ready.is_empty() {
            return Ok(());
        }
        let session = self.live.id.clone();
        let summary = self.live.summary();
        let journal = ready
            .iter()
            .map(|r| JournalEntry::ToolStarted {
                turn: turn.id.clone(),
                call: r.call.id.clone(),
            })
            .collect();
        self.write(Append {
            rows: Vec::new(),
            journal,
            sync: true,
        })
        .await?;
        crate::fault::point("after_tool_started");
        let running = ready.into_iter().map(|ready| {
            let card = ToolCall {
                call_id: ready.call.id.clone(),
                name: ready.call.name.clone(),
                input: Json(ready.params.clone()),
                result: None,
                status: ToolStatus::Executing,
                duration_ms: None,
            };
            self.live.show(&rows::tool(&ready.row, &card, self.deps.clock.now(), &turn.id));
            let request = ToolRequest {
                session: session.clone(),
                workspace: summary.workspace.clone(),
                working_directory: summary.working_directory.clone(),
                mode: summary.mode,
                turn: turn.id.clone(),
                call_id: ready.call.id.clone(),
                name: ready.call.name.clone(),
                params: ready.params.clone(),
                cancel: turn.cancel.clone(),
            };
            let (tools, hooks) = (&self.deps.tools, &self.deps.hooks);
            let session = session.clone();
            async move {
                let mark = turn.trace.mark();
                let outcome = tools.call(request).await;
                let took = turn.trace.mark().saturating_sub(mark) / 1000;
                let how = if outcome.is_error { StepOutcome::Error } else { StepOutcome::Ok };
                turn.trace.step(Gate::Tool, ready.call.name.clone(), mark, how, None);
                let event = AfterToolCall {
                    session,
                    turn: turn.id.clone(),
                    call_id: ready.call.id.clone(),
                    tool: ready.call.name.clone(),
                    result: outcome.text.clone(),
                    is_error: outcome.is_error,
                };
                let text = match hooks.run(event, &turn.trace).await {
                    Verdict::Pass { event, .. } => event.result,
                    Verdict::Stopped { .. } => outcome.text,
                };
                (
                    ready,
                    ToolOutcome {
                        text,
                        is_error: outcome.is_error,
                    },
                    u32::try_from(took).unwrap_or(u32::MAX),
                )
            }
        });
        let ended = futures::future::join_all(running).await;
        for (ready, outcome, took) in ended {
            self.done(turn, ready, outcome, Some(took)).await?;
        }
        Ok(())
    }

    /// A result: on disk, in the window, in the conversation.
    async fn done(&mut self, turn: &Turn, ready: Ready, outcome: ToolOutcome, took: Option<u32>) -> Result<(), WireError> {
        let card = ToolCall {
            call_id: ready.call.id.clone(),
            name: ready.call.name,
            input: Json(ready.params),
            result: Some(outcome.text.clone()),
            status: if outcome.is_error {
                ToolStatus::Error
            } else {
                ToolStatus::Completed
            },
            duration_ms: took,
        };
        let row = rows::tool(&ready.row, &card, self.deps.clock.now(), &turn.id);
        let entry = JournalEntry::ToolDone {
            turn: turn.id.clone(),
            call: ready.call.id.clone(),
            text: outcome.text.clone(),
            is_error: outcome.is_error,
        };
        self.remember(HistoryItem::ToolResult {
            call_id: ready.call.id,
            text: outcome.text,
            is_error: outcome.is_error,
        });
        self.write_and_keep(vec![row], vec![entry]).await
    }
}
