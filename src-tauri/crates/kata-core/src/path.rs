//! The path of a channel's message through the core: front door, router, session. Each gate's type can be made by that gate
//! alone: a draft becomes [`crate::ingress::Admitted`], a place becomes [`crate::router::Routed`], and only both together
//! reach a session.

use crate::conversations::Conversations;
use crate::hygiene;
use crate::ingress::{Admitted, Ingress};
use crate::pause::Pause;
use crate::persist::Persist;
use crate::ports::{Clock, Commands, InboxEnd, InboxId, InboxRow, KeyStore, MessageStore, NewSession};
use crate::router::{self, Bindings, Routed, route};
use crate::session::{Lease, Sessions};
use crate::tasks::Tasks;
use crate::trace::{LiveTrace, Tracer};
use arc_swap::ArcSwap;
use kata_protocol::{
    ChannelId, DeliveryMode, ErrorCode, Gate, HygieneRules, InboundDraft, IngressAnswer, Overlap, PluginId, RouteExplanation, RouteStep,
    SessionId, SessionState, StepOutcome, WireError,
};
use std::sync::Arc;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod waiting;

/// What the path works with.
pub struct PathDeps {
    /// Front door.
    pub ingress: Ingress,
    /// Inbox.
    pub messages: Arc<dyn MessageStore>,
    /// Conversation → session.
    pub keys: Arc<dyn KeyStore>,
    /// Lets a conversation begin anew.
    pub conversations: Conversations,
    /// When it does by itself.
    pub hygiene: Arc<ArcSwap<HygieneRules>>,
    /// Told when the rules of a channel change, for what waits because of them.
    pub rules_changed: Arc<tokio::sync::Notify>,
    /// Whether channels are paused.
    pub pause: Pause,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Bindings in force.
    pub bindings: Arc<ArcSwap<Bindings>>,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Slash commands of plugins.
    pub commands: Arc<dyn Commands>,
    /// Traces.
    pub tracer: Arc<Tracer>,
    /// Writes that must stand.
    pub persist: Persist,
    /// Where a message waits that could not be placed yet.
    pub tasks: Tasks,
}

/// Why a message has no session.
enum Misplaced {
    /// The store or a disk failed; it may not do so the next time.
    NotYet(WireError),
    /// Nothing here will ever take it.
    Never(WireError),
}

impl From<WireError> for Misplaced {
    fn from(error: WireError) -> Self {
        match error.code {
            ErrorCode::Internal => Self::NotYet(error),
            _ => Self::Never(error),
        }
    }
}

/// The path.
pub struct Path {
    pub(crate) deps: PathDeps,
    /// Two first messages of one conversation must not make two sessions.
    first_contact: tokio::sync::Mutex<()>,
    held: waiting::Held,
    /// Whether new messages may come: those of earlier runs go first, or a conversation would lose its order.
    open: tokio::sync::watch::Sender<bool>,
}

impl Path {
    /// A path.
    pub fn new(deps: PathDeps) -> Self {
        Self {
            deps,
            first_contact: tokio::sync::Mutex::new(()),
            held: waiting::Held::default(),
            open: tokio::sync::watch::Sender::new(true),
        }
    }

    /// From now on new messages wait, unanswered, until [`Self::recover`] has put those of earlier runs before them.
    pub fn hold(&self) {
        self.open.send_replace(false);
    }

    /// Takes a message in. When it answers, the message is durable (or refused) and the platform may be told.
    pub async fn ingest(self: &Arc<Self>, plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError> {
        // Before anything is taken: the messages of earlier runs need room too. The sender never closes while we are here.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        if self.keeps_its_place(channel) {
            self.deps.pause.over().await;
        }
        let trace = self.deps.tracer.begin(channel.as_str());
        let mark = trace.mark();
        let (answer, admitted) = self.deps.ingress.admit(channel, draft).await?;
        let Some(admitted) = admitted else {
            if let IngressAnswer::Refused { code } = &answer {
                trace.step(
                    Gate::Ingress,
                    plugin.as_str(),
                    mark,
                    StepOutcome::Blocked,
                    Some(format!("{code:?}")),
                );
                self.deps.tracer.record(&trace, true).await;
            }
            return Ok(answer);
        };
        trace.step(Gate::Ingress, plugin.as_str(), mark, StepOutcome::Ok, None);
        self.forward_or_hold(admitted, trace).await;
        Ok(answer)
    }

    /// Whether the platform keeps what a channel has not confirmed for as long as it takes: it is read from a cursor.
    pub(crate) fn keeps_its_place(&self, channel: &ChannelId) -> bool {
        let info = self.deps.sessions.channel_info(channel);
        info.is_some_and(|info| info.capabilities.delivery == DeliveryMode::Cursor)
    }

    /// Takes up what earlier runs accepted and did not finish. Answers how many.
    pub async fn recover(self: &Arc<Self>) -> Result<usize, WireError> {
        let count = self.take_up().await;
        self.open.send_replace(true);
        count
    }

