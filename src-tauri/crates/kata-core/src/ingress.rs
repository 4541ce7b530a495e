//! The one front door for messages from channels: size, duplicates, loops, who may write, how fast; durable before the
//! plugin is answered. What is admitted goes on to the router and its session by itself.

use crate::EventHub;
use crate::exchanges::{self, Exchanges};
use crate::outbox::{Outbox, Reply};
use crate::pause::Pause;
use crate::ports::{Clock, Entropy, InboxId, InboxRow, MessageStore, PairingStore, StoreError};
use crate::quiet::Quiet;
use crate::rate::RateLimiter;
use arc_swap::ArcSwap;
use kata_protocol::{
    AccountId, ChannelId, ChannelNotice, ChatType, DmPolicy, Fact, InboundDraft, IngressAnswer, Ms, PairingRequest, RefusalCode,
    ReplyRoute, RouteStep, SenderId, StreamMode, WireError,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Longest text of one inbound message, bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Messages in flight between acceptance and a terminal state; beyond it a channel is asked to come back.
pub const MAX_IN_FLIGHT: usize = 4096;
/// Messages of its own accord the agent may send in one channel in a minute.
const DIRECT_A_MINUTE: u32 = 60;
/// How long a pairing code is good, milliseconds.
pub const PAIRING_MS: u64 = 60 * 60 * 1000;
/// Letters of a pairing code: none that look alike.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Rules of one channel.
#[derive(Clone, Debug)]
pub struct ChannelRules {
    /// Who may write.
    pub policy: DmPolicy,
    /// Senders that always may.
    pub allow: HashSet<String>,
    /// Whether a group message must address the bot.
    pub require_mention: bool,
    /// Messages a minute from one sender.
    pub per_minute_sender: u32,
    /// Messages a minute in one conversation.
    pub per_minute_conversation: u32,
    /// Longest text of a message, bytes; at most [`MAX_TEXT`].
    pub max_text: usize,
    /// Hours in which no turn starts.
    pub quiet: Option<Quiet>,
    /// Senders who may answer tool calls from the channel.
    pub approvers: HashSet<String>,
    /// Whether an answer is shown while it is written; absent: see [`Self::previews_for`].
    pub previews: Option<bool>,
    /// Whether a message that waits behind another one gets a reaction.
    pub waiting_mark: bool,
    /// Conversations the agent may write to although nobody has written from there.
    pub send_to: Vec<String>,
}

impl ChannelRules {
    /// Whether an answer is shown while it is written. Where nobody has said: yes where the platform's own means are used, which
    /// leave nothing behind; no where it is an ordinary message that is edited again and again, each time marked as such, and
    /// that a crash would leave half written.
    pub fn previews_for(&self, mode: StreamMode) -> bool {
        match mode {
            StreamMode::None => false,
            StreamMode::Draft | StreamMode::Native => self.previews.unwrap_or(true),
            StreamMode::Edit => self.previews.unwrap_or(false),
        }
    }
}

impl Default for ChannelRules {
    fn default() -> Self {
        Self {
            policy: DmPolicy::Pairing,
            allow: HashSet::new(),
            require_mention: true,
            per_minute_sender: 60,
            per_minute_conversation: 60,
            max_text: MAX_TEXT,
            quiet: None,
            approvers: HashSet::new(),
            previews: None,
            waiting_mark: false,
            send_to: Vec::new(),
        }
    }
}

/// A code a person reads and types, of at most 12 letters.
pub(crate) fn code(bits: u64, letters: u32) -> String {
    (0..letters.min(12))
        .map(|n| char::from(CODE_ALPHABET[(bits >> (5 * n) & 31) as usize]))
        .collect()
}

/// A message that passed. Only [`Ingress`] makes one.
#[derive(Debug)]
pub struct Admitted {
    row: InboxRow,
    afresh: bool,
    permit: tokio::sync::OwnedSemaphorePermit,
}

impl Admitted {
    /// The message with its row.
    pub fn row(&self) -> &InboxRow {
        &self.row
    }
    /// Whatever an earlier turn made of it does not count: it gets a turn of its own.
    #[must_use]
    pub(crate) fn afresh(self) -> Self {
        Self { afresh: true, ..self }
    }
    /// Whether what an earlier turn made of it does not count.
    pub(crate) fn is_afresh(&self) -> bool {
        self.afresh
    }
    /// The message with its row, and the permit that is held until it reaches a terminal state.
    pub fn into_parts(self) -> (InboxRow, tokio::sync::OwnedSemaphorePermit) {
        (self.row, self.permit)
    }
}

/// What ingress works with.
pub struct IngressDeps {
    /// Messages.
    pub messages: Arc<dyn MessageStore>,
    /// Pairing.
    pub pairing: Arc<dyn PairingStore>,
    /// Where notices (a pairing code) leave.
    pub outbox: Arc<Outbox>,
    /// Rules by channel; a channel without any has the default.
    pub rules: Arc<ArcSwap<HashMap<ChannelId, ChannelRules>>>,
    /// The loop guard; the outbox tells it what left.
    pub exchanges: Arc<Exchanges>,
    /// Whether channels are paused: what had to wait for that was not written in a hurry.
    pub pause: Pause,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Codes.
    pub entropy: Arc<dyn Entropy>,
    /// Facts.
    pub events: Arc<EventHub>,
}

/// The front door.
pub struct Ingress {
    deps: IngressDeps,
    rate: RateLimiter,
    permits: Arc<tokio::sync::Semaphore>,
}

impl Ingress {
    /// A front door.
    pub fn new(deps: IngressDeps) -> Self {
        Self {
            deps,
            rate: RateLimiter::default(),
            permits: Arc::new(tokio::sync::Semaphore::new(MAX_IN_FLIGHT)),
        }
    }

    /// Takes a draft. The answer is final when it returns: the message is durable, known already, or refused.
    pub async fn admit(&self, channel: &ChannelId, draft: InboundDraft) -> Result<(IngressAnswer, Option<Admitted>), WireError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            WireError::new(
                kata_protocol::ErrorCode::Busy,
                format!("{MAX_IN_FLIGHT} messages are on the way; hand this one in again later"),
            )
        })?;
        let rules = self.rules(channel);
        let refusal = self.judge(channel, &draft, &rules, true, &mut |_, _, _| {}).await?;
        let now = self.deps.clock.now();
        if let Some(code) = refusal {
            // In one step: a message that was refused is never found as one that was accepted.
            if self
                .deps
                .messages
                .refuse(channel, &draft, code, now)
                .await
                .map_err(store)?
                .is_none()
            {
                return Ok((IngressAnswer::Duplicate, None));
            }
            if code == RefusalCode::PairingRequired {
                self.offer_pairing(channel, &draft, now).await?;
            }
            tracing::info!(%channel, ?code, "a message was refused");
            return Ok((IngressAnswer::Refused { code }, None));
        }
        let Some(id) = self.deps.messages.accept(channel, &draft, now).await.map_err(store)? else {
            return Ok((IngressAnswer::Duplicate, None));
        };
        crate::fault::point("after_ingress_commit");
        let row = InboxRow {
            id,
            channel: channel.clone(),
            draft,
            received_at: now,
            session: None,
        };
        Ok((
            IngressAnswer::Admitted,
            Some(Admitted {
                row,
                afresh: false,
                permit,
            }),
        ))
    }

    /// Whether a sender may answer tool calls from the channel.
    pub fn approves(&self, channel: &ChannelId, sender: &SenderId) -> bool {
        let rules = self.deps.rules.load();
        rules.get(channel).is_some_and(|rules| rules.approvers.contains(sender.as_str()))
    }

    /// Whether somebody may do one more thing now; it counts.
    pub(crate) fn has_pace(&self, channel: &ChannelId, account: &AccountId, sender: &SenderId) -> bool {
        let most = self.rules(channel).per_minute_sender;
        let name = format!("{channel}\0{account}\0s\0{sender}");
        self.rate.ask(&name, most, self.deps.clock.monotonic_us(), true)
    }

    /// As [`Self::has_pace`], for what happens to messages that are there.
    pub(crate) fn has_pace_to_notice(&self, channel: &ChannelId, notice: &ChannelNotice) -> bool {
        let most = self.rules(channel).per_minute_sender;
        let name = format!("{channel}\0{}\0n\0{}", notice.account, notice.sender.id);
        self.rate.ask(&name, most, self.deps.clock.monotonic_us(), true)
    }

    /// Whether the agent may send one more message of its own accord; it counts.
    pub(crate) fn may_direct(&self, channel: &ChannelId) -> bool {
        let name = format!("{channel}\0d");
        self.rate.ask(&name, DIRECT_A_MINUTE, self.deps.clock.monotonic_us(), true)
    }

    /// Whether somebody may write, by who they are.
    pub(crate) async fn is_let_in(&self, channel: &ChannelId, sender: &SenderId) -> Result<bool, WireError> {
        let rules = self.rules(channel);
        Ok(match rules.policy {
            DmPolicy::Off => false,
            DmPolicy::Open => true,
            _ if rules.allow.contains(sender.as_str()) => true,
            _ => self.deps.pairing.is_paired(channel, sender).await.map_err(store)?,
        })
    }

    /// Takes up a row that was accepted in an earlier run. Waits for room.
    pub async fn readmit(&self, row: InboxRow) -> Option<Admitted> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        Some(Admitted {
            row,
            afresh: false,
            permit,
        })
    }

    /// Rules of a channel.
    pub fn rules(&self, channel: &ChannelId) -> ChannelRules {
        self.deps.rules.load().get(channel).cloned().unwrap_or_default()
    }

    /// What [`Self::admit`] would say now, with each rule it looks at. Nothing is counted or written.
    pub async fn explain(&self, channel: &ChannelId, draft: &InboundDraft) -> Result<(Option<RefusalCode>, Vec<RouteStep>), WireError> {
        let mut steps = Vec::new();
        let code = self
            .judge(channel, draft, &self.rules(channel), false, &mut |question, answer, decided| {
                steps.push(RouteStep {
                    question: format!("policy: {question}"),
                    answer,
                    decided,
                });
            })
            .await?;
        Ok((code, steps))
    }

    /// The first rule that refuses. `count` is off where somebody only asks; `look` is told each rule, what it says, and
    /// whether it refuses.
    async fn judge(
        &self,
        channel: &ChannelId,
        draft: &InboundDraft,
        rules: &ChannelRules,
        count: bool,
        look: &mut (dyn FnMut(&str, String, bool) + Send),
    ) -> Result<Option<RefusalCode>, WireError> {
        let direct = draft.chat_type == ChatType::Direct;
        let (length, longest) = (draft.text.len(), rules.max_text.min(MAX_TEXT));
        let size = length > longest;
        look("size", format!("{length} bytes, at most {longest}."), size);
        if size {
            return Ok(Some(RefusalCode::TooLarge));
        }
        let off = rules.policy == DmPolicy::Off;
        look(
            "on",
            if off { "nobody may write." } else { "the channel takes messages." }.into(),
            off,
        );
        if off {
            return Ok(Some(RefusalCode::ChannelOff));
        }
        let bot = draft.sender.is_bot;
        look(
            "loop",
            if bot {
                "the sender is a bot, or it is our own echo."
            } else {
                "the sender is no bot."
            }
            .into(),
            bot,
        );
        if bot {
            return Ok(Some(RefusalCode::Loop));
        }
        let unasked = !direct && rules.require_mention && !draft.mentions_bot;
        let mention = match (direct, rules.require_mention, draft.mentions_bot) {
            (true, _, _) => "a direct conversation needs none.",
            (false, false, _) => "none is needed here.",
            (false, true, true) => "the message addresses the bot.",
            (false, true, false) => "the message does not address the bot.",
        };
        look("mention", mention.into(), unasked);
        if unasked {
            return Ok(Some(RefusalCode::NotMentioned));
        }
        let sender = format!("{channel}\0{}\0s\0{}", draft.account, draft.sender.id);
        let conversation = format!("{channel}\0{}\0c\0{}", draft.account, draft.conversation);
        let now_us = self.deps.clock.monotonic_us();
        for (whose, name, most) in [
            ("of the sender", sender, rules.per_minute_sender),
            ("in the conversation", conversation, rules.per_minute_conversation),
        ] {
            let waited = self.deps.pause.held_back(draft.sent_at);
            let fast = !waited && !self.rate.ask(&name, most, now_us, count);
            look("rate", format!("at most {most} a minute {whose}."), fast);
            if fast {
                return Ok(Some(RefusalCode::RateLimited));
            }
        }
        let looping = self.deps.exchanges.too_many(channel, draft, now_us, count);
        look(
            "exchanges",
            format!("at most {} a minute with one sender.", exchanges::MOST),
            looping,
        );
        if looping {
            return Ok(Some(RefusalCode::Loop));
        }
        let paired = match () {
            () if rules.policy == DmPolicy::Open => Some("everybody may write."),
            () if rules.allow.contains(draft.sender.id.as_str()) => Some("the sender is on the allow-list."),
            () if self.deps.pairing.is_paired(channel, &draft.sender.id).await.map_err(store)? => Some("the sender is paired."),
            () => None,
        };
        if let Some(why) = paired {
            look("sender", why.into(), false);
            return Ok(None);
        }
        let (code, why) = match (rules.policy, direct) {
            // A code is for the person's own eyes: in a group a stranger is refused without one.
            (DmPolicy::Pairing, true) => (RefusalCode::PairingRequired, "the sender is not paired; a code is offered."),
            _ => (RefusalCode::NotAllowed, "the sender is neither on the allow-list nor paired."),
        };
        look("sender", why.into(), true);
        Ok(Some(code))
    }

    /// When the quiet hours of a channel end; `None` outside of them.
    pub(crate) fn quiet_until(&self, channel: &ChannelId) -> Option<(Ms, Quiet)> {
        let quiet = self.deps.rules.load().get(channel)?.quiet.clone()?;
        let clock = &self.deps.clock;
        let until = quiet.until(clock.now(), |at| clock.utc_offset_s(at))?;
        Some((until, quiet))
    }

    /// Says once in each span, in a direct conversation, that the answer comes later.
    pub(crate) async fn tell_quiet(&self, channel: &ChannelId, draft: &InboundDraft, until: Ms, quiet: &Quiet) {
        if draft.chat_type != ChatType::Direct {
            return;
        }
        let mut key = format!("quiet:{}", until.0);
        for part in [channel.as_str(), draft.account.as_str(), draft.conversation.as_str()] {
            key.push(':');
            crate::router::escape(&mut key, part);
        }
        let told = self.deps.outbox.send(Reply {
            inbox: None,
            session: None,
            route: reply_route(channel, draft),
            text: format!("Quiet until {}. Your message is kept and answered then.", quiet.end()),
            key,
            trace: None,
            extras: Default::default(),
        });
        if let Err(error) = told.await {
            tracing::warn!(%channel, %error, "a sender was not told of the quiet hours");
        }
    }

    /// Makes a code for a stranger, or reminds of the one that is open, at most once a code.
    async fn offer_pairing(&self, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<(), WireError> {
        if self
            .deps
            .pairing
            .open_request(channel, &draft.sender.id, now)
            .await
            .map_err(store)?
            .is_some()
        {
            return Ok(());
        }
        let code = code(self.deps.entropy.next_u64(), 8);
        let request = PairingRequest {
            code: code.clone(),
            channel: channel.clone(),
            sender: draft.sender.id.clone(),
            sender_name: draft.sender.name.clone(),
            requested_at: now,
            expires_at: Ms(now.0 + PAIRING_MS),
        };
        self.deps.pairing.request(&request).await.map_err(store)?;
        self.deps.events.publish(Fact::PairingRequested { request });
        let text = format!(
            "I don't know you yet. Your code is `{code}`. Ask the owner to approve it in Kata Agents, \
             or with `kata pair approve {code}`. It is good for one hour."
        );
        self.deps
            .outbox
            .send(Reply {
                inbox: None,
                session: None,
                route: reply_route(channel, draft),
                text,
                key: format!("pairing:{code}"),
                trace: None,
                extras: Default::default(),
            })
            .await
            .map_err(store)?;
        Ok(())
    }
}

/// Where the reply to a draft goes: exactly where it came from.
pub fn reply_route(channel: &ChannelId, draft: &InboundDraft) -> ReplyRoute {
    ReplyRoute {
        channel: channel.clone(),
        account: draft.account.clone(),
        conversation: draft.conversation.clone(),
        thread: draft.thread.clone(),
        reply_to: Some(draft.message_id.clone()),
    }
}

/// Stem of the idempotency keys of the reply to an inbox row.
pub fn reply_key(inbox: InboxId) -> String {
    format!("reply:{}", inbox.0)
}

fn store(error: StoreError) -> WireError {
    tracing::error!(%error, "the store failed");
    WireError::internal("the message store cannot be written").hint("look at the log; is the disk full?")
}
