//! Runs a session's turns, one after the other, and unloads the session when nothing has come for a while.

use super::attachments::Place;
use super::ending::joined_end;
use super::history::{self, open_turn};
use super::intake::{Waiting, end_inbox};
use super::live::{Live, MAILBOX, lock};
use super::overlap::Next;
use super::pen::Pen;
use super::resuming::{self, Resumed, Waits};
use super::told::Pending;
use super::{CROWD, CROWDED_UNLOAD, IDLE_UNLOAD, SessionDeps, intake, rows};
use crate::ports::{Append, HistoryItem, JournalEntry, LoadedSession, StoredRow, TranscriptError};
use kata_protocol::{AlwaysRule, MessageKind, Ms, SessionEndReason, SessionStart, SessionState, ToolCall, ToolStatus, TurnEnd};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Counts a session among those in memory.
pub(super) struct Among(Arc<AtomicU32>);

impl Among {
    fn one_more(all: Arc<AtomicU32>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all)
    }

    /// How long it stays when nothing comes.
    fn patience(&self) -> Duration {
        if self.0.load(Ordering::Relaxed) > CROWD {
            CROWDED_UNLOAD
        } else {
            IDLE_UNLOAD
        }
    }
}

impl Drop for Among {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a session's turns keep from one to the next.
pub(super) struct Runner {
    pub live: Arc<Live>,
    pub deps: Arc<SessionDeps>,
    /// Shared with the question that is being asked; changed in place when nobody asks.
    pub history: Arc<Vec<HistoryItem>>,
    /// What a person has allowed for the rest of the session.
    pub allowed: HashSet<AlwaysRule>,
    /// Its place among those in memory.
    pub among: Among,
    resumed: bool,
    /// A turn that waited for a person when the program ended.
    pub waits: Option<Waits>,
    /// How the last turn ended.
    pub last_end: Option<TurnEnd>,
}

/// Repairs what a crash left open, then starts the session's two tasks. `unload` takes it out of the registry.
pub(super) async fn start(
    deps: Arc<SessionDeps>,
    busy: Arc<AtomicU32>,
    in_memory: Arc<AtomicU32>,
    mut loaded: LoadedSession,
    unload: impl FnOnce() + Send + 'static,
) -> Result<Arc<Live>, TranscriptError> {
    let held = repair(&deps, &mut loaded).await?;
    let allowed = history::allowed(&loaded.journal);
    let files = deps.media.folder(&loaded.summary.id).await.unwrap_or_else(|error| {
        tracing::warn!(session = %loaded.summary.id, %error, "the folder of a session's files is not known");
        String::new()
    });
    let place = Place::new(&files, &loaded.summary);
    let history = Arc::new(history::build(&loaded.rows, &loaded.journal, &place));
    let (mailbox, inputs) = mpsc::channel(MAILBOX);
    loaded.summary.state = match &held {
        Some(_) => SessionState::AwaitingApproval,
        None => SessionState::Idle,
    };
    loaded.summary.message_count = u32::try_from(loaded.rows.len()).unwrap_or(u32::MAX);
    let resumed = !loaded.rows.is_empty();
    let pen = Pen::start(
        Arc::clone(&deps.transcripts),
        deps.persist.clone(),
        &deps.tasks,
        loaded.summary.id.clone(),
    );
    let pending = Pending::found(&loaded.rows, &loaded.journal);
    apply_rewording(&mut loaded);
    let live = Live::new(Arc::clone(&deps), busy, pen, mailbox, loaded.summary, loaded.rows, pending, files);
    let waits = held.and_then(|resumed| {
        // Set once, here.
        let _ = live.resumed.set(resumed.input.clone());
        Some(Waits {
            listener: deps.approvals.listen_again(&resumed.held.approval),
            cancel: live.begin_turn(resumed.inbox.as_ref().map(|(_, route)| route.clone())),
            lease: super::Lease::take(&live)?,
            resumed,
        })
    });
    deps.tasks
        .spawn("session intake", intake::run(Arc::clone(&live), inputs, loaded.journal));
    let runner = Runner {
        live: Arc::clone(&live),
        deps: Arc::clone(&deps),
        history,
        allowed,
        resumed,
        waits,
        last_end: None,
        among: Among::one_more(in_memory),
    };
    deps.tasks.spawn("session", runner.run(unload));
    Ok(live)
}

impl Runner {
    async fn run(mut self, unload: impl FnOnce()) {
        let idle = self.serve().await;
        // What still waits is taken up at the next start; it must not keep the session in memory.
        drop((lock(&self.live.line).clear(), std::mem::take(&mut *lock(&self.live.steered))));
        if !idle {
            return;
        }
        let id = self.live.id.clone();
        // What was noted goes first, and what cannot be written is said there.
        let _ = self.live.pen.flush().await.wait().await;
        if let Err(error) = self.deps.transcripts.rewrite(&id).await {
            tracing::warn!(session = %id, %error, "the first line of a session was not brought up to date");
        }
        unload();
        self.live.session_end(SessionEndReason::Idle).await;
    }

