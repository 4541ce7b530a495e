//! Sessions: each an actor that takes input in order and runs at most one turn at a time. Different sessions never wait for
//! each other. A session that nothing has touched for a while leaves memory; its files stay.
//!
//! `intake` takes input in, `runner` runs turns, `turn`, `calls` and `ending` are one turn, `history` is what the model gets, `rows`
//! is what is written and `pen` writes it.

mod approvals;
mod asking;
mod attachments;
mod calls;
mod deltas;
mod ending;
mod history;
mod intake;
mod live;
mod marks;
mod overlap;
mod pen;
mod plans;
mod previews;
mod questions;
mod resuming;
mod rows;
mod runner;
mod sending;
mod told;
mod turn;
mod upkeep;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod approval_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod attachment_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod overlap_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod plan_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod preview_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use approvals::Approvals;
pub use asking::APPROVAL_MS;
pub(crate) use asking::decision_word;
pub use live::Live;
pub(crate) use questions::pressed;
pub use rows::view;
pub(crate) use told::Told;

use crate::EventHub;
use crate::hooks::Dispatcher;
use crate::ingress::{Admitted, ChannelRules};
use crate::outbox::Outbox;
use crate::persist::Persist;
use crate::ports::{
    ApprovalRow, Channels, Clock, Entropy, MAX_FILE, MAX_FILES, MediaError, MediaStore, MessageStore, Models, NewSession, Permissions,
    PlanStore, Tools, TranscriptError, Transcripts, WaitingApproval,
};
use crate::tasks::Tasks;
use crate::trace::{LiveTrace, Tracer};
use arc_swap::ArcSwap;
use intake::{Input, Taken};
use kata_protocol::{
    AgentProfile, Approval, ApprovalDecision, ApprovalOutcome, Attachment, CallId, ChannelId, Delivery, ErrorCode, Fact, Media, Overlap,
    ReplyRoute, SessionEndReason, SessionId, SessionSubmitted, SessionSummary, SessionUpdate, WireError,
};
use live::lock;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

/// How long an untouched session stays in memory.
pub const IDLE_UNLOAD: Duration = Duration::from_secs(300);
/// Sessions in memory beyond which an idle one leaves it after [`CROWDED_UNLOAD`].
pub const CROWD: u32 = 512;
/// How long an untouched session stays in memory where there are many.
pub const CROWDED_UNLOAD: Duration = Duration::from_secs(2);
/// Inputs a client may have waiting in one session.
pub const MAX_WAITING: usize = 64;

/// Finds an agent profile by its id.
pub type Profiles = Arc<dyn Fn(&str) -> Option<AgentProfile> + Send + Sync>;

/// What sessions work with.
pub struct SessionDeps {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
    /// Files.
    pub transcripts: Arc<dyn Transcripts>,
    /// Inbox.
    pub messages: Arc<dyn MessageStore>,
    /// Models.
    pub models: Arc<dyn Models>,
    /// Tools.
    pub tools: Arc<dyn Tools>,
    /// What they may do.
    pub permissions: Arc<dyn Permissions>,
    /// Calls that wait for a person.
    pub approvals: Arc<Approvals>,
    /// Plans that wait for a person.
    pub plans: Arc<dyn PlanStore>,
    /// Files on their way, and those of sessions.
    pub media: Arc<dyn MediaStore>,
    /// Channels, for typing, previews and marks.
    pub channels: Arc<dyn Channels>,
    /// Rules of the channels, for the same.
    pub rules: Arc<ArcSwap<HashMap<ChannelId, ChannelRules>>>,
    /// Hooks.
    pub hooks: Arc<Dispatcher>,
    /// Replies.
    pub outbox: Arc<Outbox>,
    /// Facts.
    pub events: Arc<EventHub>,
    /// Tasks.
    pub tasks: Tasks,
    /// Traces.
    pub tracer: Arc<Tracer>,
    /// Writes that must stand.
    pub persist: Persist,
    /// An agent profile.
    pub profiles: Profiles,
    /// System prompt of a session; the same bytes from turn to turn.
    pub system_prompt: Arc<dyn Fn(&SessionSummary) -> String + Send + Sync>,
    /// Volatile context of a turn (the date).
    pub context: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Model streams at once.
    pub model_permits: Arc<Semaphore>,
    /// Cancelled when no new turn may begin.
    pub draining: CancellationToken,
}

