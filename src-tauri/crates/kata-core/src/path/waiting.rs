//! Messages that came in quiet hours, or while all channels are paused: accepted and durable, they wait until that is over and go
//! on in their order.
//!
//! Only numbers of rows are kept here, so that a long night costs no memory and holds up no other channel. The inbox has the
//! rows; the next start finds them there and waits again.

use super::Path;
use crate::ingress::Admitted;
use crate::ports::{InboxId, InboxRow, StoreError};
use crate::trace::LiveTrace;
use kata_protocol::{ChannelId, Gate, StepOutcome};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The clock on the wall is looked at again at least this often: it may be set, and the machine may sleep.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Rows that wait, by channel. A channel is in it exactly while a task lets its rows go.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<ChannelId, VecDeque<InboxId>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, VecDeque<InboxId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Path {
    /// Sends a message on its way, or keeps it until the quiet hours of its channel end, or the pause of all. One that comes while
    /// others still wait stands behind them.
    pub(super) async fn forward_or_hold(self: &Arc<Self>, admitted: Admitted, trace: LiveTrace) {
        let paused = self.deps.pause.is_on();
        // What a person orders is no turn: it passes by. In a pause nothing passes, and its answer could not leave.
        let row = admitted.row();
        let passes = crate::orders::read(&row.draft).is_some() || self.command(&row.channel, &row.draft).is_some();
        if passes && !paused {
            return self.forward(admitted, trace).await;
        }
        let channel = admitted.row().channel.clone();
        let quiet = self.deps.ingress.quiet_until(&channel);
        let first = {
            let mut held = self.held.lock();
            match held.get_mut(&channel) {
                Some(rows) => {
                    rows.push_back(admitted.row().id);
                    Some(false)
                }
                None if paused || quiet.is_some() => {
                    held.insert(channel.clone(), VecDeque::from([admitted.row().id]));
                    Some(true)
                }
                None => None,
            }
        };
        let Some(first) = first else {
            return self.forward(admitted, trace).await;
        };
        let note = quiet.as_ref().map(|(_, quiet)| format!("waits until {}", quiet.end()));
        let why = if paused { "all channels are paused" } else { "quiet hours" };
        trace.step(Gate::Ingress, why, trace.mark(), StepOutcome::Ok, note);
        self.deps.tracer.record(&trace, true).await;
        if first {
            let (path, channel) = (Arc::clone(self), channel.clone());
            self.deps
                .tasks
                .spawn("messages that wait", async move { path.let_go(channel).await });
        }
        if let Some((until, quiet)) = quiet {
            self.deps.ingress.tell_quiet(&channel, &admitted.row().draft, until, &quiet).await;
        }
    }

    /// Waits for the end of the hours, then sends what waits on its way, the oldest first.
    async fn let_go(self: Arc<Self>, channel: ChannelId) {
        let stopping = self.deps.tasks.stopping();
        loop {
            if self.deps.pause.is_on() {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = self.deps.pause.over() => {}
                }
                continue;
            }
            let changed = self.deps.rules_changed.notified();
            if let Some((until, _)) = self.deps.ingress.quiet_until(&channel) {
                let left = until.0.saturating_sub(self.deps.clock.now().0);
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = changed => {}
                    () = self.deps.clock.sleep(Duration::from_millis(left.max(1)).min(LOOK_EVERY)) => {}
                }
                continue;
            }
            let next = {
                let mut held = self.held.lock();
                let next = held.get(&channel).and_then(|rows| rows.front().copied());
                if next.is_none() {
                    held.remove(&channel);
                }
                next
            };
            let Some(next) = next else { return };
            let mut again = self.deps.persist.again("reading a message that waited");
            let row = loop {
                match self.still_waits(next).await {
                    Ok(row) => break row,
                    Err(error) if again.after(&error).await.is_err() => return,
                    Err(_) => {}
                }
            };
            if let Some(row) = row
                && let Some(admitted) = self.deps.ingress.readmit(row).await
            {
                let trace = self.deps.tracer.begin(channel.as_str());
                trace.step(Gate::Ingress, "taken up after it had to wait", trace.mark(), StepOutcome::Ok, None);
                self.forward(admitted, trace).await;
            }
            // Only now: what comes meanwhile stands behind it.
            if let Some(rows) = self.held.lock().get_mut(&channel) {
                rows.pop_front();
            }
        }
    }
    /// The message, unless it was taken back meanwhile.
    async fn still_waits(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        let messages = &self.deps.messages;
        let Some(row) = messages.message(id).await? else {
            return Ok(None);
        };
        let known = messages.known(&row.channel, &row.draft.account, &row.draft.message_id).await?;
        Ok(known.and_then(|(row, open)| open.then_some(row)))
    }
}
