//! The one front door for messages from channels: size, duplicates, loops, who may write, how fast; durable before the
//! plugin is answered. What is admitted goes on to the router and its session by itself.

use crate::EventHub;
use crate::outbox::{Outbox, Reply};
use crate::ports::{Clock, Entropy, InboxId, InboxRow, MessageStore, PairingStore, StoreError};
use crate::rate::RateLimiter;
use arc_swap::ArcSwap;
use kata_protocol::{
    ChannelId, ChatType, DmPolicy, Fact, InboundDraft, IngressAnswer, Ms, PairingRequest, RefusalCode, ReplyRoute, WireError,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Longest text of one inbound message, bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Messages in flight between acceptance and a terminal state; beyond it a channel is asked to come back.
pub const MAX_IN_FLIGHT: usize = 4096;
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
    /// Messages a minute from one sender, and from one conversation.
    pub per_minute: u32,
    /// Senders who may answer tool calls from the channel.
    pub approvers: HashSet<String>,
}

impl Default for ChannelRules {
    fn default() -> Self {
        Self {
            policy: DmPolicy::Pairing,
            allow: HashSet::new(),
            require_mention: true,
            per_minute: 60,
            approvers: HashSet::new(),
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
        let rules = self.deps.rules.load().get(channel).cloned().unwrap_or_default();
        let refusal = self.refusal(channel, &draft, &rules).await?;
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
    pub fn approves(&self, channel: &ChannelId, sender: &kata_protocol::SenderId) -> bool {
        let rules = self.deps.rules.load();
        rules.get(channel).is_some_and(|rules| rules.approvers.contains(sender.as_str()))
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

    /// The first rule that refuses.
    async fn refusal(&self, channel: &ChannelId, draft: &InboundDraft, rules: &ChannelRules) -> Result<Option<RefusalCode>, WireError> {
        if draft.text.len() > MAX_TEXT {
            return Ok(Some(RefusalCode::TooLarge));
        }
        if rules.policy == DmPolicy::Off {
            return Ok(Some(RefusalCode::ChannelOff));
        }
        if draft.sender.is_bot {
            return Ok(Some(RefusalCode::Loop));
        }
        if draft.chat_type != ChatType::Direct && rules.require_mention && !draft.mentions_bot {
            return Ok(Some(RefusalCode::NotMentioned));
        }
        let sender = format!("{channel}\0{}\0s\0{}", draft.account, draft.sender.id);
        let conversation = format!("{channel}\0{}\0c\0{}", draft.account, draft.conversation);
        let now_us = self.deps.clock.monotonic_us();
        if !self.rate.allow(&sender, rules.per_minute, now_us) || !self.rate.allow(&conversation, rules.per_minute, now_us) {
            return Ok(Some(RefusalCode::RateLimited));
        }
        if rules.policy == DmPolicy::Open || rules.allow.contains(draft.sender.id.as_str()) {
            return Ok(None);
        }
        if self.deps.pairing.is_paired(channel, &draft.sender.id).await.map_err(store)? {
            return Ok(None);
        }
        Ok(Some(match (rules.policy, draft.chat_type) {
            // A code is for the person's own eyes: in a group a stranger is refused without one.
            (DmPolicy::Pairing, ChatType::Direct) => RefusalCode::PairingRequired,
            _ => RefusalCode::NotAllowed,
        }))
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