/// All sessions.
pub struct Sessions {
    deps: Arc<SessionDeps>,
    loaded: Mutex<HashMap<SessionId, Arc<OnceCell<Arc<Live>>>>>,
    /// Sessions that are being deleted.
    going: Mutex<HashSet<SessionId>>,
    busy: Arc<AtomicU32>,
    in_memory: Arc<AtomicU32>,
}

impl Sessions {
    /// None loaded.
    pub fn new(deps: SessionDeps) -> Arc<Self> {
        Arc::new(Self {
            deps: Arc::new(deps),
            loaded: Mutex::new(HashMap::new()),
            going: Mutex::default(),
            busy: Arc::default(),
            in_memory: Arc::default(),
        })
    }

    /// A new session.
    pub async fn create(&self, new: NewSession) -> Result<SessionSummary, WireError> {
        let summary = self.deps.transcripts.create(new).await.map_err(wire)?;
        self.deps.events.publish(Fact::SessionChanged { session: summary.clone() });
        Ok(summary)
    }

    /// Tells that a message is a letter now.
    pub(crate) fn letters_changed(&self) {
        self.deps.events.publish(Fact::LettersChanged {});
    }

    /// List row of a session, with what it is doing at present. `None`: there is no such session.
    pub async fn find(&self, id: &SessionId) -> Result<Option<SessionSummary>, WireError> {
        let loaded = lock(&self.loaded).get(id).and_then(|cell| cell.get()).map(|live| live.summary());
        if loaded.is_some() {
            return Ok(loaded);
        }
        match self.deps.transcripts.summary(id).await {
            Ok(summary) => Ok(Some(summary)),
            Err(TranscriptError::NotFound(_)) => Ok(None),
            Err(error) => Err(wire(error)),
        }
    }

    /// Sessions in the middle of a turn.
    pub fn busy(&self) -> u32 {
        self.busy.load(Ordering::Relaxed)
    }

