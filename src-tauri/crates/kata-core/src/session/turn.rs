//! One turn: prepare, ask the model, run its tools, ask again, until it has answered.

use super::deltas::Gathered;
use super::ending::Outcome;
use super::intake::Waiting;
use super::live::lock;
use super::pen::Written;
use super::plans::Submitted;
use super::previews::Previews;
use super::runner::Runner;
use super::{Lease, history, rows};
use crate::hooks::Verdict;
use crate::ports::{
    Append, HistoryFile, HistoryItem, InboxId, JournalEntry, Model, ModelError, ModelErrorCode, ModelEvent, ModelRequest, ModelStep,
    StepUsage, StopReason, StoredRow,
};
use crate::router::has_tool;
use crate::trace::LiveTrace;
use kata_protocol::{
    BeforeAgentStart, Count, ErrorCode, Gate, MessageId, ReplyRoute, SessionEvent, SessionState, SessionSummary, StepOutcome, ToolInfo,
    TurnId, WireError,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

/// Questions to the model in one turn; an agent that wants more is going in circles.
const MAX_STEPS: u32 = 100;
/// Deltas are handed to the windows at most this often.
const DELTA_EVERY: Duration = Duration::from_millis(24);

/// A turn that runs.
pub(super) struct Turn {
    pub id: TurnId,
    pub trace: LiveTrace,
    pub cancel: CancellationToken,
    pub tools: Arc<[ToolInfo]>,
    pub inbox: Option<(InboxId, ReplyRoute)>,
    /// The input's row, and when it is on the disk.
    pub input: (MessageId, Option<Written>),
    /// Length of the conversation before the turn.
    pub before: usize,
    /// That the input is on the disk stands in the trace.
    pub noted: AtomicBool,
    /// A call waits for a person and the program ends: the turn goes on at the next start.
    pub abandoned: AtomicBool,
    /// The answer while it is written, for a channel that shows it.
    pub previews: Option<Previews>,
    /// A plan that was handed in: the turn ends with it.
    pub plan: Mutex<Option<Submitted>>,
    /// Channel messages that joined: they end with the turn.
    pub joined: Mutex<Vec<Joined>>,
}

/// A channel's message that another one's turn answers.
pub(super) struct Joined {
    pub inbox: InboxId,
    _permit: Option<OwnedSemaphorePermit>,
    _lease: Lease,
}

impl Joined {
    fn new(inbox: InboxId, permit: Option<OwnedSemaphorePermit>, lease: Lease) -> Self {
        Self {
            inbox,
            _permit: permit,
            _lease: lease,
        }
    }
}

/// Collected messages as one input, in order, each with who wrote it: as data, on a line of its own.
fn overlap_text(first: &Waiting, others: &[Waiting]) -> String {
    let one = |w: &Waiting| match &w.from {
        Some(writer) => format!("{writer}\n{}", w.text),
        None => w.text.clone(),
    };
    std::iter::once(first).chain(others).map(one).collect::<Vec<_>>().join("\n\n")
}

/// How a turn begins.
pub(super) enum Begin {
    /// With this text and these files.
    New(String, Vec<HistoryFile>),
    /// An earlier run had begun it; the model is asked again.
    Again,
    /// An earlier run had begun it, and it goes on where a call waited.
    Held,
}

impl Turn {
    /// Waits until the input is on the disk: what comes of it may be kept from then on.
    pub(super) async fn input_written(&self) -> Result<(), WireError> {
        let Some(written) = &self.input.1 else { return Ok(()) };
        let mark = self.trace.mark();
        let result = written.clone().wait().await.map_err(super::wire);
        crate::fault::point("after_row_written");
        if !self.noted.swap(true, Ordering::Relaxed) {
            let outcome = if result.is_ok() { StepOutcome::Ok } else { StepOutcome::Error };
            self.trace.step(Gate::Mailbox, "written", mark, outcome, None);
        }
        result
    }
}

impl Runner {
    /// One turn for an input, and for those that were collected with it.
    pub(super) async fn turn(&mut self, waiting: Waiting, others: Vec<Waiting>) {
        let together = (!others.is_empty()).then(|| overlap_text(&waiting, &others));
        let Waiting {
            row,
            written,
            text,
            mut files,
            mut context,
            inbox,
            trace,
            since,
            resume,
            lease,
            permit,
            mark,
            ..
        } = waiting;
        drop(mark);
        let text = together.unwrap_or(text);
        let label = match others.len() {
            0 => "waited".to_owned(),
            n => format!("collected with {n} others"),
        };
        trace.step(Gate::Mailbox, label, since, StepOutcome::Ok, None);
        let (mut rows_of_others, mut joined) = (Vec::new(), Vec::new());
        for other in others {
            let label = format!("collected into {row}");
            other.trace.step(Gate::Mailbox, label, other.since, StepOutcome::Ok, None);
            self.deps.tracer.record(&other.trace, true).await;
            context.extend(other.context.into_iter().filter(|c| !context.contains(c)).collect::<Vec<_>>());
            files.extend(other.files);
            rows_of_others.push(other.row);
            if let Some((inbox, _)) = other.inbox {
                joined.push(Joined::new(inbox, other.permit, other.lease));
            }
        }
        let id = TurnId::new(format!(
            "turn-{:x}-{:06x}",
            self.deps.clock.now().0,
            self.deps.entropy.next_u64() & 0xff_ffff
        ));
        let id = id.unwrap_or_else(|_| unreachable!("hex digits and dashes make an identifier"));
        let cancel = self.live.begin_turn(inbox.as_ref().map(|(_, route)| route.clone()));
        self.live.enter_state(SessionState::Preparing);
        let typing = inbox
            .as_ref()
            .map(|(_, route)| self.keep_typing(route.clone(), cancel.child_token()));
        context.extend(lock(&self.live.pending).take());
        context.extend((self.deps.context)());
        let previews = inbox
            .as_ref()
            .and_then(|(_, route)| Previews::new(&self.deps, route, format!("preview:{id}")));
        let mut turn = Turn {
            previews,
            id,
            trace,
            cancel,
            tools: Arc::from([]),
            inbox,
            input: (row, written),
            before: self.history.len(),
            noted: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            plan: Mutex::default(),
            joined: Mutex::new(joined),
        };
        let begin = if resume { Begin::Again } else { Begin::New(text, files) };
        let outcome = match self.prepare(&mut turn, context, begin).await {
            Ok(model) => {
                for input in rows_of_others {
                    let turn = turn.id.clone();
                    self.live.pen.note_entry(JournalEntry::Steered { turn, input }).await;
                }
                self.converse(&turn, &*model).await
            }
            Err(error) => Outcome::Failed(error),
        };
        let outcome = match turn.input_written().await {
            Ok(()) => outcome,
            Err(error) => Outcome::Unwritten(error),
        };
        let outcome = match outcome {
            // What fails while the program ends fails because of it.
            Outcome::Failed(_) | Outcome::Unwritten(_) if self.deps.tasks.stopping().is_cancelled() => Outcome::Abandoned,
            outcome => outcome,
        };
        drop(typing);
        self.finish(turn, outcome).await;
        drop(permit);
        drop(lease);
    }

    /// Shows the typing signal until the returned guard falls.
    pub(super) fn keep_typing(&self, route: ReplyRoute, stop: CancellationToken) -> tokio_util::sync::DropGuard {
        let guard = stop.clone().drop_guard();
        let Some(ttl) = self
            .deps
            .channels
            .info(&route.channel)
            .map(|(_, i)| i.capabilities.typing_ttl_ms)
            .filter(|ttl| *ttl > 0)
        else {
            return guard;
        };
        // Renewed a fifth before it would go out.
        let every = Duration::from_millis(u64::from(ttl) * 4 / 5);
        let (channels, clock) = (Arc::clone(&self.deps.channels), Arc::clone(&self.deps.clock));
        self.deps.tasks.spawn("typing", async move {
            loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = async { channels.typing(&route).await; clock.sleep(every).await } => {}
                }
            }
        });
        guard
    }

    /// Model, tools, context; the turn's beginning is noted when this returns.
    pub(super) async fn prepare(&mut self, turn: &mut Turn, context: Vec<String>, begin: Begin) -> Result<Arc<dyn Model>, WireError> {
        let summary = self.live.summary();
        let mut model = self.deps.models.find(summary.model.as_deref())?;
        let mut model_id = summary.model.clone().unwrap_or_default();
        let tools = self.tools_of(&summary);
        let event = BeforeAgentStart {
            session: summary.id.clone(),
            turn: turn.id.clone(),
            model: model_id.clone(),
            tools: tools.iter().map(|t| t.name.clone()).collect(),
            context,
        };
        let event = match self.deps.hooks.run(event, &turn.trace).await {
            Verdict::Pass { event, .. } => event,
            Verdict::Stopped { plugin, reason } => {
                return Err(WireError::new(
                    ErrorCode::Forbidden,
                    format!("plugin “{plugin}” stopped the agent: {reason}"),
                ));
            }
        };
        if event.model != model_id {
            model = self.deps.models.find(Some(&event.model))?;
            model_id = event.model;
        }
        turn.tools = tools.iter().filter(|t| event.tools.contains(&t.name)).cloned().collect();
        self.live.say(SessionEvent::TurnStarted {
            turn: turn.id.clone(),
            model: model.label(),
        });
        let started = JournalEntry::TurnStarted {
            turn: turn.id.clone(),
            input: turn.input.0.clone(),
            model: model_id,
            context: event.context.clone(),
        };
        let input = match begin {
            Begin::Held => None,
            Begin::Again => Some(None),
            Begin::New(text, files) => Some(Some((text, files))),
        };
        if let Some(input) = input {
            self.live.pen.note_entry(started).await;
            // A message sent again has its user item already.
            let same = |text: &str, files: &[HistoryFile]| {
                let Some(HistoryItem::User {
                    text: last, files: with, ..
                }) = self.history.last()
                else {
                    return false;
                };
                last == text && with.iter().map(|f| &f.file).eq(files.iter().map(|f| &f.file))
            };
            if let Some((text, files)) = input.filter(|(text, files)| !same(text, files)) {
                self.remember(HistoryItem::User {
                    text,
                    context: event.context,
                    files,
                });
            }
        }
        self.show_files(model.sees_pictures()).await;
        Ok(model)
    }

    /// Tools the agent has in a session. One whose profile is no longer in the table has none: what it may do is not known.
    fn tools_of(&self, summary: &SessionSummary) -> Arc<[ToolInfo]> {
        let tools = self.deps.tools.list_for(&summary.workspace);
        let Some(id) = &summary.profile else { return tools };
        match (self.deps.profiles)(id) {
            Some(profile) => tools.iter().filter(|tool| has_tool(&profile, &tool.name)).cloned().collect(),
            None => {
                tracing::warn!(session = %summary.id, profile = id, "the profile of a session is not in the routing table; it has no tools");
                Arc::from([])
            }
        }
    }

    /// Asks the model until it has answered.
    pub(super) async fn converse(&mut self, turn: &Turn, model: &dyn Model) -> Outcome {
        let summary = self.live.summary();
        let system = (self.deps.system_prompt)(&summary);
        for n in 0..MAX_STEPS {
            let row = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
            let request = ModelRequest {
                session: summary.id.clone(),
                system: system.clone(),
                history: Arc::clone(&self.history),
                tools: Arc::clone(&turn.tools),
            };
            self.live.enter_state(SessionState::Streaming);
            let mark = turn.trace.mark();
            let step = match self.step(turn, model, request, &row).await {
                Ok(step) => step,
                Err(error) => return self.step_failed(turn, model, mark, error),
            };
            turn.trace.step(Gate::Model, model.label(), mark, StepOutcome::Ok, None);
            if let Err(error) = turn.input_written().await {
                return Outcome::Unwritten(error);
            }
            crate::fault::point("during_turn");
            self.count(step.usage);
            self.deps.transcripts.used(&model.label(), step.usage, n == 0);
            let calls = history::calls(&step.blocks);
            let text = history::text(&step.blocks);
            let thinking = history::thinking(&step.blocks);
            let entry = JournalEntry::Step {
                turn: turn.id.clone(),
                blocks: step.blocks.clone(),
                family: model.family().to_owned(),
            };
            if calls.is_empty() && step.stop != StopReason::Pause {
                self.remember(HistoryItem::Assistant {
                    blocks: step.blocks,
                    family: model.family().to_owned(),
                });
                let text = match (text.is_empty(), step.stop) {
                    (true, StopReason::Refusal) => "The model declined to answer.".to_owned(),
                    (true, StopReason::ContextExceeded) => {
                        return Outcome::Failed(
                            WireError::new(ErrorCode::Upstream, "the conversation no longer fits the model").hint("begin a new session"),
                        );
                    }
                    _ => text,
                };
                return Outcome::Answered {
                    text,
                    thinking,
                    row,
                    journal: vec![entry],
                };
            }
            let new_rows: Vec<StoredRow> = if text.is_empty() && thinking.is_none() {
                Vec::new()
            } else {
                vec![rows::assistant(
                    &row,
                    &text,
                    self.deps.clock.now(),
                    &turn.id,
                    true,
                    thinking.as_deref(),
                )]
            };
            self.remember(HistoryItem::Assistant {
                blocks: step.blocks,
                family: model.family().to_owned(),
            });
            self.live
                .pen
                .note(Append {
                    rows: new_rows.clone(),
                    journal: vec![entry],
                    sync: false,
                })
                .await;
            self.live.keep(new_rows);
            if let Some(previews) = &turn.previews {
                previews.take_back().await;
            }
            let ran = self.run_calls(turn, calls, None).await;
            if let Some(outcome) = self.after_calls(turn, ran).await {
                return outcome;
            }
            self.show_files(model.sees_pictures()).await;
        }
        Outcome::Failed(WireError::new(
            ErrorCode::Conflict,
            format!("the agent asked for tools {MAX_STEPS} times in one turn and was stopped"),
        ))
    }

    /// What ends the turn behind its calls; else what came meanwhile is taken in.
    pub(super) async fn after_calls(&mut self, turn: &Turn, ran: Result<(), WireError>) -> Option<Outcome> {
        if let Err(error) = ran {
            return Some(Outcome::Failed(error));
        }
        if turn.abandoned.load(Ordering::Relaxed) {
            return Some(Outcome::Abandoned);
        }
        if turn.cancel.is_cancelled() {
            return Some(match self.deps.tasks.stopping().is_cancelled() {
                true => Outcome::Abandoned,
                false => Outcome::Interrupted { partial: Vec::new() },
            });
        }
        if let Some(plan) = lock(&turn.plan).take() {
            return Some(Outcome::Planned(plan));
        }
        self.take_steered(turn).await;
        None
    }

    fn step_failed(&self, turn: &Turn, model: &dyn Model, mark: u64, error: ModelError) -> Outcome {
        if error.code == ModelErrorCode::Cancelled {
            turn.trace
                .step(Gate::Model, model.label(), mark, StepOutcome::Blocked, Some("stopped".into()));
            if self.deps.tasks.stopping().is_cancelled() {
                return Outcome::Abandoned;
            }
            return Outcome::Interrupted { partial: error.partial };
        }
        turn.trace
            .step(Gate::Model, model.label(), mark, StepOutcome::Error, Some(error.message.clone()));
        let (code, hint) = match error.code {
            ModelErrorCode::Unauthorized => (ErrorCode::NeedsUser, "check the model's key in Settings"),
            ModelErrorCode::ContextExceeded => (ErrorCode::Upstream, "begin a new session; this one no longer fits the model"),
            ModelErrorCode::Idle => (ErrorCode::Timeout, "send the message again"),
            _ => (ErrorCode::Upstream, "send the message again, or choose another model"),
        };
        Outcome::Failed(WireError::new(code, error.message).hint(hint))
    }

    /// One question. Deltas are gathered, so that a fast model does not flood the windows.
    async fn step(&self, turn: &Turn, model: &dyn Model, request: ModelRequest, row: &MessageId) -> Result<ModelStep, ModelError> {
        let cancelled = || ModelError {
            code: ModelErrorCode::Cancelled,
            message: "stopped".into(),
            partial: Vec::new(),
        };
        let _permit = tokio::select! {
            permit = self.deps.model_permits.acquire() => permit.map_err(|_| cancelled())?,
            () = turn.cancel.cancelled() => return Err(cancelled()),
        };
        let (events, mut incoming) = mpsc::channel(256);
        let asking = model.step(request, events, turn.cancel.clone());
        tokio::pin!(asking);
        let mut gathered = Gathered::new(row.clone());
        let preview = |event: &ModelEvent| {
            if let Some(previews) = &turn.previews {
                previews.hear(event, !turn.tools.is_empty());
            }
        };
        if let Some(previews) = &turn.previews {
            previews.begin_step();
        }
        let mut due: Option<futures::future::BoxFuture<'_, ()>> = None;
        loop {
            tokio::select! {
                biased;
                Some(event) = incoming.recv() => {
                    preview(&event);
                    gathered.take(event, |e| self.live.say(e));
                    if due.is_none() && !gathered.is_empty() {
                        due = Some(Box::pin(self.deps.clock.sleep(DELTA_EVERY)));
                    }
                }
                () = async { match &mut due { Some(due) => due.await, None => std::future::pending().await } } => {
                    gathered.flush(|e| self.live.say(e));
                    due = None;
                }
                result = &mut asking => {
                    while let Ok(event) = incoming.try_recv() {
                        gathered.take(event, |e| self.live.say(e));
                    }
                    gathered.flush(|e| self.live.say(e));
                    return result;
                }
            }
        }
    }

    /// Input that came into this turn, taken between two questions.
    async fn take_steered(&mut self, turn: &Turn) {
        loop {
            let Some(waiting) = lock(&self.live.steered).pop_front() else {
                return;
            };
            self.live.begun();
            if let Some(written) = waiting.written
                && written.wait().await.is_err()
            {
                // Whoever handed it in was told.
                self.live.forget(&waiting.row);
                continue;
            }
            let entry = JournalEntry::Steered {
                turn: turn.id.clone(),
                input: waiting.row,
            };
            self.live.pen.note_entry(entry).await;
            self.remember(HistoryItem::User {
                text: waiting.text,
                context: waiting.context,
                files: waiting.files,
            });
            waiting.trace.step(
                Gate::Mailbox,
                "steered: joined the running turn",
                waiting.since,
                StepOutcome::Ok,
                None,
            );
            self.deps.tracer.record(&waiting.trace, true).await;
            if let Some((inbox, _)) = waiting.inbox {
                lock(&turn.joined).push(Joined::new(inbox, waiting.permit, waiting.lease));
            }
        }
    }

    fn count(&self, usage: StepUsage) {
        let summary = self.live.alter(|s| {
            let u = &mut s.usage;
            u.input_tokens.0 += usage.input;
            u.output_tokens.0 += usage.output;
            u.cache_read_tokens.0 += usage.cache_read;
            u.cache_creation_tokens.0 += usage.cache_creation;
            u.total_tokens = Count(u.input_tokens.0 + u.output_tokens.0);
            u.context_tokens = Count(usage.input + usage.cache_read + usage.cache_creation);
        });
        self.live.say(SessionEvent::Usage { usage: summary.usage });
    }
}