    /// Runs turns. `true`: nothing has come for a while, and nothing can come any more.
    async fn serve(&mut self) -> bool {
        let (stopping, draining) = (self.deps.tasks.stopping(), self.deps.draining.clone());
        self.begin_resumed().await;
        loop {
            if stopping.is_cancelled() || draining.is_cancelled() {
                return false;
            }
            // What was steered into a turn that ended before it could be taken is the next turn.
            let steered = lock(&self.live.steered).pop_front();
            let now = self.deps.clock.monotonic_us();
            let next = match steered {
                Some(next) => Next::Ready(vec![next]),
                None => lock(&self.live.line).take(now),
            };
            let wait = match next {
                Next::Ready(inputs) => {
                    self.begin(inputs).await;
                    continue;
                }
                Next::At(at) => Some(Duration::from_micros(at.saturating_sub(now))),
                Next::Empty => None,
            };
            tokio::select! {
                biased;
                () = stopping.cancelled() => return false,
                () = draining.cancelled() => return false,
                () = self.live.gone.cancelled() => {
                    self.live.session_end(SessionEndReason::Archived).await;
                    return false;
                }
                () = self.live.put_in.notified() => {}
                () = self.deps.clock.sleep(wait.unwrap_or_else(|| self.among.patience())) => {
                    if wait.is_none() && self.live.close() {
                        return true;
                    }
                }
            }
        }
    }

    /// A turn for an input, and for those that were collected with it.
    async fn begin(&mut self, inputs: Vec<Waiting>) {
        for _ in &inputs {
            self.live.begun();
        }
        let mut inputs = inputs.into_iter();
        let Some(first) = inputs.next() else { return };
        if let (true, Some((inbox, _)), Some(end)) = (first.follows, &first.inbox, self.last_end) {
            // The turn it had joined before a restart has ended right before it.
            end_inbox(&self.live, *inbox, joined_end(end)).await;
            self.deps.tracer.record(&first.trace, true).await;
            lock(&self.live.line).running(false);
            return;
        }
        if !self.live.started.swap(true, Ordering::Relaxed) {
            self.session_start();
        }
        self.turn(first, inputs.collect()).await;
    }

    /// Adds to what the model is told.
    pub(super) fn remember(&mut self, item: HistoryItem) {
        Arc::make_mut(&mut self.history).push(item);
    }