    /// Sessions in the middle of a turn, by name where they have one.
    pub fn busy_names(&self) -> Vec<String> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let summaries = loaded.values().filter_map(|cell| cell.get()).map(|live| live.summary());
        use kata_protocol::SessionState::{Preparing, RunningTools, Stopping, Streaming};
        summaries
            .filter(|summary| matches!(summary.state, Preparing | Streaming | RunningTools | Stopping))
            .map(|summary| summary.name.clone().unwrap_or_else(|| summary.id.to_string()))
            .collect()
    }

    /// What a channel is and can do.
    pub(crate) fn channel_info(&self, channel: &kata_protocol::ChannelId) -> Option<kata_protocol::ChannelInfo> {
        self.deps.channels.info(channel).map(|(_, info)| info)
    }

    /// What a loaded session is doing; list rows of the others are idle.
    pub fn state_of(&self, id: &SessionId) -> Option<kata_protocol::SessionState> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.get(id).and_then(|cell| cell.get()).map(|live| live.summary().state)
    }

    /// Says to plugins that every session ends, because the program does. Returns when they have answered.
    pub async fn end_all(&self) {
        let loaded: Vec<_> = {
            let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.values().filter_map(|cell| cell.get().cloned()).collect()
        };
        for live in loaded {
            live.session_end(SessionEndReason::Shutdown).await;
        }
    }

    /// Input from a client. Returns when it is durable (or refused).
    pub async fn submit(
        self: &Arc<Self>,
        id: &SessionId,
        text: String,
        delivery: Delivery,
        key: Option<String>,
        origin: &str,
    ) -> Result<SessionSubmitted, WireError> {
        self.submit_with(id, text, Vec::new(), delivery, key, origin).await
    }

    /// As [`Self::submit`], with files that are in the [`MediaStore`]. With files the text may be empty.
    pub async fn submit_with(
        self: &Arc<Self>,
        id: &SessionId,
        text: String,
        files: Vec<Media>,
        delivery: Delivery,
        key: Option<String>,
        origin: &str,
    ) -> Result<SessionSubmitted, WireError> {
        if text.trim().is_empty() && files.is_empty() {
            return Err(WireError::invalid("“text” is empty"));
        }
        if files.len() > MAX_FILES {
            return Err(WireError::invalid(format!(
                "“attachments”: a message has at most {MAX_FILES} files"
            )));
        }
        if text.len() > crate::ingress::MAX_TEXT {
            return Err(WireError::invalid(format!(
                "“text” is longer than {} KiB",
                crate::ingress::MAX_TEXT / 1024
            )));
        }
        let trace = self.deps.tracer.begin(origin);
        self.ask(id, |lease, answer| Input::Client {
            lease,
            text,
            files,
            delivery,
            key,
            trace,
            answer,
        })
        .await
    }

    /// A file of a session with its bytes.
    pub async fn attachment(self: &Arc<Self>, id: &SessionId, attachment: &str) -> Result<(Attachment, Vec<u8>), WireError> {
        let lease = self.lease(id).await?;
        let found = attachments::find(&lock(&lease.live().transcript).rows, attachment);
        let (found, file) = found.ok_or_else(|| WireError::not_found("attachment", attachment))?;
        if let Some(why) = &found.missing {
            return Err(WireError::not_found("attachment", attachment).hint(format!("it never came: {why}")));
        }
        match self.deps.media.attached(id, &file, MAX_FILE).await {
            Ok(bytes) => Ok((found, bytes)),
            Err(MediaError::NotFound(_)) => {
                Err(WireError::not_found("attachment", attachment).hint("its file is no longer in the session's folder"))
            }
            Err(error) => Err(WireError::invalid(format!("{}: {error}", found.name)).hint("open it in the session's folder `attachments`")),
        }
    }

    /// Runs the last input again.
    pub async fn resend(self: &Arc<Self>, id: &SessionId, origin: &str) -> Result<SessionSubmitted, WireError> {
        let trace = self.deps.tracer.begin(origin);
        self.ask(id, |lease, answer| Input::Resend { lease, trace, answer }).await
    }

    /// Stops the present turn. `false`: there is none.
    pub async fn interrupt(self: &Arc<Self>, id: &SessionId) -> Result<bool, WireError> {
        Ok(self.lease(id).await?.live().interrupt())
    }

    /// Answers a tool call that waits. Of two answers the first counts, and both learn which one that was.
    pub async fn approve(
        self: &Arc<Self>,
        id: &SessionId,
        call: &CallId,
        decision: ApprovalDecision,
    ) -> Result<ApprovalOutcome, WireError> {
        let code = match self.deps.approvals.of_call(id, call).await? {
            Some(ApprovalRow::Waiting(waiting)) => waiting.approval.code,
            Some(ApprovalRow::Settled(settled)) => settled.code,
            None => return Err(WireError::not_found("call that waits", call).hint("`kata approvals list` shows those that do")),
        };
        self.answer(&code, decision).await
    }

    /// As [`Self::approve`], by code; large or small letters.
    pub async fn answer(self: &Arc<Self>, code: &str, decision: ApprovalDecision) -> Result<ApprovalOutcome, WireError> {
        self.answer_as(code, decision, None).await
    }

    /// As [`Self::answer`], by somebody in a channel.
    pub(crate) async fn answer_as(
        self: &Arc<Self>,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
    ) -> Result<ApprovalOutcome, WireError> {
        let Some((settled, first)) = self.deps.approvals.answer(code, decision, by).await? else {
            return Err(WireError::not_found("call that waits under the code", code.trim())
                .hint("`kata approvals list` shows those that wait; an answer is remembered for a while only"));
        };
        if first {
            // Its turn goes on by itself where it is loaded; where it is not, this loads it.
            let (sessions, session) = (Arc::clone(self), settled.session.clone());
            self.deps.tasks.spawn("go on with an answered call", async move {
                if let Err(error) = sessions.lease(&session).await {
                    tracing::warn!(%session, %error, "the session of an answered call cannot be read; it goes on when it can");
                }
            });
        }
        Ok(ApprovalOutcome {
            session: settled.session,
            call_id: settled.call_id,
            decision: settled.decision,
            first,
        })
    }

    /// Calls that wait, of all sessions or of one, oldest first.
    pub async fn approvals(&self, session: Option<&SessionId>) -> Result<Vec<Approval>, WireError> {
        let waiting = self.deps.approvals.waiting().await?.into_iter().map(|w| w.approval);
        Ok(waiting.filter(|a| session.is_none_or(|s| a.session == *s)).collect())
    }

    /// One, by its code.
    pub(crate) async fn approval(&self, code: &str) -> Result<Option<ApprovalRow>, WireError> {
        self.deps.approvals.find(code).await
    }

    /// Those that a conversation asked for.
    pub(crate) async fn approvals_asked_in(&self, here: impl Fn(&ReplyRoute) -> bool) -> Result<Vec<Approval>, WireError> {
        let waiting = self.deps.approvals.waiting().await?;
        Ok(waiting
            .into_iter()
            .filter(|w| w.route.as_ref().is_some_and(&here))
            .map(|w| w.approval)
            .collect())
    }

    /// Hooks.
    pub(crate) fn hooks(&self) -> &Dispatcher {
        &self.deps.hooks
    }

    /// Where answers leave.
    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.deps.outbox
    }

    /// Takes up the sessions whose calls wait for a person since an earlier run. Answers how many.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, WireError> {
        let waiting = self.deps.approvals.waiting().await?;
        let mut count = 0;
        for WaitingApproval { approval, .. } in waiting {
            match self.lease(&approval.session).await {
                Ok(lease) if lease.live().approvals().iter().any(|a| a.code == approval.code) => count += 1,
                // Its turn is over, or its session gone: the call will never run.
                Ok(_) => self.withdraw(&approval.code).await,
                Err(error) if error.code == ErrorCode::NotFound => self.withdraw(&approval.code).await,
                Err(error) => tracing::warn!(session = %approval.session, %error, "a session with a call that waits cannot be read"),
            }
        }
        Ok(count)
    }

    async fn withdraw(&self, code: &str) {
        if let Err(error) = self.deps.approvals.answer(code, ApprovalDecision::Deny, None).await {
            tracing::warn!(%error, "a call that will never run still waits");
        }
    }

    /// Changes title, flag, status, labels, mode, model.
    pub async fn update(self: &Arc<Self>, change: SessionUpdate) -> Result<SessionSummary, WireError> {
        if let Some(model) = &change.model {
            self.deps.models.find(Some(model))?;
        }
        let lease = self.lease(&change.id).await?;
        let summary = lease.live().change(|s| {
            let SessionUpdate {
                id: _,
                name,
                flagged,
                status,
                labels,
                unread,
                mode,
                model,
                working_directory,
            } = change;
            s.name = name.or(s.name.take());
            s.flagged = flagged.unwrap_or(s.flagged);
            s.status = status.or(s.status.take());
            s.labels = labels.unwrap_or_else(|| std::mem::take(&mut s.labels));
            s.unread = unread.unwrap_or(s.unread);
            s.mode = mode.unwrap_or(s.mode);
            s.model = model.or(s.model.take());
            s.working_directory = working_directory.or(s.working_directory.take());
        });
        self.deps.approvals.judge_again();
        self.deps.transcripts.update(summary.clone()).await.map_err(wire)?;
        Ok(summary)
    }

    /// The rules have changed: calls that wait for a person are judged anew.
    pub fn judge_again(&self) {
        self.deps.approvals.judge_again();
    }

    /// Puts an input that wants an answer into a session's mailbox.
    async fn ask(
        self: &Arc<Self>,
        id: &SessionId,
        input: impl FnOnce(Lease, oneshot::Sender<Result<Taken, WireError>>) -> Input,
    ) -> Result<SessionSubmitted, WireError> {
        let lease = self.lease(id).await?;
        let live = Arc::clone(lease.live());
        if live.waiting() >= MAX_WAITING {
            return Err(WireError::new(
                ErrorCode::Busy,
                format!("{MAX_WAITING} inputs wait in this session already"),
            ));
        }
        let (tx, rx) = oneshot::channel();
        live.put(input(lease, tx))?;
        let taken = rx
            .await
            .map_err(|_| WireError::internal("the session ended before it answered"))??;
        if let Some(written) = taken.written {
            written.wait().await.map_err(wire)?;
        }
        Ok(taken.submitted)
    }

    /// The session, loaded, and kept so while the lease lives.
    pub(crate) async fn lease(self: &Arc<Self>, id: &SessionId) -> Result<Lease, WireError> {
        loop {
            let cell = Arc::clone(
                self.loaded
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(id.clone())
                    .or_default(),
            );
            let live = if lock(&self.going).contains(id) {
                Err(WireError::not_found("session", id))
            } else {
                cell.get_or_try_init(|| self.load(id)).await
            };
            match live {
                Ok(live) => {
                    // `None`: it was unloaded in this very moment; the next round loads it again.
                    if let Some(lease) = Lease::take(live) {
                        return Ok(lease);
                    }
                    self.forget(id, &cell);
                }
                Err(error) => {
                    self.forget(id, &cell);
                    return Err(error);
                }
            }
        }
    }

    async fn load(self: &Arc<Self>, id: &SessionId) -> Result<Arc<Live>, WireError> {
        let loaded = self.deps.transcripts.load(id).await.map_err(wire)?;
        if loaded.repaired > 0 {
            tracing::warn!(session = %id, lines = loaded.repaired, "damaged lines of a session were set aside");
        }
        let sessions = Arc::clone(self);
        let id = id.clone();
        let unload = move || {
            let mut loaded = lock(&sessions.loaded);
            // One that was loaded anew meanwhile stays.
            if loaded.get(&id).and_then(|cell| cell.get()).is_some_and(|live| live.is_closed()) {
                loaded.remove(&id);
            }
        };
        runner::start(
            Arc::clone(&self.deps),
            Arc::clone(&self.busy),
            Arc::clone(&self.in_memory),
            loaded,
            unload,
        )
        .await
        .map_err(wire)
    }

    /// Takes a cell out of the map, unless somebody has put a new one there already.
    fn forget(&self, id: &SessionId, cell: &Arc<OnceCell<Arc<Live>>>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.get(id).is_some_and(|present| Arc::ptr_eq(present, cell)) {
            loaded.remove(id);
        }
    }
}

