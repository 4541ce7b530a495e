//! A turn that waited for a person when the program ended goes on waiting: under its own id, at exactly that call. Calls that had
//! ended keep their results, one that had begun is never run again, and the others come behind.

use super::asking::{Answer, Held};
use super::calls::Ready;
use super::ending::Outcome;
use super::history::{Call, OpenTurn};
use super::runner::Runner;
use super::turn::{Begin, Turn};
use super::{Lease, SessionDeps, rows};
use crate::ingress::reply_route;
use crate::ports::{InboxId, LoadedSession, SettledApproval};
use kata_protocol::{Gate, MessageId, ReplyRoute, StepOutcome, TurnId};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How long an answered call waits for its tool: the program takes messages before its plugins are up.
const TOOL_WAIT: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// The turn.
pub(super) struct Resumed {
    pub turn: TurnId,
    pub input: MessageId,
    pub inbox: Option<(InboxId, ReplyRoute)>,
    pub held: Held,
    /// The calls that have no result and had not begun; the held one is among them.
    pub calls: Vec<Call>,
}

/// What [`Runner::resume`] needs besides: taken when the session is loaded, so that clients find it waiting at once.
pub(super) struct Waits {
    pub resumed: Resumed,
    pub listener: oneshot::Receiver<SettledApproval>,
    pub cancel: CancellationToken,
    pub lease: Lease,
}

/// The turn that goes on, if one does. `None`: what is open is repaired as after any crash.
pub(super) async fn find(deps: &SessionDeps, loaded: &LoadedSession, open: &OpenTurn) -> Option<Resumed> {
    let (turn, input, held) = (open.turn.clone()?, open.input.clone()?, open.held.clone()?);
    let row = loaded.rows.iter().find(|r| rows::field(r, "id") == Some(input.as_str()))?;
    let inbox = match row.get("inboxId").and_then(serde_json::Value::as_i64).map(InboxId) {
        // Where the store was set aside, nobody knows any more where the answer belongs.
        Some(inbox) => {
            let message = deps
                .persist
                .until_done("reading a message", || deps.messages.message(inbox))
                .await
                .ok()??;
            Some((inbox, reply_route(&message.channel, &message.draft)))
        }
        None => None,
    };
    let waits = |text: &str| text == super::history::NOT_EXECUTED;
    Some(Resumed {
        turn,
        input,
        inbox,
        held,
        calls: open
            .calls
            .iter()
            .filter(|(_, text)| waits(text))
            .map(|(call, _)| call.clone())
            .collect(),
    })
}

impl Runner {
    pub(super) async fn resume(&mut self, waits: Waits) {
        let Waits {
            resumed,
            listener,
            cancel,
            lease,
        } = waits;
        let origin = resumed.inbox.as_ref().map_or("desktop", |(_, route)| route.channel.as_str());
        let trace = self.deps.tracer.begin(origin);
        trace.session(&self.live.id, &self.live.workspace);
        let mark = trace.mark();
        trace.step(Gate::Mailbox, "went on after a restart", mark, StepOutcome::Ok, None);
        let mut turn = Turn {
            // What an earlier run showed is not known any more; the answer comes as a message of its own.
            previews: None,
            id: resumed.turn,
            trace,
            cancel,
            tools: Arc::from([]),
            inbox: resumed.inbox,
            input: (resumed.input, None),
            before: self.history.len(),
            noted: AtomicBool::new(true),
            abandoned: AtomicBool::new(false),
            plan: Mutex::default(),
            joined: Mutex::default(),
        };
        let outcome = self.go_on(&mut turn, resumed.held, resumed.calls, listener).await;
        let outcome = match outcome {
            Outcome::Failed(_) if self.deps.tasks.stopping().is_cancelled() => Outcome::Abandoned,
            outcome => outcome,
        };
        self.finish(turn, outcome).await;
        drop(lease);
    }

    async fn go_on(&mut self, turn: &mut Turn, held: Held, calls: Vec<Call>, listener: oneshot::Receiver<SettledApproval>) -> Outcome {
        let asked = held.approval.call.clone();
        let answer = match self.ask_again(turn, held, listener).await {
            Answer::Run => Ok(()),
            Answer::Refused(refused) => Err(refused),
            Answer::Abandoned => return Outcome::Abandoned,
        };
        if answer.is_ok() {
            self.until_it_is_there(turn, &asked.name).await;
        }
        let typing = turn
            .inbox
            .as_ref()
            .map(|(_, route)| self.keep_typing(route.clone(), turn.cancel.child_token()));
        let context = (self.deps.context)();
        let model = match self.prepare(turn, context, Begin::Held).await {
            Ok(model) => model,
            Err(error) => {
                for call in calls {
                    let row = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
                    let told = format!("Not executed: {}", error.message);
                    if let Err(unwritten) = self.refuse(turn, call, row, told).await {
                        return Outcome::Failed(unwritten);
                    }
                }
                return Outcome::Failed(error);
            }
        };
        let read_only = turn.tools.iter().any(|tool| tool.name == asked.name && tool.read_only);
        let known = calls.iter().find(|call| call.id == asked.call_id).map(|call| {
            let ready = Ready {
                call: call.clone(),
                row: rows::new_id(&*self.deps.clock, &*self.deps.entropy),
                params: asked.input.0.clone(),
                read_only,
            };
            (ready, answer)
        });
        let ran = self.run_calls(turn, calls, known).await;
        let outcome = match self.after_calls(turn, ran).await {
            Some(outcome) => outcome,
            None => self.converse(turn, &*model).await,
        };
        drop(typing);
        outcome
    }

    /// Waits for a tool whose plugin is still being loaded; one that never comes is the call's own error.
    async fn until_it_is_there(&self, turn: &Turn, tool: &str) {
        let (tools, clock) = (&self.deps.tools, &self.deps.clock);
        let mut looks = TOOL_WAIT.as_millis() / LOOK.as_millis();
        while looks > 0 && !tools.list().iter().any(|known| known.name == tool) {
            tokio::select! {
                () = clock.sleep(LOOK) => looks -= 1,
                () = turn.cancel.cancelled() => return,
            }
        }
    }

    /// The turn that was taken up at loading goes on.
    pub(super) async fn begin_resumed(&mut self) {
        if let Some(waits) = self.waits.take() {
            if !self.live.started.swap(true, Ordering::Relaxed) {
                self.session_start();
            }
            self.resume(waits).await;
        }
    }
}
