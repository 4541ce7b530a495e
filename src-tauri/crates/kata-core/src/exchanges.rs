//! The loop guard: two programs that answer each other in a conversation, where neither says that it is one.
//!
//! An exchange is a message that comes after a reply of ours left for its conversation. People read before they answer; more
//! than [`MOST`] exchanges a minute with one sender is a machine. The message that is too many gets no reply, and so ends the
//! loop. Deliberately absent: senders that say they are bots, which [`crate::ingress`] never lets in.

use crate::rate::RateLimiter;
use kata_protocol::{ChannelId, InboundDraft, ReplyRoute};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Exchanges a minute with one sender in one conversation.
pub const MOST: u32 = 25;
/// Conversations whose last word is ours that are remembered; beyond it all are forgotten, and counted anew.
const REMEMBERED: usize = 10_000;

/// Counts exchanges.
#[derive(Default)]
pub struct Exchanges {
    answered: Mutex<HashSet<String>>,
    rate: RateLimiter,
}

impl Exchanges {
    /// A reply left.
    pub fn replied(&self, route: &ReplyRoute) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if answered.len() >= REMEMBERED {
            answered.clear();
        }
        answered.insert(format!("{}\0{}\0{}", route.channel, route.account, route.conversation));
    }

    /// Whether this message is one exchange too many. With `count` it counts.
    pub(crate) fn too_many(&self, channel: &ChannelId, draft: &InboundDraft, now_us: u64, count: bool) -> bool {
        let conversation = format!("{channel}\0{}\0{}", draft.account, draft.conversation);
        let exchange = {
            let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
            if count {
                answered.remove(&conversation)
            } else {
                answered.contains(&conversation)
            }
        };
        let with = format!("{conversation}\0{}", draft.sender.id);
        exchange && !self.rate.ask(&with, MOST, now_us, count)
    }
}