/// Keeps a session loaded. Travels with an input until its turn has ended.
pub(crate) struct Lease(Arc<Live>);

impl Lease {
    fn take(live: &Arc<Live>) -> Option<Self> {
        live.enter().then(|| Self(Arc::clone(live)))
    }
    fn live(&self) -> &Arc<Live> {
        &self.0
    }

    /// A channel's message for the session. Never refused: the ingress permit bounds how many there are.
    pub(crate) fn deliver(self, message: Admitted, overlap: Overlap, trace: LiveTrace) -> Result<(), WireError> {
        let live = Arc::clone(&self.0);
        live.put(Input::Channel {
            lease: self,
            message: Box::new(message),
            overlap,
            trace,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// What a client is told when the files cannot be read or written.
pub fn wire(error: TranscriptError) -> WireError {
    match error {
        TranscriptError::NotFound(id) => WireError::not_found("session", id),
        TranscriptError::NoMessage(_) => WireError::invalid(format!("“before”: {error}")),
        TranscriptError::NoWorkspace(id) => WireError::not_found("workspace", id),
        TranscriptError::Stopping => WireError::new(ErrorCode::Busy, error.to_string()).hint("send it again when it runs"),
        TranscriptError::BadHeader { .. } => {
            WireError::new(ErrorCode::Conflict, error.to_string()).hint("the file was left as it is; mend its first line or move it away")
        }
        TranscriptError::Io { .. } => WireError::internal(error.to_string()).hint("is the disk full or the folder read-only?"),
    }
}