    async fn take_up(self: &Arc<Self>) -> Result<usize, WireError> {
        let rows = self
            .deps
            .messages
            .unfinished()
            .await
            .map_err(|e| WireError::internal(e.to_string()))?;
        let count = rows.len();
        for row in rows {
            let trace = self.deps.tracer.begin(row.channel.as_str());
            trace.step(Gate::Ingress, "taken up after a restart", trace.mark(), StepOutcome::Ok, None);
            if let Some(admitted) = self.deps.ingress.readmit(row).await {
                self.forward_or_hold(admitted, trace).await;
            }
        }
        Ok(count)
    }

    /// Handles a message that was given up from the start: a turn of its own, whatever became of the one before.
    pub async fn handle_again(self: &Arc<Self>, row: InboxRow) {
        let trace = self.deps.tracer.begin(row.channel.as_str());
        trace.step(Gate::Ingress, "tried again by a person", trace.mark(), StepOutcome::Ok, None);
        if let Some(admitted) = self.deps.ingress.readmit(row).await {
            self.forward(admitted.afresh(), trace).await;
        }
    }

    /// Routes and delivers. The message is durable already: what fails here ends it visibly, or is tried again behind the
    /// channel's back, it does not fail the channel.
    async fn forward(self: &Arc<Self>, admitted: Admitted, trace: LiveTrace) {
        if let Some(order) = crate::orders::read(&admitted.row().draft) {
            return self.obey(order, admitted, trace).await;
        }
        if let Some(command) = self.command(&admitted.row().channel, &admitted.row().draft) {
            return self.run_command(command, admitted, trace);
        }
        let mark = trace.mark();
        match self.place(&admitted, &trace, mark).await {
            Ok((lease, overlap)) => self.hand_over(lease, overlap, admitted, trace, mark).await,
            Err(Misplaced::Never(error)) => self.give_up(admitted, trace, mark, error).await,
            Err(Misplaced::NotYet(error)) => {
                let path = Arc::clone(self);
                self.deps.tasks.spawn(
                    "place a message",
                    async move { path.place_later(admitted, trace, mark, error).await },
                );
            }
        }
    }

    /// Tries again until the message has its session, or the program ends: the next start finds it then.
    async fn place_later(self: Arc<Self>, admitted: Admitted, trace: LiveTrace, mark: u64, mut error: WireError) {
        let mut again = self.deps.persist.again("placing a message");
        while again.after(&error).await.is_ok() {
            match self.place(&admitted, &trace, mark).await {
                Ok((lease, overlap)) => return self.hand_over(lease, overlap, admitted, trace, mark).await,
                Err(Misplaced::Never(error)) => return self.give_up(admitted, trace, mark, error).await,
                Err(Misplaced::NotYet(now)) => error = now,
            }
        }
    }

    /// Finds the session and keeps it loaded.
    async fn place(&self, admitted: &Admitted, trace: &LiveTrace, mark: u64) -> Result<(Lease, Overlap), Misplaced> {
        let bindings = self.deps.bindings.load_full();
        let row = admitted.row();
        let routed = route(&bindings, &row.channel, &row.draft).map_err(|e| Misplaced::Never(WireError::invalid(e.to_string())))?;
        let session = match &row.session {
            // One that an earlier run had placed stays where its turn may have begun, whatever the bindings say by now.
            Some(session) if self.deps.sessions.find(session).await?.is_some() => session.clone(),
            _ => self.session(row.id, admitted, &routed, trace).await?,
        };
        let lease = self.deps.sessions.lease(&session).await?;
        trace.step(Gate::Router, routed.key().as_str(), mark, StepOutcome::Ok, None);
        Ok((lease, routed.overlap()))
    }

    async fn hand_over(&self, lease: Lease, overlap: Overlap, admitted: Admitted, trace: LiveTrace, mark: u64) {
        let inbox = admitted.row().id;
        crate::fault::point("after_routed");
        if let Err(error) = lease.deliver(admitted, overlap, trace.clone()) {
            self.dead(inbox, trace, mark, error).await;
        }
    }

    async fn give_up(&self, admitted: Admitted, trace: LiveTrace, mark: u64, error: WireError) {
        self.dead(admitted.row().id, trace, mark, error).await;
    }

    async fn dead(&self, inbox: InboxId, trace: LiveTrace, mark: u64, error: WireError) {
        tracing::error!(inbox = inbox.0, %error, "a message could not be handed to its session");
        trace.step(Gate::Router, "no session", mark, StepOutcome::Error, Some(error.message.clone()));
        let messages = &self.deps.messages;
        let ended = self
            .deps
            .persist
            .until_done("ending a message", || messages.finish(inbox, InboxEnd::Dead(error.message.clone())));
        if let Err(stopping) = ended.await {
            tracing::warn!(inbox = inbox.0, %stopping, "a message was not marked as dead");
        } else {
            self.deps.sessions.letters_changed();
        }
        self.deps.tracer.record(&trace, true).await;
    }

