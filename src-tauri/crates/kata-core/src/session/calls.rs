//! The tool calls of one answer: hooks, permission, a person where needed, then the tool; each with its result on disk.
//! Calls that only read run together; the others one after the other, in order.

use super::asking::{Answer, Question};
use super::attachments::{self, Noted};
use super::history::Call;
use super::live::lock;
use super::runner::Runner;
use super::{rows, turn::Turn};
use crate::hooks::Verdict;
use crate::ports::{Append, HistoryItem, JournalEntry, Judgement, SEND_FILE, SUBMIT_PLAN, ToolOutcome, ToolRequest};
use kata_protocol::{AfterToolCall, BeforeToolCall, Gate, Json, MessageId, SessionState, StepOutcome, ToolCall, ToolStatus, WireError};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why a call is not run, as the model is told.
pub(super) struct Refused(pub String);

impl<T: Into<String>> From<T> for Refused {
    fn from(told: T) -> Self {
        Self(told.into())
    }
}

/// A call that may run.
pub(super) struct Ready {
    pub call: Call,
    pub row: MessageId,
    pub params: Value,
    pub read_only: bool,
}

impl Runner {
    /// Every call gets a result, whatever happens; except when the program ends, where they go on at the next start. `answered`
    /// is what came of a call that waited across a restart.
    pub(super) async fn run_calls(
        &mut self,
        turn: &Turn,
        calls: Vec<Call>,
        mut answered: Option<(Ready, Result<(), Refused>)>,
    ) -> Result<(), WireError> {
        self.live.enter_state(SessionState::RunningTools);
        let mut together: Vec<Ready> = Vec::new();
        for call in calls {
            let row = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
            let known = answered.take_if(|(ready, _)| ready.call.id == call.id);
            let cleared = if let Some((ready, answer)) = known {
                answer.map(|()| (ready, None))
            } else if turn.cancel.is_cancelled() {
                Err(Refused::from("Not executed: a person stopped the turn."))
            } else if !lock(&self.live.steered).is_empty() {
                Err(Refused::from("Skipped: the person wrote something new."))
            } else {
                self.clear(turn, &call, &row).await
            };
            let cleared = match cleared {
                Ok((ready, Some(question))) => {
                    // What stands before it is done and on the disk before anybody thinks about it.
                    self.execute(turn, std::mem::take(&mut together)).await?;
                    match self.ask_person(turn, &ready, question).await {
                        Answer::Run => Ok(ready),
                        Answer::Refused(refused) => Err(refused),
                        Answer::Abandoned => {
                            turn.abandoned.store(true, Ordering::Relaxed);
                            return Ok(());
                        }
                    }
                }
                Ok((ready, None)) => Ok(ready),
                Err(refused) => Err(refused),
            };
            match cleared {
                Ok(ready) if ready.read_only => together.push(ready),
                Ok(ready) => {
                    self.execute(turn, std::mem::take(&mut together)).await?;
                    self.execute(turn, vec![ready]).await?;
                }
                Err(Refused(reason)) => {
                    self.execute(turn, std::mem::take(&mut together)).await?;
                    self.refuse(turn, call, row, reason).await?;
                }
            }
        }
        self.execute(turn, together).await
    }

    /// A call that does not run has a result too.
    pub(super) async fn refuse(&mut self, turn: &Turn, call: Call, row: MessageId, text: String) -> Result<(), WireError> {
        let params = call.input.clone();
        let refused = Ready {
            call,
            row,
            params,
            read_only: true,
        };
        self.done(turn, refused, ToolOutcome { text, is_error: true }, None, &[]).await
    }

    /// Hooks and permission: the call as it would run, and what a person is to be asked first. The error is what the model is told.
    async fn clear(&mut self, turn: &Turn, call: &Call, row: &MessageId) -> Result<(Ready, Option<Question>), Refused> {
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
        let touched = changed != plain;
        let params = if !touched {
            plain
        } else {
            permissions.plain(&summary, tool, changed).await.map_err(|unfit| unfit.0)?
        };
        let mut reasons: Vec<String> = asks.into_iter().map(|(plugin, reason)| format!("{plugin}: {reason}")).collect();
        let by_hook = !reasons.is_empty();
        let mut rule = None;
        match permissions.judge(&summary, tool, &params).await {
            Judgement::Deny { reason } => return Err(reason.into()),
            Judgement::Ask { reason, always } if !always.as_ref().is_some_and(|rule| self.allowed.contains(rule)) => {
                reasons.push(reason);
                rule = always;
            }
            Judgement::Ask { .. } | Judgement::Allow => {}
        }
        let question = (!reasons.is_empty()).then(|| Question {
            reason: reasons.join("; "),
            always: rule,
            by_hook,
            discreet: by_hook || touched,
        });
        let ready = Ready {
            call: call.clone(),
            row: row.clone(),
            params,
            read_only: tool.read_only,
        };
        Ok((ready, question))
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
            let (this, hooks) = (&*self, &self.deps.hooks);
            let session = session.clone();
            async move {
                let mark = turn.trace.mark();
                let (outcome, files) = match ready.call.name.as_str() {
                    SEND_FILE => this.send_file(turn, request).await,
                    SUBMIT_PLAN => (this.submit_plan(turn, &request).await, Vec::new()),
                    _ => (this.deps.tools.call(request).await, Vec::new()),
                };
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
                    files,
                )
            }
        });
        let ended = futures::future::join_all(running).await;
        crate::fault::point("after_tool_done");
        for (ready, outcome, took, files) in ended {
            self.done(turn, ready, outcome, Some(took), &files).await?;
        }
        Ok(())
    }

    /// A result: on disk, in the window, in the conversation.
    async fn done(&mut self, turn: &Turn, ready: Ready, outcome: ToolOutcome, took: Option<u32>, files: &[Noted]) -> Result<(), WireError> {
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
        let mut row = rows::tool(&ready.row, &card, self.deps.clock.now(), &turn.id);
        attachments::put_on(&mut row, files);
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
