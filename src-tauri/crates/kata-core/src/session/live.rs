//! A loaded session: what clients can ask at any moment, while its tasks work.

use super::attachments::Place;
use super::intake::{Input, Waiting};
use super::overlap::Line;
use super::pen::Pen;
use super::told::Pending;
use super::{SessionDeps, rows};
use crate::ports::{InboxId, StoredRow, TranscriptError};
use kata_protocol::{
    Approval, ErrorCode, Fact, MessageId, ReplyRoute, SessionDetail, SessionEnd, SessionEndReason, SessionEvent, SessionId, SessionState,
    SessionSummary, WireError, WorkspaceId,
};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Mailbox bound: every channel message in flight could be of this one session.
pub(super) const MAILBOX: usize = crate::ingress::MAX_IN_FLIGHT + super::MAX_WAITING + super::told::MAX_NOTICES;

/// A loaded session.
pub struct Live {
    pub(super) id: SessionId,
    pub(super) workspace: WorkspaceId,
    pub(super) deps: Arc<SessionDeps>,
    pub(super) pen: Pen,
    /// Its first turn has begun, and `session_start` was said.
    pub(super) started: AtomicBool,
    /// Cancelled when it was deleted.
    pub(super) gone: CancellationToken,
    /// Of all sessions: how many are in a turn.
    busy: Arc<AtomicU32>,
    pub(super) mailbox: mpsc::Sender<Input>,
    pub(super) transcript: Mutex<Transcript>,
    leases: Mutex<Leases>,
    waiting: AtomicUsize,
    turn: Mutex<Option<Running>>,
    /// Its turn was stopped by a newer message.
    pub(super) superseded: AtomicBool,
    /// Inputs that wait for their turn.
    pub(super) line: Mutex<Line<Waiting>>,
    /// Something was put into the line.
    pub(super) put_in: Notify,
    pub(super) steered: Mutex<VecDeque<Waiting>>,
    /// Input of the turn that went on by itself after a restart.
    pub(super) resumed: OnceLock<MessageId>,
    /// Notices in the mailbox.
    pub(super) notices: AtomicUsize,
    /// What the model is told with the next message.
    pub(super) pending: Mutex<Pending>,
    /// Folder of its files.
    files: String,
}

/// The present turn.
struct Running {
    cancel: CancellationToken,
    /// Where its answer goes.
    route: Option<ReplyRoute>,
}

/// What is on disk, in memory.
pub(super) struct Transcript {
    pub(super) summary: SessionSummary,
    pub(super) rows: Vec<StoredRow>,
}

#[derive(Default)]
struct Leases {
    count: usize,
    closed: bool,
}

