//! All channels paused: nothing is taken in from them and nothing leaves by them, and nothing of it is lost.
//!
//! A channel that reads from a cursor waits with its message in the hand, so the platform keeps what comes after it; what others
//! hand in is accepted as ever, and waits in the inbox ([`crate::path`]). Replies wait in the outbox, untouched. What would only be
//! shown for a while (typing, previews, marks) is not shown. Sessions of the desktop and of the gateway's clients go on.
//!
//! Deliberately absent: keeping it over a restart, which whoever sets it does.

use crate::ports::{Channels, Clock};
use async_trait::async_trait;
use kata_protocol::{
    AccountId, ChannelId, ChannelInfo, DraftAttachment, Media, Ms, OutboundMessage, PauseState, PlatformMessageId, PluginId, Receipt,
    ReplyRoute, SendError, SendErrorCode, StreamPreview,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The clock on the wall is looked at again at least this often: it may be set, and the machine may sleep.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Whether channels are paused. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Pause {
    state: watch::Sender<Times>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    now: Option<Span>,
    /// The last one that is over.
    before: Option<(Ms, Ms)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    since: Ms,
    until: Option<Ms>,
}

impl Pause {
    /// Channels that go on.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            state: watch::Sender::new(Times::default()),
            clock,
        }
    }

    /// Pauses, by itself until `until` if one is named; a pause that lasts already keeps its beginning. `since` is its beginning.
    pub fn begin(&self, since: Ms, until: Option<Ms>) {
        self.state.send_modify(|times| {
            let since = times.now.map_or(since, |span| span.since);
            times.now = Some(Span { since, until });
        });
    }

    /// Channels go on. False where they were not paused.
    pub fn end(&self) -> bool {
        let now = self.clock.now();
        self.state.send_if_modified(|times| end_at(times, now))
    }

    /// How it stands, by the clock.
    pub fn state(&self) -> PauseState {
        let span = self.state.borrow().now.filter(|span| !is_over(span, self.clock.now()));
        PauseState {
            paused: span.is_some(),
            until: span.and_then(|span| span.until),
        }
    }

    /// Whether channels are paused, by the clock.
    pub fn is_on(&self) -> bool {
        self.state.borrow().now.is_some_and(|span| !is_over(&span, self.clock.now()))
    }

    /// Returns as soon as channels are not paused; at once where they are not.
    pub async fn over(&self) {
        let mut changes = self.state.subscribe();
        loop {
            let Some(span) = changes.borrow_and_update().now else { return };
            let now = self.clock.now();
            if is_over(&span, now) {
                let end = span.until.unwrap_or(now);
                // Whoever sees it first ends it, and only the pause that was seen.
                self.state.send_if_modified(|times| times.now == Some(span) && end_at(times, end));
                return;
            }
            let left = span.until.map_or(LOOK_EVERY, |until| Duration::from_millis(until.0 - now.0));
            tokio::select! {
                biased;
                // The sender is in `self`.
                _ = changes.changed() => {}
                () = self.clock.sleep(left.min(LOOK_EVERY)), if span.until.is_some() => {}
            }
        }
    }

    /// Whether something that was written then had to wait for the pause: its sender was not that fast.
    pub(crate) fn held_back(&self, written: Option<Ms>) -> bool {
        let times = *self.state.borrow();
        let within = |from: Ms, to: Ms| written.is_some_and(|at| (from..=to).contains(&at));
        times.now.is_some_and(|span| within(span.since, self.clock.now())) || times.before.is_some_and(|(from, to)| within(from, to))
    }
}

fn is_over(span: &Span, now: Ms) -> bool {
    span.until.is_some_and(|until| until <= now)
}

fn end_at(times: &mut Times, end: Ms) -> bool {
    let Some(span) = times.now.take() else { return false };
    times.before = Some((span.since, end.max(span.since)));
    true
}

/// Channels that show nothing while they are paused. What must leave waits before it is handed over, in the outbox.
pub struct Quieted {
    /// Channels.
    pub channels: Arc<dyn Channels>,
    /// Whether they are paused.
    pub pause: Pause,
}

impl Quieted {
    fn may_show(&self) -> Result<(), SendError> {
        if !self.pause.is_on() {
            return Ok(());
        }
        Err(SendError {
            code: SendErrorCode::Unreachable,
            message: "all channels are paused".into(),
            retry_after_ms: None,
            certain: true,
        })
    }
}

#[async_trait]
impl Channels for Quieted {
    fn info(&self, channel: &ChannelId) -> Option<(PluginId, ChannelInfo)> {
        self.channels.info(channel)
    }
    async fn send(&self, message: OutboundMessage) -> Result<Receipt, SendError> {
        self.channels.send(message).await
    }
    async fn typing(&self, route: &ReplyRoute) {
        if !self.pause.is_on() {
            self.channels.typing(route).await;
        }
    }
    async fn preview(&self, preview: StreamPreview) -> Result<Option<PlatformMessageId>, SendError> {
        self.may_show()?;
        self.channels.preview(preview).await
    }
    async fn edit(&self, message_id: &PlatformMessageId, message: OutboundMessage) -> Result<(), SendError> {
        self.channels.edit(message_id, message).await
    }
    async fn delete(&self, message_id: &PlatformMessageId, route: &ReplyRoute) -> Result<(), SendError> {
        // What was shown too early is taken back at once.
        self.channels.delete(message_id, route).await
    }
    async fn react(&self, message_id: &PlatformMessageId, emoji: Option<&str>, route: &ReplyRoute) -> Result<(), SendError> {
        if emoji.is_some() {
            self.may_show()?;
        }
        self.channels.react(message_id, emoji, route).await
    }
    async fn download(&self, channel: &ChannelId, account: &AccountId, attachment: DraftAttachment) -> Result<Media, SendError> {
        self.channels.download(channel, account, attachment).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
