//! An answer as far as it is written, for a channel that can show it. At most one preview at a time and one in an interval; each is
//! the text so far, cut to what the channel takes. The answer itself leaves by the outbox, as ever, and takes the preview's place.
//!
//! Nothing leaves early that somebody may still change or stop: no preview where a `message_sending` hook listens, and none in
//! quiet hours. A model may write and then call a tool; that is no part of the answer. So where tools are on offer a preview
//! begins only when a text is longer than what models say before a call, and one that was followed by a call all the same is
//! taken back.

use super::SessionDeps;
use super::live::lock;
use crate::outbox::chunk;
use crate::ports::ModelEvent;
use kata_protocol::{ChannelCapabilities, HookName, PlatformMessageId, ReplyRoute, StreamMode, StreamPreview};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// Characters of a text before its preview begins, where the model may still call a tool.
const BEFORE_A_CALL: usize = 280;
/// Shortest time between two previews, whatever the channel says.
const SHORTEST: Duration = Duration::from_millis(250);
/// Bytes that are looked at of a text; no channel takes more.
const LOOKED_AT: usize = 64 * 1024;

/// The previews of one answer.
pub(super) struct Previews {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

struct Shared {
    deps: Arc<SessionDeps>,
    route: ReplyRoute,
    key: String,
    can: ChannelCapabilities,
    /// Text of the present step.
    text: Mutex<String>,
    grew: Notify,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    last: Option<PlatformMessageId>,
    /// Enough was said in the present step to be shown.
    heard: bool,
    /// Something was shown in the present step.
    in_step: bool,
    count: u32,
    failed: bool,
}

impl Previews {
    /// Previews of an answer to this conversation; `None` where there are to be none.
    pub(super) fn new(deps: &Arc<SessionDeps>, route: &ReplyRoute, key: String) -> Option<Self> {
        let can = deps.channels.info(&route.channel)?.1.capabilities;
        let wanted = deps
            .rules
            .load()
            .get(&route.channel)
            .is_some_and(|rules| rules.previews_for(can.stream));
        if can.stream == StreamMode::None || !wanted || !may(deps, route) {
            return None;
        }
        let shared = Arc::new(Shared {
            deps: Arc::clone(deps),
            route: route.clone(),
            key,
            can,
            text: Mutex::default(),
            grew: Notify::new(),
            shown: Mutex::default(),
        });
        let previews = Self {
            shared,
            running: Mutex::default(),
        };
        previews.start();
        Some(previews)
    }

    /// A question to the model begins.
    pub(super) fn begin_step(&self) {
        lock(&self.shared.text).clear();
        let mut shown = lock(&self.shared.shown);
        (shown.heard, shown.in_step) = (false, false);
    }

    /// What the model says. `tools`: it may call one yet.
    pub(super) fn hear(&self, event: &ModelEvent, tools: bool) {
        let mut text = lock(&self.shared.text);
        match event {
            ModelEvent::Text(more) if text.len() < LOOKED_AT => text.push_str(more),
            ModelEvent::Reset => text.clear(),
            _ => return,
        }
        if !tools || text.chars().nth(BEFORE_A_CALL).is_some() {
            lock(&self.shared.shown).heard = true;
            self.shared.grew.notify_one();
        }
    }

    /// The step called tools: what was shown of it is no part of the answer.
    pub(super) async fn take_back(&self) {
        if !std::mem::take(&mut lock(&self.shared.shown).heard) {
            return;
        }
        // One may be on its way.
        self.stop().await;
        if lock(&self.shared.shown).in_step {
            self.remove().await;
        }
        if !lock(&self.shared.shown).failed {
            self.start();
        }
    }

    /// Ends them. Nothing is shown any more when it returns; the answer takes the place of this one.
    pub(super) async fn end(&self) -> Option<PlatformMessageId> {
        self.stop().await;
        lock(&self.shared.shown).last.take()
    }

    /// There will be no answer.
    pub(super) async fn discard(&self) {
        self.stop().await;
        self.remove().await;
    }

    /// In words, for the trace; `None` where nothing was shown.
    pub(super) fn note(&self) -> Option<String> {
        let shown = lock(&self.shared.shown);
        let failed = if shown.failed { ", then one failed" } else { "" };
        (shown.count > 0 || shown.failed).then(|| format!("{} previews{failed}", shown.count))
    }

    fn start(&self) {
        let (ended, end) = oneshot::channel();
        let stop = self.shared.deps.tasks.stopping().child_token();
        *lock(&self.running) = Some(Running {
            stop: stop.clone(),
            ended: end,
        });
        let shared = Arc::clone(&self.shared);
        self.shared.deps.tasks.spawn("previews", async move {
            show(&shared, stop).await;
            let _ = ended.send(());
        });
    }

    /// Waits for the one that is on its way: it must not come behind the answer.
    async fn stop(&self) {
        let running = lock(&self.running).take();
        if let Some(Running { stop, ended }) = running {
            stop.cancel();
            let _ = ended.await;
        }
    }

    async fn remove(&self) {
        let Shared {
            deps, route, can, shown, ..
        } = &*self.shared;
        // What cannot be removed stays until the next text takes its place.
        let Some(last) = lock(shown).last.take_if(|_| can.delete) else {
            return;
        };
        if let Err(error) = deps.channels.delete(&last, route).await {
            tracing::warn!(channel = %route.channel, code = ?error.code, "a preview could not be removed");
        }
    }
}

impl Drop for Previews {
    fn drop(&mut self) {
        if let Some(running) = lock(&self.running).take() {
            running.stop.cancel();
        }
    }
}

/// Whether anything may leave before the answer.
fn may(deps: &SessionDeps, route: &ReplyRoute) -> bool {
    let quiet = || {
        let quiet = deps.rules.load().get(&route.channel)?.quiet.clone()?;
        quiet.until(deps.clock.now(), |at| deps.clock.utc_offset_s(at))
    };
    !deps.hooks.listened(HookName::MessageSending) && quiet().is_none()
}

async fn show(shared: &Shared, stop: CancellationToken) {
    let Shared {
        deps,
        route,
        key,
        can,
        text,
        grew,
        shown,
    } = shared;
    let every = Duration::from_millis(u64::from(can.stream_interval_ms)).max(SHORTEST);
    let mut before = String::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = grew.notified() => {}
        }
        let now = {
            let text = lock(text);
            chunk::chunk(&text, can.text_max, can.text_unit)
                .into_iter()
                .next()
                .unwrap_or_default()
        };
        if now.is_empty() || now == before {
            continue;
        }
        if !may(deps, route) {
            return;
        }
        let preview = StreamPreview {
            route: route.clone(),
            text: now.clone(),
            key: key.clone(),
            message_id: lock(shown).last.clone(),
        };
        // Not ended by `stop`: where it has left, its id must be known.
        match deps.channels.preview(preview).await {
            Ok(id) => {
                let mut shown = lock(shown);
                shown.last = id.or_else(|| shown.last.take());
                (shown.in_step, shown.count) = (true, shown.count + 1);
            }
            Err(error) => {
                tracing::info!(channel = %route.channel, code = ?error.code, "a preview failed; there are no more of this answer");
                lock(shown).failed = true;
                return;
            }
        }
        before = now;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = deps.clock.sleep(every) => {}
        }
    }
}