    /// Why a message would go where it would go, with the bindings in force or with others. Walks what a message walks;
    /// nothing is written, counted or sent.
    pub async fn explain(
        &self,
        channel: &ChannelId,
        draft: &InboundDraft,
        bindings: Option<&Bindings>,
    ) -> Result<RouteExplanation, WireError> {
        let present = self.deps.bindings.load_full();
        let bindings = bindings.unwrap_or(&present);
        let (refusal, mut steps) = self.deps.ingress.explain(channel, draft).await?;
        if let (None, Some((_, quiet))) = (refusal, self.deps.ingress.quiet_until(channel)) {
            steps.push(RouteStep {
                question: "quiet hours".into(),
                answer: format!("it waits until {}.", quiet.end()),
                decided: false,
            });
        }
        if refusal.is_none() && self.deps.pause.is_on() {
            steps.push(RouteStep {
                question: "pause".into(),
                answer: "all channels are paused; it waits until they go on.".into(),
                decided: false,
            });
        }
        let (routed, looked) = router::explain(bindings, channel, draft).map_err(|e| WireError::invalid(e.to_string()))?;
        steps.extend(looked);
        let key = routed.key();
        let session = self
            .deps
            .keys
            .session_for(key)
            .await
            .map_err(|e| WireError::internal(e.to_string()))?;
        steps.push(RouteStep {
            question: "session".into(),
            answer: match &session {
                Some(session) => format!("it goes on in {session}, which keeps its workspace, profile and mode."),
                None => "there is none yet: the first message makes one.".into(),
            },
            decided: false,
        });
        let binding = routed.binding().clone();
        Ok(RouteExplanation {
            steps,
            refusal,
            person: routed.person().map(str::to_owned),
            key: Some(key.clone()),
            session,
            binding: binding.id,
            workspace: Some(binding.workspace),
            profile: binding.profile,
            mode: binding.mode,
            overlap: binding.overlap,
        })
    }

    /// The session of a place; a new one at first contact, and where the one it has is over.
    async fn session(&self, inbox: InboxId, admitted: &Admitted, routed: &Routed, trace: &LiveTrace) -> Result<SessionId, WireError> {
        let failed = |e: crate::ports::StoreError| WireError::internal(e.to_string());
        let key = routed.key();
        let mut known = self.deps.keys.session_for(key).await.map_err(failed)?;
        if self.over(&known, admitted).await?.is_some() {
            let _one_at_a_time = self.first_contact.lock().await;
            known = self.deps.keys.session_for(key).await.map_err(failed)?;
            if let Some(reason) = self.over(&known, admitted).await? {
                if let Some(before) = self.deps.conversations.begin_anew(key).await? {
                    trace.step(Gate::Router, "new session", trace.mark(), StepOutcome::Changed, Some(reason));
                    self.deps.sessions.say_reset(&before);
                }
                let created = self.create(admitted, routed).await?;
                known = Some(self.deps.keys.bind(key, &created).await.map_err(failed)?);
            }
        }
        let session = known.ok_or_else(|| WireError::internal("a session key was not bound"))?;
        self.deps.messages.routed(inbox, key, &session).await.map_err(failed)?;
        Ok(session)
    }

    /// Why the conversation needs a session: it has none, the one it has is gone, or a rule ends it.
    async fn over(&self, known: &Option<SessionId>, admitted: &Admitted) -> Result<Option<String>, WireError> {
        let Some(session) = known else {
            return Ok(Some("first contact".into()));
        };
        let Some(summary) = self.deps.sessions.find(session).await? else {
            return Ok(Some("the session is gone".into()));
        };
        let row = admitted.row();
        // A message that an earlier run had placed goes on where it was; what is flagged or at work is left alone.
        if row.session.is_some() || summary.flagged || summary.state != SessionState::Idle {
            return Ok(None);
        }
        let (rules, clock) = (self.deps.hygiene.load(), &self.deps.clock);
        let rules = hygiene::rules_of(&rules, hygiene::class_of(&row.draft));
        Ok(hygiene::due_reset(rules, summary.last_message_at, clock.now(), |at| {
            clock.utc_offset_s(at)
        }))
    }

    async fn create(&self, admitted: &Admitted, routed: &Routed) -> Result<SessionId, WireError> {
        let row = admitted.row();
        let person = row.draft.sender.name.clone().unwrap_or_else(|| row.draft.sender.id.to_string());
        let name = row.draft.conversation_name.clone().unwrap_or(person);
        let binding = routed.binding();
        let summary = self
            .deps
            .sessions
            .create(NewSession {
                workspace: binding.workspace.clone(),
                name: Some(name.clone()),
                model: binding.model.clone(),
                mode: binding.mode,
                channel: Some(router::session_channel(&row.channel, Some(name))),
                channel_id: Some(row.channel.to_string()),
                external_conversation: Some(routed.key().to_string()),
                working_directory: None,
                profile: binding.profile.clone(),
                class: crate::hygiene::class_of(&row.draft),
            })
            .await?;
        Ok(summary.id)
    }
}