    pub(super) fn session_start(&self) {
        let summary = self.live.summary();
        let event = SessionStart {
            session: summary.id,
            workspace: summary.workspace,
            resumed: self.resumed,
        };
        let hooks = Arc::clone(&self.deps.hooks);
        self.deps
            .tasks
            .spawn("session_start hooks", async move { hooks.observe(event, None).await });
    }
}

/// Gives every open tool call a result, and tells the person about an answer that broke off. A turn that answers a channel
/// stays open: its message is still in the inbox and goes on from here. A turn that waited for a person goes on by itself.
async fn repair(deps: &SessionDeps, loaded: &mut LoadedSession) -> Result<Option<Resumed>, TranscriptError> {
    let open = open_turn(&loaded.journal);
    let now = deps.clock.now();
    let resumed = resuming::find(deps, loaded, &open).await;
    let Some(turn) = open.turn else {
        return unanswered(deps, loaded, now).await.map(|()| None);
    };
    let mut append = Append {
        sync: true,
        ..Append::default()
    };
    for (call, told) in open.calls {
        if resumed.is_some() && told == history::NOT_EXECUTED {
            continue;
        }
        let id = rows::new_id(&*deps.clock, &*deps.entropy);
        let card = ToolCall {
            call_id: call.id.clone(),
            name: call.name,
            input: call.input.into(),
            result: Some(told.to_owned()),
            status: ToolStatus::Error,
            duration_ms: None,
        };
        append.rows.push(rows::tool(&id, &card, now, &turn));
        append.journal.push(JournalEntry::ToolDone {
            turn: turn.clone(),
            call: call.id,
            text: told.to_owned(),
            is_error: true,
        });
    }
    let input = loaded.journal.iter().rev().find_map(|e| match e {
        JournalEntry::TurnStarted { turn: t, input, .. } if *t == turn => Some(input.clone()),
        _ => None,
    });
    let answered = input.as_ref().is_some_and(|i| {
        matches!(
            history::fate(&loaded.rows, &loaded.journal, i.as_str()),
            history::InputFate::Ended(..)
        )
    });
    let of_channel = loaded
        .rows
        .iter()
        .any(|r| r.contains_key("inboxId") && rows::field(r, "id") == input.as_ref().map(|i| i.as_str()));
    if resumed.is_some() {
        // Nothing of it is over.
    } else if answered {
        append.journal.push(JournalEntry::TurnEnded {
            turn,
            end: TurnEnd::Completed,
        });
    } else if !of_channel {
        append.rows.push(broken_off(deps, now));
        append.journal.push(JournalEntry::TurnEnded {
            turn,
            end: TurnEnd::Interrupted,
        });
    }
    if !(append.rows.is_empty() && append.journal.is_empty()) {
        deps.transcripts.append(&loaded.summary.id, append.clone()).await?;
    }
    loaded.rows.extend(append.rows);
    loaded.journal.extend(append.journal);
    Ok(resumed)
}

/// Input that was made durable, and the program ended before its turn began.
async fn unanswered(deps: &SessionDeps, loaded: &mut LoadedSession, now: Ms) -> Result<(), TranscriptError> {
    let Some(last) = loaded.rows.last() else { return Ok(()) };
    // A session of another program is not written to just because it was looked at.
    let ours = !loaded.journal.is_empty() || loaded.rows.len() == 1;
    if !ours || rows::kind(last) != Some("user") || last.contains_key("inboxId") {
        return Ok(());
    }
    let rows = vec![broken_off(deps, now)];
    deps.transcripts
        .append(
            &loaded.summary.id,
            Append {
                rows: rows.clone(),
                journal: Vec::new(),
                sync: true,
            },
        )
        .await?;
    loaded.rows.extend(rows);
    Ok(())
}

/// Texts that were changed while their messages waited, as people see them.
fn apply_rewording(loaded: &mut LoadedSession) {
    for entry in &loaded.journal {
        if let JournalEntry::Reworded { input, text } = entry {
            let row = loaded.rows.iter_mut().find(|row| rows::field(row, "id") == Some(input.as_str()));
            if let Some(row) = row {
                row.insert("content".into(), text.as_str().into());
            }
        }
    }
}

fn broken_off(deps: &SessionDeps, now: Ms) -> StoredRow {
    let id = rows::new_id(&*deps.clock, &*deps.entropy);
    let text = "The program ended before the agent had answered. Send the message again to go on.";
    rows::notice(&id, MessageKind::Warning, text, now, None, Some("interrupted"))
}
