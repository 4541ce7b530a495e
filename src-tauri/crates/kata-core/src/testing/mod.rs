//! Fakes for this crate's tests: a clock that moves when told, drafts, and a whole core ([`world`]) over a disk that fails
//! when told ([`disk`]) and scripted others ([`others`]).

use crate::ports::{Clock, Entropy};
use async_trait::async_trait;
use kata_protocol::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// A clock that stands still until [`TestClock::advance`].
pub(crate) struct TestClock(watch::Sender<u64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(watch::channel(1_700_000_000_000_000).0)
    }
}

impl TestClock {
    /// Moves time and wakes the sleepers that are due.
    pub(crate) fn advance(&self, by: Duration) {
        self.0.send_modify(|us| *us += by.as_micros() as u64);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Ms {
        Ms(*self.0.borrow() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        *self.0.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let until = *self.0.borrow() + duration.as_micros() as u64;
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}

/// Moves time on and on, one step each time everybody else has had a turn.
pub(crate) async fn passing(clock: &TestClock, step: Duration) {
    loop {
        tokio::task::yield_now().await;
        clock.advance(step);
    }
}

/// Counts instead of drawing.
#[derive(Default)]
pub(crate) struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn next_u64(&self) -> u64 {
        // Spread by a large odd number, so that codes made of it differ in every digit.
        self.0
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// A direct message.
pub(crate) fn draft(id: &str, conversation: &str, sender: &str, text: &str) -> InboundDraft {
    InboundDraft {
        account: AccountId::new("bot").unwrap(),
        message_id: PlatformMessageId::new(id).unwrap(),
        conversation: ConversationId::new(conversation).unwrap(),
        conversation_name: None,
        chat_type: ChatType::Direct,
        thread: None,
        sender: Sender {
            id: SenderId::new(sender).unwrap(),
            name: Some("Ada".into()),
            is_bot: false,
        },
        text: text.into(),
        reply_to: None,
        mentions_bot: false,
        sent_at: None,
        attachments: Vec::new(),
    }
}

pub(crate) mod approvals;
pub(crate) mod disk;
pub(crate) mod others;
pub(crate) mod plans;
mod recipient;
pub(crate) mod rules;
pub(crate) mod shelf;
pub(crate) mod world;