impl Live {
    pub(super) fn new(
        deps: Arc<SessionDeps>,
        busy: Arc<AtomicU32>,
        pen: Pen,
        mailbox: mpsc::Sender<Input>,
        summary: SessionSummary,
        rows: Vec<StoredRow>,
        pending: Pending,
        files: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: summary.id.clone(),
            workspace: summary.workspace.clone(),
            deps,
            pen,
            started: AtomicBool::new(false),
            gone: CancellationToken::new(),
            busy,
            mailbox,
            transcript: Mutex::new(Transcript { summary, rows }),
            leases: Mutex::default(),
            waiting: AtomicUsize::new(0),
            turn: Mutex::default(),
            superseded: AtomicBool::new(false),
            line: Mutex::default(),
            put_in: Notify::new(),
            steered: Mutex::default(),
            resumed: OnceLock::new(),
            notices: AtomicUsize::new(0),
            pending: Mutex::new(pending),
            files,
        })
    }

    /// List row.
    pub fn summary(&self) -> SessionSummary {
        lock(&self.transcript).summary.clone()
    }

    /// Where its files lie.
    pub(super) fn place(&self) -> Place {
        Place::new(&self.files, &lock(&self.transcript).summary)
    }

    /// Whether a turn runs.
    pub fn is_busy(&self) -> bool {
        lock(&self.turn).is_some()
    }

    /// Row, the newest messages or those before one, calls that wait.
    pub fn detail(&self, limit: Option<u32>, before: Option<&MessageId>) -> Result<SessionDetail, WireError> {
        let transcript = lock(&self.transcript);
        let end = match before {
            None => transcript.rows.len(),
            Some(before) => transcript
                .rows
                .iter()
                .rposition(|row| rows::field(row, "id") == Some(before.as_str()))
                .ok_or_else(|| super::wire(TranscriptError::NoMessage(before.clone())))?,
        };
        let keep = limit.map_or(usize::MAX, |l| l as usize);
        let skip = end.saturating_sub(keep);
        Ok(SessionDetail {
            summary: transcript.summary.clone(),
            messages: transcript.rows[..end].iter().skip(skip).filter_map(rows::view).collect(),
            earlier: u32::try_from(skip).unwrap_or(u32::MAX),
            approvals: self.approvals(),
            state: transcript.summary.state,
        })
    }

    /// Changes the list row and tells everybody.
    pub(super) fn change(&self, change: impl FnOnce(&mut SessionSummary)) -> SessionSummary {
        let summary = self.alter(change);
        self.deps.events.publish(Fact::SessionChanged { session: summary.clone() });
        summary
    }

    /// Changes the list row; it is told with the next change.
    pub(super) fn alter(&self, change: impl FnOnce(&mut SessionSummary)) -> SessionSummary {
        let mut transcript = lock(&self.transcript);
        change(&mut transcript.summary);
        transcript.summary.clone()
    }

    /// Says something.
    pub(super) fn say(&self, event: SessionEvent) {
        let id = self.id.clone();
        self.deps.events.publish(Fact::Session { id, event });
    }

    /// Shows a row (new, or replaced under the same id) without keeping it.
    pub(super) fn show(&self, row: &StoredRow) {
        if let Some(message) = rows::view(row) {
            self.say(SessionEvent::Message { message });
        }
    }

    /// Keeps rows that have been written, and shows them.
    pub(super) fn keep(&self, new: Vec<StoredRow>) {
        for row in &new {
            self.show(row);
        }
        let mut transcript = lock(&self.transcript);
        transcript.rows.extend(new);
        transcript.summary.message_count = u32::try_from(transcript.rows.len()).unwrap_or(u32::MAX);
    }

    /// Whether a channel's message waits for its turn.
    pub(super) fn waits(&self, inbox: InboxId) -> bool {
        let of = |waiting: &Waiting| waiting.of(inbox);
        lock(&self.steered).iter().any(of) || lock(&self.line).any(of)
    }

    /// Gives a message that waits another text. `false`: it waits no more.
    pub(super) fn reword(&self, inbox: InboxId, text: &str) -> bool {
        if let Some(waiting) = lock(&self.steered).iter_mut().find(|waiting| waiting.of(inbox)) {
            text.clone_into(&mut waiting.text);
            return true;
        }
        lock(&self.line).change(|waiting| waiting.of(inbox), |waiting| text.clone_into(&mut waiting.text))
    }

    /// Takes a message that waits out.
    pub(super) fn withdraw(&self, inbox: InboxId) -> Option<Waiting> {
        let mut steered = lock(&self.steered);
        if let Some(at) = steered.iter().position(|waiting| waiting.of(inbox)) {
            return steered.remove(at);
        }
        drop(steered);
        lock(&self.line).remove(|waiting| waiting.of(inbox))
    }

    /// Shows a kept row with another text.
    pub(super) fn replace_text(&self, id: &MessageId, text: &str) {
        let mut transcript = lock(&self.transcript);
        let row = transcript
            .rows
            .iter_mut()
            .rev()
            .find(|row| rows::field(row, "id") == Some(id.as_str()));
        let Some(row) = row else { return };
        row.insert("content".into(), text.into());
        let row = row.clone();
        drop(transcript);
        self.show(&row);
    }

    /// Takes back a row that was kept and could not be written.
    pub(super) fn forget(&self, id: &MessageId) {
        let mut transcript = lock(&self.transcript);
        transcript.rows.retain(|row| rows::field(row, "id") != Some(id.as_str()));
        transcript.summary.message_count = u32::try_from(transcript.rows.len()).unwrap_or(u32::MAX);
    }

    /// Enters a state.
    pub(super) fn enter_state(&self, state: SessionState) {
        let changed = {
            let mut transcript = lock(&self.transcript);
            std::mem::replace(&mut transcript.summary.state, state) != state
        };
        if changed {
            self.say(SessionEvent::State { state });
        }
    }

    pub(super) fn put(&self, input: Input) -> Result<(), WireError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.mailbox.try_send(input).map_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            WireError::new(ErrorCode::Busy, "the session takes no more input now").hint("try again when it has answered")
        })
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// One input has begun its turn or ended without one.
    pub(super) fn begun(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// A turn begins: from now on it can be interrupted. The token falls with the program.
    pub(super) fn begin_turn(&self, route: Option<ReplyRoute>) -> CancellationToken {
        let token = self.deps.tasks.stopping().child_token();
        let running = Running {
            cancel: token.clone(),
            route,
        };
        self.superseded.store(false, Ordering::Relaxed);
        lock(&self.line).running(true);
        if lock(&self.turn).replace(running).is_none() {
            self.busy.fetch_add(1, Ordering::Relaxed);
        }
        token
    }

    pub(super) fn end_turn(&self) {
        lock(&self.line).running(false);
        if lock(&self.turn).take().is_some() {
            self.busy.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Hands input to the turn that runs. Gives it back when there is none, or where its answer would go to another conversation:
    /// checked and done under one lock, so that no input is left behind by a turn that ends in this moment.
    pub(super) fn steer(&self, waiting: Box<Waiting>) -> Result<(), Box<Waiting>> {
        let turn = lock(&self.turn);
        let here = |running: &Running| match (&waiting.inbox, &running.route) {
            (None, _) => true,
            (Some((_, theirs)), Some(route)) => one_place(theirs, route),
            (Some(_), None) => false,
        };
        if !turn.as_ref().is_some_and(here) {
            return Err(waiting);
        }
        lock(&self.steered).push_back(*waiting);
        Ok(())
    }

    /// Stops the present turn. `false`: there is none.
    pub(super) fn interrupt(&self) -> bool {
        let turn = lock(&self.turn);
        if let Some(running) = &*turn {
            running.cancel.cancel();
        }
        turn.is_some()
    }

    /// Calls that wait, oldest first.
    pub(super) fn approvals(&self) -> Vec<Approval> {
        self.deps.approvals.of(&self.id)
    }

    /// `session_end`, for a session whose start was said; once.
    pub(super) async fn session_end(&self, reason: SessionEndReason) {
        if self.started.swap(false, Ordering::Relaxed) {
            let session = self.id.clone();
            self.deps.hooks.observe(SessionEnd { session, reason }, None).await;
        }
    }

    pub(super) fn enter(&self) -> bool {
        let mut leases = lock(&self.leases);
        if !leases.closed {
            leases.count += 1;
        }
        !leases.closed
    }

    pub(super) fn leave(&self) {
        lock(&self.leases).count -= 1;
    }

    /// Whether it takes no new leases.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.leases).closed
    }

    /// Closes the session for new leases, if nobody has one.
    pub(super) fn close(&self) -> bool {
        let mut leases = lock(&self.leases);
        if leases.count == 0 {
            leases.closed = true;
        }
        leases.closed
    }
}

/// Whether two messages came from one conversation.
pub(super) fn one_place(a: &ReplyRoute, b: &ReplyRoute) -> bool {
    a.channel == b.channel && a.account == b.account && a.conversation == b.conversation && a.thread == b.thread
}

impl Drop for Live {
    fn drop(&mut self) {
        // A turn that panicked never ended.
        self.end_turn();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
